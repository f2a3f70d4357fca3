package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// Time allowed for waiting.
const (
	// defaultBudget is what a wait gets on real time: thirty TaskRuns at once take half a minute.
	defaultBudget = 120 * time.Second
	// triedBudget is what a wait gets on real time in a fixture that counts for nothing.
	triedBudget = 45 * time.Second
	// virtualBudget is what a wait gets on virtual time, where it costs nothing.
	virtualBudget = 24 * time.Hour
)

// session is one fixture on one cluster.
type session struct {
	fixture *fixture.Fixture
	cluster Cluster
	virtual bool
	// invariants and replay are of the Options.
	invariants func(context.Context, Cluster, string) []string
	replay     func(name string, seed uint64) string
	seed       uint64

	namespace string
	world     *world
	start     time.Time
	// last is when the action before was seen to be complete.
	last time.Time
	// refused holds what the API server refused, by action and reference.
	refused  map[string]error
	evidence []reports.Evidence
	rescued  rescued

	monitor *invariant.Monitor
	// sightings are kept for the monitor where watches have no common order: on real time.
	sightings *sightings
	// disturbed: faults that the fixture does not know may strike. foreign: what is judged is not the reference.
	disturbed, foreign bool
	settling           bool // its actions are done, and its checks
	violations         struct {
		mu          sync.Mutex
		list, noted []invariant.Violation
	}
	onViolation func(invariant.Violation)
	// ended is when the last check had been made.
	ended time.Time
	// tried: a feature of the fixture is not claimed.
	tried bool
	// budget is what a wait gets at least, on real time.
	budget time.Duration
}

// failed is a verdict on the implementation, as opposed to any other error, which is
// about the machine.
type failed struct{ reports.Failure }

func (f *failed) Error() string {
	text := f.At + ": " + f.Message
	if f.Got != "" {
		text += ": " + f.Got
	}
	return text
}

// run acts and verifies. The result is nil, a *failed, or an error of the machine.
func (s *session) run(ctx context.Context) error {
	s.start = s.cluster.Now()
	s.world = newWorld(s.fixture, s.namespace, s.cluster.Now)
	for _, namespace := range s.world.namespaces {
		if err := s.cluster.CreateNamespace(ctx, namespace); err != nil {
			return fmt.Errorf("creating namespace %s: %w", namespace, err)
		}
	}
	s.start = s.cluster.Now()
	s.last = s.start
	s.watchOver()
	defer s.rescued.work.Wait() // after all watches have ended
	stop, err := s.observe(ctx)
	defer stop()
	if err != nil {
		return err
	}
	if s.disturbed {
		return s.disturb(ctx)
	}
	if err := s.act(ctx); err != nil {
		return err
	}
	for i := range s.fixture.Spec.Then {
		check := &s.fixture.Spec.Then[i]
		path := fmt.Sprintf("spec.then[%d].%s", i, check.Verb())
		if err := s.verify(ctx, check, path); err != nil {
			return err
		}
	}
	s.ended = s.cluster.Now()
	if err := s.afterwards(ctx); err != nil {
		return err
	}
	return s.settle(ctx)
}

// afterwards asks what holds of every fixture.
func (s *session) afterwards(ctx context.Context) error {
	var broken []string
	if inspector, ok := s.cluster.(Inspector); ok {
		broken = append(broken, inspector.Violations()...)
	}
	if s.invariants != nil {
		for _, namespace := range s.world.namespaces {
			broken = append(broken, s.invariants(ctx, s.cluster, namespace)...)
		}
	}
	if len(broken) > 0 {
		f := s.failure(s.fixture.Spec.Pos, "invariants", "an invariant was broken: "+broken[0])
		f.Got = fmt.Sprint(broken)
		return f
	}
	if user, ok := s.cluster.(MockUser); ok {
		if unused := user.UnusedMocks(); len(unused) > 0 {
			return &source.Error{Position: unused[0].Pos, Path: "spec.mocks", Message: fmt.Sprintf("the mock of %s was not used", unused[0].What()), Hint: "remove it, or correct its image, command and args"}
		}
	}
	return s.unusedFaults()
}

// observe begins to watch every kind that the fixture is about, and those that
// explain a failure.
func (s *session) observe(ctx context.Context) (stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, f := range slices.Backward(stops) {
			f()
		}
	}
	kinds, explaining := s.fixture.Watched()
	for i, kind := range slices.Concat(kinds, explaining) {
		namespaces := s.world.namespaces
		if kind.ClusterScoped {
			namespaces = []string{""}
		}
		gvk := schema.GroupVersionKind{Group: kind.Group, Version: kind.Version, Kind: kind.Kind}
		for _, namespace := range namespaces {
			end, err := s.cluster.Observe(gvk, namespace, s.gaps(kind, s.rescuing(ctx, kind, s.both(kind, s.world.handler(kind)))))
			if err != nil {
				if i >= len(kinds) {
					break // a failure is explained without it
				}
				return stop, fmt.Errorf("watching %s: %w", gvk, err)
			}
			stops = append(stops, end)
		}
	}
	return stop, nil
}

// allowance is how long a wait may take.
func (s *session) allowance(within source.Duration) time.Duration {
	budget := time.Duration(s.fixture.Spec.Budget)
	switch {
	case within > 0:
		return time.Duration(within)
	case s.virtual:
		return max(virtualBudget, budget)
	case s.tried:
		return triedBudget
	case budget > 0:
		return max(budget, s.budget)
	}
	return max(defaultBudget, s.budget)
}

// wait lets the world go on until cond holds or the time is up (false, nil).
func (s *session) wait(ctx context.Context, d time.Duration, cond func() bool) (bool, error) {
	held, hopeless := false, func() bool { return false }
	if s.disturbed && !s.settling {
		d, hopeless = min(d, onceDisturbed), s.hopeless()
	}
	err := s.cluster.WaitUntil(ctx, s.cluster.Now().Add(d), func() bool {
		held = cond()
		return held || s.broken() || hopeless()
	})
	if s.broken() {
		return held, s.violated()
	}
	switch {
	case err == nil:
		return held, nil
	case errors.Is(err, ErrDeadline):
		return false, nil
	}
	return false, fmt.Errorf("waiting: %w", err)
}

// changed wraps a condition that depends on what was observed alone, so that it is
// asked only when there is something new. It holds the world's lock meanwhile.
func (s *session) changed(cond func() bool) func() bool {
	last := -1
	return func() bool {
		s.world.mu.Lock()
		defer s.world.mu.Unlock()
		if s.world.seq == last {
			return false
		}
		last = s.world.seq
		return cond()
	}
}

// since renders the time since the fixture began, as +15.2s.
func (s *session) since(t time.Time) string { return t.Sub(s.start).Round(time.Millisecond).String() }

// proven adds evidence.
func (s *session) proven(pos source.Position, path, object string, v *version, saw string) {
	e := reports.Evidence{Check: path, At: pos.String(), Object: object, Saw: saw}
	if v != nil {
		e.After = s.since(v.at)
		if s.virtual {
			e.ResourceVersion = v.object.GetResourceVersion()
		}
	}
	s.evidence = append(s.evidence, e)
}
