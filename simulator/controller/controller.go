// Package controller drives a reconciler of controller-runtime by the kernel: the
// same reconcile.Reconciler that runs under a Manager in a cluster.
//
// A [Controller] listens to informers, turns changes into keys, keeps the keys in
// a work queue, and reconciles one at a time, each in a kernel event of its own. A
// key that changes while it is being reconciled, or while it waits, is reconciled
// once more. An error puts the key back with an exponential delay, RequeueAfter
// with the one it names.
//
// A panic of the reconciler does not end the world: it is what a crash of the
// subject's process is, and is reported as such.
//
// Limits: one worker, since reconciles of a deterministic world do not overlap;
// client-go's overall rate limit (10 a second after a burst of 100) is not applied
// to retries.
package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Informers gives a controller its views; *informer.Cache is one.
type Informers interface {
	Informer(gvk schema.GroupVersionKind) (*informer.Informer, error)
}

// Watch makes a controller reconcile what Map returns for each changed object of a
// kind: for both its old and its new state. Objects are shared. Predicates, if any, say
// which changes count: those that all of them let pass.
type Watch struct {
	GVK        schema.GroupVersionKind
	Map        func(obj client.Object) []reconcile.Request
	Predicates []predicate.Predicate
}

// lets reports whether a change counts.
func (w *Watch) lets(old, new client.Object) bool {
	for _, p := range w.Predicates {
		var ok bool
		switch {
		case old == nil:
			ok = p.Create(event.CreateEvent{Object: new})
		case new == nil:
			ok = p.Delete(event.DeleteEvent{Object: old})
		default:
			ok = p.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: new})
		}
		if !ok {
			return false
		}
	}
	return true
}

// Options are what a Controller is made of. Kernel, Name, Reconciler, For and
// Informers are required.
type Options struct {
	Kernel     *kernel.Kernel
	Name       string // names the controller in the trace
	Reconciler reconcile.Reconciler
	Informers  Informers
	// For is the kind that is reconciled. Predicates, if any, say which of its changes
	// count: those that all of them let pass.
	For        schema.GroupVersionKind
	Predicates []predicate.Predicate
	// Owns are kinds whose changes reconcile their controlling owner, if that is of
	// the kind For.
	Owns    []schema.GroupVersionKind
	Watches []Watch
	// Backoff of failing keys; zero means DefaultBackoff.
	Backoff Backoff
	// Latency is how long a key that is ready waits for its reconcile at the least
	// and, exclusively, at the most. Zero means the same instant.
	Latency struct{ Min, Max time.Duration }
	// After, if set, is called when a reconcile has ended, in the same event.
	After func(Outcome)
	// OnCrash, if set, gets panics of the reconciler. Without it the controller just
	// stops; see Crashed.
	OnCrash func(*Crash)
}

// Outcome is how a reconcile ended.
type Outcome struct {
	Controller string
	Request    reconcile.Request
	Result     reconcile.Result
	Err        error
	Crash      *Crash // set if the reconciler panicked
}

// Crash is a panic of the subject.
type Crash struct {
	Controller string
	Request    reconcile.Request
	Value      any
	Stack      []byte
	At         time.Time
}

func (c *Crash) Error() string {
	return fmt.Sprintf("the reconciler of %s crashed on %s: %v\n%s", c.Controller, c.Request, c.Value, c.Stack)
}

// Counters are what a controller has done so far.
type Counters struct {
	Reconciles uint64
	Errors     uint64
	Requeues   uint64 // asked for by RequeueAfter or Requeue
	Crashes    uint64
}

// Controller drives one reconciler.
type Controller struct {
	o        Options
	queue    *queue
	stream   *kernel.Stream
	pending  *kernel.Event
	pauses   int
	crash    *Crash
	counters Counters
	synced   int
	sources  int
}

// New returns a controller that begins to reconcile as soon as its informers are
// synced.
func New(o Options) (*Controller, error) {
	if o.Kernel == nil || o.Reconciler == nil || o.Informers == nil || o.Name == "" || o.For.Kind == "" {
		return nil, errors.New("controller: Kernel, Name, Reconciler, For and Informers are required")
	}
	if o.Backoff == (Backoff{}) {
		o.Backoff = DefaultBackoff
	}
	c := &Controller{o: o, stream: o.Kernel.Stream("controller/" + o.Name)}
	c.queue = newQueue(o.Kernel, o.Name, o.Backoff, c.schedule)
	watches := []Watch{{GVK: o.For, Map: requestFor, Predicates: o.Predicates}}
	for _, gvk := range o.Owns {
		watches = append(watches, Watch{GVK: gvk, Map: OwnerOf(o.For)})
	}
	watches = append(watches, o.Watches...)
	for _, w := range watches {
		if err := c.watch(w); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *Controller) watch(w Watch) error {
	i, err := c.o.Informers.Informer(w.GVK)
	if err != nil {
		return fmt.Errorf("controller %s: %w", c.o.Name, err)
	}
	c.sources++
	i.AddHandler(func(old, new client.Object) {
		if c.crash != nil || !w.lets(old, new) {
			return
		}
		var last []reconcile.Request
		for _, obj := range []client.Object{old, new} {
			if obj == nil {
				continue
			}
			requests := w.Map(obj)
			if slices.Equal(requests, last) {
				continue
			}
			for _, r := range requests {
				c.queue.add(r)
			}
			last = requests
		}
	})
	i.OnSynced(func() {
		c.synced++
		c.schedule()
	})
	return nil
}

func requestFor(obj client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(obj)}}
}

// OwnerOf returns a Map to the controlling owner, if it is of the given kind. As
// in controller-runtime, the version of the owner's kind does not matter.
func OwnerOf(owner schema.GroupVersionKind) func(client.Object) []reconcile.Request {
	return func(obj client.Object) []reconcile.Request {
		ref := metav1.GetControllerOfNoCopy(obj)
		if ref == nil || ref.Kind != owner.Kind {
			return nil
		}
		gv, err := schema.ParseGroupVersion(ref.APIVersion)
		if err != nil || gv.Group != owner.Group {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: obj.GetNamespace(), Name: ref.Name}}}
	}
}

// schedule sees to it that a reconcile is coming up if there is anything to do.
func (c *Controller) schedule() {
	if c.pending.Scheduled() || c.crash != nil || c.pauses > 0 || c.synced < c.sources || len(c.queue.ready) == 0 {
		return
	}
	c.pending = c.o.Kernel.After(c.stream.Between(c.o.Latency.Min, c.o.Latency.Max), c.o.Name, "reconcile", c.step)
}

func (c *Controller) step() {
	c.pending = nil
	if c.synced < c.sources {
		return // a source was added since; its sync schedules again
	}
	r, ok := c.queue.next()
	if !ok {
		return
	}
	c.o.Kernel.Note(c.o.Name, "reconcile", r.String())
	out := Outcome{Controller: c.o.Name, Request: r}
	out.Result, out.Err, out.Crash = c.reconcile(r)
	c.counters.Reconciles++
	switch {
	case out.Crash != nil:
		c.counters.Crashes++
		c.Kill(out.Crash)
	case out.Err != nil:
		c.counters.Errors++
		c.o.Kernel.Note(c.o.Name, "error", out.Err.Error())
		if !errors.Is(out.Err, reconcile.TerminalError(nil)) {
			c.queue.addRateLimited(r)
		}
	case out.Result.RequeueAfter > 0:
		c.counters.Requeues++
		c.queue.forget(r)
		c.queue.addAfter(r, out.Result.RequeueAfter)
	case out.Result.Requeue: //nolint:staticcheck // deprecated, but reconcilers still return it
		c.counters.Requeues++
		c.queue.addRateLimited(r)
	default:
		c.queue.forget(r)
	}
	if c.o.After != nil {
		c.o.After(out)
	}
	if out.Crash != nil && c.o.OnCrash != nil {
		c.o.OnCrash(out.Crash)
	}
	c.schedule()
}

func (c *Controller) reconcile(r reconcile.Request) (result reconcile.Result, err error, crash *Crash) { //nolint:staticcheck // a crash is not an error
	defer func() {
		if v := recover(); v != nil {
			crash = &Crash{Controller: c.o.Name, Request: r, Value: v, Stack: debug.Stack(), At: c.o.Kernel.Now()}
		}
	}()
	result, err = c.o.Reconciler.Reconcile(context.Background(), r)
	return result, err, nil
}

// Kill makes the controller stand still as a process that has died: what it had
// queued is lost. why may be nil.
func (c *Controller) Kill(why *Crash) {
	if why == nil {
		why = &Crash{Controller: c.o.Name, Value: "killed", At: c.o.Kernel.Now()}
	}
	c.crash = why
	c.pending.Cancel()
	c.pending = nil
	c.queue.clear()
}

// Crashed returns what ended the controller, or nil.
func (c *Controller) Crashed() *Crash { return c.crash }

// Restart brings a controller back that has died, with a reconciler that has
// forgotten everything (nil keeps the old one). Like a new process it reconciles
// every object once.
func (c *Controller) Restart(r reconcile.Reconciler) error {
	if r != nil {
		c.o.Reconciler = r
	}
	c.queue.clear()
	c.crash = nil
	i, err := c.o.Informers.Informer(c.o.For)
	if err != nil {
		return err
	}
	for _, obj := range i.List("", nil) {
		c.queue.add(requestFor(obj)[0])
	}
	c.schedule()
	return nil
}

// Pause keeps the controller from reconciling until Resume has been called as
// often; keys still gather.
func (c *Controller) Pause() {
	c.pauses++
	c.pending.Cancel()
	c.pending = nil
}

// Resume undoes one Pause.
func (c *Controller) Resume() {
	if c.pauses > 0 {
		c.pauses--
	}
	c.schedule()
}

// Counters returns what the controller has done so far.
func (c *Controller) Counters() Counters { return c.counters }
