package toy_test

import (
	"flag"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

var update = flag.Bool("update", false, "write the golden files")

// verdicts judges a subject by all that the toy is shown with.
func verdicts(t *testing.T, s *subject.Subject, seed uint64) map[string]string {
	t.Helper()
	target, err := fake.New(fake.Options{Subject: s})
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{
		Target: target, Claims: claims(), Seed: seed, Filter: conformance.Filter{Names: slices.Concat(able().Names, unable().Names)},
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range report.Fixtures {
		out[f.Name] = string(f.Verdict)
		if f.Verdict == reports.Fail {
			out[f.Name] += " " + f.Failure.Path + " " + f.Failure.Got
		}
	}
	return out
}

// TestBothModesJudgeAlike: it is the same implementation, called or running by itself.
func TestBothModesJudgeAlike(t *testing.T) {
	t.Parallel()
	want := verdicts(t, deterministic(), 0)
	if len(want) != len(able().Names)+len(unable().Names)-1 { // one of them is in both
		t.Errorf("%d fixtures were judged: %v", len(want), want)
	}
	for _, name := range able().Names {
		if want[name] != string(reports.Pass) {
			t.Errorf("%s: %s", name, want[name])
		}
	}
	for seed := range uint64(3) {
		if diff := cmp.Diff(want, verdicts(t, deterministic(), seed)); diff != "" {
			t.Errorf("seed %d, deterministic (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(want, verdicts(t, independent(t), seed)); diff != "" {
			t.Errorf("seed %d, attached (-want +got):\n%s", seed, diff)
		}
	}
}

// TestControllerFailuresNameTheController compares all failures of the controller with a golden file, as Example does for
// the reconciler.
func TestControllerFailuresNameTheController(t *testing.T) {
	t.Parallel()
	target, err := fake.New(fake.Options{Subject: independent(t)})
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{
		Target: target, Implementation: reports.Implementation{Project: "toy"}, Claims: claims(), Filter: unable(),
	})
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/controller.golden"
	got := tell(report)
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got; -update writes it)\n%s", diff)
	}
}
