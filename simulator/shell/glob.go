package shell

import (
	"path"
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
	parts := strings.Split(pattern, "/")
	found := []string{""}
	if parts[0] == "" {
		found[0] = "/"
		parts = parts[1:]
	}
	for i, part := range parts {
		last := i == len(parts)-1
		if part == "" {
			if last {
				for j, dir := range found {
					if !strings.HasSuffix(dir, "/") {
						found[j] = dir + "/"
					}
				}
			}
			continue
		}
		var next []string
		for _, dir := range found {
			if dir != "" && !strings.HasSuffix(dir, "/") {
				dir += "/"
			}
			if lit, ok := literalPattern(part); ok {
				name := dir + lit
				if _, err := s.p.Lstat(name); err == nil {
					next = append(next, name)
				}
				continue
			}
			if part == "**" && s.options.globstar {
				next = append(next, s.globDeep(dir, last)...)
				continue
			}
			s.p.Work(1)
			matched := s.globDir(dir, part, last)
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
	}
	slices.Sort(found)
	return found, true
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

// globDeep returns a directory and all below it, for **.
func (s *shell) globDeep(dir string, last bool) []string {
	where := dir
	if where == "" {
		where = "."
	}
	out := []string{}
	if !last || dir != "" {
		out = append(out, strings.TrimSuffix(dir, "/"))
	}
	entries, err := s.p.ReadDir(where)
	if err != nil {
		return out
	}
	s.p.Work(1)
	s.deeper("directories")
	defer s.shallower()
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			out = append(out, s.globDeep(name+"/", last)...)
		} else if last {
			out = append(out, name)
		}
	}
	return out
}
