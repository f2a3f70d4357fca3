package fault

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Crashed is the panic with which a controller dies.
type Crashed struct {
	// Behind says which request was its last.
	Behind string
	// Delay is how long it takes another process to take over.
	Delay time.Duration
}

func (c *Crashed) Error() string { return "the controller's process died behind " + c.Behind }

// Client is a controller's client: behind the request that it is to die by, it
// panics with a *Crashed, which the code that drives the controller recovers.
func (in *Injector) Client(c client.Client) client.Client {
	if !in.has(Controller) {
		return c
	}
	return &mortal{Client: c, in: in}
}

// die ends the process if the request before was its last.
func (in *Injector) die() {
	if c := in.crash; c != nil {
		in.crash = nil
		panic(c)
	}
}

type mortal struct {
	client.Client
	in *Injector
}

func (m *mortal) Get(ctx context.Context, key client.ObjectKey, obj client.Object, opts ...client.GetOption) error {
	err := m.Client.Get(ctx, key, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	err := m.Client.List(ctx, list, opts...)
	m.in.die()
	return err
}

func (m *mortal) Create(ctx context.Context, obj client.Object, opts ...client.CreateOption) error {
	err := m.Client.Create(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) Update(ctx context.Context, obj client.Object, opts ...client.UpdateOption) error {
	err := m.Client.Update(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
	err := m.Client.Patch(ctx, obj, patch, opts...)
	m.in.die()
	return err
}

func (m *mortal) Delete(ctx context.Context, obj client.Object, opts ...client.DeleteOption) error {
	err := m.Client.Delete(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) DeleteAllOf(ctx context.Context, obj client.Object, opts ...client.DeleteAllOfOption) error {
	err := m.Client.DeleteAllOf(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	err := m.Client.Apply(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortal) Status() client.SubResourceWriter {
	return &mortalWriter{SubResourceWriter: m.Client.Status(), in: m.in}
}

func (m *mortal) SubResource(name string) client.SubResourceClient {
	c := m.Client.SubResource(name)
	return &mortalSubresource{SubResourceReader: c, mortalWriter: mortalWriter{SubResourceWriter: c, in: m.in}}
}

type mortalSubresource struct {
	client.SubResourceReader
	mortalWriter
}

type mortalWriter struct {
	client.SubResourceWriter
	in *Injector
}

func (m *mortalWriter) Create(ctx context.Context, obj, sub client.Object, opts ...client.SubResourceCreateOption) error {
	err := m.SubResourceWriter.Create(ctx, obj, sub, opts...)
	m.in.die()
	return err
}

func (m *mortalWriter) Update(ctx context.Context, obj client.Object, opts ...client.SubResourceUpdateOption) error {
	err := m.SubResourceWriter.Update(ctx, obj, opts...)
	m.in.die()
	return err
}

func (m *mortalWriter) Patch(ctx context.Context, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
	err := m.SubResourceWriter.Patch(ctx, obj, patch, opts...)
	m.in.die()
	return err
}

func (m *mortalWriter) Apply(ctx context.Context, obj runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
	err := m.SubResourceWriter.Apply(ctx, obj, opts...)
	m.in.die()
	return err
}
