package shell

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

// list is an indexed array: its entries by ascending index.
type list struct {
	keys []int
	vals []string
	era  uint64 // of the shell that may change it in place; see [shell.era]
}

func newList() *list { return &list{} }

// listOf returns an array of these elements.
func listOf(elems []string) *list {
	l := &list{keys: make([]int, len(elems)), vals: elems}
	for i := range l.keys {
		l.keys[i] = i
	}
	return l
}

// find returns where an index is, or would be.
func (l *list) find(key int) (int, bool) {
	if n := len(l.keys); n == 0 || key > l.keys[n-1] {
		return n, false
	}
	if key >= 0 && key < len(l.keys) && l.keys[key] == key {
		return key, true
	}
	return slices.BinarySearch(l.keys, key)
}

func (l *list) get(key int) (string, bool) {
	i, ok := l.find(key)
	if !ok {
		return "", false
	}
	return l.vals[i], true
}

// set puts an entry and returns how many bytes are held more.
func (l *list) set(key int, value string) int {
	i, ok := l.find(key)
	if ok {
		grown := len(value) - len(l.vals[i])
		l.vals[i] = value
		return grown
	}
	l.keys, l.vals = slices.Insert(l.keys, i, key), slices.Insert(l.vals, i, value)
	return len(value) + elementSize
}

func (l *list) remove(key int) {
	if i, ok := l.find(key); ok {
		l.keys, l.vals = slices.Delete(l.keys, i, i+1), slices.Delete(l.vals, i, i+1)
	}
}

// last returns the highest index, or -1.
func (l *list) last() int {
	if len(l.keys) == 0 {
		return -1
	}
	return l.keys[len(l.keys)-1]
}

func (l *list) clone() *list { return &list{keys: slices.Clone(l.keys), vals: slices.Clone(l.vals)} }

// elementSize is what an element of an array takes besides its text.
const elementSize = 48

// table is an associative array.
type table struct {
	entries map[string]entry
	next    int
	era     uint64
}

type entry struct {
	value string
	order int
}

func newTable() *table { return &table{entries: map[string]entry{}} }

// set puts an entry and returns how many bytes are held more.
func (t *table) set(key, value string) int {
	old, ok := t.entries[key]
	if ok {
		t.entries[key] = entry{value, old.order}
		return len(value) - len(old.value)
	}
	t.next++
	t.entries[key] = entry{value, t.next}
	return len(key) + len(value) + 2*elementSize
}

func (t *table) clone() *table { return &table{entries: maps.Clone(t.entries), next: t.next} }

// keys returns the keys in bash's order: by their places in a hash table, the latest first where several share one.
func (t *table) keys() []string {
	buckets := uint32(1024)
	for uint32(len(t.entries)) >= buckets*2 {
		buckets *= 4
	}
	place := func(key string) uint32 { return fnv(key) & (buckets - 1) }
	keys := slices.Sorted(maps.Keys(t.entries))
	slices.SortFunc(keys, func(a, b string) int {
		if c := cmp.Compare(place(a), place(b)); c != 0 {
			return c
		}
		return t.entries[b].order - t.entries[a].order
	})
	return keys
}

// elements returns the values of an array in the order of its keys.
func (v variable) elements() []string {
	switch {
	case v.list != nil:
		return slices.Clone(v.list.vals)
	case v.table != nil:
		out := v.table.keys()
		for i, k := range out {
			out[i] = v.table.entries[k].value
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
		out := make([]string, len(v.list.keys))
		for i, k := range v.list.keys {
			out[i] = strconv.Itoa(k)
		}
		return out
	case v.table != nil:
		return v.table.keys()
	case v.set:
		return []string{"0"}
	}
	return nil
}

// length returns the number of elements.
func (v variable) length() int {
	switch {
	case v.list != nil:
		return len(v.list.keys)
	case v.table != nil:
		return len(v.table.entries)
	case v.set:
		return 1
	}
	return 0
}

// bytes is the memory that the elements of an array take, about.
func (v variable) bytes() int {
	n := 0
	if v.list != nil {
		for _, text := range v.list.vals {
			n += len(text) + elementSize
		}
	}
	if v.table != nil {
		for key, e := range v.table.entries {
			n += len(key) + len(e.value) + 2*elementSize
		}
	}
	return n
}

// ownList makes the variable an indexed array that may be changed in place.
func (s *shell) ownList(v *variable) *list {
	switch {
	case v.list == nil:
		v.list = newList()
		if v.set {
			s.hold(v.list.set(0, v.value))
			v.value = ""
		}
	case v.list.era != s.era:
		v.list = v.list.clone()
		s.p.Work(uint32(len(v.list.keys) >> 8))
	}
	v.list.era = s.era
	return v.list
}

// ownTable makes the table of a variable one that may be changed in place.
func (s *shell) ownTable(v *variable) *table {
	if v.table.era != s.era {
		v.table = v.table.clone()
		s.p.Work(uint32(len(v.table.entries) >> 8))
	}
	v.table.era = s.era
	return v.table
}

// setIndex puts an element of a list that the shell owns.
func (s *shell) setIndex(l *list, key int, value string) {
	if n := len(l.keys); n > 0 && key < l.keys[n-1] {
		s.p.Work(uint32(n >> 12))
	}
	s.hold(l.set(key, value))
}

// hold accounts for n further bytes of variables.
func (s *shell) hold(n int) {
	if s.held += int64(n); s.held >= 1<<12 || s.held <= -1<<12 {
		held := s.held
		s.held = 0
		s.p.Allocate(held)
	}
}
