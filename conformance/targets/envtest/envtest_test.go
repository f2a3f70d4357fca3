package envtest_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// only chooses fixtures by name, for a developer who works on some of them.
const only = "PLUMBLINE_ONLY"

// explained are the fixtures that may end otherwise here than on the fake cluster, with the reason. There is none.
func explained() map[string]string { return nil }

// TestVerdictsAreThoseOfTheFakeCluster runs every fixture on both targets.
func TestVerdictsAreThoseOfTheFakeCluster(t *testing.T) {
	if !envtest.Required() {
		t.Skipf("starts a kube-apiserver and takes a minute and a half: make k8s-assets, and set %s=%s to run it", envtest.VariableRequire, envtest.Name)
	}
	real, err := envtest.New(envtest.Options{Remote: outside.Over})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := real.Close(); err != nil {
			t.Error(err)
		}
	})
	simulated, err := fake.New(fake.Options{Remote: outside.Of})
	if err != nil {
		t.Fatal(err)
	}
	options := conformance.Options{Target: simulated, Implementation: reference.Implementation(), Claims: reference.Claims(), Date: time.Now()}
	if names := os.Getenv(only); names != "" {
		options.Filter.Names = strings.Split(names, ",")
	}
	want := judge(t, options)
	options.Target = real
	began := time.Now()
	options.Progress = func(p conformance.Progress) {
		t.Logf("%6.1fs %s %s took %s", time.Since(began).Seconds(), p.Result.Verdict, p.Result.Name, p.Result.Duration)
	}
	got := judge(t, options)
	t.Logf("summary: %s: %s", want.Target.Name, summary(want))
	t.Logf("summary: %s: %s, in %s with the start of the control plane", got.Target.Name, summary(got), time.Since(began).Round(time.Second))
	for _, text := range disagreements(want, got, explained()) {
		t.Error(text)
	}
	if !slices.ContainsFunc(got.Fixtures, func(f reports.Fixture) bool { return f.Verdict == reports.Pass }) {
		t.Error("no fixture passed")
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

// elsewhere are verdicts that say that a target cannot tell.
func elsewhere(v reports.Verdict) bool { return v == reports.NotOnThisTarget }

// disagreements tells where two targets come to different verdicts. What one of them cannot meet it says nothing about. An
// explanation that is not needed is one too many.
func disagreements(simulated, real *reports.ConformanceReport, explained map[string]string) []string {
	var out []string
	if simulated.Suite.Digest != real.Suite.Digest {
		out = append(out, fmt.Sprintf("the suites differ: %s and %s", simulated.Suite.Digest, real.Suite.Digest))
	}
	unused := maps.Clone(explained)
	want := map[string]*reports.Fixture{}
	for i := range simulated.Fixtures {
		want[simulated.Fixtures[i].Name] = &simulated.Fixtures[i]
	}
	for i := range real.Fixtures {
		f := &real.Fixtures[i]
		other, ok := want[f.Name]
		delete(want, f.Name)
		switch {
		case !ok:
			out = append(out, fmt.Sprintf("%s: only on %s", f.Name, real.Target.Name))
		case f.Verdict == other.Verdict || elsewhere(f.Verdict) || elsewhere(other.Verdict):
		case explained[f.Name] != "":
			delete(unused, f.Name)
		default:
			out = append(out, fmt.Sprintf("%s: %s on %s, %s on %s\n%s%s", f.Name, f.Verdict, real.Target.Name, other.Verdict, simulated.Target.Name,
				render.Explain(f), render.Explain(other)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		out = append(out, fmt.Sprintf("%s: only on %s", name, simulated.Target.Name))
	}
	for _, name := range slices.Sorted(maps.Keys(unused)) {
		out = append(out, fmt.Sprintf("%s: the targets agree; take the explanation out: %s", name, unused[name]))
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

func TestDisagreements(t *testing.T) {
	t.Parallel()
	report := func(target string, verdicts ...string) *reports.ConformanceReport {
		r := &reports.ConformanceReport{Target: reports.Target{Name: target}, Suite: reports.Suite{Digest: "d"}}
		for _, v := range verdicts {
			name, verdict, _ := strings.Cut(v, " ")
			r.Fixtures = append(r.Fixtures, reports.Fixture{Name: name, Verdict: reports.Verdict(verdict)})
		}
		return r
	}
	for _, tt := range []struct {
		reason          string
		simulated, real []string
		explained       map[string]string
		want            []string // how each disagreement begins
	}{
		{"the same verdicts agree, whatever they are", []string{"a pass", "b fail", "c unsupported"}, []string{"c unsupported", "b fail", "a pass"}, nil, nil},
		{"a fake cluster that is too kind", []string{"a pass"}, []string{"a fail"}, nil, []string{"a: fail on real, pass on simulated"}},
		{"a fake cluster that is too strict", []string{"a fail"}, []string{"a pass"}, nil, []string{"a: pass on real, fail on simulated"}},
		{"a machine that broke agrees with nothing", []string{"a pass"}, []string{"a error"}, nil, []string{"a: error on real, pass on simulated"}},
		{"what one target cannot meet it says nothing about", []string{"a pass", "b not-on-this-target"}, []string{"a not-on-this-target", "b pass"}, nil, nil},
		{"a fixture that one report lacks", []string{"a pass"}, []string{"b pass"}, nil, []string{"b: only on real", "a: only on simulated"}},
		{"a difference may be explained", []string{"a pass"}, []string{"a fail"}, map[string]string{"a": "the clock"}, nil},
		{"an explanation that is not needed", []string{"a pass"}, []string{"a pass"}, map[string]string{"a": "the clock"}, []string{"a: the targets agree; take the explanation out: the clock"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, text := range disagreements(report("simulated", tt.simulated...), report("real", tt.real...), tt.explained) {
				first, _, _ := strings.Cut(text, "\n")
				got = append(got, first)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	other := report("real")
	other.Suite.Digest = "another"
	if got := disagreements(report("simulated"), other, nil); len(got) != 1 {
		t.Errorf("of two suites it says %q", got)
	}
}
