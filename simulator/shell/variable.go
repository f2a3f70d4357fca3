package shell

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// variable is a shell variable. Lists and maps are never changed in place, so that forks can share them.
type variable struct {
	value    string
	entry    string            // NAME=value as it was inherited, as long as that is what it is
	list     map[int]string    // an indexed array, if not nil
	table    map[string]string // an associative array, if not nil
	set      bool
	exported bool
	readonly bool
	integer  bool
	lower    bool
	upper    bool
	ref      bool // value is the name of another variable
	order    int
}

// saved is what a local variable hides.
type saved struct {
	v  variable
	ok bool
}

func (v variable) isArray() bool { return v.list != nil || v.table != nil }

// elements returns the values of an array in the order of their keys.
func (v variable) elements() []string {
	switch {
	case v.list != nil:
		out := make([]string, 0, len(v.list))
		for _, k := range slices.Sorted(maps.Keys(v.list)) {
			out = append(out, v.list[k])
		}
		return out
	case v.table != nil:
		out := make([]string, 0, len(v.table))
		for _, k := range slices.Sorted(maps.Keys(v.table)) {
			out = append(out, v.table[k])
		}
		return out
	case v.set:
		return []string{v.value}
	}
	return nil
}

// keys returns the keys of an array.
func (v variable) keys() []string {
	switch {
	case v.list != nil:
		out := make([]string, 0, len(v.list))
		for _, k := range slices.Sorted(maps.Keys(v.list)) {
			out = append(out, strconv.Itoa(k))
		}
		return out
	case v.table != nil:
		return slices.Sorted(maps.Keys(v.table))
	case v.set:
		return []string{"0"}
	}
	return nil
}

// scalar is what $name means.
func (v variable) scalar() (string, bool) {
	switch {
	case v.list != nil:
		s, ok := v.list[0]
		return s, ok
	case v.table != nil:
		s, ok := v.table["0"]
		return s, ok
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
}

func (s *shell) drop(name string) {
	s.ownVars()
	delete(s.vars, name)
}

func (s *shell) ownVars() {
	if s.varsShared {
		s.vars, s.varsShared = maps.Clone(s.vars), false
	}
}

// define sets a function, or removes it if there is no body.
func (s *shell) define(name string, body *syntax.Stmt) {
	if s.functionsShared || s.functions == nil {
		functions := make(map[string]*syntax.Stmt, len(s.functions)+1)
		maps.Copy(functions, s.functions)
		s.functions, s.functionsShared = functions, false
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
	if s.options.allexport {
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
	if d := len(v.value) - len(old.value); d > 1024 || d < -1024 {
		s.p.Allocate(int64(d))
	}
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
	if s.kind == ash {
		return &usageError{name + ": is read only"}
	}
	return &readonlyError{name}
}

// assign sets a variable, as an assignment does.
func (s *shell) assign(name, value string) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.integer {
		n, err := s.arithmeticText(value)
		if err != nil {
			return err
		}
		value = strconv.FormatInt(n, 10)
	}
	if v.lower {
		value = strings.ToLower(value)
	}
	if v.upper {
		value = strings.ToUpper(value)
	}
	switch {
	case v.list != nil:
		v.list = maps.Clone(v.list)
		v.list[0] = value
	case v.table != nil:
		v.table = maps.Clone(v.table)
		v.table["0"] = value
	default:
		v.value = value
	}
	v.set = true
	s.store(name, v)
	switch name {
	case "OPTIND":
		s.optIndex = 0
	case "RANDOM":
		if n, err := strconv.ParseUint(value, 10, 64); err == nil && s.kind == bash {
			s.random = &n
		}
	}
	return nil
}

// assignIndex sets an element of an array.
func (s *shell) assignIndex(name string, index syntax.ArithmExpr, value string, add bool) error {
	name = s.target(name)
	v := s.vars[name]
	if v.readonly {
		return s.readonly(name)
	}
	if v.table != nil {
		key, err := s.indexKey(index)
		if err != nil {
			return err
		}
		v.table = maps.Clone(v.table)
		if add {
			value = v.table[key] + value
		}
		v.table[key] = value
	} else {
		n, err := s.indexNumber(v, index)
		if err != nil {
			return err
		}
		if v.list == nil {
			v.list = map[int]string{}
			if v.set {
				v.list[0] = v.value
			}
		} else {
			v.list = maps.Clone(v.list)
		}
		if add {
			value = v.list[n] + value
		}
		v.list[n] = value
	}
	v.set, v.value = true, ""
	s.store(name, v)
	return nil
}

// indexKey expands the index of an associative array.
func (s *shell) indexKey(index syntax.ArithmExpr) (string, error) {
	if w, ok := index.(*syntax.Word); ok {
		return s.single(w)
	}
	n, err := s.arithmetic(index)
	return strconv.FormatInt(n, 10), err
}

// indexNumber evaluates the index of an indexed array; a negative one counts from the end.
func (s *shell) indexNumber(v variable, index syntax.ArithmExpr) (int, error) {
	n, err := s.arithmetic(index)
	if err != nil {
		return 0, err
	}
	if n < 0 {
		last := -1
		for k := range v.list {
			last = max(last, k)
		}
		if n += int64(last) + 1; n < 0 {
			return 0, &usageError{"bad array subscript"}
		}
	}
	return int(min(n, 1<<40)), nil
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
	s.drop(name)
	return nil
}

// local saves a variable until the function returns.
func (s *shell) local(name string) {
	if len(s.scopes) == 0 {
		return
	}
	scope := s.scopes[len(s.scopes)-1]
	if _, ok := scope[name]; ok {
		return
	}
	v, ok := s.vars[name]
	scope[name] = saved{v, ok}
}

// restore ends a scope.
func (s *shell) restore(scope map[string]saved) {
	for _, name := range slices.Sorted(maps.Keys(scope)) {
		old := scope[name]
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

// asEntry returns NAME=value, which need not be made for what was inherited and has not changed.
func (v *variable) asEntry(name string) string {
	if n := len(name) + 1; len(v.entry) >= n && v.entry[n:] == v.value && v.entry[:n-1] == name {
		return v.entry
	}
	return name + "=" + v.value
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
	items := make([]item, 0, len(s.vars))
	for name, v := range s.vars {
		if !v.exported || !v.set || v.isArray() {
			continue
		}
		items = append(items, item{v.order, v.asEntry(name)})
	}
	slices.SortFunc(items, func(a, b item) int { return a.order - b.order })
	s.env = make([]string, len(items))
	for i, it := range items {
		s.env[i] = it.text
	}
	return s.env
}
