package roundtrip

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var (
	marshalerType       = reflect.TypeFor[json.Marshaler]()
	unmarshalerType     = reflect.TypeFor[json.Unmarshaler]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (c *Compiler) compile(t reflect.Type) (*node, error) {
	if n, ok := c.nodes[t]; ok {
		return n, nil
	}
	n := &node{}
	c.nodes[t] = n
	// A type that contains itself meets its own unfinished node; these calls
	// reach the finished one at run time.
	n.settle = func(p unsafe.Pointer) { n.settle(p) }
	n.equal = func(a, b unsafe.Pointer) bool { return n.equal(a, b) }
	n.merge = func(p, base unsafe.Pointer) { merge(n, p, base) }
	built, err := c.build(t)
	if err != nil {
		delete(c.nodes, t)
		return nil, err
	}
	built.done = true
	*n = *built
	return n, nil
}

// settleOf returns how to settle a value of node n from inside another type:
// nil when there is nothing to do.
func settleOf(n *node) func(unsafe.Pointer) {
	if !n.done {
		return func(p unsafe.Pointer) {
			if n.settle != nil {
				n.settle(p)
			}
		}
	}
	return n.settle
}

// mergeOf returns how to merge a value of node n; nil when settling is all there is
// to it.
func mergeOf(n *node) func(p, base unsafe.Pointer) {
	if !n.done {
		return func(p, base unsafe.Pointer) { merge(n, p, base) }
	}
	return n.merge
}

// sharing returns a merge for a type that is taken from base as a whole or not at
// all.
func sharing[T any](equal func(a, b unsafe.Pointer) bool, settle func(unsafe.Pointer)) func(p, base unsafe.Pointer) {
	return func(p, base unsafe.Pointer) {
		if equal(p, base) {
			*(*T)(p) = *(*T)(base)
		} else {
			settle(p)
		}
	}
}

func equalOf(n *node) func(a, b unsafe.Pointer) bool {
	if !n.done {
		return func(a, b unsafe.Pointer) bool { return n.equal(a, b) }
	}
	return n.equal
}

func (c *Compiler) build(t reflect.Type) (*node, error) {
	if n := known(t); n != nil {
		return n, nil
	}
	if custom(t) {
		return viaJSON(t), nil
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Int8, reflect.Uint8:
		return &node{equal: sameBytes[uint8]}, nil
	case reflect.Int16, reflect.Uint16:
		return &node{equal: sameBytes[uint16]}, nil
	case reflect.Int32, reflect.Uint32:
		return &node{equal: sameBytes[uint32]}, nil
	case reflect.Int, reflect.Int64, reflect.Uint, reflect.Uint64, reflect.Uintptr:
		return &node{equal: sameBytes[uint64]}, nil
	case reflect.Float32:
		return &node{
			settle: func(p unsafe.Pointer) { checkFloat(float64(*(*float32)(p))) },
			equal:  sameBytes[float32],
		}, nil
	case reflect.Float64:
		return &node{
			settle: func(p unsafe.Pointer) { checkFloat(*(*float64)(p)) },
			equal:  sameBytes[float64],
		}, nil
	case reflect.String:
		return &node{settle: settleString, equal: sameBytes[string]}, nil
	case reflect.Pointer:
		return c.buildPointer(t)
	case reflect.Slice:
		return c.buildSlice(t)
	case reflect.Array:
		return c.buildArray(t)
	case reflect.Map:
		return c.buildMap(t)
	case reflect.Struct:
		return c.buildStruct(t)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			return anyNode(), nil
		}
		return nil, fmt.Errorf("interface type %s has no JSON form of its own", t)
	default:
		return nil, fmt.Errorf("a %s cannot be encoded", t.Kind())
	}
}

// custom reports whether the type brings its own encoding.
func custom(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, i := range []reflect.Type{marshalerType, unmarshalerType, textMarshalerType, textUnmarshalerType} {
		if t.Kind() != reflect.Pointer && (t.Implements(i) || p.Implements(i)) {
			return true
		}
	}
	return false
}

func (c *Compiler) buildPointer(t reflect.Type) (*node, error) {
	elem := t.Elem()
	en, err := c.compile(elem)
	if err != nil {
		return nil, err
	}
	equal := equalOf(en)
	detach := func(p, base unsafe.Pointer) {
		pp := (*unsafe.Pointer)(p)
		if *pp == nil || *pp == base {
			return
		}
		if base != nil && equal(*pp, base) {
			*pp = base
			return
		}
		fresh := reflect.New(elem)
		fresh.Elem().Set(reflect.NewAt(elem, *pp).Elem())
		q := fresh.UnsafePointer()
		merge(en, q, base)
		if en.null != nil && en.null(q) {
			q = nil
		}
		*pp = q
	}
	return &node{
		settle: func(p unsafe.Pointer) { detach(p, nil) },
		merge:  func(p, base unsafe.Pointer) { detach(p, *(*unsafe.Pointer)(base)) },
		equal: func(a, b unsafe.Pointer) bool {
			x, y := *(*unsafe.Pointer)(a), *(*unsafe.Pointer)(b)
			return x == y || x != nil && y != nil && equal(x, y)
		},
		null: func(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil },
	}, nil
}

// sliceHeader is how a slice lies in memory.
type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

func (c *Compiler) buildSlice(t reflect.Type) (*node, error) {
	elem := t.Elem()
	if elem.Kind() == reflect.Uint8 && !custom(elem) {
		settle := func(p unsafe.Pointer) {
			if b := (*[]byte)(p); *b != nil {
				*b = append(make([]byte, 0, len(*b)), *b...)
			}
		}
		equal := func(a, b unsafe.Pointer) bool {
			x, y := *(*[]byte)(a), *(*[]byte)(b)
			return (x == nil) == (y == nil) && string(x) == string(y)
		}
		return &node{settle: settle, equal: equal, merge: sharing[[]byte](equal, settle), null: nilSlice}, nil
	}
	if elem == reflect.TypeFor[string]() {
		return &node{settle: settleStrings, equal: equalStrings, merge: sharing[[]string](equalStrings, settleStrings), null: nilSlice}, nil
	}
	en, err := c.compile(elem)
	if err != nil {
		return nil, err
	}
	settle, equal, size := settleOf(en), equalOf(en), elem.Size()
	backing := backingOf(elem)
	detach := func(p unsafe.Pointer) *sliceHeader {
		h := (*sliceHeader)(p)
		fresh := sliceHeader{backing(h.len), h.len, h.len}
		reflect.Copy(reflect.NewAt(t, unsafe.Pointer(&fresh)).Elem(), reflect.NewAt(t, p).Elem())
		*h = fresh
		return h
	}
	n := &node{
		settle: func(p unsafe.Pointer) {
			if nilSlice(p) {
				return
			}
			h := detach(p)
			if settle == nil {
				return
			}
			for i := range h.len {
				settle(unsafe.Add(h.data, uintptr(i)*size))
			}
		},
		equal: func(a, b unsafe.Pointer) bool {
			x, y := (*sliceHeader)(a), (*sliceHeader)(b)
			if x.len != y.len || (x.data == nil) != (y.data == nil) {
				return false
			}
			if x.data == y.data {
				return true
			}
			for i := range x.len {
				off := uintptr(i) * size
				if !equal(unsafe.Add(x.data, off), unsafe.Add(y.data, off)) {
					return false
				}
			}
			return true
		},
		null: nilSlice,
	}
	n.merge = func(p, base unsafe.Pointer) {
		old := (*sliceHeader)(base)
		switch {
		case nilSlice(p):
			return
		case old.len == 0:
			n.settle(p)
			return
		case n.equal(p, base):
			*(*sliceHeader)(p) = sliceHeader{old.data, old.len, old.len}
			return
		}
		h := detach(p)
		for i := range h.len {
			off := uintptr(i) * size
			var from unsafe.Pointer
			if i < old.len {
				from = unsafe.Add(old.data, off)
			}
			merge(en, unsafe.Add(h.data, off), from)
		}
	}
	return n, nil
}

// usualLength is how long most lists are at most.
const usualLength = 8

// backingOf returns a function that makes the array behind a slice. For the usual lengths it takes one allocation, where
// reflect.MakeSlice takes another for the slice's header.
func backingOf(elem reflect.Type) func(n int) unsafe.Pointer {
	var arrays [usualLength + 1]reflect.Type
	for n := range arrays {
		arrays[n] = reflect.ArrayOf(n, elem)
	}
	list := reflect.SliceOf(elem)
	return func(n int) unsafe.Pointer {
		if n <= usualLength {
			return reflect.New(arrays[n]).UnsafePointer()
		}
		return reflect.MakeSlice(list, n, n).UnsafePointer()
	}
}

func nilSlice(p unsafe.Pointer) bool { return (*sliceHeader)(p).data == nil }

func (c *Compiler) buildArray(t reflect.Type) (*node, error) {
	en, err := c.compile(t.Elem())
	if err != nil {
		return nil, err
	}
	settle, equal, size, n := settleOf(en), equalOf(en), t.Elem().Size(), t.Len()
	out := &node{
		equal: func(a, b unsafe.Pointer) bool {
			for i := range n {
				if !equal(unsafe.Add(a, uintptr(i)*size), unsafe.Add(b, uintptr(i)*size)) {
					return false
				}
			}
			return true
		},
		addressed: en.addressed,
	}
	if settle != nil {
		out.settle = func(p unsafe.Pointer) {
			for i := range n {
				settle(unsafe.Add(p, uintptr(i)*size))
			}
		}
	}
	return out, nil
}

func (c *Compiler) buildMap(t reflect.Type) (*node, error) {
	key, elem := t.Key(), t.Elem()
	nilMap := func(p unsafe.Pointer) bool { return *(*unsafe.Pointer)(p) == nil }
	if custom(key) {
		n := viaJSON(t)
		n.null = nilMap
		return n, nil
	}
	if key.Kind() == reflect.String && elem == reflect.TypeFor[string]() {
		return &node{settle: settleStringMap, equal: equalStringMap, merge: sharing[unsafe.Pointer](equalStringMap, settleStringMap), null: nilMap}, nil
	}
	if key.Kind() == reflect.String && elem == reflect.TypeFor[resource.Quantity]() {
		return &node{settle: settleQuantities, equal: equalQuantities, merge: sharing[unsafe.Pointer](equalQuantities, settleQuantities), null: nilMap}, nil
	}
	if key.Kind() != reflect.String && (key.Kind() < reflect.Int || key.Kind() > reflect.Uintptr) {
		return nil, fmt.Errorf("map keys of type %s cannot be encoded", key)
	}
	en, err := c.compile(elem)
	if err != nil {
		return nil, err
	}
	if en.addressed {
		n := viaJSON(t)
		n.null = nilMap
		return n, nil
	}
	equal := equalOf(en)
	// detach gives a map that is not nil entries of its own, except what they share with those of another map, if there is one.
	detach := func(m, base reflect.Value) {
		fresh := reflect.MakeMapWithSize(t, m.Len())
		k, v, old := reflect.New(key), reflect.New(elem), reflect.New(elem)
		for it := m.MapRange(); it.Next(); {
			k.Elem().SetIterKey(it)
			if key.Kind() == reflect.String {
				settleString(k.UnsafePointer())
			}
			v.Elem().SetIterValue(it)
			var before unsafe.Pointer
			if other := base.MapIndex(k.Elem()); other.IsValid() {
				old.Elem().Set(other)
				before = old.UnsafePointer()
			}
			merge(en, v.UnsafePointer(), before)
			fresh.SetMapIndex(k.Elem(), v.Elem())
		}
		m.Set(fresh)
	}
	none := reflect.Zero(t)
	n := &node{
		settle: func(p unsafe.Pointer) {
			if m := reflect.NewAt(t, p).Elem(); !m.IsNil() {
				detach(m, none)
			}
		},
		equal: func(a, b unsafe.Pointer) bool {
			x, y := reflect.NewAt(t, a).Elem(), reflect.NewAt(t, b).Elem()
			if x.IsNil() != y.IsNil() || x.Len() != y.Len() {
				return false
			}
			if x.UnsafePointer() == y.UnsafePointer() {
				return true
			}
			u, v := reflect.New(elem), reflect.New(elem)
			for it := x.MapRange(); it.Next(); {
				other := y.MapIndex(it.Key())
				if !other.IsValid() {
					return false
				}
				u.Elem().SetIterValue(it)
				v.Elem().Set(other)
				if !equal(u.UnsafePointer(), v.UnsafePointer()) {
					return false
				}
			}
			return true
		},
		null: nilMap,
	}
	n.merge = func(p, base unsafe.Pointer) {
		m, from := reflect.NewAt(t, p).Elem(), reflect.NewAt(t, base).Elem()
		switch {
		case n.equal(p, base):
			m.Set(from)
		case !m.IsNil():
			detach(m, from)
		}
	}
	return n, nil
}

// step is the work for one field of a struct.
type step struct {
	offset uintptr
	run    func(unsafe.Pointer)
	merge  func(p, base unsafe.Pointer) // nil when there is nothing to share
}

type comparison struct {
	offset uintptr
	equal  func(a, b unsafe.Pointer) bool
}

func (c *Compiler) buildStruct(t reflect.Type) (*node, error) {
	var steps []step
	var comparisons []comparison
	out := &node{}
	names := map[string]bool{}
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		if f.Anonymous && name == "" && (f.Type.Kind() == reflect.Pointer || f.Type.Kind() == reflect.Interface) {
			return viaJSON(t), nil // whether the pointer survives depends on what is below it
		}
		inlined := f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct
		if tag == "-" || !f.IsExported() && !inlined {
			zero := zeroStep(f)
			steps = append(steps, zero)
			continue
		}
		if hasOption(options, "string") {
			return nil, fmt.Errorf("field %s: the string option of a JSON tag is not supported", f.Name)
		}
		//plumbline:unordered any name met twice has the same consequence
		for n := range jsonNames(f, name, inlined) {
			if names[n] {
				return viaJSON(t), nil // shadowed fields: leave the rules to JSON
			}
			names[n] = true
		}
		fn, err := c.compile(f.Type)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		out.addressed = out.addressed || fn.addressed
		if st := fieldStep(f.Type, settleOf(fn), mergeOf(fn), options); st.run != nil {
			st.offset = f.Offset
			steps = append(steps, st)
		}
		comparisons = append(comparisons, comparison{f.Offset, equalOf(fn)})
	}
	if len(steps) > 0 {
		out.settle = func(p unsafe.Pointer) {
			for i := range steps {
				steps[i].run(unsafe.Add(p, steps[i].offset))
			}
		}
		out.merge = func(p, base unsafe.Pointer) {
			for i := range steps {
				st := &steps[i]
				if st.merge == nil {
					st.run(unsafe.Add(p, st.offset))
				} else {
					st.merge(unsafe.Add(p, st.offset), unsafe.Add(base, st.offset))
				}
			}
		}
	}
	out.equal = func(a, b unsafe.Pointer) bool {
		for i := range comparisons {
			o := comparisons[i].offset
			if !comparisons[i].equal(unsafe.Add(a, o), unsafe.Add(b, o)) {
				return false
			}
		}
		return true
	}
	return out, nil
}

// fieldStep adds to the work for a field's type what its tag asks for.
func fieldStep(t reflect.Type, settle func(unsafe.Pointer), merge func(p, base unsafe.Pointer), options string) step {
	st := step{run: settle, merge: merge}
	var omit func(p unsafe.Pointer) bool // empties the field if it is left out
	switch {
	case hasOption(options, "omitempty") && t.Kind() == reflect.Slice:
		omit = func(p unsafe.Pointer) bool {
			h := (*sliceHeader)(p)
			if h.len != 0 {
				return false
			}
			*h = sliceHeader{}
			return true
		}
	case hasOption(options, "omitempty") && t.Kind() == reflect.Map:
		omit = func(p unsafe.Pointer) bool {
			m := reflect.NewAt(t, p).Elem()
			if m.Len() != 0 {
				return false
			}
			m.SetZero()
			return true
		}
	case t == reflect.TypeFor[metav1.Time]():
		return st // zero times are settled as such
	case hasOption(options, "omitzero") && reflect.PointerTo(t).Implements(zeroerType) && settle != nil:
		omit = func(p unsafe.Pointer) bool {
			v := reflect.NewAt(t, p)
			if !v.Interface().(zeroer).IsZero() {
				return false
			}
			v.Elem().SetZero()
			return true
		}
	default:
		return st
	}
	st.run = func(p unsafe.Pointer) {
		if !omit(p) {
			settle(p)
		}
	}
	if merge != nil {
		st.merge = func(p, base unsafe.Pointer) {
			if !omit(p) {
				merge(p, base)
			}
		}
	}
	return st
}

type zeroer interface{ IsZero() bool }

var zeroerType = reflect.TypeFor[zeroer]()

func zeroStep(f reflect.StructField) step {
	t := f.Type
	return step{offset: f.Offset, run: func(p unsafe.Pointer) { reflect.NewAt(t, p).Elem().SetZero() }}
}

func hasOption(options, want string) bool {
	for options != "" {
		var o string
		o, options, _ = strings.Cut(options, ",")
		if o == want {
			return true
		}
	}
	return false
}

// jsonNames yields the keys that a field contributes to its object.
func jsonNames(f reflect.StructField, name string, inlined bool) map[string]bool {
	if !inlined {
		if name == "" {
			name = f.Name
		}
		return map[string]bool{name: true}
	}
	names := map[string]bool{}
	for inner := range f.Type.Fields() {
		tag := inner.Tag.Get("json")
		n, _, _ := strings.Cut(tag, ",")
		if tag == "-" {
			continue
		}
		deeper := inner.Anonymous && n == "" && inner.Type.Kind() == reflect.Struct
		if !inner.IsExported() && !deeper {
			continue
		}
		for k := range jsonNames(inner, n, deeper) {
			names[k] = true
		}
	}
	return names
}

func checkFloat(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		panic(unencodable{errors.New("json: unsupported value: a number that is not finite")})
	}
}

func sameBytes[T comparable](a, b unsafe.Pointer) bool { return *(*T)(a) == *(*T)(b) }
