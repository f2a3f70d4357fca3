// Package node is the simulated part of a cluster before any API server: a node whose containers are simulated, and what
// else makes a cluster of an API server.
//
// A real API server stores Pods, but runs none. [Start] puts before it, in this process and on real time, the actors of
// the simulated cluster: the kubelet of one node, with the same container code (shell, utilities, launcher), the scheduler
// with its volume binder, the garbage collector, and the controllers of namespaces, service accounts, quotas and nodes. A
// cluster that has some of these already has them left out ([Options.Without]). With an [Endpoint] the node serves the part
// of the kubelet's API that kube-apiserver proxies: logs and commands.
//
//	node.go       the node's life
//	source.go     the API server's watches as the simulator's actors want them
//	borrowing.go  a client that writes nothing into shared objects
//	discovery.go  what the API server serves, for the garbage collector and the controller of namespaces
//	permission.go what the user may not do
//	images.go     which program stands in for which image
//	namespaces.go namespaces are emptied beside everything else
//	presence.go   the node's Lease, and its Pods at the beginning and at the end
//	account.go    tokens of service accounts
//	journal.go    what containers have written, and when
//	endpoint.go   the kubelet's API
//	logs.go, exec.go, terminal.go  its parts
//	sleep.go      a sleep that is shorter
//
// Limits: containers are simulated, so nothing that they do reaches a network, the API server included; their tokens are
// not signed. There is no attach and no port forwarding. When the process ends, its containers end: Pods that were
// running are failed, as by a machine that was shut down.
package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

// DefaultName is the node's name, unless options say otherwise.
const DefaultName = "plumbline"

// What tells that a node is simulated.
const (
	// LabelSimulated is on every Node object of this package.
	LabelSimulated = "plumbline.dev/simulated"
	// AnnotationSubstituted lists the components of an implementation that are not its own on the node: the launcher, if the
	// reference's stands in for theirs. The target cluster takes it into account.
	AnnotationSubstituted = "plumbline.dev/substituted"
	// Version is the kubelet's, as the Node object shows it.
	Version = "v1.36.3-plumbline"
)

// actorOutside is who does what other goroutines ask for.
const actorOutside = "outside"

// stopTimeout is how long the node may take to say goodbye.
const stopTimeout = 20 * time.Second

// Options configure a node. Config is all that must be given.
type Options struct {
	// Config reaches the API server, as a user who may do what the roles need.
	Config *rest.Config
	// Scheme has the Go types of kinds that are watched; nil means those of Kubernetes.
	Scheme *apiruntime.Scheme
	// Name is the node's; empty means DefaultName.
	Name string
	// Labels are added to the Node object's.
	Labels map[string]string
	// Without are the roles that the cluster plays already.
	Without []simulator.Role
	// Kinds are collected, and namespaces are emptied of them. Nil means everything that the API server serves, also kinds
	// that are defined later.
	Kinds []apiserver.Kind

	// Images says which images of the catalogue stand in for the cluster's. The images of the catalogue can be pulled by
	// their own names as well. The zero value knows only those.
	Images Images
	// Catalogue, if not nil, is used as it is, instead of Images.
	Catalogue *image.Catalogue
	// Mocks stand in for commands that cannot be interpreted.
	Mocks *container.Mocks
	// SleepScale is how many times shorter the command sleep is; 0 is 1.
	SleepScale float64
	// Timing is how long things take on the node; nil means as on a kind cluster.
	Timing *kubelet.Timing

	// Endpoint, if not nil, serves the kubelet's API.
	Endpoint *Endpoint
	// Transient is for a private API server, which does not outlive the node: it is not asked for permissions, and
	// nothing is written about the node's presence, neither a Lease nor its end.
	Transient bool
	// Tell is told what a person should know, if not nil. It may be called by any goroutine.
	Tell func(text string)
}

// Node is a running node. It is safe for concurrent use.
type Node struct {
	o      Options
	client client.WithWatch
	scheme *apiruntime.Scheme
	source *source

	time    *kernel.RealTime
	actors  *simulator.Actors
	journal *journal
	server  *server

	running context.Context
	end     context.CancelCauseFunc
	stopped sync.WaitGroup
	once    sync.Once
	failed  error

	mu         sync.Mutex
	complained time.Time
}

// errStopped is why a node ends in the end.
var errStopped = errors.New("the node was stopped")

// api is the real API server as the actors know it.
type api struct {
	client borrowing
	source *source
}

// Client implements simulator.API. The server does not tell actors apart.
func (a api) Client(string) client.Client { return a.client }

// Source implements simulator.API.
func (a api) Source() informer.Source { return a.source }

// Start starts a node, which runs until Stop, longer than ctx. The error may be a *ForbiddenError.
func Start(ctx context.Context, o Options) (_ *Node, err error) {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
	n := &Node{o: o, scheme: o.Scheme, journal: newJournal()}
	if n.scheme == nil {
		n.scheme = apiserver.NewScheme()
	}
	n.o.Config = rest.CopyConfig(o.Config)
	if n.o.Config.QPS == 0 {
		n.o.Config.QPS = -1 // the server knows how much it can take
	}
	n.running, n.end = context.WithCancelCause(context.WithoutCancel(ctx))
	present := false
	defer func() {
		if err == nil {
			return
		}
		n.end(err)
		n.stopped.Wait()
		if n.server != nil {
			err = errors.Join(err, n.server.listener.Close())
		}
		if present { // the name is free again
			leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
			defer cancel()
			err = errors.Join(err, n.leave(leaving))
		}
	}()
	if n.client, err = client.NewWithWatch(n.o.Config, client.Options{Scheme: n.scheme}); err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", o.Config.Host, err)
	}
	if !o.Transient {
		if err := n.permitted(ctx); err != nil {
			return nil, err
		}
		if err := n.takeOver(ctx); err != nil {
			return nil, err
		}
		present = true
	}
	if o.Endpoint != nil {
		if n.server, err = n.listen(ctx); err != nil {
			return nil, err
		}
	}
	if err := n.attach(ctx); err != nil {
		return nil, err
	}
	if n.server != nil {
		n.spawn("the node's endpoint", n.server.run)
	}
	if !o.Transient {
		n.spawn("the node's heartbeat", n.beat)
	}
	return n, nil
}

// attach starts the simulated actors.
func (n *Node) attach(ctx context.Context) error {
	shared, err := cache.New(n.o.Config, cache.Options{Scheme: n.scheme, DefaultWatchErrorHandler: n.watchFailed})
	if err != nil {
		return fmt.Errorf("making the node's cache: %w", err)
	}
	options, err := n.options(ctx)
	if err != nil {
		return err
	}
	emptier, err := n.emptier()
	if err != nil {
		return err
	}
	options.Namespaces = emptier
	k := kernel.New(kernel.Options{})
	n.time = kernel.NewRealTime(k)
	n.source = &source{ctx: n.running, cache: shared, scheme: n.scheme, post: func(what string, run func()) bool {
		return n.time.Post(actorOutside, what, run)
	}}
	written := newBacklog()
	n.spawn("the node's cache", shared.Start)
	n.spawn("the events of the node", written.run)
	n.spawn("the namespaces of the node", emptier.work.run)
	n.spawn("the simulated node", n.time.Run)
	failed := n.call(ctx, func() {
		if n.actors, err = simulator.Attach(k, api{borrowing{n.client, written}, n.source}, options); err != nil {
			return
		}
		err = n.follow()
	})
	return errors.Join(failed, err)
}

// options are the actors'.
func (n *Node) options(ctx context.Context) (simulator.Options, error) {
	o := simulator.Options{
		Programs: maps.Clone(reference.Programs()), Images: n.o.Catalogue, Mocks: n.o.Mocks, Timing: n.o.Timing, Without: n.o.Without,
		API: apiserver.Options{Kinds: n.o.Kinds}, Authority: string(n.o.Config.CAData), OnOutput: n.journal.write,
		Node: kubelet.Node{Name: n.o.Name, Labels: map[string]string{LabelSimulated: "true"}, Version: Version},
	}
	maps.Copy(o.Node.Labels, n.o.Labels)
	if list := n.Substituted(); len(list) > 0 {
		o.Node.Annotations = map[string]string{AnnotationSubstituted: strings.Join(list, ",")}
	}
	if n.server != nil {
		host, port, err := net.SplitHostPort(n.server.address())
		if err != nil {
			return o, fmt.Errorf("the node's address: %w", err)
		}
		number, err := strconv.ParseInt(port, 10, 32)
		if err != nil {
			return o, fmt.Errorf("the node's port: %w", err)
		}
		o.Node.Address, o.Node.Port = host, int32(number)
	}
	if n.o.SleepScale != 0 && n.o.SleepScale != 1 {
		o.Programs[programSleep] = sleepScaled(n.o.SleepScale)
	}
	if o.Images == nil {
		var err error
		if o.Images, err = n.catalogue(); err != nil {
			return o, err
		}
	}
	if n.o.Kinds == nil {
		var err error
		if o.API.Kinds, err = n.discover(ctx); err != nil {
			return o, err
		}
	}
	return o, nil
}

// follow watches what the node itself wants to know. It is called on the kernel's goroutine.
func (n *Node) follow() error {
	if n.server != nil {
		if _, err := n.source.Watch(corev1.SchemeGroupVersion.WithKind("Pod"), n.journal.observe(n.o.Name)); err != nil {
			return err
		}
	}
	if n.plays(simulator.RoleServiceAccounts) {
		if err := n.followAccounts(); err != nil {
			return err
		}
	}
	if n.o.Kinds == nil {
		return n.followDefinitions()
	}
	return nil
}

// quiet is how long nothing is said about watches that fail after something was said: when an API server goes, all do.
const quiet = 10 * time.Second

// watchFailed handles watches that fail. They are tried again; those of a kind that is no longer served wait for it.
func (n *Node) watchFailed(_ context.Context, r *toolscache.Reflector, err error) {
	if n.running.Err() != nil || errors.Is(err, io.EOF) || apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsNotFound(err) ||
		meta.IsNoMatchError(err) {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if time.Since(n.complained) < quiet {
		return
	}
	n.complained = time.Now()
	n.o.Tell(fmt.Sprintf("watching %s: %v", r.TypeDescription(), err))
}

// spawn runs work until the node stops; work that ends before has failed.
func (n *Node) spawn(what string, work func(context.Context) error) {
	n.stopped.Go(func() {
		if err := work(n.running); n.running.Err() == nil {
			n.end(fmt.Errorf("%s ended: %w", what, err))
		}
	})
}

// call has work done on the kernel's goroutine, and waits for it.
func (n *Node) call(ctx context.Context, run func()) error {
	done := make(chan struct{})
	if !n.time.Post(actorOutside, "call", func() { defer close(done); run() }) {
		return context.Cause(n.running)
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-n.running.Done():
		return context.Cause(n.running)
	}
}

// Do has work done with the simulated actors, on their goroutine, and waits for it.
func (n *Node) Do(ctx context.Context, run func(*simulator.Actors)) error {
	return n.call(ctx, func() { run(n.actors) })
}

// Running is done when the node has ended; its cause says why.
func (n *Node) Running() context.Context { return n.running }

// Name is the node's name.
func (n *Node) Name() string { return n.o.Name }

// Substituted are the components of an implementation that are not its own on this node, as reports name them.
func (n *Node) Substituted() []string {
	if len(n.o.Images.Substituted()) > 0 {
		return []string{fixture.ComponentLauncher}
	}
	return nil
}

// plays reports whether a role is ours.
func (n *Node) plays(r simulator.Role) bool {
	for _, w := range n.o.Without {
		if w == r {
			return false
		}
	}
	return true
}

// Logs is what the current or last instance of a container has written.
func (n *Node) Logs(ctx context.Context, namespace, pod, container string) (out []byte, err error) {
	if failed := n.Do(ctx, func(a *simulator.Actors) { out, err = a.Logs(namespace, pod, container) }); failed != nil {
		return nil, failed
	}
	return out, err
}

// Exec runs a command in a running container and waits for its end.
func (n *Node) Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error) {
	var out, errs bytes.Buffer
	ended := make(chan int, 1)
	failed := n.Do(ctx, func(a *simulator.Actors) {
		err = a.Exec(namespace, pod, container, argv, &out, &errs, func(code int) { ended <- code })
	})
	if err = errors.Join(failed, err); err != nil {
		return "", "", 0, err
	}
	select {
	case code := <-ended:
		return out.String(), errs.String(), code, nil
	case <-ctx.Done():
		return "", "", 0, context.Cause(ctx)
	case <-n.running.Done():
		return "", "", 0, context.Cause(n.running)
	}
}

// Stop ends the node: its Pods are failed, its Lease and Node object deleted, unless the node is transient. Of a node that
// has ended by itself the error says why.
func (n *Node) Stop() error {
	n.once.Do(func() {
		if n.running.Err() != nil {
			n.failed = context.Cause(n.running)
		}
		n.end(errStopped)
		n.stopped.Wait()
		if !n.o.Transient {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(n.running), stopTimeout)
			defer cancel()
			n.failed = errors.Join(n.failed, n.leave(ctx))
		}
	})
	return n.failed
}
