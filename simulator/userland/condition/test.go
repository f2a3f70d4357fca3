package condition

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/files"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// Test is test and [.
func Test(p *container.Process, args []string) int {
	name := kit.Base(args[0])
	args = args[1:]
	if name == "[" || name == "[[" {
		end := "]"
		if name == "[[" {
			end = "]]"
		}
		if len(args) == 0 || args[len(args)-1] != end {
			fmt.Fprintf(p.Stderr(), "%s: missing %s\n", kit.By(p, name), end)
			return 2
		}
		args = args[:len(args)-1]
	}
	ok, err := Condition(p, args, name == "[[")
	if err != nil {
		if !errors.Is(err, ErrExpression) {
			fmt.Fprintf(p.Stderr(), "%s: %s\n", kit.By(p, name), err)
		}
		return 2
	}
	if ok {
		return 0
	}
	return 1
}

// Condition evaluates the arguments of test or, with double, those of BusyBox's [[: its right sides are patterns, there
// is =~, and && and || stand in place of -a and -o.
func Condition(p *container.Process, args []string, double bool) (bool, error) {
	t := tester{p: p, args: args, double: double, and: "-a", or: "-o"}
	if double {
		t.and, t.or = "&&", "||"
	}
	return t.whole()
}

// ErrExpression is a regular expression of [[ that is not valid. BusyBox prints nothing about it.
var ErrExpression = errors.New("the regular expression is not valid")

type tester struct {
	p       *container.Process
	args    []string
	double  bool
	and, or string // the operators between conditions
	depth   int
}

// unary evaluates an operator with one operand.
func (t *tester) unary(op, operand string) (bool, error) {
	if op == "-t" {
		if _, err := testNumber(operand); err != nil {
			return false, err
		}
	}
	return TestUnary(t.p, op, operand), nil
}

// binary evaluates an operator with two operands.
func (t *tester) binary(a, op, b string) (bool, error) {
	if _, gnu := t.p.State.(kit.GNUTools); (op == "-nt" || op == "-ot") && !gnu { // BusyBox wants both files
		for _, name := range []string{a, b} {
			if _, err := t.p.Stat(name); err != nil {
				return false, nil // a file that does not exist is neither newer nor older
			}
		}
	}
	if t.double {
		switch op {
		case "=", "==", "!=":
			tool := kit.Tool{P: t.p}
			t.p.Work(uint32(len(a) * len(b) >> 11))
			return kit.Fnmatch{Wide: tool.Unicode()}.Matches(b, a) == (op != "!="), nil
		case "=~":
			re, err := kit.CompilePattern(t.p, b, posix.Options{Extended: true})
			if err != nil {
				return false, ErrExpression
			}
			defer re.Free()
			return re.Matches(a), nil
		}
	}
	return TestBinary(t.p, a, op, b)
}

// isBinary reports whether an operator takes two operands.
func (t *tester) isBinary(op string) bool { return isBinary(op) || t.double && op == "=~" }

// whole evaluates all arguments: by their number as POSIX says, otherwise as an expression.
func (t *tester) whole() (bool, error) {
	a := t.args
	switch len(a) {
	case 0:
		return false, nil
	case 1:
		return a[0] != "", nil
	case 2:
		if a[0] == "!" {
			return a[1] == "", nil
		}
		if isUnary(a[0]) {
			return t.unary(a[0], a[1])
		}
		switch {
		case a[1] == t.and || a[1] == t.or:
			return false, errArgument
		case t.isBinary(a[1]):
			return false, fmt.Errorf("%s: %w", a[1], errArgument)
		}
		return false, fmt.Errorf("%s: unknown operand", a[1])
	case 3:
		if t.isBinary(a[1]) {
			return t.binary(a[0], a[1], a[2])
		}
		if a[0] == "!" {
			t.args = a[1:]
			ok, err := t.whole()
			return !ok, err
		}
		if a[0] == "(" && a[2] == ")" {
			return a[1] != "", nil
		}
	case 4:
		if _, gnu := t.p.State.(kit.GNUTools); a[0] == "!" && (gnu || t.isBinary(a[2])) {
			t.args = a[1:]
			ok, err := t.whole()
			return !ok, err
		}
	}
	if n := len(a) - 3; n > 1 && t.isBinary(a[n+1]) && !slices.ContainsFunc(a[:n], func(word string) bool { return word != "!" }) {
		ok, err := t.binary(a[n], a[n+1], a[n+2])
		return ok != (n%2 == 1), err
	}
	ok, err := t.either()
	if err == nil && len(t.args) > 0 {
		err = fmt.Errorf("%s: unknown operand", t.args[0])
	}
	return ok, err
}

func (t *tester) peek() string {
	if len(t.args) == 0 {
		return ""
	}
	return t.args[0]
}

func (t *tester) either() (bool, error) {
	ok, err := t.both()
	for err == nil && t.peek() == t.or {
		t.args = t.args[1:]
		var right bool
		right, err = t.both()
		ok = ok || right
	}
	return ok, err
}

func (t *tester) both() (bool, error) {
	ok, err := t.not()
	for err == nil && t.peek() == t.and {
		t.args = t.args[1:]
		var right bool
		right, err = t.not()
		ok = ok && right
	}
	return ok, err
}

var errArgument = errors.New("argument expected")

func (t *tester) not() (bool, error) {
	t.depth++
	defer func() { t.depth-- }()
	kit.Nested(t.p, "test", t.depth)
	if len(t.args) == 0 {
		return false, errArgument
	}
	if t.args[0] == "!" && len(t.args) > 1 {
		t.args = t.args[1:]
		ok, err := t.not()
		return !ok, err
	}
	return t.primary()
}

func (t *tester) primary() (bool, error) {
	a := t.args
	if a[0] != "(" && len(a) >= 3 && t.isBinary(a[1]) {
		t.args = a[3:]
		return t.binary(a[0], a[1], a[2])
	}
	if a[0] == "(" {
		t.args = a[1:]
		ok, err := t.either()
		if err != nil {
			return false, err
		}
		if t.peek() != ")" {
			return false, errors.New("closing paren expected")
		}
		t.args = t.args[1:]
		return ok, nil
	}
	if len(a) >= 2 && isUnary(a[0]) {
		t.args = a[2:]
		return t.unary(a[0], a[1])
	}
	t.args = a[1:]
	return a[0] != "", nil
}

func isUnary(op string) bool {
	return len(op) == 2 && op[0] == '-' && strings.IndexByte("bcdefghkLnOGprsStuwxzN", op[1]) >= 0
}

func isBinary(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

// TestUnary evaluates an operator with one operand.
func TestUnary(p *container.Process, op, operand string) bool {
	switch op {
	case "-n":
		return operand != ""
	case "-z":
		return operand == ""
	case "-t":
		return false
	case "-r":
		return p.Access(operand, 4) == nil
	case "-w":
		return p.Access(operand, 2) == nil
	case "-x":
		return p.Access(operand, 1) == nil
	case "-L", "-h":
		info, err := p.Lstat(operand)
		return err == nil && info.Kind() == files.Symlink
	}
	info, err := p.Stat(operand)
	if err != nil {
		return false
	}
	switch op {
	case "-e":
		return true
	case "-f":
		return info.Kind() == files.Regular
	case "-d":
		return info.IsDir()
	case "-s":
		return info.Size() > 0
	case "-c":
		return info.Kind() == files.CharDevice
	case "-p":
		return info.Kind() == files.Fifo
	case "-k":
		return info.Perm()&files.Sticky != 0
	case "-g":
		return info.Perm()&files.Setgid != 0
	case "-u":
		return info.Perm()&files.Setuid != 0
	case "-O":
		return info.UID() == p.UID
	case "-G":
		return info.GID() == p.GID
	}
	return false
}

// TestBinary evaluates an operator with two operands.
func TestBinary(p *container.Process, a, op, b string) (bool, error) {
	switch op {
	case "=", "==":
		return a == b, nil
	case "!=":
		return a != b, nil
	case "<":
		return a < b, nil
	case ">":
		return a > b, nil
	case "-nt", "-ot", "-ef":
		x, errX := p.Stat(a)
		y, errY := p.Stat(b)
		switch op {
		case "-ef":
			return errX == nil && errY == nil && x.Same(y), nil
		case "-nt":
			return errX == nil && (errY != nil || x.ModTime().After(y.ModTime())), nil
		}
		return errY == nil && (errX != nil || x.ModTime().Before(y.ModTime())), nil
	}
	m, err := testNumber(a)
	if err != nil {
		return false, err
	}
	n, err := testNumber(b)
	if err != nil {
		return false, err
	}
	switch op {
	case "-eq":
		return m == n, nil
	case "-ne":
		return m != n, nil
	case "-lt":
		return m < n, nil
	case "-le":
		return m <= n, nil
	case "-gt":
		return m > n, nil
	case "-ge":
		return m >= n, nil
	}
	return false, fmt.Errorf("%s: unknown operand", op)
}

func testNumber(text string) (int64, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil {
		if text == "" {
			return 0, errors.New("bad number")
		}
		return 0, fmt.Errorf("%s: bad number", text)
	}
	return n, nil
}
