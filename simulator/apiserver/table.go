package apiserver

import (
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/shelf"
)

// entry is the place of one object. What it refers to is replaced by each write, never edited.
type entry struct {
	path string    // namespace/name, as the order of a real server's keys has it
	ref  shelf.Ref // empty once the object is gone
}

// object returns the stored object, which is shared.
func (e *entry) object() client.Object { return e.ref.Object() }

// key returns the key whose path this is. Neither namespaces nor names contain a slash.
func (e *entry) key() client.ObjectKey {
	if ns, name, ok := strings.Cut(e.path, "/"); ok {
		return client.ObjectKey{Namespace: ns, Name: name}
	}
	return client.ObjectKey{Name: e.path}
}

// table holds the objects of one kind: by path, in order, and by owner. Most tables of a world stay empty, so the maps are
// made with the first object.
type table struct {
	byPath  map[string]*entry
	ordered ordered
	byOwner map[types.UID]*ordered
	spare   []entry // entries are made several at a time
}

// mostSpare is how many entries are made at a time in a large table.
const mostSpare = 32

func (t *table) entry() *entry {
	if len(t.spare) == 0 {
		t.spare = make([]entry, min(1+len(t.byPath), mostSpare))
	}
	e := &t.spare[0]
	t.spare = t.spare[1:]
	return e
}

// longestPath is how long paths are as a rule, so that looking one up needs no memory.
const longestPath = 128

func (t *table) get(key client.ObjectKey) *entry {
	if key.Namespace == "" {
		return t.byPath[key.Name]
	}
	var buf [longestPath]byte
	p := append(append(append(buf[:0], key.Namespace...), '/'), key.Name...)
	return t.byPath[string(p)]
}

func path(key client.ObjectKey) string {
	if key.Namespace == "" {
		return key.Name
	}
	return key.Namespace + "/" + key.Name
}

// put files obj, which ref refers to, under its key. It returns its entry, and what was there; empty if nothing.
func (t *table) put(key client.ObjectKey, obj client.Object, ref shelf.Ref) (e *entry, old shelf.Ref) {
	e = t.get(key)
	if e == nil {
		if t.byPath == nil {
			t.byPath, t.byOwner = map[string]*entry{}, map[types.UID]*ordered{}
		}
		e = t.entry()
		e.path, e.ref = path(key), ref
		t.byPath[e.path] = e
		t.ordered.insert(e)
		t.index(e, nil, owners(obj))
		return e, shelf.Ref{}
	}
	old = e.ref
	e.ref = ref
	if (len(t.byOwner) > 0 || len(obj.GetOwnerReferences()) > 0) && !sameOwners(old.Object(), obj) {
		t.index(e, owners(old.Object()), owners(obj))
	}
	return e, old
}

func (t *table) remove(key client.ObjectKey) {
	e := t.get(key)
	if e == nil {
		return
	}
	delete(t.byPath, e.path)
	t.ordered.remove(e.path)
	t.index(e, t.owners(e.ref), nil)
	e.ref = shelf.Ref{}
}

func sameOwners(a, b client.Object) bool {
	return slices.EqualFunc(a.GetOwnerReferences(), b.GetOwnerReferences(), func(x, y metav1.OwnerReference) bool { return x.UID == y.UID })
}

// owners returns the owners of an object of the table. If none has any, as with events, it does not look at it.
func (t *table) owners(ref shelf.Ref) []types.UID {
	if len(t.byOwner) == 0 {
		return nil
	}
	return owners(ref.Object())
}

func owners(obj client.Object) []types.UID {
	refs := obj.GetOwnerReferences()
	if len(refs) == 0 {
		return nil
	}
	uids := make([]types.UID, len(refs))
	for i := range refs {
		uids[i] = refs[i].UID
	}
	return uids
}

func (t *table) index(e *entry, before, after []types.UID) {
	for _, uid := range before {
		if o := t.byOwner[uid]; o != nil {
			o.remove(e.path)
			if o.empty() {
				delete(t.byOwner, uid)
			}
		}
	}
	for _, uid := range after {
		o := t.byOwner[uid]
		if o == nil {
			o = &ordered{}
			t.byOwner[uid] = o
		}
		o.insert(e)
	}
}

// each visits the entries of a namespace (all, if empty) from path start on, in
// order, until fn returns false.
func (t *table) each(ns, start string, fn func(*entry) bool) {
	if ns == "" {
		t.ordered.ascend(start, fn)
		return
	}
	prefix := ns + "/"
	t.ordered.ascend(max(prefix, start), func(e *entry) bool {
		return strings.HasPrefix(e.path, prefix) && fn(e)
	})
}

// ordered is a sorted list of entries in chunks, so that an insertion among many
// moves few.
type ordered struct{ chunks [][]*entry }

const chunkLimit = 256

func (o *ordered) empty() bool { return len(o.chunks) == 0 }

// find returns the chunk and the place in it where path is or belongs.
func (o *ordered) find(path string) (chunk, place int, found bool) {
	chunk, _ = slices.BinarySearchFunc(o.chunks, path, func(c []*entry, p string) int {
		return strings.Compare(c[len(c)-1].path, p)
	})
	if chunk == len(o.chunks) {
		return chunk, 0, false
	}
	place, found = slices.BinarySearchFunc(o.chunks[chunk], path, func(e *entry, p string) int {
		return strings.Compare(e.path, p)
	})
	return chunk, place, found
}

func (o *ordered) insert(e *entry) {
	c, i, found := o.find(e.path)
	switch {
	case found:
		o.chunks[c][i] = e
		return
	case c == len(o.chunks) && c == 0:
		o.chunks = append(o.chunks, []*entry{e})
		return
	case c == len(o.chunks): // beyond the end: last place of the last chunk
		c--
		i = len(o.chunks[c])
	}
	chunk := slices.Insert(o.chunks[c], i, e)
	if len(chunk) <= chunkLimit {
		o.chunks[c] = chunk
		return
	}
	half := len(chunk) / 2
	if i == len(chunk)-1 {
		half = len(chunk) - 1 // names that only grow: leave full chunks behind
	}
	o.chunks[c] = slices.Clip(slices.Clone(chunk[:half]))
	o.chunks = slices.Insert(o.chunks, c+1, slices.Clone(chunk[half:]))
}

func (o *ordered) remove(path string) {
	c, i, found := o.find(path)
	if !found {
		return
	}
	o.chunks[c] = slices.Delete(o.chunks[c], i, i+1)
	if len(o.chunks[c]) == 0 {
		o.chunks = slices.Delete(o.chunks, c, c+1)
	}
}

func (o *ordered) ascend(start string, fn func(*entry) bool) {
	c, i, _ := o.find(start)
	for ; c < len(o.chunks); c, i = c+1, 0 {
		for _, e := range o.chunks[c][i:] {
			if !fn(e) {
				return
			}
		}
	}
}
