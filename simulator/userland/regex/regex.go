// Package regex matches regular expressions of Perl, with look-around, back-references, atomic groups and \K, as grep -P
// and jq take them. Expressions of POSIX are package posix's.
//
// A match runs a program for a small machine. Every step and every place to go back to is charged to a [Meter] before
// it is taken, so an expression that backtracks without end ends its container.
package regex

import (
	"strings"
	"unicode/utf8"
)

// Meter is charged for matching. Both end the match, by a panic of their own, when there was enough.
type Meter interface {
	// Spend charges steps.
	Spend(steps int)
	// Allocate charges memory, or gives it back.
	Allocate(bytes int64)
}

// Options change what an expression means.
type Options struct {
	IgnoreCase bool
	Extended   bool // white space and comments mean nothing
	DotAll     bool // "." matches a newline
	MultiLine  bool // "^" and "$" match at every line
}

// Regexp is a compiled expression.
type Regexp struct {
	// Names are the names of the groups, the first for the whole; "" for those without.
	Names  []string
	prog   []instruction
	prefix string // all matches begin with it
	empty  int    // how many loops there are that may match nothing
	unpaid int    // steps of earlier matches that were not yet charged
}

type op uint8

const (
	opChar op = iota
	opFold
	opAny
	opAnyNewline
	opSet
	opSplit // to next, then to other
	opJump
	opSave
	opKeep
	opAssert
	opBack
	opLook      // other is behind the look; set tells which
	opPartEnd   // the end of a look ahead or an atomic group
	opBehindEnd // the end of a look behind
	opAtomic
	opMark  // remember the place where a loop's turn began
	opCheck // a turn that matched nothing is the last
	opMatch
	opFail
)

type instruction struct {
	op          op
	r           rune
	set         *class
	n           int // of a group, mark or assertion
	next, other int
	ahead, not  bool
	fold        bool
}

// place is something to go back to: a place in program and text, or the old value of a slot.
type place struct {
	pc, at int
	slot   int // -1: none
}

// matcher is a match in progress.
type matcher struct {
	re    *Regexp
	meter Meter
	text  string
	slots []int // of groups, then of loops
	stack []place
	until int // where a look behind has to end
	held  int64
	steps int
}

const (
	placeSize = 24
	// perMatch is what it takes to begin and end a match, in steps.
	perMatch = 16
)

// Match finds the first match from a place on: pairs of places for the whole and each group, -1 for those that did not
// take part. It returns nil if there is none.
func (r *Regexp) Match(meter Meter, text string, from int) []int {
	m := matcher{re: r, meter: meter, text: text, slots: make([]int, 2*len(r.Names)+r.empty), steps: r.unpaid}
	defer func() {
		r.unpaid = m.steps
		meter.Allocate(-m.held)
	}()
	m.spend(perMatch)
	for at := from; at <= len(text); {
		if r.prefix != "" {
			i := strings.Index(text[at:], r.prefix)
			if i < 0 {
				m.spend(len(text[at:]) / 64)
				return nil
			}
			m.spend(i / 64)
			at += i
		}
		for i := range m.slots {
			m.slots[i] = -1
		}
		m.stack = m.stack[:0]
		if end, ok := m.run(0, at); ok {
			if m.slots[0] < 0 {
				m.slots[0] = at
			}
			m.slots[1] = end
			m.spend(64)
			return m.slots[:2*len(r.Names)]
		}
		if at == len(text) {
			break
		}
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return nil
}

// spend charges steps: one of a match is small beside a command of a shell.
func (m *matcher) spend(n int) {
	if m.steps += n; m.steps >= 256 {
		n := m.steps / 32
		m.steps %= 32
		m.meter.Spend(n)
	}
}

func (m *matcher) push(p place) {
	if len(m.stack) == cap(m.stack) {
		grown := max(64, 2*cap(m.stack))
		m.meter.Allocate(int64(grown) * placeSize)
		m.held += int64(grown) * placeSize
		stack := make([]place, len(m.stack), grown)
		copy(stack, m.stack)
		m.meter.Allocate(-int64(cap(m.stack)) * placeSize)
		m.held -= int64(cap(m.stack)) * placeSize
		m.stack = stack
	}
	m.stack = append(m.stack, p)
}

// set changes a slot, so that going back undoes it.
func (m *matcher) set(slot, v int) {
	m.push(place{at: m.slots[slot], slot: slot})
	m.slots[slot] = v
}

// back goes back to the last place above a height of the stack.
func (m *matcher) back(floor int) (pc, at int, ok bool) {
	for len(m.stack) > floor {
		p := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		if p.slot < 0 {
			return p.pc, p.at, true
		}
		m.slots[p.slot] = p.at
	}
	return 0, 0, false
}

// run runs the program from pc on until it matches, or, for a part, until the part's end.
func (m *matcher) run(pc, at int) (end int, ok bool) {
	floor := len(m.stack)
	for {
		m.spend(1)
		in := &m.re.prog[pc]
		good := true
		switch in.op {
		case opMatch, opPartEnd:
			return at, true
		case opBehindEnd:
			if good = at == m.until; good {
				return at, true
			}
		case opFail:
			good = false
		case opSplit:
			m.push(place{pc: in.other, at: at, slot: -1})
		case opJump:
		case opSave:
			m.set(in.n, at)
		case opKeep:
			m.set(0, at)
		case opMark:
			m.set(2*len(m.re.Names)+in.n, at)
		case opCheck:
			if m.slots[2*len(m.re.Names)+in.n] == at {
				pc = in.other
				continue
			}
		case opAssert:
			good = m.asserts(in, at)
		case opBack:
			at, good = m.again(in, at)
		case opLook:
			good = m.look(in, pc+1, at)
			if good {
				pc = in.other
				continue
			}
		case opAtomic:
			height := len(m.stack)
			var e int
			if e, good = m.run(pc+1, at); good {
				m.forget(height)
				pc, at = in.other, e
				continue
			}
		default:
			at, good = m.character(in, at)
		}
		if good {
			pc = in.next
			continue
		}
		if pc, at, ok = m.back(floor); !ok {
			return 0, false
		}
	}
}

// forget drops the places to go back to above a height, but not what undoes slots.
func (m *matcher) forget(height int) {
	kept := m.stack[:height]
	for _, p := range m.stack[height:] {
		if p.slot >= 0 {
			kept = append(kept, p)
		}
	}
	m.stack = kept
}

func (m *matcher) character(in *instruction, at int) (int, bool) {
	if at >= len(m.text) {
		return at, false
	}
	r, size := rune(m.text[at]), 1
	if r >= utf8.RuneSelf {
		r, size = utf8.DecodeRuneInString(m.text[at:])
	}
	good := false
	switch in.op {
	case opChar:
		good = r == in.r
	case opFold:
		good = r == in.r || fold(r) == in.r
	case opAny:
		good = r != '\n'
	case opAnyNewline:
		good = true
	case opSet:
		good = in.set.has(r)
	}
	return at + size, good
}

// again matches what a group matched.
func (m *matcher) again(in *instruction, at int) (int, bool) {
	from, to := m.slots[2*in.n], m.slots[2*in.n+1]
	if from < 0 || to < from {
		return at, false
	}
	group := m.text[from:to]
	m.spend(len(group) / 16)
	if len(m.text)-at < len(group) {
		return at, false
	}
	there := m.text[at : at+len(group)]
	return at + len(group), there == group || in.fold && strings.EqualFold(there, group)
}

// look looks ahead or behind without moving.
func (m *matcher) look(in *instruction, pc, at int) bool {
	height := len(m.stack)
	var found bool
	if in.ahead {
		_, found = m.run(pc, at)
	} else {
		found = m.behind(pc, at)
	}
	if found && !in.not {
		m.forget(height)
		return true
	}
	m.undo(height)
	return in.not && !found
}

// behind reports whether the part at pc matches a text that ends at a place: the end of the part checks that.
func (m *matcher) behind(pc, at int) bool {
	outer := m.until
	m.until = at
	defer func() { m.until = outer }()
	for from := at; from >= 0; from-- {
		if _, found := m.run(pc, from); found {
			return true
		}
	}
	return false
}

// undo goes back to a height.
func (m *matcher) undo(height int) {
	for {
		if _, _, ok := m.back(height); !ok {
			return
		}
	}
}

// The assertions.
const (
	lineStart = iota
	lineEnd
	textStart
	textEnd
	textEndLine // or before a newline at the end
	wordEdge
	noWordEdge
	wordStart
	wordEnd
)

func word(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

func (m *matcher) asserts(in *instruction, at int) bool {
	before := at > 0 && word(m.text[at-1])
	after := at < len(m.text) && word(m.text[at])
	switch in.n {
	case lineStart:
		return at == 0 || m.text[at-1] == '\n'
	case lineEnd:
		return at == len(m.text) || m.text[at] == '\n'
	case textStart:
		return at == 0
	case textEnd:
		return at == len(m.text)
	case textEndLine:
		return at == len(m.text) || at == len(m.text)-1 && m.text[at] == '\n'
	case wordEdge:
		return before != after
	case noWordEdge:
		return before == after
	case wordStart:
		return !before && after
	}
	return before && !after
}
