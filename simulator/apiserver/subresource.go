package apiserver

import (
	"context"
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

func gvkFor(obj runtime.Object, scheme *runtime.Scheme) (schema.GroupVersionKind, error) {
	return apiutil.GVKForObject(obj, scheme)
}

// put serves PUT.
func (s *Server) put(c *Call, r *resource, key client.ObjectKey, body client.Object, o writeOptions) (client.Object, error) {
	switch {
	case c.Subresource == "":
	case c.Subresource == SubresourceStatus && r.Status:
	case c.Subresource == SubresourceFinalize && r.strategy.putFinalizers != nil:
		return r.strategy.putFinalizers(s, c, r, key, body)
	default:
		return nil, r.refuseSubresource(c.Subresource)
	}
	return s.update(c, r, key, o, s.replace(c, r, body, o))
}

// patch serves PATCH.
func (s *Server) patch(c *Call, r *resource, key client.ObjectKey, kind types.PatchType, data []byte, o writeOptions) (client.Object, error) {
	if c.Subresource != "" && (c.Subresource != SubresourceStatus || !r.Status) {
		return nil, r.refuseSubresource(c.Subresource)
	}
	if kind == types.ApplyYAMLPatchType {
		return s.apply(c, r, key, data, o)
	}
	return s.update(c, r, key, o, s.patched(c, r, kind, data, o))
}

// subresourceClient implements client.SubResourceClient.
type subresourceClient struct {
	c    *serverClient
	name string
}

var _ client.SubResourceClient = (*subresourceClient)(nil)

func (sc *subresourceClient) Get(ctx context.Context, obj, into client.Object, _ ...client.SubResourceGetOption) error {
	c := sc.c
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Get, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	call.Subresource = sc.name
	return c.s.serve(call, func() error {
		stored, err := c.s.get(r, key)
		if err != nil {
			return err
		}
		if sc.name != SubresourceStatus || !r.Status {
			return noSubresource()
		}
		return r.copyOut(stored, into)
	})
}

func (sc *subresourceClient) Create(ctx context.Context, obj, body client.Object, opts ...client.SubResourceCreateOption) error {
	c := sc.c
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	var o client.SubResourceCreateOptions
	o.ApplyOptions(opts)
	wo, err := sent{dryRun: o.DryRun, validation: o.FieldValidation, manager: o.FieldManager}.options(Create)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Create, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	call.Subresource, call.Object, call.DryRun = sc.name, body, wo.dryRun
	return c.s.serve(call, func() error {
		post := r.strategy.posts[sc.name]
		if post == nil {
			return r.refuseSubresource(sc.name)
		}
		return post(c.s, call, r, key, body, wo)
	})
}

// subResourceUpdateOptions returns what the options say. Without any, as mostly, it allocates nothing.
func subResourceUpdateOptions(opts []client.SubResourceUpdateOption) client.SubResourceUpdateOptions {
	if len(opts) == 0 {
		return client.SubResourceUpdateOptions{}
	}
	o := &client.SubResourceUpdateOptions{}
	o.ApplyOptions(opts)
	return *o
}

func (sc *subresourceClient) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	o := subResourceUpdateOptions(opts)
	body := obj
	if o.SubResourceBody != nil {
		body = o.SubResourceBody
	}
	if body.GetName() == "" {
		body.SetName(obj.GetName())
	}
	if body.GetNamespace() == "" {
		body.SetNamespace(obj.GetNamespace())
	}
	if body.GetName() != obj.GetName() {
		return fmt.Errorf("the subresource's name %q differs from the object's, %q", body.GetName(), obj.GetName())
	}
	return sc.c.update(ctx, obj, body, sc.name, o.UpdateOptions)
}

func (sc *subresourceClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	var o client.SubResourcePatchOptions
	o.ApplyOptions(opts)
	body := obj
	if o.SubResourceBody != nil {
		body = o.SubResourceBody
	}
	return sc.c.patch(ctx, obj, body, sc.name, patch, o.PatchOptions)
}

func (sc *subresourceClient) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	var o client.SubResourceApplyOptions
	o.ApplyOpts(opts)
	body := obj
	if o.SubResourceBody != nil {
		body = o.SubResourceBody
	}
	return sc.c.apply(ctx, obj, body, sc.name, o.ApplyOptions)
}

// refuseSubresource is the answer to a verb that a path does not take: one that is
// served says so, one that is not is not found.
func (r *resource) refuseSubresource(name string) error {
	served := name == SubresourceStatus && r.Status || r.strategy.posts[name] != nil || name == SubresourceFinalize && r.strategy.putFinalizers != nil
	if served {
		return methodNotAllowed()
	}
	return noSubresource()
}

// bodyInto reads the body of a subresource, which a client may send as a tree.
func bodyInto(body, into client.Object) error {
	if u, ok := body.(*unstructured.Unstructured); ok {
		return runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, into)
	}
	out, in := reflect.ValueOf(into).Elem(), reflect.ValueOf(body).Elem()
	if out.Type() != in.Type() {
		return fmt.Errorf("not a %T", body)
	}
	out.Set(in)
	return nil
}
