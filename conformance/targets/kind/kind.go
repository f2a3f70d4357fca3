// Package kind is the target with a real kubelet: a kind cluster in which the reference implementation is installed.
//
// Fixtures meet a cluster as target cluster shows it, and run in parallel in a namespace each. The difference is that the
// cluster belongs to the target: a configuration is its own installation of the implementation, with a controller, webhooks
// and ConfigMaps that serve only its fixtures' namespaces. So fixtures of all configurations run side by side.
//
//	kind.go          the target
//	installation.go  the implementation under several configurations
//	objects.go       what such an installation is made of
//	outside.go       what lies outside the cluster, served in it
//	cluster.go       the cluster, as the engine sees it
//	injection.go     containers that something else adds to Pods
//	journal.go       what kubelet and container runtime say of a failure
//
// The controller that was installed first stays, under the default configuration. While a target is open it runs the
// TaskRuns of fixtures alone: whatever else is in the cluster waits until it is closed.
//
// Limits: time is real and there is no seed; nothing is mocked, and nothing is made to fail.
package kind

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/reports"
)

// Name is the target's name in reports.
const Name = "kind"

// DefaultParallel is how many fixtures run at once. A node of two processors is busy with sixteen.
const DefaultParallel = 16

// Options configure the target. Config is all that must be given.
type Options struct {
	// Config reaches the API server, with every right.
	Config *rest.Config
	// Images are what images of fixtures are called there.
	Images map[string]string
	// Outside is the image of the program that serves what lies outside the cluster; empty means that there is none.
	Outside string
	// Injector is the image of the program that injects containers, as the cluster calls it; empty means that nothing is injected.
	Injector string
	// Parallel is how many fixtures run at once; 0 means DefaultParallel.
	Parallel int
	// Journal reads the node's logs; nil means that they cannot be read.
	Journal Journal
}

// Target is a cluster that has the reference implementation.
type Target struct {
	o         Options
	there     *cluster.Target
	client    client.WithWatch
	clientset kubernetes.Interface

	mu     sync.Mutex
	opened *opened
	broken error
	// made is how many installations there were.
	made int
}

var (
	_ conformance.Target = (*Target)(nil)
	_ conformance.Prober = (*Target)(nil)
)

// New connects to the cluster, and looks at what is there. Nothing is changed before the first Start.
func New(ctx context.Context, o Options) (*Target, error) {
	t := &Target{o: o}
	t.o.Config = rest.CopyConfig(o.Config)
	if t.o.Config.QPS == 0 {
		t.o.Config.QPS = -1 // the server knows how much it can take
	}
	if o.Parallel == 0 {
		t.o.Parallel = DefaultParallel
	}
	var err error
	if t.there, err = cluster.New(ctx, cluster.Options{Config: t.o.Config, Images: o.Images, Parallel: t.o.Parallel}); err != nil {
		return nil, err
	}
	if t.client, err = client.NewWithWatch(t.o.Config, client.Options{}); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", o.Config.Host, err)
	}
	if t.clientset, err = kubernetes.NewForConfig(t.o.Config); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", o.Config.Host, err)
	}
	return t, nil
}

// Name implements conformance.Target.
func (t *Target) Name() string { return Name }

// Capabilities implements conformance.Target.
func (t *Target) Capabilities() conformance.Capabilities {
	c := t.there.Capabilities()
	c.SideBySide, c.Remote, c.Injector = true, t.o.Outside != "", t.o.Injector != ""
	c.Tenancies = fixture.Tenancies()
	c.Configurable = func(configMap, key string) bool { return true }
	return c
}

// Probe implements conformance.Prober.
func (t *Target) Probe(claims conformance.Claims) []reports.Finding { return t.there.Probe(claims) }

// Start implements conformance.Target. The first call makes the installation ready; one under a configuration adds another.
func (t *Target) Start(ctx context.Context, s conformance.Setup) (conformance.Cluster, error) {
	if len(s.Faults) > 0 || len(s.Mocks) > 0 {
		return nil, fmt.Errorf("target %s has no faults and no mocks", Name)
	}
	if err := t.Open(ctx); err != nil {
		return nil, err
	}
	c := &Cluster{Cluster: t.there.Enter(ctx), target: t, tenancy: s.Tenancy, injects: s.Injects}
	if len(s.Injects) > 0 {
		if len(s.Namespaces) != 1 {
			return nil, fmt.Errorf("containers are injected into one namespace, not into %d", len(s.Namespaces))
		}
		var err error
		if c.endInjecting, err = t.injecting(ctx, s.Namespaces[0], s.Injects); err != nil {
			return nil, err
		}
	}
	if len(s.Config) == 0 && s.Tenancy != fixture.TenancyEverywhere && s.Remote.Empty() {
		return c, nil // the first installation is bound by namespaces
	}
	var err error
	if c.installation, err = t.install(ctx, s); err != nil {
		err = fmt.Errorf("installing under a configuration: %w", err)
		if c.endInjecting != nil {
			err = errors.Join(err, c.endInjecting())
		}
		return nil, err
	}
	return c, nil
}
