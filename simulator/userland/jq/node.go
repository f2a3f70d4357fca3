package jq

// The parts of a program.
type (
	identity struct{}
	constant struct{ v any }
	variable struct{ hops int }
	// filter calls a parameter.
	filter struct{ hops int }
	// call calls a function that is defined in the program, in the environment hops up; -1 is none.
	call struct {
		hops int
		f    *function
		args []node
	}
	// native calls a function of Go with each combination of the values of its arguments, of which the first changes
	// the fastest.
	native struct {
		f    func(m *Machine, in any, args []any) (any, error)
		args []node
	}
	// special is evaluated by Go, which evaluates the arguments as it likes.
	special struct {
		f    func(m *Machine, args []node)
		args []node
	}
	// define adds a slot for a function, so that hops count the same in all bodies.
	define  struct{ body node }
	pipe    struct{ first, second node }
	comma   struct{ first, second node }
	bind    struct{ source, body node }
	both    struct{ left, right node } // and
	either  struct{ left, right node } // or
	orElse  struct{ first, second node }
	operate struct {
		f           func(m *Machine, l, r any) (any, error)
		left, right node
	}
	negate struct{ of node }
	choose struct{ condition, then, otherwise node }
	try    struct{ body, catch node }
	label  struct{ body node }
	leave  struct{ hops int }
	index  struct {
		of, key node
		quiet   bool // a failure is no output
	}
	slice struct {
		of, from, to node
		quiet        bool
	}
	each struct {
		of    node
		quiet bool
	}
	list   struct{ of node } // nil is []
	record struct{ entries []entry }
	text   struct {
		format string
		parts  []node
	}
	fold struct {
		source, start, step node
	}
	// update is the step of a fold, in which its cell is hops up. A reduce has no extract; one that gives its state out
	// as it is has identity.
	update struct {
		hops          int
		step, extract node
	}
	// alternatives are the bodies of patterns that are tried one after the other.
	alternatives struct{ bodies []node }
	// modify changes what the paths lead to.
	modify struct {
		paths, by node
	}
)

type entry struct{ key, value node }

// function is a function that is defined in jq.
type function struct {
	params int
	body   node
}

func (identity) eval(*Machine) {}

func (n *constant) eval(m *Machine) { m.v = n.v }

func (n *variable) eval(m *Machine) { m.v = m.env.ancestor(n.hops).v }

func (n *filter) eval(m *Machine) {
	e := m.env.ancestor(n.hops)
	m.env, m.cur = e.closure, e.filter
}

func (n *call) eval(m *Machine) {
	var base *env
	if n.hops >= 0 {
		base = m.env.ancestor(n.hops)
	}
	for _, a := range n.args {
		m.reserve(envSize)
		e := &env{up: base, filter: a, closure: m.env}
		if f, ok := a.(*filter); ok { // hand on what was handed down
			given := m.env.ancestor(f.hops)
			e.filter, e.closure = given.filter, given.closure
		}
		base = e
	}
	m.env, m.cur = base, n.f.body
}

func (n *native) eval(m *Machine) {
	if len(n.args) == 0 {
		m.result(n.f(m, m.v, nil))
		return
	}
	last := len(n.args) - 1
	m.push(frame{run: nativeArgument, node: n, env: m.env, path: m.path, a: m.v, b: make([]any, len(n.args)), i: last})
	m.path, m.cur = nil, n.args[last]
}

func nativeArgument(m *Machine, k *frame) {
	n := k.node.(*native)
	args := append([]any(nil), k.b.([]any)...)
	args[k.i] = m.v
	m.env, m.v = k.env, k.a
	if k.i > 0 {
		m.push(frame{run: nativeArgument, node: n, env: k.env, path: k.path, a: k.a, b: args, i: k.i - 1})
		m.cur = n.args[k.i-1]
		return
	}
	m.path = k.path
	m.result(n.f(m, k.a, args))
}

// result is the end of a function of Go.
func (m *Machine) result(v any, err error) {
	if err != nil {
		if e, ok := err.(*Error); ok && e.Value == nil { //nolint:errorlint // errors of jq are never wrapped
			m.backtrack() // an error without a message is not an error
			return
		}
		m.fail(err)
		return
	}
	m.v = v
}

func (n *special) eval(m *Machine) { n.f(m, n.args) }

func (n *define) eval(m *Machine) { m.env, m.cur = m.bind(m.env, nil), n.body }

func (n *pipe) eval(m *Machine) {
	m.push(frame{run: goOn, node: n.second, env: m.env})
	m.cur = n.first
}

func goOn(m *Machine, k *frame) { m.env, m.cur = k.env, k.node }

func (n *comma) eval(m *Machine) {
	m.fork(fork{run: goBack, node: n.second})
	m.cur = n.first
}

func goBack(m *Machine, f *fork) { m.cur = f.node }

func (n *bind) eval(m *Machine) {
	if v, ok := m.simple(n.source); ok {
		m.env, m.cur = m.bind(m.env, v), n.body
		return
	}
	m.sub(n.source, m.env, func(m *Machine, k *frame) {
		m.env = m.bind(k.env, m.v)
		m.v, m.path, m.cur = k.a, k.path, k.node
	}, n.body, nil)
}

// simple evaluates a node that only looks something up.
func (m *Machine) simple(n node) (any, bool) {
	switch n := n.(type) {
	case identity:
		return m.v, true
	case *constant:
		return n.v, true
	case *variable:
		return m.env.ancestor(n.hops).v, true
	}
	return nil, false
}

func (n *both) eval(m *Machine) {
	m.sub(n.left, m.env, func(m *Machine, k *frame) {
		if !truthy(m.v) {
			m.v, m.path = false, k.path
			return
		}
		m.v = k.a
		m.path = k.path
		m.sub(k.node, k.env, isTrue, nil, nil)
	}, n.right, nil)
}

func (n *either) eval(m *Machine) {
	m.sub(n.left, m.env, func(m *Machine, k *frame) {
		if truthy(m.v) {
			m.v, m.path = true, k.path
			return
		}
		m.v = k.a
		m.path = k.path
		m.sub(k.node, k.env, isTrue, nil, nil)
	}, n.right, nil)
}

func isTrue(m *Machine, k *frame) { m.v, m.path = truthy(m.v), k.path }

func (n *orElse) eval(m *Machine) {
	c := &cell{}
	m.fork(fork{run: func(m *Machine, f *fork) {
		if f.a.(*cell).used {
			m.backtrack()
			return
		}
		m.cur = f.node
	}, node: n.second, a: c})
	m.push(frame{run: func(m *Machine, k *frame) {
		if !truthy(m.v) {
			m.backtrack()
			return
		}
		k.a.(*cell).used = true
	}, a: c})
	m.cur = n.first
}

func (n *operate) eval(m *Machine) {
	r, simple := m.simple(n.right)
	if l, ok := m.simple(n.left); ok && simple {
		m.result(n.f(m, l, r))
		return
	}
	if simple {
		m.push(frame{run: operateLeft, node: n, env: m.env, path: m.path, b: r})
		m.path, m.cur = nil, n.left
		return
	}
	m.sub(n.right, m.env, func(m *Machine, k *frame) {
		right := m.v
		m.v, m.env = k.a, k.env
		m.push(frame{run: operateLeft, node: k.node, env: k.env, path: k.path, b: right})
		m.cur = k.node.(*operate).left
	}, n, nil)
}

func operateLeft(m *Machine, k *frame) {
	left := m.v
	m.path = k.path
	m.held = append(m.held[:0], left, k.b)
	m.result(k.node.(*operate).f(m, left, k.b))
	m.held = m.held[:0]
}

func (n *negate) eval(m *Machine) {
	m.sub(n.of, m.env, func(m *Machine, k *frame) {
		m.path = k.path
		if f, ok := m.v.(float64); ok {
			m.v = -f
			return
		}
		m.fail(failure("%s (%s) cannot be negated", kind(m.v), m.brief(m.v, 15)))
	}, n, nil)
}

func (n *choose) eval(m *Machine) {
	m.sub(n.condition, m.env, func(m *Machine, k *frame) {
		n := k.node.(*choose)
		m.cur = n.otherwise
		if truthy(m.v) {
			m.cur = n.then
		}
		m.v, m.path, m.env = k.a, k.path, k.env
	}, n, nil)
}

// A try catches what fails as long as it may have further outputs: also what its outputs go on to, as in jq 1.6.
func (n *try) eval(m *Machine) {
	m.fork(fork{catch: func(m *Machine, f *fork, err error) bool {
		e, ok := err.(*Error) //nolint:errorlint // errors of jq are never wrapped
		if !ok {
			return false
		}
		if f.node == nil {
			m.backtrack()
		} else {
			m.v, m.cur = e.Value, f.node
		}
		return true
	}, node: n.catch})
	m.cur = n.body
}

func (n *label) eval(m *Machine) {
	m.labels++
	m.fork(fork{catch: func(m *Machine, f *fork, err error) bool {
		b, ok := err.(breaking) //nolint:errorlint // it is never wrapped
		if !ok || b.label != f.i {
			return false
		}
		m.backtrack()
		return true
	}, i: m.labels})
	m.env, m.cur = m.bind(m.env, float64(m.labels)), n.body
}

func (n *leave) eval(m *Machine) {
	id, _ := m.env.ancestor(n.hops).v.(float64)
	m.fail(breaking{int(id)})
}

func (n *list) eval(m *Machine) {
	m.reserve(arraySize)
	c := &cell{v: newArray(nil)}
	if n.of == nil {
		m.v = c.v
		return
	}
	m.fork(fork{run: func(m *Machine, f *fork) { m.v = f.a.(*cell).v }, a: c})
	m.push(frame{run: func(m *Machine, k *frame) {
		c := k.a.(*cell)
		c.v = m.append(c.v.(*Array), m.v)
		m.backtrack()
	}, a: c})
	m.path, m.cur = nil, n.of
}

// building is an object in the making.
type building struct {
	object *Object
	key    any
}

func (n *record) eval(m *Machine) {
	m.reserve(objectSize)
	n.next(m, &frame{node: n, env: m.env, path: m.path, a: m.v, b: &building{object: newObject()}})
}

// next evaluates the next key.
func (n *record) next(m *Machine, k *frame) {
	b := k.b.(*building)
	if k.i == len(n.entries) {
		m.v, m.path = b.object, k.path
		return
	}
	m.v, m.env, m.path = k.a, k.env, nil
	m.push(frame{run: recordKey, node: n, env: k.env, path: k.path, a: k.a, b: b, i: k.i})
	m.cur = n.entries[k.i].key
}

func recordKey(m *Machine, k *frame) {
	n, b := k.node.(*record), k.b.(*building)
	if _, ok := m.v.(string); !ok {
		m.fail(failure("Cannot use %s (%s) as object key", kind(m.v), m.brief(m.v, 15)))
		return
	}
	m.push(frame{run: recordValue, node: n, env: k.env, path: k.path, a: k.a, b: &building{b.object, m.v}, i: k.i})
	m.v, m.env, m.cur = k.a, k.env, n.entries[k.i].value
}

func recordValue(m *Machine, k *frame) {
	b := k.b.(*building)
	object := m.set(b.object, b.key.(string), m.v)
	k.node.(*record).next(m, &frame{env: k.env, path: k.path, a: k.a, b: &building{object: object}, i: k.i + 1})
}

func (n *text) eval(m *Machine) {
	n.next(m, &frame{env: m.env, path: m.path, a: m.v, b: "", i: len(n.parts)})
}

// next evaluates the part before the text that there is.
func (n *text) next(m *Machine, k *frame) {
	suffix := k.b.(string)
	for i := k.i - 1; i >= 0; i-- {
		if c, ok := n.parts[i].(*constant); ok {
			m.reserve(int64(len(c.v.(string)) + len(suffix)))
			suffix = c.v.(string) + suffix
			continue
		}
		m.v, m.env, m.path = k.a, k.env, nil
		m.push(frame{run: textPart, node: n, env: k.env, path: k.path, a: k.a, b: suffix, i: i})
		m.cur = n.parts[i]
		return
	}
	m.v, m.path = suffix, k.path
}

func textPart(m *Machine, k *frame) {
	n, suffix := k.node.(*text), k.b.(string)
	part, err := m.format(n.format, m.v)
	if err != nil {
		m.fail(err)
		return
	}
	m.reserve(int64(len(part) + len(suffix)))
	n.next(m, &frame{env: k.env, path: k.path, a: k.a, b: part + suffix, i: k.i})
}

func (n *fold) eval(m *Machine) {
	m.push(frame{run: func(m *Machine, k *frame) {
		n := k.node.(*fold)
		c := &cell{v: m.v}
		reduces := foldReduces(n.step)
		m.v, m.env = k.a, k.env
		if reduces {
			m.fork(fork{run: func(m *Machine, f *fork) { m.v = f.a.(*cell).v }, a: c})
		}
		m.push(frame{run: foldItem, node: n, env: k.env, a: c})
		m.cur = n.source
	}, node: n, env: m.env, a: m.v})
	m.cur = n.start
}

func foldItem(m *Machine, k *frame) {
	c := k.a.(*cell)
	m.env = m.bind(m.bind(k.env, c), m.v)
	m.v, m.cur = c.v, k.node.(*fold).step
}

// foldReduces finds the update that a step comes to.
func foldReduces(n node) bool {
	for {
		switch x := n.(type) {
		case *bind:
			n = x.body
		case *alternatives:
			n = x.bodies[0]
		case *update:
			return x.extract == nil
		default:
			return false
		}
	}
}

func (n *update) eval(m *Machine) {
	c := m.env.ancestor(n.hops).v.(*cell)
	m.push(frame{run: func(m *Machine, k *frame) {
		k.a.(*cell).v = m.v
		extract := k.node.(*update).extract
		if extract == nil {
			m.backtrack()
			return
		}
		m.env, m.cur = k.env, extract
	}, node: n, env: m.env, a: c})
	m.v, c.v = c.v, nil
	m.cur = n.step
}

func (n *alternatives) eval(m *Machine) { n.from(m, 0) }

func (n *alternatives) from(m *Machine, i int) {
	if i+1 < len(n.bodies) {
		m.fork(fork{catch: func(m *Machine, f *fork, err error) bool {
			if _, ok := err.(*Error); !ok { //nolint:errorlint // errors of jq are never wrapped
				return false
			}
			f.node.(*alternatives).from(m, f.i+1)
			return true
		}, node: n, i: i})
	}
	m.cur = n.bodies[i]
}
