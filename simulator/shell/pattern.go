package shell

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
)

// matcher accounts for the work on patterns: their matching may have to try very many ways.
type matcher struct {
	s      *shell
	wide   bool // characters are those of UTF-8
	groups bool // a parenthesis behind ?*+@! begins a group
	depth  int
}

func (s *shell) matcher() matcher {
	return matcher{s: s, wide: s.wide(), groups: s.options.extglob}
}

// extended returns a matcher that knows extended patterns without the option: in [[ ]] and ${x^pattern}.
func (s *shell) extended() *matcher {
	m := s.matcher()
	m.groups = s.kind == bash
	return &m
}

const (
	// triesAStep is how many tries count as one command.
	triesAStep = 4
	// groupSize is what one group of a pattern takes on the stack while it is tried.
	groupSize = 1 << 10
	// maxGroups is how many groups may be tried inside of each other.
	maxGroups = 50_000
)

// try accounts for one try. They are counted over all patterns of a shell: many short ones take long, too.
func (m *matcher) try() {
	if m.s.tries++; m.s.tries == 16*triesAStep {
		m.s.tries = 0
		m.s.p.Work(16)
	}
}

// rune returns the character at the beginning of text: a byte, where the locale is not one of UTF-8.
func (m *matcher) rune(text string) (rune, int) {
	if text == "" {
		return utf8.RuneError, 0
	}
	if text[0] < utf8.RuneSelf || !m.wide {
		return rune(text[0]), 1
	}
	return utf8.DecodeRuneInString(text)
}

// enter and leave account for the nesting of groups that are tried.
func (m *matcher) enter() {
	if m.depth++; m.depth > maxGroups {
		m.s.p.Exceed("its shell tried a pattern nested too deeply")
	}
	m.s.p.Allocate(groupSize)
}

func (m *matcher) leave() {
	m.depth--
	m.s.p.Allocate(-groupSize)
}

// match reports whether all of text matches a pattern: * ? [...] \c and, in bash, ?(…) *(…) +(…) @(…) !(…).
func (s *shell) match(pattern, text string) bool {
	if isPlain(pattern) {
		return pattern == text
	}
	m := s.matcher()
	return m.here(pattern, text)
}

func isPlain(pattern string) bool { return !strings.ContainsAny(pattern, "*?[\\(") }

// match is [shell.match] with this matcher.
func (m *matcher) match(pattern, text string) bool {
	if isPlain(pattern) {
		return pattern == text
	}
	return m.here(pattern, text)
}

func (m *matcher) here(p, t string) bool {
	// The last star, and where it has to be tried again.
	star, again := "", ""
	starred := false
	for {
		m.try()
		if m.groups && len(p) > 1 && p[1] == '(' && strings.IndexByte("?*+@!", p[0]) >= 0 {
			if end := closing(p[1:]); end > 0 {
				if m.group(p[0], p[2:1+end], p[2+end:], t) {
					return true
				}
				if !starred || again == "" {
					return false
				}
				_, n := m.rune(again)
				again = again[n:]
				p, t = star, again
				continue
			}
		}
		if len(p) > 0 && p[0] == '*' {
			p = strings.TrimLeft(p, "*")
			if m.groups && len(p) > 0 && p[0] == '(' {
				p = "*" + p // the stars belonged to a group
				if end := closing(p[1:]); end > 0 {
					continue
				}
				p = p[1:]
			}
			if p == "" {
				return true
			}
			star, again, starred = p, t, true
			continue
		}
		if p == "" && t == "" {
			return true
		}
		if p != "" && t != "" {
			if np, nt, ok := m.one(p, t); ok {
				p, t = np, nt
				continue
			}
		}
		if !starred || again == "" {
			return false
		}
		_, n := m.rune(again)
		again = again[n:]
		p, t = star, again
	}
}

// one matches one character.
func (m *matcher) one(p, t string) (np, nt string, ok bool) {
	r, n := m.rune(t)
	switch p[0] {
	case '?':
		return p[1:], t[n:], true
	case '[':
		if in, rest, valid := m.set(p, r); valid {
			return rest, t[n:], in
		}
	case '\\':
		if len(p) > 1 {
			p = p[1:]
		}
	}
	pr, pn := m.rune(p)
	return p[pn:], t[n:], pr == r && (r != utf8.RuneError || p[0] == t[0])
}

// set matches a bracket expression. It is not valid if it has no end.
func (m *matcher) set(p string, r rune) (in bool, rest string, valid bool) {
	i := 1
	negated := i < len(p) && (p[i] == '!' || p[i] == '^' && m.s.kind != dash)
	if negated {
		i++
	}
	for first := true; i < len(p); first = false {
		if p[i] == ']' && !first {
			return in != negated, p[i+1:], true
		}
		if strings.HasPrefix(p[i:], "[:") {
			if end := strings.Index(p[i:], ":]"); end > 0 {
				if kit.InClass(p[i+2:i+end], r) && (m.wide || r < utf8.RuneSelf) {
					in = true
				}
				i += end + 2
				continue
			}
		}
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		lo, n := m.rune(p[i:])
		i += n
		hi := lo
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			i++
			if p[i] == '\\' && i+1 < len(p) {
				i++
			}
			hi, n = m.rune(p[i:])
			i += n
		}
		if lo <= r && r <= hi {
			in = true
		}
	}
	return false, "", false
}

// closing returns the place of the parenthesis that closes the first character, or -1.
func closing(p string) int {
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// alternatives splits at the bars that are in no inner group.
func alternatives(p string) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, p[start:i])
				start = i + 1
			}
		}
	}
	return append(out, p[start:])
}

// group matches a group, and the rest after it.
func (m *matcher) group(op byte, group, rest, t string) bool {
	m.enter()
	defer m.leave()
	options := alternatives(group)
	matches := func(text string) bool {
		return slices.ContainsFunc(options, func(o string) bool { return m.here(o, text) })
	}
	if (op == '?' || op == '*') && m.here(rest, t) {
		return true
	}
	for n := 0; n <= len(t); n++ {
		m.try()
		head, tail := t[:n], t[n:]
		switch op {
		case '!':
			if !matches(head) && m.here(rest, tail) {
				return true
			}
		case '@', '?':
			if matches(head) && m.here(rest, tail) {
				return true
			}
		default:
			if n == 0 && op == '+' && matches("") && m.here(rest, t) {
				return true
			}
			if n > 0 && matches(head) && (m.here(rest, tail) || m.group(op, group, rest, tail)) {
				return true
			}
		}
	}
	return false
}

// literalPattern returns the text that a pattern without special characters matches.
func literalPattern(p string) (string, bool) {
	if strings.ContainsAny(p, "*?(") {
		return "", false
	}
	if i := strings.IndexByte(p, '['); i >= 0 && strings.IndexByte(p[i:], ']') > 0 {
		return "", false
	}
	if !strings.Contains(p, `\`) {
		return p, true
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		b.WriteByte(p[i])
	}
	return b.String(), true
}

// longestPrefix returns the length of the longest prefix that matches, or -1.
func (s *shell) longestPrefix(p, t string) int {
	m := s.matcher()
	for n := len(t); n >= 0; n-- {
		if m.here(p, t[:n]) {
			return n
		}
	}
	return -1
}

// longestSuffix returns where the longest suffix that matches begins, or -1.
func (s *shell) longestSuffix(p, t string) int {
	m := s.matcher()
	for i := 0; i <= len(t); i++ {
		if m.here(p, t[i:]) {
			return i
		}
	}
	return -1
}

func (s *shell) removePrefix(p, t string, largest bool) string {
	if lit, ok := literalPattern(p); ok {
		return strings.TrimPrefix(t, lit)
	}
	if largest {
		return t[max(0, s.longestPrefix(p, t)):]
	}
	m := s.matcher()
	for n := 0; n <= len(t); n++ {
		if m.here(p, t[:n]) {
			return t[n:]
		}
	}
	return t
}

func (s *shell) removeSuffix(p, t string, largest bool) string {
	if lit, ok := literalPattern(p); ok {
		return strings.TrimSuffix(t, lit)
	}
	if largest {
		if i := s.longestSuffix(p, t); i >= 0 {
			return t[:i]
		}
		return t
	}
	m := s.matcher()
	for i := len(t); i >= 0; i-- {
		if m.here(p, t[i:]) {
			return t[:i]
		}
	}
	return t
}
