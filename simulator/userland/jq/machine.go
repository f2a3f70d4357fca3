package jq

import "fmt"

// A Machine runs a program. It keeps three things apart, none of which is the stack of Go: what is still to be done
// with a value (a chain of frames), where to go on when no more values come (a stack of forks), and the variables and
// functions in sight (a chain of environments). Frames and environments never change, so that a fork only has to
// remember them.
type Machine struct {
	meter Meter
	world World

	cur  node   // to be evaluated; nil: v goes to the next frame
	v    any    // the input of cur, or a value
	path *path  // where v was found; nil outside of path expressions
	env  *env   // of cur
	k    *frame // what happens to the values of cur

	forks   []fork
	labels  int
	done    bool
	err     error
	running bool

	regex remembered

	// held are values that Go variables of builtins hold.
	held []any

	steps                int
	taken, live, allowed int64
	epoch                uint32
}

// World is what a program sees besides its input.
type World interface {
	// Input returns the next input; io.EOF ends them.
	Input() (any, error)
	// InputName is the file of the last input, "" if none.
	InputName() string
	// InputLine is the number of lines read so far.
	InputLine() int
	// Environ is the environment: "key=value".
	Environ() []string
	// Now is the time in seconds.
	Now() float64
	// Strftime formats a time in UTC.
	Strftime(format string, seconds int64) string
	// Message prints to standard error.
	Message(text string)
}

// node is a part of a program.
type node interface {
	// eval evaluates it: it leaves a value in m.v with m.cur nil, or another node to go on with.
	eval(m *Machine)
}

// env is one binding: a variable, a function, or a parameter that is a filter.
type env struct {
	up      *env
	v       any
	filter  node // of a parameter
	closure *env // the environment of filter
	mark    uint32
}

// frame is one thing that is still to be done with a value.
type frame struct {
	up   *frame
	run  func(*Machine, *frame)
	node node
	env  *env
	path *path
	a, b any
	i    int
	mark uint32
}

// fork is where to go on when no more values come.
type fork struct {
	// run goes on; with the values below in the machine's registers. Nil goes back further.
	run func(*Machine, *fork)
	// catch is asked about an error; it reports whether that has been dealt with.
	catch func(*Machine, *fork, error) bool
	node  node
	v     any
	path  *path
	env   *env
	k     *frame
	a     any
	i     int
}

// cell is something that changes while forks come and go.
type cell struct {
	v    any
	path *path
	used bool
}

// Error is an error with a value.
type Error struct{ Value any }

func (e *Error) Error() string { return fmt.Sprint(e.Value) }

// breaking is the error that leaves a label.
type breaking struct{ label int }

func (breaking) Error() string { return "break" }

// Halt ends the program.
type Halt struct {
	Code int
	// Value is what halt_error prints.
	Value any
	Say   bool
}

func (*Halt) Error() string { return "halt" }

func failure(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// NewMachine returns a machine that has no program yet.
func NewMachine(meter Meter, world World) *Machine {
	return &Machine{meter: meter, world: world, allowed: enough}
}

// Start makes a program run on an input.
func (m *Machine) Start(p *Program, input any) {
	m.cur, m.v, m.env, m.k, m.path = p.body, input, p.env, nil, nil
	m.forks, m.done, m.err, m.running = m.forks[:0], false, nil, true
}

// Close gives back the memory.
func (m *Machine) Close() { m.release() }

// Next returns the next output. Without one, it returns false, and an error if that was why.
func (m *Machine) Next() (any, bool, error) {
	if m.cur == nil && !m.done {
		m.backtrack()
	}
	for !m.done {
		m.work(1)
		if m.cur != nil {
			n := m.cur
			m.cur = nil
			n.eval(m)
			continue
		}
		k := m.k
		if k == nil {
			return m.v, true, nil
		}
		m.k = k.up
		k.run(m, k)
	}
	err := m.err
	m.err = nil
	return nil, false, err
}

// push puts a frame before the others.
func (m *Machine) push(f frame) {
	m.reserve(frameSize)
	f.up = m.k
	m.k = &f
}

// fork remembers the registers, to go on with run.
func (m *Machine) fork(f fork) {
	m.reserve(forkSize)
	f.v, f.path, f.env, f.k = m.v, m.path, m.env, m.k
	m.forks = append(m.forks, f)
}

// pop takes the last fork and its registers.
func (m *Machine) pop() fork {
	last := len(m.forks) - 1
	f := m.forks[last]
	m.forks[last] = fork{}
	m.forks = m.forks[:last]
	m.v, m.path, m.env, m.k = f.v, f.path, f.env, f.k
	return f
}

// backtrack goes on at the last fork.
func (m *Machine) backtrack() {
	m.cur = nil
	for len(m.forks) > 0 {
		m.work(1)
		if f := m.pop(); f.run != nil {
			f.run(m, &f)
			return
		}
	}
	m.done, m.v, m.path, m.env, m.k = true, nil, nil, nil, nil
}

// fail raises an error.
func (m *Machine) fail(err error) {
	m.cur = nil
	for len(m.forks) > 0 {
		m.work(1)
		if f := m.pop(); f.catch != nil && f.catch(m, &f, err) {
			return
		}
	}
	m.done, m.v, m.path, m.env, m.k = true, nil, nil, nil, nil
	m.err = err
}

// bind adds a binding.
func (m *Machine) bind(up *env, v any) *env {
	m.reserve(envSize)
	return &env{up: up, v: v}
}

// up goes up the chain of environments.
func (e *env) ancestor(hops int) *env {
	for ; hops > 0; hops-- {
		e = e.up
	}
	return e
}

// sub evaluates a node on the current input, outside of any path, and goes on with then. The frame has the input (a)
// and the path.
func (m *Machine) sub(n node, env *env, then func(*Machine, *frame), of node, b any) {
	m.push(frame{run: then, node: of, env: env, path: m.path, a: m.v, b: b})
	m.path, m.env, m.cur = nil, env, n
}
