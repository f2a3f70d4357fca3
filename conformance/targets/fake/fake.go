// Package fake is the target that needs nothing: a simulated cluster on virtual time (package simulator) with an
// implementation in it, the reference unless told otherwise.
//
// It puts a subject (package subject) and the parts of the reference (package reference) into a simulated cluster.
//
//	fake.go        the target, and what every cluster of it shares
//	run.go         a subject as a Go test
//	cluster.go     one cluster, as the engine sees it
//	process.go     reconcilers, driven by the simulation's loop
//	attached.go    a subject that runs by itself
//	versions.go    what observers see: versions of objects, without Go types
//	settings.go    the ConfigMaps, watched
//	faults.go      what goes wrong, as fixtures ask for it
//	tenancy.go     what the implementation may do, where a fixture is about that
//	guard.go       invariants of what only the cluster sees; the end of the trace
//	broken.go      panics of the implementation
//	missing.go     the commands that containers did not have; lacks.go tells them before a run
//
// Every fixture gets a cluster of its own, so fixtures cannot disturb each other and run side by side. A run is decided
// by its seed: the same binary, fixture and seed give the same trace.
package fake

import (
	"context"
	"runtime"
	"time"

	apiruntime "k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/shell"
)

// Name is the target's name in reports.
const Name = "fake"

// Options configure the target. The zero value judges the reference.
type Options struct {
	// Subject is what is judged; nil means the reference.
	Subject *subject.Subject
	// Remote makes what the reference can reach beyond a cluster, of what its fixture has there. Without it the resolver of
	// the cluster is the only one. Another subject has resolvers of its own, or none.
	Remote func(fixture.Remote) (subject.Remote, error)
	// StubMissing makes commands that containers do not have succeed without doing anything.
	StubMissing bool
	// Boundless makes the node have whatever Pods ask for: processors, memory, devices, labels.
	Boundless bool
	// Nodes is how many nodes a cluster has; less than two means one.
	Nodes int
	// Aliases are further names of images of the catalogue: name to reference.
	Aliases map[string]string
	// OnRecord sees every record of the trace; OnOutput all that containers print. They are called by the code that drives
	// the cluster.
	OnRecord func(kernel.Record)
	OnOutput func(kubelet.Output)
	// Turns, if set, makes for each cluster a function that is called with the name of each container that has its turn to
	// run, as the trace has it, and with the empty string when the turn is over. It may return nil.
	Turns func() func(actor string)
	// MaxEvents bounds one wait; 0 means a generous default. A world that is busier than that is broken.
	MaxEvents uint64
}

const defaultMaxEvents = 50_000_000

// Target starts simulated clusters. It is safe for concurrent use; its clusters are not.
type Target struct {
	o Options
	// reference says that it is the subject.
	reference bool
	// substituted are the parts that are the reference's although a foreign reconciler is judged.
	substituted []string
	scheme      *apiruntime.Scheme
	types       *apiserver.Types
	scripts     *shell.Library
	trees       *tree.Converter
	images      *setup.Images
}

var _ conformance.Target = (*Target)(nil)

// New returns the target.
func New(o Options) (*Target, error) {
	var substituted []string
	own := false
	if o.Subject == nil {
		o.Subject, own = reference.Subject(), true
	} else {
		o.Remote = nil
		if err := o.Subject.Validate(); err != nil {
			return nil, err
		}
		if o.Subject.Admission == nil {
			substituted = append(substituted, fixture.ComponentAdmission)
		}
		substituted = append(substituted, fixture.ComponentLauncher)
		substituted = append(substituted, o.Subject.Substituted...)
	}
	if o.MaxEvents == 0 {
		o.MaxEvents = defaultMaxEvents
	}
	t := &Target{o: o, reference: own, substituted: substituted, scripts: shell.NewLibrary(), trees: tree.NewConverter()}
	scheme := apiserver.NewScheme()
	if err := reference.AddToScheme(scheme); err != nil {
		return nil, err
	}
	t.scheme, t.types = scheme, apiserver.NewTypes(scheme)
	var err error
	if t.images, err = setup.NewImages(o.Aliases); err != nil {
		return nil, err
	}
	return t, nil
}

// Name implements conformance.Target.
func (t *Target) Name() string { return Name }

// Capabilities implements conformance.Target.
func (t *Target) Capabilities() conformance.Capabilities {
	return conformance.Capabilities{
		VirtualTime:       true,
		Mocks:             true,
		Injector:          true,
		Remote:            t.o.Remote != nil,
		Images:            true,
		Tenancies:         t.tenancies(),
		Faults:            t.o.Subject.Attach == nil,
		Isolated:          true,
		Parallel:          runtime.GOMAXPROCS(0),
		Configurable:      func(configMap, key string) bool { return true },
		Substituted:       t.substituted,
		KubernetesVersion: apiserver.Version(),
	}
}

// tenancies are all, if the reference is judged: which rights another implementation needs is not known here.
func (t *Target) tenancies() []string {
	if !t.reference {
		return nil
	}
	return fixture.Tenancies()
}

// Start implements conformance.Target.
func (t *Target) Start(_ context.Context, s conformance.Setup) (conformance.Cluster, error) {
	c, err := t.Cluster(s)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// settle is how long a cluster is left alone after its start, for its controllers to see its objects.
const settle = time.Second

// turns makes a cluster's function, if there is one.
func turns(made func() func(string)) func(string) {
	if made == nil {
		return nil
	}
	return made()
}
