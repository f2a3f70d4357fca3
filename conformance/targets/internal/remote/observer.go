package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// handler is called with versions.
type handler = func(watch.EventType, *unstructured.Unstructured)

// observation is one watch, as often as it has to be begun.
type observation struct {
	world     *World
	gvk       schema.GroupVersionKind
	namespace string
	handler   handler
	// known are the last versions, by namespace/name; version is that of the last list.
	known   map[string]*unstructured.Unstructured
	version string
}

// Observe is that of conformance.Cluster: a list, and a watch from its version on. A connection that ends is taken up where
// it was. If the API server no longer knows what has happened since, there is a gap, which is reported before the present
// state of all objects.
func (w *World) Observe(gvk schema.GroupVersionKind, namespace string, handler handler) (func(), error) {
	o := &observation{world: w, gvk: gvk, namespace: namespace, handler: handler, known: map[string]*unstructured.Unstructured{}}
	first, err := o.list(w.Running)
	if err != nil {
		return nil, fmt.Errorf("listing %s: %w", gvk.Kind, err)
	}
	o.compare(first)
	// Ignore the watch's log, which would report its end as a fault: the user of the watch learns of faults in another way.
	ctx, cancel := context.WithCancel(klog.NewContext(w.Running, logr.Discard()))
	watcher, err := o.watch(ctx)
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := o.follow(ctx, watcher); err != nil && ctx.Err() == nil {
			w.End(fmt.Errorf("watching %s: %w", gvk.Kind, err))
		}
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}

func (o *observation) empty() *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(o.gvk.GroupVersion().WithKind(o.gvk.Kind + "List"))
	return list
}

func (o *observation) list(ctx context.Context) (*unstructured.UnstructuredList, error) {
	list := o.empty()
	return list, o.world.Client.List(ctx, list, client.InNamespace(o.namespace))
}

// watch begins where the list ended.
func (o *observation) watch(ctx context.Context) (watch.Interface, error) {
	return toolswatch.NewRetryWatcherWithContext(ctx, o.version, &toolscache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			w, err := o.world.Client.Watch(ctx, o.empty(), client.InNamespace(o.namespace), &client.ListOptions{Raw: &options})
			if status := apierrors.APIStatus(nil); expired(err) && errors.As(err, &status) {
				// As an answer it would be asked for again and again; as an event it is passed on.
				told := watch.NewFakeWithChanSize(1, false)
				told.Error(new(status.Status()))
				return told, nil
			}
			return w, err
		},
	})
}

// expired reports whether the API server no longer knows what has happened since a version.
func expired(err error) bool { return apierrors.IsResourceExpired(err) || apierrors.IsGone(err) }

// follow reports every event until ctx ends. It returns only errors that cannot be handled here.
func (o *observation) follow(ctx context.Context, watcher watch.Interface) error {
	for {
		gap, err := o.read(ctx, watcher)
		if gap == nil || err != nil {
			return err
		}
		if err := o.bridge(ctx, gap); err != nil {
			return err
		}
		if watcher, err = o.watch(ctx); err != nil {
			return err
		}
	}
}

// read reports events until there are no more, or until there is a gap.
func (o *observation) read(ctx context.Context, watcher watch.Interface) (gap, failed error) {
	for e := range watcher.ResultChan() {
		if e.Type == watch.Error {
			if err := apierrors.FromObject(e.Object); expired(err) {
				return err, nil
			} else {
				return nil, err
			}
		}
		if object, ok := e.Object.(*unstructured.Unstructured); ok && ctx.Err() == nil {
			o.tell(e.Type, object)
			o.world.News.Tell()
		}
	}
	return nil, nil
}

// tell reports a version, and remembers it.
func (o *observation) tell(event watch.EventType, object *unstructured.Unstructured) {
	key := object.GetNamespace() + "/" + object.GetName()
	if o.known[key] = object; event == watch.Deleted {
		delete(o.known, key)
	}
	o.handler(event, object)
}

// bridge reports a gap, and the objects after it.
func (o *observation) bridge(ctx context.Context, gap error) error {
	after, err := o.listAgain(ctx)
	if err != nil {
		return err
	}
	status, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&metav1.Status{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Reason: metav1.StatusReasonExpired,
		Message: fmt.Sprintf("versions of %s before resourceVersion %s were not seen: %v", o.gvk.Kind, after.GetResourceVersion(), gap),
	})
	if err != nil {
		return fmt.Errorf("telling of a gap: %w", err)
	}
	o.handler(watch.Error, &unstructured.Unstructured{Object: status})
	o.compare(after)
	o.world.News.Tell()
	return nil
}

// listAgain lists as soon as the API server answers.
func (o *observation) listAgain(ctx context.Context) (*unstructured.UnstructuredList, error) {
	tick := time.NewTicker(PollInterval)
	defer tick.Stop()
	for {
		list, err := o.list(ctx)
		if err == nil || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) {
			return list, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// compare reports how a list differs from the known objects, and takes it over.
func (o *observation) compare(list *unstructured.UnstructuredList) {
	there := map[string]*unstructured.Unstructured{}
	for i := range list.Items {
		there[list.Items[i].GetNamespace()+"/"+list.Items[i].GetName()] = &list.Items[i]
	}
	for _, key := range slices.Sorted(maps.Keys(o.known)) {
		if now := there[key]; now == nil || now.GetUID() != o.known[key].GetUID() {
			o.tell(watch.Deleted, o.known[key])
		}
	}
	for i := range list.Items {
		object := &list.Items[i]
		switch before := o.known[object.GetNamespace()+"/"+object.GetName()]; {
		case before == nil:
			o.tell(watch.Added, object)
		case before.GetResourceVersion() != object.GetResourceVersion():
			o.tell(watch.Modified, object)
		}
	}
	o.version = list.GetResourceVersion()
}
