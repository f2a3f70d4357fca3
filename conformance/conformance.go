// Package conformance judges whether something that claims to run Tekton really does.
//
// Requirements are fixtures: YAML files with a header (package fixture). [Judge] puts
// each of them to a [Target] (a cluster, real or simulated), does what the header
// says, looks at every version of every object that the cluster shows, and returns a
// report (package reports); [Run] does so as a Go test, with a subtest for each
// fixture. The engine is black-box: it sees a [Cluster], objects
// without Go types, and knows no implementation.
//
// How a fixture is judged:
//
//  1. plan: does it apply? The features it asks for must be claimed, the target must
//     have what it needs, the configuration must be settable ([Claims], [Capabilities]);
//  2. act: spec.when, one action after the other, in a namespace of its own;
//  3. verify: spec.then, one check after the other; eventually looks from now on,
//     sequence and never from the start, always through a window;
//  4. explain: a failure names the place in the file, the field in the object, what
//     was wanted and seen, and tells the object's history, events, logs and a replay.
//
// Time is the cluster's. On virtual time waiting costs nothing, so a fixture may let
// days pass; on a real cluster each wait has the fixture's budget.
//
// Limits: order is judged within one object only, since watches of different kinds
// have no common order; a version that a target's watch left out was not seen.
package conformance

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
)

// SuiteVersion is the version of the embedded suite.
const SuiteVersion = "v0.1.0"

// DefaultSeed is the seed of a run that names none.
const DefaultSeed uint64 = 1

// suitePrefix stands before the embedded files' names in messages.
const suitePrefix = "fixtures"

// Options say what to run. Target is all that must be given.
type Options struct {
	// Target is where to run.
	Target Target
	// Implementation is what is judged, in its owner's words.
	Implementation reports.Implementation
	// Claims are what the implementation says it can do.
	Claims Claims
	// Fixtures are what to run; nil means those of FS.
	Fixtures []*fixture.Fixture
	// FS is a folder of fixtures; nil means the embedded suite.
	FS fs.FS
	// FSName stands before the names of FS's files in messages and reports.
	FSName string
	// Filter selects fixtures; the zero Filter selects all.
	Filter Filter
	// Seed decides everything random on virtual time; 0 stands for DefaultSeed.
	Seed uint64
	// Parallel is how many fixtures may run at once, at most what the target allows; 0 means as many as it allows.
	Parallel int
	// Progress, if set, is called for each fixture that is done, one call at a time.
	Progress func(Progress)
	// Date is when the run began, for targets on real time.
	Date time.Time
	// Replay returns the command that shows a fixture's failure again; nil means plumbline run.
	Replay func(name string, seed uint64) string
	// Partial makes a partial result one that [Run] does not fail for: the implementation is not meant to have all
	// mandatory features, or leaves fixtures out.
	Partial bool
	// TryUnclaimed runs fixtures of features that are not claimed, too. They count for nothing; a feature that works is a
	// finding of the report.
	TryUnclaimed bool
	// Budget is what a wait gets at least on real time, for clusters that are slow; zero means what fixtures say.
	Budget time.Duration
	// NamespacePrefix begins the names of fixtures' namespaces on targets that are shared.
	NamespacePrefix string
	// KeepNamespaces leaves the namespaces of failed fixtures behind on targets that are shared.
	KeepNamespaces bool
}

// Progress tells how far a run is.
type Progress struct {
	Done, Total int
	Result      reports.Fixture
	// Took is how long it took by the clock. The report does not have it on virtual time, so that the same run gives the
	// same bytes.
	Took time.Duration
}

// Judge runs the selected fixtures and reports. It fails only when there is nothing
// it could report: fixtures that cannot be read (a source.Errors), or no target.
// Whether the implementation conforms is the report's Result. A Go test wants [Run].
func Judge(ctx context.Context, o Options) (*reports.ConformanceReport, error) {
	read := fixture.LoadFS
	if o.Target != nil && o.Target.Capabilities().VirtualTime {
		read = fixture.LoadOutlines // where time is not waited for, memory is what a run takes most of
	}
	r, err := newRunner(o, read)
	if err != nil {
		return nil, err
	}
	return r.Report(r.RunAll(ctx)), nil
}

// load reads the fixtures that the options name, all or none, sorted by profile and name.
func (o *Options) load(read func(fs.FS, string) ([]*fixture.Fixture, error)) ([]*fixture.Fixture, error) {
	list := slices.Clone(o.Fixtures)
	if o.Fixtures == nil {
		tree, name := o.FS, o.FSName
		if tree == nil {
			tree, name = fixtures.FS, suitePrefix
		}
		var err error
		list, err = read(tree, name)
		if err != nil && !errors.Is(err, fixture.ErrNoFixtures) {
			return nil, fmt.Errorf("loading fixtures: %w", err)
		}
	}
	slices.SortStableFunc(list, func(a, b *fixture.Fixture) int {
		if c := strings.Compare(a.Spec.Profile, b.Spec.Profile); c != 0 {
			return c
		}
		return strings.Compare(a.Name(), b.Name())
	})
	return list, nil
}

func defaultReplay(name string, seed uint64) string {
	return fmt.Sprintf("plumbline run --name %s --seed %d", name, seed)
}
