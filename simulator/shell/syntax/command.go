package syntax

import "strings"

// command reads one command with its redirections.
func (p *Parser) command() *Stmt {
	p.enter()
	defer p.leave()
	p.node()
	p.alias(atCommand)
	p.blanks()
	line := p.line()
	cmd := p.compound(line)
	if cmd == nil {
		return p.simple(line)
	}
	if f, ok := cmd.(*Func); ok {
		return &Stmt{Line: line, Cmd: f}
	}
	if c, ok := cmd.(*Coproc); ok {
		return &Stmt{Line: line, Cmd: c}
	}
	return p.withRedirects(&Stmt{Line: line, Cmd: cmd})
}

// withRedirects reads the redirections behind a compound command.
func (p *Parser) withRedirects(st *Stmt) *Stmt {
	if p.dialect != Bash {
		st = unwrapped(st)
	}
	own := st.Redirs
	st.Redirs = nil
	defer func() {
		if st.Redirs == nil {
			st.Redirs = own
		}
	}()
	for {
		p.alias(atCommand)
		p.blanks()
		r := p.redirect()
		if r == nil {
			break
		}
		st.Redirs = append(st.Redirs, r)
	}
	switch p.at(0) {
	case 0, ';', '&', '|', ')', '\n':
		return st
	}
	if p.dialect == Bash && p.startsCommand() { // a word behind a compound command
		p.unexpected("")
	}
	return st
}

// unwrapped returns the subshell that is all of a group: ash and dash take one for the other, so that redirections of the
// group are in place of the subshell's own.
func unwrapped(st *Stmt) *Stmt {
	block, ok := st.Cmd.(*Block)
	if !ok || len(block.List) != 1 {
		return st
	}
	only := block.List[0]
	if _, ok := only.Cmd.(*Subshell); !ok || only.Background || only.Negated {
		return st
	}
	return only
}

// compound reads a compound command, or returns nil if a simple one stands here.
func (p *Parser) compound(line int) Command {
	if p.at(0) == '(' {
		if p.at(1) == '(' && p.dialect == Bash && !p.lost {
			start := p.pos + 2
			if end := p.pair(p.pos+1, '(', ')'); end+1 < len(p.src) && p.src[end+1] == ')' {
				p.pos = end + 2
				text := p.src[start:end]
				if strings.Contains(text, "$'") {
					text = p.unquoted(text, false)
				}
				return &Arith{p.line(), p.later(text, start, arithMode)}
			} else {
				p.push("", min(end+1, len(p.src)), false)
			}
		}
		p.pos++
		p.lost = false
		list, expects := p.list(false)
		if len(list) == 0 || p.at(0) != ')' {
			p.unexpected(p.expecting(expects, ")"))
		}
		p.pos++
		return &Subshell{p.line(), list}
	}
	if p.dialect != Bash && p.at(0) == ')' {
		p.unexpected("")
	}
	word := p.keyword()
	switch word {
	case "{":
		p.pos++
		list, expects := p.list(false)
		if len(list) == 0 || p.keyword() != "}" {
			p.unexpected(p.expecting(expects, "}"))
		}
		p.pos++
		return &Block{list}
	case "if":
		p.pos += 2
		return p.ifClause()
	case "while", "until":
		p.pos += 5
		cond, _ := p.body("do")
		do, _ := p.body("done")
		return &While{word == "until", cond, do}
	case "for":
		p.pos += 3
		return p.forClause(line, false)
	case "case":
		p.pos += 4
		return p.caseClause(line)
	case "then", "elif", "else", "fi", "do", "done", "esac", "}":
		p.unexpected("")
	case "in":
		p.unexpected("")
	case "]]":
		if p.dialect == Bash {
			p.unexpected("")
		}
	case "function":
		if p.dialect != Dash {
			p.pos += len(word)
			return p.function(line)
		}
	}
	if p.dialect != Bash {
		return nil
	}
	switch word {
	case "select":
		p.pos += 6
		return p.forClause(line, true)
	case "[[":
		p.pos += 2
		if p.stuck && p.nested == 0 {
			p.unexpected("")
		}
		x := p.conditional()
		return &Cond{p.line(), x}
	case "coproc":
		p.pos += 6
		return p.coproc(line)
	}
	return nil
}

func (p *Parser) expecting(is bool, word string) string {
	if is {
		return word
	}
	return ""
}

func (p *Parser) ifClause() *If {
	cond, _ := p.body("then")
	then, next := p.body("fi", "elif", "else")
	c := &If{Cond: cond, Then: then}
	// A chain of elif is as long as it likes to be: no recursion.
	for last := c; next != "fi"; last = last.Else {
		p.node()
		last.Else = &If{}
		if next == "else" {
			last.Else.Then, next = p.body("fi")
			continue
		}
		last.Else.Cond, _ = p.body("then")
		last.Else.Then, next = p.body("fi", "elif", "else")
	}
	return c
}

// name reads the name of a variable.
func (p *Parser) name() string {
	p.blanks()
	n := nameLength(p.src[p.pos:])
	if n == 0 || p.pos+n < len(p.src) && !isMeta(p.src[p.pos+n]) {
		return ""
	}
	name := p.src[p.pos : p.pos+n]
	p.pos += n
	return name
}

func (p *Parser) forClause(line int, isSelect bool) Command {
	p.blanks()
	if !isSelect && p.dialect == Bash && p.has("((") {
		return p.arithmeticFor(line)
	}
	f := &For{Line: line, Select: isSelect}
	if f.Name = p.name(); f.Name == "" {
		if p.dialect != Bash {
			p.fail(Error{Reason: "bad for loop variable"})
		}
		if p.eof() || isMeta(p.at(0)) {
			p.unexpectedHere("")
		}
		at := p.pos
		p.word()
		f.Name = p.src[at:p.pos] // it is refused when it is reached
	}
	p.blanks()
	if p.at(0) != ';' {
		p.newlines()
	}
	p.aliasBeforeIn()
	if p.keyword() == "in" {
		p.pos += 2
		f.In = true
		for p.nextArgument(); !p.eof() && (!isMeta(p.at(0)) || p.procSubst()); p.nextArgument() {
			f.Items = append(f.Items, p.word())
		}
		if p.at(0) != ';' && p.at(0) != '\n' {
			p.unexpected("")
		}
	}
	if p.at(0) == ';' {
		p.pos++
	}
	if f.In || p.dialect != Bash {
		p.begin()
	} else { // where bash looks for nothing but a keyword
		p.newlines()
	}
	f.Do = p.doGroup()
	return f
}

// aliasBeforeIn replaces an alias in the place of "in", where bash knows none.
func (p *Parser) aliasBeforeIn() {
	if p.dialect != Bash {
		p.alias(atCommand)
	} else {
		p.alias(atArgument)
	}
}

// nextArgument goes to the next word, which may be an alias only if one that ends in a blank is before it.
func (p *Parser) nextArgument() {
	p.alias(atArgument)
	p.blanks()
}

// doGroup reads do …; done, or the braces that bash takes for it.
func (p *Parser) doGroup() []*Stmt {
	open, end := "do", "done"
	if p.keyword() == "{" && p.dialect == Bash {
		open, end = "{", "}"
	}
	if p.keyword() != open {
		p.unexpected("do")
	}
	p.pos += len(open)
	do, _ := p.body(end)
	return do
}

func (p *Parser) arithmeticFor(line int) Command {
	start := p.pos + 2
	end := p.pair(start-1, '(', ')') + 2
	if end > len(p.src) || p.src[end-1] != ')' {
		p.pos = min(end-1, len(p.src))
		p.fail(Error{Silent: true})
	}
	parts := splitTop(p.src[start:end-2], ';')
	if len(parts) != 3 {
		p.pos = end
		p.fail(Error{Token: "(("})
	}
	f := &ArithFor{Line: line}
	at := start
	for i, to := range []**Word{&f.Init, &f.Cond, &f.Post} {
		if strings.TrimSpace(parts[i]) != "" {
			*to = p.inner(parts[i], at, arithMode)
		}
		at += len(parts[i]) + 1
	}
	p.pos = end
	p.blanks()
	if p.at(0) == ';' {
		p.pos++
		p.begin()
	}
	p.newlines()
	f.Do = p.doGroup()
	return f
}

func (p *Parser) caseClause(line int) Command {
	c := &Case{Line: line}
	p.nextArgument()
	if p.eof() || isMeta(p.at(0)) && !p.procSubst() {
		p.unexpectedHere("word")
	}
	c.Word = p.word()
	p.newlines()
	p.aliasBeforeIn()
	if p.keyword() != "in" {
		p.unexpected("in")
	}
	p.pos += 2
	for {
		if p.dialect != Bash {
			p.alias(atArgument)
		}
		p.newlines()
		if p.keyword() == "esac" {
			p.pos += 4
			return c
		}
		p.node()
		item := &CaseItem{After: ";;"}
		if p.at(0) == '(' {
			p.pos++
			if p.blanks(); p.eof() {
				p.unexpectedHere(p.expecting(p.dialect != Bash, ")"))
			}
		}
		for {
			if p.blanks(); p.eof() && len(item.Patterns) > 0 {
				p.unexpectedHere(p.expecting(p.dialect != Bash, ")"))
			}
			if p.eof() || isMeta(p.at(0)) && !p.procSubst() {
				p.noPattern()
			}
			item.Patterns = append(item.Patterns, p.word())
			p.blanks()
			if p.at(0) != '|' {
				break
			}
			p.pos++
		}
		if p.at(0) != ')' {
			p.noParenthesis()
		}
		p.pos++
		var expects bool
		item.List, expects = p.list(true)
		c.Items = append(c.Items, item)
		switch {
		case p.has(";;&") && p.dialect == Bash:
			item.After = ";;&"
			p.pos += 3
		case p.has(";;"):
			p.pos += 2
		case p.has(";&") && p.dialect == Bash:
			item.After = ";&"
			p.pos += 2
		case p.keyword() != "esac":
			p.unexpected(p.expecting(expects, ";;"))
		}
	}
}

// noPattern fails because something else than a pattern stands where one should: ash and dash take any token for one,
// and then miss what follows it.
func (p *Parser) noPattern() {
	if p.dialect == Bash {
		p.unexpected("")
	}
	if !p.eof() {
		p.pos += p.operatorLength()
	}
	p.noParenthesis()
}

// noParenthesis fails because no parenthesis closes a pattern, or the one that makes a function of a name. Ash and dash see no
// keywords there.
func (p *Parser) noParenthesis() {
	p.blanks()
	if p.dialect != Bash && p.operatorLength() == 0 && !p.eof() {
		p.fail(Error{Token: "word", Expecting: ")"})
	}
	p.unexpectedHere(p.expecting(p.dialect != Bash, ")"))
}

// function reads the rest of: function name [()] body.
func (p *Parser) function(line int) Command {
	if p.dialect == Ash {
		p.alias(atName)
	}
	p.blanks()
	if p.eof() || isMeta(p.at(0)) {
		p.unexpectedHere("")
	}
	name := p.raw(p.word())
	p.blanks()
	if p.at(0) == '(' && p.blankThen(1, ')') > 0 {
		p.pos = p.blankThen(1, ')')
	}
	return p.functionBody(line, name)
}

// blankThen returns where the text goes on after a byte that only blanks separate from an offset, or 0.
func (p *Parser) blankThen(offset int, c byte) int {
	i := p.pos + offset
	for i < len(p.src) && (p.src[i] == ' ' || p.src[i] == '\t') {
		i++
	}
	if i < len(p.src) && p.src[i] == c {
		return i + 1
	}
	return 0
}

func (p *Parser) functionBody(line int, name string) Command {
	p.begin()
	if p.eof() || !p.startsCommand() || p.keyword() == "!" && p.dialect != Bash {
		p.unexpected("")
	}
	at := p.pos
	body := p.command()
	if _, simple := body.Cmd.(*Call); (simple || body.Cmd == nil) && p.dialect == Bash {
		p.pos = at
		p.unexpected("")
	}
	return &Func{line, name, body}
}

func (p *Parser) coproc(line int) Command {
	p.blanks()
	if p.keyword() == "!" || p.eof() { // no pipeline can stand here
		p.unexpectedHere("")
	}
	c := &Coproc{Name: "COPROC"}
	at := p.pos
	if name := p.name(); name != "" && !p.dialect.IsKeyword(name) {
		p.blanks()
		if cmd := p.compound(line); cmd != nil {
			c.Name = name
			c.Stmt = p.withRedirects(&Stmt{Line: line, Cmd: cmd})
			return c
		}
	}
	p.pos = at
	c.Stmt = p.command()
	return c
}

// simple reads a simple command, or the definition of a function.
func (p *Parser) simple(line int) *Stmt {
	node := p.nodes.simples.one()
	st, call := &node.stmt, &node.call
	st.Line, call.Line = line, line
	declares, condition := false, false
	evaluates, lost := false, false
	first := false // a word that is not an assignment came first
	for seen := 0; ; seen++ {
		behind := p.line()
		switch {
		case len(call.Args) > 0:
			p.alias(atArgument)
		case seen > 0:
			p.alias(atName)
		default:
			p.alias(atCommand)
		}
		p.blanks()
		if p.dialect == Bash {
			switch {
			case seen == 1 && len(call.Args) == 1:
				first, call.Line = true, p.line()
			case seen == 1, seen == 2 && first:
				call.Line = behind
			}
		}
		if condition && (p.has("&&") || p.has("||")) {
			p.node()
			call.Args = append(call.Args, &Word{Parts: []Part{&Lit{Value: p.src[p.pos : p.pos+2]}}})
			p.pos += 2
			continue
		}
		if lost = lost || p.lost; p.lost {
			p.lost = false
		} else if p.dialect == Bash && len(call.Args) == 0 && !lost && p.opensSubscript() {
			p.fail(Error{Quote: "]"})
		}
		if r := p.redirect(); r != nil {
			st.Redirs = append(st.Redirs, r)
			continue
		}
		if p.eof() || isMeta(p.at(0)) && !p.procSubst() {
			break
		}
		if len(call.Args) == 0 && !(lost && p.assignsArray()) {
			if a := p.assignment(); a != nil {
				call.Assigns = append(call.Assigns, a)
				continue
			}
		}
		if declares {
			at := p.pos
			if a := p.assignment(); a != nil && (a.Array != nil || a.Index != nil) {
				call.Args = append(call.Args, &Word{Assign: a})
				continue
			} else if a != nil && a.Text {
				name := &Lit{Value: a.Name + map[bool]string{false: "=", true: "+="}[a.Append]}
				call.Args = append(call.Args, &Word{Parts: append([]Part{name}, a.Value.Parts...)})
				continue
			}
			p.pos = at
		}
		if evaluates { // what looks like the assignment of an array is text
			at := p.pos
			if a := p.assignment(); a != nil && (a.Array != nil || a.Text) {
				call.Args = append(call.Args, &Word{Parts: []Part{&SglQuoted{Value: p.src[at:p.pos]}}})
				continue
			}
			p.pos = at
		}
		if p.stuck && p.nested == 0 && p.keyword() == "]]" {
			p.unexpected("")
		}
		w := p.word()
		if call.Args == nil {
			call.Args = p.nodes.args.room(usualArgs)
		}
		call.Args = append(call.Args, w)
		if p.dialect == Ash { // whose [[ is a command, but for && and || among its words
			if text, _ := w.Literal(); text == "[[" && len(call.Args) == 1 {
				condition = true
			} else if text == "]]" {
				condition = false
			}
		}
		if p.dialect == Bash && !declares {
			text, _ := w.Literal()
			switch text {
			case "declare", "typeset", "local", "export", "readonly":
				declares = len(call.Args) == 1 && !lost
			case "eval", "let":
				evaluates = len(call.Args) == 1
			}
		}
		if len(call.Args) == 1 && len(call.Assigns) == 0 && len(st.Redirs) == 0 {
			if end := p.blankThen(0, '('); end > 0 {
				return p.definition(line, w, end)
			}
		}
	}
	if len(call.Args) == 0 && len(call.Assigns) == 0 {
		if len(st.Redirs) == 0 {
			p.unexpected("")
		}
		return st
	}
	if p.at(0) == '(' && p.dialect == Bash { // the others leave it to what is around, which expects something else
		p.unexpected("")
	}
	st.Cmd = call
	return st
}

// definition reads the rest of name() body; after is behind the opening parenthesis.
func (p *Parser) definition(line int, w *Word, after int) *Stmt {
	name := p.raw(w)
	p.pos = after
	p.blanks()
	if p.at(0) != ')' {
		p.noParenthesis()
	}
	if p.dialect != Bash && (!IsName(name) || isSpecial(name)) {
		p.fail(Error{Reason: "bad function name"})
	}
	p.pos++
	return &Stmt{Line: line, Cmd: p.functionBody(line, name)}
}

// isSpecial reports whether a name is that of a special built-in, which ash and dash let no function have.
func isSpecial(name string) bool {
	switch name {
	case "break", "continue", "eval", "exec", "exit", "export", "local", "readonly", "return", "set", "shift", "times", "trap", "unset":
		return true
	}
	return false
}

// opensSubscript reports whether a name and a bracket stand here that is not closed.
func (p *Parser) opensSubscript() bool {
	n := nameLength(p.src[p.pos:])
	return n > 0 && p.at(n) == '[' && p.subscript(p.pos+n) < 0
}

// assignsArray reports whether the assignment of an array stands here.
func (p *Parser) assignsArray() bool {
	rest := strings.TrimPrefix(p.src[p.pos+nameLength(p.src[p.pos:]):], "+")
	return strings.HasPrefix(rest, "=(")
}

// assignment reads an assignment, or returns nil if none stands here.
func (p *Parser) assignment() *Assign {
	n := nameLength(p.src[p.pos:])
	if n == 0 {
		return nil
	}
	start, i := p.pos, p.pos+n
	a := &Assign{Name: p.src[start:i]}
	if i < len(p.src) && p.src[i] == '[' && p.dialect == Bash {
		end := p.subscript(i)
		if end < 0 || !strings.HasPrefix(p.src[end:], "=") && !strings.HasPrefix(p.src[end:], "+=") {
			return nil
		}
		a.Index = p.inner(p.src[i+1:end-1], i+1, indexMode)
		i = end
	}
	switch {
	case strings.HasPrefix(p.src[i:], "="):
		i++
	case strings.HasPrefix(p.src[i:], "+=") && p.dialect == Bash:
		a.Append = true
		i += 2
	default:
		return nil
	}
	p.node()
	p.pos = i
	if p.at(0) == '(' && p.dialect == Bash && a.Index == nil {
		a.Array = p.array()
		if !p.eof() && (!isMeta(p.at(0)) || p.procSubst()) {
			p.arrayAsText(a)
		}
		return a
	}
	if !p.eof() && (!isMeta(p.at(0)) || p.procSubst()) {
		a.Value = p.word()
	}
	return a
}

// arrayAsText makes the value of an array the text that bash takes it for where more stands right behind it: the elements
// with one blank between them, in parentheses, and what follows.
func (p *Parser) arrayAsText(a *Assign) {
	var parts []Part
	text := func(s string) { parts = append(parts, &SglQuoted{Value: s}) }
	text("(")
	for i, e := range a.Array.Elems {
		if i > 0 {
			text(" ")
		}
		if e.Index != nil {
			text("[")
			parts = append(parts, e.Index.Parts...)
			text(map[bool]string{false: "]=", true: "]+="}[e.Append])
		}
		if e.Value != nil {
			parts = append(parts, e.Value.Parts...)
		}
		p.node()
	}
	text(")")
	a.Value = &Word{Parts: append(parts, p.word().Parts...)}
	a.Array, a.Text = nil, true
}

// array reads (…) behind an assignment.
func (p *Parser) array() *Array {
	p.enter()
	defer p.leave()
	start := p.pos
	p.pos++
	p.arrays++
	a := &Array{}
	for {
		p.newlines()
		if p.at(0) == ')' {
			p.arrays--
			p.pos++
			return a
		}
		if p.eof() {
			p.pos = start
			p.fail(Error{Quote: ")"})
		}
		if isMeta(p.at(0)) && !p.procSubst() {
			p.unexpected("")
		}
		var e Element
		if p.at(0) == '[' {
			if end := p.subscript(p.pos); end > 0 && (strings.HasPrefix(p.src[end:], "=") || strings.HasPrefix(p.src[end:], "+=")) {
				e.Index = p.inner(p.src[p.pos+1:end-1], p.pos+1, indexMode)
				e.Append = p.src[end] == '+'
				p.pos = end + 1
				if e.Append {
					p.pos++
				}
			}
		}
		if !p.eof() && (!isMeta(p.at(0)) || p.procSubst()) {
			e.Value = p.word()
		}
		p.node()
		a.Elems = append(a.Elems, e)
	}
}

// subscript returns where the text goes on behind the bracket expression that begins at i, or -1.
func (p *Parser) subscript(i int) int {
	depth := 0
	for ; i < len(p.src); i++ {
		switch p.src[i] {
		case '\\':
			i++
		case '\'', '"':
			q := p.src[i]
			for i++; i < len(p.src) && p.src[i] != q; i++ {
				if q == '"' && p.src[i] == '\\' {
					i++
				}
			}
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '\n':
			return -1
		}
	}
	return -1
}
