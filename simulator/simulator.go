// Package simulator is a Kubernetes cluster in one process on virtual time.
//
// [New] puts one together: a kernel (one heap of events, one clock, one seed), an
// API server, a scheduler with a volume binder, a node, a garbage collector and the
// controllers that look after namespaces and nodes. Nothing in it starts a goroutine; the
// cluster moves when its kernel is stepped.
//
// The cluster knows Kubernetes and nothing else. The code under test hands in its
// kinds, images, programs and controllers: kinds by the scheme and [Options.Kinds] (or
// CustomResourceDefinitions, later), programs by [Options.Programs], controllers by
// watching [Cluster.Server].
package simulator

import (
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
	"github.com/plumbline-ci/plumbline/simulator/shell"
)

// DefaultNode is the name of the node, unless Options say otherwise.
const DefaultNode = "node"

// Options are what a cluster is made of. The zero value is a cluster with the
// built-in kinds and images.
type Options struct {
	// Seed decides everything that is random.
	Seed uint64
	// Epoch is the first instant; zero means kernel.Epoch.
	Epoch time.Time
	// OnRecord sees every record of the trace.
	OnRecord func(kernel.Record)
	// OnTurn is called when a coroutine, as a container's process is one, goes on, and with the empty string when it rests.
	OnTurn func(actor string)

	// API configures the API server. Its Kernel is set by New.
	API apiserver.Options
	// Scheme is API.Scheme, unless that is set.
	Scheme *runtime.Scheme

	// Images are what can be pulled; nil means image.Defaults.
	Images *image.Catalogue
	// PullImages makes nodes start without images. Otherwise every image of the
	// catalogue is present, unless its Pod always pulls.
	PullImages bool
	// Programs are what the executables of images run, besides the built-in ones. No mock stands in for them, and what they
	// start is the container's own command.
	Programs map[string]container.Program
	// Scripts are shared with other clusters, which then need not parse them again; nil means that they are not.
	Scripts *shell.Library
	// Mocks stand in for commands that cannot be interpreted.
	Mocks *container.Mocks
	// OnMissing sees each command line that a container could not find, once for each container.
	OnMissing func(MissingCommand)
	// StubMissing makes commands that cannot be found succeed without doing anything.
	StubMissing bool
	// Boundless makes every node have whatever Pods ask for: processors, memory, devices, labels.
	Boundless bool
	// Budget bounds every container.
	Budget container.Budget

	// Without are the roles that other programs play, before a foreign API server.
	Without []Role
	// Authority is the certificate of the cluster's authority, which every namespace has; empty means a made-up one.
	Authority string
	// Namespaces empties namespaces of a real API server; nil means a simulated one.
	Namespaces namespace.Remote

	// Node describes the node; its Name may be empty.
	Node kubelet.Node
	// MoreNodes are further nodes. Their Names are needed; what distinguishes their network is filled in.
	MoreNodes []kubelet.Node
	// Timing is how long things take on the node; nil means kubelet.DefaultTiming.
	Timing *kubelet.Timing
	// Faults are what goes wrong on the node.
	Faults kubelet.Faults
	// Disturb, if set, may put something between the API server and what the node's
	// kubelet watches.
	Disturb func(actor string, s informer.ListSource) informer.ListSource
	// OnOutput sees all output of containers as it is written, also of Pods that
	// will be gone when their logs are asked for.
	OnOutput func(kubelet.Output)
}

// MissingCommand is a command that a container tried to run and does not have.
type MissingCommand struct {
	Namespace, Pod, Container string
	container.MissingCommand
}

// Cluster is a running cluster. Like its kernel it is not safe for concurrent use.
type Cluster struct {
	*Actors
	server *apiserver.Server
}

// New makes a cluster. Its node is registered; its first events have not run.
func New(o Options) (*Cluster, error) {
	k := kernel.New(kernel.Options{Seed: o.Seed, Epoch: o.Epoch, OnRecord: o.OnRecord, OnTurn: o.OnTurn})
	o.API.Kernel = k
	if o.API.Scheme == nil {
		o.API.Scheme = o.Scheme
	}
	c := &Cluster{server: apiserver.New(o.API)}
	var err error
	if c.Actors, err = newActors(k, served{c.server}, o); err != nil {
		return nil, err
	}
	for _, kind := range []string{"Role", "RoleBinding"} {
		c.namespaces.Watch(rbacv1.SchemeGroupVersion.WithKind(kind)) // a namespace is emptied of them, too
	}
	if err := c.start(c.watchDefinitions, c.awaitStatefulSets); err != nil {
		return nil, err
	}
	return c, nil
}

// served is the cluster's own API server, as its actors know it.
type served struct{ *apiserver.Server }

func (s served) Client(actor string) client.Client { return s.Server.Client(actor) }
func (s served) Source() informer.Source           { return s.Server }

// Server returns the API server, which is also the source of watch events.
func (c *Cluster) Server() *apiserver.Server { return c.server }

// Client returns a client of the API server; actor names it in the trace and to
// faults.
func (c *Cluster) Client(actor string) client.WithWatch { return c.server.Client(actor) }

// CreateNamespace creates a namespace with all that belongs into one, without
// waiting for its controllers.
func (c *Cluster) CreateNamespace(name string, labels map[string]string) error {
	return c.server.CreateNamespace(name, labels)
}

// RunFor lets d of virtual time pass.
func (c *Cluster) RunFor(d time.Duration) { c.kernel.RunUntil(c.kernel.Now().Add(d)) }
