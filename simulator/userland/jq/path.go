package jq

import (
	"math"
	"slices"
	"sort"
	"unicode/utf8"
)

// path says where a value was found: the keys, the last first. The root has no key, and at is the value there.
type path struct {
	up   *path
	key  any
	at   any
	mark uint32
}

// extend notes that v was found at a key of what the path leads to.
func (m *Machine) extend(key, v any) {
	if m.path != nil {
		m.reserve(pathSize)
		m.path = &path{up: m.path, key: key, at: v}
	}
}

// intact reports whether the value is what the path leads to.
func (m *Machine) intact(v any) bool { return m.path == nil || identical(v, m.path.at) }

// keys is the path as a value.
func (m *Machine) keys(p *path) *Array {
	n := 0
	for q := p; q.up != nil; q = q.up {
		n++
	}
	m.reserve(int64(n) * cellSize)
	m.work(n / 4)
	items := make([]any, n)
	for q := p; q.up != nil; q = q.up {
		n--
		items[n] = q.key
	}
	return m.array(items)
}

func (n *index) eval(m *Machine) {
	if key, ok := m.simple(n.key); ok {
		if _, here := n.of.(identity); here {
			m.access(m.v, key, n.quiet)
			return
		}
		m.push(frame{run: accessing(n.quiet), a: key})
		m.cur = n.of
		return
	}
	run := accessing(n.quiet)
	m.sub(n.key, m.env, func(m *Machine, k *frame) {
		key := m.v
		m.v, m.path, m.env, m.cur = k.a, k.path, k.env, k.node
		m.push(frame{run: run, a: key})
	}, n.of, nil)
}

// accessing returns what looks up a key, which fails quietly or not.
func accessing(quiet bool) func(m *Machine, k *frame) {
	if quiet {
		return indexQuietly
	}
	return indexOf
}

func indexOf(m *Machine, k *frame) { m.access(m.v, k.a, false) }

func indexQuietly(m *Machine, k *frame) { m.access(m.v, k.a, true) }

// access looks up a key. If that fails quietly there is no output.
func (m *Machine) access(v, key any, quiet bool) {
	if !m.intact(v) {
		m.fail(failure("Invalid path expression near attempt to access element %s of %s", m.brief(key, 15), m.brief(v, 30)))
		return
	}
	x, err := m.get(v, key)
	if err != nil && quiet {
		m.backtrack()
		return
	}
	if err != nil {
		m.fail(err)
		return
	}
	m.extend(key, x)
	m.v = x
}

func (n *slice) eval(m *Machine) {
	none := &constant{}
	from, to := n.from, n.to
	if from == nil {
		from = none
	}
	if to == nil {
		to = none
	}
	run := accessing(n.quiet)
	m.sub(from, m.env, func(m *Machine, k *frame) {
		start := m.v
		m.v = k.a
		m.path = k.path
		m.sub(k.b.(node), k.env, func(m *Machine, k *frame) {
			m.reserve(objectSize)
			key := newObject().with("start", k.b).with("end", m.v)
			m.v, m.path, m.env, m.cur = k.a, k.path, k.env, k.node
			m.push(frame{run: run, a: key})
		}, k.node, start)
	}, n.of, to)
}

func (n *each) eval(m *Machine) {
	if _, here := n.of.(identity); here {
		m.iterate(n.quiet)
		return
	}
	quiet := n.quiet
	m.push(frame{run: func(m *Machine, _ *frame) { m.iterate(quiet) }})
	m.cur = n.of
}

// iterate gives out the elements of m.v. What has none fails, or quietly has no output.
func (m *Machine) iterate(quiet bool) {
	if !m.intact(m.v) {
		m.fail(failure("Invalid path expression near attempt to iterate through %s", m.brief(m.v, 30)))
		return
	}
	switch m.v.(type) {
	case *Array, *Object:
		m.iterateFrom(0)
		return
	}
	if quiet {
		m.backtrack()
		return
	}
	switch m.v.(type) {
	case nil:
		m.fail(failure("Cannot iterate over null (null)"))
	default:
		m.fail(failure("Cannot iterate over %s (%s)", kind(m.v), m.brief(m.v, 15)))
	}
}

// iterateFrom gives out the element at a place of m.v, the others later.
func (m *Machine) iterateFrom(i int) {
	var key, v any
	n := 0
	switch c := m.v.(type) {
	case *Array:
		if n = len(c.items); i < n {
			key, v = float64(i), c.items[i]
		}
	case *Object:
		if n = len(c.items); i < n {
			key, v = c.Key(i), c.items[i]
		}
	}
	if i >= n {
		m.backtrack()
		return
	}
	if i+1 < n {
		m.fork(fork{run: func(m *Machine, f *fork) { m.iterateFrom(f.i) }, i: i + 1})
	}
	m.extend(key, v)
	m.v = v
}

// get is what v has at a key.
func (m *Machine) get(v, key any) (any, error) {
	switch k := key.(type) {
	case string:
		switch c := v.(type) {
		case nil:
			return nil, nil
		case *Object:
			m.work(len(k) / 64)
			x, _ := c.Get(k)
			return x, nil
		}
		return nil, failure("Cannot index %s with string \"%s\"", kind(v), cut(k, 250))
	case float64:
		switch c := v.(type) {
		case nil:
			return nil, nil
		case *Array:
			if at := place(k, len(c.items)); at >= 0 && at < len(c.items) {
				return c.items[at], nil
			}
			return nil, nil
		}
	case *Object:
		switch v.(type) {
		case nil:
			return nil, nil
		case *Array, string:
			return m.part(v, k)
		}
		return nil, failure("Cannot index %s with object", kind(v))
	case *Array:
		if c, ok := v.(*Array); ok {
			return m.indices(c, k), nil
		}
	}
	return nil, failure("Cannot index %s with %s", kind(v), kind(key))
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

// place is the place that a number means; negative ones count from the end. Outside it is -1 or too large.
func place(f float64, n int) int {
	if f != math.Floor(f) {
		return -1
	}
	if f < 0 {
		f += float64(n)
	}
	if f < 0 {
		return -1
	}
	return int(min(f, 1<<53))
}

// bounds are the places that a slice means.
func bounds(o *Object, n int) (from, to int, err error) {
	read := func(key string, otherwise float64, round func(float64) float64) (int, bool) {
		v, _ := o.Get(key)
		f, ok := v.(float64)
		if v == nil {
			f, ok = otherwise, true
		}
		if !ok || math.IsNaN(f) {
			return 0, v == nil || ok
		}
		if f < 0 {
			f += float64(n)
		}
		return int(round(min(max(f, 0), float64(n)))), true
	}
	var a, b bool
	from, a = read("start", 0, math.Floor)
	to, b = read("end", float64(n), math.Ceil)
	if !a || !b {
		return 0, 0, failure("Start and end indices of an array slice must be numbers")
	}
	return from, max(from, to), nil
}

// part is a slice of an array or string.
func (m *Machine) part(v any, key *Object) (any, error) {
	switch v := v.(type) {
	case *Array:
		from, to, err := bounds(key, len(v.items))
		if err != nil {
			return nil, err
		}
		m.reserve(arraySize)
		return &Array{items: v.items[from:to:to], used: new(int), depth: v.depth}, nil
	case string:
		n := length(v)
		m.work(len(v) / 64)
		from, to, err := bounds(key, n)
		if err != nil {
			return nil, err
		}
		if n == len(v) {
			return v[from:to], nil
		}
		start := runes(v, from)
		return v[start : start+runes(v[start:], to-from)], nil
	}
	return nil, failure("Cannot index %s with object", kind(v))
}

// runes is how long the first n characters are.
func runes(s string, n int) int {
	at := 0
	for ; n > 0 && at < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[at:])
		at += size
	}
	return at
}

// indices finds an array in another one.
func (m *Machine) indices(a, b *Array) any {
	out := newArray(nil)
	for i := 0; len(b.items) > 0 && i+len(b.items) <= len(a.items); i++ {
		same := true
		for j := 0; same && j < len(b.items); j++ {
			same = m.compare(a.items[i+j], b.items[j]) == 0
		}
		if same {
			out = m.append(out, float64(i))
		}
	}
	return out
}

// getpath follows keys; below null everything is null.
func (m *Machine) getpath(v any, keys []any) (any, error) {
	for _, key := range keys {
		m.work(1)
		if v == nil {
			return nil, nil
		}
		var err error
		if v, err = m.get(v, key); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// owner marks what a modification has made and no other code has seen.
type owner = *int

// setpath returns v with x at a path. What belongs to own is changed in place.
func (m *Machine) setpath(v any, keys []any, x any, own owner) (any, error) {
	m.deep(len(keys))
	if len(keys) == 0 {
		return x, nil
	}
	m.work(1)
	var old any
	if v != nil {
		var err error
		if old, err = m.get(v, keys[0]); err != nil {
			return nil, err
		}
	}
	inner, err := m.setpath(old, keys[1:], x, own)
	if err != nil {
		return nil, err
	}
	return m.put(v, keys[0], inner, own)
}

// put returns v with x at a key.
func (m *Machine) put(v, key, x any, own owner) (any, error) {
	m.deep(1 + depthOf(x))
	switch k := key.(type) {
	case string:
		switch c := v.(type) {
		case nil:
			o := m.set(newObject(), k, x)
			o.owner = own
			return o, nil
		case *Object:
			if at := c.find(k); at >= 0 && own != nil && c.owner == own {
				c.items[at], c.depth = x, max(c.depth, 1+depthOf(x))
				return c, nil
			}
			o := m.set(c, k, x)
			if c.find(k) >= 0 { // its cells are new
				o.owner = own
			}
			return o, nil
		}
	case float64:
		c, ok := v.(*Array)
		if v == nil {
			c, ok = newArray(nil), true
		}
		if ok {
			return m.putAt(c, k, x, own)
		}
	case *Object:
		c, ok := v.(*Array)
		if v == nil {
			c, ok = newArray(nil), true
		}
		if ok {
			return m.splice(c, k, x)
		}
		return nil, failure("Cannot update field at object index of %s", kind(v))
	case *Array:
		if _, ok := v.(*Array); ok {
			return nil, failure("Cannot update field at array index of array")
		}
	}
	if s, ok := key.(string); ok {
		return nil, failure("Cannot index %s with string \"%s\"", kind(v), cut(s, 250))
	}
	return nil, failure("Cannot index %s with %s", kind(v), kind(key))
}

func (m *Machine) putAt(c *Array, k float64, x any, own owner) (any, error) {
	at := place(math.Floor(k), len(c.items))
	if at < 0 {
		return nil, failure("Out of bounds negative array index")
	}
	switch {
	case at == len(c.items):
		return m.append(c, x), nil
	case at < len(c.items) && own != nil && c.owner == own:
		c.items[at], c.depth = x, max(c.depth, 1+depthOf(x))
		return c, nil
	}
	n := max(at+1, len(c.items))
	m.reserve(arraySize + int64(n)*(cellSize+numberSize))
	m.work(n / 16)
	items := make([]any, n)
	copy(items, c.items)
	items[at] = x
	used := n
	return &Array{items: items, used: &used, owner: own, depth: max(c.depth, 1+depthOf(x))}, nil
}

// splice replaces a slice.
func (m *Machine) splice(c *Array, key *Object, x any) (any, error) {
	by, ok := x.(*Array)
	if !ok {
		return nil, failure("A slice of an array can only be assigned another array")
	}
	from, to, err := bounds(key, len(c.items))
	if err != nil {
		return nil, err
	}
	n := len(c.items) - (to - from) + len(by.items)
	m.reserve(int64(n) * cellSize)
	m.work(n / 16)
	items := make([]any, 0, n)
	items = append(append(append(items, c.items[:from]...), by.items...), c.items[to:]...)
	return m.array(items), nil
}

// delpath returns v without what is at a path.
func (m *Machine) delpath(v any, keys []any) (any, error) {
	m.deep(len(keys))
	if v == nil || len(keys) == 0 {
		return nil, nil
	}
	if len(keys) > 1 {
		inner, err := m.get(v, keys[0])
		if err != nil || inner == nil {
			return v, err
		}
		if inner, err = m.delpath(inner, keys[1:]); err != nil {
			return nil, err
		}
		return m.put(v, keys[0], inner, nil)
	}
	m.work(1)
	switch key := keys[0].(type) {
	case string:
		if o, ok := v.(*Object); ok {
			m.reserve(objectSize + int64(o.Len())*(cellSize+keySize))
			m.work(o.Len() / 16)
			return o.without(key), nil
		}
		return nil, failure("Cannot delete field at object index of %s", kind(v))
	case float64:
		if a, ok := v.(*Array); ok {
			at := place(key, len(a.items))
			if at < 0 || at >= len(a.items) {
				return a, nil
			}
			m.reserve(int64(len(a.items)) * cellSize)
			m.work(len(a.items) / 16)
			return m.array(slices.Delete(slices.Clone(a.items), at, at+1)), nil
		}
		return nil, failure("Cannot delete field at array index of %s", kind(v))
	case *Object:
		if a, ok := v.(*Array); ok {
			return m.splice(a, key, newArray(nil))
		}
		return nil, failure("Cannot delete field at object index of %s", kind(v))
	}
	return nil, failure("Cannot delete field at %s index of %s", kind(keys[0]), kind(v))
}

// delpaths deletes the last paths first, so that the others stay where they are.
func (m *Machine) delpaths(v any, paths []any) (any, error) {
	m.reserve(int64(len(paths)) * cellSize)
	paths = slices.Clone(paths)
	sort.SliceStable(paths, func(i, j int) bool { return m.compare(paths[i], paths[j]) < 0 })
	for _, p := range slices.Backward(paths) {
		keys, ok := p.(*Array)
		if !ok {
			return nil, failure("Path must be specified as array, not %s", kind(p))
		}
		var err error
		if v, err = m.delpath(v, keys.items); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// changing is the value that a modification works on.
type changing struct {
	cell
	own owner
}

func (n *modify) eval(m *Machine) {
	c := &changing{cell: cell{v: m.v}, own: new(int)}
	m.fork(fork{run: func(m *Machine, f *fork) { m.v = f.a.(*changing).v }, a: c})
	m.push(frame{run: modifyAt, node: n, env: m.env, a: c})
	m.path, m.cur = &path{at: m.v}, n.paths
}

func modifyAt(m *Machine, k *frame) {
	n, c := k.node.(*modify), k.a.(*changing)
	if !m.intact(m.v) {
		m.fail(failure("Invalid path expression with result %s", m.brief(m.v, 30)))
		return
	}
	keys := m.keys(m.path)
	old, err := m.getpath(c.v, keys.items)
	if err != nil {
		m.fail(err)
		return
	}
	switch x := old.(type) { // it is seen: the rest must no longer change
	case *Array:
		if x.owner == c.own {
			c.own = new(int)
		}
	case *Object:
		if x.owner == c.own {
			c.own = new(int)
		}
	}
	height := len(m.forks)
	m.fork(fork{run: func(m *Machine, f *fork) { // there is no new value
		state := f.a.(*pending)
		v, err := m.delpath(state.c.v, state.keys.items)
		if err != nil {
			m.fail(err)
			return
		}
		state.c.v = v
		m.backtrack()
	}, a: &pending{c, keys}})
	m.push(frame{run: modifyStore, a: c, b: keys, i: height})
	m.v, m.path, m.env, m.cur = old, nil, k.env, n.by
}

// pending is a path whose new value is still to come.
type pending struct {
	c    *changing
	keys *Array
}

func modifyStore(m *Machine, k *frame) {
	c := k.a.(*changing)
	clear(m.forks[k.i:])
	m.forks = m.forks[:k.i] // only the first value counts
	v, err := m.setpath(c.v, k.b.(*Array).items, m.v, c.own)
	if err != nil {
		m.fail(err)
		return
	}
	c.v = v
	m.backtrack()
}
