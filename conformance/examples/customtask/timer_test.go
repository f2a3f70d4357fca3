package customtask_test

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/customtask"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
)

// judged are the options by which a timer is judged, as its subject file says.
func judged(t *testing.T, file string, timer *subject.Subject) conformance.Options {
	t.Helper()
	target, err := fake.New(fake.Options{Subject: timer})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := conformance.LoadSubject(file, text)
	if err != nil {
		t.Fatal(err)
	}
	list, err := profile()
	if err != nil {
		t.Fatal(err)
	}
	return conformance.Options{Target: target, Implementation: s.Identity(), Claims: s.Claims(), Fixtures: list}
}

// reconciled is a timer as a reconciler that the simulated cluster calls, beside the controllers that run Pipelines.
func reconciled(plain bool, fault customtask.Fault) *subject.Subject {
	return reference.Beside(subject.Controller{
		Name: "timer", For: v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun),
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			return &customtask.Timer{Client: d.Client, Clock: d.Clock, Plain: plain, Fault: fault}, nil
		},
	})
}

// profile are the fixtures of the profile custom-task.
var profile = sync.OnceValues(func() ([]*fixture.Fixture, error) {
	tree, err := fs.Sub(fixtures.FS, fixture.ProfileCustomTask)
	if err != nil {
		return nil, err
	}
	return fixture.LoadFS(tree, "fixtures/"+fixture.ProfileCustomTask)
})

// TestTimer judges the timer. Each fixture is a subtest.
func TestTimer(t *testing.T) {
	conformance.Run(t, judged(t, "timer.yaml", reconciled(false, "")))
}

// TestPlainTimer judges one without timeouts and retries by what the documents ask of such controllers.
func TestPlainTimer(t *testing.T) {
	conformance.Run(t, judged(t, "plain.yaml", reconciled(true, "")))
}

// TestAttachedTimer judges the timer as a program with goroutines of its own. Nothing runs Pipelines beside it.
func TestAttachedTimer(t *testing.T) {
	o := judged(t, "timer.yaml", attached.Subject(t, attached.Options{
		Name: "timer",
		Run: func(ctx context.Context, d attached.Deps) error {
			runs, err := d.Informer(&v1beta1.CustomRun{})
			if err != nil {
				return err
			}
			return (&customtask.Timer{Client: d.Client, Clock: customtask.WallClock{}}).Run(ctx, runs)
		},
	}))
	o.Claims.Features = slices.DeleteFunc(o.Claims.Features, func(name string) bool { return name == "run-pipeline" })
	conformance.Run(t, o)
}

// TestPoorTimers has a row for each fault: the statements whose fixtures fail, and no others do.
func TestPoorTimers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fault      customtask.Fault
		plain      bool
		statements string
	}{
		{customtask.IgnoresCancel, false, ""},
		{customtask.IgnoresTimeout, false, ""},
		{customtask.EarlyTimeout, false, ""},
		{customtask.ZeroIsAtOnce, false, ""},
		{customtask.WrongTimeoutReason, false, ""},
		{customtask.WrongCancelReason, false, ""},
		{customtask.ResetsStart, false, ""},
		{customtask.NoStart, false, ""},
		{customtask.NoCompletion, false, ""},
		{customtask.EarlyCompletion, false, ""},
		{customtask.NoReason, false, ""},
		{customtask.NoMessage, false, ""},
		{customtask.LosesRetries, false, ""},
		{customtask.EmptyRetries, false, ""},
		{customtask.FalseBetween, false, ""},
		{customtask.NoResults, false, ""},
		{customtask.NoValues, false, ""},
		{customtask.TakesAll, false, ""},
		{customtask.TakesNonsense, false, ""},
		{customtask.IgnoresParams, false, ""},
		{customtask.ChangesEnds, false, ""},
		{customtask.SuccessIsUnknown, false, ""},
		{customtask.FailureIsTrue, false, ""},
		{customtask.IgnoresTimeout, true, ""},
		{customtask.SilentAboutSpecs, true, ""},
	} {
		t.Run(string(row.fault), func(t *testing.T) {
			t.Parallel()
			file := "timer.yaml"
			if row.plain {
				file = "plain.yaml"
			}
			report, err := conformance.Judge(t.Context(), judged(t, file, reconciled(row.plain, row.fault)))
			if err != nil {
				t.Fatal(err)
			}
			failed := map[string]bool{}
			var names []string
			for _, f := range report.Fixtures {
				switch f.Verdict {
				case reports.Fail:
					names = append(names, f.Name)
					for _, id := range f.Proves {
						failed[id] = true
					}
				case reports.Error, reports.NotRun:
					t.Errorf("%s: %s %s", f.Name, f.Verdict, f.Reason)
				}
			}
			if diff := cmp.Diff(row.statements, strings.Join(slices.Sorted(maps.Keys(failed)), " ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", fmt.Sprint(names), diff)
			}
		})
	}
}
