package subject

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// An implementation has Go types of its own for the API's kinds, which the cluster does not know. Between the two they
// become what they are on the wire: trees.

// Client returns a client that takes the subject's Go types.
func (s *Subject) Client(c client.Client) client.Client {
	if s.Scheme == nil {
		return c
	}
	return &foreignClient{Client: c, scheme: s.Scheme}
}

// WatchingClient returns a client that takes the Go types of a scheme beside those that c knows. Watches have the form of
// their list.
func WatchingClient(c client.WithWatch, scheme *runtime.Scheme) client.WithWatch {
	if scheme == nil {
		return c
	}
	return &foreignWatcher{foreignClient{Client: c, scheme: scheme}, c}
}

type foreignClient struct {
	client.Client
	scheme *runtime.Scheme
}

type foreignWatcher struct {
	foreignClient
	c client.WithWatch
}

// foreign returns the kind of an object whose Go type only the subject knows.
func (c *foreignClient) foreign(o runtime.Object) (schema.GroupVersionKind, bool) {
	if _, ok := o.(runtime.Unstructured); ok {
		return schema.GroupVersionKind{}, false
	}
	if _, _, err := c.Client.Scheme().ObjectKinds(o); err == nil {
		return schema.GroupVersionKind{}, false
	}
	gvk, err := apiutil.GVKForObject(o, c.scheme)
	return gvk, err == nil
}

// tree returns an object as a tree, and what reads the tree back into it.
func (c *foreignClient) tree(o client.Object) (u client.Object, back func(error) error, err error) {
	gvk, ok := c.foreign(o)
	if !ok {
		return o, func(err error) error { return err }, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, nil, err
	}
	loose := &unstructured.Unstructured{Object: content}
	loose.SetGroupVersionKind(gvk)
	return loose, func(err error) error {
		if err != nil {
			return err
		}
		return into(loose.Object, o)
	}, nil
}

// into replaces the content of an object with that of a tree.
func into(tree map[string]any, o runtime.Object) error {
	v := reflect.ValueOf(o).Elem()
	v.Set(reflect.Zero(v.Type()))
	return runtime.DefaultUnstructuredConverter.FromUnstructured(tree, o)
}

// Get implements client.Reader.
func (c *foreignClient) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	u, back, err := c.tree(o)
	if err != nil {
		return err
	}
	return back(c.Client.Get(ctx, key, u, opts...))
}

// List implements client.Reader.
func (c *foreignClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	gvk, ok := c.foreign(list)
	if !ok {
		return c.Client.List(ctx, list, opts...)
	}
	u := &unstructured.UnstructuredList{}
	u.SetGroupVersionKind(gvk)
	if err := c.Client.List(ctx, u, opts...); err != nil {
		return err
	}
	return into(u.UnstructuredContent(), list)
}

// Create implements client.Writer.
func (c *foreignClient) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	u, back, err := c.tree(o)
	if err != nil {
		return err
	}
	return back(c.Client.Create(ctx, u, opts...))
}

// Update implements client.Writer.
func (c *foreignClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	u, back, err := c.tree(o)
	if err != nil {
		return err
	}
	return back(c.Client.Update(ctx, u, opts...))
}

// Patch implements client.Writer.
func (c *foreignClient) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
	u, back, err := c.tree(o)
	if err != nil {
		return err
	}
	if patch, err = computed(patch, o); err != nil {
		return err
	}
	return back(c.Client.Patch(ctx, u, patch, opts...))
}

// computed is a patch that does not depend on the Go type of what it is computed from.
func computed(patch client.Patch, o client.Object) (client.Patch, error) {
	data, err := patch.Data(o)
	if err != nil {
		return nil, err
	}
	return client.RawPatch(patch.Type(), data), nil
}

// Delete implements client.Writer.
func (c *foreignClient) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	u, _, err := c.tree(o)
	if err != nil {
		return err
	}
	return c.Client.Delete(ctx, u, opts...)
}

// DeleteAllOf implements client.Writer.
func (c *foreignClient) DeleteAllOf(ctx context.Context, o client.Object, opts ...client.DeleteAllOfOption) error {
	u, _, err := c.tree(o)
	if err != nil {
		return err
	}
	return c.Client.DeleteAllOf(ctx, u, opts...)
}

// Status implements client.StatusClient.
func (c *foreignClient) Status() client.SubResourceWriter {
	return c.SubResource(apiserver.SubresourceStatus)
}

// SubResource implements client.SubResourceClientConstructor.
func (c *foreignClient) SubResource(name string) client.SubResourceClient {
	return &foreignSubresource{SubResourceClient: c.Client.SubResource(name), c: c}
}

// Scheme implements client.Client.
func (c *foreignClient) Scheme() *runtime.Scheme { return c.scheme }

// GroupVersionKindFor implements client.Client.
func (c *foreignClient) GroupVersionKindFor(o runtime.Object) (schema.GroupVersionKind, error) {
	if gvk, ok := c.foreign(o); ok {
		return gvk, nil
	}
	return c.Client.GroupVersionKindFor(o)
}

// IsObjectNamespaced implements client.Client.
func (c *foreignClient) IsObjectNamespaced(o runtime.Object) (bool, error) {
	gvk, ok := c.foreign(o)
	if !ok {
		return c.Client.IsObjectNamespaced(o)
	}
	mapping, err := c.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return false, err
	}
	return mapping.Scope.Name() == apimeta.RESTScopeNameNamespace, nil
}

type foreignSubresource struct {
	client.SubResourceClient
	c *foreignClient
}

// Get implements client.SubResourceReader.
func (s *foreignSubresource) Get(ctx context.Context, o, sub client.Object, opts ...client.SubResourceGetOption) error {
	u, _, err := s.c.tree(o)
	if err != nil {
		return err
	}
	us, back, err := s.c.tree(sub)
	if err != nil {
		return err
	}
	return back(s.SubResourceClient.Get(ctx, u, us, opts...))
}

// Create implements client.SubResourceWriter.
func (s *foreignSubresource) Create(ctx context.Context, o, sub client.Object, opts ...client.SubResourceCreateOption) error {
	u, _, err := s.c.tree(o)
	if err != nil {
		return err
	}
	return s.SubResourceClient.Create(ctx, u, sub, opts...)
}

// Update implements client.SubResourceWriter.
func (s *foreignSubresource) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	u, back, err := s.c.tree(o)
	if err != nil {
		return err
	}
	return back(s.SubResourceClient.Update(ctx, u, opts...))
}

// Patch implements client.SubResourceWriter.
func (s *foreignSubresource) Patch(ctx context.Context, o client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	u, back, err := s.c.tree(o)
	if err != nil {
		return err
	}
	if patch, err = computed(patch, o); err != nil {
		return err
	}
	return back(s.SubResourceClient.Patch(ctx, u, patch, opts...))
}

// Watch implements client.WithWatch.
func (c *foreignWatcher) Watch(ctx context.Context, list client.ObjectList, opts ...client.ListOption) (watch.Interface, error) {
	gvk, ok := c.foreign(list)
	if !ok {
		return c.c.Watch(ctx, list, opts...)
	}
	u := &unstructured.UnstructuredList{}
	u.SetGroupVersionKind(gvk)
	w, err := c.c.Watch(ctx, u, opts...)
	if err != nil {
		return nil, err
	}
	item := gvk.GroupVersion().WithKind(strings.TrimSuffix(gvk.Kind, "List"))
	return watch.Filter(w, func(e watch.Event) (watch.Event, bool) {
		loose, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			return e, true
		}
		o, err := c.scheme.New(item)
		if err == nil {
			err = into(loose.Object, o)
		}
		if err != nil {
			panic(fmt.Sprintf("reading a %s into the subject's type: %v", item.Kind, err))
		}
		e.Object = o
		return e, true
	}), nil
}

// Webhooks returns the subject's own webhooks, or nil. They get objects in the subject's Go types.
func (s *Subject) Webhooks(now func() config.Config) []apiserver.Admission {
	if s.Admission == nil {
		return nil
	}
	list := s.Admission(now)
	if s.Scheme == nil {
		return list
	}
	out := make([]apiserver.Admission, len(list))
	for i, a := range list {
		out[i] = &foreignAdmission{a, s.Scheme}
	}
	return out
}

type foreignAdmission struct {
	apiserver.Admission
	scheme *runtime.Scheme
}

// Selects implements apiserver.Selective.
func (f *foreignAdmission) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	if s, ok := f.Admission.(apiserver.Selective); ok {
		return s.Selects(gvk, subresource)
	}
	return true
}

// Admit implements apiserver.Admission.
func (f *foreignAdmission) Admit(r *apiserver.Request) error { return f.ask(r, f.Admission.Admit) }

// Validate implements apiserver.Validator.
func (f *foreignAdmission) Validate(r *apiserver.Request) error {
	v, ok := f.Admission.(apiserver.Validator)
	if !ok {
		return nil
	}
	return f.ask(r, v.Validate)
}

func (f *foreignAdmission) ask(r *apiserver.Request, question func(*apiserver.Request) error) error {
	if !f.scheme.Recognizes(r.GVK) {
		return question(r)
	}
	theirs := *r
	var err error
	if theirs.Object, err = f.theirs(r.GVK, r.Object); err != nil {
		return err
	}
	if theirs.OldObject, err = f.theirs(r.GVK, r.OldObject); err != nil {
		return err
	}
	if err := question(&theirs); err != nil || r.Object == nil {
		return err
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(theirs.Object)
	if err != nil {
		return err
	}
	if u, ok := r.Object.(*unstructured.Unstructured); ok {
		u.Object = content
		u.SetGroupVersionKind(r.GVK)
		return nil
	}
	return into(content, r.Object)
}

// theirs is an object in the subject's type. A field that the type does not have would be lost, so it is refused.
func (f *foreignAdmission) theirs(gvk schema.GroupVersionKind, o client.Object) (client.Object, error) {
	if o == nil {
		return nil, nil
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(o)
	if err != nil {
		return nil, err
	}
	made, err := f.scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	out, ok := made.(client.Object)
	if !ok {
		return nil, errors.New(gvk.Kind + ": the subject's type is no object of an API")
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(content, out, false); err != nil {
		return nil, err
	}
	return out, nil
}
