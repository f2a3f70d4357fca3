package node

import (
	"context"
	"reflect"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// borrowing is a client for the simulator's actors. They write objects that share parts with what a watch has shown,
// and a client decodes the server's answer into what it was given, through whatever that points to. So each write is
// made with a copy, which then takes the object's place.
//
// Events are written later and by another goroutine, as components of a real cluster do: the actors share one goroutine,
// and should not wait for half of all they write. The actors get no answer; an event that is refused is lost.
type borrowing struct {
	client.Client
	events *backlog
}

// later has an event written, and reports whether obj is one.
func (b borrowing) later(obj client.Object, write func(client.Object) error) bool {
	e, ok := obj.(*corev1.Event)
	if !ok {
		return false
	}
	made := e.DeepCopy()
	b.events.add(func() { _ = write(made) })
	return true
}

// backlog is work for one goroutine, in order.
type backlog struct {
	mu   sync.Mutex
	list []func()
	some chan struct{}
}

func newBacklog() *backlog { return &backlog{some: make(chan struct{}, 1)} }

func (l *backlog) add(work func()) {
	l.mu.Lock()
	l.list = append(l.list, work)
	l.mu.Unlock()
	select {
	case l.some <- struct{}{}:
	default: // it is being told already
	}
}

// run does the work until ctx ends.
func (l *backlog) run(ctx context.Context) error {
	for {
		l.mu.Lock()
		list := l.list
		l.list = nil
		l.mu.Unlock()
		for _, work := range list {
			if ctx.Err() != nil {
				break
			}
			work()
		}
		select {
		case <-l.some:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// onCopy does a write with a copy of obj.
func onCopy(obj client.Object, write func(client.Object) error) error {
	made, ok := obj.DeepCopyObject().(client.Object)
	if !ok {
		return write(obj)
	}
	if err := write(made); err != nil {
		return err
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(made).Elem())
	return nil
}

// Create implements client.Writer.
func (b borrowing) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	write := func(o client.Object) error { return b.Client.Create(ctx, o, opts...) }
	if b.later(obj, write) {
		return nil
	}
	return onCopy(obj, write)
}

// Update implements client.Writer.
func (b borrowing) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	write := func(o client.Object) error { return b.Client.Update(ctx, o, opts...) }
	if b.later(obj, write) {
		return nil
	}
	return onCopy(obj, write)
}

// Patch implements client.Writer.
func (b borrowing) Patch(ctx context.Context, obj client.Object, p client.Patch, opts ...client.PatchOption) error {
	write := func(o client.Object) error { return b.Client.Patch(ctx, o, p, opts...) }
	if b.later(obj, write) {
		return nil
	}
	return onCopy(obj, write)
}

// Status implements client.StatusClient.
func (b borrowing) Status() client.SubResourceWriter { return b.SubResource("status") }

// SubResource implements client.SubResourceClientConstructor.
func (b borrowing) SubResource(name string) client.SubResourceClient {
	return borrowingSubresource{b.Client.SubResource(name)}
}

type borrowingSubresource struct{ client.SubResourceClient }

// Update implements client.SubResourceWriter.
func (b borrowingSubresource) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	return onCopy(obj, func(o client.Object) error { return b.SubResourceClient.Update(ctx, o, opts...) })
}

// Patch implements client.SubResourceWriter.
func (b borrowingSubresource) Patch(ctx context.Context, obj client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	return onCopy(obj, func(o client.Object) error { return b.SubResourceClient.Patch(ctx, o, p, opts...) })
}
