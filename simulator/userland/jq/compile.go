package jq

import (
	"errors"
	"fmt"
	"strings"

	"github.com/itchyny/gojq"
)

// Program is a program that can be run.
type Program struct {
	body node
	env  *env
}

// maxNesting is how deep a program may nest, as in jq's own parser.
const maxNesting = 10_000

// scope is what a part of a program sees: one entry for each binding of its environment.
type scope struct {
	up   *scope
	name string // "$x", "f/1", "*label" for labels, "" for what has no name
	f    *function
}

// Variable is a variable of the command line, without the "$".
type Variable struct {
	Name  string
	Value any
}

// compiler turns the tree of gojq's parser into nodes.
type compiler struct {
	functions map[string]*function // builtins that are defined in jq
	// alternatives counts the patterns that stand behind another.
	alternatives int
	depth        int
	problems     []string
}

type tooDeep struct{}

// Compile compiles a program. The error has one line for each problem.
func (m *Machine) Compile(source string, variables []Variable) (*Program, error) {
	query, err := gojq.Parse(source)
	if err != nil {
		return nil, errors.New("syntax error, " + err.Error())
	}
	if query.Meta != nil || len(query.Imports) > 0 {
		return nil, errors.New("modules cannot be imported in a simulated container")
	}
	c := &compiler{functions: map[string]*function{}}
	var s *scope
	var e *env
	for _, v := range variables {
		s = &scope{up: s, name: "$" + v.Name}
		e = &env{up: e, v: v.Value}
	}
	p := &Program{env: e}
	if !c.safely(func() { p.body = c.query(query, s) }) {
		return nil, errors.New("memory exhausted")
	}
	if len(c.problems) > 0 {
		return nil, errors.New(strings.Join(c.problems, "\n"))
	}
	if alternativeWords(source) > c.alternatives {
		return nil, errors.New("syntax error, unexpected ?//, expecting $end (Unix shell quoting issues?)")
	}
	return p, nil
}

// alternativeWords counts the words "?//" of a program. They separate patterns, and jq 1.6 does not take one for a question
// mark and the operator "//".
func alternativeWords(source string) (n int) {
	var open []byte // strings, and what is open inside their interpolations
	for i := 0; i < len(source); i++ {
		inside := len(open) > 0 && open[len(open)-1] == '"'
		switch c := source[i]; {
		case inside && c == '\\' && i+1 < len(source):
			if i++; source[i] == '(' {
				open = append(open, '(')
			}
		case c == '"' && inside:
			open = open[:len(open)-1]
		case inside:
		case c == '"':
			open = append(open, '"')
		case c == '(' && len(open) > 0:
			open = append(open, '(')
		case c == ')' && len(open) > 0:
			open = open[:len(open)-1]
		case c == '#':
			end := strings.IndexByte(source[i:], '\n')
			if end < 0 {
				return n
			}
			i += end
		case strings.HasPrefix(source[i:], "?//"):
			n++
			i += 2
		}
	}
	return n
}

// safely reports whether a program did not nest too deep.
func (c *compiler) safely(f func()) (fine bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(tooDeep); !ok {
				panic(r)
			}
			fine = false
		}
	}()
	f()
	return true
}

func (c *compiler) problem(format string, args ...any) node {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
	return identity{}
}

func (c *compiler) enter() func() {
	if c.depth++; c.depth > maxNesting {
		panic(tooDeep{})
	}
	return func() { c.depth-- }
}

// find returns how far up a name is bound.
func (s *scope) find(name string) (hops int, found *scope) {
	for at := s; at != nil; at = at.up {
		if at.name == name {
			return hops, at
		}
		hops++
	}
	return 0, nil
}

func (c *compiler) query(q *gojq.Query, s *scope) node {
	defer c.enter()()
	if len(q.FuncDefs) > 0 {
		rest := *q
		rest.FuncDefs = q.FuncDefs[1:]
		return c.define(q.FuncDefs[0], s, func(s *scope) node { return c.query(&rest, s) })
	}
	if q.Term != nil {
		return c.term(q.Term, s)
	}
	if q.Right == nil {
		return identity{}
	}
	if q.Op == gojq.OpPipe && len(q.Patterns) > 0 {
		c.alternatives += len(q.Patterns) - 1
		return c.destructure(q.Left, q.Patterns, s, func(s *scope) node { return c.query(q.Right, s) })
	}
	return c.operator(q, s)
}

var operators = map[gojq.Operator]func(*Machine, any, any) (any, error){
	gojq.OpAdd: add, gojq.OpSub: subtract, gojq.OpMul: multiply, gojq.OpDiv: divide, gojq.OpMod: modulo, gojq.OpEq: equal, gojq.OpNe: notEqual,
	gojq.OpGt: comparison(func(c int) bool { return c > 0 }), gojq.OpLt: comparison(func(c int) bool { return c < 0 }),
	gojq.OpGe: comparison(func(c int) bool { return c >= 0 }), gojq.OpLe: comparison(func(c int) bool { return c <= 0 }),
	gojq.OpUpdateAdd: add, gojq.OpUpdateSub: subtract, gojq.OpUpdateMul: multiply, gojq.OpUpdateDiv: divide, gojq.OpUpdateMod: modulo,
}

func (c *compiler) operator(q *gojq.Query, s *scope) node {
	switch q.Op {
	case gojq.OpPipe:
		return &pipe{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpComma:
		return &comma{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpAnd:
		return &both{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpOr:
		return &either{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpAlt:
		return &orElse{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpModify:
		return &modify{c.query(q.Left, s), c.query(q.Right, s)}
	case gojq.OpAssign, gojq.OpUpdateAlt, gojq.OpUpdateAdd, gojq.OpUpdateSub, gojq.OpUpdateMul, gojq.OpUpdateDiv, gojq.OpUpdateMod:
		value := c.query(q.Right, s)
		var by node = &variable{0}
		switch q.Op {
		case gojq.OpAssign:
		case gojq.OpUpdateAlt:
			by = &orElse{identity{}, by}
		default:
			by = &operate{operators[q.Op], identity{}, by}
		}
		return &bind{value, &modify{c.query(q.Left, &scope{up: s}), by}}
	}
	f := operators[q.Op]
	if f == nil {
		return c.problem("%s is not supported", q.Op)
	}
	l, r := c.query(q.Left, s), c.query(q.Right, s)
	if x, ok := r.(*constant); ok && x.v == 0.0 && q.Op == gojq.OpDiv {
		if y, ok := l.(*constant); ok && kind(y.v) == "number" {
			return c.problem("Division by zero?")
		}
	}
	return &operate{f, l, r}
}

// define compiles a function and what sees it.
func (c *compiler) define(d *gojq.FuncDef, s *scope, rest func(*scope) node) node {
	f := &function{params: len(d.Args)}
	inner := &scope{up: s, name: fmt.Sprintf("%s/%d", d.Name, len(d.Args)), f: f}
	c.body(f, d, inner)
	return &define{rest(inner)}
}

// body compiles the body of a function. A parameter "$x" is a filter that is also bound to a variable.
func (c *compiler) body(f *function, d *gojq.FuncDef, s *scope) {
	defer c.enter()()
	for _, a := range d.Args {
		s = &scope{up: s, name: strings.TrimPrefix(a, "$") + "/0"}
	}
	var sources []node
	for i, a := range d.Args {
		if strings.HasPrefix(a, "$") {
			sources = append(sources, &filter{len(d.Args) - 1 - i + len(sources)})
			s = &scope{up: s, name: a}
		}
	}
	body := c.query(d.Body, s)
	for i := len(sources) - 1; i >= 0; i-- {
		body = &bind{sources[i], body}
	}
	f.body = body
}

func (c *compiler) term(t *gojq.Term, s *scope) node {
	defer c.enter()()
	n := c.plain(t, s)
	for _, suffix := range t.SuffixList {
		switch {
		case suffix.Index != nil:
			n = c.index(n, suffix.Index, s)
		case suffix.Iter:
			n = &each{of: n}
		case suffix.Optional:
			n = optional(n)
		}
	}
	return n
}

// optional is what a question mark makes of a term. Of an access it suppresses the error of that alone.
func optional(n node) node {
	switch n := n.(type) {
	case *index:
		if !n.quiet {
			n.quiet = true
			return n
		}
	case *slice:
		if !n.quiet {
			n.quiet = true
			return n
		}
	case *each:
		if !n.quiet {
			n.quiet = true
			return n
		}
	}
	return &try{body: n}
}

func (c *compiler) index(of node, i *gojq.Index, s *scope) node {
	switch {
	case i.Str != nil:
		return &index{of: of, key: c.text(i.Str, "text", s)}
	case i.IsSlice:
		n := &slice{of: of}
		if i.Start != nil {
			n.from = c.query(i.Start, s)
		}
		if i.End != nil {
			n.to = c.query(i.End, s)
		}
		return n
	case i.Start != nil:
		return &index{of: of, key: c.query(i.Start, s)}
	}
	return &index{of: of, key: &constant{i.Name}}
}

// plain compiles a term without its suffixes.
func (c *compiler) plain(t *gojq.Term, s *scope) node {
	switch t.Type {
	case gojq.TermTypeIdentity:
		return identity{}
	case gojq.TermTypeRecurse:
		return c.function("recurse", nil, s)
	case gojq.TermTypeNull:
		return &constant{nil}
	case gojq.TermTypeTrue:
		return &constant{true}
	case gojq.TermTypeFalse:
		return &constant{false}
	case gojq.TermTypeNumber:
		f, _ := parseNumber(t.Number)
		return &constant{f}
	case gojq.TermTypeIndex:
		return c.index(identity{}, t.Index, s)
	case gojq.TermTypeFunc:
		return c.function(t.Func.Name, t.Func.Args, s)
	case gojq.TermTypeObject:
		return c.object(t.Object, s)
	case gojq.TermTypeArray:
		if t.Array.Query == nil {
			return &list{}
		}
		return &list{c.query(t.Array.Query, s)}
	case gojq.TermTypeUnary:
		of := c.term(t.Unary.Term, s)
		if t.Unary.Op == gojq.OpAdd {
			return of
		}
		if x, ok := of.(*constant); ok {
			if f, ok := x.v.(float64); ok {
				return &constant{-f}
			}
		}
		return &negate{of}
	case gojq.TermTypeFormat:
		name := strings.TrimPrefix(t.Format, "@")
		if t.Str == nil {
			return &native{f: func(m *Machine, in any, _ []any) (any, error) { return anyOf(m.format(name, in)) }}
		}
		return c.text(t.Str, name, s)
	case gojq.TermTypeString:
		return c.text(t.Str, "text", s)
	case gojq.TermTypeIf:
		return c.choose(t.If.Cond, t.If.Then, t.If.Elif, t.If.Else, s)
	case gojq.TermTypeTry:
		n := &try{body: c.query(t.Try.Body, s)}
		if t.Try.Catch != nil {
			n.catch = c.query(t.Try.Catch, s)
		}
		return n
	case gojq.TermTypeReduce:
		c.alternatives += len(t.Reduce.Patterns) - 1
		return c.fold(t.Reduce.Query, t.Reduce.Patterns, t.Reduce.Start, t.Reduce.Update, nil, true, s)
	case gojq.TermTypeForeach:
		c.alternatives += len(t.Foreach.Patterns) - 1
		return c.fold(t.Foreach.Query, t.Foreach.Patterns, t.Foreach.Start, t.Foreach.Update, t.Foreach.Extract, false, s)
	case gojq.TermTypeLabel:
		return &label{c.query(t.Label.Body, &scope{up: s, name: "*label" + t.Label.Ident})}
	case gojq.TermTypeBreak:
		hops, found := s.find("*label" + t.Break)
		if found == nil {
			return c.problem("$*label-%s is not defined", strings.TrimPrefix(t.Break, "$"))
		}
		return &leave{hops}
	case gojq.TermTypeQuery:
		return c.query(t.Query, s)
	}
	return c.problem("%s is not supported", t)
}

func (c *compiler) choose(condition, then *gojq.Query, elif []*gojq.IfElif, otherwise *gojq.Query, s *scope) node {
	defer c.enter()()
	n := &choose{condition: c.query(condition, s), then: c.query(then, s), otherwise: identity{}}
	if len(elif) > 0 {
		n.otherwise = c.choose(elif[0].Cond, elif[0].Then, elif[1:], otherwise, s)
	} else if otherwise != nil {
		n.otherwise = c.query(otherwise, s)
	} else {
		c.problem("syntax error, unexpected end (Unix shell quoting issues?)")
		return c.problem("Possibly unterminated 'if' statement")
	}
	return n
}

func (c *compiler) text(t *gojq.String, format string, s *scope) node {
	if t.Queries == nil {
		return &constant{t.Str}
	}
	n := &text{format: format}
	for _, q := range t.Queries {
		if q.Term != nil && q.Term.Type == gojq.TermTypeString && q.Term.Str.Queries == nil && len(q.Term.SuffixList) == 0 {
			n.parts = append(n.parts, &constant{q.Term.Str.Str})
			continue
		}
		inner := c.query(q, s)
		if x, ok := inner.(*constant); ok { // it is formatted, unlike the text around it
			inner = &pipe{identity{}, x}
		}
		n.parts = append(n.parts, inner)
	}
	return n
}

func (c *compiler) object(o *gojq.Object, s *scope) node {
	n := &record{}
	for _, kv := range o.KeyVals {
		var e entry
		switch {
		case kv.KeyString != nil:
			e.key = c.text(kv.KeyString, "text", s)
		case kv.KeyQuery != nil:
			e.key = c.query(kv.KeyQuery, s)
			if x, ok := e.key.(*constant); ok && kind(x.v) != "string" {
				return c.problem("Cannot use %s (%s) as object key", kind(x.v), (&Machine{meter: unmetered{}}).brief(x.v, 15))
			}
		default:
			e.key = &constant{strings.TrimPrefix(kv.Key, "$")}
		}
		switch {
		case kv.Val != nil:
			e.value = c.query(kv.Val, s)
		case strings.HasPrefix(kv.Key, "$"):
			e.value = c.function(kv.Key, nil, s)
		default:
			e.value = &index{of: identity{}, key: e.key}
		}
		n.entries = append(n.entries, e)
	}
	return n
}

func (c *compiler) fold(source *gojq.Query, patterns []*gojq.Pattern, start, step, extract *gojq.Query, reduces bool, s *scope) node {
	n := &fold{source: c.query(source, s), start: c.query(start, s)}
	cell := &scope{up: s}
	item := &scope{up: cell}
	n.step = c.patterns(patterns, &variable{0}, item, func(inner *scope) node {
		hops := 0
		for at := inner; at != cell; at = at.up {
			hops++
		}
		u := &update{hops: hops, step: c.query(step, inner)}
		switch {
		case reduces:
		case extract != nil:
			u.extract = c.query(extract, inner)
		default:
			u.extract = identity{}
		}
		return u
	})
	return n
}

// destructure compiles "source as patterns | rest".
func (c *compiler) destructure(source *gojq.Query, patterns []*gojq.Pattern, s *scope, rest func(*scope) node) node {
	value := c.query(source, s)
	if len(patterns) == 1 && patterns[0].Name != "" {
		return &bind{value, rest(&scope{up: s, name: patterns[0].Name})}
	}
	hidden := &scope{up: s}
	return &bind{value, c.patterns(patterns, &variable{0}, hidden, rest)}
}

// patterns binds the variables of patterns to parts of a value. With more than one, all variables of all are bound.
func (c *compiler) patterns(list []*gojq.Pattern, value *variable, s *scope, rest func(*scope) node) node {
	if len(list) == 1 {
		return c.pattern(list[0], value, s, rest)
	}
	var names []string
	for _, p := range list {
		names = append(names, variables(p)...)
	}
	n := &alternatives{}
	for _, p := range list {
		at := s
		for _, name := range names {
			at = &scope{up: at, name: name}
		}
		body := c.pattern(p, &variable{value.hops + len(names)}, at, rest)
		for range names {
			body = &bind{&constant{nil}, body}
		}
		n.bodies = append(n.bodies, body)
	}
	return n
}

// variables are the names in a pattern.
func variables(p *gojq.Pattern) (names []string) {
	if p.Name != "" {
		return []string{p.Name}
	}
	for _, inner := range p.Array {
		names = append(names, variables(inner)...)
	}
	for _, o := range p.Object {
		if strings.HasPrefix(o.Key, "$") {
			names = append(names, o.Key)
		}
		if o.Val != nil {
			names = append(names, variables(o.Val)...)
		}
	}
	return names
}

// pattern binds the variables of a pattern to parts of the value of a variable.
func (c *compiler) pattern(p *gojq.Pattern, value *variable, s *scope, rest func(*scope) node) node {
	defer c.enter()()
	if p.Name != "" {
		return &bind{value, rest(&scope{up: s, name: p.Name})}
	}
	if len(p.Array) > 0 {
		return c.elements(p.Array, 0, value, s, rest)
	}
	return c.fields(p.Object, value, s, rest)
}

// part binds a part of a value to a hidden variable and goes on with a pattern for it, then with the others.
func (c *compiler) part(key node, inner *gojq.Pattern, value *variable, s *scope, others func(*variable, *scope) node) node {
	hidden := &scope{up: s}
	return &bind{&index{of: value, key: key}, c.pattern(inner, &variable{0}, hidden, func(s *scope) node {
		hops := 1
		for at := s; at != hidden; at = at.up {
			hops++
		}
		return others(&variable{value.hops + hops}, s)
	})}
}

func (c *compiler) elements(list []*gojq.Pattern, i int, value *variable, s *scope, rest func(*scope) node) node {
	if i == len(list) {
		return rest(s)
	}
	return c.part(&constant{float64(i)}, list[i], value, s, func(value *variable, s *scope) node { return c.elements(list, i+1, value, s, rest) })
}

func (c *compiler) fields(list []*gojq.PatternObject, value *variable, s *scope, rest func(*scope) node) node {
	if len(list) == 0 {
		return rest(s)
	}
	o := list[0]
	others := func(value *variable, s *scope) node { return c.fields(list[1:], value, s, rest) }
	var key node
	switch {
	case o.KeyString != nil:
		key = c.text(o.KeyString, "text", s)
	case o.KeyQuery != nil:
		key = c.query(o.KeyQuery, s)
	default:
		key = &constant{strings.TrimPrefix(o.Key, "$")}
	}
	if !strings.HasPrefix(o.Key, "$") {
		return c.part(key, o.Val, value, s, others)
	}
	named := &scope{up: s, name: o.Key}
	further := &variable{value.hops + 1}
	if o.Val == nil {
		return &bind{&index{of: value, key: key}, others(further, named)}
	}
	return &bind{&index{of: value, key: key}, c.part(key, o.Val, further, named, others)}
}

// function compiles a call or a variable.
func (c *compiler) function(name string, args []*gojq.Query, s *scope) node {
	if strings.HasPrefix(name, "$") {
		return c.variable(name, s)
	}
	full := fmt.Sprintf("%s/%d", name, len(args))
	nodes := make([]node, len(args))
	for i, a := range args {
		nodes[i] = c.query(a, s)
	}
	if hops, found := s.find(full); found != nil {
		if found.f == nil {
			return &filter{hops}
		}
		return &call{hops, found.f, nodes}
	}
	return c.builtin(full, nodes)
}

func (c *compiler) variable(name string, s *scope) node {
	if hops, found := s.find(name); found != nil {
		return &variable{hops}
	}
	switch name {
	case "$ENV":
		return c.builtin("env/0", nil)
	case "$__loc__":
		return &constant{newObject().with("file", "<top-level>").with("line", 1.0)}
	}
	return c.problem("%s is not defined", name)
}

// builtin compiles a call of a function that every program has.
func (c *compiler) builtin(full string, args []node) node {
	if f := c.functions[full]; f != nil {
		return &call{-1, f, args}
	}
	if f, ok := natives[full]; ok {
		return &native{f: f, args: args}
	}
	if f := numeric(full); f != nil {
		return &native{f: f, args: args}
	}
	if f, ok := specials[full]; ok {
		return &special{f, args}
	}
	if full == "builtins/0" {
		return &native{f: func(m *Machine, _ any, _ []any) (any, error) { return m.builtins(), nil }}
	}
	source, ok := definitions[full]
	if !ok {
		return c.problem("%s is not defined", full)
	}
	query, err := gojq.Parse(source + " .")
	if err != nil {
		return c.problem("%s: %v", full, err)
	}
	f := &function{params: len(args)}
	c.functions[full] = f
	c.body(f, query.FuncDefs[0], nil)
	return &call{-1, f, args}
}

type unmetered struct{}

func (unmetered) Spend(int)      {}
func (unmetered) Allocate(int64) {}
func (unmetered) TooDeep(int)    {}
