package kit

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// Meter charges a process.
type Meter struct{ P *container.Process }

// Spend charges steps.
func (m Meter) Spend(steps int) { m.P.Compute(steps) }

// Allocate charges memory.
func (m Meter) Allocate(n int64) { m.P.Allocate(n) }

// TooDeep ends the container.
func (m Meter) TooDeep(limit int) {
	m.P.Exceed(fmt.Sprintf("a value nested more than %d levels deep", limit))
}

// SizeOfPattern is what a byte of a regular expression takes when it is compiled.
const SizeOfPattern = 256

// CompilePattern compiles an expression of the C library.
func CompilePattern(p *container.Process, expr string, o posix.Options) (*posix.Regexp, error) {
	p.Allocate(int64(len(expr)) * SizeOfPattern)
	return posix.Compile(Meter{p}, expr, o)
}

// BracketEnd returns the place of the "]" that ends a bracket expression, or -1.
func BracketEnd(text string) int {
	i := 1
	if i < len(text) && text[i] == '^' {
		i++
	}
	if i < len(text) && text[i] == ']' {
		i++
	}
	for ; i < len(text); i++ {
		if strings.HasPrefix(text[i:], "[:") {
			if e := strings.Index(text[i:], ":]"); e > 0 {
				i += e + 1
				continue
			}
		}
		if text[i] == ']' {
			return i
		}
	}
	return -1
}
