package shell

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// expander turns words into fields. A field remembers which of its bytes were quoted, because only the others make it
// a pattern.
type expander struct {
	s      *shell
	split  bool // fields are split at IFS and matched against files
	here   bool // inside a here-document
	spaced bool // it is an assignment among the arguments of a built-in of bash
	signed bool // the sign of the assignment is not part of the text
	assign bool // it is the value of an assignment: a tilde may follow a colon too
	lists  bool // inside of quotes with "$@", which may be no field at all
	bare   bool // inside of quotes with a "$@" that has no operator
	brace  bool // inside the operand of ${…} in double quotes
	loose  bool // inside the operand of ${…} outside of quotes: its text is split too
	ifs    string
	fields []string
	buf    []byte
	quoted []span // what of buf was quoted
	active bool   // the field exists even if buf is empty
	glob   bool   // it holds an unquoted pattern character
	within bool   // inside the operand of ${…}, whose empty quotes bash forgets to take away in a case
	inCase bool   // bash keeps the elements of "$@" apart, at cuts: the word is one of a case
	cuts   []int
	nulls  int   // the expansions inside of quotes that have left bash's sign for nothing
	joins  bool  // bash puts the first character of IFS between elements that an operator has changed
	delim  bool  // white space has just ended a field
	err    error // of a field that ended where text of the script was split
}

type span struct{ from, to int }

// fieldsOf expands the words of a command.
func (s *shell) fieldsOf(words []*syntax.Word) ([]string, error) {
	out := make([]string, 0, len(words)+2)
	var err error
	for _, w := range words {
		before := len(out)
		if out, err = s.appendFields(out, w); err != nil {
			return nil, err
		}
		s.holdFields(out[before:])
	}
	return out, nil
}

// appendFields expands a word and appends its fields.
func (s *shell) appendFields(out []string, w *syntax.Word) ([]string, error) {
	return s.appendWord(out, w, s.likeAssignment(w))
}

// appendWord expands a word and appends its fields; assign says that it may be an assignment, with tildes behind its sign
// and its colons.
func (s *shell) appendWord(out []string, w *syntax.Word, assign bool) ([]string, error) {
	if len(w.Parts) == 1 {
		switch part := w.Parts[0].(type) {
		case *syntax.Lit:
			if plain(part.Value) && !strings.Contains(part.Value, "~") {
				return append(out, part.Value), nil
			}
		case *syntax.SglQuoted:
			if !part.Dollar {
				return append(out, part.Value), nil
			}
		}
	}
	if s.kind != bash || !s.options.braceexpand || !hasBrace(w) {
		return s.fields(out, w, assign)
	}
	words, err := s.braces(w)
	for _, word := range words {
		if err == nil {
			out, err = s.fields(out, word, assign)
		}
	}
	return out, err
}

// plain reports whether unquoted text stands for itself.
func plain(lit string) bool {
	for i := 0; i < len(lit); i++ {
		switch lit[i] {
		case '\\', '*', '?', '~', '{':
			return false
		case '[':
			if strings.IndexByte(lit[i:], ']') > 0 {
				return false
			}
		}
	}
	return true
}

func (s *shell) fields(out []string, w *syntax.Word, assign bool) ([]string, error) {
	e := expander{s: s, split: true, ifs: s.ifs(), fields: out, assign: assign}
	if err := e.word(w.Parts, false); err != nil {
		return nil, err
	}
	if err := e.end(); err != nil {
		return nil, err
	}
	return e.fields, nil
}

// assignmentLength returns the length of name= or name+= at the beginning of a word, or 0.
func assignmentLength(w *syntax.Word) int {
	if len(w.Parts) == 0 {
		return 0
	}
	lit, ok := w.Parts[0].(*syntax.Lit)
	if !ok {
		return 0
	}
	name, _, has := strings.Cut(lit.Value, "=")
	if !has || !syntax.IsName(strings.TrimSuffix(name, "+")) {
		return 0
	}
	return len(name) + 1
}

// ifs is IFS, or its default if that is unset.
func (s *shell) ifs() string {
	if v := s.vars["IFS"]; v.set {
		return v.value
	}
	return " \t\n"
}

// single expands a word to one string, without splitting and file names.
func (s *shell) single(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if len(w.Parts) == 1 {
		if lit, ok := w.Parts[0].(*syntax.Lit); ok && plain(lit.Value) {
			return lit.Value, nil
		}
	}
	e := expander{s: s}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// assigned expands the value of an assignment: as single, with a tilde after each colon too.
func (s *shell) assigned(w *syntax.Word) (string, error) {
	if text, ok := w.Literal(); ok && plain(text) && !strings.Contains(text, "~") {
		return text, nil
	}
	if w == nil {
		return "", nil
	}
	return s.assignedText(w, false)
}

// assignedText expands the value of an assignment or, with argument, a whole assignment among the arguments of a
// built-in.
func (s *shell) assignedText(w *syntax.Word, argument bool) (string, error) {
	e := expander{s: s, assign: true, spaced: argument && s.kind == bash, signed: !argument, joins: s.kind == bash}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// singleWord expands a word as single does, with tildes behind the sign of what looks like an assignment.
func (s *shell) singleWord(w *syntax.Word) (string, error) {
	if !s.likeAssignment(w) {
		return s.single(w)
	}
	e := expander{s: s, assign: true}
	err := e.word(w.Parts, false)
	return string(e.buf), err
}

// likeAssignment reports whether bash takes a word for an assignment, as far as tildes go.
func (s *shell) likeAssignment(w *syntax.Word) bool {
	return s.kind == bash && !s.options.posix && w != nil && assignmentLength(w) > 0
}

// pattern expands a word to a pattern, in which quoted characters stand for themselves.
func (s *shell) pattern(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	e := expander{s: s, assign: s.likeAssignment(w)}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	return e.escaped(), nil
}

// hereString expands the word behind <<<.
func (s *shell) hereString(w *syntax.Word) (string, error) {
	if _, ok := w.Literal(); ok || s.kind != bash || w == nil {
		return s.single(w)
	}
	e := expander{s: s, joins: true}
	err := e.word(w.Parts, false)
	return string(e.buf), err
}

// caseWord expands the word of a case. Where "$@" stands in it, bash forgets to take away the sign of the elements that are
// empty.
func (s *shell) caseWord(w *syntax.Word) (string, error) {
	if _, ok := w.Literal(); ok || s.kind != bash || w == nil {
		return s.singleWord(w)
	}
	e := expander{s: s, assign: s.likeAssignment(w), inCase: true}
	err := e.word(w.Parts, false)
	if e.withoutSign(); err != nil || len(e.cuts) == 0 {
		return string(e.buf), err
	}
	var fields []string
	from := 0
	for _, at := range append(e.cuts, len(e.buf)) {
		field := string(e.buf[from:at])
		if field == "" {
			field = signOfNothing
		}
		fields = append(fields, field)
		from = at + 1
	}
	return strings.Join(fields, " "), nil
}

// casePattern expands a pattern of a case. Where "$@" makes several words of it, bash takes the first.
func (s *shell) casePattern(w *syntax.Word) (string, error) {
	if _, ok := w.Literal(); ok || s.kind != bash || w == nil {
		return s.pattern(w)
	}
	e := expander{s: s, assign: s.likeAssignment(w), inCase: true}
	if err := e.word(w.Parts, false); err != nil {
		return "", err
	}
	e.withoutSign()
	if len(e.cuts) > 0 {
		end := e.cuts[0]
		e.buf = e.buf[:end]
		for i, q := range e.quoted {
			if q.to >= end {
				e.quoted = append(e.quoted[:i:i], span{min(q.from, end), end})
				break
			}
		}
	}
	return e.escaped(), nil
}

// document expands the body of a here-document.
func (s *shell) document(w *syntax.Word) (string, error) {
	e := expander{s: s, here: true}
	if err := e.word(w.Parts, true); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// end completes the current field, if there is one.
func (e *expander) end() error {
	if len(e.buf) == 0 && !e.active {
		e.reset()
		return nil
	}
	o := &e.s.options
	if e.glob && !o.noglob {
		names, isPattern := e.s.globbed(e.escaped())
		switch {
		case len(names) > 0:
			e.fields = append(e.fields, names...)
			e.reset()
			return nil
		case isPattern && o.failglob:
			return &usageError{"no match: " + string(e.buf)}
		case isPattern && o.nullglob:
			e.reset()
			return nil
		}
	}
	e.fields = append(e.fields, string(e.buf))
	e.reset()
	return nil
}

func (e *expander) reset() {
	e.buf, e.quoted, e.active, e.glob = e.buf[:0], e.quoted[:0], false, false
}

// escaped is the field with a backslash before each quoted character that would mean something in a pattern.
func (e *expander) escaped() string {
	var b strings.Builder
	b.Grow(len(e.buf) + 8)
	i := 0
	for _, q := range e.quoted {
		b.Write(e.buf[i:q.from])
		for _, c := range e.buf[q.from:q.to] {
			if strings.IndexByte(`*?[]\-!^()|@+`, c) >= 0 {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		}
		i = q.to
	}
	b.Write(e.buf[i:])
	return b.String()
}

// allEscaped is the field with a backslash before each quoted character, as the trace of bash shows patterns.
func (e *expander) allEscaped() string {
	var b strings.Builder
	i := 0
	for _, q := range e.quoted {
		b.Write(e.buf[i:q.from])
		for _, c := range e.buf[q.from:q.to] {
			b.WriteByte('\\')
			b.WriteByte(c)
		}
		i = q.to
	}
	b.Write(e.buf[i:])
	return b.String()
}

// quote appends text that means nothing but itself.
func (e *expander) quote(text string) {
	e.active, e.delim = true, false
	if text == "" {
		return
	}
	from := len(e.buf)
	e.buf = append(e.buf, text...)
	if n := len(e.quoted); n > 0 && e.quoted[n-1].to == from {
		e.quoted[n-1].to = len(e.buf)
	} else {
		e.quoted = append(e.quoted, span{from, len(e.buf)})
	}
}

// add appends unquoted text that is not split: it stood in the script.
func (e *expander) add(text string) {
	if text == "" {
		return
	}
	e.delim = false
	e.buf = append(e.buf, text...)
	if !e.glob && strings.ContainsAny(text, "*?[") {
		e.glob = text != "["
	} else if !e.glob && e.s.options.extglob && strings.Contains(text, "(") {
		e.glob = strings.Contains(text, "@(") || strings.Contains(text, "+(") || strings.Contains(text, "!(")
	}
}

// value appends the result of an unquoted expansion.
func (e *expander) value(text string, quoted bool) error {
	e.s.p.Work(uint32(len(text) / copiedAStep))
	e.s.grow(len(e.buf) + len(text))
	switch {
	case quoted:
		if text != "" || !e.lists {
			e.quote(text)
		}
		return nil
	case !e.split || e.ifs == "":
		e.add(text)
		return nil
	}
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if strings.IndexByte(e.ifs, c) < 0 {
			continue
		}
		e.add(text[start:i])
		start = i + 1
		if c == ' ' || c == '\t' || c == '\n' {
			if len(e.buf) > 0 || e.active {
				if err := e.end(); err != nil {
					return err
				}
				e.delim = true
			}
			continue
		}
		if e.delim {
			e.delim = false
			continue
		}
		e.active = true
		if err := e.end(); err != nil {
			return err
		}
	}
	e.add(text[start:])
	return nil
}

// list appends the elements of $@, $* or an array. Where words are not split, ash and dash take $@ for $*.
func (e *expander) list(elems []string, quoted, star, changed bool) error {
	star = star || !e.split && e.s.kind != bash
	switch {
	case star && quoted || !e.split && star && !(e.spaced && e.s.ifs() == ""):
		text := strings.Join(elems, e.separator())
		if text == "" && len(elems) > 0 && quoted && e.inCase && !changed {
			e.nulls++
		}
		return e.value(text, quoted)
	case !e.split && e.inCase && quoted:
		for i, elem := range elems {
			if i > 0 {
				e.cuts = append(e.cuts, len(e.buf))
				e.quote(" ")
			}
			if err := e.value(elem, quoted); err != nil {
				return err
			}
		}
		return nil
	case !e.split && e.joins && changed && e.separator() != "":
		return e.value(strings.Join(elems, e.separator()), quoted)
	case !e.split:
		return e.value(strings.Join(elems, " "), quoted)
	case !quoted && e.s.kind == bash && e.ifs != "": // which splits all of it at once
		return e.value(strings.Join(elems, e.separator()), quoted)
	}
	for i, elem := range elems {
		if i > 0 {
			if err := e.end(); err != nil {
				return err
			}
			e.delim = false
		}
		if quoted && elem == "" {
			e.quote("")
			continue
		}
		if err := e.value(elem, quoted); err != nil {
			return err
		}
	}
	return nil
}

// signOfNothing is what bash puts in the place of an empty text in quotes. In the word and the patterns of a case it forgets
// to take the sign away behind operators, if there is something else in the word.
const signOfNothing = "\x7f"

// leavesSign reports whether bash leaves its sign where an operator has made nothing of a value.
func (e *expander) leavesSign(pe *syntax.Param, value string) bool {
	switch pe.Op {
	case ",", ",,", "^", "^^", "/", "//":
		return true
	case ":": // unless it is cut behind its end
		from, _ := pe.Offset.Literal()
		if strings.ContainsAny(from, "=+-") { // which may change something, and has been evaluated
			return true
		}
		n, err := e.s.evaluate(from)
		return err != nil || n <= int64(e.s.length(value))
	case "#", "##", "%", "%%":
		return value != ""
	case "@":
		op, _ := pe.Word.Literal()
		return strings.Contains("LUuE", op)
	}
	return false
}

// withoutSign takes away the sign that is all there is of a word.
func (e *expander) withoutSign() {
	if string(e.buf) == signOfNothing && e.nulls > 0 {
		e.buf, e.quoted = e.buf[:0], e.quoted[:0]
	}
}

// leaveSign puts bash's sign in the place of quotes that have left nothing since then, where bash does not take it away.
func (e *expander) leaveSign(from, nulls int) {
	if len(e.buf) > from {
		return
	}
	if e.within && e.inCase {
		e.nulls++
	}
	if e.nulls > nulls {
		e.quote(signOfNothing)
	}
}

// separator is what "$*" puts between parameters: the first character of IFS.
func (e *expander) separator() string {
	ifs := e.s.ifs()
	if ifs == "" {
		return ""
	}
	_, n := utf8.DecodeRuneInString(ifs)
	return ifs[:n]
}

// word expands the parts of a word.
func (e *expander) word(parts []syntax.Part, quoted bool) error {
	for i, part := range parts {
		switch part := part.(type) {
		case *syntax.Lit:
			if quoted {
				e.quote(unescapeQuoted(part.Value, e.here, e.brace))
				continue
			}
			e.unquoted(part, i == 0, len(parts) == i+1)
			if e.err != nil {
				return e.err
			}
		case *syntax.SglQuoted:
			if part.Dollar && quoted && e.brace && e.s.options.posix { // where POSIX mode knows no such quotes
				e.quote("$'" + part.Value + "'")
			} else if part.Dollar {
				e.quote(e.s.dollarQuote(part.Value))
			} else {
				e.quote(part.Value)
				e.leaveSign(len(e.buf)-len(part.Value), e.nulls)
			}
		case *syntax.DblQuoted:
			lists := e.s.hasList(part.Parts)
			if !lists {
				e.quote("")
			}
			e.lists, e.bare = lists, lists && hasBareList(part.Parts)
			here, brace, within := e.here, e.brace, e.within
			e.here, e.brace, e.within = false, false, false
			from, nulls := len(e.buf), e.nulls
			err := e.word(part.Parts, true)
			e.here, e.brace, e.within, e.lists, e.bare = here, brace, within, false, false
			if err != nil {
				return err
			}
			e.leaveSign(from, nulls)
		case *syntax.Param:
			if err := e.param(part, quoted); err != nil {
				return err
			}
		case *syntax.CmdSubst:
			out, err := e.s.substitute(part)
			if err != nil {
				return err
			}
			if err := e.value(out, quoted); err != nil {
				return err
			}
		case *syntax.ArithExp:
			n, err := e.s.arithmetic(part.X)
			if err != nil {
				return err
			}
			if err := e.value(strconv.FormatInt(n, 10), quoted); err != nil {
				return err
			}
		case *syntax.ProcSubst:
			if e.s.kind == bash && len(part.List) == 0 { // it is nothing there
				continue
			}
			name, err := e.s.processSubstitution(part)
			if err != nil {
				return err
			}
			e.quote(name)
		}
	}
	return nil
}

// unquoted appends unquoted text of the script. first and last say where in its word it stands.
func (e *expander) unquoted(lit *syntax.Lit, first, last bool) {
	text := lit.Value
	if lit.Glob {
		e.add(text)
		e.glob = true
		return
	}
	if strings.Contains(text, "~") {
		if first && text[0] == '~' {
			if home, rest, ok := e.s.tilde(text, !last, e.assign); ok {
				e.quote(home)
				text = rest
			}
		}
		if e.assign {
			e.tildes(text, last)
			return
		}
	}
	e.literal(text)
}

// tildes appends text in which a tilde may stand after a colon, or after the sign of an assignment.
func (e *expander) tildes(text string, last bool) {
	signed := e.signed
	for i := 0; i+1 < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
			continue
		case '=':
			if signed || !syntax.IsName(strings.TrimSuffix(text[:i], "+")) {
				continue
			}
			signed = true
		case ':':
		default:
			continue
		}
		if text[i+1] != '~' {
			continue
		}
		if home, rest, ok := e.s.tilde(text[i+1:], !last, true); ok {
			e.literal(text[:i+1])
			e.quote(home)
			text, i = rest, -1
		}
	}
	e.literal(text)
}

// hasList recognises "$@" and its like among what stands in quotes: with nothing else that is not empty it may be no
// field at all. In ash and dash it has to stand alone.
func (s *shell) hasList(parts []syntax.Part) bool {
	if s.kind != bash {
		if len(parts) != 1 {
			return false
		}
		pe, ok := parts[0].(*syntax.Param)
		return ok && pe.Name == "@" && pe.Op == "" && !pe.Length
	}
	for _, part := range parts {
		if pe, ok := part.(*syntax.Param); ok && !pe.Length && (pe.Name == "@" && !pe.Indirect || pe.All == '@' || pe.Names == '@') {
			return true
		}
	}
	return false
}

// hasBareList recognises a "$@" of bash, or the like, that has no operator.
func hasBareList(parts []syntax.Part) bool {
	return slices.ContainsFunc(parts, func(part syntax.Part) bool {
		pe, ok := part.(*syntax.Param)
		return ok && pe.Op == "" && !pe.Length && (pe.Name == "@" || pe.All == '@')
	})
}

// literal appends unquoted text of the script, in which a backslash quotes the next character.
func (e *expander) literal(text string) {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 || i == len(text)-1 {
			e.unquotedText(text)
			return
		}
		e.unquotedText(text[:i])
		_, n := utf8.DecodeRuneInString(text[i+1:])
		if text[i+1] != '\n' {
			e.quote(text[i+1 : i+1+n])
		}
		text = text[i+1+n:]
	}
}

// unquotedText appends text of the script.
func (e *expander) unquotedText(text string) {
	if !e.loose {
		e.add(text)
		return
	}
	if err := e.value(text, false); err != nil && e.err == nil {
		e.err = err
	}
}

// unescapeQuoted removes the backslashes that mean something inside double quotes.
func unescapeQuoted(text string, here, brace bool) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			switch c := text[i+1]; {
			case c == '\n':
				i++
				continue
			case c == '$', c == '`', c == '\\', c == '"' && !here, c == '}' && brace:
				i++
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// tilde expands ~ and ~user at the beginning of text. The name ends at a slash, with colon at a colon too, or at the end
// unless there is more of the word.
func (s *shell) tilde(text string, more, colon bool) (home, rest string, ok bool) {
	user := text[1:]
	ends := "/"
	if colon {
		ends = "/:"
	}
	if i := strings.IndexAny(user, ends); i >= 0 {
		user, rest = user[:i], user[i:]
	} else if more {
		return "", "", false
	}
	if strings.Contains(user, `\`) {
		return "", "", false
	}
	switch user {
	case "":
		if v := s.vars["HOME"]; v.set {
			return v.value, rest, true
		}
		if s.kind == bash {
			home, ok = s.p.Container().UserHome("root")
		}
		return home, rest, ok
	case "+":
		return s.value("PWD"), rest, s.kind == bash
	case "-":
		return s.value("OLDPWD"), rest, s.kind == bash && s.vars["OLDPWD"].set
	}
	home, ok = s.p.Container().UserHome(user)
	return home, rest, ok
}

// copiedAStep is how many bytes of an expansion count as one command. Each is copied about three times.
const copiedAStep = 64

// grow asks for memory that a word is about to take.
func (s *shell) grow(n int) {
	if n >= 1<<16 {
		s.p.Work(uint32(n >> 11))
		s.p.Allocate(int64(n))
		s.p.Allocate(int64(-n))
	}
}

// What fields take is accounted for where they are many or long.
const (
	fieldSize  = 16
	manyFields = 64 * fieldSize
	// fieldsAStep is how many fields count as one command.
	fieldsAStep = 2
)

// holdFields accounts for new fields, until the command ends that they belong to.
func (s *shell) holdFields(fields []string) {
	s.p.Work(uint32(len(fields) / fieldsAStep))
	n := len(fields) * fieldSize
	for _, f := range fields {
		n += len(f)
	}
	if n >= manyFields {
		s.fieldsHeld += int64(n)
		s.p.Work(uint32(n >> 11))
		s.p.Allocate(int64(n))
	}
}

// releaseFields says that those fields are no longer held that came after mark.
func (s *shell) releaseFields(mark int64) {
	if s.fieldsHeld > mark {
		s.p.Allocate(mark - s.fieldsHeld)
		s.fieldsHeld = mark
	}
}

// setArgs sets the positional parameters to a copy of args, which is accounted for.
func (s *shell) setArgs(args []string) {
	n := 0
	for _, a := range args {
		n += len(a) + fieldSize
	}
	if n < manyFields {
		n = 0
	}
	s.p.Allocate(int64(n) - s.argsHeld)
	s.argsHeld = int64(n)
	s.args = slices.Clone(args)
	s.nextOptions = firstOption
	s.argsSet = s.argsSet || s.calls == 0
}
