package syntax

import (
	"strings"
)

// redirect reads a redirection, or returns nil if none stands here.
func (p *Parser) redirect() *Redirect {
	start := p.pos
	i := p.pos
	for i < len(p.src) && p.src[i] >= '0' && p.src[i] <= '9' {
		i++
	}
	if p.dialect == Dash && i-p.pos > 1 {
		return nil
	}
	if i == p.pos && p.dialect == Bash && p.at(0) == '{' {
		if n := nameLength(p.src[i+1:]); n > 0 && strings.HasPrefix(p.src[i+1+n:], "}") {
			i += n + 2
		}
	}
	rest := p.src[i:]
	if rest == "" || rest[0] != '<' && rest[0] != '>' && (rest[0] != '&' || i > p.pos) {
		return nil
	}
	op := ""
	for _, o := range []string{"<<-", "<<<", "&>>", "<<", ">>", "<&", ">&", "<>", ">|", "&>", "<", ">"} {
		if strings.HasPrefix(rest, o) {
			op = o
			break
		}
	}
	switch op {
	case "":
		return nil
	case "&>", "&>>":
		if p.dialect == Dash {
			return nil
		}
		if p.dialect == Ash {
			op = "&>"
		}
	case "<<<":
		if p.dialect != Bash {
			p.pos = i + 2
			p.unexpected("")
		}
	case "<", ">":
		if p.dialect != Dash && len(rest) > 1 && rest[1] == '(' && i == p.pos {
			return nil // a process substitution
		}
	}
	p.node()
	r := &Redirect{N: p.src[start:i], Op: op, Line: p.line()}
	p.pos = i + len(op)
	p.nextArgument()
	if p.eof() || isMeta(p.at(0)) && !p.procSubst() {
		p.unexpectedHere("")
	}
	at := p.pos
	r.Word = p.word()
	if op == "<<" || op == "<<-" {
		r.Raw, r.Quoted = unquote(p.src[at:p.pos])
		p.docs = append(p.docs, r)
	}
	return r
}

// unquote removes the quotes of a here-document's end word and reports whether there were any.
func unquote(text string) (string, bool) {
	if !strings.ContainsAny(text, `\'"`) {
		return text, false
	}
	var b strings.Builder
	var quote byte
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote == 0 && (c == '\'' || c == '"'):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		case c == '\\' && quote != '\'' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case c == '$' && quote == 0 && i+1 < len(text) && (text[i+1] == '\'' || text[i+1] == '"'):
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// bodies reads the here-documents that begin on this line. If that ends inside the text of an alias, or of something that
// bash has taken for arithmetic at first, bash reads them behind the line in which that text ends.
func (p *Parser) bodies() {
	docs := p.docs
	p.docs = nil
	if end := p.aliasEnd(); len(docs) > 0 && p.dialect == Bash && end > p.pos {
		at := p.pos
		p.pos = len(p.src)
		if n := strings.IndexByte(p.src[end:], '\n'); n >= 0 {
			p.pos = end + n + 1
		}
		from := p.pos
		p.documents(docs)
		p.base += strings.Count(p.src[from:p.pos], "\n")
		to := p.pos
		p.pos = at
		p.line()
		p.take(len(p.src))
		p.look(len(p.src))
		p.src = p.src[:from] + p.src[to:]
		return
	}
	p.documents(docs)
}

// documents reads the bodies of here-documents that begin here.
func (p *Parser) documents(docs []*Redirect) {
	for _, r := range docs {
		end := r.Raw
		start := p.pos
		var b strings.Builder
		joined := false
		for p.pos < len(p.src) {
			n := strings.IndexByte(p.src[p.pos:], '\n')
			line := p.src[p.pos:]
			if n >= 0 {
				line = line[:n+1]
			}
			p.pos += len(line)
			if r.Op == "<<-" && !joined {
				line = strings.TrimLeft(line, "\t")
			}
			text := strings.TrimSuffix(line, "\n")
			if text == end && !joined {
				break
			}
			joined = !r.Quoted && strings.HasSuffix(line, "\n") && (len(text)-len(strings.TrimRight(text, `\`)))%2 == 1
			p.take(len(line))
			b.WriteString(line)
			if r.Unended = p.eof(); r.Unended && p.dialect == Bash && !strings.HasSuffix(line, "\n") {
				b.WriteByte('\n')
			}
		}
		if start == p.pos {
			r.Unended = true
		}
		if r.Unended {
			p.unended = r
		}
		if r.Raw = b.String(); !r.Quoted {
			r.Doc = p.document(r.Raw, start)
		}
	}
}

// document parses the body of a here-document. What cannot be parsed is in bash a mistake when it is expanded.
func (p *Parser) document(text string, at int) (w *Word) {
	if p.dialect != Bash {
		return p.inner(text, at, hereMode)
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *Error:
			w = &Word{Parts: []Part{&Param{Bad: true, Text: text}}}
		default:
			panic(r)
		}
	}()
	return p.inner(text, at, hereMode)
}
