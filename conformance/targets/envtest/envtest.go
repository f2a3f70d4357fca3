// Package envtest is the target with a real API server: kube-apiserver and etcd as processes of this machine, started by
// controller-runtime's envtest, and everything else of a cluster in this process.
//
// What the API server does is real: storage, watches, defaulting and validation of Pods, conflicts, its garbage of
// fields. The API's CustomResourceDefinitions are installed in it, and its webhooks are served to it over HTTPS. The
// reference implementation runs in a controller-runtime Manager, with caches and goroutines as on any cluster. The
// scheduler, the node with its containers, the garbage collector and the controller of namespaces are the simulator's,
// the same code as on the fake cluster, on real time.
//
//	assets.go        the binaries, and what to do without them
//	controlplane.go  the API server's process, and what is installed in it
//	admission.go     the API's webhooks, installed and served as by cmd/controller
//	guardian.go      no process is left behind
//	installation.go  the implementation under several configurations, side by side
//	tenancy.go       what one of them may do, where a fixture is about that
//	settings.go      the ConfigMaps of one of them
//	node.go          the simulated part, which is package node's
//	manager.go       the reference in a Manager
//	cluster.go       the cluster, as the engine sees it
//	outside.go       a control plane for programs that come from outside
//
// Starting a control plane takes seconds, so a target has one, from its first Start to [Target.Close]; fixtures share it,
// in a namespace each. A configuration is an installation of the implementation: a reconciler and ConfigMaps of its own,
// which admission and reconciling are routed to by the namespace. So fixtures of all configurations run side by side.
//
// Limits: time is real and there is no seed. Containers are simulated: no statement about a real kubelet is judged here.
// There is no kube-controller-manager: of its controllers, those named above are all.
package envtest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	apiruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// Name is the target's name in reports.
const Name = "envtest"

// parallel is how many fixtures run at once. They wait most of the time.
const parallel = 48

// Options configure the target. The zero value judges the reference with the binaries that FindAssets finds.
type Options struct {
	// Subject is what is judged; nil means the reference.
	Subject *subject.Subject
	// Assets is the directory of the binaries; empty means the one that FindAssets finds.
	Assets string
	// Remote has what lies outside the cluster served, and makes what the reference reaches of it, and a function that ends
	// that. Without it the resolver of the cluster is the only one. Another subject has resolvers of its own, or none.
	Remote func(context.Context, fixture.Remote) (subject.Remote, func() error, error)
}

// Target is a control plane with a simulated node.
type Target struct {
	subject *subject.Subject
	remote  func(context.Context, fixture.Remote) (subject.Remote, func() error, error)
	// reference says that it is the subject.
	reference bool
	assets    string
	version   string
	scheme    *apiruntime.Scheme
	images    *setup.Images

	mu      sync.Mutex
	machine *machine
	broken  error
}

var _ conformance.Target = (*Target)(nil)

// New returns the target; nothing is started. Without binaries the error is a *MissingAssetsError.
func New(o Options) (*Target, error) {
	t := &Target{subject: o.Subject, assets: o.Assets}
	if t.subject == nil {
		t.subject, t.reference, t.remote = reference.Subject(), true, o.Remote
	}
	if s := t.subject; s.Attach != nil || s.Admission != nil || s.Scheme != nil {
		return nil, fmt.Errorf("subject %q: target envtest runs reconcilers, with the reference's webhooks and Go types", s.Name)
	}
	err := t.subject.Validate()
	if err != nil {
		return nil, err
	}
	if t.assets == "" {
		if t.assets, err = FindAssets(); err != nil {
			return nil, err
		}
	}
	if t.version, err = kubernetesVersion(t.assets); err != nil {
		return nil, err
	}
	t.scheme = apiserver.NewScheme()
	if err := reference.AddToScheme(t.scheme); err != nil {
		return nil, err
	}
	if t.images, err = setup.NewImages(nil); err != nil {
		return nil, err
	}
	return t, nil
}

// Name implements conformance.Target.
func (t *Target) Name() string { return Name }

// Capabilities implements conformance.Target.
func (t *Target) Capabilities() conformance.Capabilities {
	return conformance.Capabilities{
		Mocks:             true,
		Remote:            t.remote != nil,
		SideBySide:        true,
		Tenancies:         t.tenancies(),
		Parallel:          parallel,
		Configurable:      func(configMap, key string) bool { return true },
		KubernetesVersion: t.version,
	}
}

// tenancies are all, if the reference is judged: which rights another implementation needs is not known here.
func (t *Target) tenancies() []string {
	if !t.reference {
		return nil
	}
	return fixture.Tenancies()
}

// Start implements conformance.Target. The first call starts the control plane.
func (t *Target) Start(ctx context.Context, s conformance.Setup) (conformance.Cluster, error) {
	if len(s.Faults) > 0 {
		return nil, errors.New("target envtest cannot inject faults")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken != nil {
		return nil, t.broken
	}
	if t.machine == nil {
		if t.machine, t.broken = t.start(ctx); t.broken != nil {
			return nil, t.broken
		}
	}
	return t.machine.under(ctx, s)
}

// Close ends the control plane and everything that runs before it. The target can be started again.
func (t *Target) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.machine
	t.machine, t.broken = nil, nil
	if m == nil {
		return nil
	}
	return m.stop()
}
