package jq

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// A value is nil, a bool, a float64, a string, an *Array or an *Object. Values never change once they are shared, with
// one exception that no reader can see: an array or object may share its cells with a longer version of itself.

// Array is an array. It sees the first cells of a row that it may share with longer arrays.
type Array struct {
	items []any
	used  *int // how many cells of the row are taken, by whichever array is the longest
	owner *int // of a modification that may still change it in place
	depth int  // of the containers in it, itself counted; an upper bound
	mark  uint32
}

// Object is an object. Its keys keep the order in which they came. Like an array, it may share keys with objects that
// have more of them.
type Object struct {
	names *names
	items []any // one for each of the first names
	used  *int
	owner *int
	depth int
	mark  uint32
}

// names are the keys of objects.
type names struct {
	list  []string
	index map[string]int // of large objects
}

// indexFrom is the number of keys from which on they are indexed.
const indexFrom = 12

func newArray(items []any) *Array {
	used := len(items)
	return &Array{items: items, used: &used, depth: 1 + deepest(items)}
}

func newObject() *Object {
	used := 0
	return &Object{names: &names{}, used: &used, depth: 1}
}

func depthOf(v any) int {
	switch v := v.(type) {
	case *Array:
		return v.depth
	case *Object:
		return v.depth
	}
	return 0
}

func deepest(items []any) int {
	deep := 0
	for _, v := range items {
		deep = max(deep, depthOf(v))
	}
	return deep
}

// Len is the number of elements.
func (a *Array) Len() int { return len(a.items) }

// At returns an element.
func (a *Array) At(i int) any { return a.items[i] }

// with returns the array with a value behind its last.
func (a *Array) with(v any) *Array {
	b := &Array{items: a.items, used: a.used, depth: max(a.depth, 1+depthOf(v))}
	if *a.used != len(a.items) || len(a.items) == cap(a.items) {
		b.items = make([]any, len(a.items), max(4, 2*len(a.items)))
		copy(b.items, a.items)
		b.used = new(int)
	}
	b.items = append(b.items, v)
	*b.used = len(b.items)
	return b
}

// growth is how many cells with has to make.
func (a *Array) growth() int {
	if *a.used != len(a.items) || len(a.items) == cap(a.items) {
		return max(4, 2*len(a.items))
	}
	return 0
}

// Len is the number of keys.
func (o *Object) Len() int { return len(o.items) }

// Key returns the key at a place of the order.
func (o *Object) Key(i int) string { return o.names.list[i] }

// At returns the value at a place of the order.
func (o *Object) At(i int) any { return o.items[i] }

func (o *Object) keys() []string { return o.names.list[:len(o.items)] }

// find returns the place of a key, or -1.
func (o *Object) find(key string) int {
	n := o.names
	if len(o.items) < indexFrom {
		return slices.Index(o.keys(), key)
	}
	if n.index == nil {
		n.index = make(map[string]int, len(n.list))
		for i, k := range n.list {
			n.index[k] = i
		}
	}
	if i, ok := n.index[key]; ok && i < len(o.items) {
		return i
	}
	return -1
}

// Get returns the value of a key.
func (o *Object) Get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.items[i], true
	}
	return nil, false
}

// with returns the object with a value for a key.
func (o *Object) with(key string, v any) *Object {
	b := &Object{names: o.names, items: o.items, used: o.used, depth: max(o.depth, 1+depthOf(v))}
	if at := o.find(key); at >= 0 {
		b.items = slices.Clone(o.items)
		b.items[at] = v
		b.used = new(int)
		*b.used = len(b.items)
		return b
	}
	n := len(o.items)
	if len(o.names.list) != n {
		b.names = &names{list: slices.Clone(o.keys())}
	}
	if *o.used != n || n == cap(o.items) {
		b.items = make([]any, n, max(4, 2*n))
		copy(b.items, o.items)
		b.used = new(int)
	}
	b.names.list = append(b.names.list, key)
	if b.names.index != nil {
		b.names.index[key] = n
	}
	b.items = append(b.items, v)
	*b.used = len(b.items)
	return b
}

// copied is how many cells with has to copy or make.
func (o *Object) copied(key string) int {
	n := len(o.items)
	switch {
	case o.find(key) >= 0:
		return n
	case *o.used != n || n == cap(o.items) || len(o.names.list) != n:
		return max(4, 2*n)
	}
	return 0
}

// without returns the object without a key.
func (o *Object) without(key string) *Object {
	at := o.find(key)
	if at < 0 {
		return o
	}
	b := newObject()
	b.names.list = slices.Delete(slices.Clone(o.keys()), at, at+1)
	b.items = slices.Delete(slices.Clone(o.items), at, at+1)
	b.depth = 1 + deepest(b.items)
	*b.used = len(b.items)
	return b
}

// sorted returns the places of an object's keys in their order.
func (m *Machine) sorted(o *Object) []int {
	size := 0
	for _, key := range o.keys() {
		size += len(key)
	}
	m.work(len(o.items) + size/16)
	return o.sorted()
}

// sorted returns the places of the keys in the order of the keys.
func (o *Object) sorted() []int {
	at := make([]int, len(o.items))
	for i := range at {
		at[i] = i
	}
	slices.SortFunc(at, func(a, b int) int { return strings.Compare(o.names.list[a], o.names.list[b]) })
	return at
}

// kind is the name of a value's type.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	case *Array:
		return "array"
	}
	return "object"
}

// rank is the place of a value's type in the order of types.
func rank(v any) int {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 2
		}
		return 1
	case float64:
		return 3
	case string:
		return 4
	case *Array:
		return 5
	}
	return 6
}

func truthy(v any) bool { return v != nil && v != false }

// compare puts values in jq's order. NaN comes before all other numbers, itself included.
func (m *Machine) compare(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	m.work(1)
	switch a := a.(type) {
	case float64:
		switch b := b.(float64); {
		case math.IsNaN(a) || a < b:
			return -1
		case a == b:
			return 0
		}
		return 1
	case string:
		m.work(len(a) / 64)
		return strings.Compare(a, b.(string))
	case *Array:
		b := b.(*Array)
		for i := range min(len(a.items), len(b.items)) {
			if c := m.compare(a.items[i], b.items[i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a.items), len(b.items))
	case *Object:
		b := b.(*Object)
		x, y := m.sorted(a), m.sorted(b)
		for i := range min(len(x), len(y)) {
			if c := strings.Compare(a.Key(x[i]), b.Key(y[i])); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(len(x), len(y)); c != 0 {
			return c
		}
		for i := range x {
			if c := m.compare(a.items[x[i]], b.items[y[i]]); c != 0 {
				return c
			}
		}
	}
	return 0
}

// identical reports whether two values are the same one: what a path leads to must be.
func identical(a, b any) bool {
	switch a := a.(type) {
	case *Array:
		b, ok := b.(*Array)
		return ok && (a == b || len(a.items) == len(b.items) && len(a.items) > 0 && &a.items[0] == &b.items[0])
	case *Object:
		b, ok := b.(*Object)
		return ok && (a == b || len(a.items) == len(b.items) && len(a.items) > 0 && &a.items[0] == &b.items[0])
	case float64:
		b, ok := b.(float64)
		return ok && (a == b || math.IsNaN(a) && math.IsNaN(b))
	}
	switch b.(type) {
	case *Array, *Object:
		return false
	}
	return a == b
}

// length is the number of characters of a string.
func length(s string) int { return utf8.RuneCountInString(s) }
