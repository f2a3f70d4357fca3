package shell

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// arithmetic evaluates an arithmetic expression in 64 bits.
func (s *shell) arithmetic(x syntax.ArithmExpr) (int64, error) {
	if s.depth > maxDepth {
		return 0, &usageError{"expression recursion level exceeded"}
	}
	switch x := x.(type) {
	case nil:
		return 0, nil
	case *syntax.Word:
		return s.operand(x)
	case *syntax.ParenArithm:
		return s.arithmetic(x.X)
	case *syntax.UnaryArithm:
		return s.unary(x)
	case *syntax.BinaryArithm:
		return s.binary(x)
	}
	return 0, s.arithmeticError("syntax error")
}

func (s *shell) arithmeticError(text string) error {
	if s.kind == ash {
		return &fatalError{"arithmetic " + text, 2}
	}
	return &fatalError{text, 1}
}

// operand evaluates a number, a variable, or an expansion.
func (s *shell) operand(w *syntax.Word) (int64, error) {
	if lit := w.Lit(); lit != "" {
		return s.number(lit)
	}
	if len(w.Parts) == 1 {
		if pe, ok := w.Parts[0].(*syntax.ParamExp); ok && pe.Index != nil && !pe.Dollar.IsValid() {
			value, _, err := s.paramValue(pe.Param.Value, pe.Index)
			if err != nil {
				return 0, err
			}
			return s.arithmeticText(value)
		}
	}
	e := expander{s: s}
	if err := e.word(w.Parts, true); err != nil {
		return 0, err
	}
	return s.arithmeticText(string(e.buf))
}

// arithmeticText evaluates the text of an expression, such as a variable may hold.
func (s *shell) arithmeticText(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, nil
	}
	if n, ok := parseNumber(text); ok {
		return n, nil
	}
	if syntax.ValidName(text) {
		return s.number(text)
	}
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxDepth {
		return 0, &usageError{"expression recursion level exceeded"}
	}
	x, err := parseArithmetic(text)
	if err != nil {
		return 0, s.arithmeticError("syntax error")
	}
	return s.arithmetic(x)
}

func parseArithmetic(text string) (x syntax.ArithmExpr, err error) {
	defer func() {
		if recover() != nil { // a defect of the parser
			err = syntax.ParseError{Text: "cannot be parsed"}
		}
	}()
	return syntax.NewParser(syntax.Variant(syntax.LangBash)).Arithmetic(strings.NewReader(text))
}

// number evaluates a literal or the variable that it names.
func (s *shell) number(lit string) (int64, error) {
	if n, ok := parseNumber(lit); ok {
		return n, nil
	}
	if !syntax.ValidName(lit) {
		return s.arithmeticTextOf(lit)
	}
	value, set := s.lookup(lit)
	if !set {
		if s.options.nounset {
			return 0, s.unbound(lit)
		}
		return 0, nil
	}
	if value == lit {
		return 0, s.arithmeticError("expression recursion level exceeded")
	}
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxDepth {
		return 0, &usageError{"expression recursion level exceeded"}
	}
	return s.arithmeticText(value)
}

// arithmeticTextOf is for a literal that is neither number nor name.
func (s *shell) arithmeticTextOf(lit string) (int64, error) {
	if x, err := parseArithmetic(lit); err == nil {
		if w, ok := x.(*syntax.Word); !ok || w.Lit() != lit {
			return s.arithmetic(x)
		}
	}
	return 0, s.arithmeticError("syntax error")
}

// parseNumber reads decimal, 0 octal, 0x hexadecimal and base#digits.
func parseNumber(text string) (int64, bool) {
	sign := int64(1)
	if strings.HasPrefix(text, "-") {
		sign, text = -1, text[1:]
	} else if strings.HasPrefix(text, "+") {
		text = text[1:]
	}
	if text == "" || text[0] < '0' || text[0] > '9' {
		return 0, false
	}
	if base, digits, ok := strings.Cut(text, "#"); ok {
		b, err := strconv.Atoi(base)
		if err != nil || b < 2 || b > 36 {
			return 0, false
		}
		n, err := strconv.ParseInt(strings.ToLower(digits), b, 64)
		return sign * n, err == nil
	}
	base, digits := 10, text
	if len(text) > 1 && text[0] == '0' {
		base, digits = 8, text[1:]
		if text[1] == 'x' || text[1] == 'X' {
			base, digits = 16, text[2:]
		}
	}
	n, err := strconv.ParseInt(digits, base, 64)
	if err != nil {
		u, uerr := strconv.ParseUint(digits, base, 64)
		if uerr != nil {
			return 0, false
		}
		n = int64(u)
	}
	return sign * n, true
}

// place is what an assignment in an expression changes.
func (s *shell) assignArithmetic(x syntax.ArithmExpr, n int64) error {
	w, ok := x.(*syntax.Word)
	if !ok || len(w.Parts) != 1 {
		return s.arithmeticError("syntax error: assignment to non-variable")
	}
	text := strconv.FormatInt(n, 10)
	switch part := w.Parts[0].(type) {
	case *syntax.Lit:
		if syntax.ValidName(part.Value) {
			return s.assign(part.Value, text)
		}
	case *syntax.ParamExp:
		if part.Index != nil {
			return s.assignIndex(part.Param.Value, part.Index, text, false)
		}
	}
	return s.arithmeticError("syntax error: assignment to non-variable")
}

func (s *shell) unary(x *syntax.UnaryArithm) (int64, error) {
	n, err := s.arithmetic(x.X)
	if err != nil {
		return 0, err
	}
	switch x.Op {
	case syntax.Not:
		return truth(n == 0), nil
	case syntax.BitNegation:
		return ^n, nil
	case syntax.Minus:
		return -n, nil
	case syntax.Inc, syntax.Dec:
		changed := n + 1
		if x.Op == syntax.Dec {
			changed = n - 1
		}
		if err := s.assignArithmetic(x.X, changed); err != nil {
			return 0, err
		}
		if x.Post {
			return n, nil
		}
		return changed, nil
	}
	return n, nil
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (s *shell) binary(x *syntax.BinaryArithm) (int64, error) {
	switch x.Op {
	case syntax.Assgn:
		n, err := s.arithmetic(x.Y)
		if err != nil {
			return 0, err
		}
		return n, s.assignArithmetic(x.X, n)
	case syntax.TernQuest:
		n, err := s.arithmetic(x.X)
		if err != nil {
			return 0, err
		}
		branches, ok := x.Y.(*syntax.BinaryArithm)
		if !ok || branches.Op != syntax.TernColon {
			return 0, s.arithmeticError("syntax error")
		}
		if n != 0 {
			return s.arithmetic(branches.X)
		}
		return s.arithmetic(branches.Y)
	case syntax.AndArit, syntax.OrArit:
		n, err := s.arithmetic(x.X)
		if err != nil {
			return 0, err
		}
		if (n != 0) == (x.Op == syntax.OrArit) {
			return truth(n != 0), nil
		}
		n, err = s.arithmetic(x.Y)
		return truth(n != 0), err
	}
	a, err := s.arithmetic(x.X)
	if err != nil {
		return 0, err
	}
	b, err := s.arithmetic(x.Y)
	if err != nil {
		return 0, err
	}
	if op, ok := assigning(x.Op); ok {
		n, err := s.compute(op, a, b)
		if err != nil {
			return 0, err
		}
		return n, s.assignArithmetic(x.X, n)
	}
	return s.compute(x.Op, a, b)
}

// assigning returns the operator of a compound assignment.
func assigning(op syntax.BinAritOperator) (syntax.BinAritOperator, bool) {
	switch op {
	case syntax.AddAssgn:
		return syntax.Add, true
	case syntax.SubAssgn:
		return syntax.Sub, true
	case syntax.MulAssgn:
		return syntax.Mul, true
	case syntax.QuoAssgn:
		return syntax.Quo, true
	case syntax.RemAssgn:
		return syntax.Rem, true
	case syntax.AndAssgn:
		return syntax.And, true
	case syntax.OrAssgn:
		return syntax.Or, true
	case syntax.XorAssgn:
		return syntax.Xor, true
	case syntax.ShlAssgn:
		return syntax.Shl, true
	case syntax.ShrAssgn:
		return syntax.Shr, true
	}
	return 0, false
}

func (s *shell) compute(op syntax.BinAritOperator, a, b int64) (int64, error) {
	switch op {
	case syntax.Add:
		return a + b, nil
	case syntax.Sub:
		return a - b, nil
	case syntax.Mul:
		return a * b, nil
	case syntax.Quo, syntax.Rem:
		if b == 0 {
			if s.kind == ash {
				return 0, &fatalError{"divide by zero", 2}
			}
			return 0, &fatalError{"division by 0", 1}
		}
		if b == -1 { // the quotient of the smallest number does not fit
			if op == syntax.Rem {
				return 0, nil
			}
			return -a, nil
		}
		if op == syntax.Rem {
			return a % b, nil
		}
		return a / b, nil
	case syntax.Pow:
		if b < 0 {
			return 0, s.arithmeticError("exponent less than 0")
		}
		n := int64(1)
		for ; b > 0; b >>= 1 {
			if b&1 != 0 {
				n *= a
			}
			a *= a
		}
		return n, nil
	case syntax.Shl:
		return a << (uint64(b) & 63), nil
	case syntax.Shr:
		return a >> (uint64(b) & 63), nil
	case syntax.And:
		return a & b, nil
	case syntax.Or:
		return a | b, nil
	case syntax.Xor:
		return a ^ b, nil
	case syntax.Eql:
		return truth(a == b), nil
	case syntax.Neq:
		return truth(a != b), nil
	case syntax.Lss:
		return truth(a < b), nil
	case syntax.Gtr:
		return truth(a > b), nil
	case syntax.Leq:
		return truth(a <= b), nil
	case syntax.Geq:
		return truth(a >= b), nil
	case syntax.Comma:
		return b, nil
	}
	return 0, s.arithmeticError("syntax error")
}
