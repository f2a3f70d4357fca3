package docs_test

import (
	"context"
	"os"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/target/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// judge runs the suite on a reconciler.
func judge(t *testing.T, reconciler func(fake.Deps) (reconcile.Reconciler, error)) *reports.ConformanceReport {
	target, err := fake.New(fake.Options{Subject: &fake.Subject{
		Name: "mine",
		New:  reconciler,
		For:  schema.GroupVersionKind{Group: "tekton.dev", Version: "v1beta1", Kind: "TaskRun"},
		Owns: []schema.GroupVersionKind{{Version: "v1", Kind: "Pod"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{
		Target:         target,
		Implementation: reports.Implementation{Project: "mine"},
		Claims:         conformance.Claims{Profiles: []string{"taskrun-core"}},
		Filter:         conformance.Filter{Names: []string{"single-step-succeeds"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestAReconcilerThatDoesNothingFails(t *testing.T) {
	t.Parallel()
	report := judge(t, func(fake.Deps) (reconcile.Reconciler, error) {
		return reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			return reconcile.Result{}, nil // yours goes here
		}), nil
	})
	if report.Result != reports.Failed || report.Implementation.Project != "mine" {
		if err := (reports.Text{}).Render(os.Stderr, report); err != nil {
			t.Error(err)
		}
		t.Errorf("the result is %s of %q, want failed of mine", report.Result, report.Implementation.Project)
	}
}
