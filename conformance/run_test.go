package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/statement"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

// recorder is a test that records its own outcome.
type recorder struct {
	name     string
	only     []string // names of the subtests that are run, as by -run; nil means all
	failed   bool
	skipped  bool
	parallel bool
	fatal    bool
	said     []string
	subs     []*recorder
}

var _ conformance.T[*recorder] = (*recorder)(nil)

type fatality struct{}

func (r *recorder) Name() string             { return r.name }
func (r *recorder) Context() context.Context { return context.Background() }
func (r *recorder) Helper()                  {}
func (r *recorder) Parallel()                { r.parallel = true }
func (r *recorder) Log(args ...any)          { r.said = append(r.said, fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any)        { r.failed = true; r.Log(args...) }
func (r *recorder) Skip(args ...any)         { r.skipped = true; r.Log(args...) }
func (r *recorder) Fatal(args ...any)        { r.fatal = true; r.Error(args...); panic(fatality{}) }

func (r *recorder) Run(name string, f func(*recorder)) bool {
	sub := &recorder{name: r.name + "/" + name, only: r.only}
	if strings.Count(sub.name, "/") == 2 && r.only != nil && !slices.Contains(r.only, name) {
		return true
	}
	r.subs = append(r.subs, sub)
	f(sub)
	r.failed = r.failed || sub.failed
	return !sub.failed
}

// outcomes lists the outcome of every fixture's subtest, then of the test itself.
func (r *recorder) outcomes() (out []string) {
	for _, profile := range r.subs {
		for _, s := range profile.subs {
			word := "ok"
			switch {
			case s.skipped:
				word = "skip"
			case s.failed:
				word = "FAIL"
			}
			out = append(out, s.name+" "+word)
		}
	}
	return out
}

func (r *recorder) output() string {
	text := strings.Join(r.said, "\n")
	for _, profile := range r.subs {
		for _, s := range profile.subs {
			text += "\n" + strings.Join(s.said, "\n")
		}
	}
	return text
}

func record(o conformance.Options, only ...string) (r *recorder, report *reports.ConformanceReport) {
	r = &recorder{name: "TestMine", only: only}
	defer func() {
		if p := recover(); p != nil && p != (fatality{}) {
			panic(p)
		}
	}()
	report = conformance.Run(r, o)
	return r, report
}

func TestRunMakesASubtestOfEachFixture(t *testing.T) {
	t.Parallel()
	list := func(specs ...string) (out []*fixture.Fixture) {
		for i, spec := range specs {
			out = append(out, load(t, fmt.Sprintf("f%d", i), spec, quick))
		}
		return out
	}
	const core = "TestMine/taskrun-core/"
	for _, tt := range []struct {
		reason   string
		fixtures []*fixture.Fixture
		options  func(*conformance.Options)
		only     []string
		outcomes []string
		failed   bool
		says     []string
	}{
		{reason: "passing fixtures pass the test", fixtures: list(passes, passes), outcomes: []string{core + "f0 ok", core + "f1 ok"},
			says: []string{"taskrun-core: passed\n", "required     2 of 2 passed", "not claimed  "}},
		{reason: "a failure shows the requirement, the place, want and got, and how to see it again", fixtures: list(passes, fails), failed: true,
			outcomes: []string{core + "f0 ok", core + "f1 FAIL"},
			says: []string{"FAIL f1: ", "f1.yaml:", "spec.then[0].eventually", "want    \"Maybe\"", "got     \"True\"", "go test -run '^TestMine$/^taskrun-core$/^f1$'",
				"failed: taskrun-core: a required fixture failed: f1"}},
		{reason: "a broken machine is an error and fails the test", fixtures: list(passes), failed: true, outcomes: []string{core + "f0 FAIL"},
			options: func(o *conformance.Options) {
				o.Target = &double.Target{Caps: virtual(), Script: func(*double.Cluster) { panic("out of cheese") }}
			},
			says: []string{"ERROR f0: ", "out of cheese"}},
		{reason: "an unclaimed fixture is skipped with its reason", fixtures: list("features: [debug]\n"+passes, passes), outcomes: []string{core + "f0 skip", core + "f1 ok"},
			says: []string{"unsupported: feature debug is not claimed"}},
		{reason: "fewer features than the mandatory ones fail the test", fixtures: list("features: [timeout]\n"+passes, passes), failed: true,
			options:  func(o *conformance.Options) { o.Claims.Lacks = []string{"timeout"} },
			outcomes: []string{core + "f0 skip", core + "f1 ok"}, says: []string{"partial: taskrun-core: ", "mandatory features are not claimed: timeout"}},
		{reason: "unless partial is allowed", fixtures: list("features: [timeout]\n"+passes, passes),
			options:  func(o *conformance.Options) { o.Claims.Lacks, o.Partial = []string{"timeout"}, true },
			outcomes: []string{core + "f0 skip", core + "f1 ok"}, says: []string{"partial, as requested: taskrun-core: "}},
		{reason: "wanting partial does not excuse a failure", fixtures: list("features: [timeout]\n"+passes, fails), failed: true,
			options:  func(o *conformance.Options) { o.Claims.Lacks, o.Partial = []string{"timeout"}, true },
			outcomes: []string{core + "f0 skip", core + "f1 FAIL"}},
		{reason: "nor a run that shows nothing", fixtures: list("features: [timeout]\n" + passes), failed: true,
			options:  func(o *conformance.Options) { o.Claims.Lacks, o.Partial = []string{"timeout"}, true },
			outcomes: []string{core + "f0 skip"}, says: []string{"nothing is shown"}},
		{reason: "a failed recommendation is reported and does not fail the run", fixtures: list("level: recommended\n"+fails, passes), outcomes: []string{core + "f0 skip", core + "f1 ok"},
			says: []string{"level recommended does not bind", "FAIL f0"}},
		{reason: "no fixtures at all show nothing", fixtures: []*fixture.Fixture{}, failed: true, says: []string{"nothing was run"}},
		{reason: "-run leaves the verdict open", fixtures: list(passes, fails), only: []string{"f0"}, outcomes: []string{core + "f0 ok"},
			says: []string{"1 of 2 fixtures were selected: no verdict"}},
		{reason: "-run that selects nothing shows nothing", fixtures: list(passes), only: []string{"other"}, failed: true, says: []string{"no fixture is selected by -run"}},
		{reason: "without a target there is nothing to run on", fixtures: list(passes), failed: true, options: func(o *conformance.Options) { o.Target = nil },
			says: []string{"no target to run on"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			o := conformance.Options{Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})}, Fixtures: tt.fixtures}
			if tt.options != nil {
				tt.options(&o)
			}
			r, report := record(o, tt.only...)
			if got := r.outcomes(); !slices.Equal(got, tt.outcomes) {
				t.Errorf("subtests %q, want %q", got, tt.outcomes)
			}
			if r.failed != tt.failed {
				t.Errorf("failed: %v, want %v", r.failed, tt.failed)
			}
			if (report == nil) != r.fatal {
				t.Errorf("report %v of a test that ended early: %v", report, r.fatal)
			}
			for _, want := range tt.says {
				if !strings.Contains(r.output(), want) {
					t.Errorf("it does not say %q:\n%s", want, r.output())
				}
			}
		})
	}
}

func TestSubtestsAreParallelWhereClustersAreIsolated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		isolated bool
		parallel int
		want     bool
	}{{true, 0, true}, {true, 1, false}, {false, 0, false}} {
		caps := virtual()
		caps.Isolated = tt.isolated
		r, _ := record(conformance.Options{Target: &double.Target{Caps: caps, Script: double.Toy(double.Faults{})}, Parallel: tt.parallel,
			Fixtures: []*fixture.Fixture{load(t, "f0", passes, quick)}})
		if got := r.subs[0].subs[0].parallel; got != tt.want {
			t.Errorf("isolated %v, at most %d at once: parallel %v", tt.isolated, tt.parallel, got)
		}
	}
}

// TestRunQuotesStatements: a failure says what the fixture proves, in the words of the document and with its place.
func TestRunQuotesStatements(t *testing.T) {
	t.Parallel()
	table, err := statement.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	s, ok := table.Get("S003-030")
	if !ok || s.Words == "" || s.Line == "" {
		t.Fatalf("the statement is %+v", s)
	}
	for _, tt := range []struct{ spec, prefix string }{
		{"proves: [S003-030]\n" + fails, "FAIL f"},
		{"proves: [S003-030]\nlevel: recommended\n" + fails, "level recommended does not bind"},
	} {
		r, _ := record(conformance.Options{
			Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})}, Fixtures: []*fixture.Fixture{load(t, "f", tt.spec, quick)},
		})
		sub := r.subs[0].subs[0]
		said := strings.Join(sub.said, "\n")
		for _, want := range []string{tt.prefix, "  source  S003-030 (", ", line " + s.Line, "): " + s.Words + "\n"} {
			if !strings.Contains(said, want) {
				t.Errorf("the subtest does not say %q:\n%s", want, said)
			}
		}
	}
}

// TestRunIsForRealTests has the compiler infer that *testing.T will do.
func TestRunIsForRealTests(t *testing.T) {
	report := conformance.Run(t, conformance.Options{Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})},
		Fixtures: []*fixture.Fixture{load(t, "f0", passes, quick)}})
	if report.Result != reports.Passed {
		t.Errorf("result %s: %q", report.Result, report.Reasons)
	}
}
