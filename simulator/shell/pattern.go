package shell

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxTries bounds the work on one pattern with alternatives.
const maxTries = 200_000

// match reports whether all of text matches a pattern: * ? [...] \c and, as bash has them, ?(…) *(…) +(…) @(…) !(…).
func match(pattern, text string) bool {
	tries := maxTries
	return matchHere(pattern, text, &tries)
}

func matchHere(p, t string, tries *int) bool {
	// The last star, and where it has to be tried again.
	star, again := "", ""
	starred := false
	for {
		if *tries--; *tries < 0 {
			return false
		}
		if len(p) > 1 && p[1] == '(' && strings.IndexByte("?*+@!", p[0]) >= 0 {
			if end := closing(p[1:]); end > 0 {
				if matchGroup(p[0], p[2:1+end], p[2+end:], t, tries) {
					return true
				}
				if !starred || again == "" {
					return false
				}
				_, n := utf8.DecodeRuneInString(again)
				again = again[n:]
				p, t = star, again
				continue
			}
		}
		if len(p) > 0 && p[0] == '*' {
			p = strings.TrimLeft(p, "*")
			if len(p) > 0 && p[0] == '(' {
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
			if np, nt, ok := matchOne(p, t); ok {
				p, t = np, nt
				continue
			}
		}
		if !starred || again == "" {
			return false
		}
		_, n := utf8.DecodeRuneInString(again)
		again = again[n:]
		p, t = star, again
	}
}

// matchOne matches one character.
func matchOne(p, t string) (np, nt string, ok bool) {
	r, n := utf8.DecodeRuneInString(t)
	switch p[0] {
	case '?':
		return p[1:], t[n:], true
	case '[':
		if in, rest, valid := matchSet(p, r); valid {
			return rest, t[n:], in
		}
	case '\\':
		if len(p) > 1 {
			p = p[1:]
		}
	}
	pr, pn := utf8.DecodeRuneInString(p)
	return p[pn:], t[n:], pr == r && (r != utf8.RuneError || p[0] == t[0])
}

// matchSet matches a bracket expression. It is not valid if it has no end.
func matchSet(p string, r rune) (in bool, rest string, valid bool) {
	i := 1
	negated := i < len(p) && (p[i] == '!' || p[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(p); first = false {
		if p[i] == ']' && !first {
			return in != negated, p[i+1:], true
		}
		if strings.HasPrefix(p[i:], "[:") {
			if end := strings.Index(p[i:], ":]"); end > 0 {
				if inClass(p[i+2:i+end], r) {
					in = true
				}
				i += end + 2
				continue
			}
		}
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		lo, n := utf8.DecodeRuneInString(p[i:])
		i += n
		hi := lo
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			i++
			if p[i] == '\\' && i+1 < len(p) {
				i++
			}
			hi, n = utf8.DecodeRuneInString(p[i:])
			i += n
		}
		if lo <= r && r <= hi {
			in = true
		}
	}
	return false, "", false
}

func inClass(name string, r rune) bool {
	switch name {
	case "alpha":
		return unicode.IsLetter(r)
	case "digit":
		return r >= '0' && r <= '9'
	case "alnum":
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	case "upper":
		return unicode.IsUpper(r)
	case "lower":
		return unicode.IsLower(r)
	case "space":
		return unicode.IsSpace(r)
	case "blank":
		return r == ' ' || r == '\t'
	case "punct":
		return r > ' ' && r < 127 && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	case "print":
		return unicode.IsPrint(r)
	case "graph":
		return unicode.IsGraphic(r) && r != ' '
	case "cntrl":
		return unicode.IsControl(r)
	case "xdigit":
		return strings.ContainsRune("0123456789abcdefABCDEF", r)
	}
	return false
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

// matchGroup matches a group, and the rest after it.
func matchGroup(op byte, group, rest, t string, tries *int) bool {
	options := alternatives(group)
	one := func(text string) bool {
		return slices.ContainsFunc(options, func(o string) bool { return matchHere(o, text, tries) })
	}
	if (op == '?' || op == '*') && matchHere(rest, t, tries) {
		return true
	}
	for n := 0; n <= len(t); n++ {
		if *tries--; *tries < 0 {
			return false
		}
		head, tail := t[:n], t[n:]
		switch op {
		case '!':
			if !one(head) && matchHere(rest, tail, tries) {
				return true
			}
		case '@', '?':
			if one(head) && matchHere(rest, tail, tries) {
				return true
			}
		default:
			if n == 0 && op == '+' && one("") && matchHere(rest, t, tries) {
				return true
			}
			if n > 0 && one(head) && (matchHere(rest, tail, tries) || matchGroup(op, group, rest, tail, tries)) {
				return true
			}
		}
	}
	return false
}

// literalPattern returns the text that a pattern without special characters matches.
func literalPattern(p string) (string, bool) {
	if strings.ContainsAny(p, "*?[(") {
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
func longestPrefix(p, t string) int {
	tries := maxTries
	for n := len(t); n >= 0; n-- {
		if matchHere(p, t[:n], &tries) {
			return n
		}
	}
	return -1
}

// longestSuffix returns where the longest suffix that matches begins, or -1.
func longestSuffix(p, t string) int {
	tries := maxTries
	for i := 0; i <= len(t); i++ {
		if matchHere(p, t[i:], &tries) {
			return i
		}
	}
	return -1
}

func removePrefix(p, t string, largest bool) string {
	if lit, ok := literalPattern(p); ok {
		return strings.TrimPrefix(t, lit)
	}
	if largest {
		return t[max(0, longestPrefix(p, t)):]
	}
	tries := maxTries
	for n := 0; n <= len(t); n++ {
		if matchHere(p, t[:n], &tries) {
			return t[n:]
		}
	}
	return t
}

func removeSuffix(p, t string, largest bool) string {
	if lit, ok := literalPattern(p); ok {
		return strings.TrimSuffix(t, lit)
	}
	if largest {
		if i := longestSuffix(p, t); i >= 0 {
			return t[:i]
		}
		return t
	}
	tries := maxTries
	for i := len(t); i >= 0; i-- {
		if matchHere(p, t[i:], &tries) {
			return t[:i]
		}
	}
	return t
}
