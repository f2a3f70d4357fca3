// Package statefulset runs the Pods of StatefulSets: one for each ordinal, by
// names that never change.
//
// Each pass reads a StatefulSet and its Pods from the API, never from what has been
// watched, takes the next step, and writes the status if it has changed. A Pod's
// name follows from its ordinal, so the API server itself refuses a second one,
// whatever a late watch event, a lost answer or a restart made a pass believe. A
// Pod that goes is gone from the API before its successor can be created.
//
// OrderedReady goes one Pod at a time, up in the order of ordinals and down in the
// opposite one, and waits for each to be available or gone. Parallel waits for
// none. A Pod that has ended is deleted and made again. A changed template
// replaces Pods one after the other from the highest ordinal down to the partition.
//
// Known limits: there are no ControllerRevision objects, so a Pod below the
// partition that is made again follows the new template; Pods without an owner are
// not adopted; claims are always retained; maxUnavailable is one.
package statefulset

import (
	"context"
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// Actor is the controller's name to the API server and in the trace.
const Actor = "statefulset-controller"

// The range of how long a pass takes to begin, and the waits after one that failed.
const (
	lagLow, lagHigh       = 5 * time.Millisecond, 50 * time.Millisecond
	firstRetry, mostRetry = 100 * time.Millisecond, time.Minute
)

// GVK is the kind that the controller is for.
var GVK = appsv1.SchemeGroupVersion.WithKind("StatefulSet")

var podGVK = corev1.SchemeGroupVersion.WithKind("Pod")

// Options configure a Controller. All fields are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
	Source informer.Source
}

// Controller looks after StatefulSets.
type Controller struct {
	o       Options
	stream  *kernel.Stream
	events  *recorder.Recorder
	passes  map[client.ObjectKey]*kernel.Event
	failed  map[client.ObjectKey]time.Duration // how long the last wait was
	stop    []func()
	stopped bool
}

// New returns a Controller. Start makes it work.
func New(o Options) *Controller {
	return &Controller{
		o: o, stream: o.Kernel.Stream(Actor),
		events: recorder.New(recorder.Options{Clock: o.Kernel, Client: o.Client, Component: Actor}),
		passes: map[client.ObjectKey]*kernel.Event{},
		failed: map[client.ObjectKey]time.Duration{},
	}
}

// Start begins to watch StatefulSets and Pods.
func (c *Controller) Start() error {
	c.stopped = false
	for _, w := range []struct {
		gvk     schema.GroupVersionKind
		handler func(informer.Event)
	}{{GVK, c.observeSet}, {podGVK, c.observePod}} {
		stop, err := c.o.Source.Watch(w.gvk, w.handler)
		if err != nil {
			return fmt.Errorf("watching %s: %w", w.gvk.Kind, err)
		}
		c.stop = append(c.stop, stop)
	}
	return nil
}

// Stop ends all watches, and what was to be done is forgotten.
func (c *Controller) Stop() {
	c.stopped = true
	for _, stop := range c.stop {
		stop()
	}
	//plumbline:unordered all of them are cancelled
	for _, e := range c.passes {
		e.Cancel()
	}
	clear(c.passes)
	clear(c.failed)
	c.stop = nil
}

func (c *Controller) observeSet(e informer.Event) {
	if e.Type != watch.Deleted {
		c.soon(client.ObjectKeyFromObject(e.Object))
	}
}

func (c *Controller) observePod(e informer.Event) {
	if ref := metav1.GetControllerOfNoCopy(e.Object); ref != nil && ref.Kind == GVK.Kind && ref.APIVersion == appsv1.SchemeGroupVersion.String() {
		c.soon(client.ObjectKey{Namespace: e.Object.GetNamespace(), Name: ref.Name})
	}
}

func (c *Controller) soon(key client.ObjectKey) {
	c.after(key, c.stream.Between(lagLow, lagHigh))
}

// after has a StatefulSet looked at, unless that happens earlier anyway.
func (c *Controller) after(key client.ObjectKey, wait time.Duration) {
	if c.stopped {
		return
	}
	if e := c.passes[key]; e.Scheduled() {
		if !c.o.Kernel.Now().Add(wait).Before(e.When()) {
			return
		}
		e.Cancel()
	}
	c.passes[key] = c.o.Kernel.After(wait, Actor, "sync", func() {
		delete(c.passes, key)
		c.pass(key)
	})
}

// pass looks at one StatefulSet, and again after a while if something failed.
func (c *Controller) pass(key client.ObjectKey) {
	wait, err := c.sync(key)
	switch {
	case err != nil:
		c.failed[key] = min(max(2*c.failed[key], firstRetry), mostRetry)
		c.after(key, c.failed[key])
		return
	case wait > 0:
		c.after(key, wait)
	}
	delete(c.failed, key)
}

// sync takes the next step and reports the state. A wait is how long it takes
// until something changes without an event.
func (c *Controller) sync(key client.ObjectKey) (wait time.Duration, err error) {
	ctx := context.Background()
	set := &appsv1.StatefulSet{}
	if err := c.o.Client.Get(ctx, key, set); err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	pods, err := c.pods(ctx, set)
	if err != nil {
		return 0, err
	}
	w := newWork(set, pods, c.o.Kernel.Now())
	var failed error
	if set.DeletionTimestamp == nil {
		failed = c.act(ctx, w.next())
	}
	status := w.status()
	if !equality.Semantic.DeepEqual(&status, &set.Status) {
		set.Status = status
		if err := c.o.Client.Status().Update(ctx, set); err != nil && failed == nil {
			failed = client.IgnoreNotFound(err)
		}
	}
	return w.wait, failed
}

// pods returns what the StatefulSet controls, by ordinal.
func (c *Controller) pods(ctx context.Context, set *appsv1.StatefulSet) ([]*corev1.Pod, error) {
	selector, err := metav1.LabelSelectorAsSelector(set.Spec.Selector)
	if err != nil {
		return nil, fmt.Errorf("the selector of %s: %w", set.Name, err)
	}
	list := &corev1.PodList{}
	if err := c.o.Client.List(ctx, list, client.InNamespace(set.Namespace), client.MatchingLabelsSelector{Selector: selector}); err != nil {
		return nil, fmt.Errorf("listing Pods: %w", err)
	}
	var out []*corev1.Pod
	for i := range list.Items {
		pod := &list.Items[i]
		if _, ok := ordinal(set.Name, pod.Name); ok && metav1.IsControlledBy(pod, set) {
			out = append(out, pod)
		}
	}
	slices.SortFunc(out, func(a, b *corev1.Pod) int {
		x, _ := ordinal(set.Name, a.Name)
		y, _ := ordinal(set.Name, b.Name)
		return x - y
	})
	return out, nil
}

// act does what a pass has decided on. It stops at the first failure.
func (c *Controller) act(ctx context.Context, steps []step) error {
	for _, s := range steps {
		var err error
		if s.create {
			err = c.create(ctx, s)
		} else {
			err = c.delete(ctx, s)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// create makes a Pod, after the claims that it needs. What exists already is kept:
// the pass that follows the next event judges it.
func (c *Controller) create(ctx context.Context, s step) error {
	for _, claim := range claims(s.set, s.ordinal) {
		err := c.o.Client.Create(ctx, claim)
		switch {
		case apierrors.IsAlreadyExists(err):
		case err != nil:
			c.events.Event(s.set, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("create Claim %s for Pod %s in StatefulSet %s failed error: %v", claim.Name, s.pod.Name, s.set.Name, err))
			return fmt.Errorf("creating claim %s: %w", claim.Name, err)
		default:
			c.events.Event(s.set, corev1.EventTypeNormal, "SuccessfulCreate", fmt.Sprintf("create Claim %s Pod %s in StatefulSet %s success", claim.Name, s.pod.Name, s.set.Name))
		}
	}
	if err := c.o.Client.Create(ctx, s.pod); err != nil {
		// Also a Pod that exists is a failure: it is another's, or one that an earlier request made after all.
		if !apierrors.IsAlreadyExists(err) {
			c.events.Event(s.set, corev1.EventTypeWarning, "FailedCreate", fmt.Sprintf("create Pod %s in StatefulSet %s failed error: %v", s.pod.Name, s.set.Name, err))
		}
		return fmt.Errorf("creating Pod %s: %w", s.pod.Name, err)
	}
	c.events.Event(s.set, corev1.EventTypeNormal, "SuccessfulCreate", fmt.Sprintf("create Pod %s in StatefulSet %s successful", s.pod.Name, s.set.Name))
	return nil
}

// delete deletes the Pod that has been seen, and no other of its name.
func (c *Controller) delete(ctx context.Context, s step) error {
	if s.reason != "" {
		c.events.Event(s.set, corev1.EventTypeWarning, s.reason, fmt.Sprintf(s.message, s.set.Namespace, s.set.Name, s.pod.Name))
	}
	err := c.o.Client.Delete(ctx, s.pod, client.Preconditions{UID: &s.pod.UID})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		c.events.Event(s.set, corev1.EventTypeWarning, "FailedDelete", fmt.Sprintf("delete Pod %s in StatefulSet %s failed error: %v", s.pod.Name, s.set.Name, err))
		return fmt.Errorf("deleting Pod %s: %w", s.pod.Name, err)
	}
	c.events.Event(s.set, corev1.EventTypeNormal, "SuccessfulDelete", fmt.Sprintf("delete Pod %s in StatefulSet %s successful", s.pod.Name, s.set.Name))
	return nil
}
