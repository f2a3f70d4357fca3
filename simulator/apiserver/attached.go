package apiserver

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// AttachedClient returns a client for subjects that have goroutines of their own. It
// watches nothing: events come when the kernel runs, not when the subject asks.
// enter must run the function it gets on the kernel's goroutine, between events,
// and return when it has run; the code that drives the kernel decides how.
func (s *Server) AttachedClient(actor string, enter func(func())) client.Client {
	return &attachedClient{c: s.Client(actor), enter: enter}
}

type attachedClient struct {
	c     client.Client
	enter func(func())
}

var _ client.Client = (*attachedClient)(nil)

func (a *attachedClient) do(fn func() error) (err error) {
	a.enter(func() { err = fn() })
	return err
}

func (a *attachedClient) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	return a.do(func() error { return a.c.Get(ctx, key, obj, opts...) })
}

func (a *attachedClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	return a.do(func() error { return a.c.List(ctx, list, opts...) })
}

func (a *attachedClient) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	return a.do(func() error { return a.c.Create(ctx, obj, opts...) })
}

func (a *attachedClient) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	return a.do(func() error { return a.c.Update(ctx, obj, opts...) })
}

func (a *attachedClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	return a.do(func() error { return a.c.Patch(ctx, obj, patch, opts...) })
}

func (a *attachedClient) Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error {
	return a.do(func() error { return a.c.Delete(ctx, obj, opts...) })
}

func (a *attachedClient) DeleteAllOf(ctx context.Context, obj client.Object, opts ...client.DeleteAllOfOption) error {
	return a.do(func() error { return a.c.DeleteAllOf(ctx, obj, opts...) })
}

func (a *attachedClient) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	return a.do(func() error { return a.c.Apply(ctx, obj, opts...) })
}

func (a *attachedClient) Status() client.SubResourceWriter { return a.SubResource(SubresourceStatus) }

func (a *attachedClient) SubResource(name string) client.SubResourceClient {
	return &attachedSubresource{a: a, c: a.c.SubResource(name)}
}

func (a *attachedClient) Scheme() *runtime.Scheme { return a.c.Scheme() }

func (a *attachedClient) RESTMapper() meta.RESTMapper { return a.c.RESTMapper() }

func (a *attachedClient) GroupVersionKindFor(obj runtime.Object) (gvk schema.GroupVersionKind, err error) {
	a.enter(func() { gvk, err = a.c.GroupVersionKindFor(obj) })
	return gvk, err
}

func (a *attachedClient) IsObjectNamespaced(obj runtime.Object) (ok bool, err error) {
	a.enter(func() { ok, err = a.c.IsObjectNamespaced(obj) })
	return ok, err
}

type attachedSubresource struct {
	a *attachedClient
	c client.SubResourceClient
}

func (s *attachedSubresource) Get(ctx context.Context, obj, sub client.Object, opts ...client.SubResourceGetOption) error {
	return s.a.do(func() error { return s.c.Get(ctx, obj, sub, opts...) })
}

func (s *attachedSubresource) Create(ctx context.Context, obj, sub client.Object, opts ...client.SubResourceCreateOption) error {
	return s.a.do(func() error { return s.c.Create(ctx, obj, sub, opts...) })
}

func (s *attachedSubresource) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	return s.a.do(func() error { return s.c.Update(ctx, obj, opts...) })
}

func (s *attachedSubresource) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	return s.a.do(func() error { return s.c.Patch(ctx, obj, patch, opts...) })
}

func (s *attachedSubresource) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	return s.a.do(func() error { return s.c.Apply(ctx, obj, opts...) })
}
