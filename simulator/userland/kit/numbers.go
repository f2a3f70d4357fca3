package kit

import (
	"strconv"
)

// Atoi reads a number, or 0.
func Atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// Count reads a number with a suffix: b, k, m, g.
func Count(text string) (int64, bool) {
	unit := int64(1)
	if text != "" {
		switch text[len(text)-1] {
		case 'k', 'K':
			unit = 1 << 10
		case 'm', 'M':
			unit = 1 << 20
		case 'g', 'G':
			unit = 1 << 30
		case 'b':
			unit = 512
		}
		if unit > 1 {
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > 1<<40 || text[0] == '+' {
		return 0, false
	}
	return n * unit, true
}

// IsSpace reports whether a byte is white space, as the C locale has it.
func IsSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// Digit reports whether a byte is a decimal digit.
func Digit(c byte) bool { return c >= '0' && c <= '9' }

// MostPadded bounds the width of one conversion of strftime.
const MostPadded = 1024

// Btoi is 1 for true.
func Btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
