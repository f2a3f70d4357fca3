package clientset

import (
	"context"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewClient returns a client of controller-runtime, without a cache, that any goroutine of a subject may use.
func NewClient(o Options) client.WithWatch {
	return &attached{Client: o.Server.AttachedClient(o.Actor, o.door().Enter), o: o}
}

// attached is the server's own client for others' goroutines, with watches that come through the door.
type attached struct {
	client.Client
	o Options
}

// Watch implements client.WithWatch.
func (a *attached) Watch(ctx context.Context, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
	gvk, err := a.GroupVersionKindFor(list)
	if err != nil {
		return nil, err
	}
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	var o client.ListOptions
	o.ApplyOptions(opts)
	from := source{actor: a.o.Actor, gvk: gvk, namespace: o.Namespace, options: *o.AsListOptions()}
	from.empty = func() (client.Object, error) { return itemOf(list, a.Scheme(), gvk) }
	if _, err := from.empty(); err != nil {
		return nil, err
	}
	s, err := open(a.o.Server, a.o.door(), from)
	if err != nil {
		return nil, err
	}
	if ctx != nil && ctx.Done() != nil {
		context.AfterFunc(ctx, s.Stop)
	}
	return s, nil
}

// itemOf returns an empty object in the form of a list's items.
func itemOf(list client.ObjectList, scheme *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, error) {
	var out client.Object
	switch list.(type) {
	case *unstructured.UnstructuredList:
		out = &unstructured.Unstructured{}
	case *metav1.PartialObjectMetadataList:
		out = &metav1.PartialObjectMetadata{}
	default:
		object, _, err := typed(scheme, gvk)
		return object, err
	}
	out.GetObjectKind().SetGroupVersionKind(gvk)
	return out, nil
}

// assign copies an object into another of the same Go type.
func assign(into client.Object, from runtime.Object) error {
	to, of := reflect.ValueOf(into), reflect.ValueOf(from)
	if to.Type() != of.Type() {
		return fmt.Errorf("a %T cannot be read into a %T", from, into)
	}
	to.Elem().Set(of.Elem())
	return nil
}

func objectMeta(o client.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: o.GetName(), GenerateName: o.GetGenerateName(), Namespace: o.GetNamespace(), UID: o.GetUID(),
		ResourceVersion: o.GetResourceVersion(), Generation: o.GetGeneration(), CreationTimestamp: o.GetCreationTimestamp(),
		DeletionTimestamp: o.GetDeletionTimestamp(), DeletionGracePeriodSeconds: o.GetDeletionGracePeriodSeconds(),
		Labels: o.GetLabels(), Annotations: o.GetAnnotations(), OwnerReferences: o.GetOwnerReferences(),
		Finalizers: o.GetFinalizers(), ManagedFields: o.GetManagedFields(),
	}
}

// The subresource of a Pod that is text.
const subresourceLog = "log"

var _ client.WithWatch = (*attached)(nil)
