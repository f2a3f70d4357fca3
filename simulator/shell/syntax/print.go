package syntax

import (
	"slices"
	"strconv"
	"strings"
)

// print returns a simple command as bash prints it.
func print(c *Call) string {
	var parts []string
	for _, a := range c.Assigns {
		parts = append(parts, PrintAssign(a))
	}
	for _, w := range c.Args {
		parts = append(parts, PrintWord(w))
	}
	return strings.Join(parts, " ")
}

// PrintStmt returns a command with its redirections on one line, for $BASH_COMMAND.
func PrintStmt(st *Stmt) string {
	p := printer{step: printedStep}
	p.command(st)
	return p.b.String()
}

// PrintHead returns the first line of a loop over words.
func PrintHead(f *For) string {
	word := "for "
	if f.Select {
		word = "select "
	}
	text := word + f.Name + " in "
	if !f.In {
		return text + `"$@"`
	}
	return text + strings.TrimPrefix(words(f.Items), " ")
}

func words(list []*Word) string {
	var b strings.Builder
	for _, w := range list {
		b.WriteString(" " + PrintWord(w))
	}
	return b.String()
}

// PrintFunction returns the definition of a function as bash prints it.
func PrintFunction(f *Func) string {
	p := printer{step: printedStep}
	if Bash.IsKeyword(f.Name) {
		p.text("function ")
	}
	p.text(f.Name + " () \n{ \n")
	p.body(f.Body)
	return p.b.String()
}

// ExportFunction returns the value of the variable by which bash hands a function on to its children.
func ExportFunction(f *Func) string {
	p := printer{indent: 1}
	p.text("() { ")
	p.body(f.Body)
	text := p.b.String()
	return strings.TrimSuffix(text, " }") + "}"
}

// printedStep is how far bash indents what is inside of something.
const printedStep = 4

// PrintSubst returns the commands of $(…) as bash prints them, to parse them again when they are to run.
func PrintSubst(cs *CmdSubst) string {
	if cs.Raw || cs.Script != nil {
		return cs.Text
	}
	text := printList(cs.List)
	if strings.HasPrefix(text, "(") { // which would begin arithmetic
		return " " + text
	}
	return text
}

// PrintProcess returns the commands of <(…) or >(…), which bash parses again when they are to run.
func PrintProcess(ps *ProcSubst) string { return printList(ps.List) }

func printList(list []*Stmt) string {
	p := printer{step: printedStep, substitution: true}
	p.list(list)
	return p.b.String()
}

// PrintAssign returns an assignment as it stood.
func PrintAssign(a *Assign) string {
	text := a.Name
	if a.Index != nil {
		text += "[" + PrintWord(a.Index) + "]"
	}
	if a.Append {
		text += "+"
	}
	text += "="
	if a.Array == nil {
		return text + PrintWord(a.Value)
	}
	var elems []string
	for _, e := range a.Array.Elems {
		item := PrintWord(e.Value)
		if e.Index != nil {
			sign := "]="
			if e.Append {
				sign = "]+="
			}
			item = "[" + PrintWord(e.Index) + sign + item
		}
		elems = append(elems, item)
	}
	return text + "(" + strings.Join(elems, " ") + ")"
}

// PrintWord returns a word as it stood.
func PrintWord(w *Word) string {
	if w == nil {
		return ""
	}
	if w.Assign != nil {
		return PrintAssign(w.Assign)
	}
	var b strings.Builder
	for _, part := range w.Parts {
		printPart(&b, part)
	}
	return b.String()
}

func printPart(b *strings.Builder, part Part) {
	switch part := part.(type) {
	case *Lit:
		b.WriteString(part.Value)
	case *SglQuoted:
		b.WriteString(part.print())
	case *DblQuoted:
		b.WriteByte('"')
		for _, inner := range part.Parts {
			printPart(b, inner)
		}
		b.WriteByte('"')
	case *Param:
		b.WriteString(part.Text)
	case *CmdSubst:
		if part.Backquote {
			b.WriteString("`" + part.Source + "`")
		} else {
			b.WriteString("$(" + PrintSubst(part) + ")")
		}
	case *ArithExp:
		b.WriteString("$((" + PrintWord(part.X) + "))")
	case *ProcSubst:
		sign := "<("
		if part.Out {
			sign = ">("
		}
		b.WriteString(sign + printList(part.List) + ")")
	}
}

// printer prints commands as bash does, with its line breaks and indentation.
type printer struct {
	b            strings.Builder
	indent       int
	step         int
	skip         int         // how many of the next indentations are left out
	function     int         // how many definitions of functions are around
	joined       int         // how many lists are around: the bodies of here-documents come behind the next operator
	docs         []*Redirect // here-documents whose bodies are still to come
	substitution bool        // newlines between commands stay
	document     bool        // a body has just been printed, so that no semicolon follows
}

func (p *printer) text(t string) { p.b.WriteString(t) }

// line begins a line.
func (p *printer) line() { p.text(strings.Repeat(" ", p.indent)) }

// begin begins a command: on a line of its own unless it continues one.
func (p *printer) begin() {
	if p.skip > 0 {
		p.skip--
		return
	}
	p.line()
}

func (p *printer) newline(text string) {
	p.text("\n")
	p.line()
	p.text(text)
}

func (p *printer) semicolon() {
	if text := p.b.String(); !strings.HasSuffix(text, "&") && !strings.HasSuffix(text, "\n") {
		p.text(";")
	}
}

// body prints the body of a function, in braces whatever it is.
func (p *printer) body(st *Stmt) {
	p.function++
	p.indent += p.step
	block, ok := st.Cmd.(*Block)
	if ok {
		p.list(block.List)
	} else {
		p.command(st)
	}
	p.documents("")
	p.indent -= p.step
	p.function--
	p.newline("}")
	if ok && len(st.Redirs) > 0 {
		p.text(" ")
		p.redirects(st.Redirs)
	}
}

// list prints commands that follow each other.
func (p *printer) list(list []*Stmt) {
	switch {
	case len(list) == 0:
		return
	case len(list) == 1 && !list[0].Background:
		p.command(list[0])
		return
	}
	p.begin()
	p.joined++
	p.skip++
	for i, st := range list {
		p.command(st)
		if i > 0 {
			p.documents("")
		}
		last := i == len(list)-1
		switch {
		case st.Background:
			p.documents(" &")
			if !last {
				p.text(" ")
				p.skip++
			}
		case !last:
			p.separate(list[i+1].NewLine)
		}
	}
	p.joined--
}

// separate prints what stands between two commands of a list; newline says that it was a newline.
func (p *printer) separate(newline bool) {
	switch {
	case len(p.docs) > 0:
		p.documents("")
	case p.document:
		p.document = false
	case p.substitution && newline:
	default:
		p.text(";")
	}
	if p.function > 0 || p.substitution && newline {
		p.text("\n")
		if p.function == 0 {
			p.skip++
		}
		return
	}
	p.text(" ")
	p.skip++
}

// chain prints commands joined by operators.
func (p *printer) chain(first *Stmt, rest []*Stmt, operators []string) {
	p.joined++
	p.skip++
	p.command(first)
	for i, st := range rest {
		p.documents(operators[i])
		if operators[i] == " |" {
			p.text(" ")
		}
		p.skip++
		p.command(st)
		p.documents("")
	}
	p.joined--
}

// documents prints an operator, and the bodies of the here-documents before it.
func (p *printer) documents(operator string) {
	p.text(operator)
	if len(p.docs) == 0 {
		return
	}
	docs := p.docs
	p.docs = nil
	p.bodies(docs)
	if operator != "" {
		p.text(" ")
	}
}

func (p *printer) bodies(docs []*Redirect) {
	p.text("\n")
	for _, r := range docs {
		p.text(r.Raw + EndWord(r) + "\n")
	}
	p.document = true
}

// EndWord returns the line that ends a here-document.
func EndWord(r *Redirect) string {
	end, _ := unquote(PrintWord(r.Word))
	return end
}

// redirects prints redirections, with their here-documents behind them or, in a list, behind the next operator.
func (p *printer) redirects(list []*Redirect) {
	var docs []*Redirect
	p.document = false
	for i, r := range list {
		if i > 0 {
			p.text(" ")
		}
		p.text(printRedirect(r))
		if r.Op == "<<" || r.Op == "<<-" {
			docs = append(docs, r)
		}
	}
	switch {
	case len(docs) > 0 && p.joined > 0:
		p.docs = docs
	case len(docs) > 0:
		p.bodies(docs)
	}
}

// printRedirect returns a redirection, of a here-document its first line.
func printRedirect(r *Redirect) string {
	n := r.N
	if r.Op[0] == '<' && n == "0" || r.Op[0] == '>' && n == "1" {
		n = ""
	}
	word := PrintWord(r.Word)
	switch r.Op {
	case "<<", "<<-":
		if r.Quoted {
			word = quoteSingle(EndWord(r))
		}
		return n + r.Op + word
	case "<>":
		if n == "" {
			n = "0"
		} else if n == "1" {
			n = ""
		}
	case "<&", ">&":
		digits := strings.TrimSuffix(word, "-")
		if word != "-" && strings.Trim(digits, "0123456789") != "" {
			return n + r.Op + word
		}
		if n == "" {
			n = "0"
			if r.Op == ">&" {
				n = "1"
			}
		}
		if word == "-" {
			return n + ">&-"
		}
		return n + r.Op + word
	}
	return n + r.Op + " " + word
}

// quoteSingle puts text into single quotes.
func quoteSingle(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// command prints one command with its redirections.
func (p *printer) command(st *Stmt) {
	p.begin()
	if t, ok := st.Cmd.(*Time); ok {
		p.text("time ")
		if t.Posix {
			p.text("-p ")
		}
	}
	if st.Negated {
		p.text("! ")
	}
	if st.Cmd != nil {
		p.inner(st.Cmd)
	}
	if len(st.Redirs) > 0 {
		if st.Cmd != nil {
			p.text(" ")
		}
		p.redirects(st.Redirs)
	}
}

// inner prints a command without what is around it.
func (p *printer) inner(cmd Command) {
	switch c := cmd.(type) {
	case *Call:
		p.text(print(c))
	case *Pipeline:
		p.pipeline(c)
	case *AndOr:
		rest, operators := make([]*Stmt, len(c.Rest)), make([]string, len(c.Rest))
		for i, item := range c.Rest {
			rest[i], operators[i] = item.Stmt, " || "
			if item.And {
				operators[i] = " && "
			}
		}
		p.chain(c.First, rest, operators)
	case *Block:
		p.group(c)
	case *Subshell:
		p.text("( ")
		p.skip++
		p.list(c.List)
		p.documents("")
		p.text(" )")
	case *If:
		p.ifClause(c)
	case *While:
		p.text(map[bool]string{false: "while ", true: "until "}[c.Until])
		p.skip++
		p.list(c.Cond)
		p.documents("")
		p.semicolon()
		p.text(" do\n")
		p.action(c.Do, "done")
	case *For:
		p.text(PrintHead(c) + ";")
		p.newline("do\n")
		p.action(c.Do, "done")
	case *ArithFor:
		part := func(w *Word) string {
			if w == nil {
				return "1"
			}
			return strings.TrimLeft(PrintWord(w), " \t\n")
		}
		p.text("for ((" + part(c.Init) + "; " + part(c.Cond) + "; " + part(c.Post) + "))")
		p.newline("do\n")
		p.action(c.Do, "done")
	case *Case:
		p.caseClause(c)
	case *Func:
		p.text("function " + c.Name + " () \n")
		p.line()
		p.text("{ \n")
		p.body(c.Body)
	case *Arith:
		p.text("((" + PrintWord(c.X) + "))")
	case *Cond:
		p.text("[[ " + printCond(c.X) + " ]]")
	case *Time:
		p.skip++
		p.command(c.Stmt)
	case *Coproc:
		p.text("coproc " + c.Name + " ")
		p.skip++
		p.command(c.Stmt)
	}
}

func (p *printer) pipeline(c *Pipeline) {
	stages, operators := make([]*Stmt, len(c.Stages)), make([]string, len(c.Stages))
	for i, st := range c.Stages {
		stages[i], operators[i] = st, " |"
		if c.Both[i] {
			both := *st
			both.Redirs = append(slices.Clone(st.Redirs), &Redirect{N: "2", Op: ">&", Word: &Word{Parts: []Part{&Lit{Value: "1"}}}})
			stages[i] = &both
		}
	}
	p.chain(stages[0], stages[1:], operators)
}

// action prints what a loop does, or a branch of an if, and the word behind it.
func (p *printer) action(list []*Stmt, word string) {
	p.indent += p.step
	p.list(list)
	p.documents("")
	p.indent -= p.step
	p.semicolon()
	p.newline(word)
}

func (p *printer) group(c *Block) {
	p.text("{ ")
	if p.function == 0 {
		p.skip++
		p.list(c.List)
		p.documents("")
		p.semicolon()
		p.text(" }")
		return
	}
	p.text("\n")
	p.indent += p.step
	p.list(c.List)
	p.documents("")
	p.indent -= p.step
	p.newline("}")
}

func (p *printer) ifClause(c *If) {
	depth := 0
	for {
		p.text("if ")
		p.skip++
		p.list(c.Cond)
		p.semicolon()
		p.text(" then\n")
		if c.Else == nil {
			break
		}
		p.action(c.Then, "else\n")
		c = c.Else
		if len(c.Cond) == 0 {
			break
		}
		depth++
		p.indent += p.step
		p.begin()
	}
	p.action(c.Then, "fi")
	for ; depth > 0; depth-- {
		p.indent -= p.step
		p.semicolon()
		p.newline("fi")
	}
}

func (p *printer) caseClause(c *Case) {
	p.text("case " + PrintWord(c.Word) + " in ")
	p.indent += p.step
	for _, item := range c.Items {
		p.newline("")
		for i, w := range item.Patterns {
			if i > 0 {
				p.text(" | ")
			}
			p.text(PrintWord(w))
		}
		p.text(")\n")
		p.indent += p.step
		p.list(item.List)
		p.indent -= p.step
		p.documents("")
		p.newline(item.After)
	}
	p.indent -= p.step
	p.newline("esac")
}

func printCond(x CondExpr) string {
	join := func(terms []CondExpr, op string) string {
		out := make([]string, len(terms))
		for i, t := range terms {
			out[i] = printCond(t)
		}
		return strings.Join(out, op)
	}
	switch x := x.(type) {
	case *CondWord:
		return "-n " + PrintWord(x.Word)
	case *CondNot:
		return "! " + printCond(x.X)
	case *CondGroup:
		return "( " + printCond(x.X) + " )"
	case *CondAnd:
		return join(x.Terms, " && ")
	case *CondOr:
		return join(x.Terms, " || ")
	case *CondUnary:
		return x.Op + " " + PrintWord(x.Word)
	case *CondBinary:
		return PrintWord(x.X) + " " + x.Op + " " + PrintWord(x.Y)
	}
	return strconv.Quote("?")
}

// Text parses text as the body of a here-document is parsed. What cannot be parsed is a mistake when it is expanded.
func Text(text string, d Dialect) *Word {
	p := &Parser{src: text, dialect: d, base: 1}
	return p.document(text, 0)
}
