package shell

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// builtinDeclare is declare, typeset, local, export and readonly. Assignments to arrays among the arguments have been
// left as they stood in the script.
func builtinDeclare(s *shell, args []string) int {
	arrays, shift := s.arrayArgs, int(s.arrayShift)
	s.arrayArgs, s.arrayShift = nil, 0
	d := declaration{s: s, name: args[0]}
	if d.name == "local" && len(s.scopes) == 0 && s.kind != bash {
		s.complain("not in a function")
		s.flow = exiting
		return statusUsage
	}
	if d.name == "typeset" {
		d.name = "declare"
	}
	if d.name == "local" && s.calls == 0 && s.kind == bash && len(args) == 1 {
		s.complain("can only be used in a function")
		return 1
	}
	if d.name == "local" && s.calls == 0 && len(arrays) > 0 {
		s.declareArrays(args, arrays, shift)
	}
	for i, word := range args[1:] {
		a := arrays[i+1+shift]
		if !d.word(word, a) {
			return d.status
		}
	}
	d.list()
	s.misassigned = d.failed
	if d.failed && s.isStage && s.depth == s.stageDepth { // whose child does not tell a failed assignment from its code
		return statusBadAssignment
	}
	return d.status
}

// declareArrays gives variables the arrays that are among the arguments of local, which bash does before local finds that it
// is in no function.
func (s *shell) declareArrays(args []string, arrays map[int]*syntax.Assign, shift int) {
	d := declaration{s: s, name: "declare"}
	for i, word := range args[1:] {
		switch a := arrays[i+1+shift]; {
		case a != nil:
			d.word(word, a)
		case strings.HasPrefix(word, "-"):
			d.flags += strings.Map(func(r rune) rune {
				if strings.ContainsRune("aAilu", r) {
					return r
				}
				return -1
			}, word)
		}
	}
}

// statusBadAssignment is what is left of bash's inner code for a failed assignment when a child ends with it.
const statusBadAssignment = 4

// declaration collects what a declaring command asks for.
type declaration struct {
	s      *shell
	name   string
	flags  string // letters after -
	off    string // letters after +
	print  bool
	named  bool
	words  bool // no more flags
	failed bool // an assignment did
	status int
}

func (d *declaration) has(letter string) bool { return strings.Contains(d.flags, letter) }

// option takes a word of options.
func (d *declaration) option(word string) bool {
	s := d.s
	letters := "aAfFgiIlnprtux"
	switch {
	case s.kind != bash && d.name == "local":
		letters = ""
	case s.kind == ash:
		letters = "np"
	case s.kind == dash:
		letters = "p"
	case d.name == "export":
		letters = "aAfnp"
	case d.name == "readonly":
		letters = "aAfnp"
	}
	for _, l := range word[1:] {
		switch {
		case !strings.ContainsRune(letters, l):
			if s.kind != bash {
				if d.name == "local" {
					s.complain(word + ": bad variable name")
				} else {
					s.illegalOption(l)
				}
				s.flow = exiting
			} else {
				name := d.name
				if s.command == "typeset" {
					name = s.command
				}
				s.invalidOption(name, word[:1]+string(l))
			}
			d.status = statusUsage
			return false
		case l == 'p':
			d.print = true
		case word[0] == '+' || l == 'n' && (d.name == "export" || d.name == "readonly"):
			d.off += string(l)
		default:
			d.flags += string(l)
		}
	}
	return true
}

// illegalOption complains about an option letter, as ash and dash do.
func (s *shell) illegalOption(l rune) {
	if s.kind == dash {
		s.complain("Illegal option -" + string(l))
		return
	}
	s.complain("illegal option -" + string(l))
}

// word takes an option, a name or name=value. It reports whether the command goes on.
func (d *declaration) word(word string, array *syntax.Assign) bool {
	s := d.s
	if d.name == "local" && s.calls == 0 && s.kind == bash {
		s.complain("can only be used in a function")
		d.status = 1
		return false
	}
	if !d.words && len(word) > 1 && (word[0] == '-' || word[0] == '+' && s.kind == bash) && array == nil {
		if word == "--" {
			d.words = true
			return true
		}
		return d.option(word)
	}
	d.named, d.words = true, true
	if d.name == "local" && word == optionsName && array == nil {
		s.local(optionsName)
		return true
	}
	name, value, has := strings.Cut(word, "=")
	add := has && s.kind == bash && strings.HasSuffix(name, "+")
	if add {
		name = strings.TrimSuffix(name, "+")
	}
	if d.has("f") || d.has("F") {
		d.function(name)
		return true
	}
	base, index, isElement := name, "", false
	if array == nil && s.kind == bash {
		if b, i, ok := strings.Cut(name, "["); ok && strings.HasSuffix(i, "]") {
			base, index, isElement = b, strings.TrimSuffix(i, "]"), true
		}
	}
	element := isElement || array != nil && array.Index != nil
	if s.kind == bash && element && (d.name == "export" || d.name == "readonly") {
		s.complain("`" + name + "': not a valid identifier")
		d.status = 1
		return true
	}
	if !syntax.IsName(base) {
		if s.kind == bash {
			s.complain("`" + word + "': not a valid identifier")
			d.status = 1
			d.failed = d.failed || !d.print && (d.name == "declare" || d.name == "local")
			return true
		}
		s.complain(name + ": bad variable name")
		d.status = statusUsage
		s.flow = exiting
		return false
	}
	if d.print && s.kind == bash && (d.name == "declare" || d.name == "local") {
		if _, _, found := s.specialOfBash(name); !found {
			s.array(name)
		}
		v, ok := s.vars[name]
		if _, hides := s.temporary[name]; !hides {
			v, ok = s.shown()[name]
		}
		if d.name == "local" {
			_, ok = s.scopes[len(s.scopes)-1][name]
		}
		if !ok {
			s.complain(name + ": not found")
			d.status = 1
			return true
		}
		d.show(name, v)
		return true
	}
	if d.has("n") && (d.name == "declare" || d.name == "local") && !d.refers(base, value, has && !add, element || array != nil) {
		return true
	}
	if _, temporary := s.temporary[base]; temporary {
		add = add && d.name != "export" && d.name != "readonly"
		if d.keeps() {
			delete(s.temporary, base)
		}
	}
	if !d.prepare(base, array != nil || isElement && !d.has("A")) {
		return true
	}
	var err error
	switch {
	case array != nil && array.Array != nil:
		err = s.assignArray(base, array.Array, array.Append)
	case array != nil:
		var text string
		if text, err = s.assigned(array.Value); err == nil {
			if index, err = s.single(array.Index); err == nil {
				err = s.assignElement(base, index, text, array.Append)
			}
		}
	case isElement && has:
		if index, err = s.argumentSubscript(base, index); err == nil {
			err = s.assignElement(base, index, value, add)
		}
	case d.has("n") && has && d.name != "export":
		v := s.vars[base]
		v.value, v.set = value, true
		s.store(base, v)
	case has:
		if s.options.xtrace && s.kind == bash && (d.name == "export" || d.name == "readonly") {
			s.traceLine(s.traceAssign(name + map[bool]string{true: "+"}[add] + "=" + value))
		}
		err = s.assignValue(base, value, add)
	}
	if err != nil {
		if s.kind == bash && errors.As(err, new(*abandonError)) {
			s.problem(err)
			d.status = s.status
			return false
		}
		if s.kind == bash {
			if d.failed = true; d.name == "export" || d.name == "readonly" {
				s.failing("", err)
			} else {
				s.complain(err.Error())
			}
			d.status = 1
			return s.flow == goOn
		}
		s.problem(err)
		d.status = s.status
		return s.flow == goOn
	}
	d.finish(base)
	return true
}

// prepare makes the variable local and gives it the attributes that matter for its value.
func (d *declaration) prepare(name string, array bool) bool {
	s := d.s
	if d.name == "local" || d.name == "declare" && !d.has("g") && s.calls > 0 {
		old := s.vars[name]
		if old.readonly && s.kind == bash {
			if _, own := s.scopes[len(s.scopes)-1][name]; !own && old.order > 0 && !s.isLocal(name) {
				s.complain(name + ": readonly variable")
				d.status = 1
				return false
			}
		}
		_, already := s.scopes[len(s.scopes)-1][name]
		s.local(name)
		if hides, temporary := s.temporary[name]; temporary { // the variable becomes the function's
			if !already {
				s.scopes[len(s.scopes)-1][name] = hides
			}
			delete(s.temporary, name)
			s.nextOrder++
			old.order, old.layer = s.nextOrder, s.layer
			s.put(name, old)
			s.env = nil
			already = true
		}
		if s.kind != dash && !already && !(s.kind == ash && old.readonly) {
			fresh := variable{order: old.order, exported: old.exported && !d.has("n")}
			if s.kind == bash {
				s.nextOrder++
				fresh.order, fresh.layer = s.nextOrder, s.layer
			}
			s.put(name, fresh)
			s.env = nil
		}
	}
	target := name
	if !d.direct() {
		target = s.target(name)
	}
	v := s.vars[target]
	if d.has("A") && v.table == nil {
		if v.list != nil {
			s.complain(name + ": cannot convert indexed to associative array")
			d.status = 1
			return false
		}
		v.table = newTable()
		v.table.era = s.era
	}
	if (d.has("a") || array) && v.table == nil && v.list == nil {
		s.ownList(&v)
	}
	v.integer = (v.integer || d.has("i")) && !strings.Contains(d.off, "i")
	v.lower = (v.lower || d.has("l")) && !strings.Contains(d.off, "l")
	v.upper = (v.upper || d.has("u")) && !strings.Contains(d.off, "u")
	if !v.readonly {
		s.store(target, v)
	}
	return true
}

// keeps reports whether a variable that is assigned before the command stays, because the command gives it attributes of
// some kinds.
func (d *declaration) keeps() bool {
	switch d.name {
	case "export":
		return !d.has("n") && !strings.Contains(d.off, "n")
	case "readonly":
		return true
	case "declare":
		return d.s.calls == 0 && !d.has("g") && (d.has("x") || d.has("r"))
	}
	return false
}

// isLocal reports whether a variable belongs to a function that runs.
func (s *shell) isLocal(name string) bool {
	for _, scope := range s.scopes {
		if _, ok := scope[name]; ok {
			return true
		}
	}
	return false
}

// finish gives the variable the attributes that come after its value.
func (d *declaration) finish(name string) {
	s := d.s
	if !d.direct() {
		name = s.target(name)
	}
	v := s.vars[name]
	switch {
	case d.name == "export" && strings.Contains(d.off, "n"), strings.Contains(d.off, "x"):
		v.exported = false
		s.env = nil
	case d.name == "export", d.has("x"):
		v.exported = true
	}
	if d.name == "readonly" || d.has("r") {
		v.readonly = true
	}
	if d.name != "export" {
		v.ref = (v.ref || d.has("n")) && !strings.Contains(d.off, "n")
	}
	s.store(name, v)
}

// list prints variables if no name was given.
func (d *declaration) list() {
	s := d.s
	if d.named {
		return
	}
	if d.has("f") || d.has("F") {
		d.listFunctions()
		return
	}
	if d.name == "declare" && d.flags == "" && !d.print {
		s.listVariables()
		return
	}
	if d.name == "local" && len(s.scopes) == 0 {
		return
	}
	all := s.shown()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		v := all[name]
		switch d.name {
		case "export":
			if !v.exported {
				continue
			}
		case "readonly":
			if !v.readonly {
				continue
			}
		case "local":
			if _, own := s.scopes[len(s.scopes)-1][name]; !own {
				continue
			}
		}
		if d.asksFor(v) {
			d.show(name, v)
		}
	}
}

// asksFor reports whether a variable has one of the attributes that were given, if any were.
func (d *declaration) asksFor(v variable) bool {
	asked := strings.Trim(d.flags, "gI")
	return asked == "" || strings.ContainsAny(v.attributes(), asked)
}

// show prints a variable such that a shell can read it.
func (d *declaration) show(name string, v variable) {
	s := d.s
	if s.kind != bash {
		text := d.name + " " + name
		if v.set {
			text += "=" + s.quoted(v.value)
		}
		s.print(1, text+"\n")
		return
	}
	flags := v.attributes()
	if flags == "" {
		flags = "-"
	}
	text := "declare -" + flags + " " + name
	if s.options.posix && (d.name == "export" || d.name == "readonly") && !v.isArray() {
		text = d.name + " " + name
	}
	switch {
	case v.isArray() && (v.set || v.length() > 0):
		text += "=" + s.arrayText(v)
	case v.isArray():
	case v.set:
		text += "=" + s.quoteDouble(v.value)
	}
	s.print(1, text+"\n")
}

// assignArray performs name=(…).
func (s *shell) assignArray(name string, array *syntax.Array, add bool) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.table != nil {
		return s.assignTable(name, v, array, add)
	}
	items, err := s.expandedElements(array)
	if err != nil {
		return err
	}
	if !add {
		s.hold(-v.bytes() - len(v.value))
		v.list = newList()
	}
	l := s.ownList(&v)
	v.value, v.set = "", true
	s.store(name, v) // since an index or an integer may ask for the variable
	put := func(key int, value string) error {
		value, err := s.converted(v, value)
		if err != nil {
			return err
		}
		if l = s.ownList(&v); s.vars[name].list != l {
			s.store(name, v)
		}
		s.setIndex(l, key, value)
		return nil
	}
	next := l.last() + 1
	for _, e := range items {
		switch {
		case !e.indexed:
		case strings.Trim(e.index, `"`) == "":
			s.noSubscript("[]" + e.sign() + e.value)
			continue
		default:
			n, err := s.indexNumber(name, variable{list: l}, e.index)
			if errors.As(err, new(*usageError)) && !errors.As(err, new(*abandonError)) {
				s.noSubscript("[" + e.index + "]" + e.sign() + e.value)
				continue
			}
			if err != nil {
				return err
			}
			next = n
			if e.add {
				old, _ := l.get(next)
				if e.value, err = s.appended(v, old, e.value); err != nil {
					return err
				}
			}
		}
		if err := put(next, e.value); err != nil {
			return err
		}
		next++
	}
	return nil
}

// expandedElement is an element of the value of an indexed array: its value, and the text of its index if it has one.
type expandedElement struct {
	index, value string
	indexed, add bool
}

// sign is what stands between the subscript and the value.
func (e *expandedElement) sign() string { return sign(syntax.Element{Append: e.add}) }

// expandedElements expands the value of an indexed array, which bash does before it changes the array.
func (s *shell) expandedElements(array *syntax.Array) (out []expandedElement, err error) {
	var fields []string
	for _, e := range array.Elems {
		if e.Index == nil {
			if fields, err = s.appendWord(fields[:0], e.Value, false); err != nil {
				return nil, err
			}
			s.holdFields(fields)
			for _, f := range fields {
				out = append(out, expandedElement{value: f})
			}
			continue
		}
		index, err := s.arithmeticString(e.Index)
		if err != nil {
			return nil, err
		}
		value, err := s.assigned(e.Value)
		if err != nil {
			return nil, err
		}
		out = append(out, expandedElement{index: index, value: value, indexed: true, add: e.Append})
	}
	return out, nil
}

// appended returns what += makes of the old value of an element: a sum in an array of integers.
func (s *shell) appended(v variable, old, value string) (string, error) {
	if v.integer {
		return s.sum(old, value)
	}
	return old + value, nil
}

// noSubscript complains about an element without a subscript, which bash leaves out.
func (s *shell) noSubscript(element string) {
	s.print(2, s.prefixOf("")+element+": bad array subscript\n")
}

// sign is what stands between the subscript and the value of an element.
func sign(e syntax.Element) string {
	if e.Append {
		return "+="
	}
	return "="
}

// assignFields makes an indexed array of the elements that read has found. It keeps its attributes.
func (s *shell) assignFields(name string, elems []string) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	s.hold(-v.bytes() - len(v.value))
	v.list, v.value, v.set = newList(), "", true
	l := s.ownList(&v)
	for i, elem := range elems {
		value, err := s.converted(v, elem)
		if err != nil {
			return err
		}
		s.setIndex(l, i, value)
		s.store(name, v)
	}
	s.store(name, v)
	return nil
}

// assignTable performs name=(…) of an associative array: with [key]=value, or with keys and values by turns.
func (s *shell) assignTable(name string, v variable, array *syntax.Array, add bool) error {
	t := newTable()
	t.era = s.era
	if add {
		t = s.ownTable(&v)
	} else {
		s.hold(-v.bytes())
	}
	key, hasKey := "", false
	keyed := len(array.Elems) > 0 && array.Elems[0].Index != nil
	for _, e := range array.Elems {
		value, err := s.assigned(e.Value)
		if err == nil && !(e.Append && v.integer) && (e.Index != nil || hasKey) {
			value, err = s.converted(v, value)
		}
		if err != nil {
			return err
		}
		switch {
		case e.Index != nil:
			index, err := s.single(e.Index)
			if err != nil {
				return err
			}
			if index == "" {
				s.noSubscript("[" + syntax.PrintWord(e.Index) + "]" + sign(e) + syntax.PrintWord(e.Value))
				continue
			}
			if e.Append {
				if value, err = s.appended(v, t.entries[index].value, value); err != nil {
					return err
				}
			}
			s.hold(t.set(index, value))
		case keyed:
			s.complain(name + ": " + quoteSingle(value) + ": must use subscript when assigning associative array")
		case hasKey:
			s.hold(t.set(key, value))
			hasKey = false
		default:
			key, hasKey = value, true
		}
	}
	if hasKey {
		s.hold(t.set(key, ""))
	}
	v.table, v.set = t, true
	s.store(name, v)
	return nil
}
