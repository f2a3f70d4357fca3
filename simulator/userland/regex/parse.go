package regex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Error says what is wrong with an expression.
type Error struct {
	Message string
	At      int
}

func (e *Error) Error() string { return e.Message }

const (
	// maxNesting is how deep groups may nest.
	maxNesting = 250
	// maxProgram is how many instructions an expression may come to: repetitions are written out.
	maxProgram = 1 << 16
	// maxRepeat is the largest number of repetitions.
	maxRepeat = 65535
)

// parser compiles while it reads.
type parser struct {
	Options
	source string
	at     int
	depth  int
	names  []string
	prog   []instruction
	marks  int
	backs  []int // groups that are referred to
	byName []later
}

type later struct {
	pc   int
	name string
}

// Compile compiles an expression. The error is an *Error.
func Compile(source string, options Options) (re *Regexp, err error) {
	p := &parser{Options: options, source: source, names: []string{""}}
	defer func() {
		if r := recover(); r != nil {
			wrong, ok := r.(*Error)
			if !ok {
				panic(r)
			}
			re, err = nil, wrong
		}
	}()
	p.alternation()
	if p.at < len(source) {
		p.fail("unmatched closing parenthesis")
	}
	p.emit(instruction{op: opMatch})
	for _, n := range p.backs {
		if n >= len(p.names) {
			p.fail("reference to non-existent subpattern")
		}
	}
	for _, l := range p.byName {
		n := -1
		for i, name := range p.names {
			if name == l.name {
				n = i
			}
		}
		if n < 1 {
			p.fail("reference to non-existent subpattern")
		}
		p.prog[l.pc].n = n
	}
	re = &Regexp{Names: p.names, prog: p.prog, empty: p.marks}
	for pc := 0; pc < len(p.prog) && p.prog[pc].op == opChar && p.prog[pc].r != utf8.RuneError && p.prog[pc].next == pc+1; pc++ {
		re.prefix += string(p.prog[pc].r)
	}
	return re, nil
}

func (p *parser) fail(format string, args ...any) { panic(&Error{fmt.Sprintf(format, args...), p.at}) }

// emit adds an instruction that goes on with the next one.
func (p *parser) emit(in instruction) int {
	if len(p.prog) >= maxProgram {
		p.fail("regular expression is too large")
	}
	pc := len(p.prog)
	in.next = pc + 1
	p.prog = append(p.prog, in)
	return pc
}

func (p *parser) more() bool { return p.at < len(p.source) }

func (p *parser) peek(s string) bool { return strings.HasPrefix(p.source[p.at:], s) }

func (p *parser) take(s string) bool {
	if !p.peek(s) {
		return false
	}
	p.at += len(s)
	return true
}

// rune takes a character.
func (p *parser) rune() rune {
	r, size := utf8.DecodeRuneInString(p.source[p.at:])
	p.at += size
	return r
}

// insert makes room for an instruction at pc: jumps behind it move.
func (p *parser) insert(pc int, in instruction) {
	if len(p.prog) >= maxProgram {
		p.fail("regular expression is too large")
	}
	p.prog = append(p.prog, instruction{})
	copy(p.prog[pc+1:], p.prog[pc:])
	in.next = pc + 1
	p.prog[pc] = in
	for i := pc + 1; i < len(p.prog); i++ {
		q := &p.prog[i]
		q.next = moved(q.next, pc)
		q.other = moved(q.other, pc)
	}
	for i := range p.byName {
		if p.byName[i].pc >= pc {
			p.byName[i].pc++
		}
	}
}

func moved(target, pc int) int {
	if target >= pc {
		return target + 1
	}
	return target
}

func (p *parser) alternation() {
	if p.depth++; p.depth > maxNesting {
		p.fail("parentheses are too deeply nested")
	}
	defer func() { p.depth-- }()
	options := p.Options
	start := len(p.prog)
	p.sequence()
	var ends []int
	for p.take("|") {
		p.insert(start, instruction{op: opSplit})
		ends = append(ends, p.emit(instruction{op: opJump}))
		p.prog[start].other = len(p.prog)
		start = len(p.prog)
		p.sequence()
	}
	for _, e := range ends {
		p.prog[e].next = len(p.prog)
	}
	p.Options = options
}

func (p *parser) sequence() {
	for p.more() && !p.peek("|") && !p.peek(")") {
		if p.Extended && p.skip() {
			continue
		}
		start := len(p.prog)
		if repeatable := p.atom(); repeatable {
			p.repeats(start)
		}
	}
}

// skip skips white space and comments.
func (p *parser) skip() bool {
	switch c := p.source[p.at]; {
	case strings.IndexByte(" \t\n\r\f\v", c) >= 0:
		p.at++
	case c == '#':
		end := strings.IndexByte(p.source[p.at:], '\n')
		if end < 0 {
			end = len(p.source) - p.at - 1
		}
		p.at += end + 1
	default:
		return false
	}
	return true
}

// repeats reads what stands behind an atom.
func (p *parser) repeats(start int) {
	for p.more() {
		for p.Extended && p.more() && p.skip() {
			continue
		}
		low, high, ok := p.quantifier()
		if !ok {
			return
		}
		lazy, possessive := p.take("?"), false
		if !lazy {
			possessive = p.take("+")
		}
		p.repeat(start, low, high, lazy)
		if possessive {
			p.insert(start, instruction{op: opAtomic})
			p.emit(instruction{op: opPartEnd})
			p.prog[start].other = len(p.prog)
		}
	}
}

// quantifier reads a number of repetitions; high is -1 for any.
func (p *parser) quantifier() (low, high int, ok bool) {
	switch {
	case !p.more():
		return 0, 0, false
	case p.take("*"):
		return 0, -1, true
	case p.take("+"):
		return 1, -1, true
	case p.take("?"):
		return 0, 1, true
	case !p.peek("{"):
		return 0, 0, false
	}
	end := strings.IndexByte(p.source[p.at:], '}')
	if end < 0 {
		return 0, 0, false
	}
	from, to, both := strings.Cut(p.source[p.at+1:p.at+end], ",")
	low, err := strconv.Atoi(from)
	if err != nil && (from != "" || to == "") || low < 0 {
		return 0, 0, false
	}
	switch {
	case !both:
		high = low
	case to == "":
		high = -1
	default:
		if high, err = strconv.Atoi(to); err != nil || high < 0 {
			return 0, 0, false
		}
	}
	p.at += end + 1
	if low > maxRepeat || high > maxRepeat {
		p.fail("number too big in {} quantifier")
	}
	if high >= 0 && high < low {
		p.fail("numbers out of order in {} quantifier")
	}
	return low, high, true
}

// repeat repeats the instructions from start on.
func (p *parser) repeat(start, low, high int, lazy bool) {
	body := append([]instruction(nil), p.prog[start:]...)
	var inside []later
	p.byName = slices.DeleteFunc(p.byName, func(l later) bool {
		if l.pc >= start {
			inside = append(inside, l)
		}
		return l.pc >= start
	})
	p.prog = p.prog[:start]
	again := func() {
		if len(p.prog)+len(body) > maxProgram {
			p.fail("regular expression is too large")
		}
		shift := len(p.prog) - start
		for _, in := range body {
			in.next += shift
			in.other += shift
			p.prog = append(p.prog, in)
		}
		for _, l := range inside {
			p.byName = append(p.byName, later{l.pc + shift, l.name})
		}
	}
	split := func() int {
		return p.emit(instruction{op: opSplit})
	}
	choose := func(pc, in, out int) {
		if lazy {
			in, out = out, in
		}
		p.prog[pc].next, p.prog[pc].other = in, out
	}
	for range low {
		again()
	}
	if high < 0 {
		mark := p.marks
		p.marks++
		loop := split()
		p.emit(instruction{op: opMark, n: mark})
		again()
		check := p.emit(instruction{op: opCheck, n: mark})
		p.prog[check].next = loop
		p.prog[check].other = len(p.prog)
		choose(loop, loop+1, len(p.prog))
		return
	}
	var splits []int
	for range high - low {
		splits = append(splits, split())
		again()
	}
	for _, s := range splits {
		choose(s, s+1, len(p.prog))
	}
}

// literal matches a character.
func (p *parser) literal(r rune) {
	if p.IgnoreCase && (unicode.ToLower(r) != r || unicode.ToUpper(r) != r) {
		p.emit(instruction{op: opFold, r: fold(r)})
		return
	}
	p.emit(instruction{op: opChar, r: r})
}

func (p *parser) set(c *class) {
	c.fold = p.IgnoreCase
	p.emit(instruction{op: opSet, set: c})
}

func (p *parser) assert(n int) { p.emit(instruction{op: opAssert, n: n}) }

// atom reads what can be repeated, or an assertion, which cannot.
func (p *parser) atom() (repeatable bool) {
	switch r := p.rune(); r {
	case '.':
		if p.DotAll {
			p.emit(instruction{op: opAnyNewline})
		} else {
			p.emit(instruction{op: opAny})
		}
	case '^':
		if p.MultiLine {
			p.assert(lineStart)
		} else {
			p.assert(textStart)
		}
		return false
	case '$':
		if p.MultiLine {
			p.assert(lineEnd)
		} else {
			p.assert(textEndLine)
		}
		return false
	case '[':
		p.set(p.bracket())
	case '(':
		return p.group()
	case '\\':
		return p.escape()
	case '*', '+', '?':
		p.at--
		p.fail("quantifier does not follow a repeatable item")
	default:
		p.literal(r)
	}
	return true
}

func (p *parser) group() (repeatable bool) {
	start := len(p.prog)
	switch {
	case p.take("?#"):
		end := strings.IndexByte(p.source[p.at:], ')')
		if end < 0 {
			p.fail("missing ) after (?# comment")
		}
		p.at += end + 1
		return false
	case p.take("?:"):
		p.alternation()
	case p.take("?|"):
		p.fail("branch reset groups are not supported")
	case p.take("?>"):
		p.part(instruction{op: opAtomic}, opPartEnd)
	case p.take("?="):
		p.part(instruction{op: opLook, ahead: true}, opPartEnd)
	case p.take("?!"):
		p.part(instruction{op: opLook, ahead: true, not: true}, opPartEnd)
	case p.take("?<="):
		p.part(instruction{op: opLook}, opBehindEnd)
	case p.take("?<!"):
		p.part(instruction{op: opLook, not: true}, opBehindEnd)
	case p.take("?<"):
		p.capture(p.name('>'))
	case p.take("?P<"):
		p.capture(p.name('>'))
	case p.take("?'"):
		p.capture(p.name('\''))
	case p.take("?P="):
		pc := p.emit(instruction{op: opBack, fold: p.IgnoreCase})
		p.byName = append(p.byName, later{pc, p.name(')')})
		return true
	case p.take("?"):
		return p.flags()
	default:
		p.capture("")
	}
	if !p.take(")") {
		p.fail("missing closing parenthesis")
	}
	return p.prog[start].op != opLook
}

// part is a group that is matched by itself.
func (p *parser) part(in instruction, end op) {
	at := p.emit(in)
	p.alternation()
	p.emit(instruction{op: end})
	p.prog[at].other = len(p.prog)
}

func (p *parser) capture(name string) {
	n := len(p.names)
	p.names = append(p.names, name)
	p.emit(instruction{op: opSave, n: 2 * n})
	p.alternation()
	p.emit(instruction{op: opSave, n: 2*n + 1})
}

func (p *parser) name(end byte) string {
	n := strings.IndexByte(p.source[p.at:], end)
	if n <= 0 {
		p.fail("syntax error in subpattern name (missing terminator?)")
	}
	name := p.source[p.at : p.at+n]
	for i := range n {
		if !word(name[i]) {
			p.fail("syntax error in subpattern name (missing terminator?)")
		}
	}
	p.at += n + 1
	return name
}

// flags reads (?i) or (?i:…).
func (p *parser) flags() (repeatable bool) {
	old, on := p.Options, true
	for {
		if !p.more() {
			p.fail("missing closing parenthesis")
		}
		switch c := p.rune(); c {
		case '-':
			on = false
		case 'i':
			p.IgnoreCase = on
		case 'x':
			p.Extended = on
		case 's':
			p.DotAll = on
		case 'm':
			p.MultiLine = on
		case ')':
			return false // until the group around ends
		case ':':
			p.alternation()
			p.Options = old
			if !p.take(")") {
				p.fail("missing closing parenthesis")
			}
			return true
		default:
			p.at--
			p.fail("unrecognized character after (? or (?-")
		}
	}
}

// escape reads what stands behind a backslash.
func (p *parser) escape() (repeatable bool) {
	if !p.more() {
		p.fail(`\ at end of pattern`)
	}
	switch r := p.rune(); {
	case r == 'b' || r == 'B' || r == 'A' || r == 'z' || r == 'Z' || r == '<' || r == '>':
		p.assert(map[rune]int{'b': wordEdge, 'B': noWordEdge, 'A': textStart, 'z': textEnd, 'Z': textEndLine, '<': wordStart, '>': wordEnd}[r])
		return false
	case r == 'G':
		p.fail(`\G is not supported`)
	case r == 'K':
		p.emit(instruction{op: opKeep})
		return false
	case r == 'Q':
		end := strings.Index(p.source[p.at:], `\E`)
		text := p.source[p.at:]
		if end >= 0 {
			text = text[:end]
		}
		p.at = min(len(p.source), p.at+len(text)+2)
		for _, r := range text {
			p.literal(r)
		}
		return false
	case r == 'E':
		return false
	case r == 'R':
		p.set(shorthand('v'))
	case r == 'k':
		end := byte('>')
		if p.take("'") {
			end = '\''
		} else if p.take("{") {
			end = '}'
		} else if !p.take("<") {
			p.fail(`\k is not followed by a braced, angle-bracketed, or quoted name`)
		}
		pc := p.emit(instruction{op: opBack, fold: p.IgnoreCase})
		p.byName = append(p.byName, later{pc, p.name(end)})
	case r == 'g':
		p.reference(p.take("{"))
	case r >= '1' && r <= '9':
		p.at--
		p.reference(false)
	case r == 'p' || r == 'P':
		p.set(p.property(r == 'P'))
	case shorthand(r) != nil:
		p.set(shorthand(r))
	default:
		p.literal(p.character(r))
	}
	return true
}

// reference reads the number of a group.
func (p *parser) reference(braced bool) {
	end := p.at
	for end < len(p.source) && end < p.at+3 && (p.source[end] >= '0' && p.source[end] <= '9' || end == p.at && p.source[end] == '-') {
		end++
	}
	n, err := strconv.Atoi(p.source[p.at:end])
	if err != nil {
		p.fail("reference to non-existent subpattern")
	}
	p.at = end
	if n < 0 {
		n += len(p.names)
	}
	if braced && !p.take("}") || n < 1 {
		p.fail("reference to non-existent subpattern")
	}
	p.backs = append(p.backs, n)
	p.emit(instruction{op: opBack, n: n, fold: p.IgnoreCase})
}

// property reads the name of a property of Unicode.
func (p *parser) property(not bool) *class {
	name := ""
	if p.take("{") {
		end := strings.IndexByte(p.source[p.at:], '}')
		if end < 0 {
			p.fail(`malformed \P or \p sequence`)
		}
		name = p.source[p.at : p.at+end]
		p.at += end + 1
	} else if p.more() {
		name = string(p.rune())
	}
	if strings.HasPrefix(name, "^") {
		name, not = name[1:], !not
	}
	if c := named(strings.ToLower(name)); c != nil {
		c.not = not
		return c
	}
	table := unicode.Categories[name]
	if table == nil {
		table = unicode.Scripts[name]
	}
	if table == nil {
		p.fail(`unknown property after \P or \p`)
	}
	return &class{tables: []*unicode.RangeTable{table}, not: not}
}

// character is what an escape that means a character means.
func (p *parser) character(r rune) rune {
	switch r {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case 'f':
		return '\f'
	case 'a':
		return '\a'
	case 'e':
		return 0x1b
	case 'x':
		return p.hex()
	case '0':
		end := p.at
		for end < len(p.source) && end < p.at+2 && p.source[end] >= '0' && p.source[end] <= '7' {
			end++
		}
		n, _ := strconv.ParseUint("0"+p.source[p.at:end], 8, 32)
		p.at = end
		return rune(n)
	}
	if r < 128 && word(byte(r)) && r != '_' {
		p.fail(`unrecognized character follows \`)
	}
	return r
}

func (p *parser) hex() rune {
	end, limit := p.at, p.at+2
	braced := p.take("{")
	if braced {
		end, limit = p.at, p.at+8
	}
	for end < len(p.source) && end < limit && strings.IndexByte("0123456789abcdefABCDEF", p.source[end]) >= 0 {
		end++
	}
	n, _ := strconv.ParseUint("0"+p.source[p.at:end], 16, 32)
	p.at = end
	if braced && !p.take("}") || n > unicode.MaxRune {
		p.fail(`character code point value in \x{} or \o{} is too large`)
	}
	return rune(n)
}

// bracket reads a bracket expression behind its "[".
func (p *parser) bracket() *class {
	c := &class{not: p.take("^")}
	for first := true; ; first = false {
		if !p.more() {
			p.fail("missing terminating ] for character class")
		}
		if p.peek("]") && !first {
			p.at++
			return c
		}
		low, set := p.member()
		if set != nil {
			c.inner = append(c.inner, set)
			continue
		}
		if p.peek("-") && !p.peek("-]") && p.at+1 < len(p.source) {
			p.at++
			high, set := p.member()
			if set != nil {
				c.add(low, low)
				c.add('-', '-')
				c.inner = append(c.inner, set)
				continue
			}
			if high < low {
				p.fail("range out of order in character class")
			}
			c.add(low, high)
			continue
		}
		c.add(low, low)
	}
}

// member reads a character of a bracket expression, or a class in it.
func (p *parser) member() (rune, *class) {
	if p.take("[:") {
		end := strings.Index(p.source[p.at:], ":]")
		if end < 0 {
			p.fail("missing terminating ] for character class")
		}
		name := p.source[p.at : p.at+end]
		p.at += end + 2
		not := strings.HasPrefix(name, "^")
		c := named(strings.TrimPrefix(name, "^"))
		if c == nil {
			p.fail("unknown POSIX class name")
		}
		c.not = not
		return 0, c
	}
	r := p.rune()
	if r != '\\' {
		return r, nil
	}
	if !p.more() {
		p.fail(`\ at end of pattern`)
	}
	switch r = p.rune(); {
	case r == 'b':
		return '\b', nil
	case r == 'p' || r == 'P':
		return 0, p.property(r == 'P')
	case shorthand(r) != nil:
		return 0, shorthand(r)
	}
	return p.character(r), nil
}
