// Package session plays one fixture on one cluster: it acts, checks and explains.
//
//	session.go    the order of things
//	act.go        actions: what spec.when says
//	check.go      checks: what spec.then says; window.go, sequence.go and over.go are parts of them
//	oversight.go  invariants, which hold of every run
//	access.go     what the implementation may do
//	settle.go     what must come to an end does so; fixtures under random faults
//	waits.go      how long a wait may take
//	explain.go    what a failed check says
//	account.go    what else helps to understand a failure
//	faults.go     faults of the fixture that did not strike
//
// Package observe keeps what the cluster shows; package verdict says what it means.
package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/observe"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// Cluster is a running cluster; conformance.Cluster says what its methods do.
type Cluster interface {
	observe.Cluster
	Client() client.Client
	CreateNamespace(ctx context.Context, name string) error
	Logs(ctx context.Context, namespace, pod, container string) (string, error)
	Exec(ctx context.Context, namespace, pod, container string, argv []string) (stdout, stderr string, exit int, err error)
	Now() time.Time
	WaitUntil(ctx context.Context, deadline time.Time, cond func() bool) error
}

// MockUser clusters know which mocks have not been used.
type MockUser interface {
	UnusedMocks() []fixture.Mock
	UnusedStandIns() []fixture.StandIn
}

// ErrDeadline is returned by WaitUntil when the deadline passed.
var ErrDeadline = errors.New("the deadline passed")

// Options say what is played, and how.
type Options struct {
	Fixture   *fixture.Fixture
	Cluster   Cluster
	Namespace string
	Pace      Pace
	// Budget is what a wait gets at least on real time.
	Budget time.Duration
	// Foreign: what is judged is not the reference.
	Foreign bool
	// OnViolation, if set, is called with each broken invariant that counts.
	OnViolation func(invariant.Violation)
	// Replay returns the command that shows a failure again.
	Replay func(name string, seed uint64) string
	Seed   uint64
	// Expect are the ends that the runs of a disturbed fixture have despite the trouble. Refused says that a create is refused
	// for good, Visited that users come back to runs that have long been over.
	Expect           map[string]invariant.End
	Refused, Visited bool
}

// run is what the parts of a session share.
type run struct {
	fixture *fixture.Fixture
	cluster Cluster
	seen    *observe.World
	waits   *waits
	watch   *oversight
	// refused holds what the API server refused, by action and reference.
	refused  map[string]error
	evidence []reports.Evidence
}

// Session is one fixture on one cluster.
type Session struct {
	*run
	o       Options
	actions *actions
	checks  *checks
	logs    *observe.Logs
	// ended is when the last check had been made.
	ended time.Time
}

// New returns a session that has not begun.
func New(o Options) *Session {
	r := &run{fixture: o.Fixture, cluster: o.Cluster, seen: observe.NewWorld(o.Fixture, o.Namespace, o.Cluster.Now), refused: map[string]error{}}
	r.watch = &oversight{fixture: o.Fixture, seen: r.seen, foreign: o.Foreign, told: o.OnViolation, refused: o.Refused, expect: o.Expect}
	r.waits = &waits{clock: o.Cluster, pace: o.Pace, fixture: time.Duration(o.Fixture.Spec.Budget), least: o.Budget, watch: r.watch}
	s := &Session{run: r, o: o, checks: &checks{r}, logs: &observe.Logs{Read: o.Cluster.Logs}}
	s.actions = &actions{run: r, checks: s.checks}
	return s
}

// Evidence is what was seen that a check asked for.
func (s *Session) Evidence() []reports.Evidence { return s.evidence }

// Ends returns how the runs have ended so far.
func (s *Session) Ends() map[string]invariant.End {
	if s.watch.monitor == nil {
		return nil
	}
	return s.watch.monitor.Ends()
}

// World returns what was observed.
func (s *Session) World() *observe.World { return s.seen }

// End returns when the last check had been made, or else now.
func (s *Session) End() time.Time {
	if s.ended.IsZero() {
		s.ended = s.cluster.Now()
	}
	return s.ended
}

// Run acts and verifies. The result is nil, a *verdict.Failed, or an error of the machine.
func (s *Session) Run(ctx context.Context) error {
	s.seen.Start = s.cluster.Now()
	for _, namespace := range s.seen.Namespaces {
		if err := s.cluster.CreateNamespace(ctx, namespace); err != nil {
			return fmt.Errorf("creating namespace %s: %w", namespace, err)
		}
	}
	s.begin()
	s.watch.begin(s.cluster, s.waits.pace)
	defer s.logs.Wait() // after all watches have ended
	stop, err := s.observe(ctx)
	defer stop()
	if err != nil {
		return err
	}
	if s.waits.pace == Disturbed {
		return s.disturb(ctx)
	}
	if err := s.actions.act(ctx); err != nil {
		return err
	}
	for i := range s.fixture.Spec.Then {
		check := &s.fixture.Spec.Then[i]
		path := fmt.Sprintf("spec.then[%d].%s", i, check.Verb())
		if err := s.checks.verify(ctx, check, path); err != nil {
			return err
		}
	}
	s.ended = s.cluster.Now()
	if err := s.unused(); err != nil {
		return err
	}
	return s.settle(ctx)
}

// Play acts in a namespace that exists, and judges nothing. A manifest that is refused is explained at its places in the file.
func (s *Session) Play(ctx context.Context) error {
	s.begin()
	stop, err := s.observe(ctx)
	defer stop()
	if err != nil {
		return err
	}
	err = s.actions.act(ctx)
	var r *refused
	if errors.As(err, &r) && r.manifest != nil {
		return s.actions.explain(r.manifest, r.answer)
	}
	return err
}

func (s *Session) begin() {
	s.seen.Start = s.cluster.Now()
	s.actions.last = s.seen.Start
}

// observe begins to watch.
func (s *Session) observe(ctx context.Context) (stop func(), err error) {
	logs := s.logs
	if s.waits.pace.virtual() {
		logs = nil // nothing can read meanwhile; the cluster may be a LogKeeper
	}
	return s.seen.Watch(ctx, s.cluster, s.watch.handler(s.cluster.Now), logs)
}

// unused returns an error for mocks and faults of the fixture that were not used: it proves less than it says.
func (s *Session) unused() error {
	if user, ok := s.cluster.(MockUser); ok {
		if unused := user.UnusedMocks(); len(unused) > 0 {
			return &source.Error{Position: unused[0].Pos, Path: "spec.mocks", Message: fmt.Sprintf("the mock of %s was not used", unused[0].What()), Hint: "remove it, or correct its image, command and args"}
		}
		if unused := user.UnusedStandIns(); len(unused) > 0 {
			return &source.Error{Position: unused[0].Pos, Path: "spec.customTasks", Message: fmt.Sprintf("no run asked for %s as described", unused[0].What()), Hint: "remove it, or correct its apiVersion, kind, name and when"}
		}
	}
	return s.unusedFaults()
}

// failure begins the account of a failure.
func failure(pos source.Position, path, message string) *verdict.Failed {
	return &verdict.Failed{Failure: reports.Failure{At: pos.String(), Check: path, Message: message}}
}

// proven adds evidence.
func (s *run) proven(pos source.Position, path, object string, v *observe.Version, saw string) {
	e := reports.Evidence{Check: path, At: pos.String(), Object: object, Saw: saw}
	if v != nil {
		e.After = s.seen.Since(v.At)
		if s.waits.pace.virtual() {
			e.ResourceVersion = v.Meta.GetResourceVersion()
		}
	}
	s.evidence = append(s.evidence, e)
}

// container returns the newest Pod that a reference stands for, and the container,
// or its first.
func (s *run) container(r *fixture.Ref, container string) (namespace, podName, containerName string) {
	s.seen.Lock()
	defer s.seen.Unlock()
	var newest *observe.Life
	for _, l := range s.seen.Find(r) {
		if !l.Last().Gone && (newest == nil || l.Versions[0].Seq > newest.Versions[0].Seq) {
			newest = l
		}
	}
	if newest == nil {
		return "", "", ""
	}
	if container == "" {
		if list := observe.Containers(newest.Last().Object(), "containers"); len(list) > 0 {
			container = list[0]
		}
	}
	return newest.Namespace, newest.Name, container
}
