package shell

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
	"github.com/plumbline-ci/plumbline/simulator/userland/condition"
)

// tester evaluates the arguments of bash's test: by their number as POSIX says, otherwise as an expression.
type tester struct {
	s    *shell
	args []string
	pos  int
}

var errArgumentExpected = errors.New("argument expected")

// testOfBash evaluates the arguments of bash's test.
func (s *shell) testOfBash(args []string) (bool, error) {
	t := &tester{s: s, args: args}
	ok, err := t.whole()
	switch {
	case err != nil || t.pos >= len(args):
		return ok, err
	case strings.HasPrefix(args[t.pos], "-"):
		return false, fmt.Errorf("syntax error: `%s' unexpected", args[t.pos])
	}
	return false, errors.New("too many arguments")
}

func (t *tester) whole() (bool, error) {
	a := t.args
	switch len(a) {
	case 0:
		return false, nil
	case 1:
		t.pos = 1
		return a[0] != "", nil
	case 2:
		return t.two()
	case 3:
		return t.three()
	case 4:
		switch {
		case a[0] == "!":
			t.pos++
			ok, err := t.three()
			return !ok, err
		case a[0] == "(" && a[3] == ")":
			t.pos++
			ok, err := t.two()
			t.pos = len(a)
			return ok, err
		}
	}
	return t.or()
}

// two evaluates two arguments, three evaluates three.
func (t *tester) two() (bool, error) {
	a := t.args[t.pos:]
	switch {
	case a[0] == "!":
		t.pos += 2
		return a[1] == "", nil
	case syntax.IsUnary(a[0]):
		return t.unary()
	}
	return false, fmt.Errorf("%s: unary operator expected", a[0])
}

func (t *tester) three() (bool, error) {
	a := t.args[t.pos:]
	switch {
	case isTestBinary(a[1]):
		return t.binary()
	case a[1] == "-a":
		t.pos += 3
		return a[0] != "" && a[2] != "", nil
	case a[1] == "-o":
		t.pos += 3
		return a[0] != "" || a[2] != "", nil
	case a[0] == "!":
		t.pos++
		ok, err := t.two()
		t.pos = len(t.args)
		return !ok, err
	case a[0] == "(" && a[2] == ")":
		t.pos += 3
		return a[1] != "", nil
	}
	return false, fmt.Errorf("%s: binary operator expected", a[1])
}

func (t *tester) is(word string) bool { return t.pos < len(t.args) && t.args[t.pos] == word }

func (t *tester) or() (bool, error) {
	ok, err := t.and()
	for err == nil && t.is("-o") {
		t.pos++
		var right bool
		right, err = t.and()
		ok = ok || right
	}
	return ok, err
}

func (t *tester) and() (bool, error) {
	ok, err := t.term()
	for err == nil && t.is("-a") {
		t.pos++
		var right bool
		right, err = t.term()
		ok = ok && right
	}
	return ok, err
}

func (t *tester) term() (bool, error) {
	if t.pos >= len(t.args) {
		return false, errArgumentExpected
	}
	if t.is("!") {
		not := false
		for t.is("!") {
			t.pos++
			not = !not
		}
		ok, err := t.term()
		return ok != not, err
	}
	if t.is("(") {
		return t.group()
	}
	left := t.args[t.pos:]
	switch {
	case len(left) >= 3 && isTestBinary(left[1]):
		return t.binary()
	case len(left) >= 2 && syntax.IsUnary(left[0]):
		return t.unary()
	}
	t.pos++
	return left[0] != "", nil
}

func (t *tester) group() (bool, error) {
	t.s.deeper("conditions")
	defer t.s.shallower()
	t.pos++
	ok, err := t.or()
	switch {
	case err != nil:
	case t.pos >= len(t.args):
		err = errors.New("`)' expected")
	case !t.is(")"):
		err = fmt.Errorf("`)' expected, found %s", t.args[t.pos])
	}
	t.pos++
	return ok, err
}

// unary evaluates an operator with the operand behind it; -t does without one.
func (t *tester) unary() (bool, error) {
	op := t.args[t.pos]
	t.pos++
	if op == "-t" && t.pos < len(t.args) {
		if _, err := strconv.ParseInt(strings.TrimSpace(t.args[t.pos]), 10, 64); err != nil {
			if len(t.args) == 2 {
				t.pos++
			}
			return false, nil
		}
	}
	if t.pos >= len(t.args) {
		return false, errArgumentExpected
	}
	operand := t.args[t.pos]
	t.pos++
	return t.s.unaryTest(op, operand, true)
}

// unaryTest answers an operator of test and [[ ]] that takes one operand; expand says that it is test's.
func (s *shell) unaryTest(op, operand string, expand bool) (bool, error) {
	switch op {
	case "-v":
		return s.isSet(operand, expand)
	case "-o":
		on, _ := s.optionState(operand)
		return on, nil
	case "-R":
		return s.vars[operand].ref, nil
	case "-N":
		return false, nil
	case "-a":
		op = "-e"
	}
	return condition.TestUnary(s.p, op, operand), nil
}

func isTestBinary(op string) bool {
	return slices.Contains([]string{"=", "==", "!=", "<", ">", "-nt", "-ot", "-ef", "-eq", "-ne", "-lt", "-le", "-gt", "-ge"}, op)
}

// binary evaluates an operator between two operands.
func (t *tester) binary() (bool, error) {
	a, op, b := t.args[t.pos], t.args[t.pos+1], t.args[t.pos+2]
	t.pos += 3
	switch op {
	case "-eq", "-ne", "-lt", "-le", "-gt", "-ge":
		m, err := testNumber(a)
		if err != nil {
			return false, err
		}
		n, err := testNumber(b)
		return compared(m, op, n), err
	}
	return condition.TestBinary(t.s.p, a, op, b)
}

// testNumber reads a number of test.
func testNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.Trim(text, " \t\n"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: integer expression expected", text)
	}
	return n, nil
}

// compared answers an operator between numbers.
func compared(m int64, op string, n int64) bool {
	switch op {
	case "-eq":
		return m == n
	case "-ne":
		return m != n
	case "-le":
		return m <= n
	case "-ge":
		return m >= n
	case "-lt":
		return m < n
	}
	return m > n
}
