package shell

import (
	"path"
	"slices"
	"strings"
)

// globbed returns the names of the files that match a pattern, sorted.
func (s *shell) globbed(pattern string) []string {
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
				next = append(next, s.globDeep(dir, last, 0)...)
				continue
			}
			next = append(next, s.globDir(dir, part, last)...)
			if len(next) > 1<<16 {
				return nil
			}
		}
		if found = next; len(found) == 0 {
			return nil
		}
	}
	slices.Sort(found)
	return found
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
		if !match(pat, text) {
			return
		}
		if !last {
			if info, err := s.p.Stat(dir + name); err != nil || !info.IsDir() {
				return
			}
		}
		out = append(out, dir+name)
	}
	if strings.HasPrefix(part, ".") {
		consider(".")
		consider("..")
	}
	for _, e := range entries {
		consider(e.Name())
	}
	return out
}

// globDeep returns a directory and all below it, for **.
func (s *shell) globDeep(dir string, last bool, depth int) []string {
	where := dir
	if where == "" {
		where = "."
	}
	out := []string{}
	if !last || dir != "" {
		out = append(out, strings.TrimSuffix(dir, "/"))
	}
	entries, err := s.p.ReadDir(where)
	if err != nil || depth > 40 {
		return out
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		name := path.Join(dir, e.Name())
		if e.IsDir() {
			out = append(out, s.globDeep(name+"/", last, depth+1)...)
		} else if last {
			out = append(out, name)
		}
	}
	return out
}
