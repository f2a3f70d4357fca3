package shell

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// special returns the value of a parameter that is not a variable.
func (s *shell) special(name string) (value string, isSet, found bool) {
	if c := name[0]; c >= '0' && c <= '9' {
		n, err := strconv.Atoi(name)
		switch {
		case err != nil:
			return "", false, true
		case n == 0:
			return s.name, true, true
		case n <= len(s.args):
			return s.args[n-1], true, true
		}
		return "", false, true
	}
	switch name {
	case "?":
		return strconv.Itoa(s.status), true, true
	case "$":
		return strconv.Itoa(s.pid), true, true
	case "#":
		return strconv.Itoa(len(s.args)), true, true
	case "!":
		if s.lastJob == 0 {
			return "", false, true
		}
		return strconv.Itoa(int(s.lastJob)), true, true
	case "-":
		return s.flags(), true, true
	case "LINENO":
		if _, ok := s.vars[name]; !ok && s.kind == ash { // Debian builds dash without it
			return strconv.Itoa(max(s.line, 0)), true, true
		}
	case "FUNCNAME":
		if v, ok := s.vars[name]; ok && s.kind == ash && len(s.frames) > 0 && v.value == "" { // until it is assigned
			return s.frames[len(s.frames)-1].name, true, true
		}
	case "RANDOM":
		if s.kind == ash {
			return strconv.Itoa(s.nextRandom()), true, true
		}
	}
	if s.kind == bash {
		return s.specialOfBash(name)
	}
	return "", false, false
}

// nextRandom draws $RANDOM.
func (s *shell) nextRandom() int {
	if s.random != nil { // seeded by the script
		*s.random = *s.random*1103515245 + 12345
		return int(*s.random >> 16 & 0x7fff)
	}
	return s.p.Random().IntN(32768)
}

// lookup returns a parameter's value as $name has it.
func (s *shell) lookup(name string) (string, bool) {
	if name == "" {
		return "", false
	}
	if value, set, found := s.special(name); found {
		return value, set
	}
	v := s.vars[name]
	if v.ref {
		target := s.target(name)
		if base, index, ok := elementName(target); ok {
			index, err := s.runtimeSubscript(base, index)
			if err != nil {
				return "", false
			}
			value, set, _ := s.element(base, index)
			return value, set
		}
		v = s.vars[target]
	}
	return v.scalar()
}

// array returns the elements and keys of a variable as an array.
func (s *shell) array(name string) variable {
	if s.kind == bash {
		if v, ok := s.arrayOfBash(name); ok {
			if name == "DIRSTACK" || name == "GROUPS" {
				s.remember(name, "asked")
			}
			return v
		}
	}
	return s.vars[s.target(name)]
}

// hasNoElements reports whether an expansion is of a list that has no elements.
func (s *shell) hasNoElements(pe *syntax.Param) bool {
	switch {
	case pe.Name == "@", pe.Name == "*":
		return len(s.args) == 0
	case pe.All != 0:
		v := s.array(pe.Name)
		return v.length() == 0
	}
	return false
}

// param expands a parameter.
func (e *expander) param(pe *syntax.Param, quoted bool) error {
	s := e.s
	if pe.Bad {
		if pe.Transform && s.hasNoElements(pe) {
			return nil
		}
		if pe.Transform { // of a parameter that is not set, it does not matter by what
			if _, set, err := s.paramValue(pe.Name, pe.Index); err == nil && !set && pe.All == 0 && pe.Name != "@" && pe.Name != "*" {
				if s.options.nounset {
					return s.unbound(pe.Name)
				}
				return nil
			}
			return &fatalError{pe.Text + ": bad substitution", s.fatalStatus()}
		}
		return s.badSubstitution(pe.Text)
	}
	if pe.Indirect {
		return e.indirect(pe, quoted)
	}
	name := pe.Name
	if name == "@" || name == "*" {
		if pe.Length && s.kind != bash { // the length of all of them together
			return e.value(strconv.Itoa(s.length(strings.Join(s.args, " "))), quoted)
		}
		return e.listParam(pe, s.args, quoted, name == "*")
	}
	if pe.Length && (pe.All != 0 || pe.Index != nil) && s.options.nounset && s.kind == bash {
		if v := s.array(name); !v.set || v.list == nil && v.table == nil {
			return &fatalError{name + ": unbound variable", 1}
		}
	}
	if pe.All != 0 {
		if pe.Op == "@" {
			if op, _ := pe.Word.Literal(); op != "Q" && op != "E" && op != "P" && op != "U" && op != "u" && op != "L" {
				return e.describeArray(pe, op, quoted)
			}
		}
		v := s.array(name)
		if pe.Length {
			return e.value(strconv.Itoa(v.length()), quoted)
		}
		if whole := s.vars[s.target(name)]; pe.Op == ":" && s.kind == bash && whole.set && !whole.isArray() { // of which it cuts the text
			text, inside, err := s.substring(pe, whole.value)
			if err != nil {
				return err
			}
			var elems []string
			if inside {
				elems = []string{text}
			}
			return e.list(elems, quoted, pe.All == '*', true)
		}
		return e.listParam(pe, v.elements(), quoted, pe.All == '*')
	}
	value, set, err := s.paramValue(name, pe.Index)
	if err != nil {
		return err
	}
	switch {
	case pe.Length:
		switch {
		case set || !s.options.nounset:
		case s.kind == bash:
			return &fatalError{name + ": unbound variable", s.fatalStatus()}
		default:
			return s.unbound(name)
		}
		if s.vars[name].ref && pe.Index == nil {
			if _, _, ok := elementName(s.target(name)); ok { // of which bash does not know the length
				value = ""
			}
		}
		return e.value(strconv.Itoa(s.length(value)), quoted)
	case isAlternative(pe.Op):
		return e.alternative(pe, value, set, quoted)
	}
	if pe.Op == syntax.Swallow {
		if value == "" && s.options.nounset {
			return s.unbound(name)
		}
		if err := e.value(value, quoted); err != nil {
			return err
		}
		brace := e.brace
		e.brace = quoted
		err := e.word(pe.Word.Parts, quoted) // whose blanks do not separate words
		e.brace = brace
		return err
	}
	if !set && s.options.nounset {
		if pe.Index != nil {
			return s.unbound(elementText(pe))
		}
		if s.kind == bash && !pe.Short {
			return &fatalError{name + ": unbound variable", s.fatalStatus()}
		}
		return s.unbound(name)
	}
	if pe.Op == "" {
		if set || quoted {
			return e.value(value, quoted)
		}
		return nil
	}
	if !set && pe.Op == ":" && s.kind == bash { // the numbers do not matter
		return e.value("", quoted)
	}
	if !set && (!quoted || s.kind == ash) && pe.Op != "@" {
		return nil
	}
	if !set && s.kind == bash && pe.Op[0] == '/' {
		return e.value("", quoted)
	}
	before := value
	inside := true
	if pe.Op == ":" {
		value, inside, err = s.substring(pe, value)
	} else {
		value, err = s.operate(pe, value)
	}
	if err != nil {
		return err
	}
	if value == "" && set && e.inCase && quoted && e.leavesSign(pe, before) {
		e.nulls++
	}
	if value == "" && set && quoted && s.kind == bash && inside && leavesField(pe, before) {
		e.quote("")
	}
	return e.value(value, quoted)
}

// leavesField reports whether an expansion that gives nothing still makes a field of what it stands in, also beside a "$@"
// without elements: bash does so where it has made a new text of the value.
func leavesField(pe *syntax.Param, before string) bool {
	switch pe.Op[0] {
	case '#', '%':
		return before != ""
	case '^', ',', '~', '/', ':':
		return true
	case '@':
		op, _ := pe.Word.Literal()
		return op != "a" && op != "P"
	}
	return false
}

// isAlternative reports whether an operator asks whether a parameter is set.
func isAlternative(op string) bool {
	return op != "" && strings.IndexByte("-=?+", op[len(op)-1]) >= 0
}

func (s *shell) badSubstitution(text string) error {
	if s.kind == bash {
		return &reportedError{text + ": bad substitution"}
	}
	if s.kind == dash {
		return &usageError{"Bad substitution"}
	}
	return &usageError{"syntax error: bad substitution"}
}

// paramValue returns the value of a parameter or of one element of an array.
func (s *shell) paramValue(name string, index *syntax.Word) (string, bool, error) {
	if index == nil {
		value, set := s.lookup(name)
		return value, set, nil
	}
	key, err := s.subscript(name, index)
	if err != nil {
		return "", false, err
	}
	return s.element(name, key)
}

// element returns an element of an array by its expanded index.
func (s *shell) element(name, index string) (string, bool, error) {
	v := s.array(name)
	if v.table != nil {
		entry, set := v.table.entries[index]
		if index == "" {
			return "", false, s.badSubscript(name)
		}
		return entry.value, set, nil
	}
	n, err := s.indexNumber(name, v, index)
	if err != nil {
		var usage *usageError
		if errors.As(err, &usage) {
			return "", false, s.badSubscript(name)
		}
		return "", false, err
	}
	if v.list == nil {
		if n != 0 {
			return "", false, nil
		}
		value, set := s.lookup(name)
		return value, set, nil
	}
	value, set := v.list.get(n)
	return value, set, nil
}

// badSubscript complains about a subscript. The element is not set then, and the script goes on unless set -e is on.
func (s *shell) badSubscript(name string) error {
	if s.options.errexit {
		return &reportedError{name + ": bad array subscript"}
	}
	s.complain(name + ": bad array subscript")
	return nil
}

// elementText returns the element of an array that ${x[i]…} names, as it is written.
func elementText(pe *syntax.Param) string {
	text := strings.TrimPrefix(pe.Text, "${")
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[':
			depth++
		case ']':
			if depth--; depth == 0 {
				return text[:i+1]
			}
		}
	}
	return strings.TrimSuffix(text, "}")
}

func (s *shell) unbound(name string) error {
	if s.kind == bash {
		if name == "!" || name != "" && name[0] >= '0' && name[0] <= '9' {
			name = "$" + name
		}
		return &fatalError{name + ": unbound variable", s.fatalStatus()}
	}
	return &fatalError{name + ": parameter not set", 2}
}

// fatalStatus is bash's exit code for a parameter that has to be set: it depends on where the script came from.
func (s *shell) fatalStatus() int {
	if s.options.errexit {
		return 1
	}
	return s.abandonedStatus()
}

// abandonedStatus is bash's exit code for a mistake that ends the shell without being reported as one that set -e minds.
func (s *shell) abandonedStatus() int {
	if !s.isCommand || s.subshell && !s.isJob {
		return 1
	}
	return statusNotFound
}

// listParam expands $@, $* and whole arrays.
func (e *expander) listParam(pe *syntax.Param, elems []string, quoted, star bool) error {
	s := e.s
	switch {
	case pe.Length:
		return e.value(strconv.Itoa(len(elems)), quoted)
	case pe.Op == "":
	case pe.Op == ":":
		var err error
		if elems, err = s.sliceList(pe, elems); err != nil {
			return err
		}
	case isAlternative(pe.Op):
		joined := strings.Join(elems, " ")
		null := len(elems) == 0 && s.kind == bash // to ash and dash they are set even if there are none
		if pe.Op[0] == ':' {
			null = joined == ""
		}
		if op := pe.Op[len(pe.Op)-1]; null || op == '+' {
			if len(elems) > 0 && null && op == '+' {
				return nil
			}
			return e.alternative(pe, joined, !null, quoted)
		}
	default:
		changed := make([]string, len(elems))
		for i, elem := range elems {
			var err error
			if changed[i], err = s.operate(pe, elem); err != nil {
				return err
			}
		}
		elems = changed
	}
	return e.list(elems, quoted, star, pe.Op != "" && !isAlternative(pe.Op))
}

// sliceList cuts ${@:from:count} and ${array[@]:from:count}.
func (s *shell) sliceList(pe *syntax.Param, elems []string) ([]string, error) {
	if n := pe.Name; n == "@" || n == "*" {
		elems = append([]string{s.name}, elems...)
	}
	n := len(elems)
	if n == 0 {
		return nil, nil
	}
	from, err := s.cutNumber(pe, pe.Offset)
	if err != nil {
		return nil, err
	}
	// The offset of a sparse array counts indexes, not elements.
	if l := s.array(pe.Name).list; l != nil && pe.All != 0 {
		if from < 0 {
			from += int64(l.last()) + 1
			if from < 0 {
				return nil, nil
			}
		}
		if from > int64(l.last()) {
			return nil, nil
		}
		at, _ := l.find(int(from))
		from = int64(at)
	}
	if from < 0 {
		if from += int64(n); from < 0 {
			return nil, nil
		}
	}
	if from > int64(n) {
		return nil, nil
	}
	to := int64(n)
	if pe.Count != nil {
		count, err := s.cutNumber(pe, pe.Count)
		if err != nil {
			return nil, err
		}
		if count < 0 {
			return nil, &discardError{&usageError{syntax.PrintWord(pe.Count) + ": substring expression < 0"}}
		}
		to = from + min(count, int64(n)-from)
	}
	return elems[from:to], nil
}

// cutNumber evaluates the offset or the length of ${x:from:count}. Bash names the parameter where that is a mistake.
func (s *shell) cutNumber(pe *syntax.Param, w *syntax.Word) (int64, error) {
	n, err := s.arithmetic(w)
	var wrong *arithmeticError
	if s.kind == bash && errors.As(err, &wrong) {
		name, _, _ := strings.Cut(strings.TrimPrefix(pe.Text, "${"), ":")
		err = &discardError{&arithmeticError{name + ": " + wrong.text}}
	}
	return n, err
}

// substring cuts ${x:from:count}. inside says that it begins inside of the value, or at its end.
func (s *shell) substring(pe *syntax.Param, value string) (text string, inside bool, err error) {
	n := int64(s.length(value))
	from, err := s.cutNumber(pe, pe.Offset)
	if err != nil {
		return "", false, err
	}
	count := int64(0)
	if pe.Count != nil && s.kind == ash { // bash asks only where the offset is inside of the text
		if count, err = s.cutNumber(pe, pe.Count); err != nil {
			return "", false, err
		}
	}
	if from < 0 {
		if from += n; from < 0 {
			return "", false, nil
		}
	}
	if from > n {
		return "", false, nil
	}
	if pe.Count != nil && s.kind != ash {
		if count, err = s.cutNumber(pe, pe.Count); err != nil {
			return "", false, err
		}
	}
	to := n
	if pe.Count != nil {
		if count < 0 {
			if to = n + count; to < from {
				if s.kind == bash {
					return "", false, &discardError{&usageError{syntax.PrintWord(pe.Count) + ": substring expression < 0"}}
				}
				to = from
			}
		} else {
			to = from + min(count, n-from)
		}
	}
	value = value[s.offset(value, int(from)):]
	return value[:s.offset(value, int(to-from))], true, nil
}

// indirect expands ${!name}, ${!prefix*} and ${!array[@]}.
func (e *expander) indirect(pe *syntax.Param, quoted bool) error {
	s := e.s
	name := pe.Name
	if pe.Names != 0 {
		var names []string
		all := s.shown()
		for _, n := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(n, name) && (all[n].set || slices.Contains(remembered, n)) {
				names = append(names, n)
			}
		}
		return e.list(names, quoted, pe.Names == '*', true)
	}
	if pe.All != 0 && pe.Op == "" {
		return e.list(s.array(name).keys(), quoted, pe.All == '*', true)
	}
	if v := s.vars[name]; v.ref && pe.Index == nil {
		if v.value == "" {
			return &discardError{&usageError{name + ": invalid indirect expansion"}}
		}
		v.value = s.target(name)
		return e.value(v.value, quoted)
	}
	to, set, err := s.paramValue(name, pe.Index)
	if err != nil {
		return err
	}
	direct := *pe
	direct.Indirect, direct.Index = false, nil
	if base, index, ok := elementName(to); ok {
		direct.Name = base
		if index == "@" || index == "*" {
			direct.All = index[0]
			return e.param(&direct, quoted)
		}
		if index, err = s.runtimeSubscript(base, index); err != nil {
			return err
		}
		if pe.Op == "=" || pe.Op == ":=" { // which bash does not do through an element's name
			if value, set, err := s.element(base, index); err != nil || !set || pe.Op == ":=" && value == "" {
				return cmp.Or(err, error(&discardError{&usageError{to + ": invalid variable name"}}))
			}
		}
		direct.Index = &syntax.Word{Parts: []syntax.Part{&syntax.DblQuoted{Parts: []syntax.Part{&syntax.Lit{Value: index}}}}}
		return e.param(&direct, quoted)
	}
	_, declared := s.vars[name]
	isParameter := syntax.IsName(to) || to != "" && strings.Trim(to, "0123456789") == "" || len(to) == 1 && strings.Contains("@*#?-$!", to)
	switch {
	case !set && isAlternative(pe.Op) && strings.Trim(name, "0123456789") == "":
		return e.alternative(pe, "", false, quoted)
	case !set && strings.Trim(name, "0123456789") == "" && s.options.nounset:
		return &fatalError{"!" + name + ": unbound variable", s.fatalStatus()}
	case !set && strings.Trim(name, "0123456789") == "":
		return e.value("", quoted)
	case !set && declared && isAlternative(pe.Op):
		return e.alternative(pe, "", false, quoted)
	case !set && declared && s.options.nounset:
		return &fatalError{"!" + name + ": unbound variable", s.fatalStatus()}
	case !set && declared && pe.Op == "":
		return e.value("", quoted)
	case !set:
		return &discardError{&usageError{name + ": invalid indirect expansion"}}
	case !isParameter:
		return &discardError{&usageError{to + ": invalid variable name"}}
	}
	direct.Name = to
	return e.param(&direct, quoted)
}

// alternative expands ${x-w}, ${x=w}, ${x?w} and ${x+w}, with and without colon. The word is only expanded if it is used.
func (e *expander) alternative(pe *syntax.Param, value string, set, quoted bool) error {
	s := e.s
	use := !set
	if pe.Op[0] == ':' {
		use = !set || value == ""
	}
	op := pe.Op[len(pe.Op)-1]
	if op == '+' {
		if use {
			return nil
		}
		return e.operand(pe.Word, quoted)
	}
	if !use {
		return e.value(value, quoted)
	}
	switch op {
	case '-':
		if quoted && len(pe.Word.Parts) == 0 && !e.bare {
			e.quote("")
		}
		return e.operand(pe.Word, quoted)
	case '=':
		text, err := s.operandText(pe.Word, quoted)
		if err != nil {
			return err
		}
		if !syntax.IsName(pe.Name) {
			if s.kind != bash {
				return s.badSubstitution(pe.Text)
			}
			return &usageError{"$" + pe.Name + ": cannot assign in this way"}
		}
		if pe.Index != nil {
			err = s.assignIndex(pe.Name, pe.Index, text, false)
		} else {
			err = s.assign(pe.Name, text)
		}
		if err != nil {
			return err
		}
		if quoted && s.kind == bash { // also beside a "$@" without elements
			e.quote("")
		}
		return e.value(s.value(pe.Name), quoted)
	}
	text, err := s.complaint(pe.Word, quoted)
	if err != nil {
		return err
	}
	if len(pe.Word.Parts) == 0 {
		text = "parameter not set"
		if pe.Op == ":?" {
			text = "parameter not set or null"
			if s.kind == bash {
				text = "parameter null or not set"
			}
		}
	}
	status := statusUsage
	if s.kind == bash {
		status = s.fatalStatus()
	}
	return &fatalError{pe.Name + ": " + text, status}
}

// operand expands the word of an operator.
func (e *expander) operand(w *syntax.Word, quoted bool) error {
	brace, loose, within := e.brace, e.loose, e.within
	e.brace, e.loose, e.within = quoted, !quoted && e.split, !quoted
	err := e.word(w.Parts, quoted)
	e.brace, e.loose, e.within = brace, loose, within
	return err
}

// operandText expands the word of an operator to one string.
func (s *shell) operandText(w *syntax.Word, quoted bool) (string, error) {
	e := expander{s: s, assign: true, joins: s.kind == bash}
	if err := e.operand(w, quoted); err != nil {
		return "", err
	}
	return string(e.buf), nil
}

// complaint expands the word of ${x?word}, which bash splits.
func (s *shell) complaint(w *syntax.Word, quoted bool) (string, error) {
	if s.kind != bash {
		return s.operandText(w, quoted)
	}
	defer func(noglob bool) { s.options.noglob = noglob }(s.options.noglob)
	s.options.noglob = true
	fields, err := s.fields(nil, w, false)
	return strings.Join(fields, " "), err
}

// operate applies the operators that change a value.
func (s *shell) operate(pe *syntax.Param, value string) (string, error) {
	switch pe.Op {
	case "":
		return value, nil
	case ":":
		text, _, err := s.substring(pe, value)
		return text, err
	case "/", "//":
		return s.replace(pe, value)
	case "@":
		op, _ := pe.Word.Literal()
		return s.transform(op, pe.Name, value)
	}
	pat, err := s.pattern(pe.Word)
	if err != nil {
		return "", err
	}
	switch pe.Op {
	case "#", "##":
		return s.removePrefix(pat, value, pe.Op == "##"), nil
	case "%", "%%":
		return s.removeSuffix(pat, value, pe.Op == "%%"), nil
	}
	if pat == "" && hasQuotes(pe.Word) { // a pattern that is empty, where without any it is every character
		return value, nil
	}
	return s.changeCase(pe.Op, pat, value), nil
}

// changeCase applies ${x^pattern}, ${x,pattern} and ${x~pattern}, to the first character or, with a double operator, to
// all that match the pattern.
func (s *shell) changeCase(op, pat, value string) string {
	s.p.Work(uint32(len(value) / copiedAStep))
	changed := value
	if len(op) == 1 {
		changed = value[:s.offset(value, 1)]
	}
	rest := value[len(changed):]
	if pat == "" && op[0] != '~' {
		if op[0] == '^' {
			return s.upperAll(changed) + rest
		}
		return s.lowerAll(changed) + rest
	}
	wide := s.wide()
	m := s.extended()
	var b strings.Builder
	for changed != "" {
		size := 1
		if wide {
			_, size = utf8.DecodeRuneInString(changed)
		}
		c := changed[:size]
		changed = changed[size:]
		switch {
		case pat != "" && !m.match(pat, c):
			b.WriteString(c)
		case op[0] == '^' || op[0] == '~' && isLower(c):
			b.WriteString(s.upperAll(c))
		default:
			b.WriteString(s.lowerAll(c))
		}
	}
	return b.String() + rest
}

// hasQuotes reports whether a part of a word is in quotes.
func hasQuotes(w *syntax.Word) bool {
	return w != nil && slices.ContainsFunc(w.Parts, func(part syntax.Part) bool {
		switch part.(type) {
		case *syntax.SglQuoted, *syntax.DblQuoted:
			return true
		}
		return false
	})
}

// transform applies ${x@op}.
func (s *shell) transform(op, name, value string) (string, error) {
	v := s.vars[name]
	if _, set := s.lookup(name); !set && name != "@" && name != "*" && !v.isArray() && (op != "a" && op != "A" || v.attributes() == "") {
		return "", nil
	}
	switch op {
	case "Q", "K", "k":
		return s.quoteAny(value), nil
	case "E":
		return s.dollarQuote(value), nil
	case "U":
		return s.upperAll(value), nil
	case "L":
		return s.lowerAll(value), nil
	case "u":
		return s.changeCase("^", "", value), nil
	case "a":
		return v.attributes(), nil
	case "A":
		if a := v.attributes(); a != "" {
			return "declare -" + a + " " + name + "=" + s.quoteAny(value), nil
		}
		return name + "=" + s.quoteAny(value), nil
	}
	return value, nil
}

// describeArray expands ${array[@]@A}, @a, @K and @k.
func (e *expander) describeArray(pe *syntax.Param, op string, quoted bool) error {
	s := e.s
	v := s.array(pe.Name)
	switch op {
	case "A":
		if !v.set && !v.isArray() {
			return nil
		}
		flags := v.attributes()
		if !v.isArray() {
			text, err := s.transform("A", pe.Name, v.value)
			if err != nil {
				return err
			}
			return e.value(text, quoted)
		}
		return e.value("declare -"+flags+" "+pe.Name+"="+s.arrayText(v), quoted)
	case "a":
		flags := make([]string, v.length())
		for i := range flags {
			flags[i] = v.attributes()
		}
		return e.list(flags, quoted, pe.All == '*', true)
	}
	var out []string
	keys, elems := v.keys(), v.elements()
	for i := range keys {
		if op == "K" {
			out = append(out, keys[i]+" "+s.quoteDouble(elems[i]))
		} else {
			out = append(out, keys[i], elems[i])
		}
	}
	if op == "K" {
		return e.value(strings.Join(out, " "), quoted)
	}
	return e.list(out, quoted, pe.All == '*', true)
}

func (v variable) attributes() string {
	out := ""
	for _, a := range []struct {
		has    bool
		letter string
	}{{v.list != nil, "a"}, {v.table != nil, "A"}, {v.integer, "i"}, {v.ref, "n"}, {v.readonly, "r"}, {v.exported, "x"}, {v.lower, "l"}, {v.upper, "u"}} {
		if a.has {
			out += a.letter
		}
	}
	return out
}

// replace applies ${x/pattern/text}.
func (s *shell) replace(pe *syntax.Param, value string) (string, error) {
	pat, err := s.pattern(pe.Word)
	if err != nil {
		return "", err
	}
	r := replacement{}
	if pe.With != nil {
		e := expander{s: s}
		if err := e.word(pe.With.Parts, false); err != nil {
			return "", err
		}
		r = e.replacement()
	}
	if pat == "" {
		return value, nil
	}
	if s.kind == bash {
		return s.replaceOfBash(pe, pat, r, value), nil
	}
	if value == "" && s.match(pat, "") {
		return r.of(""), nil
	}
	all := pe.Op == "//"
	anchors := !all && s.kind == bash // in ash, # and % are characters like others
	if anchors && pat[0] == '#' {
		if n := s.longestPrefix(pat[1:], value); n >= 0 {
			return r.of(value[:n]) + value[n:], nil
		}
		return value, nil
	}
	if anchors && pat[0] == '%' {
		if i := s.longestSuffix(pat[1:], value); i >= 0 {
			return value[:i] + r.of(value[i:]), nil
		}
		return value, nil
	}
	if lit, ok := literalPattern(pat); ok {
		if lit == "" {
			return value, nil
		}
		n := 1
		if all {
			n = strings.Count(value, lit)
		}
		with := r.of(lit)
		s.grow(len(value) + n*max(0, len(with)-len(lit)))
		return strings.Replace(value, lit, with, n), nil
	}
	var b strings.Builder
	for i := 0; i <= len(value); {
		if n := s.longestPrefix(pat, value[i:]); n > 0 {
			with := r.of(value[i : i+n])
			s.grow(b.Len() + len(with) + len(value) - i)
			b.WriteString(with)
			i += n
			if !all {
				b.WriteString(value[i:])
				return b.String(), nil
			}
			continue
		}
		if i < len(value) {
			b.WriteByte(value[i])
		}
		i++
	}
	return b.String(), nil
}

// replacement is what a match is replaced by: texts with the match between them.
type replacement struct {
	first string
	rest  []string // each behind the match
}

// of returns the text that replaces a match.
func (r replacement) of(match string) string {
	if r.rest == nil {
		return r.first
	}
	return r.first + match + strings.Join(r.rest, match)
}

// replacement returns the expanded word as a replacement. In bash an unquoted & is the match.
func (e *expander) replacement() replacement {
	if e.s.kind != bash || !strings.Contains(string(e.buf), "&") {
		return replacement{first: string(e.buf)}
	}
	var texts []string
	from, q := 0, 0
	var text []byte
	for i, c := range e.buf {
		for q < len(e.quoted) && e.quoted[q].to <= i {
			q++
		}
		quoted := q < len(e.quoted) && e.quoted[q].from <= i
		if c == '&' && !quoted && !(i > from && e.buf[i-1] == '\\') {
			texts = append(texts, string(text))
			text, from = nil, i+1
			continue
		}
		if c == '&' && !quoted && len(text) > 0 {
			text = text[:len(text)-1]
		}
		text = append(text, c)
	}
	if texts == nil {
		return replacement{first: string(text)}
	}
	return replacement{first: texts[0], rest: append(texts[1:], string(text))}
}

// quoteSingle puts text into single quotes, for a shell to read again.
func quoteSingle(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// quoteAny quotes text as bash's ${x@Q} does: with $'…' if it has control characters.
func (s *shell) quoteAny(text string) string {
	if s.unprintable(text, "") {
		return s.quoteDollar(text)
	}
	return quoteSingle(text)
}

// quoteDollar puts text into $'…'.
func (s *shell) quoteDollar(text string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(text); i++ {
		c := text[i]
		if at := strings.IndexByte("\a\b\x1b\f\n\r\t\v'\\", c); at >= 0 {
			b.WriteByte('\\')
			b.WriteByte(`abEfnrtv'\`[at])
			continue
		}
		if r, n := utf8.DecodeRuneInString(text[i:]); r != utf8.RuneError && r >= ' ' && r != 0x7f && (n == 1 || s.wide()) {
			b.WriteString(text[i : i+n])
			i += n - 1
			continue
		}
		fmt.Fprintf(&b, `\%03o`, c)
	}
	b.WriteByte('\'')
	return b.String()
}

// quoteDouble puts text into double quotes, as declare -p does.
func (s *shell) quoteDouble(text string) string {
	if s.unprintable(text, "") {
		return s.quoteDollar(text)
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		if strings.IndexByte("\"\\$`", text[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	b.WriteByte('"')
	return b.String()
}

// unprintable reports whether text has bytes that bash shows as escapes.
func (s *shell) unprintable(text, except string) bool {
	wide := s.wide()
	for i := range len(text) {
		c := text[i]
		if (c < ' ' || c == 0x7f || c >= utf8.RuneSelf && !wide) && strings.IndexByte(except, c) < 0 {
			return true
		}
	}
	return wide && !utf8.ValidString(text)
}
