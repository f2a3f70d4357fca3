package apiserver

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Change is one committed write. New is nil for Deleted. It is shared and must not be
// modified.
type Change struct {
	Type        watch.EventType
	GVK         schema.GroupVersionKind
	New         client.Object
	Version     uint64
	Actor       string
	Verb        Verb
	Subresource string
	// ref is how the table holds New, old how it held what was there before. They are empty if there is none.
	ref, old shelf.Ref
	last     *lastState // set if the object was deleted
}

// Old returns what was there before the write: nil for Added, and for Deleted the last
// state under the resourceVersion of the deletion. It is shared and must not be modified.
func (c Change) Old() client.Object {
	if c.last != nil {
		return c.last.object()
	}
	return c.old.Object()
}

// lastState makes the last state of a deleted object when an observer asks for it: events that expire are seldom looked at.
type lastState struct {
	shape   shape
	ref     shelf.Ref
	version string // of the deletion
	made    client.Object
}

func (l *lastState) object() client.Object {
	if l.made == nil {
		l.made = l.shape.shallow(l.ref.Object())
		l.made.SetResourceVersion(l.version)
	}
	return l.made
}

// Object returns the state that the change leaves, or left behind.
func (c Change) Object() client.Object {
	if c.New != nil {
		return c.New
	}
	return c.Old()
}

type observer struct{ fn func(Change) }

// Observe has fn called for every write, inside the event that makes it and before
// the writer gets its answer. fn must not write to the server.
func (s *Server) Observe(fn func(Change)) (stop func()) {
	o := &observer{fn}
	s.observers = append(s.observers, o)
	return func() { o.fn = nil }
}

type traceKey struct {
	verb        Verb
	subresource string
}

// traceName returns "verb plural/subresource" without building it each time.
func (r *resource) traceName(c *Call) string {
	k := traceKey{c.Verb, c.Subresource}
	name, ok := r.traces[k]
	if !ok {
		name = string(k.verb) + " " + r.Plural
		if k.subresource != "" {
			name += "/" + k.subresource
		}
		if r.traces == nil {
			r.traces = map[traceKey]string{}
		}
		r.traces[k] = name
	}
	return name
}

// store files a new state of an object, which the server owns from here on.
func (s *Server) store(c *Call, r *resource, key client.ObjectKey, obj client.Object) {
	s.version++
	version := strconv.FormatUint(s.version, 10)
	obj.SetResourceVersion(version)
	e, old := r.table.put(key, obj, r.refer(obj))
	if ttl := r.strategy.ttl; ttl > 0 {
		r.mortals.ages(mortal{e, e.ref, s.kernel.Now().Add(ttl).UnixNano()}, old != (shelf.Ref{}))
	}
	ch := Change{
		Type: watch.Modified, GVK: r.GVK, New: obj, Version: s.version, Actor: c.Actor, Verb: c.Verb, Subresource: c.Subresource, ref: e.ref, old: old,
	}
	if old == (shelf.Ref{}) {
		ch.Type = watch.Added
	}
	s.published(c, r, e.path, version, ch)
}

// remove takes an object away.
func (s *Server) remove(c *Call, r *resource, key client.ObjectKey) {
	e := r.table.get(key)
	if e == nil {
		return
	}
	s.version++
	if s.shared != nil {
		s.shared.verify(r, e.object())
	}
	last := &lastState{shape: r.shape, ref: e.ref, version: strconv.FormatUint(s.version, 10)}
	r.table.remove(key)
	if r.strategy.ttl > 0 {
		r.mortals.outdated()
	}
	s.published(c, r, e.path, last.version, Change{
		Type: watch.Deleted, GVK: r.GVK, Version: s.version, Actor: c.Actor, Verb: c.Verb, Subresource: c.Subresource, old: last.ref, last: last,
	})
}

func (s *Server) published(c *Call, r *resource, path, version string, ch Change) {
	s.kernel.Note(c.Actor, r.traceName(c), path, version)
	if s.shared != nil {
		if ch.Type == watch.Modified {
			s.shared.verify(r, ch.Old())
		}
		s.shared.keep(ch)
	}
	r.history.add(ch)
	live := s.observers[:0]
	for _, o := range s.observers {
		if o.fn != nil {
			o.fn(ch)
			live = append(live, o)
		}
	}
	s.observers = live
	for _, w := range r.watchers {
		w.offer(ch)
	}
	if r.strategy.committed != nil {
		r.strategy.committed(s, r, ch)
	}
}

// history is the window of changes that a watch can start in.
type history struct {
	limit   int
	changes []Change // a ring once it is full
	head    int
	floor   uint64 // version of the newest change that was dropped
}

func (h *history) add(ch Change) {
	switch {
	case h.limit < 0:
		h.floor = ch.Version
	case len(h.changes) < h.limit:
		h.changes = append(h.changes, ch)
	default:
		h.floor = h.changes[h.head].Version
		h.changes[h.head] = ch
		h.head = (h.head + 1) % h.limit
	}
}

// since calls fn with every change after version. It reports false, and calls
// nothing, if some of them have been dropped.
func (h *history) since(version uint64, fn func(Change)) bool {
	if version < h.floor {
		return false
	}
	for i := range h.changes {
		if ch := h.changes[(h.head+i)%len(h.changes)]; ch.Version > version {
			fn(ch)
		}
	}
	return true
}

// oldest returns the oldest version a watch may start from.
func (h *history) oldest() uint64 { return h.floor }

func event(t watch.EventType, obj client.Object) informer.Event {
	return informer.Event{Type: t, Object: obj}
}

// event is the event of what a change leaves.
func (c Change) event(t watch.EventType) informer.Event {
	return informer.Event{Type: t, Object: c.Object(), Ref: c.ref}
}
