package awk

import (
	"bufio"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// flow says how the execution goes on after a statement.
type flow uint8

const (
	onward flow = iota
	toBreak
	toContinue
	toNext
	toNextFile
	toExit
	toReturn
)

// unwound carries a next or an exit out of the expressions that called its function.
type unwound struct{ to flow }

const (
	maxDepth    = 5000    // calls of functions
	maxField    = 1 << 20 // fields of a record
	maxPatterns = 256     // regular expressions kept
	perStep     = 8       // statements that count as one step for the World
	perCopy     = 256     // bytes that may be copied as if it were a statement
	perItems    = 4       // fields or elements that may be gone through as if that were a statement
	perHold     = 4096    // bytes that are reported at once
	keySize     = 16      // what a list of keys holds for each
	itemSize    = 64      // what an element of an array holds besides its strings
)

// machine is a program at work.
type machine struct {
	p       *Program
	o       Options
	w       World
	globals []cell
	frame   []cell
	depth   int
	line    int
	inRange []bool

	record  string
	fields  []value // $1 and on; valid if split
	split   bool
	changed int  // bytes that the fields hold more than the record
	stale   bool // the record has to be put together from the fields

	out     *bufio.Writer
	outputs []*output
	sources []*source

	current *reader // the current file
	arg     int     // the next of ARGV
	opened  bool    // a file was named
	result  value   // of return
	status  int

	patterns map[string]*posix.Regexp
	seed     float64
	random   uint64
	steps    int
	pending  int64 // bytes held that were not yet reported to the World
}

func newMachine(p *Program, o Options) *machine {
	m := &machine{p: p, line: p.lines, o: o, w: o.World, globals: make([]cell, len(p.globals)), inRange: make([]bool, p.ranges), patterns: map[string]*posix.Regexp{}}
	m.out = bufio.NewWriterSize(o.Output, 4096)
	for i, text := range [...]string{vFS: " ", vOFS: " ", vORS: "\n", vRS: "\n", vSUBSEP: "\x1c", vCONVFMT: "%.6g", vOFMT: "%.6g"} {
		if text != "" {
			m.globals[i].v = str(text)
		}
	}
	if o.FieldSeparator != nil {
		m.globals[vFS].v = str(*o.FieldSeparator)
	}
	m.globals[vNR].v, m.globals[vFNR].v, m.globals[vNF].v = num(0), num(0), num(0)
	env := m.globals[vENVIRON].array()
	for _, kv := range o.Environment {
		if name, v, ok := strings.Cut(kv, "="); ok {
			env.set(name, input(v))
		}
	}
	argv := m.globals[vARGV].array()
	for i, a := range o.Arguments {
		argv.set(strconv.Itoa(i), input(a))
	}
	m.globals[vARGC].v = num(float64(len(o.Arguments)))
	m.split = true
	m.reseed(0)
	return m
}

// separator compiles a value of FS or RS that is an expression, so that one that is wrong ends the program at once.
func (m *machine) separator(text string) {
	if len(text) > 1 {
		m.dynamic(text)
	}
}

// main runs BEGIN, the rules for every record, and END.
func (m *machine) main() int {
	m.separator(m.global(vFS))
	for _, a := range m.o.Assignments {
		m.assignment(a)
	}
	f := onward
	for _, b := range m.p.begin {
		if f = m.run(b); f == toExit {
			break
		}
	}
	if f != toExit && len(m.p.rules)+len(m.p.end) > 0 {
		if m.current != nil && !m.o.Long { // getline has begun a file, whose records BusyBox's awk counts anew
			m.globals[vFNR].v = num(0)
		}
		for f != toExit && m.nextRecord() {
			f = m.rules()
			if f == toNextFile {
				m.skipFile()
			}
		}
	}
	for _, b := range m.p.end {
		if f := m.run(b); f == toExit || f == toNext || f == toNextFile {
			break
		}
	}
	return m.status
}

// rules applies all rules to the record.
func (m *machine) rules() flow {
	for _, r := range m.p.rules {
		f := m.rule(r)
		if f == toNext || f == toNextFile || f == toExit {
			return f
		}
	}
	return onward
}

// guard runs f and takes in a next or exit that came out of a function.
func (m *machine) guard(f func() flow) (to flow) {
	frame, depth := m.frame, m.depth
	defer func() {
		if r := recover(); r != nil {
			u, ok := r.(unwound)
			if !ok {
				panic(r)
			}
			m.frame, m.depth = frame, depth
			to = u.to
		}
	}()
	return f()
}

func (m *machine) run(b *block) flow { return m.guard(func() flow { return m.block(b) }) }

func (m *machine) rule(r *rule) flow {
	return m.guard(func() flow {
		if !m.applies(r) {
			return onward
		}
		if r.action == nil {
			m.write(m.out, m.whole())
			m.write(m.out, m.global(vORS))
			return onward
		}
		return m.block(r.action)
	})
}

func (m *machine) applies(r *rule) bool {
	m.step()
	switch {
	case r.from == nil:
		return true
	case r.to == nil:
		return m.reads(m.eval(r.from)).truth()
	case !m.inRange[r.number]:
		if !m.reads(m.eval(r.from)).truth() {
			return false
		}
		m.inRange[r.number] = !m.reads(m.eval(r.to)).truth()
	default:
		m.inRange[r.number] = !m.reads(m.eval(r.to)).truth()
	}
	return true
}

// step accounts for one statement.
func (m *machine) step() {
	if m.steps++; m.steps >= perStep {
		m.steps = 0
		m.w.Step()
	}
}

// hold accounts for memory.
func (m *machine) hold(n int) {
	m.pending += int64(n)
	if m.pending >= perHold || m.pending <= -perHold {
		n := m.pending
		m.pending = 0
		m.w.Hold(n)
	}
}

// passing accounts for a long string that is held for a moment.
func (m *machine) passing(s string) string {
	m.room(len(s))
	m.copies(len(s))
	return s
}

// room accounts for n bytes that a string is about to have.
func (m *machine) room(n int) {
	if n >= perHold {
		m.w.Hold(int64(n))
		m.w.Hold(-int64(n))
	}
}

// copies accounts for n bytes that are copied.
func (m *machine) copies(n int) {
	for ; n >= perCopy; n -= perCopy {
		m.step()
	}
}

// reads accounts for a long string that is read: as a number, which takes longer than to copy it, or to be compared.
func (m *machine) reads(v value) value {
	if len(v.s) >= perHold {
		m.copies(4 * len(v.s))
	}
	return v
}

// items accounts for n fields or elements that are gone through.
func (m *machine) items(n int) {
	for ; n >= perItems; n -= perItems {
		m.step()
	}
}

func (m *machine) fail(message string) { panic(&RunError{m.line, message}) }

func (m *machine) block(b *block) flow {
	for _, s := range b.list {
		if f := m.exec(s); f != onward {
			return f
		}
	}
	return onward
}

func (m *machine) exec(s statement) flow {
	m.step()
	switch s := s.(type) {
	case *simple:
		m.eval(s.of)
	case *block:
		return m.block(s)
	case *printing:
		m.print(s)
	case *conditional:
		if m.reads(m.eval(s.test)).truth() {
			return m.exec(s.yes)
		}
		if s.no != nil {
			return m.exec(s.no)
		}
	case *loop:
		return m.loop(s)
	case *each:
		a := m.arrayOf(s.array)
		m.items(len(a.list))
		m.room(a.live * keySize)
		for _, key := range a.keys(!m.o.Long) {
			if _, still := a.index[key]; !still {
				continue
			}
			m.store(s.key, input(key))
			switch f := m.exec(s.body); f {
			case toBreak:
				return onward
			case onward, toContinue:
			default:
				return f
			}
		}
	case *deletion:
		a := m.arrayOf(s.array)
		if len(s.index) == 0 {
			for _, it := range a.list {
				m.hold(-len(it.key) - len(it.v.s) - itemSize)
			}
			a.clear()
			break
		}
		key := m.key(s.index)
		if v, ok := a.get(key); ok {
			m.hold(-len(key) - len(v.s) - itemSize)
			a.remove(key)
		}
	case *jump:
		return m.jump(s)
	}
	return onward
}

func (m *machine) loop(s *loop) flow {
	if s.first != nil {
		m.exec(s.first)
	}
	for first := true; ; first = false {
		if (!s.after || !first) && s.test != nil && !m.reads(m.eval(s.test)).truth() {
			return onward
		}
		switch f := m.exec(s.body); f {
		case toBreak:
			return onward
		case onward, toContinue:
		default:
			return f
		}
		if s.next != nil {
			m.exec(s.next)
		}
	}
}

func (m *machine) jump(s *jump) flow {
	m.line = s.line
	switch s.how {
	case BREAK:
		return toBreak
	case CONTINUE:
		return toContinue
	case NEXT:
		return toNext
	case NEXTFILE:
		return toNextFile
	case RETURN:
		m.result = value{}
		if s.value != nil {
			m.result = m.eval(s.value)
		}
		return toReturn
	}
	if s.value != nil {
		m.status = int(int64(m.eval(s.value).number())) & 0xff
	}
	return toExit
}

func (m *machine) print(s *printing) {
	m.line = s.line
	out := m.out
	if s.to != nil {
		out = m.output(m.string(m.eval(s.to)), s.how)
	}
	if s.format {
		args := make([]value, len(s.args))
		for i, a := range s.args {
			args[i] = m.reads(m.eval(a))
		}
		m.write(out, m.sprintf(args))
		return
	}
	if len(s.args) == 0 {
		m.write(out, m.whole())
	}
	// What stands before an expression that fails has been written.
	for i, a := range s.args {
		text := m.eval(a).text(m.global(vOFMT))
		if i < len(s.args)-1 {
			text += m.global(vOFS)
		}
		m.write(out, text)
	}
	m.write(out, m.global(vORS))
}

// write writes to a buffer. An error stays in it and shows when it is flushed.
func (m *machine) write(b *bufio.Writer, text string) { _, _ = b.WriteString(text) }

// global returns a special variable as a string.
func (m *machine) global(i int) string { return m.globals[i].v.text("%.6g") }

// string returns a value as a string.
func (m *machine) string(v value) string {
	if v.kind == isNumber {
		return v.text(m.global(vCONVFMT))
	}
	return v.s
}
