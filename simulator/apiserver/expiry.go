package apiserver

import (
	"time"

	"github.com/plumbline-ci/plumbline/simulator/shelf"
)

// EventTTL is how long an Event is kept after it was last written: the default of a
// kube-apiserver.
const EventTTL = time.Hour

// mortal is an object that goes of itself, if it is not written again before.
type mortal struct {
	e   *entry
	ref shelf.Ref // what is to go
	due int64     // in nanoseconds of Unix time
}

// expiring are the mortals of a kind, in the order of their ends.
type expiring struct {
	list     []mortal
	head     int
	obsolete int // how many of them were written again or deleted
}

// ages has an object end that was just written, maybe not for the first time. All objects of a kind have the same time to
// live, so the object that was written last ends last.
func (x *expiring) ages(m mortal, again bool) {
	x.list = append(x.list, m)
	if again {
		x.outdated()
	}
}

// outdated notes that an object was written again or deleted. When that is most of the list, it is made shorter.
func (x *expiring) outdated() {
	x.obsolete++
	if x.obsolete < 1024 || x.obsolete*2 < len(x.list)-x.head {
		return
	}
	kept := make([]mortal, 0, len(x.list)-x.head-x.obsolete)
	for _, m := range x.list[x.head:] {
		if m.e.ref == m.ref {
			kept = append(kept, m)
		}
	}
	x.list, x.head, x.obsolete = kept, 0, 0
}

// next takes the object out of the list whose time has come first; nil if there is none.
func (x *expiring) next(now int64) *entry {
	for x.head < len(x.list) && x.list[x.head].due <= now {
		m := x.list[x.head]
		x.list[x.head] = mortal{}
		x.head++
		x.obsolete-- // either it was counted as such, or its deletion will count it
		if m.e.ref == m.ref {
			return m.e
		}
	}
	if x.head > 1024 && x.head*2 > len(x.list) {
		n := copy(x.list, x.list[x.head:])
		clear(x.list[n:])
		x.list, x.head = x.list[:n], 0
	}
	return nil
}

// expire removes what has had its time. It is called before each request, which is
// as soon as a client can notice, except for watches: those see it with the next
// request.
func (s *Server) expire() {
	for _, r := range s.mortal {
		now := s.kernel.Now().UnixNano()
		for e := r.mortals.next(now); e != nil; e = r.mortals.next(now) {
			key := e.key()
			c := &Call{Actor: "apiserver", Verb: Delete, GVK: r.GVK, Resource: r.gr, Namespace: key.Namespace, Name: key.Name}
			s.remove(c, r, key)
		}
	}
}
