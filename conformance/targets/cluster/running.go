package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

const (
	// labelManaged marks the namespaces of fixtures, so that those that were left behind can be found and deleted.
	labelManaged = "app.kubernetes.io/managed-by"
	managedBy    = "plumbline"

	// defaultServiceAccount is the account of Pods that name none.
	defaultServiceAccount = "default"
	// namespaceTimeout is how long the cluster's controllers may take to furnish a namespace.
	namespaceTimeout = time.Minute
)

// Cluster is the cluster under one configuration. It is safe for concurrent use.
type Cluster struct {
	target *Target
	world  *remote.World
	// change is what was done to the configuration; nil if this cluster is not responsible for it.
	change *change
	// tenancy is the fixture's.
	tenancy string
}

var _ conformance.Cluster = (*Cluster)(nil)

// errClosed is why a cluster ends in the end.
var errClosed = errors.New("the cluster was closed")

// Client implements conformance.Cluster.
func (c *Cluster) Client() client.Client { return renaming{c.target.client, c.target.images} }

// Observe implements conformance.Cluster.
func (c *Cluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	if len(c.target.images.there) == 0 {
		return c.world.Observe(gvk, namespace, handler)
	}
	return c.world.Observe(gvk, namespace, func(event watch.EventType, o *unstructured.Unstructured) {
		o = o.DeepCopy()
		rename(o.Object, c.target.images.backward)
		handler(event, o)
	})
}

// CreateNamespace implements conformance.Cluster.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	if err := c.CreateNamespaceWith(ctx, name, nil); err != nil {
		return err
	}
	return c.admit(ctx, name)
}

// CreateNamespaceWith makes a namespace that has further labels.
func (c *Cluster) CreateNamespaceWith(ctx context.Context, name string, labels map[string]string) error {
	all := map[string]string{labelManaged: managedBy}
	maps.Copy(all, labels)
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: all}}
	if err := c.target.client.Create(ctx, namespace); err != nil {
		return err
	}
	var ready atomic.Bool
	stop, err := c.world.Observe(corev1.SchemeGroupVersion.WithKind("ServiceAccount"), name, func(_ watch.EventType, o *unstructured.Unstructured) {
		if o.GetName() == defaultServiceAccount {
			ready.Store(true)
		}
	})
	if err != nil {
		return err
	}
	defer stop()
	err = c.world.WaitUntil(ctx, time.Now().Add(namespaceTimeout), ready.Load)
	if errors.Is(err, conformance.ErrDeadline) {
		return fmt.Errorf("it has no service account %s after %v", defaultServiceAccount, namespaceTimeout)
	}
	return err
}

// Now implements conformance.Cluster.
func (c *Cluster) Now() time.Time { return time.Now() }

// WaitUntil implements conformance.Cluster.
func (c *Cluster) WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error {
	return c.world.WaitUntil(ctx, deadline, cond)
}

// Close implements conformance.Cluster: the configuration is what it was before.
func (c *Cluster) Close() error {
	if c.change == nil {
		c.world.End(errClosed)
		return nil
	}
	err := c.change.undo(c.world)
	c.world.End(errClosed)
	c.target.done()
	return err
}
