package kind_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/compare"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// only chooses fixtures by name, for a developer who works on some of them; every, if set, means all of the suite.
const (
	only  = "PLUMBLINE_ONLY"
	every = "PLUMBLINE_EVERY"
)

// explained are the fixtures that may end otherwise here than on the fake cluster, with the reason. There is none.
func explained() []compare.Explanation { return nil }

// newTarget is a cluster with what is in the source, and the container engine that its node is in.
func newTarget(t *testing.T) (target *kind.Target, engine string) {
	t.Helper()
	if !kind.Required() {
		t.Skipf("makes a kind cluster and takes six minutes: set %s=%s to run it", envtest.VariableRequire, kind.Name)
	}
	began := time.Now()
	state, err := kindcluster.Up(t.Context(), kindcluster.Options{Name: os.Getenv(kind.VariableCluster), Tell: func(text string) { t.Log(text) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("summary: the cluster %s is ready after %s", state.Name, time.Since(began).Round(time.Second))
	engine = strings.Fields(state.Engine)[0]
	target, err = kind.New(t.Context(), kind.Options{Config: state.Config(), Images: state.Images, Injector: state.Injector, Outside: state.Outside, Journal: kind.EngineJournal(engine)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	return target, engine
}

// selected are the fixtures to run: what is required, and what is about volumes, which are most unlike the simulated ones here, one
// case of each. A kubelet adds nothing to what is refused before it is stored, nor to the other version of a Pipeline. All of the rest
// shows the same on a kube-apiserver by envtest, and would take another hour.
func selected(t *testing.T) (list []*fixture.Fixture, filter conformance.Filter) {
	t.Helper()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	if names := os.Getenv(only); names != "" {
		return list, conformance.Filter{Names: strings.Split(names, ",")}
	}
	if os.Getenv(every) != "" {
		return list, conformance.Filter{}
	}
	return slices.DeleteFunc(list, func(f *fixture.Fixture) bool {
		otherVersion := f.Spec.Profile == fixture.ProfilePipelineRun && slices.Contains(f.Spec.Features, "v1")
		volumes := slices.ContainsFunc(f.Spec.Features, func(name string) bool { return strings.HasSuffix(name, "workspaces") })
		return f.Spec.Component == fixture.ComponentAdmission || otherVersion || f.Spec.Level != fixture.Required && !volumes
	}), conformance.Filter{Brief: true}
}

// TestVerdictsAreThoseOfTheFakeCluster runs fixtures on both targets.
func TestVerdictsAreThoseOfTheFakeCluster(t *testing.T) {
	real, _ := newTarget(t)
	simulated, err := fake.New(fake.Options{Remote: outside.Of})
	if err != nil {
		t.Fatal(err)
	}
	options := conformance.Options{Target: simulated, Implementation: reference.Implementation(), Claims: reference.Claims(), Date: time.Now()}
	options.Fixtures, options.Filter = selected(t)
	want := judge(t, options)
	options.Target = real
	began := time.Now()
	options.Progress = func(p conformance.Progress) {
		t.Logf("%6.1fs %s %s took %s", time.Since(began).Seconds(), p.Result.Verdict, p.Result.Name, p.Result.Duration)
	}
	got := judge(t, options)
	t.Logf("summary: %s: %s", want.Target.Name, summary(want))
	t.Logf("summary: %s: %s, in %s", got.Target.Name, summary(got), time.Since(began).Round(time.Second))
	for _, text := range unexpected(want, got, explained()) {
		t.Error(text)
	}
}

func judge(t *testing.T, o conformance.Options) *reports.ConformanceReport {
	t.Helper()
	report, err := conformance.Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// unexpected tells where the two targets come to different verdicts, which fixtures of a real kubelet do not pass, and which
// explanations are not needed.
func unexpected(simulated, real *reports.ConformanceReport, explained []compare.Explanation) []string {
	var out []string
	fixtures := map[string]*reports.Fixture{}
	passed := false
	for i := range real.Fixtures {
		f := &real.Fixtures[i]
		fixtures[f.Name] = f
		passed = passed || f.Verdict == reports.Pass
	}
	known := map[string]bool{}
	difference := compare.Diff(simulated, real, compare.DiffOptions{Judged: true, Explained: explained})
	for _, c := range difference.Changes {
		known[c.Fixture] = true
		if c.Why == "" {
			out = append(out, fmt.Sprintf("%s: %s on %s, %s on %s\n%s", c.Fixture, c.B, real.Target.Name, c.A, simulated.Target.Name, render.Explain(fixtures[c.Fixture])))
		}
	}
	for _, x := range difference.Stale {
		out = append(out, fmt.Sprintf("%s: the targets agree; take the explanation out: %s", x.Fixture, x.Why))
	}
	for i := range real.Fixtures {
		f := &real.Fixtures[i]
		if !known[f.Name] && (f.Verdict == reports.Fail || f.Verdict == reports.Error || f.Verdict == reports.NotRun) {
			out = append(out, fmt.Sprintf("%s: %s on %s: %s\n%s", f.Name, f.Verdict, real.Target.Name, f.Reason, render.Explain(f)))
		}
	}
	if !passed {
		out = append(out, "no fixture passed")
	}
	return out
}

// summary counts what passed, failed and was skipped.
func summary(r *reports.ConformanceReport) string {
	var passed, failed, skipped int
	for _, f := range r.Fixtures {
		switch f.Verdict {
		case reports.Pass:
			passed++
		case reports.Unsupported, reports.NotOnThisTarget, reports.Excluded:
			skipped++
		default:
			failed++
		}
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", passed, failed, skipped)
}
