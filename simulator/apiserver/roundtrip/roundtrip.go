// Package roundtrip turns a Go value into what a JSON round trip through a real
// API server would have made of it, without doing the JSON.
//
// A server stores what it decoded, not what the client had in its hands: times
// lose what is below a second, empty slices of omitempty fields become nil, a
// pointer to a zero time disappears, a quantity is spelt canonically. Code that
// is only ever tested against values that never left the process does not see
// any of this. [Compiler.Compile] looks at a type once and produces a [Plan] that
// applies exactly these rules by walking memory, which costs little more than
// the deep copy that a store has to make anyway. A test compares every plan with
// encoding/json on random values.
//
// One deliberate difference: decoded times are in UTC and not in the zone of the
// machine, so that the same world looks the same everywhere.
//
// Limits: types with their own MarshalJSON that the package does not know are
// sent through real JSON (correct, slower); the string option of a JSON tag is
// refused; cyclic values are not detected (JSON would refuse them).
package roundtrip

import (
	"fmt"
	"reflect"
	"sync"
	"unsafe"
)

// Compiler makes plans and remembers them by type, so that one compiler is best
// shared by all who need plans. It is safe for concurrent use, as plans are.
type Compiler struct {
	mu     sync.Mutex
	nodes  map[reflect.Type]*node
	texts  map[reflect.Type]counter
	codecs map[reflect.Type]*codec
}

// NewCompiler returns a compiler that knows no types yet.
func NewCompiler() *Compiler {
	return &Compiler{nodes: map[reflect.Type]*node{}, texts: map[reflect.Type]counter{}, codecs: map[reflect.Type]*codec{}}
}

// Plan is what the package knows about one type.
type Plan struct {
	t    reflect.Type
	n    *node
	text counter
}

// Compile returns the plan for t. It fails for types that JSON cannot carry:
// channels, functions, complex numbers.
func (c *Compiler) Compile(t reflect.Type) (*Plan, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.compile(t)
	if err != nil {
		return nil, fmt.Errorf("round trip of %s: %w", t, err)
	}
	return &Plan{t: t, n: n, text: c.countOf(t)}, nil
}

// Type returns the type the plan is for.
func (p *Plan) Type() reflect.Type { return p.t }

// Settle makes the value that v points to what a round trip would make of it, and
// detaches it: afterwards it shares no memory with anything else. The value must
// be a shallow copy that the caller owns. It fails where encoding would fail.
func (p *Plan) Settle(v unsafe.Pointer) (err error) {
	if p.n.settle == nil {
		return nil
	}
	defer catch(&err)
	p.n.settle(v)
	return nil
}

// Merge is Settle for a value that resembles base: wherever the two say the same,
// v shares base's memory, so that neither copies nor versions are made of what did
// not change. Apart from that it shares no memory with anything.
func (p *Plan) Merge(v, base unsafe.Pointer) (err error) {
	defer catch(&err)
	merge(p.n, v, base)
	return nil
}

func catch(err *error) {
	if r := recover(); r != nil {
		u, ok := r.(unencodable)
		if !ok {
			panic(r)
		}
		*err = u.error
	}
}

// merge settles v, sharing with base, which may be nil.
func merge(n *node, v, base unsafe.Pointer) {
	switch {
	case base != nil && n.merge != nil:
		n.merge(v, base)
	case n.settle != nil:
		n.settle(v)
	}
}

// Equal reports whether the two values, both settled, would be encoded alike.
func (p *Plan) Equal(a, b unsafe.Pointer) bool { return a == b || p.n.equal(a, b) }

// Copy returns a pointer to a settled, detached copy of the value that v, a
// pointer to the plan's type, points to.
func (p *Plan) Copy(v reflect.Value) (reflect.Value, error) {
	out := reflect.New(p.t)
	out.Elem().Set(v.Elem())
	return out, p.Settle(out.UnsafePointer())
}

// unencodable carries an encoding error out of a walk.
type unencodable struct{ error }

// node is the compiled form of one type. The functions get pointers to values of
// that type.
type node struct {
	// settle is nil when a value of the type needs no work.
	settle func(p unsafe.Pointer)
	equal  func(a, b unsafe.Pointer) bool
	// merge is settle for a value that may share the memory of a similar one; nil
	// for types that have no memory to share.
	merge func(p, base unsafe.Pointer)
	// null reports whether a settled value is encoded as null; nil means never.
	null func(p unsafe.Pointer) bool
	// addressed is set when encoding depends on the value being addressable,
	// because of a MarshalJSON with a pointer receiver.
	addressed bool
	done      bool
}
