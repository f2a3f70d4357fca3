package apiserver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

//plumbline:adapter channels and a goroutine for subjects that have goroutines of their own

// This file is the adapter between the kernel's handlers and the channels that
// watch.Interface is made of. It is for subjects that have goroutines of their own;
// nothing that runs on the kernel uses it.

// Watch returns a watch whose events can be read by any goroutine. Objects are
// copies, in the form of the list that was given.
func (c *serverClient) Watch(ctx context.Context, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
	r, err := c.s.resourceOf(list)
	if err != nil {
		return nil, err
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	sel, raw, err := optionsFrom(&o, true)
	if err != nil {
		return nil, err
	}
	wo := WatchOptions{Actor: c.actor, Namespace: sel.namespace, Labels: sel.labels, Fields: sel.fields}
	if !r.Namespaced {
		wo.Namespace = ""
	}
	if err := wo.place(raw); err != nil {
		return nil, err
	}
	if _, err := r.itemFor(list); err != nil {
		return nil, err
	}
	w := newChannelWatch()
	wo.Ended = w.end
	var stop func()
	stop, err = c.s.WatchWith(r.GVK, wo, func(e informer.Event) {
		// Stop may be called by any goroutine, so the watch itself is ended here, by
		// the first event after it.
		obj, err := r.itemFor(list)
		if err == nil {
			err = r.copyOut(e.Object, obj)
		}
		if err != nil || !w.put(watch.Event{Type: e.Type, Object: obj}) {
			w.Stop()
			stop()
		}
	})
	var status apierrors.APIStatus
	if apierrors.IsResourceExpired(err) && errors.As(err, &status) {
		// It is told by the watch itself.
		said := status.Status()
		w.put(watch.Event{Type: watch.Error, Object: &said})
		w.end()
		err = nil
	}
	if err != nil {
		return nil, err
	}
	go w.pump()
	if ctx != nil && ctx.Done() != nil {
		context.AfterFunc(ctx, w.Stop)
	}
	return w, nil
}

// itemFor returns an empty object in the form of a list's items.
func (r *resource) itemFor(list client.ObjectList) (client.Object, error) {
	switch list.(type) {
	case *unstructured.UnstructuredList:
		return looseShape{gvk: r.GVK}.empty(), nil
	case *metav1.PartialObjectMetadataList:
		return &metav1.PartialObjectMetadata{}, nil
	}
	if !r.typed() {
		return nil, fmt.Errorf("a %s cannot be watched into a %T", r.GVK.Kind, list)
	}
	return r.shape.empty(), nil
}

// channelWatch is a watch.Interface over a queue without bound: the kernel never
// waits for the reader.
type channelWatch struct {
	mu      sync.Mutex
	more    *sync.Cond
	queue   []watch.Event
	stopped bool
	ended   bool // nothing more will come
	out     chan watch.Event
	done    chan struct{}
}

func newChannelWatch() *channelWatch {
	w := &channelWatch{out: make(chan watch.Event), done: make(chan struct{})}
	w.more = sync.NewCond(&w.mu)
	return w
}

// put reports whether the watch still has a reader.
func (w *channelWatch) put(e watch.Event) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return false
	}
	w.queue = append(w.queue, e)
	w.more.Signal()
	return true
}

func (w *channelWatch) pump() {
	defer close(w.out)
	for {
		w.mu.Lock()
		for len(w.queue) == 0 && !w.stopped && !w.ended {
			w.more.Wait()
		}
		if w.stopped || len(w.queue) == 0 {
			w.mu.Unlock()
			return
		}
		e := w.queue[0]
		w.queue = w.queue[1:]
		w.mu.Unlock()
		select {
		case w.out <- e:
		case <-w.done:
			return
		}
	}
}

// end closes the channel once everything was read.
func (w *channelWatch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	w.more.Broadcast()
}

// Stop implements watch.Interface.
func (w *channelWatch) Stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	w.stopped = true
	close(w.done)
	w.more.Broadcast()
}

// ResultChan implements watch.Interface.
func (w *channelWatch) ResultChan() <-chan watch.Event { return w.out }
