// Package shelf keeps objects that are seldom read in little memory.
//
// A server that has run thousands of Pods still holds all of them, while clients read the last ones only. A [Shelf]
// keeps a bounded number of its objects as they are, those that were used last. Of the others it keeps packed text
// (roundtrip.Packing), which repeats nothing that an earlier object of the shelf has said. An object that a client asks for
// is unpacked, and is one of those used last from then on.
//
// Objects are immutable. One that was unpacked twice is in two places in memory, so readers compare versions, not pointers.
// A reader that holds an object keeps it, whatever the shelf does.
//
// A Shelf is not safe for concurrent use.
package shelf

import (
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
)

// openLimit is how many objects of a shelf are not packed.
const openLimit = 64

// Shelf keeps objects of one type.
type Shelf struct {
	packing *roundtrip.Packing
	open    []*Item // a ring once it is full
	hand    int     // where the search for the one to pack goes on
	packer  roundtrip.Packer
	squeeze squeezer
	text    []byte // of what is being unpacked
	items   []Item // not yet used; items are made several at a time
}

// itemsMade is how many items are made at a time.
const itemsMade = 32

// New returns an empty shelf for objects that packing knows.
func New(packing *roundtrip.Packing) *Shelf { return &Shelf{packing: packing} }

// Item is the place of one object on a shelf.
type Item struct {
	shelf  *Shelf
	object client.Object // nil while there is only the text
	text   string        // empty until it is packed for the first time
	used   bool          // since the hand passed
}

// Put keeps an object, which is not to be changed from here on.
func (s *Shelf) Put(obj client.Object) *Item {
	if len(s.items) == 0 {
		s.items = make([]Item, itemsMade)
	}
	i := &s.items[0]
	s.items = s.items[1:]
	i.shelf, i.object = s, obj
	s.opened(i)
	return i
}

// Object returns the object. It is shared and must not be modified.
func (i *Item) Object() client.Object {
	if i.object == nil {
		i.object = i.shelf.unpack(i.text)
		i.shelf.opened(i)
	}
	i.used = true
	return i.object
}

// opened counts an item among those that are not packed. If they are too many, one that was not used lately is packed.
func (s *Shelf) opened(i *Item) {
	if len(s.open) < openLimit {
		s.open = append(s.open, i)
		return
	}
	for s.open[s.hand].used {
		s.open[s.hand].used = false
		s.hand = (s.hand + 1) % len(s.open)
	}
	s.open[s.hand].pack()
	s.open[s.hand] = i
	s.hand = (s.hand + 1) % len(s.open)
}

func (i *Item) pack() {
	if i.text == "" {
		s := i.shelf
		s.packer.Bytes = s.packer.Bytes[:0]
		s.packing.Pack(&s.packer, reflect.ValueOf(i.object).UnsafePointer())
		i.text = s.squeeze.squeeze(s.packer.Bytes)
	}
	i.object = nil
}

func (s *Shelf) unpack(text string) client.Object {
	s.text = s.squeeze.expand(s.text[:0], text)
	return s.packing.Unpack(string(s.text)).Interface().(client.Object)
}

// Ref is how a table or a cache holds an object: as it is, or by its place on a shelf.
type Ref struct{ held any } // a client.Object or an *Item

// Direct holds an object as it is.
func Direct(obj client.Object) Ref { return Ref{obj} }

// Shelved holds an object by its place.
func Shelved(i *Item) Ref { return Ref{i} }

// Object returns the object, which is shared and must not be modified. There is none behind an empty Ref.
func (r Ref) Object() client.Object {
	switch h := r.held.(type) {
	case *Item:
		return h.Object()
	case client.Object:
		return h
	}
	return nil
}
