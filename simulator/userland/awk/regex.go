package awk

import "strings"

// meter pays for matching: it is a posix.Meter.
type meter struct{ w World }

// Spend charges steps.
func (m meter) Spend(steps int) {
	for range steps {
		m.w.Step()
	}
}

// Allocate charges memory.
func (m meter) Allocate(n int64) { m.w.Hold(n) }

// translate replaces AWK's escapes in an expression of a program. They mean the same inside brackets.
func translate(source string) string {
	if !strings.Contains(source, `\`) {
		return source
	}
	var b strings.Builder
	for i := 0; i < len(source); i++ {
		if source[i] == '\\' && i+1 < len(source) {
			i = escape(&b, source, i+1)
		} else {
			b.WriteByte(source[i])
		}
	}
	return b.String()
}

// escape writes what the escape whose letter is at i stands for, and returns where it ends. What is not an escape of AWK
// is left to the expression.
func escape(b *strings.Builder, source string, i int) int {
	if at := strings.IndexByte("abfnrtv", source[i]); at >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v"[at])
		return i
	}
	n, used := 0, 0
	for used < 3 && i+used < len(source) && source[i+used] >= '0' && source[i+used] <= '7' {
		n = n*8 + int(source[i+used]-'0')
		used++
	}
	if used > 0 && n > 0 {
		b.WriteByte(byte(n))
		return i + used - 1
	}
	b.WriteByte('\\')
	b.WriteByte(source[i])
	return i
}
