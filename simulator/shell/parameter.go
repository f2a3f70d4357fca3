package shell

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/simulator/utility"
	"mvdan.cc/sh/v3/syntax"
)

// special returns the value of a parameter that is no variable.
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
		return strconv.Itoa(s.lastJob), true, true
	case "-":
		return s.flags(), true, true
	case "LINENO":
		return strconv.FormatUint(uint64(s.line), 10), true, true
	case "RANDOM":
		return strconv.Itoa(s.nextRandom()), true, true
	}
	if s.kind == bash {
		switch name {
		case "SECONDS":
			return strconv.Itoa(int(s.p.Now().Sub(s.started).Seconds())), true, true
		case "BASHPID":
			return strconv.Itoa(s.p.PID()), true, true
		case "EPOCHSECONDS":
			return strconv.FormatInt(s.p.Now().Unix(), 10), true, true
		case "SHELLOPTS", "BASH_SUBSHELL":
			return "", false, false
		}
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
	v := s.vars[s.target(name)]
	if !v.set && !v.isArray() && s.kind == bash && name == "PIPESTATUS" && len(s.pipestatus) > 0 {
		return strconv.Itoa(s.pipestatus[0]), true
	}
	return v.scalar()
}

// array returns the elements and keys of a variable as an array.
func (s *shell) array(name string) variable {
	if name == "PIPESTATUS" && s.kind == bash {
		v := variable{list: map[int]string{}, set: true}
		for i, st := range s.pipestatus {
			v.list[i] = strconv.Itoa(st)
		}
		return v
	}
	return s.vars[s.target(name)]
}

// indexAll reports whether an index is @ or *.
func indexAll(index syntax.ArithmExpr) (star, all bool) {
	w, ok := index.(*syntax.Word)
	if !ok {
		return false, false
	}
	switch w.Lit() {
	case "@":
		return false, true
	case "*":
		return true, true
	}
	return false, false
}

// param expands a parameter.
func (e *expander) param(pe *syntax.ParamExp, quoted bool) error {
	s := e.s
	if pe.Param == nil || pe.NestedParam != nil || pe.Width || pe.IsSet || len(pe.Modifiers) > 0 {
		return &usageError{"bad substitution"}
	}
	name := pe.Param.Value
	simple := pe.Index == nil && pe.Exp == nil && pe.Slice == nil && pe.Repl == nil && !pe.Length && !pe.Excl
	if pe.Excl {
		return e.indirect(pe, quoted)
	}
	elems, star, isList := []string(nil), false, false
	if name == "@" || name == "*" {
		elems, star, isList = s.args, name == "*", true
	} else if pe.Index != nil {
		if st, all := indexAll(pe.Index); all {
			elems, star, isList = s.array(name).elements(), st, true
		}
	}
	if isList {
		return e.listParam(pe, elems, quoted, star)
	}
	value, set, err := s.paramValue(name, pe.Index)
	if err != nil {
		return err
	}
	if simple {
		if !set && s.options.nounset {
			return s.unbound(name)
		}
		if set || quoted {
			e.value(value, quoted)
		}
		return nil
	}
	if pe.Length {
		if !set && s.options.nounset {
			return s.unbound(name)
		}
		e.value(strconv.Itoa(utf8.RuneCountInString(value)), quoted)
		return nil
	}
	if pe.Exp != nil && pe.Exp.Op <= syntax.AssignUnsetOrNull {
		return e.alternative(pe, value, set, quoted)
	}
	if !set && s.options.nounset {
		return s.unbound(name)
	}
	value, err = s.operate(pe, value)
	if err != nil {
		return err
	}
	e.value(value, quoted)
	return nil
}

// paramValue returns the value of a parameter or of one element of an array.
func (s *shell) paramValue(name string, index syntax.ArithmExpr) (string, bool, error) {
	if index == nil {
		value, set := s.lookup(name)
		return value, set, nil
	}
	v := s.array(name)
	if v.table != nil {
		key, err := s.indexKey(index)
		value, set := v.table[key]
		return value, set, err
	}
	n, err := s.indexNumber(v, index)
	if err != nil {
		return "", false, err
	}
	if v.list == nil {
		return v.value, v.set && n == 0, nil
	}
	value, set := v.list[n]
	return value, set, nil
}

func (s *shell) unbound(name string) error {
	if s.kind == bash {
		return &fatalError{name + ": unbound variable", s.fatalStatus()}
	}
	return &fatalError{name + ": parameter not set", 2}
}

// fatalStatus is bash's exit code for a parameter that has to be set: it depends on where the script came from.
func (s *shell) fatalStatus() int {
	if s.isScript || s.subshell {
		return 1
	}
	return statusNotFound
}

// fatalError ends a shell that is not interactive.
type fatalError struct {
	text   string
	status int
}

func (e *fatalError) Error() string { return e.text }

// listParam expands $@, $* and whole arrays.
func (e *expander) listParam(pe *syntax.ParamExp, elems []string, quoted, star bool) error {
	s := e.s
	switch {
	case pe.Length:
		e.value(strconv.Itoa(len(elems)), quoted)
		return nil
	case pe.Slice != nil:
		var err error
		if elems, err = s.sliceList(pe, elems); err != nil {
			return err
		}
	case pe.Exp != nil && pe.Exp.Op <= syntax.AssignUnsetOrNull:
		joined := strings.Join(elems, " ")
		var useWord bool
		switch pe.Exp.Op {
		case syntax.AlternateUnset:
			useWord = len(elems) > 0
		case syntax.AlternateUnsetOrNull:
			useWord = joined != ""
		case syntax.DefaultUnset, syntax.AssignUnset, syntax.ErrorUnset:
			useWord = len(elems) == 0
		default:
			useWord = joined == ""
		}
		if useWord || pe.Exp.Op <= syntax.AlternateUnsetOrNull {
			set := len(elems) > 0
			return e.alternative(pe, joined, set, quoted)
		}
	case pe.Repl != nil || pe.Exp != nil:
		changed := make([]string, len(elems))
		for i, elem := range elems {
			var err error
			if changed[i], err = s.operate(pe, elem); err != nil {
				return err
			}
		}
		elems = changed
	}
	e.list(elems, quoted, star)
	return nil
}

// sliceList cuts ${@:from:count}.
func (s *shell) sliceList(pe *syntax.ParamExp, elems []string) ([]string, error) {
	if n := pe.Param.Value; n == "@" || n == "*" {
		elems = append([]string{s.name}, elems...)
	}
	from, to, err := s.bounds(pe.Slice, len(elems))
	if err != nil {
		return nil, err
	}
	if n := pe.Param.Value; (n == "@" || n == "*") && pe.Slice.Offset == nil {
		from = max(from, 1)
	}
	return elems[from:max(from, to)], nil
}

// bounds evaluates offset and length of a slice of n.
func (s *shell) bounds(sl *syntax.Slice, n int) (from, to int, err error) {
	to = n
	if sl.Offset != nil {
		off, err := s.arithmetic(sl.Offset)
		if err != nil {
			return 0, 0, err
		}
		if off < 0 {
			if off += int64(n); off < 0 {
				return n, n, nil
			}
		}
		from = int(min(off, int64(n)))
	}
	if sl.Length != nil {
		length, err := s.arithmetic(sl.Length)
		if err != nil {
			return 0, 0, err
		}
		if length < 0 {
			to = max(from, n+int(max(length, int64(-n))))
		} else {
			to = from + int(min(length, int64(n-from)))
		}
	}
	return from, to, nil
}

// indirect expands ${!name}, ${!prefix*} and ${!array[@]}.
func (e *expander) indirect(pe *syntax.ParamExp, quoted bool) error {
	s := e.s
	name := pe.Param.Value
	if pe.Names != 0 {
		var names []string
		for _, n := range slices.Sorted(maps.Keys(s.vars)) {
			if strings.HasPrefix(n, name) {
				names = append(names, n)
			}
		}
		e.list(names, quoted, pe.Names == syntax.NamesPrefix)
		return nil
	}
	if star, all := indexAll(pe.Index); all {
		e.list(s.array(name).keys(), quoted, star)
		return nil
	}
	if v := s.vars[name]; v.ref {
		e.value(v.value, quoted)
		return nil
	}
	to, set, err := s.paramValue(name, pe.Index)
	if err != nil {
		return err
	}
	if !set || !syntax.ValidName(to) && (to == "" || strings.Trim(to, "0123456789") != "") && to != "@" && to != "*" && to != "#" {
		if base, index, ok := strings.Cut(strings.TrimSuffix(to, "]"), "["); ok && syntax.ValidName(base) {
			word := &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: index}}}
			direct := *pe
			direct.Excl, direct.Param, direct.Index = false, &syntax.Lit{Value: base}, word
			return e.param(&direct, quoted)
		}
		if !set && pe.Exp != nil {
			return e.alternative(pe, "", false, quoted)
		}
		return &fatalError{name + ": invalid indirect expansion", 1}
	}
	direct := *pe
	direct.Excl, direct.Param, direct.Index = false, &syntax.Lit{Value: to}, nil
	return e.param(&direct, quoted)
}

// alternative expands ${x-w}, ${x=w}, ${x?w} and ${x+w}, with and without colon. The word is only expanded if it is used.
func (e *expander) alternative(pe *syntax.ParamExp, value string, set, quoted bool) error {
	s := e.s
	null := !set || value == ""
	var parts []syntax.WordPart
	if pe.Exp.Word != nil {
		parts = pe.Exp.Word.Parts
	}
	var use bool
	switch pe.Exp.Op {
	case syntax.AlternateUnset:
		if !set {
			return nil
		}
		return e.word(parts, quoted)
	case syntax.AlternateUnsetOrNull:
		if null {
			return nil
		}
		return e.word(parts, quoted)
	case syntax.DefaultUnset, syntax.AssignUnset, syntax.ErrorUnset:
		use = !set
	default:
		use = null
	}
	if !use {
		e.value(value, quoted)
		return nil
	}
	switch pe.Exp.Op {
	case syntax.DefaultUnset, syntax.DefaultUnsetOrNull:
		if quoted && len(parts) == 0 {
			e.quote("")
		}
		return e.word(parts, quoted)
	case syntax.AssignUnset, syntax.AssignUnsetOrNull:
		text, err := s.single(pe.Exp.Word)
		if err != nil {
			return err
		}
		if !syntax.ValidName(pe.Param.Value) {
			return &fatalError{"$" + pe.Param.Value + ": cannot assign in this way", 1}
		}
		if pe.Index != nil {
			err = s.assignIndex(pe.Param.Value, pe.Index, text, false)
		} else {
			err = s.assign(pe.Param.Value, text)
		}
		if err != nil {
			return err
		}
		e.value(text, quoted)
		return nil
	}
	text, err := s.single(pe.Exp.Word)
	if err != nil {
		return err
	}
	if text == "" {
		text = "parameter not set"
		if pe.Exp.Op == syntax.ErrorUnsetOrNull {
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
	return &fatalError{pe.Param.Value + ": " + text, status}
}

// operate applies the operators that change a value.
func (s *shell) operate(pe *syntax.ParamExp, value string) (string, error) {
	switch {
	case pe.Slice != nil:
		runes := []rune(value)
		from, to, err := s.bounds(pe.Slice, len(runes))
		if err != nil {
			return "", err
		}
		return string(runes[from:max(from, to)]), nil
	case pe.Repl != nil:
		return s.replace(pe.Repl, value)
	case pe.Exp == nil:
		return value, nil
	}
	if pe.Exp.Op == syntax.OtherParamOps {
		op, err := s.single(pe.Exp.Word)
		if err != nil {
			return "", err
		}
		return s.transform(op, pe.Param.Value, value)
	}
	pat, err := s.pattern(pe.Exp.Word)
	if err != nil {
		return "", err
	}
	switch pe.Exp.Op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		return removePrefix(pat, value, pe.Exp.Op == syntax.RemLargePrefix), nil
	case syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		return removeSuffix(pat, value, pe.Exp.Op == syntax.RemLargeSuffix), nil
	case syntax.UpperFirst, syntax.UpperAll, syntax.LowerFirst, syntax.LowerAll:
		runes := []rune(value)
		for i, r := range runes {
			if i > 0 && (pe.Exp.Op == syntax.UpperFirst || pe.Exp.Op == syntax.LowerFirst) {
				break
			}
			if pat != "" && !match(pat, string(r)) {
				continue
			}
			if pe.Exp.Op == syntax.UpperFirst || pe.Exp.Op == syntax.UpperAll {
				runes[i] = unicode.ToUpper(r)
			} else {
				runes[i] = unicode.ToLower(r)
			}
		}
		return string(runes), nil
	}
	return "", &usageError{"bad substitution"}
}

// transform applies ${x@op}.
func (s *shell) transform(op, name, value string) (string, error) {
	if _, set := s.lookup(name); !set {
		return "", nil
	}
	switch op {
	case "Q":
		return quoteSingle(value), nil
	case "E":
		text, _ := utility.Escapes(value, utility.DollarQuote)
		return text, nil
	case "U":
		return strings.ToUpper(value), nil
	case "L":
		return strings.ToLower(value), nil
	case "u":
		r, n := utf8.DecodeRuneInString(value)
		if n == 0 {
			return "", nil
		}
		return string(unicode.ToUpper(r)) + value[n:], nil
	case "a":
		return s.vars[name].attributes(), nil
	case "A":
		if a := s.vars[name].attributes(); a != "" {
			return "declare -" + a + " " + name + "=" + quoteSingle(value), nil
		}
		return name + "=" + quoteSingle(value), nil
	case "P":
		return value, nil
	}
	return "", &usageError{"bad substitution"}
}

func (v variable) attributes() string {
	out := ""
	for _, a := range []struct {
		has    bool
		letter string
	}{{v.list != nil, "a"}, {v.table != nil, "A"}, {v.integer, "i"}, {v.lower, "l"}, {v.ref, "n"}, {v.readonly, "r"}, {v.upper, "u"}, {v.exported, "x"}} {
		if a.has {
			out += a.letter
		}
	}
	return out
}

// replace applies ${x/pattern/text}.
func (s *shell) replace(r *syntax.Replace, value string) (string, error) {
	pat, err := s.pattern(r.Orig)
	if err != nil {
		return "", err
	}
	with, err := s.single(r.With)
	if err != nil {
		return "", err
	}
	if pat == "" {
		return value, nil
	}
	if !r.All && pat[0] == '#' {
		if n := longestPrefix(pat[1:], value); n >= 0 {
			return with + value[n:], nil
		}
		return value, nil
	}
	if !r.All && pat[0] == '%' {
		if i := longestSuffix(pat[1:], value); i >= 0 {
			return value[:i] + with, nil
		}
		return value, nil
	}
	if lit, ok := literalPattern(pat); ok {
		n := 1
		if r.All {
			n = -1
		}
		return strings.Replace(value, lit, with, n), nil
	}
	var b strings.Builder
	for i := 0; i <= len(value); {
		n := longestPrefix(pat, value[i:])
		if n > 0 {
			b.WriteString(with)
			i += n
			if !r.All {
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

// quoteSingle puts text into single quotes, for a shell to read again.
func quoteSingle(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
