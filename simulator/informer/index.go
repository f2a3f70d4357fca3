package informer

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names of indexes.
const (
	indexOwner  = "owner"
	indexLabel  = "label:"
	indexByUser = "field:"
)

// index files keys under the values that a function finds in their objects.
type index struct {
	values func(client.Object) []string
	sets   map[string]*keyset
	// same, if set, reports that two versions have the same values, without making them.
	same func(a, b client.Object) bool
}

func newIndex(values func(client.Object) []string) *index {
	return &index{values: values, sets: map[string]*keyset{}}
}

func (x *index) change(key client.ObjectKey, old, obj client.Object) {
	if x.same != nil && old != nil && obj != nil && x.same(old, obj) {
		return
	}
	var before, after []string
	if old != nil {
		before = x.values(old)
	}
	if obj != nil {
		after = x.values(obj)
	}
	if slices.Equal(before, after) {
		return
	}
	for _, v := range before {
		if set := x.sets[v]; set != nil {
			set.remove(key)
			if set.len() == 0 {
				delete(x.sets, v)
			}
		}
	}
	for _, v := range after {
		set := x.sets[v]
		if set == nil {
			set = newKeyset()
			x.sets[v] = set
		}
		set.add(key)
	}
}

// Index adds an index: Indexed then finds objects by the values that fn returns.
func (i *Informer) Index(name string, fn func(client.Object) []string) {
	x := newIndex(fn)
	i.indexes[name] = x
	//plumbline:unordered sets of keys are sorted when they are read
	for key, ref := range i.objects {
		x.change(key, nil, ref.Object())
	}
}

// IndexLabel makes lists that select a value of a label cost what they return.
func (i *Informer) IndexLabel(label string) {
	i.Index(indexLabel+label, func(obj client.Object) []string {
		if v, ok := obj.GetLabels()[label]; ok {
			return []string{v}
		}
		return nil
	})
}

// Indexed returns the shared objects that an index has under a value, in the order
// of their keys. There are none under an index that does not exist.
func (i *Informer) Indexed(name, value string) []client.Object {
	x := i.indexes[name]
	if x == nil || x.sets[value] == nil {
		return nil
	}
	keys := x.sets[value].sorted()
	out := make([]client.Object, len(keys))
	for n, key := range keys {
		out[n] = i.objects[key].Object()
	}
	return out
}

// labelled returns the keys that an index leaves of a label selector, and false if
// no index is of use.
func (i *Informer) labelled(selector labels.Selector) ([]client.ObjectKey, bool) {
	if selector == nil {
		return nil, false
	}
	requirements, _ := selector.Requirements()
	for _, q := range requirements {
		x := i.indexes[indexLabel+q.Key()]
		if x == nil || q.Operator() != selection.Equals && q.Operator() != selection.DoubleEquals && q.Operator() != selection.In {
			continue
		}
		values := q.ValuesUnsorted()
		if len(values) != 1 {
			continue
		}
		if set := x.sets[values[0]]; set != nil {
			return set.sorted(), true
		}
		return nil, true
	}
	return nil, false
}

// keyset is a set of keys that can be had in order. Sorting is put off until
// the order is needed, and is cheap when keys came in order.
type keyset struct {
	at    map[client.ObjectKey]struct{}
	order []client.ObjectKey // sorted up to clean; may hold keys that were removed
	dirty bool
}

func newKeyset() *keyset { return &keyset{at: map[client.ObjectKey]struct{}{}} }

func (s *keyset) len() int { return len(s.at) }

func (s *keyset) add(key client.ObjectKey) {
	if _, ok := s.at[key]; ok {
		return
	}
	s.at[key] = struct{}{}
	if n := len(s.order); n > 0 && compareKeys(s.order[n-1], key) >= 0 {
		s.dirty = true
	}
	s.order = append(s.order, key)
}

func (s *keyset) remove(key client.ObjectKey) {
	if _, ok := s.at[key]; ok {
		delete(s.at, key)
		s.dirty = true
		if len(s.order) > 64 && len(s.order) > 2*len(s.at) {
			s.sorted()
		}
	}
}

// sorted returns the keys in order. The caller must not keep or modify the slice.
func (s *keyset) sorted() []client.ObjectKey {
	if !s.dirty {
		return s.order
	}
	kept := s.order[:0]
	for _, key := range s.order {
		if _, ok := s.at[key]; ok {
			kept = append(kept, key)
		}
	}
	clear(s.order[len(kept):])
	slices.SortFunc(kept, compareKeys)
	s.order, s.dirty = slices.Compact(kept), false
	return s.order
}
