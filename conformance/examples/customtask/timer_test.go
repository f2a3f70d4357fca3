package customtask_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/customtask"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// judged are the options by which a timer is judged, as its subject file says.
func judged(t *testing.T, file string, timer *subject.Subject) conformance.Options {
	t.Helper()
	o, err := fake.Judged(file, timer)
	if err != nil {
		t.Fatal(err)
	}
	return o
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

// TestPlainTimer judges one without timeouts and retries by what the documents ask of such controllers.
func TestPlainTimer(t *testing.T) {
	fake.Run(t, "plain.yaml", reconciled(true, ""))
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
		{customtask.IgnoresCancel, false, "S001-048 S001-050"},
		{customtask.IgnoresTimeout, false, "S001-042 S001-044 S001-051 S001-052 S001-083"},
		{customtask.EarlyTimeout, false, "S001-044"},
		{customtask.ZeroIsAtOnce, false, "S001-051"},
		{customtask.WrongTimeoutReason, false, "S001-052"},
		{customtask.WrongCancelReason, false, "S001-048"},
		{customtask.ResetsStart, false, "S001-078"},
		{customtask.NoStart, false, "S001-078 S001-081"},
		{customtask.NoCompletion, false, "S001-079 S001-081"},
		{customtask.EarlyCompletion, false, "S001-079"},
		{customtask.NoReason, false, "S001-048 S001-052 S001-081 S001-086"},
		{customtask.NoMessage, false, "S001-033 S001-035 S001-081 S001-087"},
		{customtask.LosesRetries, false, "S001-053 S001-054 S001-059"},
		{customtask.EmptyRetries, false, "S001-053 S001-059"},
		{customtask.NoResults, false, "S001-080 S001-088 S001-089"},
		{customtask.NoValues, false, "S001-080 S001-088"},
		{customtask.TakesAll, false, "S001-022 S001-023"},
		{customtask.TakesNonsense, false, "S001-034 S001-035"},
		{customtask.ChangesEnds, false, "S001-084"},
		{customtask.SuccessIsUnknown, false, "S001-001 S001-002 S001-005 S001-044 S001-053 S001-059 S001-062 S001-079 S001-080 S001-081 S001-084 S001-086 S001-087 S001-088 S001-089 S001-092"},
		{customtask.IgnoresTimeout, true, "S001-045"},
		{customtask.SilentAboutSpecs, true, "S001-033"},
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
