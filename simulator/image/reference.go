package image

import (
	"fmt"
	"strings"
)

// InvalidReferenceError says that a text is not an image reference.
type InvalidReferenceError struct{ Reference, Reason string }

func (e *InvalidReferenceError) Error() string {
	return fmt.Sprintf("couldn't parse image name %q: invalid reference format%s", e.Reference, e.Reason)
}

// Normalize returns the full form of a reference: with registry, library/, and the tag latest if it has neither tag
// nor digest. busybox, docker.io/library/busybox and docker.io/library/busybox:latest are one image.
func Normalize(reference string) (string, error) {
	bad := func(reason string) (string, error) { return "", &InvalidReferenceError{reference, reason} }
	name, digest, hasDigest := strings.Cut(reference, "@")
	if hasDigest && !validDigest(digest) {
		return bad("")
	}
	tag := ""
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name, tag = name[:colon], name[colon+1:]
		if !validTag(tag) {
			return bad("")
		}
	}
	host, rest, found := strings.Cut(name, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" && host == strings.ToLower(host) {
		host, rest = "docker.io", name
	}
	if host == "index.docker.io" {
		host = "docker.io"
	}
	library := ""
	if host == "docker.io" && !strings.Contains(rest, "/") {
		library = "library/"
	}
	if rest != strings.ToLower(rest) {
		return bad(": repository name must be lowercase")
	}
	for part := range strings.SplitSeq(rest, "/") {
		if !validPart(part) {
			return bad("")
		}
	}
	switch {
	case hasDigest:
		return host + "/" + library + rest + "@" + digest, nil
	case tag == "":
		tag = "latest"
	}
	return host + "/" + library + rest + ":" + tag, nil
}

func validDigest(d string) bool {
	hex, ok := strings.CutPrefix(d, "sha256:")
	return ok && len(hex) == 64 && strings.Trim(hex, "0123456789abcdef") == ""
}

const (
	lower  = "abcdefghijklmnopqrstuvwxyz"
	digits = "0123456789"
)

// validTag reports whether it is a word of at most 128 letters, digits, "_", "." and "-" that begins with none of the last two.
func validTag(tag string) bool {
	return tag != "" && len(tag) <= 128 && tag[0] != '.' && tag[0] != '-' &&
		strings.Trim(tag, lower+strings.ToUpper(lower)+digits+"_.-") == ""
}

// validPart reports whether it is a path component of a repository: lower-case letters and digits, separated by one
// ".", one or two "_", or any number of "-".
func validPart(part string) bool {
	words := strings.FieldsFunc(part, func(r rune) bool { return strings.ContainsRune("._-", r) })
	if len(words) == 0 {
		return false
	}
	for i, word := range words {
		if strings.Trim(word, lower+digits) != "" || !strings.HasPrefix(part, word) {
			return false
		}
		part = part[len(word):]
		if i == len(words)-1 {
			break
		}
		separator := part[:strings.Index(part, words[i+1])]
		if separator != "." && separator != "_" && separator != "__" && strings.Trim(separator, "-") != "" {
			return false
		}
		part = part[len(separator):]
	}
	return part == ""
}
