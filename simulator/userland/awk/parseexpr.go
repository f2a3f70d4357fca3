package awk

import "github.com/plumbline-ci/plumbline/simulator/userland/posix"

// expression parses an assignment or anything that binds closer.
func (p *parser) expression() expression {
	defer p.deeper()()
	left := p.choice()
	switch p.kind() {
	case ASSIGN, OPASSIGN:
		if !assignable(left) {
			p.unexpected()
		}
		w := p.take()
		p.newlines()
		return &assign{to: left, op: w.op, value: p.expression(), line: w.line}
	}
	return left
}

func assignable(e expression) bool {
	switch e.(type) {
	case *variable, *field, *element:
		return true
	}
	return false
}

func (p *parser) choice() expression {
	test := p.or()
	if p.kind() != QUESTION {
		return test
	}
	p.take()
	p.newlines()
	yes := p.expression()
	p.newlines()
	p.expect(COLON)
	p.newlines()
	return &choice{test: test, yes: yes, no: p.expression()}
}

func (p *parser) or() expression {
	left := p.and()
	for p.kind() == OR {
		p.take()
		p.newlines()
		p.link()
		left = &logic{or: true, left: left, right: p.and()}
	}
	return left
}

func (p *parser) and() expression {
	left := p.in()
	for p.kind() == AND {
		p.take()
		p.newlines()
		p.link()
		left = &logic{left: left, right: p.in()}
	}
	return left
}

func (p *parser) in() expression {
	left := p.match()
	for p.kind() == IN {
		p.take()
		index := []expression{left}
		if g, ok := left.(*group); ok {
			index = g.list
		}
		p.link()
		left = &membership{array: p.variable(p.expect(NAME).text), index: index}
	}
	return left
}

// lone refuses a list in parentheses where it means nothing: it may stand before in, and after print.
func (p *parser) lone() {
	switch p.kind() {
	case IN:
		return
	case SEMICOLON, NEWLINE, RBRACE, END, GREATER, APPEND, PIPE:
		if p.noGreater {
			return
		}
	}
	p.unexpected()
}

func (p *parser) match() expression {
	left := p.comparison()
	for p.kind() == TILDE || p.kind() == NOMATCH {
		not := p.take().kind == NOMATCH
		p.link()
		left = &match{left: left, right: p.comparison(), not: not}
	}
	return left
}

func (p *parser) comparison() expression {
	left := p.piped()
	for {
		switch k := p.kind(); {
		case k == LESS || k == LE || k == EQ || k == NE || k == GE || k == GREATER && (!p.noGreater || p.busybox && p.afterLength == p.at):
			p.take()
			p.link()
			left = &compare{op: k, left: left, right: p.piped()}
		default:
			return left
		}
	}
}

// piped parses command | getline.
func (p *parser) piped() expression {
	left := p.concatenation()
	for p.kind() == PIPE && p.peek(1) == GETLINE {
		line := p.take().line
		p.take()
		p.link()
		left = &getline{to: p.target(), from: left, command: true, line: line}
	}
	return left
}

// target parses the variable that getline reads into, if there is one.
func (p *parser) target() expression {
	switch p.kind() {
	case DOLLAR, NAME:
		return p.place()
	}
	return nil
}

// place parses what can be assigned to.
func (p *parser) place() expression {
	switch p.kind() {
	case DOLLAR:
		p.take()
		return &field{p.closest()}
	case NAME:
		v := p.variable(p.take().text)
		if p.kind() == LBRACKET {
			p.take()
			index := p.list(RBRACKET)
			if len(index) == 0 {
				p.unexpected()
			}
			p.expect(RBRACKET)
			return &element{array: v, index: index}
		}
		return v
	}
	p.unexpected()
	return nil
}

func (p *parser) concatenation() expression {
	left := p.additive()
	for p.begins() {
		p.link()
		left = &binary{op: ' ', left: left, right: p.additive()}
	}
	return left
}

// begins reports whether another operand follows without an operator.
func (p *parser) begins() bool {
	switch p.kind() {
	case NUMBER, STRING, NAME, FUNCNAME, BUILTIN, DOLLAR, LPAREN, INCR, DECR:
		return true
	}
	return false
}

func (p *parser) additive() expression {
	left := p.multiplicative()
	for p.kind() == PLUS || p.kind() == MINUS {
		w := p.take()
		p.link()
		left = &binary{op: w.text[0], left: left, right: p.multiplicative(), line: w.line}
	}
	return left
}

func (p *parser) multiplicative() expression {
	left := p.unary()
	for p.kind() == STAR || p.kind() == SLASH || p.kind() == PERCENT {
		w := p.take()
		p.link()
		left = &binary{op: w.text[0], left: left, right: p.unary(), line: w.line}
	}
	return left
}

func (p *parser) unary() expression {
	defer p.deeper()()
	switch p.kind() {
	case NOT, MINUS, PLUS:
		op := p.take().text[0]
		return &unary{op: op, of: p.unary()}
	}
	return p.power()
}

func (p *parser) power() expression {
	left := p.postfix()
	if p.kind() != POWER {
		return left
	}
	line := p.take().line
	defer p.deeper()()
	var right expression
	switch p.kind() {
	case NOT, MINUS, PLUS:
		op := p.take().text[0]
		right = &unary{op: op, of: p.power()}
	default:
		right = p.power()
	}
	return &binary{op: '^', left: left, right: right, line: line}
}

func (p *parser) postfix() expression {
	left := p.primary()
	if assignable(left) {
		switch p.kind() {
		case INCR:
			p.take()
			return &increment{to: left, by: 1}
		case DECR:
			p.take()
			return &increment{to: left, by: -1}
		}
	}
	return left
}

// closest parses what $ binds to: ++x, -x, a primary.
func (p *parser) closest() expression {
	defer p.deeper()()
	switch p.kind() {
	case MINUS, PLUS, NOT:
		op := p.take().text[0]
		return &unary{op: op, of: p.closest()}
	}
	return p.primary()
}

func (p *parser) primary() expression {
	defer p.deeper()()
	w := p.word()
	switch w.kind {
	case NUMBER:
		p.take()
		return &number{num(w.num)}
	case STRING:
		p.take()
		return &text{str(w.text)}
	case REGEX:
		p.take()
		source := translate(w.text)
		if err := posix.Check(source, posix.Options{Extended: true}); err != nil {
			panic(&SyntaxError{0, "bad regex '" + source + "': " + err.Error()})
		}
		return &pattern{source}
	case DOLLAR, NAME:
		return p.place()
	case INCR, DECR:
		p.take()
		by := 1.0
		if w.kind == DECR {
			by = -1
		}
		to := p.primary()
		if !assignable(to) {
			p.unexpected()
		}
		return &increment{to: to, by: by, before: true}
	case LPAREN:
		p.take()
		g := &group{list: p.list(RPAREN)}
		p.expect(RPAREN)
		if len(g.list) == 0 {
			p.unexpected()
		}
		if len(g.list) > 1 {
			p.lone()
		}
		return g
	case GETLINE:
		p.take()
		g := &getline{to: p.target(), line: w.line}
		if p.accept(LESS) {
			g.from = p.postfix()
		}
		return g
	case FUNCNAME:
		p.take()
		p.take() // the parenthesis
		c := &call{index: p.functionNumber(w.text), name: w.text, line: w.line, args: p.list(RPAREN)}
		p.expect(RPAREN)
		p.called = append(p.called, c)
		return c
	case BUILTIN:
		return p.builtin()
	}
	p.unexpected()
	return nil
}

// arity says how many arguments a built-in function takes.
func arity(name string) (least, most int) {
	switch name {
	case "rand", "systime":
		return 0, 0
	case "length", "srand", "fflush":
		return 0, 1
	case "sin", "cos", "exp", "log", "sqrt", "int", "tolower", "toupper", "system", "close", "compl", "mktime":
		return 1, 1
	case "index", "atan2", "lshift", "rshift":
		return 2, 2
	case "substr", "split", "sub", "gsub", "match":
		return 2, 3
	case "gensub":
		return 3, 4
	case "strftime":
		return 0, 3
	case "and", "or", "xor":
		return 2, 100
	}
	return 1, 1 << 20 // sprintf
}

// continuesLength reports whether BusyBox lets what is next follow length without parentheses.
func (p *parser) continuesLength() bool {
	switch p.kind() {
	case RPAREN, RBRACKET, DOLLAR, PIPE, APPEND, IN, END:
		return false
	}
	return true
}

func (p *parser) builtin() expression {
	w := p.take()
	b := &builtin{name: w.text, line: w.line}
	least, most := arity(w.text)
	if p.kind() == LPAREN {
		p.take()
		b.args = p.list(RPAREN)
		p.expect(RPAREN)
	} else if least > 0 {
		p.unexpected()
	} else if w.text == "length" && p.busybox {
		p.afterLength = p.at
		if p.program.Refused == nil && !p.continuesLength() {
			p.program.Refused = &SyntaxError{p.line(), "Unexpected token"}
		}
	}
	if len(b.args) < least {
		panic(&SyntaxError{w.line, "Too few arguments"})
	}
	if len(b.args) > most {
		panic(&SyntaxError{w.line, "Too many arguments"})
	}
	switch w.text {
	case "split":
		if _, ok := b.args[1].(*variable); !ok {
			panic(&SyntaxError{w.line, "Not an array"})
		}
	case "sub", "gsub":
		if len(b.args) == 3 {
			if g, ok := b.args[2].(*group); ok && len(g.list) == 1 {
				b.args[2] = g.list[0]
			}
		}
	}
	return b
}
