package fault

import (
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
)

// Source is the point watch: what an actor watches comes through it.
func (in *Injector) Source(actor string, s informer.ListSource) informer.ListSource {
	if !slices.ContainsFunc(in.faults, func(f *armed) bool { return f.Point == Watch && f.Actor == actor }) {
		return s
	}
	return &source{in: in, actor: actor, inner: s}
}

type source struct {
	in    *Injector
	actor string
	inner informer.ListSource
}

// Watch implements informer.Source.
func (s *source) Watch(gvk schema.GroupVersionKind, handler func(informer.Event)) (stop func(), err error) {
	return s.WatchList(gvk, handler, nil)
}

// WatchList implements informer.ListSource.
func (s *source) WatchList(gvk schema.GroupVersionKind, handler func(informer.Event), synced func()) (stop func(), err error) {
	r := &reflector{source: s, gvk: gvk, handler: handler, synced: synced, known: map[client.ObjectKey]shelf.Ref{}}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r.stop, nil
}

// reflector is a watch that can break and is made again, as those of client-go: it
// knows what it has told, so that it finds by a new list what it has missed.
type reflector struct {
	*source
	gvk     schema.GroupVersionKind
	handler func(informer.Event)
	synced  func() // nil once called
	end     func() // of the connection
	cut     bool   // there is none
	stopped bool
	known   map[client.ObjectKey]shelf.Ref
	listed  map[client.ObjectKey]bool // by the list under way; nil if there is none
	held    []informer.Event
	holding bool
}

func (r *reflector) connect() error {
	r.listed = map[client.ObjectKey]bool{}
	end, err := r.inner.WatchList(r.gvk, r.arrives, r.complete)
	r.end = end
	return err
}

func (r *reflector) stop() {
	r.stopped = true
	if !r.cut {
		r.end()
	}
}

// arrives takes an event from the API server.
func (r *reflector) arrives(e informer.Event) {
	if r.stopped || r.cut {
		return
	}
	if r.listed != nil {
		r.listed[client.ObjectKeyFromObject(e.Object)] = true
	}
	if !r.holding && r.listed == nil {
		if f := r.fault(e); f != nil && !r.disturb(f, e) {
			return
		}
	}
	if r.holding {
		r.held = append(r.held, e)
		return
	}
	r.tell(e)
}

// fault is what strikes at this event.
func (r *reflector) fault(e informer.Event) *armed {
	if !r.in.active {
		return nil
	}
	var hit *armed
	for _, f := range r.in.faults {
		if f.Point == Watch && f.Actor == r.actor && (f.Kind == "" || strings.EqualFold(f.Kind, r.gvk.Kind)) &&
			(f.Name == "" || f.Name == e.Object.GetName()) && r.in.occurs(f) && hit == nil {
			hit = f
		}
	}
	return hit
}

// disturb reports whether the event is still to be told, or held.
func (r *reflector) disturb(f *armed, e informer.Event) bool {
	r.in.strike(f, r.actor+" "+string(e.Type)+" "+r.gvk.Kind+" "+e.Object.GetNamespace()+"/"+e.Object.GetName()+" "+e.Object.GetResourceVersion())
	switch f.What {
	case Lost:
		r.cut = true
		r.end()
		r.in.kernel.After(f.delay(), r.actor, "watch again", r.again)
		return false
	case Repeated:
		r.tell(e)
	default:
		r.holding = true
		r.in.kernel.After(f.delay(), r.actor, "late "+r.gvk.Kind, r.release)
	}
	return true
}

// release tells what was held.
func (r *reflector) release() {
	r.holding = false
	held := r.held
	r.held = nil
	for _, e := range held {
		if r.stopped {
			return
		}
		r.tell(e)
	}
}

// again makes the watch again.
func (r *reflector) again() {
	if r.stopped {
		return
	}
	r.cut = false
	if err := r.connect(); err != nil {
		r.cut = true
		r.in.kernel.After(time.Second, r.actor, "watch again", r.again)
	}
}

// complete is the end of a list: what it did not contain is gone.
func (r *reflector) complete() {
	if r.stopped || r.cut {
		return
	}
	keys := slices.SortedFunc(maps.Keys(r.known), func(a, b client.ObjectKey) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		if !r.listed[key] {
			r.tell(informer.Event{Type: watch.Deleted, Object: r.known[key].Object()})
		}
	}
	r.listed = nil
	if synced := r.synced; synced != nil {
		r.synced = nil
		synced()
	}
}

func (r *reflector) tell(e informer.Event) {
	key := client.ObjectKeyFromObject(e.Object)
	if e.Type == watch.Deleted {
		delete(r.known, key)
	} else {
		r.known[key] = e.Held()
	}
	r.handler(e)
}
