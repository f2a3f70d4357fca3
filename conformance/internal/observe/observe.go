// Package observe keeps what a cluster shows of a fixture's objects.
//
//	observe.go    watching all kinds that a fixture is about
//	world.go      every version of every object, and how references find them
//	sightings.go  the order of versions of several kinds
//	logs.go       logs of Pods that are being deleted
//	history.go    an object's state in a few words, and how it changed
//	timeline.go   what happened, as a chart
package observe

import (
	"context"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// Handler takes the versions that a watch shows.
type Handler = func(watch.EventType, *unstructured.Unstructured)

// Cluster is what can be watched: conformance.Cluster says what Observe does.
type Cluster interface {
	Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (stop func(), err error)
}

// LazyHandler takes versions whose trees are made when they are read.
type LazyHandler = func(event watch.EventType, object metav1.Object, tree func() *unstructured.Unstructured)

// LazyCluster can show versions without making trees of them: conformance.LazyCluster says how.
type LazyCluster interface {
	ObserveLazily(gvk schema.GroupVersionKind, namespace string, handler func(event watch.EventType, object metav1.Object, tree func() *unstructured.Unstructured)) (stop func(), err error)
}

// Gap is a time in which a watch lost versions of a kind.
type Gap struct {
	Kind string
	At   time.Time
	Says string
}

// Gaps returns the times in which watches lost versions.
func (w *World) Gaps() []Gap {
	w.Lock()
	defer w.Unlock()
	return slices.Clone(w.gaps)
}

// gapped records where versions were lost, and passes only versions on.
func (w *World) gapped(kind fixture.KindInfo, handler Handler) Handler {
	return func(event watch.EventType, o *unstructured.Unstructured) {
		if event != watch.Error {
			handler(event, o)
			return
		}
		says, _, _ := unstructured.NestedString(o.Object, "message")
		w.Lock()
		defer w.Unlock()
		w.gaps = append(w.gaps, Gap{Kind: kind.Name, At: w.now(), Says: says})
	}
}

// Watch begins to watch every kind that the fixture is about, and those that explain a failure. Versions of kinds that are
// judged go to judge as well; logs, if given, reads those of Pods that are being deleted.
func (w *World) Watch(ctx context.Context, c Cluster, judge Handler, logs *Logs) (stop func(), err error) {
	lazy, _ := c.(LazyCluster)
	var stops []func()
	stop = func() {
		for _, f := range slices.Backward(stops) {
			f()
		}
	}
	kinds, explaining := w.Watched()
	for i, kind := range slices.Concat(kinds, explaining) {
		namespaces := w.Namespaces
		if kind.ClusterScoped {
			namespaces = []string{""}
		}
		gvk := schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind}
		read := i < len(kinds) // whatever happens
		handler := w.handler(kind)
		if judge != nil && kind.Judged() {
			handler, read = both(handler, judge), true
		}
		if logs != nil && kind.Name == "pod" {
			handler, read = logs.rescuing(ctx, handler), true
		}
		for _, namespace := range namespaces {
			var end func()
			var err error
			if lazy != nil && !read {
				end, err = lazy.ObserveLazily(gvk, namespace, w.recorder(kind))
			} else {
				end, err = c.Observe(gvk, namespace, w.gapped(kind, handler))
			}
			if err != nil {
				if i >= len(kinds) {
					break // a failure is explained without it
				}
				return stop, fmt.Errorf("watching %s: %w", gvk, err)
			}
			stops = append(stops, end)
		}
	}
	return stop, nil
}

func both(a, b Handler) Handler {
	return func(event watch.EventType, o *unstructured.Unstructured) {
		a(event, o)
		b(event, o)
	}
}
