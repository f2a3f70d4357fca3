package conformance

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/internal/session"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/reports"
)

// Target is a kind of cluster that an implementation runs on.
type Target interface {
	// Name is how reports name it: fake, envtest, kind.
	Name() string
	// Capabilities say what fixtures can ask of it. They do not change.
	Capabilities() Capabilities
	// Start makes a cluster ready: the implementation runs in it, under the setup.
	// A target that is neither Isolated nor SideBySide has at most one cluster at a time.
	Start(ctx context.Context, s Setup) (Cluster, error)
}

// Capabilities are what a target has.
type Capabilities struct {
	// VirtualTime: waiting costs nothing, and the same seed gives the same run.
	VirtualTime bool
	// Mocks, RealKubelet, Faults, Injector, Remote: as a fixture's needs.
	Mocks, RealKubelet, Faults, Injector, Remote bool
	// Tenancies are the values of a fixture's tenancy that clusters can have.
	Tenancies []string
	// Images: images are what fixtures describe them to be; of a real kubelet they are what they are.
	Images bool
	// Isolated: every Start makes a cluster of its own, and clusters may live side by side.
	// Otherwise fixtures share one, grouped by configuration.
	Isolated bool
	// SideBySide: clusters under different setups may live side by side, as installations of one cluster do. Each is
	// shared by the fixtures of its configuration.
	SideBySide bool
	// Parallel is how many fixtures can run at once; 0 means one.
	Parallel int
	// Configurable reports whether a key of feature-flags or config-defaults may be set; nil means none.
	Configurable func(configMap, key string) bool
	// Served reports whether the API server has a kind that manifests are of; nil means all.
	Served func(schema.GroupVersionKind) bool
	// Substituted are components (as fixture.ComponentLauncher) that are not the implementation's own on this target.
	Substituted []string
	// KubernetesVersion is for the report.
	KubernetesVersion string
}

// place returns a target as plans need it.
func (c Capabilities) place(name string) verdict.Place {
	p := verdict.Place{Name: name, Images: c.Images, Tenancies: c.Tenancies, Isolated: c.Isolated, Configurable: c.Configurable, Served: c.Served, Substituted: c.Substituted}
	for _, x := range []struct {
		has  bool
		need string
	}{{c.Faults, fixture.NeedsFaults}, {c.Injector, fixture.NeedsInjector}, {c.Mocks, fixture.NeedsMocks}, {c.RealKubelet, fixture.NeedsRealKubelet}, {c.Remote, fixture.NeedsRemote}, {c.VirtualTime, fixture.NeedsVirtualTime}} {
		if x.has {
			p.Has = append(p.Has, x.need)
		}
	}
	return p
}

// Setup is what a cluster is started for.
type Setup struct {
	// Name is the fixture's name, or of a shared cluster the first one's.
	Name string
	// Seed decides everything random on virtual time.
	Seed uint64
	// Config are keys of the implementation's ConfigMaps, over their defaults.
	Config fixture.Config
	Mocks  []fixture.Mock
	Images []fixture.Image
	// CustomTasks stand in for controllers of custom tasks, on targets that have mocks.
	CustomTasks []fixture.StandIn
	// Injects are containers that are added to each new Pod, on targets with an injector.
	Injects []fixture.Injected
	// Tenancy is how the implementation's roles are bound, one of the target's Tenancies; empty means as it likes.
	Tenancy string
	// Remote is what lies outside the cluster, on targets that have resolvers look there.
	Remote fixture.Remote
	Faults []fixture.Fault
	// Namespaces are those that the fixtures of a shared cluster will ask for, as long as it lasts.
	Namespaces []string
	// Trace asks for the last of what happens to be remembered; see Traced.
	Trace bool
}

// ErrDeadline is returned by Cluster.WaitUntil when the deadline passed.
var ErrDeadline = session.ErrDeadline

// Cluster is a running cluster, as the engine sees it.
type Cluster interface {
	// Client reads and writes unstructured objects, without a cache.
	Client() client.Client
	// Observe shows every version of objects: it calls handler with what exists and then with every change, in order. The
	// object is the handler's to keep, but not to change. An empty namespace means all. If versions were lost, as after an API
	// server was restarted, the handler is called with watch.Error and a Status whose message says so, and then with what
	// differs now.
	Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (stop func(), err error)
	// Logs returns what the container has printed.
	Logs(ctx context.Context, namespace, pod, container string) (string, error)
	// Exec runs a command in the container to its end.
	Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error)
	// Now is the cluster's time.
	Now() time.Time
	// WaitUntil lets the world go on until cond holds (nil), or until the deadline has
	// passed (ErrDeadline); any other error means that the world broke. cond is asked at
	// once and after every change, and on real time at least once a second; always on the
	// caller's goroutine. Before ErrDeadline it has been asked at the deadline.
	WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error
	// CreateNamespace makes a namespace in which a Pod can be created: its default ServiceAccount is there.
	CreateNamespace(ctx context.Context, name string) error
	// Close ends the cluster, or the engine's use of it, and takes back its setup.
	Close() error
}

// What follows is optional: a target or a cluster may implement it.

// Traced clusters keep a trace of everything that happened.
type Traced interface {
	// TraceHash identifies the trace.
	TraceHash() string
	// TraceTail returns the last of what happened, if Setup.Trace asked for it.
	TraceTail() []string
}

// MockUser clusters know which mocks have not been used.
type MockUser interface {
	UnusedMocks() []fixture.Mock
	UnusedStandIns() []fixture.StandIn
}

// LazyCluster clusters lose no versions, and show them without making trees of them, which most are not asked for.
type LazyCluster interface {
	// ObserveLazily is Observe, but the tree of a version is made when tree is called for the first time. object is the
	// version, of any Go type. Both are the handler's to keep, but not to change.
	ObserveLazily(gvk schema.GroupVersionKind, namespace string, handler func(event watch.EventType, object metav1.Object, tree func() *unstructured.Unstructured)) (stop func(), err error)
}

// CommandFinder clusters know which commands containers tried to run and did not have. An empty namespace means all.
type CommandFinder interface {
	MissingCommands(namespace string) []reports.MissingCommand
}

// NamespaceRemover clusters that are shared take away a fixture's namespace in a way of their own; of others it is deleted.
type NamespaceRemover interface {
	RemoveNamespace(ctx context.Context, name string) error
}

// Collector clusters know more of what went on in a namespace than its objects and the containers' logs say.
type Collector interface {
	Collect(ctx context.Context, namespace string, since time.Time) []reports.Log
}

// Prober targets can tell, before anything is run, where claims and what is there differ.
type Prober interface {
	Probe(c Claims) []reports.Finding
}

// Guarded clusters watch over invariants that only they can see.
type Guarded interface {
	// Guard calls found with each violation, inside the event that makes it.
	Guard(found func(invariant.Violation))
}

// Accountable clusters know the user that the implementation is: the service account that it runs under. Those with tenancies are.
type Accountable interface {
	Account() string
}

// LogKeeper clusters keep the ends of the logs of Pods that are gone.
type LogKeeper interface {
	KeptLog(namespace, pod, container string) string
}

// FaultUser clusters let go wrong what Setup.Faults says.
type FaultUser interface {
	// UnusedFaults are those that have not struck.
	UnusedFaults() []fixture.Fault
	// StopFaults keeps them from striking from now on.
	StopFaults()
	// Strikes are lines that tell what has gone wrong so far: when, which fault, and what it hit.
	Strikes() []string
}

// A session asks for what it needs of these by interfaces of its own.
var (
	_ session.Cluster       = Cluster(nil)
	_ session.MockUser      = MockUser(nil)
	_ session.FaultUser     = FaultUser(nil)
	_ session.Guarded       = Guarded(nil)
	_ session.LogKeeper     = LogKeeper(nil)
	_ session.CommandFinder = CommandFinder(nil)
	_ session.Accountable   = Accountable(nil)
	_ observe.LazyCluster   = LazyCluster(nil)
	_ session.Collector     = Collector(nil)
)
