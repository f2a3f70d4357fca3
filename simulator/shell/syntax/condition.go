package syntax

import "strings"

// conditional reads the inside of [[ ]] and the closing brackets.
func (p *Parser) conditional() CondExpr {
	p.conds++
	x := p.condOr()
	if p.keyword() != "]]" {
		if p.eof() {
			p.unexpected("")
		}
		p.fail(Error{Reason: "syntax error in conditional expression"})
	}
	p.conds--
	p.pos += 2
	return x
}

// condOr reads a chain of ||, which binds less than &&, which binds less than !.
func (p *Parser) condOr() CondExpr {
	p.enter()
	defer p.leave()
	terms := []CondExpr{p.condAnd()}
	for p.has("||") {
		p.pos += 2
		terms = append(terms, p.condAnd())
	}
	if len(terms) == 1 {
		return terms[0]
	}
	p.node()
	return &CondOr{terms}
}

func (p *Parser) condAnd() CondExpr {
	terms := []CondExpr{p.condTerm()}
	for p.has("&&") {
		p.pos += 2
		terms = append(terms, p.condTerm())
	}
	if len(terms) == 1 {
		return terms[0]
	}
	p.node()
	return &CondAnd{terms}
}

func (p *Parser) condTerm() CondExpr {
	p.node()
	p.newlines()
	not := false
	for p.keyword() == "!" {
		p.pos++
		p.newlines()
		not = !not
	}
	x := p.condPrimary()
	if not {
		return &CondNot{x}
	}
	return x
}

// condPrimary reads a group, or an operator with its operands.
func (p *Parser) condPrimary() CondExpr {
	switch {
	case p.eof():
		p.unexpected("")
	case p.keyword() == "]]":
		p.fail(Error{Silent: true})
	case p.at(0) == '(':
		p.pos++
		x := p.condOr()
		if p.at(0) != ')' {
			p.fail(Error{Reason: "expected `)'"})
		}
		p.pos++
		p.newlines()
		return &CondGroup{x}
	case !p.condWordHere():
		p.fail(Error{Reason: "unexpected token `" + p.condToken() + "' in conditional command"})
	}
	first := p.condWord(wordMode, false)
	op, isLit := first.Literal()
	p.blanks()
	if isLit && IsUnary(op) {
		p.operand("unary")
		x := &CondUnary{op, p.condWord(wordMode, false)}
		p.newlines()
		return x
	}
	switch c := p.at(0); {
	case p.procSubst():
	case c == '<' || c == '>':
		p.pos++
		return p.binary(first, string(c))
	case c == ')' || p.has("&&") || p.has("||") || p.keyword() == "]]":
		return &CondWord{first}
	}
	if !p.condOperator() {
		reason := "conditional binary operator expected"
		if !p.condWordHere() {
			reason = "unexpected token `" + p.condToken() + "', " + reason
		}
		p.fail(Error{Reason: reason, End: p.eof()})
	}
	op = p.keyword()
	p.pos += len(op)
	return p.binary(first, op)
}

// binary reads the right operand. Extended patterns are always read where it is a pattern.
func (p *Parser) binary(left *Word, op string) CondExpr {
	p.blanks()
	m := wordMode
	if op == "=~" {
		m = regexMode
	}
	if m == wordMode || p.at(0) != '(' {
		p.operand("binary")
	}
	x := &CondBinary{op, left, p.condWord(m, op == "=" || op == "==" || op == "!=")}
	p.newlines()
	return x
}

// operand fails unless a word stands here.
func (p *Parser) operand(kind string) {
	if !p.condWordHere() {
		p.fail(Error{Reason: "unexpected argument `" + p.condToken() + "' to conditional " + kind + " operator", End: p.eof()})
	}
}

// condWordHere reports whether a word stands here, which closes nothing.
func (p *Parser) condWordHere() bool {
	return !p.eof() && (!isMeta(p.at(0)) || p.procSubst()) && p.keyword() != "]]"
}

// condToken returns the token that stands here, for messages.
func (p *Parser) condToken() string {
	if p.eof() || p.at(0) == '\n' {
		return "newline"
	}
	return p.token()
}

// condOperator reports whether an operator between words stands here.
func (p *Parser) condOperator() bool {
	switch p.keyword() {
	case "=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

// condWord reads an operand.
func (p *Parser) condWord(m mode, isPattern bool) *Word {
	before := p.extglob
	p.extglob = before || isPattern
	w := &Word{Parts: p.parts(m, false)}
	p.extglob = before
	if len(w.Parts) == 0 {
		p.unexpected("")
	}
	p.node()
	return w
}

// IsUnary reports whether an operator of test and [[ takes one operand.
func IsUnary(op string) bool {
	return len(op) == 2 && op[0] == '-' && strings.IndexByte("abcdefghknoprstuvwxzGLNORS", op[1]) >= 0
}
