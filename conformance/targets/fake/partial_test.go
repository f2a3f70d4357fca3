package fake_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// blind is a client that does not show some fields: an implementation that reads by it does not know them.
type blind struct {
	client.Client
	hide func(*v1beta1.TaskSpec, *v1beta1.TaskRun)
}

func (b blind) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if err := b.Client.Get(ctx, key, o, opts...); err != nil {
		return err
	}
	switch o := o.(type) {
	case *v1beta1.TaskRun:
		task := o.Spec.TaskSpec
		if task == nil {
			task = &v1beta1.TaskSpec{}
		}
		b.hide(task, o)
	case *v1beta1.Task:
		b.hide(&o.Spec, &v1beta1.TaskRun{})
	case *v1beta1.ClusterTask:
		b.hide(&o.Spec, &v1beta1.TaskRun{})
	}
	return nil
}

// coreClaims are those of the reference that are about TaskRuns: the fixtures of most tests here are.
func coreClaims() conformance.Claims {
	claims := reference.Claims()
	claims.Profiles = []string{fixture.ProfileTaskRunCore}
	return claims
}

// TestUnclaimedFeatureGivesAPartialPass judges implementations that lack a mandatory feature and say so: all that applies
// to them passes, and the verdict is partial.
func TestUnclaimedFeatureGivesAPartialPass(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		lacks string
		hide  func(*v1beta1.TaskSpec, *v1beta1.TaskRun)
	}{
		{"results", func(task *v1beta1.TaskSpec, _ *v1beta1.TaskRun) { task.Results = nil }},
		{"workspaces", func(task *v1beta1.TaskSpec, run *v1beta1.TaskRun) { task.Workspaces, run.Spec.Workspaces = nil, nil }},
		{"sidecars", func(task *v1beta1.TaskSpec, _ *v1beta1.TaskRun) { task.Sidecars = nil }},
		{"params", func(task *v1beta1.TaskSpec, run *v1beta1.TaskRun) { task.Params, run.Spec.Params = nil, nil }},
	} {
		t.Run(row.lacks, func(t *testing.T) {
			t.Parallel()
			s := reference.Subject()
			whole := s.New
			s.SharedReads = false
			s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
				d.Client = blind{d.Client, row.hide}
				return whole(d)
			}
			target, err := fake.New(fake.Options{Subject: s})
			if err != nil {
				t.Fatal(err)
			}
			claims := coreClaims()
			claims.Lacks = []string{row.lacks}
			report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Claims: claims, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			for i := range report.Fixtures {
				if f := &report.Fixtures[i]; f.Verdict == reports.Fail || f.Verdict == reports.Error {
					t.Errorf("%s: %s is held against it:\n%s", f.Name, row.lacks, render.Explain(f))
				}
			}
			missing := fmt.Sprintf("mandatory features are not claimed: %s", row.lacks)
			if report.Result != reports.Partial || !slices.ContainsFunc(report.Reasons, func(r string) bool { return strings.Contains(r, missing) }) {
				t.Errorf("the result is %s: %q", report.Result, report.Reasons)
			}
			// With the feature claimed the same implementation fails, so the test can fail.
			report, err = conformance.Judge(t.Context(), conformance.Options{Target: target, Claims: coreClaims(), Seed: 1,
				Filter: conformance.Filter{Features: []string{row.lacks}}})
			if err != nil {
				t.Fatal(err)
			}
			if report.Result != reports.Failed {
				t.Errorf("with the claim it is %s: %q", report.Result, report.Reasons)
			}
		})
	}
}
