package envtest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/target/envtest"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// only chooses fixtures by name, for whoever works on some of them.
const only = "PLUMBLINE_ONLY"

// target returns the target. Without its binaries there is nothing to test, unless the environment insists.
func target(t *testing.T) *envtest.Target {
	t.Helper()
	if !envtest.Required() {
		t.Skipf("starts a kube-apiserver and takes minutes: set %s=%s to run it", envtest.VariableRequire, envtest.Name)
	}
	made, err := envtest.New(envtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := made.Close(); err != nil {
			t.Error(err)
		}
	})
	return made
}

// TestVerdictsAreThoseOfTheFakeCluster runs every fixture that this target can meet on both targets.
func TestVerdictsAreThoseOfTheFakeCluster(t *testing.T) {
	real := target(t)
	simulated, err := fake.New(fake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	options := conformance.Options{Target: simulated, Implementation: fake.Implementation(), Claims: fake.Claims(), Date: time.Now()}
	if names := os.Getenv(only); names != "" {
		options.Filter.Names = strings.Split(names, ",")
	}
	want := run(t, options)
	options.Target = real
	began := time.Now()
	options.Progress = func(p conformance.Progress) {
		t.Logf("%6.1fs %s %s took %s", time.Since(began).Seconds(), p.Result.Verdict, p.Result.Name, p.Result.Duration)
	}
	got := run(t, options)
	t.Logf("%d fixtures in %s, the start of the control plane included", len(got), time.Since(began).Round(time.Millisecond))
	counts := map[reports.Verdict]int{}
	for name, result := range got {
		counts[result.Verdict]++
		if result.Verdict == reports.NotOnThisTarget {
			continue
		}
		if result.Verdict != want[name].Verdict {
			t.Errorf("%s: %s here, %s on the fake cluster\n%s", name, result.Verdict, want[name].Verdict, reports.Explain(&result))
		}
	}
	t.Log(counts)
	if counts[reports.Pass] == 0 {
		t.Error("no fixture passed")
	}
}

func run(t *testing.T, o conformance.Options) map[string]reports.Fixture {
	t.Helper()
	report, err := conformance.Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]reports.Fixture{}
	for _, f := range report.Fixtures {
		out[f.Name] = f
	}
	return out
}
