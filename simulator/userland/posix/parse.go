package posix

import (
	"errors"
	"strings"
)

// What can be wrong with an expression.
var (
	errParen     = errors.New(`Unmatched ( or \(`)
	errBracket   = errors.New("Unmatched [, [^, [:, [., or [=")
	errBrace     = errors.New(`Unmatched \{`)
	errBadBrace  = errors.New(`Invalid content of \{\}`)
	errRange     = errors.New("Invalid range end")
	errRepeat    = errors.New("Invalid preceding regular expression")
	errBackslash = errors.New("Trailing backslash")
	errReference = errors.New("Invalid back reference")
	errClass     = errors.New("Invalid character class name")
	errCollation = errors.New("Invalid collation character")
	errLiteral   = errors.New("this brace is a character") // never said
	errTooBig    = errors.New("Regular expression too big")
)

// mostRepeats is the largest number in braces; mostNested is how deep groups may nest.
const (
	mostRepeats = 32767
	mostNested  = 10_000
)

type parser struct {
	Options
	text   string
	at     int
	groups int
	closed uint16 // the groups that can be referred to
	refers bool
	deep   int
	caret  bool // of a basic expression: a "^" here is an anchor
}

// token is a part of the text of an expression that means one thing.
type token struct {
	kind tokenKind
	c    byte // of a character; of an operator that may turn out to be one
	size int
}

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenChar
	tokenAny
	tokenBracket
	tokenOpen
	tokenClose
	tokenOr
	tokenStar
	tokenPlus
	tokenMaybe
	tokenBrace
	tokenReference
	tokenClass // \w and the like
	tokenAnchor
	tokenBackslash // at the end
)

// peek returns the next token.
func (p *parser) peek() token {
	if p.at >= len(p.text) {
		return token{}
	}
	c := p.text[p.at]
	switch {
	case c == '\\':
		return p.escape()
	case c == '\n' && p.GNU:
		return token{tokenOr, c, 1}
	}
	special := map[byte]tokenKind{'.': tokenAny, '[': tokenBracket, '*': tokenStar}
	if p.Extended {
		special = map[byte]tokenKind{'.': tokenAny, '[': tokenBracket, '*': tokenStar, '(': tokenOpen, ')': tokenClose, '|': tokenOr, '+': tokenPlus, '?': tokenMaybe, '{': tokenBrace}
	}
	kind := tokenChar
	switch {
	case special[c] != 0:
		kind = special[c]
	case c == '^' && (p.Extended || p.at == 0 || p.caret), c == '$' && p.dollar():
		kind = tokenAnchor
	}
	return token{kind, c, 1}
}

// dollar reports whether the "$" here is an anchor.
func (p *parser) dollar() bool {
	rest := p.text[p.at+1:]
	return p.Extended || rest == "" || strings.HasPrefix(rest, `\)`) || strings.HasPrefix(rest, `\|`)
}

// escape returns the token that begins with a backslash.
func (p *parser) escape() token {
	if p.at+1 >= len(p.text) {
		return token{kind: tokenBackslash, size: 1}
	}
	c := p.text[p.at+1]
	kind := tokenChar
	switch {
	case c >= '1' && c <= '9':
		kind = tokenReference
	case strings.IndexByte("<>bB`'", c) >= 0:
		kind = tokenAnchor
	case strings.IndexByte("wWsS", c) >= 0:
		kind = tokenClass
	case !p.Extended:
		kind = max(tokenChar, map[byte]tokenKind{'(': tokenOpen, ')': tokenClose, '|': tokenOr, '+': tokenPlus, '?': tokenMaybe, '{': tokenBrace}[c])
	}
	return token{kind, c, 2}
}

// skip goes behind a token.
func (p *parser) skip(t token) {
	p.at += t.size
	p.caret = t.kind == tokenOpen || t.kind == tokenOr
}

func (p *parser) parse() (*node, error) {
	return p.alternatives(false)
}

func (p *parser) alternatives(inside bool) (*node, error) {
	out := &node{kind: alternatives}
	before, after := p.closed, p.closed
	for {
		p.closed = before // a branch cannot refer to a group of another
		branch, err := p.branch(inside)
		if err != nil {
			return nil, err
		}
		after |= p.closed
		out.children = append(out.children, branch)
		t := p.peek()
		if t.kind != tokenOr {
			break
		}
		p.skip(t)
	}
	if p.closed = after; len(out.children) == 1 {
		return out.children[0], nil
	}
	return out, nil
}

func (p *parser) branch(inside bool) (*node, error) {
	out := &node{kind: sequence}
	for {
		t := p.peek()
		if t.kind == tokenEnd || t.kind == tokenOr || t.kind == tokenClose && inside {
			return out, nil
		}
		n, err := p.repeated(t)
		if err != nil {
			return nil, err
		}
		out.children = append(out.children, n)
	}
}

// repeated reads one part and the repetitions behind it.
func (p *parser) repeated(t token) (*node, error) {
	n, err := p.single(t)
	if err != nil || t.kind == tokenAnchor { // which cannot be repeated
		return n, err
	}
	for first := true; ; first = false {
		t := p.peek()
		low, high := 0, -1
		switch t.kind {
		case tokenStar:
		case tokenPlus:
			low = 1
		case tokenMaybe:
			high = 1
		case tokenBrace:
		default:
			return n, nil
		}
		if !first && !p.Extended && !p.GNU && (t.kind == tokenStar || t.kind == tokenBrace) {
			return nil, errRepeat
		}
		begin := p.at
		p.skip(t)
		if t.kind == tokenBrace {
			if low, high, err = p.braces(); errors.Is(err, errLiteral) {
				p.at = begin + t.size
				return &node{kind: sequence, children: []*node{n, literal('{')}}, nil
			}
			if err != nil {
				return nil, err
			}
		}
		n = &node{kind: repetition, children: []*node{n}, min: low, max: high}
	}
}

// braces reads the numbers of a repetition, up to the closing brace.
func (p *parser) braces() (low, high int, err error) {
	end := "}"
	if !p.Extended {
		end = `\}`
	}
	number := func() (n int, given bool) {
		for ; p.at < len(p.text) && p.text[p.at] >= '0' && p.text[p.at] <= '9'; p.at++ {
			n, given = min(n*10+int(p.text[p.at]-'0'), mostRepeats+1), true
		}
		return n, given
	}
	low, given := number()
	high = low
	comma := strings.HasPrefix(p.text[p.at:], ",")
	if comma {
		p.at++
		var bounded bool
		if high, bounded = number(); !bounded {
			high = -1
		}
	}
	closed := strings.HasPrefix(p.text[p.at:], end)
	switch {
	case !closed && p.GNU && p.Extended:
		return 0, 0, errLiteral
	case p.at >= len(p.text):
		return 0, 0, errBrace
	case !closed, !given && !comma, high >= 0 && low > high:
		return 0, 0, errBadBrace
	case max(low, high) > mostRepeats:
		return 0, 0, errTooBig
	}
	p.at += len(end)
	return low, high, nil
}

// single reads one part.
func (p *parser) single(t token) (*node, error) {
	operator := false
	switch t.kind {
	case tokenBackslash:
		return nil, errBackslash
	case tokenOpen:
		return p.group(t)
	case tokenBracket:
		p.skip(t)
		return p.bracket()
	case tokenAny:
		p.skip(t)
		n := &node{kind: bytes}
		n.set.invert()
		n.set[0] &^= 1 // no NUL
		return n, nil
	case tokenReference:
		number := int(t.c - '0')
		if p.closed&(1<<number) == 0 {
			return nil, errReference
		}
		p.skip(t)
		p.refers = true
		return &node{kind: reference, number: number}, nil
	case tokenClass:
		p.skip(t)
		return class(t.c), nil
	case tokenAnchor:
		p.skip(t)
		at := strings.IndexByte("^$<>bB`'", t.c)
		return &node{kind: condition, assert: []assertion{lineBegin, lineEnd, wordBegin, wordEnd, wordEdge, notWordEdge, textBegin, textEnd}[at]}, nil
	case tokenClose:
		if !p.Extended {
			return nil, errParen
		}
	case tokenStar, tokenPlus, tokenMaybe, tokenBrace:
		operator = true
	}
	switch {
	case operator && p.GNU && p.Extended: // it has no meaning here
		p.skip(t)
		if next := p.peek(); next.kind != tokenEnd && next.kind != tokenOr && next.kind != tokenClose {
			return p.single(next)
		}
		return &node{}, nil
	case operator && !p.GNU && (p.Extended || t.kind == tokenBrace):
		return nil, errRepeat
	}
	p.skip(t)
	n := literal(t.c)
	if p.Fold {
		n.set.add(upper(t.c))
		n.set.fold()
	}
	return n, nil
}

func literal(c byte) *node {
	n := &node{kind: bytes}
	n.set.add(c)
	return n
}

// class is \w, \W, \s or \S.
func class(c byte) *node {
	n := &node{kind: bytes}
	if c|0x20 == 'w' {
		n.set.addClass("alnum")
		n.set.add('_')
	} else {
		n.set.addClass("space")
	}
	if c < 'a' {
		n.set.invert()
	}
	return n
}

func (p *parser) group(t token) (*node, error) {
	p.skip(t)
	if p.deep++; p.deep > mostNested {
		return nil, errTooBig
	}
	defer func() { p.deep-- }()
	p.groups++
	number := p.groups
	inner, err := p.alternatives(true)
	if err != nil {
		return nil, err
	}
	end := p.peek()
	if end.kind != tokenClose {
		return nil, errParen
	}
	p.skip(end)
	if number < 10 {
		p.closed |= 1 << number
	}
	return &node{kind: group, number: number, children: []*node{inner}}, nil
}

// bracket reads a bracket expression behind its opening.
func (p *parser) bracket() (*node, error) {
	n := &node{kind: bytes}
	negate := strings.HasPrefix(p.text[p.at:], "^")
	if negate {
		p.at++
	}
	for first := true; ; first = false {
		rest := p.text[p.at:]
		switch {
		case rest == "":
			return nil, errBracket
		case rest[0] == ']' && !first:
			p.at++
			if p.Fold {
				n.set.fold()
			}
			if negate {
				n.set.invert()
			}
			return n, nil
		case strings.HasPrefix(rest, "[:"):
			name, _, found := strings.Cut(rest[2:], ":]")
			if !found {
				return nil, errBracket
			}
			p.at += len(name) + 4
			if p.Fold && (name == "upper" || name == "lower") {
				name = "alpha"
			}
			if !n.set.addClass(name) {
				return nil, errClass
			}
			if after := p.text[p.at:]; strings.HasPrefix(after, "-") && !strings.HasPrefix(after, "-]") && len(after) > 1 {
				return nil, errRange
			}
			continue
		}
		from, err := p.element()
		if err != nil {
			return nil, err
		}
		to := from
		if rest := p.text[p.at:]; len(rest) > 1 && rest[0] == '-' && rest[1] != ']' {
			p.at++
			if strings.HasPrefix(p.text[p.at:], "[:") {
				return nil, errRange
			}
			if to, err = p.element(); err != nil {
				return nil, err
			}
		} else if rest == "-" {
			return nil, errBracket
		}
		if from > to {
			return nil, errRange
		}
		n.set.addRange(from, to)
	}
}

// element reads one character of a bracket expression, which may be written as [.c.] or [=c=].
func (p *parser) element() (byte, error) {
	rest := p.text[p.at:]
	if rest == "" {
		return 0, errBracket
	}
	c, size := rest[0], 1
	if len(rest) > 1 && c == '[' && (rest[1] == '.' || rest[1] == '=') {
		name, _, found := strings.Cut(rest[2:], rest[1:2]+"]")
		switch {
		case !found:
			return 0, errBracket
		case len(name) != 1:
			return 0, errCollation
		}
		c, size = name[0], 5
	}
	p.at += size
	if p.Fold {
		c = upper(c)
	}
	return c, nil
}
