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
  features: [pipeline, pipeline-cancel]
  when:
  - apply: pipelinerun/work
  - apply: pipelinerun/cut
  - once: {on: taskrun/cut-a, match: {status: {startTime: {$present: true}}}}
  - cancel: pipelinerun/cut
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
---
apiVersion: tekton.dev/v1beta1
kind: PipelineRun
metadata: {name: cut}
spec:
  pipelineSpec:
    tasks:
    - {name: a, taskSpec: {steps: [{name: s, image: busybox, script: "sleep 600"}]}}
`

// errNothingElse is what a wrong deed returns that takes the place of the right one.
var errNothingElse = errors.New("nothing else is done")

// parenting is the reference with a wrong deed before each reconcile of a PipelineRun, or in its place.
func parenting(wrong func(context.Context, subject.Deps, *v1beta1.PipelineRun) error) *subject.Subject {
	s := reference.Subject()
	for i := range s.Also {
		if c := &s.Also[i]; c.For.Kind == v1beta1.KindPipelineRun {
			right := c.New
			c.New = func(d subject.Deps) (reconcile.Reconciler, error) {
				r, err := right(d)
				return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
					pr := &v1beta1.PipelineRun{}
					if err := d.Reader.Get(ctx, q.NamespacedName, pr); err != nil {
						return reconcile.Result{}, client.IgnoreNotFound(err)
					}
					deed := wrong(ctx, d, pr)
					if errors.Is(deed, errNothingElse) {
						return reconcile.Result{}, nil
					}
					result, err := r.Reconcile(ctx, q)
					return result, errors.Join(err, deed)
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
	cancelled := func(s *v1beta1.PipelineRunStatus) {
		s.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: "False", Reason: "Cancelled"}, *s.CompletionTime)
	}
	long := func(d subject.Deps, pr *v1beta1.PipelineRun) bool {
		return pr.Status.IsDone() && pr.Status.CompletionTime != nil && d.Clock.Now().Sub(pr.Status.CompletionTime.Time) > 3*time.Minute
	}
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
		{invariant.ParentLast, "it is cancelled, and its children are not", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			switch {
			case pr.Spec.Status != v1beta1.PipelineRunSpecStatusCancelled:
				return nil
			case pr.Status.IsDone():
				return errNothingElse
			}
			return errors.Join(errNothingElse, end(ctx, d, pr, cancelled))
		}},
		{invariant.Progress, "it does not hear that it is cancelled", func(_ context.Context, _ subject.Deps, pr *v1beta1.PipelineRun) error {
			if pr.Spec.Status == v1beta1.PipelineRunSpecStatusCancelled {
				return errNothingElse
			}
			return nil
		}},
		{invariant.RightState, "it says that it is cancelled, although it was not asked to be", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			last := &v1beta1.TaskRun{}
			err := d.Reader.Get(ctx, client.ObjectKey{Namespace: pr.Namespace, Name: "work-b"}, last)
			if err != nil || !last.Status.IsDone() || pr.Name != "work" || pr.Status.IsDone() {
				return client.IgnoreNotFound(err)
			}
			return errors.Join(errNothingElse, end(ctx, d, pr, cancelled))
		}},
		{invariant.CompletionTime, "it is over without a completionTime", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			if pr.Status.CompletionTime == nil {
				return nil
			}
			pr.Status.CompletionTime = nil
			return errors.Join(errNothingElse, client.IgnoreNotFound(d.Client.Status().Update(ctx, pr)))
		}},
		{invariant.Kept, "it forgets its children when it has long been over", func(ctx context.Context, d subject.Deps, pr *v1beta1.PipelineRun) error {
			switch {
			case !pr.Status.IsDone():
				return nil
			case !long(d, pr):
				return errors.New("not yet") // it is called again
			}
			pr.Status.TaskRuns = nil
			return errors.Join(errNothingElse, client.IgnoreNotFound(d.Client.Status().Update(ctx, pr)))
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
