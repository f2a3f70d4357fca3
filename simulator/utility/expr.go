package utility

import (
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/utility/posix"
)

// exprParser evaluates expr's arguments.
type exprParser struct {
	t    *tool
	args []string
	bad  string
	deep int
}

func expr(p *container.Process, args []string) int {
	t := begin(p, args)
	e := &exprParser{t: t, args: args[1:]}
	if len(e.args) == 0 {
		t.complain("too few arguments")
		t.status = 2
		return t.end()
	}
	out := e.binary(0)
	if e.bad == "" && len(e.args) > 0 {
		e.bad = "syntax error"
	}
	if e.bad != "" {
		t.complain("%s", e.bad)
		t.status = 2
		return t.end()
	}
	t.out.WriteString(out + "\n")
	if out == "" || out == "0" {
		t.status = 1
	}
	return t.end()
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

func truthText(b bool) string { return strconv.Itoa(btoi(b)) }

func (e *exprParser) apply(op, a, b string) string {
	isNull := func(s string) bool { return s == "" || s == "0" }
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	switch op {
	case "|":
		if isNull(a) {
			if b == "" {
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
			c = btoi(x > y) - btoi(x < y)
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
			x = -x * int64(btoi(op == "/"))
		} else if op == "/" {
			x /= y
		} else {
			x %= y
		}
	}
	return strconv.FormatInt(x, 10)
}

func (e *exprParser) match(text, pattern string) string {
	re, err := compilePattern(e.t.p, pattern, posix.Options{})
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
	if len(m) > 2 && (m[2] >= 0 || e.t.gnu) { // of a group that took no part BusyBox's says how much the rest matched
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
	switch {
	case a == "(":
		e.deep++
		nested(e.t.p, "expr", e.deep)
		out := e.binary(0)
		e.deep--
		if len(e.args) == 0 || e.args[0] != ")" {
			return e.fail("syntax error")
		}
		e.args = e.args[1:]
		return out
	case a == "length" && len(e.args) > 0:
		out := strconv.Itoa(len([]rune(e.args[0])))
		e.args = e.args[1:]
		return out
	case a == "match" && len(e.args) > 1:
		out := e.match(e.args[0], e.args[1])
		e.args = e.args[2:]
		return out
	case a == "index" && len(e.args) > 1:
		out := strconv.Itoa(strings.IndexAny(e.args[0], e.args[1]) + 1)
		e.args = e.args[2:]
		return out
	case a == "substr" && len(e.args) > 2:
		runes := []rune(e.args[0])
		from, n := max(1, atoi(e.args[1])), max(0, atoi(e.args[2]))
		e.args = e.args[3:]
		if from > len(runes) {
			return ""
		}
		return string(runes[from-1 : min(len(runes), from-1+n)])
	}
	return a
}
