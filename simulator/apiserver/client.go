package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Client returns a client that reads and writes the server itself, without a
// cache. actor names it in the trace, to interceptors and to admission.
func (s *Server) Client(actor string) client.WithWatch { return &serverClient{s: s, actor: actor} }

// serverClient implements client.WithWatch. What a real client checks before it
// sends anything is checked here, everything else by the server.
type serverClient struct {
	s     *Server
	actor string
}

var _ client.WithWatch = (*serverClient)(nil)

// What client-go says about requests it cannot address.
var (
	errNoNamespaceOnCreate = errors.New("an empty namespace may not be set during creation")
	errNoNamespaceForName  = errors.New("an empty namespace may not be set when a resource name is provided")
	errNoName              = errors.New("resource name may not be empty")
)

func (c *serverClient) call(ctx context.Context, verb Verb, r *resource, key client.ObjectKey) (*Call, error) {
	if ctx != nil {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("client rate limiter Wait returned an error: %w", err)
		}
	}
	if !r.Namespaced {
		key.Namespace = ""
	}
	return &Call{Actor: c.actor, Verb: verb, GVK: r.GVK, Resource: r.gr, Namespace: key.Namespace, Name: key.Name}, nil
}

// named is call for requests that address one object by name.
func (c *serverClient) named(ctx context.Context, verb Verb, r *resource, key client.ObjectKey) (*Call, client.ObjectKey, error) {
	if key.Name == "" {
		return nil, key, errNoName
	}
	if r.Namespaced && key.Namespace == "" {
		return nil, key, errNoNamespaceForName
	}
	if !r.Namespaced {
		key.Namespace = ""
	}
	call, err := c.call(ctx, verb, r, key)
	return call, key, err
}

func (c *serverClient) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Get, r, key)
	if err != nil {
		return err
	}
	raw := rawOf(opts)
	return c.s.serve(call, func() error {
		if err := c.s.getAt(raw); err != nil {
			return err
		}
		stored, err := c.s.get(r, key)
		if err != nil {
			return err
		}
		return r.copyOut(stored, obj)
	})
}

func (c *serverClient) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	r, err := c.s.resourceOf(list)
	if err != nil {
		return err
	}
	var o client.ListOptions
	o.ApplyOptions(opts)
	sel, err := selectionFrom(&o)
	if err != nil {
		return err
	}
	call, err := c.call(ctx, List, r, client.ObjectKey{Namespace: sel.namespace})
	if err != nil {
		return err
	}
	return c.s.serve(call, func() error {
		p, err := c.s.list(r, sel)
		if err != nil {
			return err
		}
		if err := r.listOut(p.objects, list); err != nil {
			return err
		}
		c.s.listMeta(p, list)
		return nil
	})
}

// createOptions returns what the options say. Without any, as mostly, it allocates nothing.
func createOptions(opts []client.CreateOption) client.CreateOptions {
	if len(opts) == 0 {
		return client.CreateOptions{}
	}
	o := &client.CreateOptions{}
	o.ApplyOptions(opts)
	return *o
}

func (c *serverClient) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	if isReview(obj) {
		return c.review(ctx, obj)
	}
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	if r.Namespaced && obj.GetNamespace() == "" {
		return errNoNamespaceOnCreate
	}
	o := createOptions(opts)
	wo, err := sent{dryRun: o.DryRun, validation: o.FieldValidation, manager: o.FieldManager}.options(Create)
	if err != nil {
		return err
	}
	call, err := c.call(ctx, Create, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	call.Object, call.DryRun = obj, wo.dryRun
	return c.s.serve(call, func() error {
		stored, err := c.s.create(call, r, obj, wo)
		if err != nil {
			return err
		}
		return r.copyOut(stored, obj)
	})
}

// updateOptions is createOptions for updates.
func updateOptions(opts []client.UpdateOption) client.UpdateOptions {
	if len(opts) == 0 {
		return client.UpdateOptions{}
	}
	o := &client.UpdateOptions{}
	o.ApplyOptions(opts)
	return *o
}

func (c *serverClient) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	return c.update(ctx, obj, obj, "", updateOptions(opts))
}

func (c *serverClient) update(ctx context.Context, obj, body client.Object, subresource string, o client.UpdateOptions) error {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	wo, err := sent{dryRun: o.DryRun, validation: o.FieldValidation, manager: o.FieldManager}.options(Update)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Update, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	call.Subresource, call.Object, call.DryRun = subresource, body, wo.dryRun
	return c.s.serve(call, func() error {
		stored, err := c.s.put(call, r, key, body, wo)
		if err != nil {
			return err
		}
		return c.answer(r, stored, body)
	})
}

// answer copies what a write left into the client's object, which for a
// subresource may be of another kind than the object itself.
func (c *serverClient) answer(r *resource, stored, body client.Object) error {
	if br, err := c.s.resourceOf(body); err == nil && br != r {
		return nil
	}
	return r.copyOut(stored, body)
}

func (c *serverClient) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	var o client.PatchOptions
	o.ApplyOptions(opts)
	return c.patch(ctx, obj, obj, "", patch, o)
}

func (c *serverClient) patch(ctx context.Context, obj, body client.Object, subresource string, patch client.Patch, o client.PatchOptions) error {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	data, err := patch.Data(body)
	if err != nil {
		return err
	}
	wo, err := sent{o.DryRun, validationOf(&o), o.FieldManager, o.Force, patch.Type()}.options(Patch)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Patch, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	if err := checkRequest(len(data)); err != nil {
		return err
	}
	call.Subresource, call.PatchData, call.DryRun = subresource, data, wo.dryRun
	return c.s.serve(call, func() error {
		stored, err := c.s.patch(call, r, key, patch.Type(), data, wo)
		if err != nil {
			return err
		}
		return r.copyOut(stored, obj)
	})
}

func (c *serverClient) Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	var o client.DeleteOptions
	o.ApplyOptions(opts)
	d, err := deletionFrom(&o)
	if err != nil {
		return err
	}
	call, key, err := c.named(ctx, Delete, r, client.ObjectKeyFromObject(obj))
	if err != nil {
		return err
	}
	call.DryRun = d.dryRun
	return c.s.serve(call, func() error { return c.s.delete(call, r, key, d) })
}

func (c *serverClient) DeleteAllOf(ctx context.Context, obj client.Object, opts ...client.DeleteAllOfOption) error {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return err
	}
	var o client.DeleteAllOfOptions
	o.ApplyOptions(opts)
	if r.Namespaced && o.Namespace == "" {
		return methodNotSupported(r, "delete") // there is no such path
	}
	if r.strategy.oneByOne {
		return methodNotAllowed()
	}
	d, err := deletionFrom(&o.DeleteOptions)
	if err != nil {
		return err
	}
	sel, err := selectionFrom(&o.ListOptions)
	if err != nil {
		return err
	}
	call, err := c.call(ctx, DeleteCollection, r, client.ObjectKey{Namespace: sel.namespace})
	if err != nil {
		return err
	}
	call.DryRun = d.dryRun
	return c.s.serve(call, func() error {
		p, err := c.s.list(r, sel)
		if err != nil {
			return err
		}
		for _, obj := range p.objects {
			one := *call
			one.Name = obj.GetName()
			if err := c.s.delete(&one, r, client.ObjectKeyFromObject(obj), d); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
		return nil
	})
}

func (c *serverClient) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	var o client.ApplyOptions
	o.ApplyOptions(opts)
	return c.apply(ctx, obj, obj, "", o)
}

// apply sends a configuration as a patch, and reads the answer into it.
func (c *serverClient) apply(ctx context.Context, obj, body runtime.ApplyConfiguration, subresource string, o client.ApplyOptions) error {
	of := &unstructured.Unstructured{}
	text, err := json.Marshal(obj)
	if err != nil {
		return err
	}
	if err := of.UnmarshalJSON(text); err != nil {
		return fmt.Errorf("an apply configuration without a kind: %w", err)
	}
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	po := client.PatchOptions{DryRun: o.DryRun, Force: o.Force, FieldManager: o.FieldManager}
	if err := c.patch(ctx, of, of, subresource, client.RawPatch(types.ApplyYAMLPatchType, data), po); err != nil {
		return err
	}
	answer, err := json.Marshal(of)
	if err != nil {
		return err
	}
	return json.Unmarshal(answer, body)
}

func (c *serverClient) Status() client.SubResourceWriter { return c.SubResource(SubresourceStatus) }

func (c *serverClient) SubResource(name string) client.SubResourceClient {
	return &subresourceClient{c: c, name: name}
}

func (c *serverClient) Scheme() *runtime.Scheme { return c.s.scheme }

func (c *serverClient) RESTMapper() meta.RESTMapper { return c.s.resources.mapper }

func (c *serverClient) GroupVersionKindFor(obj runtime.Object) (schema.GroupVersionKind, error) {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		var unserved *meta.NoKindMatchError
		if errors.As(err, &unserved) {
			return gvkFor(obj, c.s.scheme)
		}
		return schema.GroupVersionKind{}, err
	}
	if isList(obj) {
		return r.listGVK(), nil
	}
	return r.GVK, nil
}

func (c *serverClient) IsObjectNamespaced(obj runtime.Object) (bool, error) {
	r, err := c.s.resourceOf(obj)
	if err != nil {
		return false, err
	}
	return r.Namespaced, nil
}

// RESTMapper returns the mapping of the kinds that are served.
func (s *Server) RESTMapper() meta.RESTMapper { return s.resources.mapper }

// validationOf returns the field validation that a patch asks for.
func validationOf(o *client.PatchOptions) string {
	if o.FieldValidation == "" && o.Raw != nil {
		return o.Raw.FieldValidation
	}
	return o.FieldValidation
}
