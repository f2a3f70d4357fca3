package apiserver

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// WatchOptions narrow and place a watch.
type WatchOptions struct {
	Actor     string // names the watch in trace and entropy; empty means "watch N"
	Namespace string
	Labels    labels.Selector
	Fields    fields.Selector
	// Since starts the watch after a resourceVersion, without an initial list. Zero
	// means with one.
	Since uint64
	// Lag overrides the server's.
	Lag Lag
	// Synced, if set, is called after the last event of the initial list.
	Synced func()
	// Bookmarks has the watch told now and then, by objects that have nothing but a
	// resourceVersion, how far it has come.
	Bookmarks bool
	// Marked has a bookmark follow the initial list that says so.
	Marked bool
	// OnlyNew leaves the initial list out, although Since is zero.
	OnlyNew bool
	// Timeout is how long the watch lasts, if Options.WatchTimeouts is set; zero is
	// for ever. Ended, if set, is called at its end.
	Timeout time.Duration
	Ended   func()
}

// watcher is one running watch. Events are delivered by kernel events, one each,
// in the order of the commits.
type watcher struct {
	s         *Server
	r         *resource
	o         WatchOptions
	what      string
	stream    *kernel.Stream
	handler   func(informer.Event)
	deliver   func() // is next, made once
	queue     []delivery
	head      int
	last      time.Time // when the newest queued delivery is due
	scheduled *kernel.Event
	stopped   bool
	marked    uint64 // the version that the client knows it has come to
	timers    []*kernel.Event
}

// delivery is an event under way, or (with first set) an initial list.
type delivery struct {
	event informer.Event
	due   time.Time
	first []shelf.Ref
	list  bool
}

var _ informer.ListSource = (*Server)(nil)

// Watch implements informer.Source.
func (s *Server) Watch(gvk schema.GroupVersionKind, handler func(informer.Event)) (stop func(), err error) {
	return s.WatchWith(gvk, WatchOptions{}, handler)
}

// WatchList implements informer.ListSource.
func (s *Server) WatchList(gvk schema.GroupVersionKind, handler func(informer.Event), synced func()) (stop func(), err error) {
	return s.WatchWith(gvk, WatchOptions{Synced: synced}, handler)
}

// WatchWith watches a kind under options. It fails with 410 Expired if the changes
// since o.Since are no longer known.
func (s *Server) WatchWith(gvk schema.GroupVersionKind, o WatchOptions, handler func(informer.Event)) (stop func(), err error) {
	r, err := s.resourceFor(gvk)
	if err != nil {
		return nil, err
	}
	if r.view != nil {
		r, handler = r.view.of, s.showing(r, handler)
	}
	s.watches++
	if o.Actor == "" {
		o.Actor = "watch " + strconv.FormatUint(s.watches, 10)
	}
	c := &Call{Actor: o.Actor, Verb: Watch, GVK: gvk, Resource: r.gr, Namespace: o.Namespace}
	var w *watcher
	err = s.serve(c, func() error {
		if err := r.checkFields(o.Fields); err != nil {
			return err
		}
		if o.Lag == (Lag{}) {
			o.Lag = s.options.WatchLag
		}
		if r.deliver == "" {
			r.deliver = "deliver " + r.Plural
		}
		w = &watcher{s: s, r: r, o: o, handler: handler, what: r.deliver}
		w.deliver = w.next
		w.stream = s.kernel.StreamOf("apiserver/watch/", o.Actor, "/", r.Plural, "/", strconv.FormatUint(s.watches, 10))
		if o.Since == 0 && !o.OnlyNew {
			w.list()
			w.markInitial()
		} else if o.Since == 0 {
			w.marked = s.version
		} else if !r.history.since(o.Since, w.offer) {
			return apierrors.NewResourceExpired(fmt.Sprintf("too old resource version: %d (%d)", o.Since, r.history.oldest()))
		}
		r.watchers = append(r.watchers, w)
		w.limit()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w.stop, nil
}

func (w *watcher) stop() {
	if w.stopped {
		return
	}
	w.stopped = true
	w.scheduled.Cancel()
	for _, t := range w.timers {
		t.Cancel()
	}
	w.queue, w.handler = nil, nil
	w.r.watchers = slices.DeleteFunc(slices.Clone(w.r.watchers), func(o *watcher) bool { return o == w })
}

func (w *watcher) list() {
	d := delivery{list: true}
	w.r.table.each(w.o.Namespace, "", func(e *entry) bool {
		if w.matches(e.object()) {
			d.first = append(d.first, e.ref)
		}
		return true
	})
	w.enqueue(d)
}

func (w *watcher) matches(obj client.Object) bool {
	return obj != nil && (w.o.Namespace == "" || obj.GetNamespace() == w.o.Namespace) && w.r.selected(obj, w.o.Labels, w.o.Fields)
}

// offer queues what a change means to this watch: an object that begins or ceases
// to match is added or deleted.
func (w *watcher) offer(ch Change) {
	if w.stopped {
		return
	}
	if w.o.Namespace == "" && w.o.Labels == nil && w.o.Fields == nil {
		w.enqueue(delivery{event: ch.event(ch.Type)})
		return
	}
	before, after := w.matches(ch.Old()), w.matches(ch.New)
	switch {
	case before && after:
		w.enqueue(delivery{event: ch.event(watch.Modified)})
	case after:
		w.enqueue(delivery{event: ch.event(watch.Added)})
	case before && ch.New == nil:
		w.enqueue(delivery{event: event(watch.Deleted, ch.Old())})
	case before:
		gone := w.r.shape.shallow(ch.Old())
		gone.SetResourceVersion(ch.New.GetResourceVersion())
		w.enqueue(delivery{event: event(watch.Deleted, gone)})
	}
}

// enqueue is the one place where watch events set out.
func (w *watcher) enqueue(d delivery) {
	d.due = w.s.kernel.Now().Add(w.o.Lag.draw(w.stream))
	if d.due.Before(w.last) {
		d.due = w.last
	}
	w.last = d.due
	w.queue = append(w.queue, d)
	w.schedule()
}

func (w *watcher) schedule() {
	if w.head < len(w.queue) && !w.scheduled.Scheduled() {
		w.scheduled = w.s.kernel.At(w.queue[w.head].due, w.o.Actor, w.what, w.deliver)
	}
}

// next is the one place where watch events arrive.
func (w *watcher) next() {
	d := w.queue[w.head]
	w.queue[w.head] = delivery{}
	w.head++
	if w.head == len(w.queue) {
		w.queue, w.head = w.queue[:0], 0
	} else if w.head > 64 && w.head*2 > len(w.queue) {
		n := copy(w.queue, w.queue[w.head:])
		clear(w.queue[n:])
		w.queue, w.head = w.queue[:n], 0
	}
	w.scheduled = nil
	if !d.list {
		w.handler(d.event)
	} else {
		for _, ref := range d.first {
			if w.stopped {
				return
			}
			w.handler(informer.Event{Type: watch.Added, Object: ref.Object(), Ref: ref})
		}
		if !w.stopped && w.o.Synced != nil {
			w.o.Synced()
		}
	}
	if !w.stopped {
		w.schedule()
	}
}
