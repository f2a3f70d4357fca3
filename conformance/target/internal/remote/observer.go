package remote

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	toolswatch "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Observe is that of conformance.Watcher: a list, and a watch from its version on. A connection that ends is taken up
// where it was; a gap breaks the world, since a version in it would never be seen.
func (w *World) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	newList := func() *unstructured.UnstructuredList {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		return list
	}
	first := newList()
	if err := w.Client.List(w.Running, first, client.InNamespace(namespace)); err != nil {
		return nil, fmt.Errorf("listing %s: %w", gvk.Kind, err)
	}
	for i := range first.Items {
		handler(watch.Added, &first.Items[i])
	}
	ctx, cancel := context.WithCancel(w.Running)
	watcher, err := toolswatch.NewRetryWatcherWithContext(ctx, first.GetResourceVersion(), &toolscache.ListWatch{
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return w.Client.Watch(ctx, newList(), client.InNamespace(namespace), &client.ListOptions{Raw: &o})
		},
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for e := range watcher.ResultChan() {
			if e.Type == watch.Error {
				w.End(fmt.Errorf("watching %s: %w", gvk.Kind, apierrors.FromObject(e.Object)))
				return
			}
			if o, ok := e.Object.(*unstructured.Unstructured); ok && ctx.Err() == nil {
				handler(e.Type, o)
				w.News.Tell()
			}
		}
	}()
	return func() {
		cancel()
		<-ended
	}, nil
}
