package syntax

import "strings"

// braces reads ${…}. What makes no sense inside is kept as it stands: it is a mistake when it is expanded.
func (p *Parser) braces(quoted bool) Part {
	p.enter()
	defer p.leave()
	start := p.pos
	p.pos += 2
	pm := &Param{}
	if !p.parameter(pm, quoted) || p.at(0) != '}' {
		p.pos = start + 2
		p.skipBraces(start, quoted)
		pm = &Param{Bad: true, Name: pm.Name, Index: pm.Index, All: pm.All, Transform: pm.Transform}
	}
	p.pos++
	p.dropping = p.dropping || pm.Op == Swallow
	pm.Text = p.src[start:p.pos]
	if p.dialect == Bash && !p.here && strings.Contains(pm.Text, "$'") {
		pm.Text = p.unquoted(pm.Text, quoted || p.bare)
	}
	return pm
}

// unquoted replaces $'…' in the text of an expansion, which bash does when it reads it. In double quotes around the expansion
// only the text is left, unless it belongs to a pattern, and in such inside of it they are none.
func (p *Parser) unquoted(text string, quoted bool) string {
	var b strings.Builder
	type level struct{ quoted, bare, inside bool } // of braces: in double quotes, the same without a pattern, in such inside
	levels := []level{{quoted: quoted, bare: quoted}}
	start := 0
	for i := 0; i < len(text); i++ {
		top := &levels[len(levels)-1]
		switch c := text[i]; {
		case c == '\\':
			i++
		case c == '"':
			top.inside = !top.inside
		case strings.HasPrefix(text[i:], "${"):
			i++
			within := top.quoted || top.inside
			p.take(len("${"))
			levels = append(levels, level{quoted: within, bare: within && !hasPattern(text[i+1:])})
		case c == '}' && len(levels) > 1:
			levels = levels[:len(levels)-1]
		case c == '\'' && !top.inside:
			i += 1 + max(0, strings.IndexByte(text[i+1:], '\''))
		case c == '$' && !top.inside && strings.HasPrefix(text[i:], "$'"):
			end := i + 2
			for end < len(text) && text[end] != '\'' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return text
			}
			q := text[i+2 : end]
			if p.limits.Unquote != nil {
				q = p.limits.Unquote(q)
			}
			if !top.bare {
				q = quoteSingle(q)
			}
			b.WriteString(text[start:i] + q)
			i, start = end, end+1
		}
	}
	p.take(b.Len())
	return b.String() + text[start:]
}

// hasPattern reports whether the operator of an expansion takes a pattern, as bash sees it while it reads what follows the
// brace: by the first sign of an operator.
func hasPattern(text string) bool {
	for i := 0; i < len(text) && text[i] != '}'; i++ {
		if strings.IndexByte("#%^,/~:-=?+", text[i]) >= 0 {
			return i > 0 && strings.IndexByte("#%^,/", text[i]) >= 0
		}
	}
	return false
}

// Swallow is the operator of ${x:} in ash and dash. They take the brace for a part of it, so that the operand goes on to
// the next brace; and what follows that in the word is lost.
const Swallow = ":}"

// skipBraces goes to the brace that closes an expansion.
func (p *Parser) skipBraces(start int, quoted bool) {
	depth := 1
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; c {
		case '\\':
			p.pos++
		case '\'', '"', '`':
			if c == '\'' && quoted {
				break
			}
			for p.pos++; p.pos < len(p.src) && p.src[p.pos] != c; p.pos++ {
				if c != '\'' && p.src[p.pos] == '\\' {
					p.pos++
				}
			}
		case '$':
			if p.at(1) == '{' {
				depth++
				p.pos++
			}
		case '}':
			if depth--; depth == 0 {
				return
			}
		}
		p.pos++
	}
	p.pos = start
	p.unclosed()
}

// parameterName returns the length of the name of a parameter at an offset.
func (p *Parser) parameterName(offset int) int {
	rest := p.src[min(p.pos+offset, len(p.src)):]
	if n := nameLength(rest); n > 0 {
		return n
	}
	n := 0
	for n < len(rest) && rest[n] >= '0' && rest[n] <= '9' {
		n++
	}
	if n == 0 && rest != "" && strings.IndexByte("@*#?-$!", rest[0]) >= 0 {
		return 1
	}
	return n
}

// parameter reads the inside of ${…} up to the closing brace. It returns false if it cannot.
func (p *Parser) parameter(pm *Param, quoted bool) bool {
	switch p.at(0) {
	case '#':
		// ${#name} is a length, ${#} and ${#-word} concern $#.
		if n := p.parameterName(1); n > 0 {
			end := p.pos + 1 + n
			if p.dialect == Bash && end < len(p.src) && p.src[end] == '[' {
				if e := p.subscript(end); e > 0 {
					end = e
				}
			}
			if end < len(p.src) && p.src[end] == '}' {
				pm.Length = true
				p.pos++
				break
			}
			if c := p.at(1); c != '#' && c != '-' && c != '?' { // ${#x:-y} and the like
				return false
			}
		}
	case '!':
		if p.dialect == Bash && (nameLength(p.src[p.pos+1:]) > 0 || strings.IndexByte("@*#?$!0123456789", p.at(1)) >= 0 && p.at(1) != 0 && p.at(2) == '}' || p.at(1) >= '0' && p.at(1) <= '9') {
			pm.Indirect = true
			p.pos++
		}
	}
	n := p.parameterName(0)
	if n == 0 {
		return false
	}
	pm.Name = p.src[p.pos : p.pos+n]
	p.pos += n
	if p.at(0) == '[' && p.dialect == Bash && nameLength(pm.Name) > 0 {
		end := p.subscript(p.pos)
		if end < 0 {
			return false
		}
		switch text := p.src[p.pos+1 : end-1]; text {
		case "@", "*":
			pm.All = text[0]
		case "":
			return false
		default:
			pm.Index = p.inner(text, p.pos+1, indexMode)
		}
		p.pos = end
	}
	if pm.Length {
		return true
	}
	if pm.Indirect && (p.has("@}") || p.has("*}")) && pm.Index == nil && pm.All == 0 {
		pm.Names = p.at(0)
		p.pos++
		return true
	}
	return p.operator(pm, quoted)
}

// operator reads an operator and its operands.
func (p *Parser) operator(pm *Param, quoted bool) bool {
	c, next := p.at(0), p.at(1)
	var op string
	switch c {
	case '}':
		return true
	case ':':
		if next == '}' && p.dialect != Bash { // the brace belongs to what makes no sense
			pm.Op = Swallow
			p.pos += 2
			pm.Word = &Word{Parts: p.parts(braceMode, quoted)}
			p.closing()
			return true
		}
		if next == 0 || strings.IndexByte("-=?+", next) < 0 {
			return p.dialect != Dash && p.slice(pm)
		}
		op = p.src[p.pos : p.pos+2]
	case '-', '=', '?', '+':
		op = string(c)
	case '#', '%':
		quoted = false
		if op = string(c); next == c {
			op += op
		}
	case '^', ',', '~':
		if p.dialect != Bash {
			return false
		}
		quoted = false
		if op = string(c); next == c {
			op += op
		}
	case '/':
		if p.dialect == Dash {
			return false
		}
		return p.replacement(pm)
	case '@':
		if p.dialect != Bash || p.at(2) != '}' || strings.IndexByte("QEPAaUuLKk", next) < 0 {
			pm.Transform = p.dialect == Bash
			return false
		}
		pm.Op, pm.Word = "@", &Word{Parts: []Part{&Lit{Value: string(next)}}}
		p.pos += 2
		return true
	default:
		return false
	}
	pm.Op = op
	p.pos += len(op)
	bare := p.bare
	p.bare = bare && strings.IndexByte("#%^,", c) < 0 // a pattern keeps its quotes
	pm.Word = &Word{Parts: p.parts(braceMode, quoted)}
	p.bare = bare
	p.closing()
	return true
}

// closing fails if the script ends inside of an expansion.
func (p *Parser) closing() {
	if p.eof() {
		p.unclosed()
	}
}

// unclosed fails because the end of an expansion is missing.
func (p *Parser) unclosed() {
	if p.inQuotes {
		p.fail(Error{Quote: `"`})
	}
	p.fail(Error{Quote: "}"})
}

func (p *Parser) replacement(pm *Param) bool {
	pm.Op = "/"
	if p.at(1) == '/' {
		pm.Op = "//"
	}
	p.pos += len(pm.Op)
	bare := p.bare
	p.bare = false
	pm.Word = &Word{Parts: p.parts(patternMode, false)}
	if p.at(0) == '/' {
		p.pos++
		pm.With = &Word{Parts: p.parts(braceMode, false)}
	}
	p.bare = bare
	p.closing()
	return true
}

// slice reads :offset and :offset:count.
func (p *Parser) slice(pm *Param) bool {
	p.pos++
	start := p.pos
	p.skipBraces(start-1, false)
	end := p.pos
	text := p.src[start:end]
	if strings.TrimSpace(text) == "" && p.dialect == Bash {
		return false
	}
	// A colon that belongs to a ?: does not end the offset.
	at, questions := -1, 0
	offset := 0
	parts := splitTop(text, ':')
	for i, part := range parts {
		questions += strings.Count(part, "?")
		if i == len(parts)-1 {
			break
		}
		offset += len(part)
		if questions > 0 {
			questions--
			offset++
			continue
		}
		at = offset
		break
	}
	pm.Op = ":"
	if at < 0 {
		pm.Offset = p.inner(text, start, arithMode)
	} else {
		pm.Offset = p.inner(text[:at], start, arithMode)
		pm.Count = p.inner(text[at+1:], start+at+1, arithMode)
	}
	p.pos = end
	return true
}
