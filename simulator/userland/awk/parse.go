package awk

import (
	"slices"
	"strings"
)

// maxNesting bounds how deep a program may nest.
const maxNesting = 1000

// maxLinks bounds how many operators a program may have in one rule: each that binds to the left nests in the tree.
const maxLinks = 100_000

// Special variables have the first numbers, in this order.
const (
	vNF = iota
	vNR
	vFNR
	vFS
	vOFS
	vORS
	vRS
	vSUBSEP
	vCONVFMT
	vOFMT
	vRSTART
	vRLENGTH
	vFILENAME
	vENVIRON
	vARGC
	vARGV
	vRT
	specials
)

func specialNames() []string {
	return []string{"NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "SUBSEP", "CONVFMT", "OFMT", "RSTART", "RLENGTH", "FILENAME", "ENVIRON", "ARGC", "ARGV",
		"RT"}
}

// Parse parses the text of a program, which may be for BusyBox's awk or for another one. The error is a *SyntaxError.
func Parse(src string, busybox bool) (program *Program, err error) {
	words, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{words: words, busybox: busybox, afterLength: -1, program: &Program{globals: specialNames(), lines: 1 + strings.Count(src, "\n")}, global: map[string]int{}, functions: map[string]int{}, defined: map[int]bool{}}
	for i, name := range p.program.globals {
		p.global[name] = i
	}
	defer func() {
		if r := recover(); r != nil {
			syntax, ok := r.(*SyntaxError)
			if !ok {
				panic(r)
			}
			program, err = nil, syntax
		}
	}()
	p.items()
	return p.program, nil
}

type parser struct {
	words     []word
	at        int
	program   *Program
	global    map[string]int
	functions map[string]int // number by name
	defined   map[int]bool
	called    []*call // calls, to be checked at the end
	locals    []string
	inside    bool // a function
	loops     int
	noGreater bool // > redirects a print
	busybox   bool
	// afterLength is the place behind a length without parentheses: there, > compares even after print in BusyBox's awk.
	afterLength int
	nesting     int
	links       int // of the statement
}

func (p *parser) word() word  { return p.words[p.at] }
func (p *parser) kind() token { return p.words[p.at].kind }
func (p *parser) line() int   { return p.words[p.at].line }

func (p *parser) peek(n int) token {
	if p.at+n < len(p.words) {
		return p.words[p.at+n].kind
	}
	return END
}

func (p *parser) fail(message string) { panic(&SyntaxError{p.line(), message}) }

func (p *parser) unexpected() {
	p.fail("Unexpected token")
}

func (p *parser) take() word {
	w := p.word()
	if w.kind != END {
		p.at++
	}
	return w
}

func (p *parser) accept(kind token) bool {
	if p.kind() == kind {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(kind token) word {
	if p.kind() != kind {
		p.unexpected()
	}
	return p.take()
}

func (p *parser) deeper() func() {
	if p.nesting++; p.nesting > maxNesting {
		p.fail("nested too deep")
	}
	return func() { p.nesting-- }
}

// link counts an operator that binds to the left.
func (p *parser) link() {
	if p.links++; p.links > maxLinks {
		p.fail("expressions with too many operators")
	}
}

func (p *parser) newlines() {
	for p.kind() == NEWLINE {
		p.take()
	}
}

func (p *parser) separators() {
	for p.kind() == NEWLINE || p.kind() == SEMICOLON {
		p.take()
	}
}

// items parses rules and functions.
func (p *parser) items() {
	for p.separators(); p.kind() != END; p.separators() {
		switch p.kind() {
		case KBEGIN:
			p.take()
			p.newlines()
			p.program.begin = append(p.program.begin, p.block())
		case KEND:
			p.take()
			p.newlines()
			p.program.end = append(p.program.end, p.block())
		case FUNCTION:
			p.function()
		default:
			p.rule()
		}
	}
	for _, c := range p.called {
		if !p.defined[c.index] {
			panic(&SyntaxError{c.line, "Call to undefined function"})
		}
		if len(c.args) > len(p.program.functions[c.index].params) {
			panic(&SyntaxError{c.line, "Too many arguments to function " + c.name})
		}
	}
}

func (p *parser) rule() {
	p.links = 0
	r := &rule{}
	if p.kind() != LBRACE {
		r.from = p.expression()
		if p.accept(COMMA) {
			p.newlines()
			r.to = p.expression()
			r.number = p.program.ranges
			p.program.ranges++
		}
	}
	if p.kind() == LBRACE {
		r.action = p.block()
	}
	p.program.rules = append(p.program.rules, r)
}

// functionNumber gives a function its number when it is first seen.
func (p *parser) functionNumber(name string) int {
	i, ok := p.functions[name]
	if !ok {
		i = len(p.program.functions)
		p.functions[name] = i
		p.program.functions = append(p.program.functions, &function{name: name})
	}
	return i
}

func (p *parser) function() {
	line := p.line()
	p.take()
	if p.kind() != NAME && p.kind() != FUNCNAME {
		p.unexpected()
	}
	name := p.take().text
	i := p.functionNumber(name)
	if p.defined[i] {
		p.fail("function " + name + " is defined twice")
	}
	p.defined[i] = true
	f := p.program.functions[i]
	f.line = line
	p.expect(LPAREN)
	p.newlines()
	for p.kind() != RPAREN {
		f.params = append(f.params, p.expect(NAME).text)
		p.newlines()
		if p.kind() != RPAREN {
			p.expect(COMMA)
			p.newlines()
		}
	}
	p.take()
	p.newlines()
	p.locals, p.inside = f.params, true
	f.body = p.block()
	p.locals, p.inside = nil, false
}

func (p *parser) block() *block {
	defer p.deeper()()
	p.expect(LBRACE)
	b := &block{}
	for p.separators(); p.kind() != RBRACE; p.separators() {
		b.list = append(b.list, p.statement())
	}
	p.take()
	return b
}

// body parses the statement of an if or a loop, which may stand on the next line and may be empty.
func (p *parser) body() statement {
	p.newlines()
	if p.accept(SEMICOLON) {
		return &block{}
	}
	return p.statement()
}

func (p *parser) loopBody() statement {
	p.loops++
	s := p.body()
	p.loops--
	return s
}

// ended takes what ends a simple statement.
func (p *parser) ended() {
	switch p.kind() {
	case SEMICOLON, NEWLINE:
		p.take()
	case RBRACE, END:
	default:
		p.unexpected()
	}
}

func (p *parser) statement() statement {
	p.links = 0
	defer p.deeper()()
	switch p.kind() {
	case LBRACE:
		return p.block()
	case IF:
		return p.conditional()
	case WHILE:
		p.take()
		p.expect(LPAREN)
		test := p.free()
		p.expect(RPAREN)
		return &loop{test: test, body: p.loopBody()}
	case DO:
		p.take()
		l := &loop{after: true, body: p.loopBody()}
		p.separators()
		p.expect(WHILE)
		p.expect(LPAREN)
		l.test = p.free()
		p.expect(RPAREN)
		p.ended()
		return l
	case FOR:
		return p.forLoop()
	}
	s := p.simple()
	p.ended()
	return s
}

func (p *parser) conditional() statement {
	p.take()
	p.expect(LPAREN)
	c := &conditional{test: p.free()}
	p.expect(RPAREN)
	c.yes = p.body()
	// An else may follow after newlines and one semicolon.
	at := p.at
	p.separators()
	if !p.accept(ELSE) {
		p.at = at
		return c
	}
	c.no = p.body()
	return c
}

func (p *parser) forLoop() statement {
	p.take()
	p.expect(LPAREN)
	if p.kind() == NAME && p.peek(1) == IN && p.peek(2) == NAME && p.peek(3) == RPAREN {
		key := p.variable(p.take().text)
		p.take()
		array := p.variable(p.take().text)
		p.take()
		return &each{key: key, array: array, body: p.loopBody()}
	}
	l := &loop{}
	if p.kind() != SEMICOLON {
		l.first = p.simple()
	}
	p.expect(SEMICOLON)
	p.newlines()
	if p.kind() != SEMICOLON {
		l.test = p.free()
	}
	p.expect(SEMICOLON)
	p.newlines()
	if p.kind() != RPAREN {
		l.next = p.simple()
	}
	p.expect(RPAREN)
	l.body = p.loopBody()
	return l
}

// free parses an expression in which > compares.
func (p *parser) free() expression {
	greater := p.noGreater
	p.noGreater = false
	e := p.expression()
	p.noGreater = greater
	return e
}

func (p *parser) simple() statement {
	line := p.line()
	switch p.kind() {
	case PRINT, PRINTF:
		return p.printing()
	case DELETE:
		p.take()
		name := p.expect(NAME).text
		d := &deletion{array: p.variable(name)}
		if p.accept(LBRACKET) {
			d.index = p.list(RBRACKET)
			p.expect(RBRACKET)
		}
		return d
	case BREAK, CONTINUE:
		if p.loops == 0 {
			p.fail("'" + p.word().text + "' not in a loop")
		}
		return &jump{how: p.take().kind, line: line}
	case NEXT, NEXTFILE:
		return &jump{how: p.take().kind, line: line}
	case EXIT, RETURN:
		w := p.take()
		if w.kind == RETURN && !p.inside {
			p.fail("return not in a function")
		}
		j := &jump{how: w.kind, line: line}
		if k := p.kind(); k != SEMICOLON && k != NEWLINE && k != RBRACE && k != END {
			j.value = p.expression()
		}
		return j
	}
	return &simple{p.expression()}
}

func (p *parser) printing() statement {
	w := p.take()
	s := &printing{format: w.kind == PRINTF, line: w.line}
	p.noGreater = true
	switch p.kind() {
	case SEMICOLON, NEWLINE, RBRACE, END, GREATER, APPEND, PIPE:
	default:
		s.args = append(s.args, p.expression())
		for p.accept(COMMA) {
			p.newlines()
			s.args = append(s.args, p.expression())
		}
		if g, ok := s.args[0].(*group); ok && len(s.args) == 1 {
			s.args = g.list
		}
	}
	p.noGreater = false
	if s.format && len(s.args) == 0 {
		p.unexpected()
	}
	if k := p.kind(); k == GREATER || k == APPEND || k == PIPE {
		how := p.take().kind
		switch p.kind() {
		case SEMICOLON, NEWLINE, RBRACE, END: // to nothing is to standard output
			return s
		}
		s.how = how
		p.noGreater = true
		s.to = p.choice()
		for p.accept(COMMA) { // a list names the file by all its parts
			s.to = &binary{op: ' ', left: s.to, right: p.choice()}
		}
		p.noGreater = false
	}
	return s
}

// list parses expressions up to the closing word.
func (p *parser) list(closing token) []expression {
	greater := p.noGreater
	p.noGreater = false
	defer func() { p.noGreater = greater }()
	var out []expression
	p.newlines()
	for p.kind() != closing {
		out = append(out, p.expression())
		p.newlines()
		if p.kind() != closing {
			p.expect(COMMA)
			p.newlines()
		}
	}
	return out
}

// variable finds a variable by its name: a parameter, or a global one.
func (p *parser) variable(name string) *variable {
	if i := slices.Index(p.locals, name); i >= 0 {
		return &variable{index: i, local: true}
	}
	i, ok := p.global[name]
	if !ok {
		i = len(p.program.globals)
		p.global[name] = i
		p.program.globals = append(p.program.globals, name)
	}
	return &variable{index: i}
}
