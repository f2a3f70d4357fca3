package fake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// expectsLittleOfAParent is a fixture that expects nothing but an end: what fails it is an invariant.
const expectsLittleOfAParent = `
apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: expects-little}
spec:
  requirement: Nothing is expected but what always holds.
  profile: pipelinerun
  level: required
  component: controller
  features: [pipeline]
  then:
  - eventually: {on: pipelinerun/work, cel: ["self.status.conditions.exists(c, c.status != 'Unknown')"]}
---
apiVersion: tekton.dev/v1beta1
kind: PipelineRun
metadata: {name: work}
spec:
  pipelineSpec:
    tasks:
    - {name: a, taskSpec: {steps: [{name: s, image: busybox, script: "sleep 5"}]}}
    - {name: b, runAfter: [a], taskSpec: {steps: [{name: s, image: busybox, script: "sleep 5"}]}}
`

// parenting is the reference with a wrong deed behind each reconcile of a PipelineRun.
func parenting(wrong func(context.Context, subject.Deps, *v1beta1.PipelineRun) error) *subject.Subject {
	s := reference.Subject()
	for i := range s.Also {
		if c := &s.Also[i]; c.For.Kind == v1beta1.KindPipelineRun {
			right := c.New
			c.New = func(d subject.Deps) (reconcile.Reconciler, error) {
				r, err := right(d)
				return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
					result, err := r.Reconcile(ctx, q)
					if err != nil {
						return result, err
					}
					pr := &v1beta1.PipelineRun{}
					if err := d.Reader.Get(ctx, q.NamespacedName, pr); err != nil {
						return result, client.IgnoreNotFound(err)
					}
					return result, wrong(ctx, d, pr)
				}), err
			}
		}
	}
	return s
}

// anotherChild is a child of the task a under another name.
func anotherChild(pr *v1beta1.PipelineRun, task string) *v1beta1.TaskRun {
	return &v1beta1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: pr.Namespace, Name: pr.Name + "-another",
			Labels:          map[string]string{v1beta1.LabelPipelineRun: pr.Name, v1beta1.LabelPipelineTask: task},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(pr, v1beta1.GroupVersion.WithKind(v1beta1.KindPipelineRun))},
		},
		Spec: v1beta1.TaskRunSpec{TaskSpec: &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Name: "s", Image: "busybox", Script: "sleep 60"}}}},
	}
}

func begun(pr *v1beta1.PipelineRun) bool { return len(pr.Status.TaskRuns) > 0 }

// wrongParents are controllers that break one rule of parents and children each.
func wrongParents() []struct {
	rule, reason string
	wrong        func(context.Context, subject.Deps, *v1beta1.PipelineRun) error
} {
	end := func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun, change func(*v1beta1.PipelineRunStatus)) error {
		now := metav1.NewTime(d.Clock.Now())
		pr.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: "True", Reason: "Succeeded"}, now)
		pr.Status.CompletionTime = &now
		change(&pr.Status)
		return client.IgnoreNotFound(d.Client.Status().Update(ctx, pr))
	}
	nothing := func(*v1beta1.PipelineRunStatus) {}
	return []struct {
		rule, reason string
		wrong        func(context.Context, subject.Deps, *v1beta1.PipelineRun) error
	}{
		{invariant.OneChild, "it makes a second child for a task", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			if !begun(pr) || pr.Status.IsDone() {
				return nil
			}
			return client.IgnoreAlreadyExists(d.Client.Create(ctx, anotherChild(pr, "a")))
		}},
		{invariant.ParentLast, "it is over as soon as it has begun", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			if !begun(pr) || pr.Status.IsDone() {
				return nil
			}
			return end(ctx, d, pr, nothing)
		}},
		{invariant.OneOutcome, "it lists a task as skipped that runs", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			if !begun(pr) || pr.Status.IsDone() || len(pr.Status.SkippedTasks) > 0 {
				return nil
			}
			pr.Status.SkippedTasks = []v1beta1.SkippedTask{{Name: "a", Reason: v1beta1.SkippedStopping}}
			return client.IgnoreNotFound(d.Client.Status().Update(ctx, pr))
		}},
		{invariant.NothingBegins, "it makes a child when it has long been over", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			if !pr.Status.IsDone() {
				return nil
			}
			if d.Clock.Now().Sub(pr.Status.CompletionTime.Time) < 10*time.Second {
				return errors.New("not yet") // it is called again
			}
			late := anotherChild(pr, "c")
			late.Name = pr.Name + "-late"
			return client.IgnoreAlreadyExists(d.Client.Create(ctx, late))
		}},
	}
}

// TestEachInvariantCatchesAWrongParent breaks the rules of parents and children, each with a controller that is right otherwise, in a
// fixture that expects nothing. All of them are held against other implementations too.
func TestEachInvariantCatchesAWrongParent(t *testing.T) {
	t.Parallel()
	for _, tt := range wrongParents() {
		t.Run(tt.rule+": "+tt.reason, func(t *testing.T) {
			t.Parallel()
			f, err := fixture.Load("expects-little.yaml", []byte(strings.TrimSpace(expectsLittleOfAParent)))
			if err != nil {
				t.Fatal(err)
			}
			for _, own := range []bool{true, false} {
				claims := reference.Claims()
				claims.Profiles = []string{fixture.ProfilePipelineRun}
				claims.Reference = own
				judge := func(s *subject.Subject) []string {
					r, err := conformance.NewRunner(conformance.Options{
						Target: newTarget(t, fake.Options{Subject: s, MaxEvents: 100_000}), Fixtures: []*fixture.Fixture{f}, Claims: claims, Seed: 1,
					})
					if err != nil {
						t.Fatal(err)
					}
					report, err := r.Sweep(t.Context(), conformance.Sweep{First: 1, Seeds: 1, Faults: true, Keep: []int{}})
					if err != nil {
						t.Fatal(err)
					}
					var out []string
					for _, b := range report.Breaches {
						if b.Result.Verdict == reports.Fail && b.Result.Failure.Check == "invariants" {
							out = append(out, b.Result.Failure.Message)
						}
					}
					return out
				}
				if found := judge(reference.Subject()); len(found) > 0 {
					t.Fatalf("the reference breaks %q", found)
				}
				if found := judge(parenting(tt.wrong)); !strings.Contains(strings.Join(found, "\n"), ": "+tt.rule+": ") {
					t.Errorf("own %v: %s is not failed by %s: %q", own, tt.reason, tt.rule, found)
				}
			}
		})
	}
}
