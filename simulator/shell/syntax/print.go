package syntax

import (
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
	p := printer{}
	p.stmt(st)
	return p.b.String()
}

// PrintHead returns the first line of a loop over words.
func PrintHead(f *For) string {
	word := "for "
	if f.Select {
		word = "select "
	}
	text := word + f.Name + " in"
	if !f.In {
		return text + ` "$@"`
	}
	return text + words(f.Items)
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
	p := printer{}
	p.text(f.Name + " () \n")
	p.body(f.Body)
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
		if part.Dollar {
			b.WriteByte('$')
		}
		b.WriteString("'" + part.Value + "'")
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
			b.WriteString("`" + part.Text + "`")
		} else {
			b.WriteString("$(" + part.Text + ")")
		}
	case *ArithExp:
		b.WriteString("$((" + PrintWord(part.X) + "))")
	case *ProcSubst:
		b.WriteString(part.Text)
	}
}

// printer prints commands with bash's line breaks and indentation.
type printer struct {
	b      strings.Builder
	indent int
	docs   []*Redirect
}

func (p *printer) text(t string) { p.b.WriteString(t) }

// line begins a line.
func (p *printer) line() { p.text(strings.Repeat("    ", p.indent)) }

// body prints the body of a function, in braces whatever it is.
func (p *printer) body(st *Stmt) {
	list := []*Stmt{st}
	block, ok := st.Cmd.(*Block)
	if ok {
		list = block.List
	}
	p.line()
	p.text("{ \n")
	p.indent++
	p.list(list)
	p.indent--
	p.text("\n")
	p.line()
	p.text("}")
	if ok {
		p.redirects(st)
	}
}

// list prints commands, one a line.
func (p *printer) list(list []*Stmt) {
	for i, st := range list {
		p.line()
		p.stmt(st)
		if st.Background {
			p.text(" &")
		}
		p.documents()
		if i == len(list)-1 {
			break
		}
		if st.Background || strings.HasSuffix(p.b.String(), "\n") {
			p.text("\n")
			continue
		}
		p.text(";\n")
	}
}

// documents prints the here-documents of a line.
func (p *printer) documents() {
	for _, r := range p.docs {
		p.text("\n" + r.Raw + EndWord(r) + "\n")
	}
	p.docs = nil
}

// EndWord returns the line that ends a here-document.
func EndWord(r *Redirect) string {
	end, _ := unquote(PrintWord(r.Word))
	return end
}

func (p *printer) redirects(st *Stmt) {
	for _, r := range st.Redirs {
		p.text(" " + r.N + r.Op)
		if r.Op == "<<" || r.Op == "<<-" {
			p.docs = append(p.docs, r)
			p.text(PrintWord(r.Word))
			continue
		}
		if r.Op != "<&" && r.Op != ">&" {
			p.text(" ")
		} else if r.N == "" {
			if r.Op == ">&" {
				text := strings.TrimSuffix(p.b.String(), r.Op)
				p.b.Reset()
				p.text(text + "1" + r.Op)
			}
		}
		p.text(PrintWord(r.Word))
	}
}

func (p *printer) stmt(st *Stmt) {
	if st.Negated {
		p.text("! ")
	}
	if st.Cmd != nil {
		p.command(st.Cmd)
	}
	p.redirects(st)
}

func (p *printer) nested(list []*Stmt) {
	p.text("\n")
	p.indent++
	p.list(list)
	p.indent--
	if !strings.HasSuffix(p.b.String(), "\n") {
		p.text(";\n")
	}
	p.line()
}

func (p *printer) inline(list []*Stmt) {
	for i, st := range list {
		if i > 0 {
			p.text("; ")
		}
		p.stmt(st)
		if st.Background {
			p.text(" &")
		}
	}
}

func (p *printer) command(cmd Command) {
	switch c := cmd.(type) {
	case *Call:
		p.text(print(c))
	case *Pipeline:
		for i, st := range c.Stages {
			if i > 0 {
				if c.Both[i-1] {
					p.text(" 2>&1")
				}
				p.text(" | ")
			}
			p.stmt(st)
		}
	case *AndOr:
		p.stmt(c.First)
		for _, item := range c.Rest {
			op := " || "
			if item.And {
				op = " && "
			}
			p.text(op)
			p.stmt(item.Stmt)
		}
	case *Block:
		p.text("{ \n")
		p.indent++
		p.list(c.List)
		p.indent--
		p.text("\n")
		p.line()
		p.text("}")
	case *Subshell:
		p.text("( ")
		p.inline(c.List)
		p.text(" )")
	case *If:
		p.text("if ")
		p.ifClause(c)
	case *While:
		word := "while "
		if c.Until {
			word = "until "
		}
		p.text(word)
		p.inline(c.Cond)
		p.text("; do")
		p.nested(c.Do)
		p.text("done")
	case *For:
		p.text(strings.TrimSuffix(PrintHead(c), " ") + ";\n")
		p.line()
		p.text("do")
		p.nested(c.Do)
		p.text("done")
	case *ArithFor:
		p.text("for ((" + PrintWord(c.Init) + "; " + PrintWord(c.Cond) + "; " + PrintWord(c.Post) + "))\n")
		p.line()
		p.text("do")
		p.nested(c.Do)
		p.text("done")
	case *Case:
		p.caseClause(c)
	case *Func:
		p.text("function " + c.Name + " () \n")
		p.body(c.Body)
	case *Arith:
		p.text("((" + PrintWord(c.X) + "))")
	case *Cond:
		p.text("[[ " + printCond(c.X) + " ]]")
	case *Time:
		p.text("time ")
		if c.Posix {
			p.text("-p ")
		}
		p.stmt(c.Stmt)
	case *Coproc:
		p.text("coproc " + c.Name + " ")
		p.stmt(c.Stmt)
	}
}

func (p *printer) ifClause(c *If) {
	p.inline(c.Cond)
	p.text("; then")
	p.nested(c.Then)
	depth := 0
	for c = c.Else; c != nil; c = c.Else {
		p.text("else")
		if len(c.Cond) == 0 {
			p.nested(c.Then)
			break
		}
		p.text("\n")
		p.indent++
		depth++
		p.line()
		p.text("if ")
		p.inline(c.Cond)
		p.text("; then")
		p.nested(c.Then)
	}
	p.text("fi")
	for ; depth > 0; depth-- {
		p.indent--
		p.text(";\n")
		p.line()
		p.text("fi")
	}
}

func (p *printer) caseClause(c *Case) {
	p.text("case " + PrintWord(c.Word) + " in ")
	p.indent++
	for _, item := range c.Items {
		p.text("\n")
		p.line()
		for i, w := range item.Patterns {
			if i > 0 {
				p.text(" | ")
			}
			p.text(PrintWord(w))
		}
		p.text(")\n")
		p.indent++
		p.list(item.List)
		p.indent--
		p.text("\n")
		p.line()
		p.text(item.After)
	}
	p.indent--
	p.text("\n")
	p.line()
	p.text("esac")
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
