// Package attached judges implementations in Go that run by themselves: with goroutines, informers, work queues and timers
// of their own, over client-go's or controller-runtime's clients, as they do before a real API server.
//
//	target, err := fake.New(fake.Options{Subject: attached.Subject(t, attached.Options{Name: "mine", Run: run})})
//	conformance.Run(t, conformance.Options{Target: target, …})
//
// # Time
//
// The subject runs in a bubble of testing/synctest, where the clock is not the machine's. time.Now, timers, tickers,
// deadlines of contexts and whatever is built on them are on the cluster's virtual time, unasked: a subject that waits for
// an hour is there at once. The clock moves only when all goroutines of the subject wait, for the cluster or for time to
// pass; so it is never too slow, however busy the machine is.
//
//	bubble.go    the subject's side: its goroutines, and the gate that lets time pass for them
//	drive.go     the cluster's side: requests come in, the clock is moved
//	informer.go  informers that watch nothing, and those that are waited for in vain
//	told.go      what one fixture tells for all
//	mutation.go  who changes the objects of an informer's cache
//
// # What is reported
//
// As a failure of the fixture: a subject that returns before it is told to, or panics; an
// informer that cannot watch, or that never syncs and is waited for; one that asks without end and
// never waits; one that is stuck, as in a mutex or in a channel from outside of its world, with the goroutines that keep
// the clock from moving; one that changes what is in the cache of an informer from [Deps]; one that has left goroutines
// behind when its context has ended, with where they are. A goroutine that panics ends the test binary, as goroutines do,
// What strikes each cluster alike is told in full by the first fixture. The others fail with one line, which names it.
//
// # Limits
//
// # Limits
//
// It needs a *testing.T, and nothing in the subject may wait for what is not in its world: a network, a signal, a channel
// or a timer made before Run was called. The order in which its goroutines run is Go's to choose, so a seed promises
// nothing. Faults are not injected.
package attached

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/clientset"
)

// Deps is what a subject finds in its world. All clients are of one store. The time is time.Now.
type Deps struct {
	// Client is controller-runtime's, without a cache.
	Client client.WithWatch
	// Clientset is client-go's, a *clientset.Clientset over a *fake.Clientset.
	Clientset kubernetes.Interface
	// Dynamic is client-go's for objects without Go types, those of the API among them.
	Dynamic dynamic.Interface
	// Informers are of the built-in kinds. What they cache is watched for changes.
	Informers informers.SharedInformerFactory
	// Informer makes an informer for objects of one type, which may be *unstructured.Unstructured with its kind set. What
	// it caches is watched for changes.
	Informer func(of client.Object) (cache.SharedIndexInformer, error)
	// Config is the configuration as of now.
	Config func() config.Config
	// Images are the container images of the reference, which a subject may use as its own; ImageConfig answers for
	// registries.
	Images      reconciler.Images
	ImageConfig reconciler.ImageLookup
	// Go starts a goroutine whose panic is reported, instead of ending the test binary.
	Go func(fn func())
}

// Options are what a subject is. Name and Run are required.
type Options struct {
	Name string
	// Run runs the subject until its context ends, and returns then, with all that it has started ended. It is called once
	// for each cluster, in a world of its own. An error that it returns is reported.
	Run func(ctx context.Context, d Deps) error
	// Admission are the subject's webhooks; Scheme has its own Go types for the API's kinds. See subject.Subject.
	Admission func(config func() config.Config) []apiserver.Admission
	Scheme    *runtime.Scheme
	// Stuck is after which real time without a request a subject that computes is taken for one that never ends; 0 means
	// DefaultStuck.
	Stuck time.Duration
	// Requests is how many requests a subject may make at one instant; 0 means DefaultRequests.
	Requests int
	// Leave is how much of its own time a subject may take to end; 0 means DefaultLeave.
	Leave time.Duration
}

// What is allowed, unless the Options say otherwise.
const (
	DefaultStuck    = 30 * time.Second
	DefaultRequests = 50_000
	DefaultLeave    = time.Minute
)

// errNoTest says what a bubble needs.
var errNoTest = errors.New("an attached subject needs a *testing.T: time is synctest's")

// Subject makes an attached subject of something that runs by itself. t is the test that judges it, or a parent of it.
func Subject(t *testing.T, o Options) *subject.Subject {
	if o.Stuck == 0 {
		o.Stuck = DefaultStuck
	}
	if o.Requests == 0 {
		o.Requests = DefaultRequests
	}
	if o.Leave == 0 {
		o.Leave = DefaultLeave
	}
	hear()
	told := &told{}
	return &subject.Subject{Name: o.Name, Admission: o.Admission, Scheme: o.Scheme, Attach: func(c subject.World) (subject.Attached, error) {
		if t == nil {
			return nil, errNoTest
		}
		return start(t, o, c, told)
	}}
}

// actor names the subject's requests in the trace.
const actor = "controller"

// deps makes what the subject finds in its world. It is called inside of it.
func (d *driver) deps() Deps {
	sim := d.cluster.Simulation()
	o := clientset.Options{Server: sim.Server(), Actor: actor, Door: d.bubble, Logs: sim.Logs}
	kinds := map[schema.GroupVersionResource]string{}
	for _, k := range reference.Kinds() {
		kinds[k.GVK.GroupVersion().WithResource(k.Plural)] = k.GVK.Kind
	}
	cs := clientset.New(o)
	out := Deps{
		Client:    subject.WatchingClient(clientset.NewClient(o), d.o.Scheme),
		Clientset: cs,
		Dynamic:   clientset.NewDynamic(o, kinds),
		Informers: informers.NewSharedInformerFactoryWithOptions(cs, 0, informers.WithTransform(d.mutations.lend)),
		Config: func() (out config.Config) {
			d.bubble.Enter(func() { out = d.cluster.Config() })
			return out
		},
		Images:      reference.Images(),
		ImageConfig: reference.Registry(sim.Images()),
		Go:          d.bubble.start,
	}
	out.Informer = func(of client.Object) (cache.SharedIndexInformer, error) { return d.informer(out.Client, of) }
	return out
}

// informer makes an informer over controller-runtime's client.
func (d *driver) informer(c client.WithWatch, of client.Object) (cache.SharedIndexInformer, error) {
	gvk, err := c.GroupVersionKindFor(of)
	if err != nil {
		return nil, err
	}
	list := func() (client.ObjectList, error) { return listOf(c.Scheme(), of, gvk) }
	if _, err := list(); err != nil {
		return nil, err
	}
	i := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			l, err := list()
			if err != nil {
				return nil, err
			}
			return l, c.List(ctx, l, &client.ListOptions{Raw: &o})
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			l, err := list()
			if err != nil {
				return nil, err
			}
			return c.Watch(ctx, l, &client.ListOptions{Raw: &o})
		},
	}, of, 0, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc})
	return i, i.SetTransform(d.mutations.lend)
}

// listOf returns an empty list for objects of a type.
func listOf(scheme *runtime.Scheme, of client.Object, gvk schema.GroupVersionKind) (client.ObjectList, error) {
	gvk.Kind += "List"
	if _, loose := of.(*unstructured.Unstructured); loose {
		l := &unstructured.UnstructuredList{}
		l.SetGroupVersionKind(gvk)
		return l, nil
	}
	made, err := scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	l, ok := made.(client.ObjectList)
	if !ok {
		return nil, fmt.Errorf("a %T is not a list of an API", made)
	}
	return l, nil
}
