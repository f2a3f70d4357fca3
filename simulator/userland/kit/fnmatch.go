package kit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fnmatch matches patterns of the shell as C's fnmatch does without flags: a slash and a leading period are like any
// other character.
type Fnmatch struct {
	Fold bool // upper and lower case are the same
	Wide bool // characters are those of UTF-8; otherwise, a byte is one
}

// Matches reports whether a pattern matches all of a text.
func (f Fnmatch) Matches(pattern, text string) bool {
	if f.Fold {
		pattern, text = strings.ToLower(pattern), strings.ToLower(text)
	}
	star, again := -1, 0 // where to go on if the text behind the last star does not match
	p, t := 0, 0
	for t < len(text) {
		if p < len(pattern) && pattern[p] == '*' {
			star, again = p, t
			p++
			continue
		}
		if p < len(pattern) {
			if np, nt, ok := f.one(pattern[p:], text[t:]); ok {
				p, t = p+np, t+nt
				continue
			}
		}
		if star < 0 {
			return false
		}
		again++
		p, t = star+1, again
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// character returns the first character of a text, and its length.
func (f Fnmatch) character(text string) (rune, int) {
	if !f.Wide && text != "" {
		return rune(text[0]), 1
	}
	return utf8.DecodeRuneInString(text)
}

// one matches the first element of a pattern with the first character of a text, and returns their lengths.
func (f Fnmatch) one(pattern, text string) (np, nt int, ok bool) {
	r, size := f.character(text)
	switch pattern[0] {
	case '?':
		return 1, size, true
	case '[':
		if n, in, valid := f.bracket(pattern, r); valid {
			return n, size, in
		}
	case '\\':
		if len(pattern) > 1 {
			return 2, 1, pattern[1] == text[0]
		}
		return 1, 1, false
	}
	return 1, 1, pattern[0] == text[0]
}

// bracket reads a set in brackets, and reports whether a character is in it. It is not valid if it does not end.
func (f Fnmatch) bracket(pattern string, r rune) (length int, in, valid bool) {
	i := 1
	negated := i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^')
	if negated {
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, in != negated, true
		}
		if strings.HasPrefix(pattern[i:], "[:") {
			if end := strings.Index(pattern[i:], ":]"); end > 0 {
				in = in || (f.Wide || r < utf8.RuneSelf) && InClass(pattern[i+2:i+end], r)
				i += end + 2
				continue
			}
		}
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		low, n := f.character(pattern[i:])
		i += n
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high, n = f.character(pattern[i+1:])
			i += n + 1
		}
		in = in || low <= r && r <= high
	}
	return 0, false, false
}

// InClass reports whether a character is of a class of patterns, such as alpha. It is of no class that is not known.
func InClass(name string, r rune) bool {
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
		return unicode.IsPrint(r) && r != ' '
	case "cntrl":
		return unicode.IsControl(r)
	case "xdigit":
		return strings.ContainsRune("0123456789abcdefABCDEF", r)
	}
	return false
}
