package utility

import (
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/utility/posix"
)

// sizeOfPattern is what a byte of a regular expression takes when it is compiled.
const sizeOfPattern = 256

// compilePattern compiles an expression of the C library.
func compilePattern(p *container.Process, expr string, o posix.Options) (*posix.Regexp, error) {
	p.Allocate(int64(len(expr)) * sizeOfPattern)
	return posix.Compile(meter{p}, expr, o)
}

// bracketEnd returns the place of the "]" that ends a bracket expression, or -1.
func bracketEnd(text string) int {
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
