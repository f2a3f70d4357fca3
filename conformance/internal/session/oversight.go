package session

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/reports"
)

// Guarded clusters watch over invariants that only they can see.
type Guarded interface {
	Guard(found func(invariant.Violation))
}

// oversight holds a fixture's runs against the invariants.
type oversight struct {
	fixture *fixture.Fixture
	seen    *observe.World
	// foreign: what is judged is not the reference.
	foreign bool
	// told is called with each violation that counts.
	told func(invariant.Violation)
	// expect are the ends that runs have despite the trouble; refused says that a create is refused for good.
	expect  map[string]invariant.End
	refused bool

	monitor *invariant.Monitor // nil as long as nothing is judged
	// sightings are kept for the monitor where watches have no common order: on real time.
	sightings *observe.Sightings

	mu          sync.Mutex
	list, notes []invariant.Violation
}

// begin begins to judge.
func (s *oversight) begin(c Cluster, pace Pace) {
	now := c.Now
	if !pace.virtual() {
		s.sightings = observe.NewSightings()
		now = s.sightings.Now
	}
	s.monitor = invariant.NewMonitor(invariant.Options{
		Now: now, Found: s.found, Faulty: pace == Disturbed || pace == Virtual && len(s.fixture.Spec.Faults) > 0,
		Expect: s.expect, Refused: s.refused,
		AnyResults: s.fixture.Spec.Config[fixture.ConfigFeatureFlags]["results-from"] == "sidecar-logs",
	})
	if g, ok := c.(Guarded); ok {
		g.Guard(s.found)
	}
}

// handler takes the versions that watches show, or is nil if nothing is judged.
func (s *oversight) handler(now func() time.Time) observe.Handler {
	switch {
	case s.monitor == nil:
		return nil
	case s.sightings != nil:
		return func(event watch.EventType, o *unstructured.Unstructured) { s.sightings.Saw(now(), event, o) }
	}
	return s.monitor.Saw
}

// found takes a violation. What no statement backs is not held against a foreign
// implementation, but told.
func (s *oversight) found(v invariant.Violation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.foreign && len(v.Backing) == 0 {
		s.notes = append(s.notes, v)
		return
	}
	s.list = append(s.list, v)
	if s.told != nil {
		s.told(v)
	}
}

func (s *oversight) broken() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.list) > 0
}

// violated is the failure for what was found, or nil.
func (s *oversight) violated() error {
	s.mu.Lock()
	list := slices.Clone(s.list)
	s.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	v := list[0]
	f := failure(s.fixture.Spec.Pos, "invariants", "an invariant was broken: "+v.String())
	f.Object, f.Got = v.Object, v.Message
	for _, rule := range invariant.Rules() {
		if rule.Name == v.Rule {
			f.Want = rule.Says
		}
	}
	if len(v.Backing) > 0 {
		f.Want += fmt.Sprintf(" %v", v.Backing)
	}
	s.seen.Lock()
	var lives []*observe.Life
	for _, l := range s.seen.Lives() {
		if l.String() == v.Object || l.Kind.Kind == "Pod" {
			lives = append(lives, l)
		}
	}
	s.seen.Unlock()
	slices.SortFunc(lives, func(a, b *observe.Life) int { return compareLives(a, b) })
	f.History = s.seen.History(lives)
	return f
}

// compareLives puts runs before their Pods.
func compareLives(a, b *observe.Life) int {
	if a.Kind.Kind != b.Kind.Kind {
		if a.Kind.Kind == "Pod" {
			return 1
		}
		return -1
	}
	if a.Name < b.Name {
		return -1
	}
	return 1
}

// hopeless returns a function that reports whether nothing more will change: an action
// of a disturbed fixture does not wait for what a fault has prevented.
func (s *oversight) hopeless(now func() time.Time) func() bool {
	var since time.Time
	return func() bool {
		switch {
		case !s.monitor.Any() || !s.monitor.Done():
			since = time.Time{}
			return false
		case since.IsZero():
			since = now()
		}
		return now().Sub(since) > invariant.Grace
	}
}

// noted returns evidence of what is not held against a foreign implementation.
func (s *oversight) noted() (out []reports.Evidence) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.notes {
		out = append(out, reports.Evidence{
			Check: "invariants", At: s.fixture.Spec.Pos.String(), Object: v.Object, After: s.seen.Since(v.At),
			Saw: "not counted, since no statement requires it: " + v.String(),
		})
	}
	return out
}
