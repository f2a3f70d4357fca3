package jq

// Memory is charged before it is taken. What a program lets go of is found by following what it still holds, each time
// about half as much again was taken: the collector of Go does the same, but nothing that is counted may depend on it.

// Meter is charged for what a program does. Both end the program, by a panic of their own, when it has had enough.
type Meter interface {
	// Spend charges steps.
	Spend(steps int)
	// Allocate charges memory, or gives it back.
	Allocate(bytes int64)
	// TooDeep ends the program because a value nests deeper than it may.
	TooDeep(limit int)
}

// Sizes of what is held, in bytes.
const (
	cellSize   = 16
	numberSize = 8
	arraySize  = 64
	objectSize = 128
	keySize    = 24
	frameSize  = 128
	forkSize   = 160
	envSize    = 64
	pathSize   = 56
	// enough is how much is taken at least between two measurements.
	enough = 1 << 20
	// maxDepth is how deep a value may nest.
	maxDepth = 1 << 17
)

// work charges steps. A step of a program is small beside a command of a shell.
func (m *Machine) work(n int) {
	if m.steps += n; m.steps >= 64 {
		m.meter.Spend(m.steps / 8)
		m.steps &= 7
	}
}

// reserve charges memory that is about to be taken.
func (m *Machine) reserve(n int64) {
	if m.taken+n > m.allowed && m.running {
		m.measure()
	}
	m.taken += n
	m.meter.Allocate(n)
}

// measure finds out how much is held and gives back the rest.
func (m *Machine) measure() {
	m.epoch++
	t := tracer{epoch: m.epoch}
	t.value(m.v)
	t.path(m.path)
	t.env(m.env)
	t.frame(m.k)
	for i := range m.forks {
		f := &m.forks[i]
		t.value(f.v)
		t.value(f.a)
		t.path(f.path)
		t.env(f.env)
		t.frame(f.k)
		t.size += forkSize
	}
	for _, v := range m.held {
		t.value(v)
	}
	t.run()
	m.meter.Allocate(t.size - m.live - m.taken)
	m.live, m.taken = t.size, 0
	m.allowed = max(enough, m.live/2)
	m.work(t.seen / 4)
}

// release gives everything back.
func (m *Machine) release() {
	m.meter.Allocate(-m.live - m.taken)
	m.live, m.taken = 0, 0
}

// tracer follows references. What it has seen in this epoch is marked.
type tracer struct {
	epoch uint32
	todo  []any
	size  int64
	seen  int
}

func (t *tracer) value(v any) {
	switch v := v.(type) {
	case string:
		t.size += int64(len(v))
	case *Array:
		if v.mark != t.epoch {
			v.mark = t.epoch
			t.todo = append(t.todo, v)
		}
	case *Object:
		if v.mark != t.epoch {
			v.mark = t.epoch
			t.todo = append(t.todo, v)
		}
	case *cell:
		if v != nil {
			t.todo = append(t.todo, v)
		}
	case []any:
		for _, x := range v {
			t.value(x)
		}
	case *changing:
		t.todo = append(t.todo, &v.cell)
	case *pending:
		t.todo = append(t.todo, &v.c.cell, v.keys)
	case *building:
		t.value(v.object)
		t.value(v.key)
	case *Decoder:
		t.size += int64(len(v.text))
	}
}

func (t *tracer) env(e *env) {
	for ; e != nil && e.mark != t.epoch; e = e.up {
		e.mark = t.epoch
		t.size += envSize
		t.seen++
		t.value(e.v)
		if e.closure != nil {
			t.todo = append(t.todo, e.closure)
		}
	}
}

func (t *tracer) path(p *path) {
	for ; p != nil && p.mark != t.epoch; p = p.up {
		p.mark = t.epoch
		t.size += pathSize
		t.seen++
		t.value(p.key)
		t.value(p.at)
	}
}

func (t *tracer) frame(k *frame) {
	for ; k != nil && k.mark != t.epoch; k = k.up {
		k.mark = t.epoch
		t.size += frameSize
		t.seen++
		t.value(k.a)
		t.value(k.b)
		t.path(k.path)
		t.env(k.env)
	}
}

func (t *tracer) run() {
	for len(t.todo) > 0 {
		v := t.todo[len(t.todo)-1]
		t.todo = t.todo[:len(t.todo)-1]
		t.seen++
		switch v := v.(type) {
		case *Array:
			t.size += arraySize
			t.items(v.items, v.used)
		case *Object:
			t.size += objectSize + int64(len(v.items))*keySize
			for _, key := range v.keys() {
				t.size += int64(len(key))
			}
			t.items(v.items, v.used)
		case *cell:
			t.size += cellSize
			t.value(v.v)
			t.path(v.path)
		case *env:
			t.env(v)
		}
	}
}

// items counts cells, where a row is shared only those of its longest array.
func (t *tracer) items(items []any, used *int) {
	t.seen += len(items)
	if *used == len(items) {
		t.size += int64(cap(items)) * (cellSize + numberSize)
	}
	for _, v := range items {
		t.value(v)
	}
}

// append returns the array with one more value.
func (m *Machine) append(a *Array, v any) *Array {
	m.reserve(arraySize/2 + numberSize + int64(a.growth())*cellSize)
	m.deep(1 + depthOf(v))
	return a.with(v)
}

// set returns the object with a value for a key.
func (m *Machine) set(o *Object, key string, v any) *Object {
	copied := o.copied(key)
	m.reserve(objectSize + int64(copied)*(cellSize+keySize) + keySize + int64(len(key)))
	m.work(copied / 16)
	m.deep(1 + depthOf(v))
	return o.with(key, v)
}

// array makes an array of values that were charged.
func (m *Machine) array(items []any) *Array {
	m.reserve(arraySize + int64(cap(items))*(cellSize+numberSize))
	a := newArray(items)
	m.deep(a.depth)
	return a
}

// deep ends a program whose values nest too deep.
func (m *Machine) deep(depth int) {
	if depth > maxDepth {
		m.meter.TooDeep(maxDepth)
	}
}
