package syntax

import "strings"

// Aliases are expanded where the parser stands: the text of an alias takes the place of its name in the script, and the
// parser goes on with it. So an alias may be any part of a command, also one that opens a loop or a quote.

// pushed is the text of an alias that has taken the place of its name.
type pushed struct {
	name string // or "" for the text behind the first of two parentheses that is not arithmetic: bash has read it already
	end  int    // where the text ends
	next bool   // it ends in a blank, so that the word behind it may be an alias too
}

// place says what a word would be where the parser stands.
type place uint8

const (
	atArgument place = iota // no alias, unless one that ends in a blank is before it
	atName                  // an alias, and no keyword
	atCommand               // a keyword or an alias
)

// alias replaces an alias that stands here by its text, until none is left, and reports whether there was one.
func (p *Parser) alias(at place) bool {
	if p.aliases == nil || p.lost || p.literal && p.nested > 0 {
		return false
	}
	found := false
	for {
		p.blanks()
		p.forgetAliases()
		word, size := p.aliasName()
		value, known := p.aliases[word]
		if !known || word == "" || p.expanding(word) || at == atArgument && !p.behindBlank() {
			return found
		}
		if p.posix && at == atCommand && (p.dialect.IsKeyword(word) || word == "in") {
			return found
		}
		p.replace(word, size, value)
		found = true
	}
}

// continuation is what joins a line with the next.
const continuation = "\\\n"

// aliasName returns the word that stands here if it has no quotes and no expansions, and how long it is in the script, where
// lines may be joined in it.
func (p *Parser) aliasName() (name string, size int) {
	i := p.pos
scan:
	for ; i < len(p.src); i++ {
		switch c := p.src[i]; {
		case isMeta(c):
			if c == '<' || c == '>' { // a number before a redirection
				if strings.Trim(p.src[p.pos:i], "0123456789") == "" {
					return "", 0
				}
			}
			break scan
		case strings.HasPrefix(p.src[i:], continuation):
			i++
		case strings.IndexByte("\\'\"$`=", c) >= 0:
			return "", 0
		}
	}
	return strings.ReplaceAll(p.src[p.pos:i], continuation, ""), i - p.pos
}

// expanding reports whether the word that stands here is from the text of an alias of this name.
func (p *Parser) expanding(name string) bool {
	for _, a := range p.pushed {
		if a.name == name && p.pos < a.end {
			return true
		}
	}
	return false
}

// aliasEnd returns where the texts of all aliases at work end, or 0.
func (p *Parser) aliasEnd() int {
	end := 0
	for _, a := range p.pushed {
		end = max(end, a.end)
	}
	return end
}

// behindBlank reports whether the word that stands here is the first one behind an alias that ends in a blank. Bash looks
// at the outermost of those that end there.
func (p *Parser) behindBlank() bool {
	last, next := -1, false
	for _, a := range p.pushed {
		switch {
		case a.end > p.pos:
		case p.dialect != Bash:
			next = next || a.next
		case a.end > last:
			last, next = a.end, a.next
		}
	}
	return next
}

// forgetAliases drops the aliases that something else than blanks and continued lines separates from here.
func (p *Parser) forgetAliases() {
	kept := p.pushed[:0]
	for _, a := range p.pushed {
		if a.end > p.pos || strings.Trim(strings.ReplaceAll(p.src[a.end:p.pos], continuation, ""), " \t") == "" {
			kept = append(kept, a)
		}
	}
	p.pushed = kept
}

// replace puts the text of an alias in the place of its name, which stands here and takes that much of the script. To bash, no
// word behind an alias without a text may be an alias.
func (p *Parser) replace(name string, size int, value string) {
	p.line()
	p.base += strings.Count(p.src[p.pos:p.pos+size], "\n")
	lines := strings.Count(value, "\n")
	next := strings.HasSuffix(value, " ") || strings.HasSuffix(value, "\t")
	if p.dialect == Bash {
		if value != "" && !next && !strings.HasSuffix(value, "\n") && !open(value) {
			value += " "
		}
		p.base -= lines // it counts the lines that it reads
	}
	p.take(len(p.src) + len(value) + nodeSize) // words of the tree may keep the whole text
	p.look(4 * len(p.src))
	end := p.pos + size
	for i, a := range p.pushed {
		if a.end >= end {
			p.pushed[i].end += len(value) - size
		}
		if p.dialect == Bash && value == "" {
			p.pushed[i].next = a.next && a.end > p.pos
		}
	}
	p.src = p.src[:p.pos] + value + p.src[end:]
	if value != "" {
		p.push(name, p.pos+len(value), next)
	}
}

// push notes a text that bash reads before it goes on with the script: that of an alias, or of what it has taken for
// arithmetic, without a name.
func (p *Parser) push(name string, end int, next bool) {
	p.forgetAliases()
	p.pushed = append(p.pushed, pushed{name, end, next})
}

// open reports whether a text ends inside of quotes.
func open(text string) bool {
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quote != '\'':
			if i++; i == len(text) {
				return true
			}
		case quote == 0 && (c == '\'' || c == '"' || c == '`'):
			quote = c
		case c == quote:
			quote = 0
		}
	}
	return quote != 0
}
