package syntax

import "strings"

// condOr reads the inside of [[ ]]: || binds less than &&, && less than !.
func (p *Parser) condOr() CondExpr {
	p.enter()
	defer p.leave()
	terms := []CondExpr{p.condAnd()}
	for p.newlines(); p.has("||"); p.newlines() {
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
	for p.newlines(); p.has("&&"); p.newlines() {
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

func (p *Parser) condPrimary() CondExpr {
	if p.at(0) == '(' {
		p.pos++
		x := p.condOr()
		if p.at(0) != ')' {
			p.unexpected("")
		}
		p.pos++
		return &CondGroup{x}
	}
	if p.eof() || isMeta(p.at(0)) && !p.procSubst() || p.keyword() == "]]" {
		p.unexpected("")
	}
	first := p.condWord(wordMode)
	op, isLit := first.Literal()
	p.blanks()
	if isLit && IsUnary(op) && !p.condEnds() && !p.condOperator() {
		return &CondUnary{op, p.condWord(wordMode)}
	}
	switch c := p.at(0); {
	case c == '<' || c == '>':
		p.pos++
		p.newlines()
		return &CondBinary{string(c), first, p.condWord(wordMode)}
	case p.condEnds():
		return &CondWord{first}
	}
	if !p.condOperator() {
		p.fail(Error{Reason: "conditional binary operator expected"})
	}
	op = p.keyword()
	p.pos += len(op)
	p.newlines()
	m := wordMode
	if op == "=~" {
		m = regexMode
	}
	if m == wordMode && (p.eof() || isMeta(p.at(0)) && !p.procSubst()) {
		p.unexpected("")
	}
	return &CondBinary{op, first, p.condWord(m)}
}

// condEnds reports whether an operand is followed by what ends it.
func (p *Parser) condEnds() bool {
	return p.eof() || p.at(0) == ')' || p.at(0) == '\n' || p.has("&&") || p.has("||") || p.keyword() == "]]"
}

// condOperator reports whether an operator between words stands here.
func (p *Parser) condOperator() bool {
	switch p.keyword() {
	case "=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

// condWord reads an operand. Extended patterns are always read here.
func (p *Parser) condWord(m mode) *Word {
	before := p.extglob
	p.extglob = true
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
