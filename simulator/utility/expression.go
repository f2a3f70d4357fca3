package utility

import (
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/utility/regex"
)

// expression is a regular expression: one of Go's, which takes the longest of the leftmost matches, or one that
// backtracks, for what Go's cannot do.
type expression struct {
	t    *tool
	re   *regexp.Regexp
	back *regex.Regexp
}

// expression compiles an expression in Go's syntax, or Perl's. Only one with back-references or of Perl backtracks.
func (t *tool) expression(text string, perl bool) (*expression, error) {
	t.p.Allocate(int64(len(text)) * sizeOfPattern)
	if !perl {
		re, err := regexp.Compile(text)
		if err == nil {
			re.Longest()
			return &expression{t: t, re: re}, nil
		}
		if !refersBack(text) {
			return nil, err
		}
	}
	back, err := regex.Compile(text, regex.Options{})
	return &expression{t: t, back: back}, err
}

// refersBack reports whether an expression has a back-reference.
func refersBack(text string) bool {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' {
			if i++; text[i] >= '1' && text[i] <= '9' {
				return true
			}
		}
	}
	return false
}

func (e *expression) matches(text string) bool {
	if e.re != nil {
		return e.re.MatchString(text)
	}
	return e.back.Match(meter{e.t.p}, text, 0) != nil
}

// all calls f for each match.
func (e *expression) all(text string, f func(from, to int)) {
	if e.re != nil {
		for _, m := range e.re.FindAllStringIndex(text, -1) {
			f(m[0], m[1])
		}
		return
	}
	for from := 0; from <= len(text); {
		m := e.back.Match(meter{e.t.p}, text, from)
		if m == nil {
			return
		}
		f(m[0], m[1])
		if from = m[1]; m[0] >= m[1] {
			_, size := utf8.DecodeRuneInString(text[from:])
			from += max(1, size)
		}
	}
}

// wanted reports whether grep -r is to search a file, by --include, --exclude and --exclude-dir.
func wanted(opts map[byte][]string, root, file string) bool {
	fits := func(patterns []string, name string) bool {
		for _, p := range patterns {
			if ok, _ := path.Match(p, name); ok {
				return true
			}
		}
		return false
	}
	if has(opts, '1') && !fits(opts['1'], path.Base(file)) || fits(opts['2'], path.Base(file)) {
		return false
	}
	for dir := range strings.SplitSeq(strings.TrimPrefix(path.Dir(file), root), "/") {
		if fits(opts['3'], dir) {
			return false
		}
	}
	return true
}
