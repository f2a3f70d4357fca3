package text

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/userland/kit"
	"github.com/plumbline-ci/plumbline/simulator/userland/posix"
)

// exprParser evaluates expr's arguments.
type exprParser struct {
	t    *kit.Tool
	args []string
	bad  string
	deep int
}

// Expr is the utility expr.
func Expr(p *container.Process, args []string) int {
	t := kit.Begin(p, args)
	e := &exprParser{t: t, args: args[1:]}
	if len(e.args) == 0 {
		t.Complain("too few arguments")
		t.Status = 2
		return t.End()
	}
	out := e.binary(0)
	if e.bad == "" && len(e.args) > 0 {
		e.bad = "syntax error"
	}
	if e.bad != "" {
		t.Complain("%s", e.bad)
		t.Status = 2
		return t.End()
	}
	t.Out.WriteString(out + "\n")
	if out == "" || out == "0" {
		t.Status = 1
	}
	return t.End()
}

func exprLevels() [][]string {
	return [][]string{{"|"}, {"&"}, {"<", "<=", "=", "==", "!=", ">=", ">"}, {"+", "-"}, {"*", "/", "%"}, {":"}}
}

func (e *exprParser) fail(text string) string {
	if e.bad == "" {
		e.bad = text
	}
	return ""
}

func (e *exprParser) binary(level int) string {
	levels := exprLevels()
	if level == len(levels) {
		return e.operand()
	}
	left := e.binary(level + 1)
	for e.bad == "" && len(e.args) > 0 && slices.Contains(levels[level], e.args[0]) {
		op := e.args[0]
		e.args = e.args[1:]
		right := e.binary(level + 1)
		left = e.apply(op, left, right)
	}
	return left
}

func truthText(b bool) string { return strconv.Itoa(kit.Btoi(b)) }

func (e *exprParser) apply(op, a, b string) string {
	isNull := func(s string) bool { return s == "" || s == "0" }
	x, errX := e.integer(a)
	y, errY := e.integer(b)
	switch op {
	case "|":
		if isNull(a) {
			if b == "" && e.t.GNU {
				return "0"
			}
			return b
		}
		return a
	case "&":
		if isNull(a) || isNull(b) {
			return "0"
		}
		return a
	case ":":
		return e.match(a, b)
	case "<", "<=", "=", "==", "!=", ">=", ">":
		c := strings.Compare(a, b)
		if errX == nil && errY == nil {
			c = kit.Btoi(x > y) - kit.Btoi(x < y)
		}
		return truthText(map[string]bool{"<": c < 0, "<=": c <= 0, "=": c == 0, "==": c == 0, "!=": c != 0, ">=": c >= 0, ">": c > 0}[op])
	}
	if errX != nil || errY != nil {
		return e.fail("non-numeric argument")
	}
	switch op {
	case "+":
		x += y
	case "-":
		x -= y
	case "*":
		x *= y
	default:
		if y == 0 {
			return e.fail("division by zero")
		}
		if y == -1 {
			x = -x * int64(kit.Btoi(op == "/"))
		} else if op == "/" {
			x /= y
		} else {
			x %= y
		}
	}
	return strconv.FormatInt(x, 10)
}

// integer reads a whole number. BusyBox's expr lets blanks stand before it, and takes the largest one for what is larger.
func (e *exprParser) integer(text string) (int64, error) {
	if !e.t.GNU {
		text = strings.TrimLeft(text, " \t\n\v\f\r")
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if errors.Is(err, strconv.ErrRange) && !e.t.GNU {
		err = nil
	}
	return n, err
}

func (e *exprParser) match(text, pattern string) string {
	re, err := kit.CompilePattern(e.t.P, pattern, posix.Options{})
	if err != nil {
		return e.fail("bad regex '" + pattern + "': " + err.Error())
	}
	m := re.Match(text, 0, false)
	switch {
	case (m == nil || m[0] > 0) && re.Groups() > 0:
		return ""
	case m == nil || m[0] > 0:
		return "0"
	}
	if len(m) > 2 && (m[2] >= 0 || e.t.GNU) { // of a group that took no part BusyBox's says how much the rest matched
		return text[max(0, m[2]):max(0, m[3])]
	}
	return strconv.Itoa(m[1])
}

func (e *exprParser) operand() string {
	if len(e.args) == 0 {
		return e.fail("syntax error")
	}
	a := e.args[0]
	e.args = e.args[1:]
	e.deep++
	defer func() { e.deep-- }()
	kit.Nested(e.t.P, "expr", e.deep)
	switch {
	case a == ")":
		return e.fail("syntax error")
	case a == "(":
		out := e.binary(0)
		if len(e.args) == 0 || e.args[0] != ")" {
			return e.fail("syntax error")
		}
		e.args = e.args[1:]
		return out
	case a == "quote" && !e.t.GNU, a == "+" && e.t.GNU && len(e.args) > 0:
		if len(e.args) == 0 {
			return e.fail("syntax error")
		}
		a = e.args[0]
		e.args = e.args[1:]
	case a == "length":
		return strconv.Itoa(len(e.operand()))
	case a == "match":
		text := e.operand()
		return e.match(text, e.operand())
	case a == "index":
		text, set := e.operand(), e.operand()
		for i := range len(text) {
			if strings.IndexByte(set, text[i]) >= 0 {
				return strconv.Itoa(i + 1)
			}
		}
		return "0"
	case a == "substr":
		text, from, n := e.operand(), e.operand(), e.operand()
		at, err := e.integer(from)
		size, errSize := e.integer(n)
		if err != nil || errSize != nil || at < 1 || size < 1 || at > int64(len(text)) {
			return ""
		}
		return text[at-1 : at-1+min(size, int64(len(text))-at+1)]
	}
	return a
}
