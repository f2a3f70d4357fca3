package shell

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// replaceOfBash applies ${x/pattern/text} as bash does. A match may be empty, but at the end of the value, or in an empty
// one, only that of a pattern that begins with a star.
func (s *shell) replaceOfBash(pe *syntax.Param, pat string, r replacement, value string) string {
	star := pat != "" && pat[0] == '*'
	all := pe.Op == "//"
	switch {
	case value == "" && pat == "":
		return ""
	case !all && pat[0] == '#':
		pat = pat[1:]
		if n := s.longestPrefix(pat, value); n >= 0 && (value != "" || pat == "" || pat[0] == '*') {
			return r.of(value[:n]) + value[n:]
		}
		return value
	case !all && pat[0] == '%':
		if i := s.longestSuffix(pat[1:], value); i >= 0 {
			return value[:i] + r.of(value[i:])
		}
		return value
	case value == "" && star && s.match(pat, ""):
		return r.of("")
	}
	if lit, ok := literalPattern(pat); ok {
		if lit == "" {
			return value
		}
		n := 1
		if all {
			n = strings.Count(value, lit)
		}
		with := r.of(lit)
		s.grow(len(value) + n*max(0, len(with)-len(lit)))
		return strings.Replace(value, lit, with, n)
	}
	var b strings.Builder
	for i := 0; i < len(value); {
		n := s.longestPrefix(pat, value[i:])
		if n < 0 {
			b.WriteByte(value[i])
			i++
			if i == len(value) && star && !all && s.match(pat, "") {
				b.WriteString(r.of(""))
			}
			continue
		}
		with := r.of(value[i : i+n])
		s.grow(b.Len() + len(with) + len(value) - i)
		b.WriteString(with)
		i += n
		if !all {
			b.WriteString(value[i:])
			break
		}
		if n == 0 {
			b.WriteByte(value[i])
			i++
		}
	}
	return b.String()
}
