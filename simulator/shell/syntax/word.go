package syntax

import "strings"

// mode says where parts are read and what ends them.
type mode uint8

const (
	wordMode    mode = iota // up to a byte that ends a word
	regexMode               // the same, with parentheses and bars: the right side of =~
	quoteMode               // up to a double quote
	braceMode               // an operand of ${…}, up to the brace
	patternMode             // the pattern of ${x/pattern/text}, up to a slash or the brace
	hereMode                // a whole here-document
	arithMode               // a whole arithmetic expression
	sumMode                 // the same in ash and dash, up to two closing parentheses
	indexMode               // a whole subscript
)

// isArithmetic reports whether the parts are those of an expression.
func (m mode) isArithmetic() bool { return m == arithMode || m == sumMode }

// word reads a word. Something has to stand here.
func (p *Parser) word() *Word {
	w := p.nodes.word(p.parts(wordMode, false))
	p.dropping = false
	p.node()
	if len(w.Parts) == 0 {
		p.unexpected("")
	}
	return w
}

// raw returns a word as it stood, for names that are not expanded.
func (p *Parser) raw(w *Word) string {
	var b strings.Builder
	for _, part := range w.Parts {
		switch part := part.(type) {
		case *Lit:
			b.WriteString(part.Value)
		case *SglQuoted:
			b.WriteString("'" + part.Value + "'")
		case *Param:
			b.WriteString(part.Text)
		default:
			b.WriteString("$")
		}
	}
	return b.String()
}

// inner parses a part of the script by itself.
func (p *Parser) inner(text string, at int, m mode) *Word {
	p.node()
	if m != hereMode && !strings.ContainsAny(text, "$`\"'\\") || m == hereMode && !strings.ContainsAny(text, "$`\\") {
		if text == "" {
			return &Word{}
		}
		return &Word{Parts: []Part{&Lit{Value: text}}}
	}
	pos := p.pos
	p.pos = at
	sub := &Parser{src: text, dialect: p.dialect, limits: p.limits, extglob: p.extglob, posix: p.posix, base: p.line(), depth: p.depth}
	if p.nested == 0 || !p.literal {
		sub.aliases, sub.literal = p.aliases, p.literal
	}
	p.pos = pos
	sub.enter()
	sub.here = m == hereMode
	w := &Word{Parts: sub.parts(m, m == hereMode)} // what sub drops ends with it
	p.size += sub.size
	return w
}

// later is inner for what is a mistake only when it is reached.
func (p *Parser) later(text string, at int, m mode) (w *Word) {
	pos, depth := p.pos, p.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			p.pos, p.depth = pos, depth
			w = &Word{Parts: []Part{&Param{Bad: true, Text: text}}}
		default:
			panic(r)
		}
	}()
	return p.inner(text, at, m)
}

// procSubst reports whether a process substitution stands here.
func (p *Parser) procSubst() bool {
	return p.dialect != Dash && (p.at(0) == '<' || p.at(0) == '>') && p.at(1) == '('
}

// parts reads parts up to what ends the mode. quoted says that double quotes are around.
func (p *Parser) parts(m mode, quoted bool) []Part {
	p.enter()
	defer p.leave()
	var out []Part
	start := p.pos
	inside := m == braceMode || m == patternMode
	flush := func() {
		if p.pos > start && (inside || !p.dropping) {
			p.node()
			if out == nil {
				out = p.nodes.parts.room(1)
			}
			out = append(out, p.nodes.literal(p.src[start:p.pos]))
		}
	}
	dropping := p.dropping
	add := func(part Part) {
		p.node()
		if inside || !dropping {
			if out == nil {
				out = p.nodes.parts.room(1)
			}
			out = append(out, part)
		}
		start, dropping = p.pos, p.dropping
	}
	parens := 0
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case '\\':
			if p.pos+1 >= len(p.src) {
				p.pos++
				continue
			}
			p.pos += 2
			p.continued = p.eof() && p.src[p.pos-1] == '\n'
			continue
		case '$':
			if p.expands(m, quoted) {
				flush()
				add(p.dollar(m, quoted))
				continue
			}
		case '`':
			flush()
			add(p.backquote(m == quoteMode || quoted))
			continue
		case '"':
			if m == hereMode || m.isArithmetic() && p.dialect != Bash {
				break
			}
			if m == quoteMode {
				flush()
				return out
			}
			flush()
			p.pos++
			at := p.pos
			around, bare := p.around, p.bare
			p.around, p.bare = true, false
			parts := p.parts(quoteMode, true)
			p.around, p.bare = around, bare
			switch {
			case !p.eof():
				p.pos++
			case !m.isArithmetic(): // to which such a quote is nothing that has to have an end
				p.pos = at
				p.fail(Error{Quote: `"`})
			}
			if p.dialect == Bash && m == wordMode && strings.Contains(p.src[at:p.pos], "$$") {
				if text := strings.TrimSuffix(p.src[at:p.pos], `"`); p.opensBehindDollars(text) {
					p.parts(wordMode, quoted) // up to the end of the word
					for _, part := range p.readAgain(at-1, text) {
						add(part)
					}
					continue
				}
			}
			add(&DblQuoted{Parts: parts})
			continue
		case '\'':
			if quoted && m == braceMode && p.dialect == Bash && !p.posix { // its partner is looked for, and nothing else
				p.pairedQuote()
				continue
			}
			if m == quoteMode || m == hereMode || m.isArithmetic() || quoted && m == braceMode {
				break
			}
			flush()
			add(p.single(false))
			continue
		case '}':
			if m == braceMode || m == patternMode {
				flush()
				return out
			}
		case '(':
			if m == sumMode {
				parens++
			}
		case ')':
			if m != sumMode {
				break
			}
			if parens > 0 {
				parens--
			} else if p.at(1) == ')' {
				flush()
				return out
			}
		case '/':
			if m == patternMode && (len(out) > 0 || p.pos > start) {
				flush()
				return out
			}
		}
		if m == wordMode || m == regexMode {
			if (m == regexMode || p.extglob) && p.extended(c) {
				if m == wordMode {
					flush()
					for _, part := range p.extendedPattern() {
						add(part)
					}
					continue
				}
			}
			if m == regexMode {
				switch c {
				case '(':
					parens++
					p.pos++
					continue
				case ')':
					if parens > 0 {
						parens--
						p.pos++
						continue
					}
				case '|', '<', '>', ';', '&', ' ', '\t', '\n':
					if parens > 0 || c == '|' {
						p.pos++
						continue
					}
				}
			}
			if isMeta(c) {
				if p.procSubst() && m == wordMode {
					flush()
					add(p.processSubstitution())
					continue
				}
				flush()
				return out
			}
		}
		p.pos++
	}
	if m == regexMode && parens > 0 {
		p.fail(Error{Quote: ")"})
	}
	flush()
	return out
}

// opensBehindDollars reports whether a bracket that stands behind $$ in double quotes is not closed there: bash takes it for
// one behind a single dollar when it looks for the end of the quotes again, and misses its partner.
func (p *Parser) opensBehindDollars(text string) (open bool) {
	defer func() {
		if r := recover(); r != nil {
			if _, is := r.(*Error); !is {
				panic(r)
			}
			open = true
		}
	}()
	sub := &Parser{src: text, dialect: p.dialect, limits: p.limits, depth: p.depth}
	for i := 0; i+2 < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case strings.HasPrefix(text[i:], "$$("):
			i = sub.pair(i+2, '(', ')')
		case strings.HasPrefix(text[i:], "$${"):
			i = sub.pair(i+2, '{', '}')
		}
	}
	return false
}

// readAgain reads what is left of a word from a double quote on, as bash does when it expands the word: the bracket behind $$
// goes up to its partner, whatever quotes come before that, and the quotes up to the next one behind it. Without a partner the
// text between the quotes is a mistake.
func (p *Parser) readAgain(from int, text string) (out []Part) {
	src := p.src[from:p.pos]
	parser := func(src string) *Parser {
		return &Parser{src: src, dialect: p.dialect, limits: p.limits, extglob: p.extglob, posix: p.posix, depth: p.depth}
	}
	closing := parser(src)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		if _, is := r.(*Error); !is {
			panic(r)
		}
		out = []Part{&Param{Bad: true, Text: text}}
	}()
	end := closing.closingQuote(0)
	inside := parser(strings.ReplaceAll(src[1:end], `\"`, `"`))
	inside.here = true
	out = []Part{&DblQuoted{Parts: inside.parts(hereMode, true)}}
	rest := parser(src[end+1:])
	out = append(out, rest.parts(wordMode, false)...)
	p.size += inside.size + rest.size
	return out
}

// expands reports whether the dollar that stands here begins an expansion.
func (p *Parser) expands(m mode, quoted bool) bool {
	switch c := p.at(1); {
	case c == '(' || c == '{' || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9':
		return true
	case c != 0 && strings.IndexByte("@*#?-$!", c) >= 0:
		return true
	case c == '[':
		return p.dialect == Bash
	case c == '\'':
		return p.dialect != Dash && m != quoteMode && m != hereMode && !m.isArithmetic() && (p.dialect == Bash && !(quoted && (p.here || p.posix && m == braceMode)) || !(quoted && m == braceMode))
	case c == '"':
		return p.dialect == Bash && m != quoteMode && m != hereMode && !quoted
	}
	return false
}

// single reads '…', or $'…' from the quote on.
func (p *Parser) single(dollar bool) *SglQuoted {
	at := p.pos
	p.pos++
	start := p.pos
	for p.pos < len(p.src) && p.src[p.pos] != '\'' {
		if dollar && p.src[p.pos] == '\\' {
			p.pos++
		}
		p.pos++
	}
	if p.pos >= len(p.src) {
		p.pos = at
		p.fail(Error{Quote: "'"})
	}
	text := p.src[start:p.pos]
	p.pos++
	if dollar && p.dialect == Ash {
		text = ashEscapes(text)
	}
	q := &SglQuoted{Value: text, Dollar: dollar}
	if dollar {
		if q.Text = text; p.limits.Unquote != nil {
			q.Text = p.limits.Unquote(text)
		}
	}
	return q
}

// pairedQuote goes to the second of two single quotes.
func (p *Parser) pairedQuote() {
	n := strings.IndexByte(p.src[p.pos+1:], '\'')
	if n < 0 {
		p.fail(Error{Quote: "'"})
	}
	p.pos += n + 2
}

// ashEscapes protects from being replaced what ash does not know in $'…': \c, \e, \u.
func ashEscapes(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		b.WriteByte(text[i])
		if text[i] != '\\' || i+1 == len(text) {
			continue
		}
		i++
		if strings.IndexByte("ceEuU", text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// extended reports whether a group of an extended pattern begins here.
func (p *Parser) extended(c byte) bool {
	return p.at(1) == '(' && strings.IndexByte("?*+@!", c) >= 0
}

// extendedPattern reads a group of an extended pattern.
func (p *Parser) extendedPattern() []Part {
	p.enter()
	defer p.leave()
	out := []Part{&Lit{Value: p.src[p.pos : p.pos+2], Glob: true}}
	at := p.pos
	p.pos += 2
	for {
		switch c := p.at(0); {
		case p.eof():
			p.pos = at
			p.fail(Error{Quote: ")"})
		case c == ')':
			p.pos++
			return append(out, &Lit{Value: ")", Glob: true})
		case c == '|' || isMeta(c):
			p.pos++
			out = append(out, &Lit{Value: string(c), Glob: true})
		default:
			out = append(out, p.parts(wordMode, false)...)
		}
		p.node()
	}
}

// dollar reads the expansion that begins at a dollar.
func (p *Parser) dollar(m mode, quoted bool) Part {
	// Arithmetic is read as if it stood in double quotes, except the offsets of ash's ${x:…}.
	quoted = quoted || m == quoteMode || m == hereMode || m == sumMode || m == arithMode && p.dialect == Bash
	start := p.pos
	if m == wordMode || m == regexMode {
		defer func(around, bare bool) { p.around, p.bare = around, bare }(p.around, p.bare)
		p.around, p.bare = false, p.around
	}
	switch c := p.at(1); c {
	case '(':
		if p.at(2) == '(' && p.dialect == Bash {
			return p.arithmeticOrCommand()
		}
		if p.at(2) == '(' {
			return p.sum(quoted)
		}
		p.pos += 2
		return p.substitution(start)
	case '{':
		outer := p.inQuotes
		p.inQuotes = outer || p.dialect != Bash && !p.here && (quoted || m.isArithmetic())
		x := p.braces(quoted)
		p.inQuotes = outer
		return x
	case '[':
		end := p.subscript(p.pos + 1)
		if end < 0 {
			p.fail(Error{Quote: "]"})
		}
		x := p.inner(p.src[p.pos+2:end-1], p.pos+2, arithMode)
		p.pos = end
		return &ArithExp{x}
	case '\'':
		p.pos++
		q := p.single(true)
		if q.Inside = quoted; p.bare && m == braceMode && !quoted && p.dialect == Bash { // its text is read as if it stood there
			return &Lit{Value: q.Text}
		}
		return q
	case '"':
		p.pos += 2
		parts := p.parts(quoteMode, true)
		if p.eof() {
			p.pos = start
			p.fail(Error{Quote: `"`})
		}
		p.pos++
		return &DblQuoted{Parts: parts, Dollar: true}
	default:
		n := 1
		if c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			n = nameLength(p.src[p.pos+1:])
		}
		p.pos += 1 + n
		return &Param{Name: p.src[start+1 : p.pos], Short: true, Text: p.src[start:p.pos]}
	}
}

// substitution reads a command substitution from behind the opening parenthesis.
func (p *Parser) substitution(start int) Part {
	list := p.closed(start)
	text := p.src[start+2 : p.pos-1]
	if p.dialect == Bash {
		return &CmdSubst{List: list, Text: text}
	}
	sc := &Script{}
	if len(list) > 0 {
		sc.Lines = [][]*Stmt{list}
	}
	return &CmdSubst{Script: sc, Text: text}
}

// closed reads a list up to its closing parenthesis.
func (p *Parser) closed(start int) []*Stmt {
	docs, arrays, conds, bare, inQuotes := p.docs, p.arrays, p.conds, p.bare, p.inQuotes
	p.docs, p.arrays, p.conds, p.bare, p.inQuotes = nil, 0, 0, false, false
	p.nested++
	list, expects := p.list(true)
	if p.at(0) != ')' {
		if p.eof() && p.dialect == Bash {
			p.fail(Error{Quote: ")", End: true})
		}
		p.unexpected(p.expecting(expects, ")"))
	}
	p.nested--
	p.arrays, p.conds, p.bare, p.inQuotes = arrays, conds, bare, inQuotes
	p.pos++
	p.docs = append(docs, p.docs...)
	return list
}

func (p *Parser) processSubstitution() Part {
	start := p.pos
	out := p.at(0) == '>'
	p.pos += 2
	around := p.around
	p.around = false
	list := p.closed(start)
	p.around = around
	return &ProcSubst{List: list, Out: out}
}

// backquote reads `…`. Its text is parsed by itself; in bash, what is wrong with it shows when it is run.
func (p *Parser) backquote(quoted bool) Part {
	at := p.pos
	p.pos++
	var b strings.Builder
	for {
		if p.eof() {
			p.pos = at
			p.fail(Error{Quote: "`"})
		}
		c := p.src[p.pos]
		if c == '`' {
			break
		}
		if c == '\\' {
			if n := p.at(1); n == '`' || n == '\\' || n == '$' || n == '"' && quoted {
				p.pos++
				c = n
			}
		}
		b.WriteByte(c)
		p.pos++
	}
	end := p.pos + 1
	p.pos = at
	text, source := b.String(), p.src[at+1:end-1]
	p.take(len(text))
	if p.dialect == Bash && p.aliases != nil { // which are looked up when it is to run
		p.pos = end
		return &CmdSubst{Raw: true, Backquote: true, Text: text, Source: source}
	}
	sub := &Parser{src: text, dialect: p.dialect, limits: p.limits, extglob: p.extglob, posix: p.posix, base: p.line(), depth: p.depth}
	if p.dialect == Bash { // which counts from the line of the command
		sub.base = 1
	}
	sub.aliases = p.aliases
	sub.enter()
	var sc *Script
	if p.dialect == Bash {
		sc = sub.script()
	} else { // a mistake in it is one of the script around; what stands behind the list is not looked at
		list, _ := sub.list(true)
		sub.bodies()
		sc = &Script{Lines: [][]*Stmt{list}}
	}
	p.size += sub.size
	p.pos = end
	return &CmdSubst{Script: sc, Backquote: true, Text: text, Source: source}
}

// sum reads $((…)) as ash and dash do: to them whatever stands there is an expression, up to the next two parentheses
// that close together and close none that was opened inside.
func (p *Parser) sum(quoted bool) Part {
	start := p.pos
	p.pos += 3
	x := &Word{Parts: p.parts(sumMode, quoted)}
	if p.eof() {
		p.pos = start
		p.fail(Error{Quote: "))"})
	}
	p.pos += 2
	return &ArithExp{x}
}

// arithmeticOrCommand reads what begins with $((: bash looks for the parenthesis that closes the first one, and takes
// what is inside for arithmetic if it is a whole in parentheses. Otherwise it is a command, which is parsed when it is
// to run.
func (p *Parser) arithmeticOrCommand() Part {
	start := p.pos
	end := p.pair(start+1, '(', ')')
	text := p.src[start+2 : end]
	whole := strings.HasSuffix(text[1:], ")") && p.balanced(start+3, end-1)
	p.pos = end + 1
	if strings.Contains(text, "$'") {
		text = p.unquoted(text, false)
		inner := text[1:]
		whole = strings.HasSuffix(inner, ")") && balanced(inner[:len(inner)-1])
	}
	if inner := text[1:]; whole {
		return &ArithExp{p.later(inner[:len(inner)-1], start+3, arithMode)}
	}
	return &CmdSubst{Text: text, Raw: true}
}

// pair returns where the bracket that opens at i is closed, as bash looks for it: brackets in quotes do not count.
func (p *Parser) pair(i int, open, closing byte) int {
	p.enter()
	defer p.leave()
	from, depth := i, 0
	defer func() { p.look(max(0, i-from)) }()
	for ; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case c == '\\':
			i++
		case c == '\'' || c == '"' || c == '`':
			i = p.closingQuote(i)
		case c == '$' && i+1 < len(p.src) && p.src[i+1] == '{':
			i = p.pair(i+1, '{', '}')
		case c == '$' && open == '(' && strings.HasPrefix(p.src[i:], "$(") && !strings.HasPrefix(p.src[i:], "$(("):
			i = p.skipSubstitution(i)
		case c == open:
			depth++
		case c == closing:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	p.pos = from
	p.fail(Error{Quote: string(closing)})
	return -1
}

// skipSubstitution returns where the command substitution at i ends, which bash parses to find that out.
func (p *Parser) skipSubstitution(i int) int {
	at, docs := p.pos, p.docs
	p.pos, p.docs = i, nil
	p.dollar(wordMode, false)
	end := p.pos - 1
	p.pos, p.docs = at, docs
	return end
}

// closingQuote returns where the quote at i has its partner.
func (p *Parser) closingQuote(i int) int {
	q := p.src[i]
	dollar := q == '\'' && i > 0 && p.src[i-1] == '$' && !(p.here && p.nested == 0) // in a here-document nothing has replaced it
	for j := i + 1; j < len(p.src); j++ {
		switch {
		case p.src[j] == q:
			return j
		case p.src[j] == '\\' && (q != '\'' || dollar):
			j++
		case q == '"' && p.src[j] == '`':
			j = p.closingQuote(j)
		case q == '"' && strings.HasPrefix(p.src[j:], "$(("):
			j = p.pair(j+1, '(', ')')
		case q == '"' && strings.HasPrefix(p.src[j:], "$("):
			j = p.skipSubstitution(j)
		case q == '"' && strings.HasPrefix(p.src[j:], "${"):
			j = p.pair(j+1, '{', '}')
		}
	}
	p.pos = i
	p.fail(Error{Quote: string(q)})
	return -1
}

// balanced reports whether the parentheses of a part of the script that stand in no quotes close each other. A quote that
// has no end hides the rest.
func (p *Parser) balanced(from, to int) (whole bool) {
	if !strings.ContainsAny(p.src[from:to], "()") {
		return true
	}
	depth, pos, nesting := 0, p.pos, p.depth
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			p.pos, p.depth = pos, nesting
			whole = depth == 0
		default:
			panic(r)
		}
	}()
	for i := from; i < to; i++ {
		switch p.src[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return false
			}
		case '\\':
			i++
		case '\'', '"':
			i = p.closingQuote(i)
		}
	}
	return depth == 0
}

// balanced reports whether parentheses that stand in no quotes close each other, in a text without substitutions in quotes.
func balanced(text string) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '(':
			depth++
		case ')':
			if depth--; depth < 0 {
				return false
			}
		case '\\':
			i++
		case '\'', '"':
			for i++; i < len(text) && text[i] != c; i++ {
				if c == '"' && text[i] == '\\' {
					i++
				}
			}
		}
	}
	return depth == 0
}

// splitTop splits text at a byte that stands in no quotes and no brackets.
func splitTop(text string, at byte) []string {
	var out []string
	depth, start := 0, 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '\\':
			i++
		case '\'', '"', '`':
			for i++; i < len(text) && text[i] != c; i++ {
				if c != '\'' && text[i] == '\\' {
					i++
				}
			}
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case at:
			if depth == 0 {
				out = append(out, text[start:i])
				start = i + 1
			}
		}
	}
	return append(out, text[start:])
}
