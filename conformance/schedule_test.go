package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"weak"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// shared is a target whose clusters tell when they begin and end.
type shared struct {
	double.Target
	log      []string
	closing  error
	starting func() error
	removes  bool
}

func (s *shared) Start(ctx context.Context, setup conformance.Setup) (conformance.Cluster, error) {
	if s.starting != nil {
		if err := s.starting(); err != nil {
			return nil, err
		}
	}
	c, err := s.Target.Start(ctx, setup)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprint(setup.Config)
	s.log = append(s.log, "start "+name)
	open := &leased{Cluster: c, end: func() error {
		s.log = append(s.log, "close "+name)
		return s.closing
	}}
	if s.removes {
		return &remover{leased: open, s: s}, nil
	}
	return open, nil
}

type leased struct {
	conformance.Cluster
	end func() error
}

func (l *leased) Close() error { return errors.Join(l.Cluster.Close(), l.end()) }

type remover struct {
	*leased
	s *shared
}

func (r *remover) RemoveNamespace(_ context.Context, name string) error {
	name, _, _ = strings.Cut(name, "-")
	r.s.log = append(r.s.log, "remove "+name)
	return nil
}

// some are fixtures of two configurations; the last may take longest.
func some(t *testing.T) []*fixture.Fixture {
	t.Helper()
	one := func(name, spec string) *fixture.Fixture {
		then := "\nthen: [{eventually: {on: taskrun/" + name + ", match: {status: {conditions: [{status: \"True\"}]}}}}]"
		return load(t, name, "features: [steps]"+spec+then, strings.ReplaceAll(quick, "quick", name))
	}
	return []*fixture.Fixture{
		one("a", ""),
		one("b", "\nconfig: {feature-flags: {enable-api-fields: alpha}}"),
		one("c", "\nbudget: 150s"),
		one("d", "\nbudget: 200s"),
	}
}

func TestFixturesShareClusters(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		caps   conformance.Capabilities
		want   []string
	}{
		{
			"side by side, what may take longest begins first, making its cluster included; a cluster lives from its first fixture to its last",
			conformance.Capabilities{SideBySide: true},
			[]string{"start map[]", "d", "start map[feature-flags:map[enable-api-fields:alpha]]", "close map[feature-flags:map[enable-api-fields:alpha]]", "b", "c", "a", "close map[]"},
		},
		{
			"otherwise one cluster ends before the next begins, and those with a configuration come first",
			conformance.Capabilities{},
			[]string{"start map[feature-flags:map[enable-api-fields:alpha]]", "close map[feature-flags:map[enable-api-fields:alpha]]", "b", "start map[]", "d", "c", "a", "close map[]"},
		},
		{
			"on virtual time the order is that of the report",
			conformance.Capabilities{VirtualTime: true},
			[]string{"start map[]", "a", "c", "d", "close map[]", "start map[feature-flags:map[enable-api-fields:alpha]]", "close map[feature-flags:map[enable-api-fields:alpha]]", "b"},
		},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			tt.caps.Configurable = func(string, string) bool { return true }
			target := &shared{Target: double.Target{Caps: tt.caps, Script: double.Toy(double.Faults{})}}
			report, err := conformance.Judge(t.Context(), conformance.Options{
				Target: target, Fixtures: some(t), Date: time.Unix(1, 0),
				Progress: func(p conformance.Progress) { target.log = append(target.log, p.Result.Name) },
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, target.log); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var names []string
			for _, f := range report.Fixtures {
				names = append(names, f.Name)
				if f.Verdict != reports.Pass {
					t.Errorf("%s: %s %s", f.Name, f.Verdict, render.Explain(&f))
				}
			}
			if !slices.Equal(names, []string{"a", "b", "c", "d"}) {
				t.Errorf("the report has %q", names)
			}
		})
	}
}

func TestFailedCloseOfASharedClusterIsAnError(t *testing.T) {
	t.Parallel()
	target := &shared{
		Target:  double.Target{Caps: conformance.Capabilities{SideBySide: true}, Script: double.Toy(double.Faults{})},
		closing: errors.New("it does not end"),
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Fixtures: some(t), Date: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range report.Fixtures {
		if f.Name == "b" { // may not be configured here
			continue
		}
		if f.Verdict != reports.Error || !strings.Contains(f.Reason, "it does not end") {
			t.Errorf("%s: %s %s", f.Name, f.Verdict, f.Reason)
		}
	}
}

func TestTargetMayRemoveNamespacesItself(t *testing.T) {
	t.Parallel()
	target := &shared{removes: true, Target: double.Target{Caps: conformance.Capabilities{SideBySide: true}, Script: double.Toy(double.Faults{})}}
	if _, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Fixtures: some(t)[:1], Date: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"start map[]", "remove a", "close map[]"}; !slices.Equal(target.log, want) {
		t.Errorf("got %q, want %q", target.log, want)
	}
}

func TestInterruptedStartCountsAsNotRun(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	target := &shared{Target: double.Target{Caps: conformance.Capabilities{SideBySide: true}}, starting: func() error {
		cancel()
		return ctx.Err()
	}}
	report, err := conformance.Judge(ctx, conformance.Options{Target: target, Fixtures: some(t)[:1], Date: time.Unix(1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	if f := report.Fixtures[0]; f.Verdict != reports.NotRun {
		t.Errorf("%s %s, want %s", f.Verdict, f.Reason, reports.NotRun)
	}
}

// A simulated cluster has megabytes: a run that held all of its clusters would need room for each.
func TestAClusterThatIsClosedIsLetGo(t *testing.T) {
	t.Parallel()
	var made []weak.Pointer[leased]
	target := &lettingGo{Target: double.Target{Caps: conformance.Capabilities{Isolated: true, VirtualTime: true}, Script: double.Toy(double.Faults{})}, made: &made}
	alive := func() (n int) {
		runtime.GC()
		for _, p := range made {
			if p.Value() != nil {
				n++
			}
		}
		return n
	}
	most := 0
	_, err := conformance.Judge(t.Context(), conformance.Options{
		Target: target, Fixtures: some(t), Date: time.Unix(1, 0), Parallel: 1,
		Progress: func(conformance.Progress) { most = max(most, alive()) },
	})
	if err != nil || len(made) < 3 {
		t.Fatalf("%d clusters, %v", len(made), err)
	}
	if most > 1 {
		t.Errorf("%d clusters were held at once, want 1", most)
	}
}

// lettingGo remembers its clusters without holding them.
type lettingGo struct {
	double.Target
	made *[]weak.Pointer[leased]
}

func (l *lettingGo) Start(ctx context.Context, setup conformance.Setup) (conformance.Cluster, error) {
	c, err := l.Target.Start(ctx, setup)
	if err != nil {
		return nil, err
	}
	open := &leased{Cluster: c, end: func() error { return nil }}
	*l.made = append(*l.made, weak.Make(open))
	return open, nil
}
