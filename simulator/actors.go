package simulator

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/garbagecollector"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/namespace"
	"github.com/plumbline-ci/plumbline/simulator/nodelifecycle"
	"github.com/plumbline-ci/plumbline/simulator/quota"
	"github.com/plumbline-ci/plumbline/simulator/scheduler"
	"github.com/plumbline-ci/plumbline/simulator/statefulset"
)

// API is what a cluster's actors know of its API server. Requests are made, and events arrive, on the kernel's goroutine.
type API interface {
	// Client returns a client without a cache for one actor.
	Client(actor string) client.Client
	Source() informer.Source
}

// Role is a part that an actor plays in a cluster, besides the node's.
type Role string

// The roles. Volumes are bound and provisioned, quotas counted, nodes watched over, Pods of StatefulSets made.
const (
	RoleScheduler        Role = "scheduler"
	RoleVolumes          Role = "volumes"
	RoleGarbageCollector Role = "garbage-collector"
	RoleNamespaces       Role = "namespaces"
	RoleServiceAccounts  Role = "service-accounts"
	RoleQuota            Role = "quota"
	RoleNodes            Role = "nodes"
	RoleStatefulSets     Role = "stateful-sets"
)

// Roles are all roles.
func Roles() []Role {
	return []Role{RoleScheduler, RoleVolumes, RoleGarbageCollector, RoleNamespaces, RoleServiceAccounts, RoleQuota, RoleNodes, RoleStatefulSets}
}

// kubeletActor is the kubelet's name to the API server.
const kubeletActor = "kubelet"

// Actors are a cluster without its API server: the scheduler with its volume binder, nodes, the garbage collector and
// the controllers of namespaces, nodes and StatefulSets.
type Actors struct {
	kernel     *kernel.Kernel
	supplies   *supplies
	programs   map[string]container.Program
	kubelet    *kubelet.Kubelet
	more       []*kubelet.Kubelet // of further nodes
	names      []string           // of further nodes
	scheduler  *scheduler.Scheduler
	binder     *scheduler.VolumeBinder
	collector  *garbagecollector.Collector
	namespaces *namespace.Controller
	nodes      *nodelifecycle.Controller
	sets       *statefulset.Controller
	quotas     *quota.Controller // nil before the simulated API server, which counts itself
	node       string
	source     informer.Source
	without    []Role
}

// Attach puts a cluster's actors before a foreign API server, which serves the kinds of o.API.Kinds. Of the options, those
// about the kernel and the rest of API are not used.
func Attach(k *kernel.Kernel, api API, o Options) (*Actors, error) {
	a, err := newActors(k, api, o)
	if err != nil {
		return nil, err
	}
	a.quotas = quota.New(quota.Options{Kernel: k, Client: api.Client("resourcequota-controller"), Source: a.source})
	if err := a.start(a.unless(RoleQuota, a.quotas.Start), a.unless(RoleStatefulSets, a.sets.Start)); err != nil {
		return nil, err
	}
	if a.plays(RoleNodes) {
		// A real API server taints new nodes until a controller says that they are ready.
		for _, name := range append([]string{a.node}, a.names...) {
			a.nodes.Ready(name)
		}
	}
	return a, nil
}

// plays reports whether a role is ours.
func (a *Actors) plays(r Role) bool { return !slices.Contains(a.without, r) }

// unless is start, if the role is ours.
func (a *Actors) unless(r Role, start func() error) func() error {
	if a.plays(r) {
		return start
	}
	return func() error { return nil }
}

// Watch takes in a further kind: owners and dependents of that kind are collected, and namespaces emptied of it.
func (a *Actors) Watch(gvk schema.GroupVersionKind, namespaced bool) error {
	if a.plays(RoleGarbageCollector) {
		if err := a.collector.Watch(gvk); err != nil {
			return err
		}
	}
	if namespaced {
		a.namespaces.Watch(gvk)
	}
	return nil
}

func newActors(k *kernel.Kernel, api API, o Options) (*Actors, error) {
	a := &Actors{kernel: k, supplies: &supplies{images: o.Images, mocks: o.Mocks}, programs: builtinPrograms(o.Scripts), source: api.Source(), without: o.Without}
	maps.Copy(a.programs, o.Programs)
	if a.supplies.images == nil {
		defaults, err := image.Defaults()
		if err != nil {
			return nil, fmt.Errorf("the built-in images: %w", err)
		}
		if a.supplies.images, err = image.NewCatalogue(defaults...); err != nil {
			return nil, fmt.Errorf("the built-in images: %w", err)
		}
	}
	a.scheduler = scheduler.New(scheduler.Options{Kernel: k, Client: api.Client(scheduler.DefaultName), Source: a.source, Boundless: o.Boundless})
	a.binder = scheduler.NewVolumeBinder(k, api.Client("volume-binder"))
	a.addNodes(api, o)
	a.nodes = nodelifecycle.New(nodelifecycle.Options{Kernel: k, Client: api.Client("node-controller")})
	a.sets = statefulset.New(statefulset.Options{Kernel: k, Client: api.Client(statefulset.Actor), Source: a.source})
	owners, content := kindsToWatch(o.API.Kinds)
	a.collector = garbagecollector.New(garbagecollector.Options{Kernel: k, Client: api.Client("garbage-collector"), Source: a.source, Kinds: owners})
	a.namespaces = namespace.New(namespace.Options{Kernel: k, Client: api.Client("namespace-controller"), Source: a.source, Kinds: content,
		Authority: o.Authority, KeepFull: !a.plays(RoleNamespaces), KeepBare: !a.plays(RoleServiceAccounts), Remote: o.Namespaces})
	return a, nil
}

// addNodes makes the node, and further ones if there are any. They share the volumes of claims.
func (a *Actors) addNodes(api API, o Options) {
	claims := map[types.UID]kubelet.Volume{}
	add := func(actor string, node kubelet.Node) *kubelet.Kubelet {
		node.Admit = append(slices.Clip(node.Admit), a.scheduler.Admission(node.Name))
		watched := a.source
		if list, ok := a.source.(informer.ListSource); ok && o.Disturb != nil {
			watched = o.Disturb(actor, list)
		}
		return kubelet.New(kubelet.Options{
			Kernel: a.kernel, Client: api.Client(actor), Source: watched, Node: node, Timing: o.Timing, Faults: o.Faults, OnOutput: o.OnOutput,
			Claims: claims,
			Runtime: &runner{
				kernel: a.kernel, supplies: a.supplies, programs: a.programs, launchers: slices.Sorted(maps.Keys(o.Programs)), budget: o.Budget,
				onMissing: o.OnMissing, stubMissing: o.StubMissing,
			},
			Images: registry{supplies: a.supplies, local: !o.PullImages},
		})
	}
	o.Node.Name = cmp.Or(o.Node.Name, DefaultNode)
	a.node, a.kubelet = o.Node.Name, add(kubeletActor, o.Node)
	for i, node := range o.MoreNodes {
		node.Address = cmp.Or(node.Address, fmt.Sprintf("172.18.0.%d", 3+i))
		node.PodNetwork = cmp.Or(node.PodNetwork, fmt.Sprintf("10.%d.", 245+i))
		a.names, a.more = append(a.names, node.Name), append(a.more, add(kubeletActor+"/"+node.Name, node))
	}
}

// on is the kubelet that has a Pod, or had it last; the first one if none does.
func (a *Actors) on(namespace, pod string) *kubelet.Kubelet {
	for _, k := range a.more {
		if k.Runs(namespace, pod) {
			return k
		}
	}
	if a.kubelet.Runs(namespace, pod) {
		return a.kubelet
	}
	for _, k := range a.more {
		if k.Knows(namespace, pod) && !a.kubelet.Knows(namespace, pod) {
			return k
		}
	}
	return a.kubelet
}

// start sets everything going; the node comes last, after what the caller adds.
func (a *Actors) start(more ...func() error) error {
	steps := []func() error{
		a.namespaces.Start, a.unless(RoleGarbageCollector, a.collector.Start), a.unless(RoleScheduler, a.scheduler.Start),
		a.unless(RoleVolumes, func() error { return a.binder.Start(a.source) }),
	}
	steps = append(append(steps, more...), a.kubelet.Start)
	for _, k := range a.more {
		steps = append(steps, k.Start)
	}
	for _, start := range steps {
		if err := start(); err != nil {
			return fmt.Errorf("starting the cluster: %w", err)
		}
	}
	return nil
}

// Kernel returns the kernel that moves the cluster.
func (a *Actors) Kernel() *kernel.Kernel { return a.kernel }

// Images returns what can be pulled. Images may be added while the cluster runs.
func (a *Actors) Images() *image.Catalogue { return a.supplies.images }

// Supply changes what stands in for commands in one namespace, for containers that start from now on.
func (a *Actors) Supply(namespace string, mocks *container.Mocks) {
	if a.supplies.own == nil {
		a.supplies.own = map[string]*container.Mocks{}
	}
	a.supplies.own[namespace] = mocks
}

// Kubelet returns the kubelet of the node, the first one if there are several.
func (a *Actors) Kubelet() *kubelet.Kubelet { return a.kubelet }

// Logs returns what a container has written.
func (a *Actors) Logs(namespace, pod, container string) ([]byte, error) {
	return a.on(namespace, pod).Logs(namespace, pod, container)
}

// Exec runs a command in a running container; done gets its exit code. An empty
// container means the Pod's first.
func (a *Actors) Exec(namespace, pod, container string, argv []string, stdout, stderr io.Writer, done func(code int)) error {
	return a.on(namespace, pod).Exec(namespace, pod, container, argv, stdout, stderr, done)
}

// ExecInput is Exec for a command with standard input, which is what is written to the result.
func (a *Actors) ExecInput(namespace, pod, container string, argv []string, stdout, stderr io.Writer, done func(code int)) (io.WriteCloser, error) {
	return a.on(namespace, pod).ExecInput(namespace, pod, container, argv, stdout, stderr, done)
}

// Stop ends the actors' watches. Pods and containers are left as they are.
func (a *Actors) Stop() {
	a.kubelet.Stop()
	for _, k := range a.more {
		k.Stop()
	}
	a.scheduler.Stop()
	a.collector.Stop()
	a.namespaces.Stop()
	a.binder.Stop()
	a.sets.Stop()
	if a.quotas != nil {
		a.quotas.Stop()
	}
}

// LoseNode cuts the node off, the first one if there are several. Its containers run on, but their state is not
// reported; the cluster reacts as it would ([nodelifecycle]).
func (a *Actors) LoseNode() {
	a.kubelet.Lose()
	a.nodes.Lost(a.node)
}

// RecoverNode ends what LoseNode began.
func (a *Actors) RecoverNode() {
	a.nodes.Recovered(a.node)
	a.kubelet.Recover()
}
