// Package posix matches regular expressions as the C library does in the C locale: basic and extended ones, where a
// character is a byte and the longest of the leftmost matches counts.
//
// An expression without back-references is matched in time that grows with the length of the text alone: all ways
// through the expression are followed at once. One with back-references tries them one after the other; the meter ends
// what would take too long.
package posix

// Meter pays for the work of matching.
type Meter interface {
	Spend(steps int)
	Allocate(n int64)
}

// Options say how an expression is read.
type Options struct {
	Extended bool
	// Fold makes no difference between upper and lower case.
	Fold bool
}

// Regexp is a compiled expression.
type Regexp struct {
	program  []instruction
	groups   int
	first    *set // the bytes that a match can begin with; nil if it can be empty
	anchored bool // it matches at the beginning only
	refers   bool // it has back-references
	fold     bool
	meter    Meter
	unpaid   int // work that was not yet charged
	vm       machine
}

// mostInstructions bounds the size of a program: repetitions of repetitions multiply.
const mostInstructions = 1 << 20

// Compile reads an expression. What is wrong with it is said in the words of the C library.
func Compile(m Meter, expr string, o Options) (*Regexp, error) {
	p := parser{text: expr, Options: o, meter: m}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	size := root.size()
	if size > mostInstructions {
		return nil, errTooBig
	}
	m.Allocate(int64(size) * 64)
	c := compiler{program: make([]instruction, 0, size+3)}
	c.emit(&node{kind: group, children: []*node{root}})
	c.add(instruction{op: opMatch})
	re := &Regexp{program: c.program, groups: p.groups, refers: p.refers, fold: o.Fold, meter: m}
	re.anchored = root.anchored()
	var start set
	if !root.starts(&start) {
		re.first = &start
	}
	return re, nil
}

// Groups returns how many groups the expression has.
func (re *Regexp) Groups() int { return re.groups }

// Match returns where the expression and its groups match first in the text: pairs of offsets, or -1 for a group that
// took no part. It returns nil if there is no match. With inside, the text does not begin at the beginning of a line.
func (re *Regexp) Match(text string, inside bool) []int {
	if re.refers {
		return re.backtrack(text, inside)
	}
	return re.vm.run(re, text, inside, 2*re.groups+2)
}

// Matches reports whether the expression matches anywhere in the text.
func (re *Regexp) Matches(text string) bool {
	if re.refers {
		return re.backtrack(text, false) != nil
	}
	return re.vm.run(re, text, false, 2) != nil
}

// All returns all matches that do not overlap. An empty one right behind another does not count.
func (re *Regexp) All(text string, f func(m []int) (more bool)) {
	end := -1
	for from := 0; from <= len(text); {
		m := re.Match(text[from:], from > 0)
		if m == nil {
			return
		}
		for i := range m {
			if m[i] >= 0 {
				m[i] += from
			}
		}
		empty := m[0] == m[1]
		if !(empty && m[0] == end) && !f(m) {
			return
		}
		end = m[1]
		if from = m[1]; empty {
			from++
		}
	}
}

// spend charges for work, a thousand steps at a time.
func (re *Regexp) spend(n int) {
	const unit = 1 << 10
	if re.unpaid += n; re.unpaid >= unit {
		re.meter.Spend(re.unpaid / unit)
		re.unpaid %= unit
	}
}
