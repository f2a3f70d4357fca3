package formatting

import (
	"strconv"
	"strings"
)

// EscapeStyle says where escapes are read.
type EscapeStyle uint8

// The places that have escapes.
const (
	FormatString EscapeStyle = iota // printf's format: \ddd
	EchoArgument                    // echo -e and %b: \0ddd, \c
	DollarQuote                     // $'…': \ddd, \e, \', \cx, \u
)

// Escapes replaces backslash escapes. stop reports a \c, which ends all output.
func Escapes(text string, style EscapeStyle) (out string, stop bool) {
	if !strings.Contains(text, `\`) {
		return text, false
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 >= len(text) {
			b.WriteByte(text[i])
			continue
		}
		i++
		switch c := text[i]; c {
		case 'a':
			b.WriteByte('\a')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'v':
			b.WriteByte('\v')
		case '\\':
			b.WriteByte('\\')
		case 'e', 'E':
			b.WriteByte(0x1b)
		case 'c':
			if style == DollarQuote && i+1 < len(text) {
				i++
				b.WriteByte(text[i] & 0x1f)
				continue
			}
			return b.String(), true
		case '\'', '"', '?':
			if style == EchoArgument {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case 'x', 'u', 'U':
			size := 2
			if c == 'u' {
				size = 4
			} else if c == 'U' {
				size = 8
			}
			n, used := DigitsOf(text[i+1:], size, 16)
			if used == 0 {
				b.WriteByte('\\')
				b.WriteByte(c)
				continue
			}
			i += used
			if c == 'x' {
				b.WriteByte(byte(n))
			} else {
				b.WriteString(string(rune(n)))
			}
		case '0', '1', '2', '3', '4', '5', '6', '7':
			size := 3
			if style == EchoArgument {
				if c != '0' {
					b.WriteByte('\\')
					b.WriteByte(c)
					continue
				}
				n, used := DigitsOf(text[i+1:], 3, 8)
				i += used
				b.WriteByte(byte(n))
				continue
			}
			n, used := DigitsOf(text[i:], size, 8)
			i += used - 1
			b.WriteByte(byte(n))
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

// Octal makes \101 what some shells take it for in an argument: \0101.
func Octal(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			if c := text[i+1]; c >= '1' && c <= '7' {
				b.WriteString(`\0`)
				continue
			}
			b.WriteString(text[i : i+2])
			i++
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// DigitsOf reads a number in a base, of at most so many digits.
func DigitsOf(text string, limit, base int) (n uint64, used int) {
	for used < limit && used < len(text) {
		d, err := strconv.ParseUint(text[used:used+1], base, 8)
		if err != nil {
			break
		}
		n = n*uint64(base) + d
		used++
	}
	return n, used
}
