// Package cluster is the target that starts nothing: whatever is installed behind a kubeconfig is judged.
//
// The target needs what a user of the cluster has, and may make namespaces. Fixtures run in parallel, in a namespace
// each. Those that ask for a configuration run together, after the implementation's ConfigMaps were changed, which are
// put back afterwards; where its owner has not allowed that, the fixtures are unsupported.
//
//	cluster.go        the target: what it can do
//	connection.go     the kubeconfig
//	discovery.go      what is there: versions, nodes, kinds, rights
//	running.go        the cluster, as the engine sees it
//	configuration.go  the implementation's ConfigMaps, changed and put back
//	tenancy.go        its roles, bound where it is installed for tenants
//	occupancy.go      one run at a time
//	containers.go     logs and commands, through the API server
//	images.go         images that are called otherwise here
//
// Limits: time is real and there is no seed; nothing is mocked, and nothing is made to fail. That a changed configuration
// is in force cannot be seen from outside: its being stored is waited for, and then for as long as the owner says that
// the implementation takes to notice. Of two runs that change the configuration the second is refused; a run that changes
// nothing does not know of others.
package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/remote"
)

// Name is the target's name in reports.
const Name = "cluster"

// DefaultParallel is how many fixtures run at once. Thirty TaskRuns at once take half a minute on a small node, of the two
// minutes that a fixture waits.
const DefaultParallel = 16

// Options configure the target. Config is all that must be given.
type Options struct {
	// Config reaches the API server.
	Config *rest.Config
	// Configuration says where the implementation's configuration lives and which keys may be changed; nil means none.
	Configuration *conformance.SubjectConfiguration
	// Roles are the implementation's, and how they are bound; nil means that fixtures about them cannot be judged.
	Roles *conformance.SubjectRoles
	// Images are what images of fixtures are called here.
	Images map[string]string
	// Substituted are components that are not the implementation's own here.
	Substituted []string
	// Remote says that what lies outside the cluster is served to the implementation's resolvers, for all fixtures.
	Remote bool
	// Parallel is how many fixtures run at once; 0 means DefaultParallel.
	Parallel int
}

// Target is a cluster that is there already.
type Target struct {
	o         Options
	client    client.WithWatch
	clientset kubernetes.Interface
	images    *images
	found     found

	holding sync.Mutex
	held    *occupancy

	mu   sync.Mutex
	busy bool
	// restored is when the configuration was put back last.
	restored time.Time
}

var (
	_ conformance.Target = (*Target)(nil)
	_ conformance.Prober = (*Target)(nil)
)

// New connects to the cluster and looks at what is there. Nothing is changed.
func New(ctx context.Context, o Options) (*Target, error) {
	t := &Target{o: o}
	var err error
	if t.images, err = newImages(o.Images); err != nil {
		return nil, err
	}
	t.o.Config = rest.CopyConfig(o.Config)
	if t.o.Config.QPS == 0 {
		t.o.Config.QPS = -1 // the server knows how much it can take
	}
	if t.client, err = client.NewWithWatch(t.o.Config, client.Options{}); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", o.Config.Host, err)
	}
	if t.clientset, err = kubernetes.NewForConfig(t.o.Config); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", o.Config.Host, err)
	}
	if t.found, err = t.discover(ctx); err != nil {
		return nil, fmt.Errorf("looking at the cluster %s: %w", o.Config.Host, err)
	}
	return t, nil
}

// Name implements conformance.Target.
func (t *Target) Name() string { return Name }

// Capabilities implements conformance.Target.
func (t *Target) Capabilities() conformance.Capabilities {
	parallel := t.o.Parallel
	if parallel == 0 {
		parallel = DefaultParallel
	}
	return conformance.Capabilities{
		RealKubelet:  t.found.realKubelet,
		Remote:       t.o.Remote,
		Tenancies:    t.tenancies(),
		Parallel:     parallel,
		Configurable: t.configurable,
		Served: func(k schema.GroupVersionKind) bool {
			return k.Group != groupTekton || slices.Contains(t.found.kinds, k)
		},
		Substituted:       t.substituted(),
		KubernetesVersion: t.found.version,
	}
}

// substituted are the components that are not the implementation's own, as its owner says and as the nodes do.
func (t *Target) substituted() []string {
	out := slices.Concat(t.o.Substituted, t.found.substituted)
	slices.Sort(out)
	return slices.Compact(out)
}

// Start implements conformance.Target: the configuration is changed, if the setup asks for one.
func (t *Target) Start(ctx context.Context, s conformance.Setup) (conformance.Cluster, error) {
	if len(s.Faults) > 0 || len(s.Mocks) > 0 {
		return nil, fmt.Errorf("target %s has no faults and no mocks", Name)
	}
	if t.o.Configuration != nil {
		if err := t.Hold(ctx, t.o.Configuration.Namespace); err != nil {
			return nil, err
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.busy {
		return nil, fmt.Errorf("target %s is in use under another configuration", Name)
	}
	c := t.Enter(ctx)
	c.tenancy = s.Tenancy
	var err error
	if c.change, err = t.configure(ctx, c.world, s.Config); err != nil {
		c.world.End(err)
		return nil, err
	}
	t.busy = true
	return c, nil
}

// Enter returns the cluster as it is. There may be any number of these at once: the caller sees to the configuration.
func (t *Target) Enter(ctx context.Context) *Cluster {
	c := &Cluster{target: t, world: remote.NewWorld(ctx, t.client)}
	t.holding.Lock()
	defer t.holding.Unlock()
	if t.held != nil {
		t.held.enter(c.world)
	}
	return c
}

// done lets the next cluster be started.
func (t *Target) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy = false
}
