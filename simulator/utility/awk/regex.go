package awk

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
)

// expr is a compiled extended regular expression.
type expr struct {
	re     *regexp.Regexp
	source string
}

// compile compiles an extended regular expression with AWK's escapes, which mean the same inside brackets. Matches are
// the leftmost longest.
func compile(source string) (*expr, error) {
	re, err := regexp.Compile("(?s)" + translate(source))
	if err != nil {
		return nil, err
	}
	re.Longest()
	return &expr{re, source}, nil
}

// Complaint says what is wrong with a regular expression, in the words of the C library.
func Complaint(err error) string {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return "Invalid regular expression"
	}
	switch bad.Code {
	case syntax.ErrMissingParen:
		return `Unmatched ( or \(`
	case syntax.ErrUnexpectedParen:
		return `Unmatched ) or \)`
	case syntax.ErrMissingBracket:
		return "Unmatched [, [^, [:, [., or [="
	case syntax.ErrInvalidCharRange:
		return "Invalid range end"
	case syntax.ErrMissingRepeatArgument, syntax.ErrInvalidRepeatOp:
		return "Invalid preceding regular expression"
	case syntax.ErrInvalidRepeatSize:
		return `Invalid content of \{\}`
	case syntax.ErrTrailingBackslash:
		return "Trailing backslash"
	}
	return "Invalid regular expression"
}

// translate writes the expression in Go's syntax.
func translate(source string) string {
	var b strings.Builder
	for i := 0; i < len(source); i++ {
		switch c := source[i]; {
		case c == '\\' && i+1 < len(source):
			i = escape(&b, source, i+1, false)
		case c == '\\':
			b.WriteString(`\\`)
		case c == '[':
			end := bracketEnd(source[i:])
			if end < 0 {
				b.WriteString(`\[`)
				continue
			}
			bracket(&b, source[i+1:i+end])
			i += end
		case c == '{' && !isRepeat(source[i:]):
			b.WriteString(`\{`)
		case c == '}' && !strings.Contains(source[:i], "{"):
			b.WriteString(`\}`)
		case (c == '*' || c == '+' || c == '?') && (i == 0 || source[i-1] == '(' && !strings.HasSuffix(source[:i], `\(`) || source[i-1] == '|' && !strings.HasSuffix(source[:i], `\|`)):
			b.WriteByte('\\') // nothing to repeat
			b.WriteByte(c)
		case (c == '*' || c == '+' || c == '?') && strings.IndexByte("*+?", source[i-1]) >= 0 && (i < 2 || source[i-2] != '\\'):
			// a** is a*: Go would take a*? for something else
			if c != source[i-1] {
				text := b.String()
				b.Reset()
				b.WriteString(text[:len(text)-1] + "*")
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isRepeat reports whether {…} is a number of repetitions.
func isRepeat(text string) bool {
	end := strings.IndexByte(text, '}')
	if end < 2 || !digit(text[1]) {
		return false
	}
	return strings.Trim(text[1:end], "0123456789,") == "" && strings.Count(text[1:end], ",") < 2
}

// escape writes the escape whose letter is at i and returns where it ends.
func escape(b *strings.Builder, source string, i int, inSet bool) int {
	switch c := source[i]; c {
	case 'n', 't', 'r', 'f', 'v', 'a':
		b.WriteByte('\\')
		b.WriteByte(c)
	case 'b':
		if inSet {
			b.WriteString(`\x08`)
		} else {
			b.WriteString(`\x08`)
		}
	case 'y':
		b.WriteString(`\b`)
	case 'B', 's', 'S', 'w', 'W', 'd', 'D':
		if c == 'B' && inSet || c == 'd' || c == 'D' {
			b.WriteByte(c)
			return i
		}
		b.WriteByte('\\')
		b.WriteByte(c)
	case '<', '>':
		if inSet {
			b.WriteByte(c)
		} else {
			b.WriteString(`\b`)
		}
	case '0', '1', '2', '3', '4', '5', '6', '7':
		n, used := 0, 0
		for used < 3 && i+used < len(source) && source[i+used] >= '0' && source[i+used] <= '7' {
			n = n*8 + int(source[i+used]-'0')
			used++
		}
		quoteByte(b, byte(n))
		return i + used - 1
	default:
		quoteByte(b, c)
	}
	return i
}

func quoteByte(b *strings.Builder, c byte) {
	const hex = "0123456789abcdef"
	if letter(c) || digit(c) {
		b.WriteByte(c)
	} else if c >= 0x80 {
		b.WriteByte(c)
	} else {
		b.WriteString(`\x`)
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
}

// bracketEnd returns where the bracket expression that the text begins with ends, or -1.
func bracketEnd(text string) int {
	i := 1
	if i < len(text) && text[i] == '^' {
		i++
	}
	if i < len(text) && text[i] == ']' {
		i++
	}
	for ; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], "[:"):
			if e := strings.Index(text[i:], ":]"); e > 0 {
				i += e + 1
			}
		case text[i] == ']':
			return i
		}
	}
	return -1
}

// bracket writes a bracket expression.
func bracket(b *strings.Builder, set string) {
	b.WriteByte('[')
	if strings.HasPrefix(set, "^") {
		b.WriteByte('^')
		set = set[1:]
	}
	for i := 0; i < len(set); i++ {
		switch c := set[i]; {
		case c == '\\' && i+1 < len(set):
			i = escape(b, set, i+1, true)
		case strings.HasPrefix(set[i:], "[:"):
			e := strings.Index(set[i:], ":]")
			if e < 0 {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(set[i : i+e+2])
			i += e + 1
		case c == '-' && i > 0 && i+1 < len(set):
			b.WriteByte('-')
		default:
			quoteByte(b, c)
		}
	}
	b.WriteByte(']')
}
