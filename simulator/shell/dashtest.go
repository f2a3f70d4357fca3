package shell

import (
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
)

// dashTest evaluates the arguments of dash's test. It reads them from left to right, and tells an operator from an
// operand by what stands around: test -n -a x.
type dashTest struct {
	s    *shell
	args []string
	at   int
	op   testOperator
	err  error
}

// testOperator is the kind of an argument of test.
type testOperator uint8

const (
	testEnd testOperator = iota
	testOperand
	testUnary
	testBinary
	testNot
	testAnd
	testOr
	testOpen
	testClose
)

// evaluate returns the result of test.
func (t *dashTest) evaluate() (bool, error) {
	inverted := false
	for {
		n := len(t.args)
		if n == 0 {
			return inverted, nil
		}
		first := testEnd
		switch n {
		case 3:
			if operatorOfTest(t.args[1]) == testBinary {
				first = testOperand
				break
			}
			fallthrough
		case 4:
			if t.args[0] == "(" && t.args[n-1] == ")" {
				t.args = t.args[1 : n-1]
			} else if t.args[0] == "!" {
				inverted = true // a second one does not take the first back
				t.args = t.args[1:]
				continue
			}
		}
		if first == testEnd {
			first = t.look(0)
		}
		ok := t.or(first)
		if t.err == nil && t.at+1 < len(t.args) {
			t.fail(t.args[t.at], "unexpected operator")
		}
		return ok != inverted, t.err
	}
}

// fail notes a mistake, at an argument if that is not empty.
func (t *dashTest) fail(arg, text string) {
	if t.err != nil {
		return
	}
	if arg != "" {
		text = arg + ": " + text
	}
	t.err = &usageError{text}
}

// operatorOfTest returns what an argument is by itself.
func operatorOfTest(text string) testOperator {
	switch text {
	case "=", "!=", "<", ">", "-eq", "-ne", "-ge", "-gt", "-le", "-lt", "-nt", "-ot", "-ef":
		return testBinary
	case "!":
		return testNot
	case "-a":
		return testAnd
	case "-o":
		return testOr
	case "(":
		return testOpen
	case ")":
		return testClose
	}
	if len(text) == 2 && text[0] == '-' && strings.IndexByte("rwxefdcbpugkstznhLOGS", text[1]) >= 0 {
		return testUnary
	}
	return testOperand
}

// arg returns an argument, or nothing behind the last.
func (t *dashTest) arg(i int) string {
	if i < len(t.args) {
		return t.args[i]
	}
	return ""
}

// look returns what the argument at i is, where it stands.
func (t *dashTest) look(i int) testOperator {
	t.op = testOperand
	if i >= len(t.args) {
		return testEnd
	}
	op := operatorOfTest(t.args[i])
	last := i+1 >= len(t.args)
	switch {
	case op == testUnary && (last || i+2 < len(t.args) && operatorOfTest(t.args[i+1]) == testBinary), op == testOpen && last:
		return testOperand
	}
	t.op = op
	return op
}

func (t *dashTest) or(n testOperator) bool {
	result := false
	for {
		result = t.and(n) || result
		if t.err != nil || t.look(t.at+1) != testOr {
			return result
		}
		t.at += 2
		n = t.look(t.at)
	}
}

func (t *dashTest) and(n testOperator) bool {
	result := true
	for {
		result = t.not(n) && result
		if t.err != nil || t.look(t.at+1) != testAnd {
			return result
		}
		t.at += 2
		n = t.look(t.at)
	}
}

func (t *dashTest) not(n testOperator) bool {
	inverted := false
	for n == testNot {
		if n = t.look(t.at + 1); n != testEnd {
			t.at++
		}
		inverted = !inverted
	}
	return t.primary(n) != inverted
}

func (t *dashTest) primary(n testOperator) bool {
	t.s.deeper("conditions")
	defer t.s.shallower()
	switch n {
	case testEnd:
		return false
	case testOpen:
		t.at++
		inner := t.look(t.at)
		if inner == testClose {
			return false
		}
		result := t.or(inner)
		t.at++
		if t.err == nil && t.look(t.at) != testClose {
			t.fail("", "closing paren expected")
		}
		return result
	}
	if t.op == testUnary {
		op := t.args[t.at]
		t.at++
		if t.at >= len(t.args) {
			t.fail(op, "argument expected")
			return false
		}
		if op == "-t" {
			t.number(t.args[t.at])
		}
		return t.err == nil && condition.TestUnary(t.s.p, op, t.args[t.at])
	}
	if t.look(t.at + 1); t.op == testBinary {
		return t.binary()
	}
	return t.arg(t.at) != ""
}

func (t *dashTest) binary() bool {
	a, op := t.arg(t.at), t.args[t.at+1]
	t.at += 2
	if t.at >= len(t.args) {
		t.fail(op, "argument expected")
		return false
	}
	b := t.args[t.at]
	if len(op) == 3 && op != "-nt" && op != "-ot" && op != "-ef" {
		m, n := t.number(a), t.number(b)
		if t.err != nil {
			return false
		}
		a, b = strconv.FormatInt(m, 10), strconv.FormatInt(n, 10)
	}
	if op == "-nt" || op == "-ot" { // both files have to be there
		if _, err := t.s.p.Stat(a); err != nil {
			return false
		}
		if _, err := t.s.p.Stat(b); err != nil {
			return false
		}
	}
	ok, err := condition.TestBinary(t.s.p, a, op, b)
	if err != nil {
		t.err = err
	}
	return ok
}

// number reads a number of a comparison.
func (t *dashTest) number(text string) int64 {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || strings.Contains(text, "_") {
		t.fail("", "Illegal number: "+text)
	}
	return n
}
