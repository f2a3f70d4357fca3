package awk

import (
	"math"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

func (m *machine) eval(e expression) value {
	switch e := e.(type) {
	case *number:
		return e.v
	case *text:
		return e.v
	case *variable:
		return m.load(e)
	case *field:
		return m.field(m.index(e.index))
	case *element:
		a := m.arrayOf(e.array)
		key := m.key(e.index)
		v, ok := a.get(key)
		if !ok {
			m.hold(len(key) + itemSize)
			a.set(key, v)
		}
		return v
	case *assign:
		return m.assign(e)
	case *binary:
		return m.binary(e)
	case *compare:
		return truth(m.compare(e))
	case *match:
		return truth(m.matches(m.string(m.eval(e.left)), m.regex(e.right)) != e.not)
	case *pattern:
		return truth(m.matches(m.whole(), m.dynamic(e.source)))
	case *logic:
		if m.reads(m.eval(e.left)).truth() == e.or {
			return truth(e.or)
		}
		return truth(m.reads(m.eval(e.right)).truth())
	case *unary:
		v := m.reads(m.eval(e.of))
		switch e.op {
		case '!':
			return truth(!v.truth())
		case '-':
			return num(-v.number())
		}
		return num(v.number())
	case *increment:
		old := m.reads(m.eval(e.to)).number()
		m.store(e.to, num(old+e.by))
		if e.before {
			return num(old + e.by)
		}
		return num(old)
	case *choice:
		if m.reads(m.eval(e.test)).truth() {
			return m.eval(e.yes)
		}
		return m.eval(e.no)
	case *membership:
		_, ok := m.arrayOf(e.array).get(m.key(e.index))
		return truth(ok)
	case *group:
		return m.eval(e.list[len(e.list)-1])
	case *call:
		return m.call(e)
	case *builtin:
		m.line = e.line
		return m.builtin(e)
	case *getline:
		m.line = e.line
		return m.getline(e)
	}
	return value{}
}

// cellOf finds the cell of a variable.
func (m *machine) cellOf(v *variable) *cell {
	if v.local {
		return &m.frame[v.index]
	}
	return &m.globals[v.index]
}

// arrayOf returns the array of a variable. In BusyBox's awk a variable can be an array and have a value beside.
func (m *machine) arrayOf(v *variable) *array { return m.cellOf(v).array() }

func (m *machine) load(v *variable) value {
	c := m.cellOf(v)
	if !v.local && v.index == vNF {
		m.splitRecord()
	}
	return c.v
}

func (m *machine) index(e expression) int {
	n := m.reads(m.eval(e)).number()
	if n < 0 || math.IsNaN(n) {
		m.fail("Access to negative field")
	}
	if n > maxField {
		m.fail("Access to a field that is too far")
	}
	return int(n)
}

// key makes the key of an element.
func (m *machine) key(index []expression) string {
	if len(index) == 1 {
		key := m.string(m.eval(index[0]))
		m.copies(len(key)) // it is read to be found
		return key
	}
	parts := make([]string, len(index))
	size := 0
	for i, e := range index {
		parts[i] = m.string(m.eval(e))
		size += len(parts[i])
	}
	m.room(size)
	m.copies(size)
	return strings.Join(parts, m.global(vSUBSEP))
}

func (m *machine) assign(e *assign) value {
	m.line = e.line
	v := m.eval(e.value)
	if e.op != 0 {
		v = num(m.arithmetic(e.op, m.reads(m.eval(e.to)).number(), m.reads(v).number()))
	}
	m.store(e.to, v)
	return v
}

// store assigns to a variable, field or element.
func (m *machine) store(to expression, v value) {
	switch to := to.(type) {
	case *variable:
		c := m.cellOf(to)
		m.hold(len(v.s) - len(c.v.s))
		if !to.local && to.index == vFS {
			m.splitRecord() // a new FS is for the next record
		}
		if !to.local && (to.index == vFS || to.index == vRS) {
			m.separator(m.string(v))
		}
		c.v = v
		if !to.local && to.index == vNF {
			m.setNF()
		}
	case *field:
		m.setField(m.index(to.index), v)
	case *element:
		a := m.arrayOf(to.array)
		key := m.key(to.index)
		if old, ok := a.get(key); ok {
			m.hold(len(v.s) - len(old.s))
		} else {
			m.hold(len(key) + len(v.s) + itemSize)
		}
		a.set(key, v)
	case *group:
		m.store(to.list[0], v)
	}
}

func (m *machine) binary(e *binary) value {
	left := m.eval(e.left)
	if e.op == ' ' {
		a := m.string(left)
		b := m.string(m.eval(e.right))
		m.room(len(a) + len(b))
		m.copies(len(a) + len(b))
		return str(a + b)
	}
	right := m.eval(e.right)
	m.line = e.line
	return num(m.arithmetic(e.op, m.reads(left).number(), m.reads(right).number()))
}

func (m *machine) arithmetic(op byte, a, b float64) float64 {
	switch op {
	case '+':
		return a + b
	case '-':
		return a - b
	case '*':
		return a * b
	case '/':
		if b == 0 {
			m.fail("Division by zero")
		}
		return a / b
	case '%':
		if b == 0 {
			m.fail("Division by zero")
		}
		return math.Mod(a, b)
	}
	return math.Pow(a, b)
}

func (m *machine) compare(e *compare) bool {
	a := m.reads(m.eval(e.left))
	b := m.reads(m.eval(e.right))
	if a.numeric() && b.numeric() {
		x, y := a.number(), b.number()
		switch e.op {
		case LESS:
			return x < y
		case LE:
			return x <= y
		case EQ:
			return x == y
		case NE:
			return x != y
		case GREATER:
			return x > y
		}
		return x >= y
	}
	c := strings.Compare(m.string(a), m.string(b))
	switch e.op {
	case LESS:
		return c < 0
	case LE:
		return c <= 0
	case EQ:
		return c == 0
	case NE:
		return c != 0
	case GREATER:
		return c > 0
	}
	return c >= 0
}

// regex makes a regular expression of an operand.
func (m *machine) regex(e expression) *posix.Regexp {
	switch e := e.(type) {
	case *pattern:
		return m.dynamic(e.source)
	case *group:
		if len(e.list) == 1 {
			return m.regex(e.list[0])
		}
	}
	return m.dynamic(m.string(m.eval(e)))
}

// dynamic compiles a regular expression that is a string.
func (m *machine) dynamic(source string) *posix.Regexp {
	if re := m.patterns[source]; re != nil {
		return re
	}
	re, err := posix.Compile(meter{m.w}, source, posix.Options{Extended: true})
	if err != nil {
		panic(&RunError{0, "bad regex '" + source + "': " + err.Error()})
	}
	if len(m.patterns) >= maxPatterns {
		//plumbline:unordered each gives back its own memory
		for _, old := range m.patterns {
			old.Free()
		}
		clear(m.patterns)
	}
	m.patterns[source] = re
	return re
}

func (m *machine) matches(s string, re *posix.Regexp) bool {
	m.passing(s)
	return re.Matches(s)
}

// call calls a function of the program.
func (m *machine) call(e *call) value {
	f := m.p.functions[e.index]
	m.line = e.line
	if m.depth >= maxDepth {
		m.fail("function " + f.name + " calls itself too deep")
	}
	frame := make([]cell, len(f.params))
	for i, a := range e.args {
		v, ok := a.(*variable)
		if !ok {
			frame[i].v = m.eval(a)
			continue
		}
		c := m.cellOf(v)
		if c.a != nil {
			frame[i].a = c.a
			continue
		}
		if frame[i].v = m.load(v); frame[i].v.kind == unset {
			frame[i].up = c
		}
	}
	before := m.frame
	m.frame = frame
	m.depth++
	to := m.block(f.body)
	m.depth--
	m.frame = before
	v := m.result
	m.result = value{}
	switch to {
	case toNext, toNextFile, toExit:
		panic(unwound{to})
	case toReturn:
		return v
	}
	return value{}
}
