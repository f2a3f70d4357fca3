package apiserver

import (
	"strconv"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Change is one committed write. Old is nil for Added, New is nil for Deleted;
// then Old is the last state under the resourceVersion of the deletion. Both are
// shared and must not be modified.
type Change struct {
	Type        watch.EventType
	GVK         schema.GroupVersionKind
	Old, New    client.Object
	Version     uint64
	Actor       string
	Verb        Verb
	Subresource string
	// prior is the version of what was deleted, before it was.
	prior string
	// ref is how the table holds New; empty if that is nil.
	ref shelf.Ref
}

// Object returns the state that the change leaves, or left behind.
func (c Change) Object() client.Object {
	if c.New != nil {
		return c.New
	}
	return c.Old
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
	obj.SetResourceVersion(strconv.FormatUint(s.version, 10))
	e, old := r.table.put(key, obj, r.refer(obj))
	if ttl := r.strategy.ttl; ttl > 0 {
		r.mortals.ages(mortal{e, e.ref, s.kernel.Now().Add(ttl).UnixNano()}, old != nil)
	}
	ch := Change{
		Type: watch.Modified, GVK: r.GVK, Old: old, New: obj, Version: s.version, Actor: c.Actor, Verb: c.Verb, Subresource: c.Subresource, ref: e.ref,
	}
	if old == nil {
		ch.Type = watch.Added
	}
	s.published(c, r, key, ch)
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
	last := r.shape.shallow(e.object())
	last.SetResourceVersion(strconv.FormatUint(s.version, 10))
	prior := e.object().GetResourceVersion()
	r.table.remove(key)
	if r.strategy.ttl > 0 {
		r.mortals.outdated()
	}
	s.published(c, r, key, Change{
		Type: watch.Deleted, GVK: r.GVK, Old: last, Version: s.version, Actor: c.Actor, Verb: c.Verb, Subresource: c.Subresource, prior: prior,
	})
}

func (s *Server) published(c *Call, r *resource, key client.ObjectKey, ch Change) {
	s.kernel.Note(c.Actor, r.traceName(c), r.table.path(key)+" "+ch.Object().GetResourceVersion())
	if s.shared != nil {
		if ch.Type == watch.Modified {
			s.shared.verify(r, ch.Old)
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
