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
	// GNU reads expressions as GNU's grep does: what POSIX leaves undefined is not a mistake.
	GNU bool
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
	size     int64
	unpaid   int // work that was not yet charged
	vm       machine
}

// sizeOfInstruction is what an instruction takes.
const sizeOfInstruction = 64

// mostInstructions bounds the size of a program: repetitions of repetitions multiply.
const mostInstructions = 1 << 20

// Compile reads an expression. What is wrong with it is said in the words of the C library.
func Compile(m Meter, expr string, o Options) (*Regexp, error) {
	p := parser{text: expr, Options: o}
	root, err := p.parse()
	if err != nil {
		return nil, err
	}
	size := root.size()
	if size > mostInstructions {
		return nil, errTooBig
	}
	m.Allocate(int64(size) * sizeOfInstruction)
	c := compiler{program: make([]instruction, 0, size+3)}
	c.emit(&node{kind: group, children: []*node{root}})
	c.add(instruction{op: opMatch})
	re := &Regexp{program: c.program, groups: p.groups, refers: p.refers, fold: o.Fold, meter: m}
	re.anchored = root.anchored()
	var start set
	if !root.starts(&start) {
		re.first = &start
	}
	re.size = int64(size) * sizeOfInstruction
	return re, nil
}

// Free says that the expression is no longer used.
func (re *Regexp) Free() { re.meter.Allocate(-re.size) }

// Check reads an expression and says what is wrong with it.
func Check(expr string, o Options) error {
	p := parser{text: expr, Options: o}
	root, err := p.parse()
	if err == nil && root.size() > mostInstructions {
		err = errTooBig
	}
	return err
}

// Groups returns how many groups the expression has.
func (re *Regexp) Groups() int { return re.groups }

// Match returns where the expression and its groups match first in the text, not before from: pairs of offsets, or -1
// for a group that took no part. It returns nil if there is no match. With inside, the text does not begin at the
// beginning of a line.
func (re *Regexp) Match(text string, from int, inside bool) []int {
	if re.refers {
		return re.backtrack(text, from, inside)
	}
	return re.vm.run(re, text, from, inside, 2*re.groups+2)
}

// Matches reports whether the expression matches anywhere in the text.
func (re *Regexp) Matches(text string) bool {
	if re.refers {
		return re.backtrack(text, 0, false) != nil
	}
	return re.vm.run(re, text, 0, false, 2) != nil
}

// What parts of a match are worth in steps, a step being what it takes to look at an instruction.
const (
	perMatch = 32 // to begin and end a match
	perTry   = 16 // to try an instruction that may have to be taken back
)

// spend charges for work: as many steps as take about as long as a command of a shell count as one.
func (re *Regexp) spend(n int) {
	const unit = 1 << 8
	if re.unpaid += n; re.unpaid >= unit {
		re.meter.Spend(re.unpaid / unit)
		re.unpaid %= unit
	}
}
