// Package double is a cluster for testing the engine: objects in memory, a clock
// turned by hand, and an implementation that is a script.
//
// It is not a simulator. Nothing is defaulted, validated, scheduled or run; what happens
// after an object is created is what the test's script says, so that a test can have
// an implementation that is right, wrong, slow, or broken. Objects live in
// controller-runtime's fake client.
package double

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
)

// Epoch is when every double's clock begins.
var Epoch = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Script is an implementation: it is called once for each cluster and says by
// Created and After what happens.
type Script func(c *Cluster)

// Target makes doubles. The zero Target has no capabilities and does nothing.
type Target struct {
	Caps   conformance.Capabilities
	Script Script
	// StartErr, if set, is what Start answers.
	StartErr error
	// Started collects the setups.
	Started []conformance.Setup
}

var (
	_ conformance.Target  = (*Target)(nil)
	_ conformance.Cluster = (*Cluster)(nil)
	_ conformance.Traced  = (*Cluster)(nil)
)

// Name implements conformance.Target.
func (t *Target) Name() string { return "double" }

// Capabilities implements conformance.Target.
func (t *Target) Capabilities() conformance.Capabilities { return t.Caps }

// Start implements conformance.Target.
func (t *Target) Start(_ context.Context, s conformance.Setup) (conformance.Cluster, error) {
	if t.StartErr != nil {
		return nil, t.StartErr
	}
	t.Started = append(t.Started, s)
	c := &Cluster{Setup: s, now: Epoch, logs: map[string]string{}}
	scheme := runtime.NewScheme()
	// The plain tracker: the usual one keeps managed fields, and needs a schema of every kind for it.
	tracker := clienttesting.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	c.client = fake.NewClientBuilder().WithScheme(scheme).WithObjectTracker(tracker).WithInterceptorFuncs(c.interceptors()).Build()
	if t.Script != nil {
		t.Script(c)
	}
	return c, nil
}

type event struct {
	at  time.Time
	seq int
	do  func()
}

type observer struct {
	gvk       schema.GroupVersionKind
	namespace string
	handler   func(watch.EventType, *unstructured.Unstructured)
}

// Cluster is one double.
type Cluster struct {
	Setup conformance.Setup
	// Refuse, if set, is admission: its error is the answer to a create or a patch (with the object as it would be).
	Refuse func(o *unstructured.Unstructured) error
	// ExecFunc answers Exec.
	ExecFunc func(pod, container string, argv []string) (stdout, stderr string, exit int, err error)
	// Broken, if set, is a violation that the cluster sees.
	Broken *invariant.Violation
	// Forget loses a Pod's logs with the Pod, as a node does.
	Forget bool

	client    client.WithWatch
	now       time.Time
	seq, uids int
	events    []event
	observers []*observer
	created   []func(o *unstructured.Unstructured)
	changed   []func(o *unstructured.Unstructured)
	logs      map[string]string
	trace     string
}

// Created registers what the implementation does when an object of a kind is created.
func (c *Cluster) Created(kind string, do func(o *unstructured.Unstructured)) {
	c.created = append(c.created, func(o *unstructured.Unstructured) {
		if o.GetKind() == kind {
			do(o)
		}
	})
}

// Changed registers what the implementation does when an object of a kind is patched.
func (c *Cluster) Changed(kind string, do func(o *unstructured.Unstructured)) {
	c.changed = append(c.changed, func(o *unstructured.Unstructured) {
		if o.GetKind() == kind {
			do(o)
		}
	})
}

// After schedules do for d from now.
func (c *Cluster) After(d time.Duration, do func()) {
	c.seq++
	c.events = append(c.events, event{at: c.now.Add(d), seq: c.seq, do: do})
	slices.SortFunc(c.events, func(a, b event) int {
		if n := a.at.Compare(b.at); n != 0 {
			return n
		}
		return a.seq - b.seq
	})
}

// Create creates an object on behalf of the implementation.
func (c *Cluster) Create(o *unstructured.Unstructured) {
	if err := c.client.Create(context.Background(), o); err != nil {
		panic(fmt.Sprintf("the script cannot create %s: %v", o.GetName(), err))
	}
}

// Set changes fields of an object that exists: pairs of a path and a value.
func (c *Cluster) Set(o *unstructured.Unstructured, change func(object map[string]any)) {
	current := &unstructured.Unstructured{}
	current.SetGroupVersionKind(o.GroupVersionKind())
	if err := c.client.Get(context.Background(), client.ObjectKeyFromObject(o), current); err != nil {
		panic(fmt.Sprintf("the script cannot read %s: %v", o.GetName(), err))
	}
	change(current.Object)
	update := func(ctx context.Context, o client.Object) error { return c.client.Update(ctx, o) }
	if current.GetKind() == "Pod" { // of which an update leaves the status alone
		update = func(ctx context.Context, o client.Object) error { return c.client.Status().Update(ctx, o) }
	}
	if err := update(context.Background(), current); err != nil {
		panic(fmt.Sprintf("the script cannot change %s: %v", o.GetName(), err))
	}
}

// Remove deletes an object on behalf of the implementation.
func (c *Cluster) Remove(o *unstructured.Unstructured) {
	if err := c.client.Delete(context.Background(), o); err != nil {
		panic(fmt.Sprintf("the script cannot delete %s: %v", o.GetName(), err))
	}
}

// Lose has observers of a kind told that versions were lost.
func (c *Cluster) Lose(kind, why string) {
	for _, w := range slices.Clone(c.observers) {
		if w.gvk.Kind == kind {
			w.handler(watch.Error, &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Status", "message": why}})
		}
	}
}

// Print adds to a container's log.
func (c *Cluster) Print(pod, container, text string) { c.logs[pod+"/"+container] += text }

// interceptors number objects and tell observers of every write.
func (c *Cluster) interceptors() interceptor.Funcs {
	tell := func(t watch.EventType, o client.Object) {
		u, ok := o.(*unstructured.Unstructured)
		if !ok {
			return
		}
		c.trace += fmt.Sprintf("%s %s %s/%s\n", c.now.Format(time.RFC3339Nano), t, u.GetKind(), u.GetName())
		for _, w := range slices.Clone(c.observers) {
			if w.gvk == u.GroupVersionKind() && (w.namespace == "" || w.namespace == u.GetNamespace()) {
				w.handler(t, u.DeepCopy())
			}
		}
		hooks := map[watch.EventType][]func(*unstructured.Unstructured){watch.Added: c.created, watch.Modified: c.changed}[t]
		for _, hook := range hooks {
			hook(u.DeepCopy())
		}
	}
	current := func(ctx context.Context, w client.WithWatch, o client.Object) *unstructured.Unstructured {
		u := &unstructured.Unstructured{}
		u.SetGroupVersionKind(o.GetObjectKind().GroupVersionKind())
		if err := w.Get(ctx, client.ObjectKeyFromObject(o), u); err != nil {
			return nil
		}
		return u
	}
	return interceptor.Funcs{
		Create: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.CreateOption) error {
			if u, ok := o.(*unstructured.Unstructured); ok && c.Refuse != nil {
				if err := c.Refuse(u); err != nil {
					return err
				}
			}
			c.uids++
			o.SetUID(types.UID(fmt.Sprintf("uid-%d", c.uids)))
			if err := w.Create(ctx, o, opts...); err != nil {
				return err
			}
			tell(watch.Added, o)
			return nil
		},
		Update: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			if err := w.Update(ctx, o, opts...); err != nil {
				return err
			}
			tell(watch.Modified, o)
			return nil
		},
		SubResourceUpdate: func(ctx context.Context, w client.Client, subresource string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			if err := w.SubResource(subresource).Update(ctx, o, opts...); err != nil {
				return err
			}
			tell(watch.Modified, o)
			return nil
		},
		Patch: func(ctx context.Context, w client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := w.Patch(ctx, o, p, opts...); err != nil {
				return err
			}
			tell(watch.Modified, o)
			return nil
		},
		Delete: func(ctx context.Context, w client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
			last := current(ctx, w, o)
			if err := w.Delete(ctx, o, opts...); err != nil {
				return err
			}
			if c.Forget && last != nil {
				maps.DeleteFunc(c.logs, func(key, _ string) bool { return strings.HasPrefix(key, last.GetName()+"/") })
			}
			tell(watch.Deleted, last)
			return nil
		},
	}
}

// Client implements conformance.Cluster.
func (c *Cluster) Client() client.Client { return c.client }

// Observe implements conformance.Cluster.
func (c *Cluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	w := &observer{gvk: gvk, namespace: namespace, handler: handler}
	c.observers = append(c.observers, w)
	return func() { c.observers = slices.DeleteFunc(c.observers, func(o *observer) bool { return o == w }) }, nil
}

// Logs implements conformance.Cluster.
func (c *Cluster) Logs(_ context.Context, _, pod, container string) (string, error) {
	text, ok := c.logs[pod+"/"+container]
	if !ok {
		return "", fmt.Errorf("container %s of pod %s has no log", container, pod)
	}
	return text, nil
}

// ErrNoExec is the answer of Exec where the test has set none.
var ErrNoExec = errors.New("nothing can be executed in this double")

// Exec implements conformance.Cluster.
func (c *Cluster) Exec(_ context.Context, _, pod, container string, argv []string) (string, string, int, error) {
	if c.ExecFunc == nil {
		return "", "", 0, ErrNoExec
	}
	return c.ExecFunc(pod, container, argv)
}

// Now implements conformance.Cluster.
func (c *Cluster) Now() time.Time { return c.now }

// WaitUntil implements conformance.Cluster.
func (c *Cluster) WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if cond() {
			return nil
		}
		if len(c.events) == 0 || c.events[0].at.After(deadline) {
			c.now = deadline
			if cond() {
				return nil
			}
			return conformance.ErrDeadline
		}
		next := c.events[0]
		c.events = c.events[1:]
		if next.at.After(c.now) {
			c.now = next.at
		}
		next.do()
	}
}

// CreateNamespace implements conformance.Cluster.
func (c *Cluster) CreateNamespace(context.Context, string) error { return nil }

// Close implements conformance.Cluster.
func (c *Cluster) Close() error { return nil }

// TraceHash implements conformance.Traced; it is the trace itself, cut short.
func (c *Cluster) TraceHash() string {
	return fmt.Sprintf("%d:%s", len(c.trace), c.trace[:min(40, len(c.trace))])
}

// TraceTail implements conformance.Traced.
func (c *Cluster) TraceTail() []string { return nil }

// Guard implements conformance.Guarded.
func (c *Cluster) Guard(found func(invariant.Violation)) {
	if c.Broken != nil {
		found(*c.Broken)
	}
}
