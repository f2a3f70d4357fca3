package node

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// source is an informer.Source over a real API server: client-go watches, and hands events to the kernel's goroutine.
type source struct {
	ctx    context.Context
	cache  cache.Cache
	scheme *apiruntime.Scheme
	// post has work done on the kernel's goroutine.
	post func(what string, run func()) bool
}

var _ informer.ListSource = (*source)(nil)

// Watch implements informer.Source.
func (s *source) Watch(gvk schema.GroupVersionKind, handler func(informer.Event)) (func(), error) {
	return s.WatchList(gvk, handler, nil)
}

// WatchList implements informer.ListSource.
func (s *source) WatchList(gvk schema.GroupVersionKind, handler func(informer.Event), synced func()) (func(), error) {
	i, err := s.cache.GetInformer(s.ctx, s.object(gvk), cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	q := &queue{post: func(run func()) bool { return s.post("watch "+gvk.Kind, run) }}
	registration, err := i.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(o any) { q.event(watch.Added, o, handler) },
		UpdateFunc: func(old, o any) {
			before, okBefore := old.(client.Object)
			after, ok := o.(client.Object)
			switch {
			case !ok || !okBefore || before.GetResourceVersion() == after.GetResourceVersion():
			case before.GetUID() != after.GetUID():
				q.event(watch.Deleted, old, handler) // the deletion was missed while the watch was broken
				q.event(watch.Added, o, handler)
			default:
				q.event(watch.Modified, o, handler)
			}
		},
		DeleteFunc: func(o any) {
			if last, missed := o.(toolscache.DeletedFinalStateUnknown); missed {
				o = last.Obj
			}
			q.event(watch.Deleted, o, handler)
		},
	})
	if err != nil {
		return nil, fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	if synced != nil {
		go func() {
			if toolscache.WaitForCacheSync(s.ctx.Done(), registration.HasSynced) {
				q.add(synced)
			}
		}()
	}
	return func() {
		q.close()
		// It fails only when the informer has stopped.
		_ = i.RemoveEventHandler(registration)
	}, nil
}

func (s *source) object(gvk schema.GroupVersionKind) client.Object {
	if typed, err := s.scheme.New(gvk); err == nil {
		if o, ok := typed.(client.Object); ok {
			return o
		}
	}
	// Only the metadata of other kinds is read.
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(gvk)
	return m
}

// queue keeps the order of one watch: the kernel may swap events of one instant, so each takes the head of the queue.
type queue struct {
	post func(run func()) bool

	mu     sync.Mutex
	list   []func()
	closed bool
}

func (q *queue) event(what watch.EventType, object any, handler func(informer.Event)) {
	if o, ok := object.(client.Object); ok {
		q.add(func() { handler(informer.Event{Type: what, Object: o}) })
	}
}

func (q *queue) add(run func()) {
	q.mu.Lock()
	q.list = append(q.list, run)
	q.mu.Unlock()
	q.post(q.next)
}

func (q *queue) next() {
	q.mu.Lock()
	if q.closed || len(q.list) == 0 {
		q.mu.Unlock()
		return
	}
	run := q.list[0]
	q.list = q.list[1:]
	q.mu.Unlock()
	run()
}

// close has no further event delivered.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.list, q.closed = nil, true
}
