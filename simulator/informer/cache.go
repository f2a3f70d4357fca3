package informer

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// CacheOptions are what a Cache is made of. Live is required if kinds are read
// before they are synced.
type CacheOptions struct {
	Kernel *kernel.Kernel
	Source Source
	Scheme *runtime.Scheme
	// Live answers reads of a kind whose informer is not synced yet, where a real
	// cache would block until it is. Nil means that such reads fail.
	Live client.Reader
	// Share makes Get answer with the cache's own objects instead of copies, as
	// controller-runtime's UnsafeDisableDeepCopy does: callers must not change what is
	// below the fields of an answer.
	Share bool
}

// Cache reads a set of informers, one for each kind that was asked for. It
// answers with copies, unless told otherwise.
type Cache struct {
	o         CacheOptions
	informers map[schema.GroupVersionKind]*Informer
}

var _ client.Reader = (*Cache)(nil)

// NewCache returns a cache without informers.
func NewCache(o CacheOptions) *Cache {
	return &Cache{o: o, informers: map[schema.GroupVersionKind]*Informer{}}
}

// NotSyncedError says that a kind was read before it was known.
type NotSyncedError struct{ GVK schema.GroupVersionKind }

func (e *NotSyncedError) Error() string {
	return fmt.Sprintf("the cache of %s is not synced yet", e.GVK.Kind)
}

// Informer returns the informer of a kind, which is started if there is none.
func (c *Cache) Informer(gvk schema.GroupVersionKind) (*Informer, error) {
	if i := c.informers[gvk]; i != nil {
		return i, nil
	}
	i, err := Start(c.o.Kernel, c.o.Source, gvk)
	if err != nil {
		return nil, err
	}
	c.informers[gvk] = i
	return i, nil
}

// Synced reports whether all informers are.
func (c *Cache) Synced() bool {
	for _, i := range c.informers {
		if !i.Synced() {
			return false
		}
	}
	return true
}

// Shares reports whether answers are the cache's own objects.
func (c *Cache) Shares() bool { return c.o.Share }

// Stop ends all informers, as the end of the process that has the cache does.
func (c *Cache) Stop() {
	//plumbline:unordered they are independent of each other
	for _, i := range c.informers {
		i.Stop()
	}
}

// IndexField lets lists of a kind select a field by a value that extract returns,
// as controller-runtime's FieldIndexer does.
func (c *Cache) IndexField(_ context.Context, obj client.Object, name string, extract client.IndexerFunc) error {
	i, err := c.of(obj)
	if err != nil {
		return err
	}
	i.Index(indexByUser+name, extract)
	return nil
}

func (c *Cache) of(obj runtime.Object) (*Informer, error) {
	gvk, err := apiutil.GVKForObject(obj, c.o.Scheme)
	if err != nil {
		return nil, err
	}
	if _, isList := obj.(client.ObjectList); isList {
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	}
	return c.Informer(gvk)
}

// Get implements client.Reader.
func (c *Cache) Get(ctx context.Context, key client.ObjectKey, out client.Object, opts ...client.GetOption) error {
	i, err := c.of(out)
	if err != nil {
		return err
	}
	if !i.Synced() {
		if c.o.Live == nil {
			return &NotSyncedError{GVK: i.gvk}
		}
		return c.o.Live.Get(ctx, key, out, opts...)
	}
	obj, ok := i.Get(key)
	if !ok {
		// controller-runtime's cache puts the kind where a server has the resource.
		return apierrors.NewNotFound(schema.GroupResource{Group: i.gvk.Group, Resource: i.gvk.Kind}, key.Name)
	}
	if c.o.Share && reflect.TypeOf(obj) == reflect.TypeOf(out) {
		reflect.ValueOf(out).Elem().Set(reflect.ValueOf(obj).Elem())
		setKind(out, i.gvk)
		return nil
	}
	return copyInto(obj, out, i.gvk)
}

// setKind has an object say its kind. Most objects do already.
func setKind(obj client.Object, gvk schema.GroupVersionKind) {
	if k := obj.GetObjectKind(); k.GroupVersionKind() != gvk {
		k.SetGroupVersionKind(gvk)
	}
}

func copyInto(obj, out client.Object, gvk schema.GroupVersionKind) error {
	switch o := out.(type) {
	case *metav1.PartialObjectMetadata:
		return partial(obj, o, gvk)
	case *unstructured.Unstructured:
		tree, err := treeOf(obj)
		if err != nil {
			return err
		}
		o.Object = tree
		return nil
	}
	if reflect.TypeOf(obj) != reflect.TypeOf(out) {
		return fmt.Errorf("cache had type %T, but %T was asked for", obj, out)
	}
	reflect.ValueOf(out).Elem().Set(reflect.ValueOf(obj.DeepCopyObject()).Elem())
	setKind(out, gvk)
	return nil
}

func treeOf(obj client.Object) (map[string]any, error) {
	if u, ok := obj.(*unstructured.Unstructured); ok {
		return runtime.DeepCopyJSON(u.Object), nil
	}
	return runtime.DefaultUnstructuredConverter.ToUnstructured(obj)
}

func partial(obj client.Object, out *metav1.PartialObjectMetadata, gvk schema.GroupVersionKind) error {
	var meta metav1.ObjectMeta
	switch o := obj.(type) {
	case metav1.ObjectMetaAccessor:
		m, ok := o.GetObjectMeta().(*metav1.ObjectMeta)
		if !ok {
			return fmt.Errorf("a %T has no metadata of the usual kind", obj)
		}
		meta = *m.DeepCopy()
	case *unstructured.Unstructured:
		md, _ := o.Object["metadata"].(map[string]any)
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(md, &meta); err != nil {
			return err
		}
	}
	*out = metav1.PartialObjectMetadata{ObjectMeta: meta}
	out.SetGroupVersionKind(gvk)
	return nil
}

// List implements client.Reader. Fields can be selected by one exact value of an
// indexed field.
func (c *Cache) List(ctx context.Context, out client.ObjectList, opts ...client.ListOption) error {
	i, err := c.of(out)
	if err != nil {
		return err
	}
	if !i.Synced() {
		if c.o.Live == nil {
			return &NotSyncedError{GVK: i.gvk}
		}
		return c.o.Live.List(ctx, out, opts...)
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	if o.Continue != "" {
		return fmt.Errorf("continue list option is not supported by the cache")
	}
	objects, err := c.find(i, &o)
	if err != nil {
		return err
	}
	if o.Limit > 0 && int64(len(objects)) > o.Limit {
		objects = objects[:o.Limit]
	}
	gvk := i.gvk
	gvk.Kind += "List"
	out.GetObjectKind().SetGroupVersionKind(gvk)
	return fill(out, objects, i.gvk, o.UnsafeDisableDeepCopy != nil && *o.UnsafeDisableDeepCopy)
}

func (c *Cache) find(i *Informer, o *client.ListOptions) ([]client.Object, error) {
	if o.FieldSelector == nil || o.FieldSelector.Empty() {
		return i.List(o.Namespace, o.LabelSelector), nil
	}
	q, ok := exact(o.FieldSelector)
	if !ok {
		return nil, fmt.Errorf("non-exact field matches are not supported by the cache")
	}
	if i.indexes[indexByUser+q.Field] == nil {
		return nil, fmt.Errorf("Index with name %s%s does not exist", indexByUser, q.Field)
	}
	var out []client.Object
	for _, obj := range i.Indexed(indexByUser+q.Field, q.Value) {
		if o.Namespace != "" && obj.GetNamespace() != o.Namespace {
			continue
		}
		if o.LabelSelector != nil && !o.LabelSelector.Matches(labels.Set(obj.GetLabels())) {
			continue
		}
		out = append(out, obj)
	}
	return out, nil
}

func exact(s fields.Selector) (fields.Requirement, bool) {
	r := s.Requirements()
	if len(r) != 1 || r[0].Operator != selection.Equals && r[0].Operator != selection.DoubleEquals {
		return fields.Requirement{}, false
	}
	return r[0], true
}

func fill(out client.ObjectList, objects []client.Object, gvk schema.GroupVersionKind, share bool) error {
	switch l := out.(type) {
	case *unstructured.UnstructuredList:
		l.Items = make([]unstructured.Unstructured, len(objects))
		for n, obj := range objects {
			if err := copyInto(obj, &l.Items[n], gvk); err != nil {
				return err
			}
		}
		return nil
	case *metav1.PartialObjectMetadataList:
		l.Items = make([]metav1.PartialObjectMetadata, len(objects))
		for n, obj := range objects {
			if err := partial(obj, &l.Items[n], gvk); err != nil {
				return err
			}
		}
		return nil
	}
	items := reflect.ValueOf(out).Elem().FieldByName("Items")
	if !items.IsValid() || items.Kind() != reflect.Slice {
		return fmt.Errorf("a %T has no Items", out)
	}
	fresh := reflect.MakeSlice(items.Type(), len(objects), len(objects))
	for n, obj := range objects {
		if !share {
			obj = obj.DeepCopyObject().(client.Object)
		}
		v := reflect.ValueOf(obj)
		if items.Type().Elem().Kind() != reflect.Pointer {
			v = v.Elem()
		}
		if !v.Type().AssignableTo(items.Type().Elem()) {
			return fmt.Errorf("cache had type %T, but a list of %s was asked for", obj, items.Type().Elem())
		}
		fresh.Index(n).Set(v)
	}
	items.Set(fresh)
	return nil
}
