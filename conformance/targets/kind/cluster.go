package kind

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

const (
	// askAgain and askTimeout are how often webhooks are asked whether they are there, and how long an answer may take.
	askAgain   = 50 * time.Millisecond
	askTimeout = 2 * time.Second
)

// Cluster is the cluster under one configuration. It is safe for concurrent use.
type Cluster struct {
	*cluster.Cluster
	target *Target
	// installation is nil under the default configuration.
	installation *installation
	// tenancy is the fixture's.
	tenancy string
	// injects are the containers that are injected into its Pods, until endInjecting is called.
	injects      []fixture.Injected
	endInjecting func() error

	asking  sync.Mutex
	answers bool
}

var (
	_ conformance.Cluster     = (*Cluster)(nil)
	_ conformance.Collector   = (*Cluster)(nil)
	_ conformance.Accountable = (*Cluster)(nil)
)

// CreateNamespace implements conformance.Cluster: the TaskRuns in it are those of the installation.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	if c.installation != nil {
		if err := c.CreateNamespaceWith(ctx, name, c.installation.label()); err != nil {
			return err
		}
	} else if err := c.CreateNamespaceWith(ctx, name, nil); err != nil {
		return err
	}
	if err := c.answered(ctx, name); err != nil {
		return err
	}
	if len(c.injects) > 0 {
		if err := c.heeded(ctx, name); err != nil {
			return err
		}
	}
	if c.tenancy == fixture.TenancyStranger || c.installation != nil && c.tenancy != fixture.TenancyTenant {
		return nil
	}
	return c.target.there.Bind(ctx, conformance.SubjectRoles{Namespace: c.system(), Account: kindconfig.Account, Tenant: kindconfig.RoleTenantAccess}, name)
}

// system is the system namespace of the installation.
func (c *Cluster) system() string {
	if c.installation == nil {
		return kindconfig.Namespace
	}
	return namespaceOf(c.installation.number)
}

// Account implements conformance.Accountable.
func (c *Cluster) Account() string { return kindconfig.AccountUser(c.system()) }

// answered waits until the installation's webhooks answer: that a controller is ready the node hears a little later.
func (c *Cluster) answered(ctx context.Context, namespace string) error {
	c.asking.Lock()
	defer c.asking.Unlock()
	if c.answers {
		return nil
	}
	run := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"taskRef": map[string]any{"name": "none"}}}}
	run.SetGroupVersionKind(v1beta1.GroupVersion.WithKind("TaskRun"))
	run.SetNamespace(namespace)
	run.SetName("asking")
	var last error
	err := wait.PollUntilContextTimeout(ctx, askAgain, readyTimeout, true, func(ctx context.Context) (bool, error) {
		one, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		last = c.target.client.Create(one, run.DeepCopy(), client.DryRunAll)
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting until the webhooks answer: %w", errors.Join(err, last))
	}
	c.answers = true
	return nil
}

// Close implements conformance.Cluster: an installation under a configuration is removed.
func (c *Cluster) Close() error {
	err := c.Cluster.Close()
	if c.endInjecting != nil {
		err = errors.Join(err, c.endInjecting())
	}
	if c.installation != nil {
		err = errors.Join(err, c.target.uninstall(c.installation))
	}
	return err
}
