package envtest

import (
	"bytes"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/simulator/container"
)

// pollInterval is how often it is asked for what nothing tells.
const pollInterval = 500 * time.Millisecond

// Cluster is the machine under one setup. It is safe for concurrent use.
type Cluster struct {
	machine      *machine
	installation *installation
	given        []fixture.Mock
	mocks        *container.Mocks
}

var (
	_ conformance.Cluster          = (*Cluster)(nil)
	_ conformance.Accountable      = (*Cluster)(nil)
	_ conformance.MockUser         = (*Cluster)(nil)
	_ conformance.NamespaceRemover = (*Cluster)(nil)
)

// Client implements conformance.Cluster.
func (c *Cluster) Client() client.Client { return c.machine.client }

// CreateNamespace implements conformance.Cluster.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	m := c.machine
	m.installations.let(name, c.installation)
	if err := m.node.do(ctx, func() { m.node.actors.Supply(name, c.mocks) }); err != nil {
		return err
	}
	if err := createNamespace(ctx, m.client, name); err != nil || c.installation.tenancy != fixture.TenancyTenant {
		return err
	}
	return m.client.Create(ctx, kindconfig.TenantBinding(name, c.installation.settings.namespace))
}

// Account implements conformance.Accountable.
func (c *Cluster) Account() string { return kindconfig.AccountUser(c.installation.settings.namespace) }

// RemoveNamespace implements conformance.NamespaceRemover: nothing happens in the namespace after it. Emptying the
// namespace would be half of all requests of a run, for nothing: the control plane does not outlive the target.
func (c *Cluster) RemoveNamespace(ctx context.Context, name string) error {
	m := c.machine
	m.installations.let(name, nil)
	if err := m.client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(name), client.GracePeriodSeconds(0)); err != nil {
		return fmt.Errorf("ending the Pods of namespace %s: %w", name, err)
	}
	return m.node.do(ctx, func() { m.node.actors.Supply(name, nil) })
}

// Close implements conformance.Cluster. The machine goes on, and the installation is there for the next of its setup.
func (c *Cluster) Close() error { return nil }

// UnusedStandIns implements conformance.MockUser. This target has none.
func (c *Cluster) UnusedStandIns() []fixture.StandIn { return nil }

// UnusedMocks implements conformance.MockUser.
func (c *Cluster) UnusedMocks() []fixture.Mock {
	var out []fixture.Mock
	// If the node has stopped, everything that waits for it learns of that.
	_ = c.machine.node.do(context.Background(), func() { out = setup.Unused(c.given, c.mocks) })
	return out
}

// Logs implements conformance.Cluster.
func (c *Cluster) Logs(ctx context.Context, namespace, pod, container string) (string, error) {
	data, err := podLogs(c.machine.node).Logs(ctx, namespace, pod, container)
	return string(data), err
}

// Exec implements conformance.Cluster.
func (c *Cluster) Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error) {
	var out, errs bytes.Buffer
	ended := make(chan int, 1)
	failed := c.machine.node.do(ctx, func() {
		err = c.machine.node.actors.Exec(namespace, pod, container, argv, &out, &errs, func(code int) { ended <- code })
	})
	if failed != nil {
		return "", "", 0, failed
	}
	if err != nil {
		return "", "", 0, err
	}
	select {
	case code := <-ended:
		return out.String(), errs.String(), code, nil
	case <-ctx.Done():
		return "", "", 0, context.Cause(ctx)
	case <-c.machine.running.Done():
		return "", "", 0, context.Cause(c.machine.running)
	}
}

// Now implements conformance.Cluster.
func (c *Cluster) Now() time.Time { return time.Now() }

// WaitUntil implements conformance.Cluster.
func (c *Cluster) WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error {
	return c.machine.world().WaitUntil(ctx, deadline, cond)
}

// Observe implements conformance.Cluster.
func (c *Cluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	return c.machine.world().Observe(gvk, namespace, handler)
}

// world is the machine as its watchers see it.
func (m *machine) world() *remote.World {
	return &remote.World{Client: m.client, News: m.news, Running: m.running, Broke: m.end}
}
