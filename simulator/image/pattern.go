package image

import "strings"

// Pattern stands for images by their references. Without a tag and a digest it stands for all of a repository; "*" is any
// text, also none. busybox, docker.io/library/busybox and index.docker.io/busybox are one repository.
type Pattern struct {
	text                    string
	repository, tag, digest string
	wild                    bool
}

// ParsePattern reads a pattern. The error is an *InvalidReferenceError.
func ParsePattern(text string) (Pattern, error) {
	p := Pattern{text: text, wild: strings.Contains(text, "*")}
	sample := text
	if name, digest, found := strings.Cut(sample, "@"); found && strings.Contains(digest, "*") {
		sample = name
	}
	full, err := Normalize(strings.ReplaceAll(sample, "*", "x"))
	if err != nil {
		return Pattern{}, &InvalidReferenceError{text, ""}
	}
	p.repository, p.tag, p.digest = Split(text)
	if !p.wild {
		p.repository, _, _ = Split(full)
	}
	return p, nil
}

// String returns the pattern as it was written.
func (p Pattern) String() string { return p.text }

// Matches reports whether the pattern stands for an image.
func (p Pattern) Matches(i *Image) bool {
	repository, tag, _ := Split(i.Reference)
	if tag == "" {
		tag = i.Tag
	}
	return p.MatchesName(repository, tag, i.Digest)
}

// MatchesName reports whether the pattern stands for a repository, by its full name, with a tag and a digest, of which one
// may be empty.
func (p Pattern) MatchesName(repository, tag, digest string) bool {
	return p.matchesRepository(repository) && (p.tag == "" || glob(p.tag, tag)) && (p.digest == "" || glob(p.digest, digest))
}

func (p Pattern) matchesRepository(full string) bool {
	if !p.wild {
		return p.repository == full
	}
	short := strings.TrimPrefix(full, "docker.io/")
	bare := strings.TrimPrefix(short, "library/")
	return glob(p.repository, full) || short != full && (glob(p.repository, short) || glob(p.repository, bare) || glob(p.repository, "docker.io/"+bare))
}

// Split takes a reference, or a pattern of references, apart.
func Split(reference string) (repository, tag, digest string) {
	repository, digest, _ = strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(repository, ':'); colon > strings.LastIndexByte(repository, '/') {
		repository, tag = repository[:colon], repository[colon+1:]
	}
	return repository, tag, digest
}

// glob reports whether a text is as a pattern in which "*" is any text. It takes at most as many steps as both have bytes,
// multiplied.
func glob(pattern, text string) bool {
	star, mark, p := -1, 0, 0
	for t := 0; t < len(text); {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && pattern[p] == text[t]:
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
