package kit

import (
	"strings"
)

// CompareVersions compares runs of digits as numbers.
func CompareVersions(a, b string) int {
	for a != "" && b != "" {
		if Digit(a[0]) && Digit(b[0]) {
			x, y := DigitRun(a), DigitRun(b)
			a, b = a[len(x):], b[len(y):]
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// DigitRun is the digits that a text begins with.
func DigitRun(s string) string {
	i := 0
	for i < len(s) && Digit(s[i]) {
		i++
	}
	return s[:i]
}
