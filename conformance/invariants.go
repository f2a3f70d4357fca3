package conformance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/reports"
)

// Guarded clusters watch over invariants that only they can see.
type Guarded interface {
	// Guard has found told of each violation, inside the event that makes it.
	Guard(found func(invariant.Violation))
}

// How long a disturbed fixture is left alone on virtual time.
const (
	// troubled is how long faults may strike behind the last action.
	troubled = 10 * time.Minute
	// outage is longer than any fault that is drawn lasts.
	outage = 5 * time.Minute
	// onceDisturbed is how long an action waits for what a fault may have prevented.
	onceDisturbed = 70 * time.Minute
	// aftermath is how long runs that are over are watched for writes.
	aftermath = 30 * time.Minute
)

// watchOver begins to hold the fixture's runs against the invariants.
func (s *session) watchOver() {
	now := s.cluster.Now
	if !s.virtual {
		s.sightings = newSightings()
		now = s.sightings.now
	}
	s.monitor = invariant.NewMonitor(invariant.Options{
		Now: now, Found: s.found, Faulty: s.virtual && (s.disturbed || len(s.fixture.Spec.Faults) > 0),
		AnyResults: s.fixture.Spec.Config[fixture.ConfigFeatureFlags]["results-from"] == "sidecar-logs",
	})
	if g, ok := s.cluster.(Guarded); ok {
		g.Guard(s.found)
	}
}

// found takes a violation. What no statement backs is not held against a foreign
// implementation, but told.
func (s *session) found(v invariant.Violation) {
	s.violations.mu.Lock()
	defer s.violations.mu.Unlock()
	if s.foreign && len(v.Backing) == 0 {
		s.violations.noted = append(s.violations.noted, v)
		return
	}
	s.violations.list = append(s.violations.list, v)
	if s.onViolation != nil {
		s.onViolation(v)
	}
}

// both shows a kind's versions to the monitor, too.
func (s *session) both(kind fixture.KindInfo, handler func(watch.EventType, *unstructured.Unstructured)) func(watch.EventType, *unstructured.Unstructured) {
	if s.monitor == nil || !kind.Judged() {
		return handler
	}
	return func(event watch.EventType, o *unstructured.Unstructured) {
		handler(event, o)
		if s.sightings != nil {
			s.sightings.saw(s.cluster.Now(), event, o)
			return
		}
		s.monitor.Saw(event, o)
	}
}

func (s *session) broken() bool {
	s.violations.mu.Lock()
	defer s.violations.mu.Unlock()
	return len(s.violations.list) > 0
}

// violated is the failure for what was found, or nil.
func (s *session) violated() error {
	s.violations.mu.Lock()
	list := slices.Clone(s.violations.list)
	s.violations.mu.Unlock()
	if len(list) == 0 {
		return nil
	}
	v := list[0]
	f := s.failure(s.fixture.Spec.Pos, "invariants", "an invariant was broken: "+v.String())
	f.Object, f.Got = v.Object, v.Message
	for _, rule := range invariant.Rules() {
		if rule.Name == v.Rule {
			f.Want = rule.Says
		}
	}
	if len(v.Backing) > 0 {
		f.Want += fmt.Sprintf(" %v", v.Backing)
	}
	s.world.mu.Lock()
	var lives []*life
	for _, l := range s.world.lives {
		if l.kind.Name+"/"+l.name == v.Object || l.kind.Kind == "Pod" {
			lives = append(lives, l)
		}
	}
	s.world.mu.Unlock()
	slices.SortFunc(lives, func(a, b *life) int { return compareLives(a, b) })
	f.History = s.history(lives)
	return f
}

// compareLives puts runs before their Pods.
func compareLives(a, b *life) int {
	if a.kind.Kind != b.kind.Kind {
		if a.kind.Kind == "Pod" {
			return 1
		}
		return -1
	}
	if a.name < b.name {
		return -1
	}
	return 1
}

// settle lets what must come to an end do so, on virtual time, and asks whether it
// has. A fixture that leaves runs under way asks nothing of them, unless it is
// disturbed: then they have to come to their end.
func (s *session) settle(ctx context.Context) error {
	if s.sightings != nil {
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		s.sightings.tell(s.monitor.Saw)
	}
	if !s.virtual {
		return s.violated()
	}
	s.settling = true
	user, faulty := s.cluster.(FaultUser)
	if s.disturbed {
		if err := s.until(ctx, troubled, s.monitor.Done); err != nil {
			return err
		}
	}
	if faulty && (s.disturbed || len(s.fixture.Spec.Faults) > 0) {
		user.StopFaults()
		if err := s.until(ctx, outage, s.monitor.Settled); err != nil {
			return err
		}
		s.monitor.Disturbed()
	}
	if s.disturbed {
		if at, bounded := s.monitor.Deadline(); bounded {
			if err := s.until(ctx, at.Sub(s.cluster.Now())+time.Second, s.monitor.Done); err != nil {
				return err
			}
		}
	}
	if s.monitor.Done() {
		if err := s.until(ctx, invariant.Grace+time.Second, s.monitor.Settled); err != nil {
			return err
		}
	}
	if s.disturbed {
		if err := s.until(ctx, aftermath, func() bool { return false }); err != nil {
			return err
		}
	}
	s.monitor.Finish()
	if err := s.violated(); err != nil {
		return err
	}
	s.noted()
	return nil
}

// until lets the world go on until cond holds, the time is up, or an invariant is
// broken, which is the error.
func (s *session) until(ctx context.Context, d time.Duration, cond func() bool) error {
	_, err := s.wait(ctx, d, cond)
	return err
}

// noted tells of what is not held against a foreign implementation.
func (s *session) noted() {
	s.violations.mu.Lock()
	defer s.violations.mu.Unlock()
	for _, v := range s.violations.noted {
		s.evidence = append(s.evidence, reports.Evidence{
			Check: "invariants", At: s.fixture.Spec.Pos.String(), Object: v.Object, After: s.since(v.At),
			Saw: "not counted, since no statement requires it: " + v.String(),
		})
	}
}

// hopeless returns a function that reports whether nothing more will change: an action
// of a disturbed fixture does not wait for what a fault has prevented.
func (s *session) hopeless() func() bool {
	var since time.Time
	return func() bool {
		switch {
		case !s.monitor.Any() || !s.monitor.Done():
			since = time.Time{}
			return false
		case since.IsZero():
			since = s.cluster.Now()
		}
		return s.cluster.Now().Sub(since) > invariant.Grace
	}
}

// disturb plays a fixture under faults that may change what it expects: its actions
// are tried, its checks left out, and what holds of every run is judged.
func (s *session) disturb(ctx context.Context) error {
	for i := range max(len(s.fixture.Spec.When), 1) {
		err := s.actAt(ctx, i)
		switch {
		case s.broken():
			return s.violated()
		case ctx.Err() != nil:
			return err
		}
		// What else went wrong may be a fault's doing. If the world is broken, it is so in what follows, too.
	}
	return s.settle(ctx)
}

// actAt does one action, or what a fixture without actions does.
func (s *session) actAt(ctx context.Context, i int) error {
	if len(s.fixture.Spec.When) == 0 {
		return s.act(ctx)
	}
	a := &s.fixture.Spec.When[i]
	err := s.do(ctx, a, fmt.Sprintf("spec.when[%d].%s", i, a.Verb()))
	s.last = s.cluster.Now()
	return err
}
