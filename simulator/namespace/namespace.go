// Package namespace makes a namespace fit for Pods and clears it away: the
// controllers that give every namespace the ServiceAccount "default" and the
// ConfigMap "kube-root-ca.crt", and the one that empties a namespace that is being
// deleted and then lets it go.
//
// A namespace that has to wait says in its conditions what for.
//
// Content is deleted kind by kind in a fixed order; objects that take their time
// (Pods with a grace period, objects with finalizers) are waited for.
package namespace

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

const actor = "namespace-controller"

// subresource is where a namespace's finalizers are edited.
const subresource = "finalize"

// What every namespace has.
const (
	DefaultServiceAccount = "default"
	RootCertificates      = "kube-root-ca.crt"
	certificateKey        = "ca.crt"
	// Certificate is what stands in for the cluster's certificate authority.
	Certificate = "-----BEGIN CERTIFICATE-----\nc2ltdWxhdGVk\n-----END CERTIFICATE-----\n"
)

const (
	lagLow, lagHigh = time.Millisecond, 20 * time.Millisecond
	retry           = time.Second
)

// Options configure a Controller. Kernel, Client and Source are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
	Source informer.Source
	// Kinds are the namespaced kinds that a namespace is emptied of.
	Kinds []schema.GroupVersionKind
	// Authority is the certificate of the cluster's authority, as PEM; empty means Certificate.
	Authority string
	// KeepBare leaves namespaces without what every one has, and KeepFull leaves those that are deleted as they are:
	// another controller does it.
	KeepBare, KeepFull bool
	// Remote empties namespaces of a real API server; nil means that Client does, at once.
	Remote Remote
}

// Remote is for an API server that takes its time: other work of the kernel should not wait for it.
type Remote interface {
	// Do has work done by another goroutine, and then what follows, where the kernel's work is done.
	Do(work, then func())
	// DeleteAll deletes the objects of a kind in a namespace by one request, and returns those that were there: they may
	// still be, until their finalizers and grace periods are over.
	DeleteAll(ctx context.Context, gvk schema.GroupVersionKind, namespace string) ([]metav1.PartialObjectMetadata, error)
}

// Controller looks after namespaces.
type Controller struct {
	o      Options
	stream *kernel.Stream
	active map[string]bool
	ending map[string]bool
	stop   []func()
}

// New returns a Controller. Start makes it work.
func New(o Options) *Controller {
	if o.Authority == "" {
		o.Authority = Certificate
	}
	return &Controller{o: o, stream: o.Kernel.Stream(actor), active: map[string]bool{}, ending: map[string]bool{}}
}

// Watch takes in a further namespaced kind.
func (c *Controller) Watch(gvk schema.GroupVersionKind) {
	if !slices.Contains(c.o.Kinds, gvk) {
		c.o.Kinds = append(c.o.Kinds, gvk)
	}
}

// Start begins to watch namespaces and what they all have.
func (c *Controller) Start() error {
	for _, w := range []struct {
		kind    string
		handler func(informer.Event)
	}{{"Namespace", c.observe}, {"ServiceAccount", c.replace(DefaultServiceAccount)}, {"ConfigMap", c.replace(RootCertificates)}} {
		stop, err := c.o.Source.Watch(corev1.SchemeGroupVersion.WithKind(w.kind), w.handler)
		if err != nil {
			return fmt.Errorf("watching %s: %w", w.kind, err)
		}
		c.stop = append(c.stop, stop)
	}
	return nil
}

// Stop ends all watches.
func (c *Controller) Stop() {
	for _, stop := range c.stop {
		stop()
	}
	c.stop = nil
}

func (c *Controller) observe(e informer.Event) {
	ns, ok := e.Object.(*corev1.Namespace)
	if !ok {
		return
	}
	name := ns.Name
	switch {
	case e.Type == watch.Deleted:
		delete(c.active, name)
		delete(c.ending, name)
	case ns.DeletionTimestamp != nil:
		delete(c.active, name)
		if !c.ending[name] && !c.o.KeepFull {
			c.ending[name] = true
			c.after(c.stream.Between(lagLow, lagHigh), "empty", func() { c.empty(name) })
		}
	case !c.active[name]:
		c.active[name] = true
		c.after(c.stream.Between(lagLow, lagHigh), "furnish", func() { c.furnish(name) })
	}
}

// replace makes an object again that was deleted.
func (c *Controller) replace(name string) func(informer.Event) {
	return func(e informer.Event) {
		if e.Type == watch.Deleted && e.Object.GetName() == name {
			ns := e.Object.GetNamespace()
			c.after(c.stream.Between(lagLow, lagHigh), "furnish", func() { c.furnish(ns) })
		}
	}
}

func (c *Controller) after(d time.Duration, what string, do func()) {
	c.o.Kernel.After(d, actor, what, do)
}

// furnish creates what every namespace has.
func (c *Controller) furnish(name string) {
	if !c.active[name] || c.o.KeepBare {
		return
	}
	meta := func(name, ns string) metav1.ObjectMeta { return metav1.ObjectMeta{Name: name, Namespace: ns} }
	for _, obj := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: meta(DefaultServiceAccount, name)},
		&corev1.ConfigMap{ObjectMeta: meta(RootCertificates, name), Data: map[string]string{certificateKey: c.o.Authority}},
	} {
		err := c.o.Client.Create(context.Background(), obj)
		if err != nil && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) && !apierrors.IsForbidden(err) {
			c.after(retry, "furnish", func() { c.furnish(name) })
			return
		}
	}
}

// empty deletes what is in a namespace, until nothing is left, and then takes the
// namespace's finalizer.
func (c *Controller) empty(name string) {
	c.round(&emptying{name: name, kinds: slices.Clone(c.o.Kinds)})
}

// emptying is a namespace that is being emptied.
type emptying struct {
	name string
	// kinds are those of which something may be left.
	kinds []schema.GroupVersionKind
	again bool
}

// round deletes what is left, and comes back if that was something.
func (c *Controller) round(e *emptying) {
	done, now := false, c.o.Kernel.Now()
	work := func() { done = c.delete(e, now) && c.release(e.name) }
	then := func() {
		if !done && c.ending[e.name] {
			c.after(retry, "empty", func() { c.round(e) })
		}
	}
	if c.o.Remote == nil {
		e.kinds = slices.Clone(c.o.Kinds)
		work()
		then()
		return
	}
	c.o.Remote.Do(work, then)
}

// delete deletes what is in a namespace, and reports whether nothing was.
func (c *Controller) delete(e *emptying, now time.Time) bool {
	left, remaining := []schema.GroupVersionKind{}, newRemains()
	for _, gvk := range e.kinds {
		some, err := c.deleteAll(gvk, e.name, remaining)
		switch {
		case apierrors.IsNotFound(err): // the kind no longer exists
		case err != nil, len(some) > 0:
			left = append(left, gvk)
		}
		// What a collection's deletion has met may be gone by now; what it meets a second time is left.
		if len(some) > 0 && (c.o.Remote == nil || e.again) {
			c.count(e.name, gvk, remaining)
		}
	}
	// Nothing more can be created: a kind that was empty stays so.
	e.kinds, e.again = left, true
	if len(remaining.resources) > 0 || len(remaining.failures) > 0 {
		c.report(e.name, remaining, now)
	}
	return len(left) == 0
}

// deleteAll deletes the objects of a kind, and returns those that were there.
func (c *Controller) deleteAll(gvk schema.GroupVersionKind, name string, remaining *remains) ([]metav1.PartialObjectMetadata, error) {
	ctx := context.Background()
	if c.o.Remote != nil {
		some, err := c.o.Remote.DeleteAll(ctx, gvk, name)
		if !apierrors.IsMethodNotSupported(err) {
			if client.IgnoreNotFound(err) != nil {
				remaining.failures = append(remaining.failures, err.Error())
			}
			return some, err
		}
	}
	list := &metav1.PartialObjectMetadataList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.o.Client.List(ctx, list, client.InNamespace(name)); err != nil {
		return nil, err
	}
	for i := range list.Items {
		item := &list.Items[i]
		item.SetGroupVersionKind(gvk)
		if item.DeletionTimestamp == nil {
			policy := metav1.DeletePropagationBackground
			// One that cannot be deleted now is met again in the next round.
			err := c.o.Client.Delete(ctx, item, &client.DeleteOptions{PropagationPolicy: &policy})
			if client.IgnoreNotFound(err) != nil {
				remaining.failures = append(remaining.failures, err.Error())
			}
		}
	}
	return list.Items, nil
}

// release takes the finalizer off an empty namespace.
func (c *Controller) release(name string) bool {
	ctx := context.Background()
	ns := &corev1.Namespace{}
	if err := c.o.Client.Get(ctx, client.ObjectKey{Name: name}, ns); err != nil {
		return apierrors.IsNotFound(err)
	}
	ns.Spec.Finalizers = slices.DeleteFunc(ns.Spec.Finalizers, func(f corev1.FinalizerName) bool { return f == corev1.FinalizerKubernetes })
	err := c.o.Client.SubResource(subresource).Update(ctx, ns)
	return err == nil || apierrors.IsNotFound(err)
}
