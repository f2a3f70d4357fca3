package fake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/standin"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// Cluster is one simulated cluster with the implementation running in it.
type Cluster struct {
	name       string
	sim        *simulator.Cluster
	client     client.Client
	settings   *settings
	subject    *subject.Subject
	remote     subject.Remote
	controller process
	attached   subject.Attached
	given      []fixture.Mock
	mocks      *container.Mocks
	tasks      *standin.Tasks
	maxEvents  uint64
	failed     *conformance.ImplementationError // what the implementation did wrong as a whole
	reconciles uint64
	kept       keptLogs
	missing    []simulator.MissingCommand
	faults     *faults
	cache      *informer.Cache
	versions   *versions
	guard      *guard
	trace      *trace
	// tenancy is the fixture's; without one the controller may do everything.
	tenancy string
}

var (
	_ conformance.Cluster     = (*Cluster)(nil)
	_ conformance.LazyCluster = (*Cluster)(nil)
	_ conformance.Traced      = (*Cluster)(nil)
	_ conformance.MockUser    = (*Cluster)(nil)
)

// actor names of the trace.
const (
	actorUser       = "user"
	actorController = "controller"
	// actorCustomTasks is what stands in for controllers of custom tasks.
	actorCustomTasks = "custom tasks"
)

// Cluster makes a cluster.
func (t *Target) Cluster(s conformance.Setup) (*Cluster, error) {
	c := &Cluster{name: s.Name, given: s.Mocks, maxEvents: t.o.MaxEvents, kept: keptLogs{}, versions: newVersions(t.trees)}
	var err error
	if c.faults, err = newFaults(s.Faults); err != nil {
		return nil, err
	}
	if c.settings, err = newSettings(s.Config); err != nil {
		return nil, err
	}
	if c.mocks, err = setup.Mocks(s.Mocks); err != nil {
		return nil, err
	}
	c.subject = t.o.Subject
	if t.o.Remote != nil {
		if c.remote, err = t.o.Remote(s.Remote); err != nil {
			return nil, err
		}
		c.subject = reference.Subject(c.remote.Resolvers...)
	}
	pullable, err := t.images.Pullable(s.Images)
	if err != nil {
		return nil, err
	}
	pullable.Guess()
	onRecord := t.o.OnRecord
	if s.Trace {
		c.trace = &trace{}
		onRecord = both(onRecord, c.trace.record)
	}
	c.guard = &guard{now: c.Now, scheme: t.scheme, kinds: map[string]string{}, prints: newFingerprints()}
	options := simulator.Options{
		Seed:     s.Seed,
		OnRecord: onRecord,
		OnTurn:   turns(t.o.Turns),
		OnOutput: c.kept.keeping(t.o.OnOutput),
		Images:   pullable,
		Programs: reference.Programs(),
		Scripts:  t.scripts,
		Mocks:    c.mocks,

		OnMissing:   c.missed,
		StubMissing: t.o.StubMissing,
		Boundless:   t.o.Boundless,

		API: apiserver.Options{
			Types: t.types,
			Kinds: slices.Concat(reference.Kinds(), t.o.Subject.Kinds),
		},
	}
	for i := 2; i <= t.o.Nodes; i++ {
		options.MoreNodes = append(options.MoreNodes, kubelet.Node{Name: fmt.Sprintf("%s-%d", simulator.DefaultNode, i)})
	}
	reference.Admit(&options.API, c.settings.now)
	if s.Seed != defaultSeed {
		options.API.WatchLag = busy
	}
	if c.tenancy = s.Tenancy; c.tenancy != "" {
		options.API.Users = map[string]string{actorController: c.Account()}
	}
	c.admit(c.subject, &options.API)
	if len(s.Injects) > 0 {
		options.API.Admission = append(options.API.Admission, injector(s.Injects))
	}
	options.API.Admission = c.watched(c.subject, options.API.Admission)
	c.faults.into(&options)
	if c.sim, err = simulator.New(options); err != nil {
		return nil, err
	}
	c.client = c.sim.Client(actorUser)
	if err := c.install(t, s.CustomTasks); err != nil {
		return nil, err
	}
	if err := c.pass(settle); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.faults.begin(t, c)
	return c, nil
}

// install puts the implementation into the cluster: its namespace, its configuration, its controller.
func (c *Cluster) install(t *Target, tasks []fixture.StandIn) error {
	if err := c.sim.CreateNamespace(config.Namespace, nil); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	if err := c.bind(); err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	for _, o := range c.settings.objects() {
		if err := c.client.Create(context.Background(), o); err != nil {
			return fmt.Errorf("installing: %w", err)
		}
	}
	if _, err := c.sim.Server().Watch(schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, c.settings.follow); err != nil {
		return fmt.Errorf("watching the configuration: %w", err)
	}
	if err := c.standIn(t, tasks); err != nil {
		return err
	}
	return c.employ(t)
}

// standIn runs what stands in for controllers of custom tasks. It looks at the API server itself, so that faults that strike the
// implementation do not strike it.
func (c *Cluster) standIn(t *Target, tasks []fixture.StandIn) error {
	c.tasks = standin.New(tasks, c.sim.Client(actorCustomTasks), c.sim.Kernel())
	if len(tasks) == 0 {
		return nil
	}
	cache := informer.NewCache(informer.CacheOptions{Kernel: c.sim.Kernel(), Source: c.sim.Server(), Scheme: t.scheme, Live: c.sim.Client(actorCustomTasks)})
	for _, r := range c.tasks.Controllers() {
		if _, err := controller.New(controller.Options{Kernel: c.sim.Kernel(), Name: actorCustomTasks + ": " + r.For.Kind, Reconciler: r, Informers: cache, For: r.For}); err != nil {
			return err
		}
	}
	return nil
}

// cachedClient reads from the cache and writes through, as a Manager's client does.
type cachedClient struct {
	client.Client
	cache *informer.Cache
	guard *guard
	// direct reports whether a kind is read from the API server; nil means that none is.
	direct func(apiruntime.Object) bool
}

// Get implements client.Reader.
func (c cachedClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	if c.direct != nil && c.direct(into) {
		return c.Client.Get(ctx, key, into, opts...)
	}
	err := c.cache.Get(ctx, key, into, opts...)
	if err == nil {
		c.guard.read(c.cache, key, into)
	}
	return err
}

// List implements client.Reader.
func (c cachedClient) List(ctx context.Context, into client.ObjectList, opts ...client.ListOption) error {
	if c.direct != nil && c.direct(into) {
		return c.Client.List(ctx, into, opts...)
	}
	return c.cache.List(ctx, into, opts...)
}

// events adapts the recorder to what client-go's looks like.
type events struct{ r *recorder.Recorder }

// Event implements reconciler.Recorder.
func (e events) Event(object apiruntime.Object, eventtype, reason, message string) {
	if o, ok := object.(client.Object); ok {
		e.r.Event(o, eventtype, reason, message)
	}
}

// podLogs reads the logs of the simulated kubelets.
func podLogs(sim *simulator.Cluster) reconciler.PodLogs {
	return reconciler.PodLogsFunc(func(_ context.Context, namespace, pod, container string) ([]byte, error) {
		return sim.Logs(namespace, pod, container)
	})
}

// Simulation returns the cluster underneath.
func (c *Cluster) Simulation() *simulator.Cluster { return c.sim }

// Client implements conformance.Cluster.
func (c *Cluster) Client() client.Client { return c.client }

// CreateNamespace implements conformance.Cluster.
func (c *Cluster) CreateNamespace(ctx context.Context, name string) error {
	if err := c.sim.CreateNamespace(name, nil); err != nil || c.tenancy != fixture.TenancyTenant {
		return err
	}
	return c.client.Create(ctx, kindconfig.TenantBinding(name, config.Namespace))
}

// Close implements conformance.Cluster. A simulated cluster holds nothing but memory, but of that what its processes
// stand on is not given back before, and a subject that runs by itself is to be ended.
func (c *Cluster) Close() error {
	err := c.detach()
	c.sim.Kernel().Close()
	return err
}

// TraceHash implements conformance.Traced.
func (c *Cluster) TraceHash() string { return c.sim.Kernel().TraceHash() }

// UnusedStandIns implements conformance.MockUser.
func (c *Cluster) UnusedStandIns() []fixture.StandIn { return c.tasks.Unused() }

// UnusedMocks implements conformance.MockUser.
func (c *Cluster) UnusedMocks() []fixture.Mock { return setup.Unused(c.given, c.mocks) }

// Logs implements conformance.Cluster.
func (c *Cluster) Logs(_ context.Context, namespace, pod, container string) (string, error) {
	data, err := c.sim.Logs(namespace, pod, container)
	return string(data), err
}

// execLimit bounds what a command run from outside may take.
const execLimit = 10 * time.Minute

// Exec implements conformance.Cluster.
func (c *Cluster) Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error) {
	var out, errs bytes.Buffer
	ended := false
	err = c.sim.Exec(namespace, pod, container, argv, &out, &errs, func(code int) { ended, exit = true, code })
	if err != nil {
		return "", "", 0, err
	}
	err = c.WaitUntil(ctx, c.Now().Add(execLimit), func() bool { return ended })
	return out.String(), errs.String(), exit, err
}

// Now implements conformance.Cluster.
func (c *Cluster) Now() time.Time { return c.sim.Kernel().Now() }

// WaitUntil implements conformance.Cluster.
func (c *Cluster) WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error {
	if c.attached != nil {
		return c.waitAttached(ctx, deadline, cond)
	}
	k := c.sim.Kernel()
	before := c.reconciles
	for events := uint64(0); ; events++ {
		if cond() {
			return nil
		}
		if c.failed != nil {
			return c.failed
		}
		next, any := k.Next()
		if !any || next.After(deadline) {
			if k.Now().Before(deadline) {
				k.RunUntil(deadline)
			}
			if cond() {
				return nil
			}
			return conformance.ErrDeadline
		}
		if events >= c.maxEvents {
			return c.exhausted(&kernel.BudgetError{Steps: events, After: k.Elapsed(), Reason: "event budget"}, c.reconciles-before)
		}
		if events%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k.Step()
	}
}

// defaultSeed is that of an idle cluster, in which watches are as punctual as they can be.
const defaultSeed = 1

// busy is how late watches are under all other seeds: some events so much that others overtake them.
var busy = apiserver.Lag{Min: apiserver.DefaultWatchLag.Min, Max: apiserver.DefaultWatchLag.Max, Tail: 400 * time.Millisecond}
