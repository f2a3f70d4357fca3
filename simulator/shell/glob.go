package shell

import (
	"cmp"
	"slices"
	"strings"
)

// globbed returns the names of the files that match a pattern, sorted, and whether it is a pattern at all.
func (s *shell) globbed(pattern string) (names []string, isPattern bool) {
	if _, ok := literalPattern(pattern); ok {
		return nil, false
	}
	held := int64(0)
	defer func() { s.p.Allocate(-held) }()
	found := []string{""}
	parts := s.patternParts(pattern)
	after := false // a part that is a pattern
	for i, part := range parts {
		last := i == len(parts)-1
		var next []string
		for _, dir := range found {
			switch {
			case dir == "" && i > 0, strings.HasSuffix(dir, "/"): // behind ** there may be no directory, or one with a slash
			case after && s.kind == bash && part.slashes != "":
				dir += "/"
			default:
				dir += part.slashes
			}
			if lit, ok := literalPattern(part.text); ok {
				name := dir + lit
				if _, err := s.p.Lstat(name); err == nil {
					next = append(next, name)
				}
				continue
			}
			if part.text == "**" && s.options.globstar {
				links := dir != "" || i == len(parts)-2 && parts[i+1].text == ""
				next = append(next, s.globDeep(dir, last, after, links)...)
				continue
			}
			s.p.Work(1)
			matched := s.globDir(dir, part.text, last)
			size := int64(0)
			for _, name := range matched {
				size += int64(len(name)) + 16
			}
			held += size
			s.p.Allocate(size)
			next = append(next, matched...)
		}
		if found = next; len(found) == 0 {
			return nil, true
		}
		if _, ok := literalPattern(part.text); !ok {
			after = true
		}
	}
	slices.Sort(found)
	return found, true
}

// patternPart is a part of a pattern, and what separates it from the part before.
type patternPart struct{ slashes, text string }

// patternParts splits a pattern. The last part of one that ends in slashes is empty.
func (s *shell) patternParts(pattern string) []patternPart {
	var parts []patternPart
	for rest := pattern; rest != ""; {
		text := strings.TrimLeft(rest, "/")
		slashes := rest[:len(rest)-len(text)]
		text, _, _ = strings.Cut(text, "/")
		rest = rest[len(slashes)+len(text):]
		if n := len(parts); s.options.globstar && text == "**" && n > 0 && parts[n-1].text == text {
			continue // twice is as once
		}
		parts = append(parts, patternPart{slashes, text})
	}
	return parts
}

func (s *shell) globDir(dir, part string, last bool) []string {
	where := dir
	if where == "" {
		where = "."
	}
	entries, err := s.p.ReadDir(where)
	if err != nil {
		return nil
	}
	var out []string
	consider := func(name string) {
		if strings.HasPrefix(name, ".") && !strings.HasPrefix(part, ".") && !(s.options.dotglob && name != "." && name != "..") {
			return
		}
		text, pat := name, part
		if s.options.nocaseglob {
			text, pat = strings.ToLower(text), strings.ToLower(pat)
		}
		if !s.match(pat, text) {
			return
		}
		if !last {
			if info, err := s.p.Stat(dir + name); err != nil || !info.IsDir() {
				return
			}
		}
		out = append(out, dir+name)
	}
	if strings.HasPrefix(part, ".") && !(s.kind == bash && s.options.globskipdots) {
		consider(".")
		consider("..")
	}
	for _, e := range entries {
		consider(e.Name())
	}
	return out
}

// globDeep returns a directory and all below it, for **. After another pattern, the directory that the search begins in loses
// its slash. With links, those to directories are found where only directories are; none is followed.
func (s *shell) globDeep(dir string, last, after, links bool) []string {
	var out []string
	if info, err := s.p.Stat(cmp.Or(dir, ".")); err != nil || !info.IsDir() {
		return nil
	}
	switch {
	case last && dir == "":
	case last && after:
		out = append(out, strings.TrimSuffix(dir, "/"))
	default:
		out = append(out, dir)
	}
	return s.appendDeep(out, dir, last, links)
}

// appendDeep appends what is below a directory, whose name ends in a slash: the directories or, at the end of a pattern, all.
func (s *shell) appendDeep(out []string, dir string, last, links bool) []string {
	entries, err := s.p.ReadDir(cmp.Or(dir, "."))
	if err != nil {
		return out
	}
	s.p.Work(1)
	s.deeper("directories")
	defer s.shallower()
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !s.options.dotglob {
			continue
		}
		name := dir + e.Name()
		isDir := e.IsDir()
		if links && !last && !isDir {
			info, err := s.p.Stat(name)
			isDir = err == nil && info.IsDir()
		}
		if last || isDir {
			out = append(out, name)
		}
		if e.IsDir() {
			out = s.appendDeep(out, name+"/", last, links)
		}
	}
	return out
}
