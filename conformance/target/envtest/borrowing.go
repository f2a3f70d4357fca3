package envtest

import (
	"context"
	"reflect"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

// borrowing is a client for the simulator's actors. They write objects that share parts with what a watch has shown,
// and a client decodes the server's answer into what it was given, through whatever that points to. So each write is
// made with a copy, which then takes the object's place.
type borrowing struct{ client.Client }

// onCopy does a write with a copy of obj.
func onCopy(obj client.Object, write func(client.Object) error) error {
	made, ok := obj.DeepCopyObject().(client.Object)
	if !ok {
		return write(obj)
	}
	if err := write(made); err != nil {
		return err
	}
	reflect.ValueOf(obj).Elem().Set(reflect.ValueOf(made).Elem())
	return nil
}

// Create implements client.Writer.
func (b borrowing) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	return onCopy(obj, func(o client.Object) error { return b.Client.Create(ctx, o, opts...) })
}

// Update implements client.Writer.
func (b borrowing) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	return onCopy(obj, func(o client.Object) error { return b.Client.Update(ctx, o, opts...) })
}

// Patch implements client.Writer.
func (b borrowing) Patch(ctx context.Context, obj client.Object, p client.Patch, opts ...client.PatchOption) error {
	return onCopy(obj, func(o client.Object) error { return b.Client.Patch(ctx, o, p, opts...) })
}

// Status implements client.StatusClient.
func (b borrowing) Status() client.SubResourceWriter { return b.SubResource("status") }

// SubResource implements client.SubResourceClientConstructor.
func (b borrowing) SubResource(name string) client.SubResourceClient {
	return borrowingSubresource{b.Client.SubResource(name)}
}

type borrowingSubresource struct{ client.SubResourceClient }

// Update implements client.SubResourceWriter.
func (b borrowingSubresource) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	return onCopy(obj, func(o client.Object) error { return b.SubResourceClient.Update(ctx, o, opts...) })
}

// Patch implements client.SubResourceWriter.
func (b borrowingSubresource) Patch(ctx context.Context, obj client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	return onCopy(obj, func(o client.Object) error { return b.SubResourceClient.Patch(ctx, o, p, opts...) })
}
