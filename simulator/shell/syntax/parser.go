package syntax

import (
	"strings"
)

// Limits are what a parser asks before it takes memory or stack.
type Limits struct {
	// Take accounts for n further bytes of the tree. It does not return if that is too much.
	Take func(n int64)
	// Look accounts for n bytes that are looked at once more.
	Look func(n int)
	// Unquote replaces the escapes of $'…', which bash does when it reads them.
	Unquote func(text string) string
	// TooDeep is called when commands and words are nested too deeply. It does not return.
	TooDeep func()
}

// maxDepth bounds the nesting of commands and words in each other.
const maxDepth = 2000

// nodeSize is what a node of the tree takes, about.
const nodeSize = 96

// Parser reads a script.
type Parser struct {
	src     string
	pos     int
	dialect Dialect
	limits  Limits
	// extglob says that bash's extended patterns are read outside of [[ ]] too.
	extglob bool

	base     int // the number of the first line
	seenPos  int // where lines have been counted
	seenLine int

	here      bool      // the text is a here-document
	inQuotes  bool      // ash and dash are inside of quotes or arithmetic, whose end they miss first
	continued bool      // the text ended behind a backslash and a newline
	unended   *Redirect // a here-document that the text ended in
	separated bool      // the last command had a separator behind it
	arrays    int       // values of arrays around
	conds     int       // [[ around
	depth     int
	size      int64
	nested    int         // substitutions around
	docs      []*Redirect // here-documents whose bodies begin after the line

	// dropping says that the rest of the word is nothing, because of a ${x:} in it.
	dropping bool

	aliases map[string]string // nil if they are not expanded
	pushed  []pushed          // aliases at work
	posix   bool              // keywords are not aliases, and in ${…} in double quotes ' is a letter
	stuck   bool              // see [Options]
	lost    bool              // the same
	around  bool              // a command substitution whose words are read stands in double quotes
	bare    bool              // so does the expansion that is read, inside of such a substitution
	literal bool              // aliases in substitutions are left as they are, for when these run

	nodes nodes // of the tree
}

// Options are the state of the shell that matters to how a script is read.
type Options struct {
	// Extglob reports whether bash's extended patterns are on at the beginning.
	Extglob bool
	// Posix is bash's POSIX mode.
	Posix bool
	// Stuck says that bash has met a mistake inside of [[ ]], and thinks that it is still there: it refuses the next one.
	Stuck bool
	// Lost says that bash has met the end of a text inside of quotes or brackets, and does not know that a command begins: it
	// knows no keyword, no alias and no array in its first word.
	Lost bool
	// Aliases are the texts of the aliases, by name. If there are any, only the first line with commands is read, since
	// it may change them.
	Aliases map[string]string
}

// Parse reads a whole script.
func Parse(text string, d Dialect, o Options, limits Limits) *Script {
	p := &Parser{src: text, dialect: d, extglob: o.Extglob, posix: o.Posix || d != Bash, limits: limits, base: 1, stuck: o.Stuck, lost: o.Lost}
	if len(o.Aliases) > 0 {
		p.aliases, p.literal = o.Aliases, d == Bash && !o.Posix
	}
	return p.script()
}

// sampleSize is how much of a script says how many lines it has.
const sampleSize = 4 << 10

func (p *Parser) script() (sc *Script) {
	sc = &Script{Text: p.src, Aliases: p.aliases != nil, Stuck: p.stuck, Posix: p.posix}
	lines := 1 + strings.Count(p.src[:min(len(p.src), sampleSize)], "\n")
	sc.Starts, sc.Extglob = make([]int, 0, lines), make([]bool, 0, lines)
	for {
		p.take(16)
		sc.Starts, sc.Extglob = append(sc.Starts, p.pos), append(sc.Extglob, p.extglob)
		line, more, err := p.nextLine()
		if err != nil {
			sc.Err = err
			if err.Array && err.Token != "" && p.dialect == Bash {
				p.resume(sc)
			}
			break
		}
		if len(line) > 0 {
			sc.Lines, sc.Ends = append(sc.Lines, line), append(sc.Ends, p.endLine())
			if p.dialect == Bash {
				p.watchOptions(line)
			}
		}
		if !more {
			break
		}
		if p.aliases != nil {
			if rest := p.src[p.pos:]; strings.TrimSpace(rest) != "" {
				sc.Rest, sc.RestLine = rest, p.line()
			}
			break
		}
	}
	sc.Size, sc.Unended = p.size, p.unended
	sc.Continued = p.continued && p.eof()
	return sc
}

// resume has the script go on in the next line, as bash does after a mistake in the value of an array.
func (p *Parser) resume(sc *Script) {
	if n := strings.IndexByte(p.src[p.pos:], '\n'); n >= 0 {
		p.pos += n + 1
		sc.Rest, sc.RestLine = p.src[p.pos:], p.line()
	}
}

// nextLine reads the commands up to the end of a line, with what belongs to them.
func (p *Parser) nextLine() (line []*Stmt, more bool, err *Error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			line, more, err = nil, false, r
		default:
			panic(r)
		}
	}()
	p.begin()
	if p.eof() {
		return nil, false, nil
	}
	for {
		st, separated := p.item()
		if line == nil {
			line = p.nodes.lines.room(1)
		}
		line = append(line, st)
		if separated {
			p.alias(atCommand)
		}
		p.blanks()
		if p.eof() {
			p.bodies()
			return line, false, nil
		}
		if p.src[p.pos] == '\n' {
			p.newline()
			return line, true, nil
		}
		if !p.startsCommand() || !separated && p.dialect != Bash {
			p.unexpected("")
		}
	}
}

// watchOptions notes whether a line of bash turns extended patterns on or off: it matters for how the next is read.
func (p *Parser) watchOptions(line []*Stmt) {
	for _, st := range line {
		var calls func(st *Stmt)
		calls = func(st *Stmt) {
			switch cmd := st.Cmd.(type) {
			case *AndOr:
				calls(cmd.First)
				for _, item := range cmd.Rest {
					calls(item.Stmt)
				}
			case *Block:
				for _, st := range cmd.List {
					calls(st)
				}
			case *If:
				for i := cmd; i != nil; i = i.Else {
					for _, st := range i.Then {
						calls(st)
					}
				}
			case *Call:
				if len(cmd.Args) < 3 {
					return
				}
				name, _ := cmd.Args[0].Literal()
				flag, _ := cmd.Args[1].Literal()
				if name != "shopt" || flag != "-s" && flag != "-u" {
					return
				}
				for _, w := range cmd.Args[2:] {
					if text, _ := w.Literal(); text == "extglob" {
						p.extglob = flag == "-s"
					}
				}
			}
		}
		calls(st)
	}
}

// node accounts for a node of the tree.
func (p *Parser) node() { p.take(nodeSize) }

func (p *Parser) take(n int) {
	p.size += int64(n)
	if p.limits.Take != nil {
		p.limits.Take(int64(n))
	}
}

// look accounts for going over a part of the script one more time.
func (p *Parser) look(n int) {
	if p.limits.Look != nil {
		p.limits.Look(n)
	}
}

// enter and leave count the nesting.
func (p *Parser) enter() {
	if p.depth++; p.depth > maxDepth {
		if p.limits.TooDeep != nil {
			p.limits.TooDeep()
		}
		panic(&Error{Line: p.line(), Reason: "nested too deeply"})
	}
}

func (p *Parser) leave() { p.depth-- }

func (p *Parser) eof() bool { return p.pos >= len(p.src) }

// at returns the byte at an offset from here, or 0 behind the end.
func (p *Parser) at(n int) byte {
	if p.pos+n < len(p.src) {
		return p.src[p.pos+n]
	}
	return 0
}

func (p *Parser) has(prefix string) bool { return strings.HasPrefix(p.src[p.pos:], prefix) }

// line is the number of the current line.
func (p *Parser) line() int {
	if p.pos < p.seenPos {
		p.seenLine -= strings.Count(p.src[p.pos:p.seenPos], "\n")
	} else {
		p.seenLine += strings.Count(p.src[p.seenPos:min(p.pos, len(p.src))], "\n")
	}
	p.seenPos = min(p.pos, len(p.src))
	return p.base + p.seenLine
}

// endLine is the number of the line that has been read up to here.
func (p *Parser) endLine() int {
	n := p.line()
	if p.pos > 0 && p.src[p.pos-1] == '\n' {
		n--
	}
	return n
}

// fail ends the parsing with an error at the current line.
func (p *Parser) fail(e Error) {
	if p.dialect != Bash && e.Quote != "" && e.Quote != "}" && e.Quote != ")" { // they have looked for it up to the end
		p.pos = len(p.src)
	}
	e.Line = p.line()
	if p.dialect != Bash && (e.Token != "" || e.Reason != "") && p.at(0) == '\n' { // they have read the newline
		e.Line++
	}
	e.Nested, e.Array, e.Condition = p.nested > 0, p.arrays > 0, p.conds > 0
	if p.dialect == Bash && p.eof() && (e.End || e.Token == "" && e.Quote == "" && e.Reason == "") {
		// Bash has to ask for another line to know that there is none.
		if e.Line++; strings.HasSuffix(p.src, "\n") {
			e.Line--
		}
		e.End = true
	}
	start := strings.LastIndexByte(p.src[:min(p.pos, len(p.src))], '\n') + 1
	end := strings.IndexByte(p.src[start:], '\n')
	if end < 0 {
		end = len(p.src) - start
	}
	e.Source = p.src[start : start+end]
	if p.dialect == Bash && e.Condition && e.Quote == "" && !e.End {
		e.Quote = p.openBehind()
	}
	panic(&e)
}

// openBehind returns the delimiter that has no partner in the rest of the line. Bash reads that far behind a mistake in [[ ]],
// and then finds the end of the script.
func (p *Parser) openBehind() (quote string) {
	pos, conds, depth := p.pos, p.conds, p.depth
	p.conds = 0
	defer func() {
		p.pos, p.conds, p.depth = pos, conds, depth
		switch r := recover().(type) {
		case nil:
		case *Error:
			quote = r.Quote
		default:
			panic(r)
		}
	}()
	for p.blanks(); !p.eof() && p.at(0) != '\n'; p.blanks() {
		if n := p.operatorLength(); n > 0 && !p.procSubst() {
			p.pos += n
			continue
		}
		p.parts(wordMode, false)
	}
	return ""
}

// unexpected fails because of the token that stands here.
func (p *Parser) unexpected(expecting string) {
	p.blanks()
	if p.dialect == Bash && !p.eof() && !isMeta(p.src[p.pos]) { // it reads the whole word, and may find another mistake there
		at := p.pos
		p.parts(wordMode, false)
		p.pos = at
	}
	p.fail(Error{Token: p.token(), Expecting: expecting})
}

// unexpectedHere is unexpected for what has to stand in the same line. Bash adds a newline to a script that ends without one,
// and finds that first.
func (p *Parser) unexpectedHere(expecting string) {
	if p.dialect == Bash && p.eof() {
		p.fail(Error{Token: "\n"})
	}
	p.unexpected(expecting)
}

// operators are the tokens that are not words, longest first.
var operators = []string{"<<-", "<<<", ";;&", "&>>", "&&", "||", ";;", ";&", "|&", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "\n", ";", "&", "|", "<", ">", "(", ")"}

// token returns the text of the token that stands here, for messages.
func (p *Parser) token() string {
	if p.eof() {
		return ""
	}
	for _, op := range operators {
		if p.has(op) {
			if p.dialect != Bash {
				switch op {
				case "|&":
					return "|"
				case ";;&", ";&", "&>", "&>>":
					return op[:len(op)-1]
				case "<<-", "<<<", "<<", ">>", "<&", ">&", "<>", ">|", "<", ">":
					return "redirection"
				}
			}
			return op
		}
	}
	start := p.pos
	for p.pos < len(p.src) && !isMeta(p.src[p.pos]) {
		p.pos++
	}
	text := p.src[start:p.pos]
	p.pos = start
	if p.dialect != Bash && !p.dialect.IsKeyword(text) && text != "in" {
		return "word"
	}
	return text
}

// operatorLength returns the length of the operator that stands here, or 0.
func (p *Parser) operatorLength() int {
	for _, op := range operators {
		if p.has(op) {
			return len(op)
		}
	}
	return 0
}

// isMeta reports whether a byte ends a word.
func isMeta(c byte) bool {
	switch c {
	case ' ', '\t', '\n', ';', '&', '|', '<', '>', '(', ')':
		return true
	}
	return false
}

// blanks skips blanks, comments and continued lines.
func (p *Parser) blanks() {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == ' ' || c == '\t':
			p.pos++
		case c == '\\' && p.at(1) == '\n':
			p.pos += 2
			p.continued = p.eof()
		case c == '#':
			n := strings.IndexByte(p.src[p.pos:], '\n')
			if n < 0 {
				n = len(p.src) - p.pos
			}
			p.pos += n
		default:
			return
		}
	}
}

// newline takes a newline and the here-documents that begin after it.
func (p *Parser) newline() {
	p.pos++
	p.lost = false
	p.bodies()
}

// newlines skips blanks and newlines.
func (p *Parser) newlines() {
	for {
		p.blanks()
		if p.eof() || p.src[p.pos] != '\n' {
			return
		}
		p.newline()
	}
}

// begin goes to where the next command begins.
func (p *Parser) begin() {
	for p.newlines(); p.alias(atCommand); p.newlines() {
	}
}

// keyword returns the unquoted text that stands here if it is a whole word.
func (p *Parser) keyword() string {
	if p.lost {
		return ""
	}
	i := p.pos
	for i < len(p.src) && i-p.pos < 10 && !isMeta(p.src[i]) {
		switch p.src[i] {
		case '\\', '\'', '"', '$', '`':
			return ""
		}
		i++
	}
	if i < len(p.src) && !isMeta(p.src[i]) {
		return ""
	}
	return p.src[p.pos:i]
}

// startsCommand reports whether a command can begin here: not at a separator, the end, or a word that closes
// something.
func (p *Parser) startsCommand() bool {
	switch p.at(0) {
	case 0:
		return !p.eof()
	case ')', ';', '|', '\n':
		return false
	case '&':
		return p.dialect != Dash && p.at(1) == '>'
	}
	switch p.keyword() {
	case "then", "elif", "else", "fi", "do", "done", "esac", "}":
		return false
	}
	return true
}

// list reads commands up to something that closes the list, which with mayBeEmpty may stand there at once. expects
// reports whether the caller may go on with what it expects there. If not, ash and dash have expected a command.
func (p *Parser) list(mayBeEmpty bool) (out []*Stmt, expects bool) {
	for {
		p.blanks()
		newline := !p.eof() && p.src[p.pos] == '\n' && !p.separated
		p.begin()
		if p.eof() {
			return out, true
		}
		if !p.startsCommand() {
			return out, (len(out) > 0 || mayBeEmpty) && p.closes()
		}
		st, separated := p.item()
		st.NewLine = newline
		out = append(out, st)
		if p.blanks(); !separated && !p.eof() && p.at(0) != '\n' && p.dialect != Bash {
			return out, true
		}
	}
}

// closes reports whether a word or sign stands here that ends a list.
func (p *Parser) closes() bool {
	if p.at(0) == ')' || p.has(";;") {
		return true
	}
	switch p.keyword() {
	case "then", "elif", "else", "fi", "do", "done", "esac", "}":
		return true
	}
	return false
}

// body reads a list that may not be empty, up to one of the closing words, which it takes and returns.
func (p *Parser) body(closing ...string) ([]*Stmt, string) {
	list, expects := p.list(false)
	word := p.keyword()
	for _, c := range closing {
		if word == c && len(list) > 0 {
			p.pos += len(c)
			return list, c
		}
	}
	p.unexpected(p.expecting(expects, closing[0]))
	return nil, ""
}

// item reads a list of && and || with the separator behind it, if there is one.
func (p *Parser) item() (st *Stmt, separated bool) {
	st = p.andOr()
	p.blanks()
	p.separated = true
	switch {
	case p.at(0) == '&' && p.at(1) != '&':
		if st.Background {
			st = &Stmt{Line: st.Line, Cmd: &Block{List: []*Stmt{st}}}
		}
		st.Background = true
	case p.at(0) == ';' && p.at(1) != ';' && (p.at(1) != '&' || p.dialect != Bash):
	default:
		p.separated = false
		return st, false
	}
	p.pos++
	return st, true
}

func (p *Parser) andOr() *Stmt {
	p.enter()
	defer p.leave()
	first := p.pipeline()
	var rest []AndOrItem
	for {
		p.blanks()
		and := p.has("&&")
		if !and && !p.has("||") {
			break
		}
		p.node()
		p.pos += 2
		p.begin()
		if p.eof() || !p.startsCommand() {
			p.unexpected("")
		}
		rest = append(rest, AndOrItem{and, p.pipeline()})
	}
	if rest == nil {
		return first
	}
	p.node()
	return &Stmt{Line: first.Line, Cmd: &AndOr{first, rest}}
}

func (p *Parser) pipeline() *Stmt {
	p.blanks()
	line := p.line()
	negated, isTimed, posix := false, false, false
	marked := false
	for {
		p.alias(atCommand)
		p.blanks()
		word := p.keyword()
		if word == "!" {
			if marked && p.dialect != Bash {
				p.unexpected("")
			}
			p.pos++
			negated, marked = !negated, true
			continue
		}
		if word == "time" && p.dialect == Bash && !isTimed {
			p.pos += 4
			p.blanks()
			isTimed, marked = true, true
			if p.keyword() == "-p" {
				p.pos += 2
				posix = true
			}
			continue
		}
		break
	}
	var st *Stmt
	if marked && p.dialect == Bash && (p.eof() || strings.IndexByte(";\n)&|", p.at(0)) >= 0) && !p.has("&>") {
		p.node()
		st = &Stmt{Line: line, Cmd: &Call{Line: line}}
		if p.at(0) == '|' || p.at(0) == '&' && !isTimed {
			p.unexpected("")
		}
	} else {
		st = p.stages()
	}
	if negated {
		if st.Negated {
			st = &Stmt{Line: line, Cmd: &Block{List: []*Stmt{st}}}
		}
		st.Negated = true
	}
	if isTimed {
		p.node()
		st = &Stmt{Line: line, Cmd: &Time{Posix: posix, Stmt: st}}
	}
	return st
}

func (p *Parser) stages() *Stmt {
	first := p.command()
	p.blanks()
	if p.at(0) != '|' || p.at(1) == '|' {
		return first
	}
	p.node()
	pipe := &Pipeline{Stages: []*Stmt{first}}
	for p.at(0) == '|' && p.at(1) != '|' {
		p.pos++
		all := p.at(0) == '&' && p.dialect == Bash
		if all {
			p.pos++
		}
		pipe.Both = append(pipe.Both, all)
		p.begin()
		if p.eof() || !p.startsCommand() || p.at(0) == '&' {
			p.unexpected("")
		}
		if p.keyword() == "!" {
			p.unexpected("")
		}
		pipe.Stages = append(pipe.Stages, p.command())
		p.blanks()
	}
	pipe.Both = append(pipe.Both, false)
	return &Stmt{Line: first.Line, Cmd: pipe}
}
