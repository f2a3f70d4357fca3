package shell

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// arithmeticError is a mistake in an arithmetic expression.
type arithmeticError struct{ text string }

func (e *arithmeticError) Error() string { return e.text }

// arithmetic expands and evaluates an expression of the script.
func (s *shell) arithmetic(w *syntax.Word) (int64, error) {
	text, err := s.arithmeticString(w)
	if err != nil {
		return 0, err
	}
	return s.evaluate(text)
}

// arithmeticString expands an expression as text in double quotes is expanded.
func (s *shell) arithmeticString(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if text, ok := w.Literal(); ok && !strings.Contains(text, `\`) {
		return text, nil
	}
	e := expander{s: s}
	expand := func() error { return e.word(w.Parts, true) }
	if s.kind == bash && hasSubscript(w) {
		expand = func() error { return e.expandSubscripts(w) }
	}
	if err := expand(); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// evaluate evaluates the text of an expression in 64 bits.
func (s *shell) evaluate(text string) (int64, error) {
	if n, ok := smallNumber(text); ok {
		return n, nil
	}
	s.deeper("arithmetic expressions")
	defer s.shallower()
	a := arith{s: s, text: text}
	a.next()
	if a.kind == atEnd && s.kind != dash {
		return 0, a.err
	}
	n := a.comma()
	if a.err == nil && a.kind != atEnd {
		a.fail("syntax error in expression", "expecting EOF")
	}
	return n, a.err
}

// smallNumber reads a plain decimal number.
func smallNumber(text string) (int64, bool) {
	if text == "" || len(text) > 18 || text[0] == '0' && len(text) > 1 {
		return 0, false
	}
	n := int64(0)
	for i := range len(text) {
		c := text[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// The kinds of tokens of an expression.
const (
	atEnd = iota
	aNumber
	aName
	anOperator
)

// arith evaluates one expression from left to right.
type arith struct {
	s    *shell
	text string
	pos  int // behind the token
	from int // where the token begins
	last int // where the token before it began
	skip int // > 0: what is read does not count, as behind a false &&

	kind int
	op   string
	num  int64
	name string
	err  error

	wants string // what dash expects to close the innermost parenthesis or ?
}

// operand is a value, or a variable whose value is not yet asked for.
type operand struct {
	n     int64
	name  string // not empty for a variable
	index string
	isRef bool
	elem  bool
	plain bool // index is expanded
	known bool // n is the value: bash asks for it when it reads the name
}

// fail notes a mistake: as bash says it, and as dash does. Ash tells few of them apart.
func (a *arith) fail(inBash, inDash string) {
	if a.err != nil {
		return
	}
	switch a.s.kind {
	case bash:
		if inBash != "expression recursion level exceeded" && inBash != "bad array subscript" && a.kind == aName && a.skip == 0 && a.s.options.nounset { // it asks for the value first
			if _, set := a.s.lookup(a.name); !set {
				a.err = a.s.unbound(a.name)
				break
			}
		}
		from := a.from
		if a.kind == atEnd || inBash == "expression recursion level exceeded" { // of which the name is the token
			from = a.last
		}
		a.err = &arithmeticError{fmt.Sprintf("%s: %s (error token is \"%s\")", strings.TrimLeft(a.text, " \t\n"), inBash, a.text[min(from, len(a.text)):])}
	case dash:
		if inDash == "expecting EOF" && a.wants != "" {
			inDash = "expecting " + a.wants
		}
		a.err = &arithmeticError{"arithmetic expression: " + inDash + ": \"" + a.text + "\""}
	default:
		switch inBash {
		case "division by 0":
			a.err = &arithmeticError{"divide by zero"}
		case "exponent less than 0":
			a.err = &arithmeticError{inBash}
		case "expression recursion level exceeded":
			a.err = &arithmeticError{"expression recursion loop detected"}
		case "`:' expected for conditional expression":
			a.err = &arithmeticError{"malformed ?: operator"}
		default:
			a.err = &arithmeticError{"arithmetic syntax error"}
		}
	}
	a.kind = atEnd
}

// next reads a token.
func (a *arith) next() {
	a.last = a.from
	behind := a.kind == aNumber || a.kind == aName || a.kind == anOperator && a.op == ")"
	for a.pos < len(a.text) && strings.IndexByte(" \t\n\r", a.text[a.pos]) >= 0 {
		a.pos++
	}
	a.from = a.pos
	if a.pos >= len(a.text) {
		a.kind = atEnd
		return
	}
	c := a.text[a.pos]
	switch {
	case c >= '0' && c <= '9':
		a.number()
	case c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
		for a.pos < len(a.text) && isWordByte(a.text[a.pos]) {
			a.pos++
		}
		a.kind, a.name = aName, a.text[a.from:a.pos]
	default:
		a.kind, a.op = anOperator, a.operator()
		if a.op == "" {
			switch {
			case a.s.kind == bash && behind:
				a.fail("syntax error: invalid arithmetic operator", "")
			case a.s.kind == dash: // which takes it for a token, and misses what it expects there
			case behind:
				a.fail("", "expecting EOF")
			default:
				a.fail("syntax error: operand expected", "expecting primary")
			}
		}
		a.pos += len(a.op)
	}
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (a *arith) operator() string {
	rest := a.text[a.pos:]
	for _, op := range [...]string{"<<=", ">>=", "**", "++", "--", "&&", "||", "<<", ">>", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="} {
		if strings.HasPrefix(rest, op) {
			switch {
			case a.s.kind == dash && (op == "**" || op == "++" || op == "--"),
				(op == "++" || op == "--") && a.kind != aName && !beginsName(rest[2:]) && !(a.s.kind == ash && a.kind == anOperator && len(a.op) == 2 && strings.Contains("++--", a.op)):
				return op[:1]
			}
			return op
		}
	}
	if strings.IndexByte("+-*/%<>=!~&|^?:(),", rest[0]) < 0 || a.s.kind == dash && rest[0] == ',' {
		return ""
	}
	return rest[:1]
}

// beginsName reports whether a variable is next: otherwise ++ and -- are two signs.
func beginsName(text string) bool {
	text = strings.TrimLeft(text, " \t\n\r")
	return text != "" && isWordByte(text[0]) && (text[0] < '0' || text[0] > '9')
}

// number reads decimal, 0 octal, 0x hexadecimal and, but in dash, base#digits.
func (a *arith) number() {
	end := a.pos
	for end < len(a.text) && (isWordByte(a.text[end]) || a.s.kind == bash && (a.text[end] == '@' || a.text[end] == '#') || a.s.kind == ash && a.text[end] == '#') {
		end++
	}
	text := a.text[a.pos:end]
	a.pos = end
	a.kind = aNumber
	whole := a.text
	if a.s.kind == bash { // whose messages about numbers show no more of the expression
		a.text = a.text[:end]
		defer func() {
			if a.err == nil {
				a.text = whole
			}
		}()
	}
	base, digits := 10, text
	constantBase := 0 // the base of a constant of C, which base#digits is none of
	if b, rest, ok := strings.Cut(text, "#"); ok {
		n, err := strconv.Atoi(b)
		if err != nil || n < 2 || n > 64 {
			a.fail("invalid arithmetic base", "expecting EOF")
			return
		}
		if rest == "" {
			a.fail("invalid integer constant", "expecting EOF")
			return
		}
		base, digits = n, rest
	} else if len(text) > 1 && text[0] == '0' {
		base, digits = 8, text[1:]
		if text[1] == 'x' || text[1] == 'X' {
			base, digits = 16, text[2:]
		}
		if digits == "" && a.s.kind != bash { // to them a zero, and a name where none may be
			a.num, a.pos = 0, a.pos-1
			return
		}
	}
	if !strings.Contains(text, "#") {
		constantBase = base
	}
	n := uint64(0)
	for i := range len(digits) {
		d := digit(digits[i], base)
		if d >= base {
			if a.s.kind == bash {
				a.fail("value too great for base", "")
			} else {
				a.fail("", "expecting EOF")
			}
			return
		}
		if a.s.kind == dash && (n > (math.MaxInt64-uint64(d))/uint64(base)) {
			n = math.MaxInt64
			break
		}
		if a.s.kind == ash && base == constantBase && n > (math.MaxUint64-uint64(d))/uint64(base) { // C's strtoull fails
			n = 0
			break
		}
		n = n*uint64(base) + uint64(d)
	}
	a.num = int64(n)
}

// digit returns the value of a digit: letters without case up to base 36, then small letters, capitals, @ and _.
func digit(c byte, base int) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		if base <= 36 {
			return int(c-'A') + 10
		}
		return int(c-'A') + 36
	case c == '@':
		return 62
	case c == '_':
		return 63
	}
	return 64
}

func (a *arith) is(op string) bool { return a.err == nil && a.kind == anOperator && a.op == op }

// take goes on behind an operator if it is the one that stands here.
func (a *arith) take(op string) bool {
	if !a.is(op) {
		return false
	}
	a.next()
	return true
}

func (a *arith) comma() int64 {
	n := a.assignment()
	for a.take(",") {
		n = a.assignment()
	}
	return n
}

// assignment reads an assignment, which groups from the right, or a condition.
func (a *arith) assignment() int64 {
	a.s.deeper("arithmetic expressions")
	defer a.s.shallower()
	left := a.condition()
	if a.err != nil || a.kind != anOperator {
		return a.load(left)
	}
	op := a.op
	if op == ":" && a.s.kind == ash && a.wants != "':'" {
		a.stray(left)
		return 0
	}
	if op != "=" && (len(op) < 2 || op[len(op)-1] != '=' || strings.IndexByte("=!<>", op[0]) >= 0 && len(op) == 2) {
		return a.load(left)
	}
	if !left.isRef {
		a.fail("attempted assignment to non-variable", "expecting EOF")
		return 0
	}
	a.next()
	right := a.assignment()
	if op != "=" {
		right = a.compute(op[:len(op)-1], a.load(left), right)
	}
	a.store(left, right)
	return right
}

// stray reads colons that belong to no question mark. Ash notices when it has read all operands, and has asked for the values of the
// last and of the one before it.
func (a *arith) stray(last operand) {
	var before operand
	for a.err == nil && a.take(":") {
		before, last = last, a.condition()
	}
	for _, x := range []operand{last, before} {
		if a.err == nil {
			a.load(x)
		}
	}
	if a.err == nil {
		a.fail("`:' expected for conditional expression", "")
	}
}

// condition reads c ? x : y.
func (a *arith) condition() operand {
	c := a.binary(1)
	if !a.is("?") {
		return c
	}
	which := a.load(c)
	a.next()
	a.wantsExpression(true)
	a.ignore(which == 0)
	wants := a.wants
	a.wants = "':'"
	x := a.middle()
	a.wants = wants
	a.ignore(false, which == 0)
	if !a.take(":") {
		a.fail("`:' expected for conditional expression", "expecting ':'")
		return operand{}
	}
	a.wantsExpression(false)
	a.ignore(which != 0)
	y := a.load(a.condition())
	a.ignore(false, which != 0)
	if which == 0 {
		return operand{n: y}
	}
	return operand{n: x}
}

// wantsExpression fails where nothing stands behind ? or :, as bash says it there.
func (a *arith) wantsExpression(beforeColon bool) {
	if a.kind == atEnd && (beforeColon || a.s.kind == bash) || a.s.kind == bash && beforeColon && a.is(":") {
		a.fail("expression expected", "expecting primary")
	}
}

// middle reads what stands between ? and :, in ash without commas, assignments and conditions that are not in parentheses.
func (a *arith) middle() int64 {
	if a.s.kind == ash {
		return a.load(a.binary(1))
	}
	return a.comma()
}

// ignore begins, or with a second argument ends, a part that does not count if the condition holds. Ash computes all
// parts.
func (a *arith) ignore(begin bool, end ...bool) {
	switch {
	case a.s.kind == ash:
	case len(end) > 0 && end[0]:
		a.skip--
	case begin:
		a.skip++
	}
}

// levels are the binary operators by how strongly they bind.
func level(op string) int {
	switch op {
	case "||":
		return 1
	case "&&":
		return 2
	case "|":
		return 3
	case "^":
		return 4
	case "&":
		return 5
	case "==", "!=":
		return 6
	case "<", ">", "<=", ">=":
		return 7
	case "<<", ">>":
		return 8
	case "+", "-":
		return 9
	case "*", "/", "%":
		return 10
	}
	return 0
}

func (a *arith) binary(min int) operand {
	left := a.power()
	for a.err == nil && a.kind == anOperator {
		op := a.op
		l := level(op)
		if l < min || l == 0 {
			break
		}
		if a.s.kind == ash { // it asks for the value of a variable when it computes
			a.next()
			right := a.load(a.binary(l + 1))
			n := a.load(left)
			switch op {
			case "&&":
				n = truth(n != 0 && right != 0)
			case "||":
				n = truth(n != 0 || right != 0)
			default:
				n = a.compute(op, n, right)
			}
			left = operand{n: n}
			continue
		}
		n := a.load(left)
		a.next()
		switch op {
		case "&&", "||":
			decided := (n != 0) == (op == "||")
			a.ignore(decided)
			right := a.load(a.binary(l + 1))
			a.ignore(false, decided)
			if decided {
				left = operand{n: truth(op == "||")}
			} else {
				left = operand{n: truth(right != 0)}
			}
		default:
			from := a.from
			right := a.load(a.binary(l + 1))
			if right == 0 && (op == "/" || op == "%") && a.skip == 0 { // which is told from the divisor on
				a.from, a.last = from, from
			}
			left = operand{n: a.compute(op, n, right)}
		}
	}
	return left
}

func (a *arith) power() operand {
	left := a.unary()
	if !a.is("**") {
		return left
	}
	n := a.load(left)
	a.next()
	a.s.deeper("arithmetic expressions")
	right := a.load(a.power())
	a.s.shallower()
	return operand{n: a.compute("**", n, right)}
}

func (a *arith) unary() operand {
	if a.err == nil && a.kind == anOperator {
		switch op := a.op; op {
		case "!", "~", "+", "-", "++", "--":
			a.s.deeper("arithmetic expressions")
			defer a.s.shallower()
			a.next()
			if len(op) == 2 && a.s.kind == bash && a.err == nil && a.kind == aName {
				return a.prefixed(op)
			}
			x := a.unary()
			switch op {
			case "!":
				return operand{n: truth(a.load(x) == 0)}
			case "~":
				return operand{n: ^a.load(x)}
			case "+":
				return operand{n: a.load(x)}
			case "-":
				return operand{n: -a.load(x)}
			}
			if !x.isRef { // two signs
				a.fail("syntax error: operand expected", "expecting primary")
			}
			n := a.load(x) + 1
			if op == "--" {
				n -= 2
			}
			a.store(x, n)
			return operand{n: n}
		}
	}
	return a.postfix()
}

// prefixed changes the variable that stands behind ++ or --. Bash does so before it reads on, and does not take another ++ or
// -- there.
func (a *arith) prefixed(op string) operand {
	x, ok := a.variable()
	if !ok {
		return operand{}
	}
	a.fix(&x)
	n := a.load(x) + 1
	if op == "--" {
		n -= 2
	}
	a.store(x, n)
	if a.err != nil {
		return operand{}
	}
	a.kind = aNumber
	if rest := strings.TrimLeft(a.text[a.pos:], " \t\n\r"); strings.HasPrefix(rest, "++") || strings.HasPrefix(rest, "--") {
		a.from = len(a.text) - len(rest)
		a.fail(rest[:2]+": assignment requires lvalue", "")
		return operand{}
	}
	a.next()
	a.wantsOperator()
	return operand{n: n}
}

func (a *arith) postfix() operand {
	x := a.primary()
	for x.isRef && (a.is("++") || a.is("--")) {
		n := a.load(x)
		if a.op == "++" {
			a.store(x, n+1)
		} else {
			a.store(x, n-1)
		}
		a.next()
		x = operand{n: n}
	}
	return x
}

func (a *arith) primary() operand {
	if a.err != nil {
		return operand{}
	}
	switch a.kind {
	case aNumber:
		n := a.num
		a.next()
		a.wantsOperator()
		return operand{n: n}
	case aName:
		x, ok := a.variable()
		if !ok {
			return operand{}
		}
		if a.next(); a.s.kind == bash {
			a.lookAhead()
		}
		if a.s.kind == bash && a.err == nil && !a.is("=") {
			a.fix(&x)
			x.n = a.load(x)
			x.known = true
		}
		a.wantsOperator()
		return x
	case anOperator:
		if a.op == "(" {
			from, wants := a.from, a.wants
			a.wants = "')'"
			a.next()
			n := a.comma()
			a.wants = wants
			if !a.take(")") && !a.openInAsh(from) {
				a.fail("missing `)'", "expecting ')'")
			}
			return operand{n: n}
		}
	}
	a.fail("syntax error: operand expected", "expecting primary")
	return operand{}
}

// lookAhead finds a mistake in the tokens behind a name. Bash reads one token more before it asks for the variable's value; if
// that is a name too, it reads the one behind it as well, and so on.
func (a *arith) lookAhead() {
	here := *a
	for a.err == nil && a.kind == aName {
		if _, ok := a.variable(); ok {
			a.next()
		}
	}
	err := a.err
	*a = here
	a.err = err
}

// variable returns the variable whose name stands here, and goes behind its subscript.
func (a *arith) variable() (x operand, ok bool) {
	x = operand{name: a.name, isRef: true}
	if a.s.kind != bash || a.pos >= len(a.text) || a.text[a.pos] != '[' {
		return x, true
	}
	end := closingBracket(a.text, a.pos)
	if end < 0 {
		a.fail("bad array subscript", "")
		return x, false
	}
	x.elem, x.index = true, a.text[a.pos+1:end]
	a.pos = end + 1
	return x, true
}

// fix evaluates the index of an element, so that it is not done again when the element is changed.
func (a *arith) fix(x *operand) {
	if !x.elem || a.err != nil || a.skip > 0 {
		return
	}
	if a.expandIndex(x); a.err != nil {
		return
	}
	if v := a.s.array(x.name); v.table == nil {
		if _, ok := smallNumber(x.index); ok {
			return
		}
		if n, err := a.s.indexNumber(x.name, v, x.index); err == nil {
			x.index = strconv.Itoa(n)
		}
	}
}

// expandIndex expands the index of an element.
func (a *arith) expandIndex(x *operand) {
	if !x.plain {
		x.index, a.err = a.s.runtimeSubscript(x.name, x.index)
		x.plain = true
	}
}

// wantsOperator fails where another operand stands behind an operand in ash. Dash and bash miss there what they expect instead.
func (a *arith) wantsOperator() {
	if a.err == nil && (a.kind == aNumber || a.kind == aName) && a.s.kind == ash {
		a.loadsLast()
		a.fail("syntax error in expression", "expecting EOF")
	}
}

// loadsLast asks for the value of the variable at which an operator is missing, if it is the last of its parenthesis: ash
// finds that first.
func (a *arith) loadsLast() {
	if rest := strings.TrimLeft(a.text[a.pos:], " \t\n"); a.s.kind == ash && a.kind == aName && (rest == "" || rest[0] == ')') {
		a.load(operand{name: a.name, isRef: true})
	}
}

// openInAsh reports whether the end of the text closes a parenthesis that stands at from. It does in ash if nothing but
// parentheses stands before it.
func (a *arith) openInAsh(from int) bool {
	return a.s.kind == ash && a.kind == atEnd && a.err == nil && strings.Trim(a.text[:from], "( \t\n") == ""
}

// closingBracket returns where the bracket that opens at i is closed.
func closingBracket(text string, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// load returns the value of an operand.
func (a *arith) load(x operand) int64 {
	if !x.isRef || x.known || a.err != nil || a.skip > 0 {
		return x.n
	}
	s := a.s
	var text string
	var set bool
	if x.elem {
		if a.expandIndex(&x); a.err != nil {
			return 0
		}
		text, set, a.err = s.element(x.name, x.index)
	} else {
		text, set = s.lookup(x.name)
	}
	if a.err != nil {
		return 0
	}
	if !set {
		if s.options.nounset && s.kind == bash && !s.vars[s.target(x.name)].set {
			a.err = s.unbound(x.name)
		}
		return 0
	}
	if n, ok := smallNumber(text); ok {
		return n
	}
	if s.kind == dash {
		return a.dashNumber(text)
	}
	if text == "" && s.kind == bash {
		return 0
	}
	if text == x.name && syntax.IsName(text) {
		a.text, a.from, a.last, a.kind = text, 0, 0, aName // it is the value that names itself
		a.fail("expression recursion level exceeded", "")
		return 0
	}
	if s.evaluating >= maxRecursion {
		a.fail("expression recursion level exceeded", "")
		return 0
	}
	s.evaluating++
	n, err := s.evaluate(text)
	s.evaluating--
	a.err = err
	return n
}

// maxRecursion is how many variables may name each other in an expression.
const maxRecursion = 1023

// dashNumber reads the value of a variable, which has to be a number in dash.
func (a *arith) dashNumber(text string) int64 {
	trimmed := strings.TrimSpace(text)
	if trimmed == "" {
		return 0
	}
	digits := strings.TrimLeft(trimmed, "+-")
	n, err := strconv.ParseInt(trimmed, 0, 64)
	// Go's numbers may also have a base of 2 or 8 by a letter, and underscores.
	if err != nil || strings.ContainsAny(digits, "_oO") || len(digits) > 1 && digits[1]|0x20 == 'b' {
		a.err = &arithmeticError{"Illegal number: " + text}
		return 0
	}
	return n
}

func (a *arith) store(x operand, n int64) {
	if a.err != nil || a.skip > 0 {
		return
	}
	text := strconv.FormatInt(n, 10)
	if x.elem {
		if a.expandIndex(&x); a.err != nil {
			return
		}
		a.err = a.s.assignElement(x.name, x.index, text, false)
	} else {
		a.err = a.s.assign(x.name, text)
	}
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (a *arith) compute(op string, x, y int64) int64 {
	if a.err != nil {
		return 0
	}
	switch op {
	case "+":
		return x + y
	case "-":
		return x - y
	case "*":
		return x * y
	case "/", "%":
		if y == 0 {
			if a.skip == 0 {
				a.fail("division by 0", "division by zero")
				return 0
			}
			y = 1
		}
		if y == -1 { // the quotient of the smallest number does not fit
			if op == "%" {
				return 0
			}
			return -x
		}
		if op == "%" {
			return x % y
		}
		return x / y
	case "**":
		if y < 0 {
			a.fail("exponent less than 0", "") // also where the result does not count
			return 0
		}
		n := int64(1)
		for ; y > 0; y >>= 1 {
			if y&1 != 0 {
				n *= x
			}
			x *= x
		}
		return n
	case "<<":
		return x << (uint64(y) & 63)
	case ">>":
		return x >> (uint64(y) & 63)
	case "&":
		return x & y
	case "|":
		return x | y
	case "^":
		return x ^ y
	case "==":
		return truth(x == y)
	case "!=":
		return truth(x != y)
	case "<":
		return truth(x < y)
	case ">":
		return truth(x > y)
	case "<=":
		return truth(x <= y)
	case ">=":
		return truth(x >= y)
	}
	return 0
}
