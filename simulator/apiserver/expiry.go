package apiserver

import (
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// EventTTL is how long an Event is kept after it was last written: the default of a
// kube-apiserver.
const EventTTL = time.Hour

// mortal is an object that goes of itself, if it is not written again before.
type mortal struct {
	r       *resource
	key     client.ObjectKey
	version uint64
	due     time.Time
}

// expiring are the mortals, in the order of their ends.
type expiring struct {
	list []mortal
	head int
}

// ages has an object end that was just written. All kinds that end have the same
// time to live, so the object that was written last ends last.
func (x *expiring) ages(m mortal) { x.list = append(x.list, m) }

// expire removes what has had its time. It is called before each request, which is
// as soon as a client can notice, except for watches: those see it with the next
// request.
func (s *Server) expire() {
	x := &s.mortals
	for x.head < len(x.list) && !x.list[x.head].due.After(s.kernel.Now()) {
		m := x.list[x.head]
		x.list[x.head] = mortal{}
		x.head++
		if e := m.r.table.get(m.key); e != nil && e.version == m.version {
			c := &Call{Actor: "apiserver", Verb: Delete, GVK: m.r.GVK, Resource: m.r.gr, Namespace: m.key.Namespace, Name: m.key.Name}
			s.remove(c, m.r, m.key)
		}
	}
	if x.head > 1024 && x.head*2 > len(x.list) {
		n := copy(x.list, x.list[x.head:])
		clear(x.list[n:])
		x.list, x.head = x.list[:n], 0
	}
}
