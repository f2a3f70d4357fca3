package controller

import (
	"time"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// queue is a work queue in the manner of client-go's: a key is in it once, keys
// come out in the order they went in, and keys that wait for their time are apart.
type queue struct {
	k       *kernel.Kernel
	actor   string
	ready   []reconcile.Request
	queued  map[reconcile.Request]bool
	waiting map[reconcile.Request]*kernel.Event
	failed  map[reconcile.Request]int
	backoff Backoff
	onReady func()
}

func newQueue(k *kernel.Kernel, actor string, b Backoff, onReady func()) *queue {
	return &queue{
		k: k, actor: actor, backoff: b, onReady: onReady,
		queued:  map[reconcile.Request]bool{},
		waiting: map[reconcile.Request]*kernel.Event{},
		failed:  map[reconcile.Request]int{},
	}
}

func (q *queue) add(r reconcile.Request) {
	if q.queued[r] {
		return
	}
	q.queued[r] = true
	q.ready = append(q.ready, r)
	q.onReady()
}

// addAfter adds r after d. Of several waits for one key the shortest counts.
func (q *queue) addAfter(r reconcile.Request, d time.Duration) {
	if d <= 0 {
		q.add(r)
		return
	}
	if e := q.waiting[r]; e.Scheduled() {
		if !q.k.Now().Add(d).Before(e.When()) {
			return
		}
		e.Cancel()
	}
	q.waiting[r] = q.k.After(d, q.actor, "requeue", func() {
		delete(q.waiting, r)
		q.add(r)
	})
}

func (q *queue) addRateLimited(r reconcile.Request) {
	n := q.failed[r]
	q.failed[r] = n + 1
	q.addAfter(r, q.backoff.delay(n))
}

func (q *queue) forget(r reconcile.Request) { delete(q.failed, r) }

// next takes the oldest key out.
func (q *queue) next() (reconcile.Request, bool) {
	if len(q.ready) == 0 {
		return reconcile.Request{}, false
	}
	r := q.ready[0]
	if len(q.ready) == 1 {
		q.ready = q.ready[:0] // the array is used again
	} else {
		q.ready = q.ready[1:]
	}
	delete(q.queued, r)
	return r, true
}

// clear drops everything, as the memory of a process that died.
func (q *queue) clear() {
	//plumbline:unordered all of them are cancelled
	for _, e := range q.waiting {
		e.Cancel()
	}
	q.ready = nil
	clear(q.queued)
	clear(q.waiting)
	clear(q.failed)
}

// Backoff is how long a key waits after each failure in a row: Base, doubled each
// time, at most Max.
type Backoff struct{ Base, Max time.Duration }

// DefaultBackoff is client-go's for controllers.
var DefaultBackoff = Backoff{Base: 5 * time.Millisecond, Max: 1000 * time.Second}

func (b Backoff) delay(failures int) time.Duration {
	d := b.Base
	for range failures {
		d *= 2
		if d >= b.Max || d <= 0 {
			return b.Max
		}
	}
	return min(d, b.Max)
}
