// Package simulator is a Kubernetes cluster in one process on virtual time.
//
// [New] puts one together: a kernel (one heap of events, one clock, one seed), an
// API server, a scheduler with a volume binder, a node, a garbage collector and the
// controllers that look after namespaces and nodes. Nothing in it starts a goroutine; the
// cluster moves when its kernel is stepped.
//
// The cluster knows Kubernetes and nothing else. Kinds, images, programs and
// controllers of whoever wants to be tested on it are handed in: kinds by the
// scheme and [Options.Kinds] (or CustomResourceDefinitions, later), programs by
// [Options.Programs], controllers by watching [Cluster.Server].
package simulator

import (
	"fmt"
	"io"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/garbagecollector"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
	"github.com/plumbline-ci/plumbline/simulator/nodelifecycle"
	"github.com/plumbline-ci/plumbline/simulator/scheduler"
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

	// API configures the API server. Its Kernel is set by New.
	API apiserver.Options
	// Scheme is API.Scheme, unless that is set.
	Scheme *runtime.Scheme

	// Images are what can be pulled; nil means image.Defaults.
	Images *image.Catalogue
	// PullImages makes nodes start without images. Otherwise every image of the
	// catalogue is present, unless its Pod always pulls.
	PullImages bool
	// Programs are what the executables of images run, besides the built-in ones.
	Programs map[string]container.Program
	// Mocks stand in for commands that cannot be interpreted.
	Mocks *container.Mocks
	// Budget bounds every container.
	Budget container.Budget

	// Node describes the node; its Name may be empty.
	Node kubelet.Node
	// Timing is how long things take on the node; nil means kubelet.DefaultTiming.
	Timing *kubelet.Timing
	// Faults are what goes wrong on the node.
	Faults kubelet.Faults
	// OnOutput sees all output of containers as it is written, also of Pods that
	// will be gone when somebody asks for their logs.
	OnOutput func(kubelet.Output)
}

// Cluster is a running cluster. Like its kernel it is not safe for concurrent use.
type Cluster struct {
	kernel     *kernel.Kernel
	server     *apiserver.Server
	images     *image.Catalogue
	programs   map[string]container.Program
	kubelet    *kubelet.Kubelet
	scheduler  *scheduler.Scheduler
	binder     *scheduler.VolumeBinder
	collector  *garbagecollector.Collector
	namespaces *namespace.Controller
	nodes      *nodelifecycle.Controller
	node       string
}

// New makes a cluster. Its node is registered; its first events have not run.
func New(o Options) (*Cluster, error) {
	c := &Cluster{images: o.Images, programs: builtinPrograms()}
	maps.Copy(c.programs, o.Programs)
	if c.images == nil {
		defaults, err := image.Defaults()
		if err != nil {
			return nil, fmt.Errorf("the built-in images: %w", err)
		}
		if c.images, err = image.NewCatalogue(defaults...); err != nil {
			return nil, fmt.Errorf("the built-in images: %w", err)
		}
	}
	c.kernel = kernel.New(kernel.Options{Seed: o.Seed, Epoch: o.Epoch, OnRecord: o.OnRecord})
	o.API.Kernel = c.kernel
	if o.API.Scheme == nil {
		o.API.Scheme = o.Scheme
	}
	c.server = apiserver.New(o.API)
	c.scheduler = scheduler.New(scheduler.Options{Kernel: c.kernel, Client: c.Client(scheduler.DefaultName), Source: c.server})
	c.binder = scheduler.NewVolumeBinder(c.kernel, c.Client("volume-binder"))
	node := o.Node
	if node.Name == "" {
		node.Name = DefaultNode
	}
	node.Admit = append(node.Admit, c.scheduler.Admission(node.Name))
	c.kubelet = kubelet.New(kubelet.Options{
		Kernel: c.kernel, Client: c.Client("kubelet"), Source: c.server, Node: node, Timing: o.Timing, Faults: o.Faults, OnOutput: o.OnOutput,
		Runtime: &runner{kernel: c.kernel, images: c.images, programs: c.programs, mocks: o.Mocks, budget: o.Budget},
		Images:  registry{catalogue: c.images, local: !o.PullImages},
	})
	c.node = node.Name
	c.nodes = nodelifecycle.New(nodelifecycle.Options{Kernel: c.kernel, Client: c.Client("node-controller")})
	owners, content := kindsToWatch(o.API.Kinds)
	c.collector = garbagecollector.New(garbagecollector.Options{Kernel: c.kernel, Client: c.Client("garbage-collector"), Source: c.server, Kinds: owners})
	c.namespaces = namespace.New(namespace.Options{Kernel: c.kernel, Client: c.Client("namespace-controller"), Source: c.server, Kinds: content})
	for _, start := range []func() error{
		c.namespaces.Start, c.collector.Start, c.scheduler.Start, func() error { return c.binder.Start(c.server) }, c.watchDefinitions, c.kubelet.Start,
	} {
		if err := start(); err != nil {
			return nil, fmt.Errorf("starting the cluster: %w", err)
		}
	}
	return c, nil
}

// Kernel returns the kernel that moves the cluster.
func (c *Cluster) Kernel() *kernel.Kernel { return c.kernel }

// Server returns the API server, which is also the source of watch events.
func (c *Cluster) Server() *apiserver.Server { return c.server }

// Client returns a client of the API server; actor names it in the trace and to
// faults.
func (c *Cluster) Client(actor string) client.WithWatch { return c.server.Client(actor) }

// Images returns what can be pulled. Images may be added while the cluster runs.
func (c *Cluster) Images() *image.Catalogue { return c.images }

// Kubelet returns the node's kubelet.
func (c *Cluster) Kubelet() *kubelet.Kubelet { return c.kubelet }

// Logs returns what a container has written.
func (c *Cluster) Logs(namespace, pod, container string) ([]byte, error) {
	return c.kubelet.Logs(namespace, pod, container)
}

// Exec runs a command in a running container; done gets its exit code. An empty
// container means the Pod's first.
func (c *Cluster) Exec(namespace, pod, container string, argv []string, stdout, stderr io.Writer, done func(code int)) error {
	return c.kubelet.Exec(namespace, pod, container, argv, stdout, stderr, done)
}

// CreateNamespace creates a namespace with all that belongs into one, without
// waiting for its controllers.
func (c *Cluster) CreateNamespace(name string, labels map[string]string) error {
	return c.server.CreateNamespace(name, labels)
}

// LoseNode cuts the node off. Its containers run on, but nobody hears of them; the
// cluster reacts as it would ([nodelifecycle]).
func (c *Cluster) LoseNode() {
	c.kubelet.Lose()
	c.nodes.Lost(c.node)
}

// RecoverNode ends what LoseNode began.
func (c *Cluster) RecoverNode() {
	c.nodes.Recovered(c.node)
	c.kubelet.Recover()
}

// RunFor lets d of virtual time pass.
func (c *Cluster) RunFor(d time.Duration) { c.kernel.RunUntil(c.kernel.Now().Add(d)) }
