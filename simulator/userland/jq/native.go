package jq

import (
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// natives are the builtins that are functions of Go.
var natives = map[string]func(m *Machine, in any, args []any) (any, error){
	"type/0":           func(_ *Machine, in any, _ []any) (any, error) { return kind(in), nil },
	"tostring/0":       func(m *Machine, in any, _ []any) (any, error) { return m.tostring(in), nil },
	"tojson/0":         func(m *Machine, in any, _ []any) (any, error) { return m.text(in), nil },
	"fromjson/0":       fromJSON,
	"tonumber/0":       toNumber,
	"length/0":         lengthOf,
	"utf8bytelength/0": byteLength,
	"keys/0":           func(m *Machine, in any, _ []any) (any, error) { return m.keysOf(in, true) },
	"keys_unsorted/0":  func(m *Machine, in any, _ []any) (any, error) { return m.keysOf(in, false) },
	"has/1":            hasKey,
	"contains/1":       func(m *Machine, in any, args []any) (any, error) { return m.contains(in, args[0]) },
	"add/0":            sum,
	"_join/1":          join,
	"reverse/0":        reverse,
	"flatten/0":        func(m *Machine, in any, _ []any) (any, error) { return m.flatten(in, 1e9) },
	"flatten/1":        func(m *Machine, in any, args []any) (any, error) { return m.flatten(in, args[0]) },
	"sort/0":           sorted,
	"_sort_by/1":       func(m *Machine, in any, args []any) (any, error) { return m.sortBy(in, args[0]) },
	"_group_by/1":      groupBy,
	"min/0":            func(m *Machine, in any, _ []any) (any, error) { return m.extreme(in, in, -1) },
	"max/0":            func(m *Machine, in any, _ []any) (any, error) { return m.extreme(in, in, 1) },
	"_min_by/1":        func(m *Machine, in any, args []any) (any, error) { return m.extreme(in, args[0], -1) },
	"_max_by/1":        func(m *Machine, in any, args []any) (any, error) { return m.extreme(in, args[0], 1) },
	"setpath/2":        func(m *Machine, in any, args []any) (any, error) { return setPath(m, in, args) },
	"delpaths/1":       delPaths,
	"split/1":          splitBy,
	"explode/0":        explode,
	"implode/0":        implode,
	"startswith/1": func(m *Machine, in any, args []any) (any, error) {
		return m.fits("startswith", strings.HasPrefix, in, args[0])
	},
	"endswith/1": func(m *Machine, in any, args []any) (any, error) {
		return m.fits("endswith", strings.HasSuffix, in, args[0])
	},
	"_trimstr/2":       trimString,
	"_case/1":          changeCase,
	"_strindices/1":    stringIndices,
	"error/1":          func(_ *Machine, _ any, args []any) (any, error) { return nil, &Error{args[0]} },
	"halt/0":           func(*Machine, any, []any) (any, error) { return nil, &Halt{} },
	"halt_error/1":     haltError,
	"_env/0":           environ,
	"input/0":          input,
	"input_filename/0": inputName,
	"_input_line/0":    func(m *Machine, _ any, _ []any) (any, error) { return float64(m.world.InputLine()), nil },
	"debug/0":          debug,
	"stderr/0":         toStderr,
	"infinite/0":       func(*Machine, any, []any) (any, error) { return math.Inf(1), nil },
	"nan/0":            func(*Machine, any, []any) (any, error) { return math.NaN(), nil },
	"isinfinite/0":     func(_ *Machine, in any, _ []any) (any, error) { return ask(in, isInfinite), nil },
	"isnan/0":          func(_ *Machine, in any, _ []any) (any, error) { return ask(in, math.IsNaN), nil },
	"isnormal/0":       func(_ *Machine, in any, _ []any) (any, error) { return ask(in, isNormal), nil },
	"format/1":         formatBy,
	"now/0":            func(m *Machine, _ any, _ []any) (any, error) { return m.world.Now(), nil },
	"mktime/0":         mktime,
	"gmtime/0":         gmtime,
	"strftime/1":       strftime,
	"strptime/1":       strptime,
	"_match/2":         func(m *Machine, in any, args []any) (any, error) { return m.matches(in, args[0], args[1]) },
	"_test/2":          func(m *Machine, in any, args []any) (any, error) { return m.matching(in, args[0], args[1]) },
	"_pieces/2":        func(m *Machine, in any, args []any) (any, error) { return m.pieces(in, args[0], args[1]) },
}

// specials are the builtins that are more than functions of their input.
var specials = map[string]func(*Machine, []node){
	"empty/0":   func(m *Machine, _ []node) { m.backtrack() },
	"path/1":    pathOf,
	"getpath/1": getPath,
	"_range/3":  countUp,
}

func pathOf(m *Machine, args []node) {
	m.push(frame{run: func(m *Machine, k *frame) {
		if !m.intact(m.v) {
			m.fail(failure("Invalid path expression with result %s", m.brief(m.v, 30)))
			return
		}
		m.v = m.keys(m.path)
		m.path = k.path
	}, path: m.path})
	m.reserve(pathSize)
	m.path, m.cur = &path{at: m.v}, args[0]
}

func getPath(m *Machine, args []node) {
	m.sub(args[0], m.env, func(m *Machine, k *frame) {
		keys, ok := m.v.(*Array)
		m.v, m.path = k.a, k.path
		if !ok {
			m.fail(failure("Path must be specified as an array"))
			return
		}
		if !m.intact(m.v) {
			m.fail(failure("Invalid path expression with result %s", m.brief(m.v, 30)))
			return
		}
		v := m.v
		for _, key := range keys.items {
			m.work(1)
			if v != nil {
				var err error
				if v, err = m.get(v, key); err != nil {
					m.fail(err)
					return
				}
			}
			m.extend(key, v)
		}
		m.v = v
	}, nil, nil)
}

// countUp is a range; its arguments are variables.
func countUp(m *Machine, args []node) {
	var bound [3]float64
	for i, a := range args {
		v, _ := m.simple(a)
		f, ok := v.(float64)
		if !ok {
			m.fail(failure("Range bounds must be numeric"))
			return
		}
		bound[i] = f
	}
	count(m, bound[0], bound[1], bound[2])
}

func count(m *Machine, from, to, by float64) {
	if !(by > 0 && from < to || by < 0 && from > to) {
		m.backtrack()
		return
	}
	if next := from + by; by > 0 && next < to || by < 0 && next > to {
		m.fork(fork{run: func(m *Machine, _ *fork) { count(m, next, to, by) }})
	}
	m.v = from
}

func fromJSON(m *Machine, in any, _ []any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, failure("%s (%s) cannot be parsed as JSON", kind(in), m.brief(in, 15))
	}
	v, err := m.Parse(s)
	if err != nil {
		return nil, failure("%v (while parsing '%s')", err, cut(s, 4096))
	}
	return v, nil
}

func toNumber(m *Machine, in any, _ []any) (any, error) {
	switch in := in.(type) {
	case float64:
		return in, nil
	case string:
		v, err := m.Parse(in)
		if err != nil {
			return nil, failure("%v (while parsing '%s')", err, cut(in, 4096))
		}
		if _, ok := v.(float64); ok {
			return v, nil
		}
	}
	return nil, failure("%s (%s) cannot be parsed as a number", kind(in), m.brief(in, 15))
}

func lengthOf(m *Machine, in any, _ []any) (any, error) {
	switch in := in.(type) {
	case nil:
		return 0.0, nil
	case float64:
		return math.Abs(in), nil
	case string:
		m.work(len(in) / 64)
		return float64(length(in)), nil
	case *Array:
		return float64(in.Len()), nil
	case *Object:
		return float64(in.Len()), nil
	}
	return nil, failure("%s (%s) has no length", kind(in), m.brief(in, 15))
}

func byteLength(m *Machine, in any, _ []any) (any, error) {
	if s, ok := in.(string); ok {
		return float64(len(s)), nil
	}
	return nil, failure("%s (%s) only strings have UTF-8 byte length", kind(in), m.brief(in, 15))
}

func (m *Machine) keysOf(in any, inOrder bool) (any, error) {
	switch in := in.(type) {
	case *Array:
		m.reserve(int64(in.Len()) * (cellSize + numberSize))
		items := make([]any, in.Len())
		for i := range items {
			items[i] = float64(i)
		}
		m.work(len(items) / 16)
		return m.array(items), nil
	case *Object:
		m.reserve(int64(in.Len()) * 3 * cellSize)
		items := make([]any, in.Len())
		for i, key := range in.keys() {
			items[i] = key
		}
		if inOrder {
			for i, at := range m.sorted(in) {
				items[i] = in.Key(at)
			}
		}
		return m.array(items), nil
	}
	return nil, failure("%s (%s) has no keys", kind(in), m.brief(in, 15))
}

func hasKey(_ *Machine, in any, args []any) (any, error) {
	switch in := in.(type) {
	case nil:
		switch args[0].(type) {
		case float64, string:
			return false, nil
		}
	case *Object:
		if key, ok := args[0].(string); ok {
			return in.find(key) >= 0, nil
		}
	case *Array:
		if at, ok := args[0].(float64); ok {
			return at >= 0 && at < float64(in.Len()), nil
		}
	}
	return nil, failure("Cannot check whether %s has a %s key", kind(in), kind(args[0]))
}

func (m *Machine) contains(a, b any) (any, error) {
	if rank(a) != rank(b) && !(kind(a) == "boolean" && kind(b) == "boolean") {
		return nil, failure("%s (%s) and %s (%s) cannot have their containment checked", kind(a), m.brief(a, 15), kind(b), m.brief(b, 15))
	}
	return m.includes(a, b), nil
}

func (m *Machine) includes(a, b any) bool {
	m.work(1)
	switch x := a.(type) {
	case *Object:
		y, ok := b.(*Object)
		if !ok {
			return false
		}
		for i, v := range y.items {
			mine, found := x.Get(y.Key(i))
			if !found || !m.includes(mine, v) {
				return false
			}
		}
		return true
	case *Array:
		y, ok := b.(*Array)
		if !ok {
			return false
		}
		for _, v := range y.items {
			if !slices.ContainsFunc(x.items, func(mine any) bool { return m.includes(mine, v) }) {
				return false
			}
		}
		return true
	case string:
		if y, ok := b.(string); ok {
			m.work((len(x) + len(y)) / 64)
			return strings.Contains(x, y)
		}
	}
	return m.compare(a, b) == 0
}

// elements are the values of an array or object.
func elements(in any) ([]any, bool) {
	switch in := in.(type) {
	case *Array:
		return in.items, true
	case *Object:
		return in.items, true
	}
	return nil, false
}

func (m *Machine) cannotIterate(in any) error {
	return failure("Cannot iterate over %s (%s)", kind(in), m.brief(in, 15))
}

// sum adds all elements. Strings and arrays grow in one buffer.
func sum(m *Machine, in any, _ []any) (any, error) {
	list, ok := elements(in)
	if !ok {
		return nil, m.cannotIterate(in)
	}
	var total any
	for i := 0; i < len(list); i++ {
		m.work(1)
		if _, ok := total.(string); ok || total == nil {
			if s, n := m.strings(list[i:]); n > 1 {
				list = list[i+n-1:]
				i = 0
				list = append([]any{s}, list[1:]...)
			}
		}
		var err error
		if total, err = add(m, total, list[i]); err != nil {
			return nil, err
		}
	}
	return total, nil
}

// strings joins the strings that a list begins with.
func (m *Machine) strings(list []any) (string, int) {
	size, n := 0, 0
	for _, v := range list {
		s, ok := v.(string)
		if !ok {
			break
		}
		size += len(s)
		n++
	}
	if n < 2 {
		return "", n
	}
	m.reserve(int64(size))
	m.work(n + size/256)
	var b strings.Builder
	b.Grow(size)
	for _, v := range list[:n] {
		b.WriteString(v.(string))
	}
	return b.String(), n
}

func join(m *Machine, in any, args []any) (any, error) {
	list, ok := elements(in)
	if !ok {
		return nil, m.cannotIterate(in)
	}
	if len(list) == 0 {
		return "", nil
	}
	by, ok := args[0].(string)
	var b strings.Builder
	for i, v := range list {
		m.work(1)
		if i > 0 && !ok && args[0] != nil {
			return nil, m.unsuited(b.String(), args[0], "added")
		}
		if i > 0 {
			b.WriteString(by)
		}
		part := ""
		switch v := v.(type) {
		case nil:
		case string:
			part = v
		case bool, float64:
			part = m.text(v)
		default:
			return nil, m.unsuited(cut(b.String(), 64), v, "added")
		}
		m.reserve(int64(2 * (len(part) + len(by))))
		b.WriteString(part)
	}
	return b.String(), nil
}

func reverse(m *Machine, in any, _ []any) (any, error) {
	switch in := in.(type) {
	case nil:
		return newArray(nil), nil
	case string:
		if in == "" {
			return newArray(nil), nil
		}
	case *Array:
		m.reserve(int64(in.Len()) * cellSize)
		m.work(in.Len() / 16)
		items := slices.Clone(in.items)
		slices.Reverse(items)
		return m.array(items), nil
	case *Object:
		if in.Len() == 0 {
			return newArray(nil), nil
		}
		return nil, failure("Cannot index object with number")
	case float64:
		if in == 0 {
			return newArray(nil), nil
		}
	case bool:
		return nil, failure("boolean (%s) has no length", m.text(in))
	}
	return nil, failure("Cannot index %s with number", kind(in))
}

func (m *Machine) flatten(in, by any) (any, error) {
	depth, ok := by.(float64)
	if ok && depth < 0 {
		return nil, failure("flatten depth must not be negative")
	}
	list, iterable := elements(in)
	if !iterable {
		return nil, m.cannotIterate(in)
	}
	if !ok {
		depth = 0
	}
	out := newArray(nil)
	m.flat(list, depth, &out)
	return out, nil
}

func (m *Machine) flat(list []any, depth float64, out **Array) {
	for _, v := range list {
		m.work(1)
		if a, ok := v.(*Array); ok && depth >= 1 {
			m.flat(a.items, depth-1, out)
			continue
		} else if ok && depth > 0 {
			m.flat(a.items, 0, out)
			continue
		}
		*out = m.append(*out, v)
	}
}

func sorted(m *Machine, in any, _ []any) (any, error) { return m.sortBy(in, in) }

// order sorts the places of a list by keys.
func (m *Machine) order(in, keys any) (list, by []any, order []int, err error) {
	a, ok := in.(*Array)
	if !ok {
		return nil, nil, nil, failure("%s (%s) cannot be sorted, as it is not an array", kind(in), m.brief(in, 15))
	}
	k, _ := keys.(*Array)
	n := len(a.items)
	m.reserve(int64(n) * (cellSize + numberSize))
	order = make([]int, n)
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return m.compare(k.items[order[i]], k.items[order[j]]) < 0 })
	return a.items, k.items, order, nil
}

func (m *Machine) sortBy(in, keys any) (any, error) {
	list, _, order, err := m.order(in, keys)
	if err != nil {
		return nil, err
	}
	m.reserve(int64(len(list)) * cellSize)
	items := make([]any, len(list))
	for i, at := range order {
		items[i] = list[at]
	}
	return m.array(items), nil
}

func groupBy(m *Machine, in any, args []any) (any, error) {
	list, by, order, err := m.order(in, args[0])
	if err != nil {
		return nil, failure("%s (%s) cannot be grouped, as it is not an array", kind(in), m.brief(in, 15))
	}
	out := newArray(nil)
	var group *Array
	for i, at := range order {
		if i > 0 && m.compare(by[order[i-1]], by[at]) != 0 {
			out = m.append(out, group)
			group = nil
		}
		if group == nil {
			group = newArray(nil)
		}
		group = m.append(group, list[at])
	}
	if group != nil {
		out = m.append(out, group)
	}
	return out, nil
}

func (m *Machine) extreme(in, keys any, sign int) (any, error) {
	a, ok := in.(*Array)
	if !ok {
		return nil, failure("%s (%s) and %s (%s) cannot be iterated over", kind(in), m.brief(in, 15), kind(keys), m.brief(keys, 15))
	}
	k, _ := keys.(*Array)
	best := -1
	for i := range a.items {
		if best < 0 {
			best = i
			continue
		}
		if c := m.compare(k.items[i], k.items[best]); sign > 0 && c >= 0 || sign < 0 && c < 0 {
			best = i
		}
	}
	if best < 0 {
		return nil, nil
	}
	return a.items[best], nil
}

func setPath(m *Machine, in any, args []any) (any, error) {
	keys, ok := args[0].(*Array)
	if !ok {
		return nil, failure("Path must be specified as an array")
	}
	return m.setpath(in, keys.items, args[1], nil)
}

func delPaths(m *Machine, in any, args []any) (any, error) {
	paths, ok := args[0].(*Array)
	if !ok {
		return nil, failure("Paths must be specified as an array")
	}
	return m.delpaths(in, paths.items)
}

func splitBy(m *Machine, in any, args []any) (any, error) {
	s, ok := in.(string)
	by, also := args[0].(string)
	if !ok || !also {
		return nil, failure("split input and separator must be strings")
	}
	return m.split(s, by), nil
}

func explode(m *Machine, in any, _ []any) (any, error) {
	s, ok := in.(string)
	if !ok {
		return nil, failure("explode input must be a string")
	}
	m.reserve(int64(len(s)) * (cellSize + numberSize))
	m.work(len(s) / 16)
	items := make([]any, 0, length(s))
	for _, r := range s {
		items = append(items, float64(r))
	}
	return m.array(items), nil
}

func implode(m *Machine, in any, _ []any) (any, error) {
	a, ok := in.(*Array)
	if !ok {
		return nil, failure("%s (%s) cannot be imploded", kind(in), m.brief(in, 15))
	}
	m.reserve(int64(4 * a.Len()))
	m.work(a.Len() / 16)
	var b strings.Builder
	for _, v := range a.items {
		f, ok := v.(float64)
		if !ok {
			return nil, failure("Unicode codepoint must be numeric")
		}
		r := rune(utf8.RuneError)
		if f >= 0 && f <= utf8.MaxRune {
			r = rune(f)
		}
		b.WriteRune(r)
	}
	return b.String(), nil
}

func (m *Machine) fits(name string, is func(s, part string) bool, in, part any) (any, error) {
	s, ok := in.(string)
	p, also := part.(string)
	if !ok || !also {
		return nil, failure("%s() requires string inputs", name)
	}
	m.work(min(len(s), len(p)) / 64)
	return is(s, p), nil
}

func trimString(m *Machine, in any, args []any) (any, error) {
	s, ok := in.(string)
	part, also := args[0].(string)
	m.work(min(len(s), len(part)) / 64)
	switch {
	case !ok || !also:
		return in, nil
	case args[1] == true:
		return strings.TrimPrefix(s, part), nil
	}
	return strings.TrimSuffix(s, part), nil
}

func changeCase(m *Machine, in any, args []any) (any, error) {
	s, ok := in.(string)
	low, high := byte('A'), byte('Z')
	if args[0] == true {
		low, high = 'a', 'z'
	}
	if !ok {
		return nil, failure("explode input must be a string")
	}
	m.reserve(int64(len(s)))
	m.work(len(s) / 64)
	out := []byte(s)
	for i, c := range out {
		if c >= low && c <= high {
			out[i] = c ^ 0x20
		}
	}
	return string(out), nil
}

// stringIndices finds a string in another one: the places are those of bytes, as in jq 1.6.
func stringIndices(m *Machine, in any, args []any) (any, error) {
	if in == nil {
		return nil, nil
	}
	s, ok := in.(string)
	part, also := args[0].(string)
	if !ok {
		return m.get(in, args[0])
	}
	if !also {
		return nil, failure("Cannot determine indices of %s in a string", kind(args[0]))
	}
	out := newArray(nil)
	if part == "" {
		return nil, nil
	}
	m.work(len(s) / 16)
	for at := 0; ; {
		i := strings.Index(s[at:], part)
		if i < 0 {
			return out, nil
		}
		out = m.append(out, float64(at+i))
		at += i + 1
	}
}

func haltError(m *Machine, in any, args []any) (any, error) {
	code, ok := args[0].(float64)
	if !ok {
		return nil, failure("%s (%s) halt_error/1: number required", kind(in), m.brief(in, 15))
	}
	return nil, &Halt{Code: int(whole(code)) & 0xff, Value: in, Say: true}
}

func environ(m *Machine, _ any, _ []any) (any, error) {
	o := newObject()
	for _, e := range m.world.Environ() {
		key, value, _ := strings.Cut(e, "=")
		o = m.set(o, key, Valid(value))
	}
	return o, nil
}

func input(m *Machine, _ any, _ []any) (any, error) {
	v, err := m.world.Input()
	if err != nil {
		return nil, &Error{err.Error()}
	}
	return v, nil
}

func inputName(m *Machine, _ any, _ []any) (any, error) {
	if name := m.world.InputName(); name != "" {
		return name, nil
	}
	return nil, nil
}

func debug(m *Machine, in any, _ []any) (any, error) {
	m.world.Message("[\"DEBUG:\"," + m.text(in) + "]\n")
	return in, nil
}

func toStderr(m *Machine, in any, _ []any) (any, error) {
	m.world.Message(m.text(in))
	return in, nil
}

// ask asks something about a number. Of all other values, it is not so.
func ask(in any, is func(float64) bool) bool {
	f, ok := in.(float64)
	return ok && is(f)
}

func isInfinite(f float64) bool { return math.IsInf(f, 0) }

func isNormal(f float64) bool {
	return !math.IsNaN(f) && !math.IsInf(f, 0) && math.Abs(f) >= 0x1p-1022
}

func formatBy(m *Machine, in any, args []any) (any, error) {
	name, ok := args[0].(string)
	if !ok {
		return nil, failure("%s (%s) is not a valid format", kind(args[0]), m.brief(args[0], 15))
	}
	return anyOf(m.format(name, in))
}

// builtins are the names of all functions.
func (m *Machine) builtins() any {
	names := slices.Concat(slices.Sorted(maps.Keys(natives)), slices.Sorted(maps.Keys(specials)), slices.Sorted(maps.Keys(unaries)),
		slices.Sorted(maps.Keys(binaries)), slices.Sorted(maps.Keys(definitions)))
	slices.Sort(names)
	out := newArray(nil)
	for _, name := range names {
		if name[0] != '_' {
			out = m.append(out, name)
		}
	}
	return out
}
