package shell

import (
	"maps"
	"slices"
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/shell/syntax"
)

// variable is a shell variable.
type variable struct {
	value    string
	entry    string // NAME=value as it was inherited, as long as that is what it is
	list     *list  // an indexed array, if not nil
	table    *table // an associative array, if not nil
	set      bool
	exported bool
	readonly bool
	integer  bool
	lower    bool
	upper    bool
	ref      bool // value is the name of another variable
	order    int
	layer    int // of the functions and commands whose variable it is; 0 is global
}

// saved is what a local variable hides.
type saved struct {
	v  variable
	ok bool
}

func (v variable) isArray() bool { return v.list != nil || v.table != nil }

// scalar is what $name means.
func (v variable) scalar() (string, bool) {
	switch {
	case v.list != nil:
		return v.list.get(0)
	case v.table != nil:
		e, ok := v.table.entries["0"]
		return e.value, ok
	}
	return v.value, v.set
}

// value returns a variable's value, or "".
func (s *shell) value(name string) string {
	v := s.vars[name]
	text, _ := v.scalar()
	return text
}

// setValue sets a variable without asking whether it may be set.
func (s *shell) setValue(name, value string) {
	v, ok := s.vars[name]
	if !ok {
		s.nextOrder++
		v.order = s.nextOrder
	}
	v.value, v.set, v.list, v.table = value, true, nil, nil
	s.store(name, v)
}

// put sets an entry of the variables, and drop removes one.
func (s *shell) put(name string, v variable) {
	s.ownVars()
	s.vars[name] = v
	s.posixFollows(name, v.set)
}

func (s *shell) drop(name string) {
	s.ownVars()
	delete(s.vars, name)
	s.posixFollows(name, false)
}

func (s *shell) ownVars() {
	if s.varsShared {
		s.vars, s.varsShared = maps.Clone(s.vars), false
	}
}

// define sets a function, or removes it if there is no body.
func (s *shell) define(name string, body *function) {
	if s.functionsShared || s.functions == nil {
		functions := make(map[string]*function, len(s.functions)+1)
		maps.Copy(functions, s.functions)
		s.functions, s.functionsShared = functions, false
	}
	if s.kind != bash { // both are in one table
		s.forgetProgram(name)
	}
	if body == nil {
		delete(s.functions, name)
		return
	}
	s.functions[name] = body
}

// store puts a variable.
func (s *shell) store(name string, v variable) {
	old, ok := s.vars[name]
	if s.options.allexport && !v.isArray() && (v.set || s.kind != bash || s.calls == 0) {
		v.exported = true
	}
	if v.order == 0 {
		if ok {
			v.order = old.order
		} else {
			s.nextOrder++
			v.order = s.nextOrder
		}
	}
	if v.exported || old.exported {
		s.env = nil
	}
	s.hold(len(v.value) - len(old.value))
	s.put(name, v)
}

// target follows name references.
func (s *shell) target(name string) string {
	for range 8 {
		v := s.vars[name]
		if !v.ref || v.value == "" {
			break
		}
		name = v.value
	}
	return name
}

// readonlyError says that a variable cannot be set.
type readonlyError struct{ name string }

func (e *readonlyError) Error() string { return e.name + ": readonly variable" }

func (s *shell) readonly(name string) error {
	if s.kind != bash {
		return &usageError{name + ": is read only"}
	}
	return &readonlyError{name}
}

// assign sets a variable, as an assignment does.
func (s *shell) assign(name, value string) error {
	name = s.target(name)
	if base, index, ok := elementName(name); ok && s.kind == bash {
		return s.assignTarget(base, index, value, false)
	}
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.ref && !refersTo(value) {
		return &usageError{"`" + value + "': not a valid identifier"}
	}
	if name == "OPTIND" && s.kind != bash {
		if err := s.optionsFrom(value); err != nil {
			return err
		}
	}
	value, err := s.converted(v, value)
	if err != nil {
		return err
	}
	switch {
	case v.list != nil:
		s.setIndex(s.ownList(&v), 0, value)
	case v.table != nil:
		s.hold(s.ownTable(&v).set("0", value))
	default:
		v.value = value
	}
	v.set = true
	s.store(name, v)
	switch name {
	case "PATH":
		s.programs = nil
	case "OPTIND":
		s.optIndex = 0
	case "RANDOM":
		if n, err := strconv.ParseUint(value, 10, 64); err == nil && s.kind == bash {
			s.random = &n
		}
	}
	return nil
}

// assignTarget sets the element of an array to which a reference points.
func (s *shell) assignTarget(base, index, value string, add bool) error {
	index, err := s.runtimeSubscript(base, index)
	if err != nil {
		return err
	}
	return s.assignElement(base, index, value, add)
}

// assignIndex sets an element of an array.
func (s *shell) assignIndex(name string, index *syntax.Word, value string, add bool) error {
	if len(index.Parts) == 0 {
		return &usageError{name + "[]: bad array subscript"}
	}
	key, err := s.subscript(name, index)
	if err != nil {
		return err
	}
	return s.assignElement(name, key, value, add)
}

// subscript expands the index of an array: to the key of an associative one, to the text of an expression otherwise.
func (s *shell) subscript(name string, index *syntax.Word) (string, error) {
	if s.vars[s.target(name)].table != nil {
		return s.single(index)
	}
	return s.arithmeticString(withQuotes(index))
}

// withQuotes returns an index with its single quotes as text, which bash does not remove from an expression.
func withQuotes(index *syntax.Word) *syntax.Word {
	quoted := func(part syntax.Part) bool { _, ok := part.(*syntax.SglQuoted); return ok }
	if index == nil || !slices.ContainsFunc(index.Parts, quoted) {
		return index
	}
	out := &syntax.Word{Parts: slices.Clone(index.Parts)}
	for i, part := range out.Parts {
		if q, ok := part.(*syntax.SglQuoted); ok {
			text := q.Value
			if q.Dollar {
				text = q.Text
			}
			out.Parts[i] = &syntax.SglQuoted{Value: "'" + text + "'"}
		}
	}
	return out
}

// assignElement sets the element of an array that has an expanded index.
func (s *shell) assignElement(name, index, value string, add bool) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.table != nil {
		if index == "" {
			return &usageError{name + "[" + index + "]: bad array subscript"}
		}
		t := s.ownTable(&v)
		if add {
			value = t.entries[index].value + value
		}
		value, err := s.converted(v, value)
		if err != nil {
			return err
		}
		s.hold(t.set(index, value))
	} else {
		n, err := s.indexNumber(name, v, index)
		if err != nil {
			return err
		}
		old := ""
		if v.list != nil {
			old, _ = v.list.get(n)
		} else if n == 0 {
			old = v.value
		}
		if add && v.integer {
			if value, err = s.sum(old, value); err != nil {
				return err
			}
		} else if add {
			value = old + value
		}
		if value, err = s.converted(v, value); err != nil {
			return err
		}
		s.setIndex(s.ownList(&v), n, value)
	}
	v.set, v.value = true, ""
	s.store(name, v)
	return nil
}

// assignNamed sets what an argument of a built-in names: a variable or, in bash, an element of an array.
func (s *shell) assignNamed(name, value string) error {
	if base, index, ok := elementName(name); ok && s.kind == bash {
		index, err := s.argumentSubscript(base, index)
		if err != nil {
			return err
		}
		return s.assignElement(base, index, value, false)
	}
	return s.assign(name, value)
}

// converted applies the attributes of a variable to a value that it is given.
func (s *shell) converted(v variable, value string) (string, error) {
	if v.integer {
		n, err := s.evaluate(value)
		if err != nil {
			return "", &abandonError{err}
		}
		value = strconv.FormatInt(n, 10)
	}
	if v.lower {
		value = s.lowerAll(value)
	}
	if v.upper {
		value = s.upperAll(value)
	}
	return value, nil
}

// sum adds the values of two expressions, for += of an integer.
func (s *shell) sum(a, b string) (string, error) {
	m, err := s.evaluate(a)
	n := int64(0)
	if err == nil {
		n, err = s.evaluate(b)
	}
	if err != nil {
		return "", &abandonError{err}
	}
	return strconv.FormatInt(m+n, 10), nil
}

// indexNumber evaluates the index of an indexed array; a negative one counts from the end.
func (s *shell) indexNumber(name string, v variable, index string) (int, error) {
	n, err := s.evaluate(index)
	if err != nil {
		return 0, &abandonError{err}
	}
	if n < 0 {
		last := -1
		if v.list != nil {
			last = v.list.last()
		} else if v.set {
			last = 0
		}
		if n += int64(last) + 1; n < 0 {
			return 0, &usageError{name + "[" + index + "]: bad array subscript"}
		}
	}
	return int(n), nil
}

// unset removes a variable.
func (s *shell) unset(name string) error {
	v, ok := s.vars[name]
	if !ok {
		return nil
	}
	if v.readonly {
		return s.readonly(name)
	}
	if v.exported {
		s.env = nil
	}
	if name == "OPTIND" && s.kind != bash {
		if err := s.optionsFrom(""); err != nil {
			return err
		}
	}
	if name == "PATH" {
		s.programs = nil
	}
	s.hold(-len(v.value) - v.bytes())
	s.drop(name)
	return nil
}

// local saves a variable until the function returns.
func (s *shell) local(name string) {
	if len(s.scopes) == 0 {
		return
	}
	scope := s.scopes[len(s.scopes)-1]
	if scope == nil {
		scope = map[string]saved{}
		s.scopes[len(s.scopes)-1] = scope
	}
	if _, ok := scope[name]; ok {
		return
	}
	if name == "PATH" {
		s.programs = nil
	}
	scope[name] = s.hidden(name)
}

// hidden returns what a variable is now, to be restored. Arrays are not changed in place from here on.
func (s *shell) hidden(name string) saved {
	if name == optionsName {
		return saved{v: variable{value: s.optionStates()}}
	}
	v, ok := s.vars[name]
	if v.isArray() {
		s.newEra()
	}
	return saved{v, ok}
}

// restore ends a scope.
func (s *shell) restore(scope map[string]saved) {
	if len(scope) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(scope)) {
		old := scope[name]
		if name == optionsName {
			s.setOptionStates(old.v.value)
			continue
		}
		if name == "OPTIND" && s.kind != bash {
			_ = s.optionsFrom(old.v.value) // the value was good before
		}
		if name == "PATH" {
			s.programs = nil
		}
		if s.vars[name].exported || old.v.exported {
			s.env = nil
		}
		if old.ok {
			s.put(name, old.v)
		} else {
			s.drop(name)
		}
	}
}

// asEntry returns NAME=value, without building it for a variable that was inherited and has not changed since.
func (v *variable) asEntry(name string) string {
	if n := len(name) + 1; len(v.entry) >= n && v.entry[n:] == v.value && v.entry[:n-1] == name {
		return v.entry
	}
	return name + "=" + v.value
}

// bucket is where ash and dash keep a variable: children get the variables in this order.
func bucket(name string) int {
	if name == "" {
		return 0
	}
	sum := int(name[0]) << 4
	for i := range len(name) {
		sum += int(name[i])
	}
	return sum % 39
}

// environment returns the environment of a child.
func (s *shell) environment() []string {
	if s.env != nil {
		return s.env
	}
	type item struct {
		order int
		text  string
	}
	if s.kind == bash {
		s.env = s.environmentOfBash()
		return s.env
	}
	items := make([]item, 0, len(s.vars))
	for name, v := range s.vars {
		if v.exported && v.set {
			items = append(items, item{v.order + bucket(name)<<32, v.asEntry(name)})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return a.order - b.order })
	s.env = make([]string, len(items))
	for i, it := range items {
		s.env[i] = it.text
	}
	return s.env
}
