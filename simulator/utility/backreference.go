package utility

import (
	"regexp"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/utility/regex"
)

// pattern is a compiled expression of sed or expr: one of Go's, or one that backtracks.
type pattern interface {
	MatchString(s string) bool
	FindAllStringSubmatchIndex(s string, n int) [][]int
	NumSubexp() int
}

// compilePattern compiles an expression. One that refers back to a group backtracks, which is counted in steps.
func compilePattern(p *container.Process, expr string, extended, fold bool) (pattern, error) {
	p.Allocate(int64(len(expr)) * sizeOfPattern)
	var re pattern
	re, err := compile(expr, extended, fold)
	if err == nil || !refersBack(expr) {
		return re, err
	}
	back, berr := regex.Compile(translate(expr, extended), regex.Options{IgnoreCase: fold})
	if berr != nil {
		return nil, err
	}
	return backtracking{p, back}, nil
}

// backtracking is an expression with references to its groups.
type backtracking struct {
	p  *container.Process
	re *regex.Regexp
}

func (b backtracking) NumSubexp() int { return len(b.re.Names) - 1 }

func (b backtracking) MatchString(s string) bool { return b.re.Match(meter{b.p}, s, 0) != nil }

func (b backtracking) FindAllStringSubmatchIndex(s string, n int) (all [][]int) {
	for from := 0; from <= len(s) && (n < 0 || len(all) < n); {
		m := b.re.Match(meter{b.p}, s, from)
		if m == nil {
			return all
		}
		all = append(all, m)
		if from = m[1]; m[0] == m[1] {
			_, size := utf8.DecodeRuneInString(s[from:])
			from += max(1, size)
		}
	}
	return all
}

var _ pattern = (*regexp.Regexp)(nil)
