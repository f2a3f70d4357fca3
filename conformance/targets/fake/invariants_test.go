package fake_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// expectsNothing is a fixture that expects nothing: what fails it is an invariant.
const expectsNothing = `
apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: expects-nothing}
spec:
  requirement: Nothing is expected but what always holds.
  profile: taskrun-core
  level: required
  component: controller
  features: [retries]
  then:
  - eventually: {on: taskrun/work, cel: ["self.status.conditions.exists(c, c.status != 'Unknown')"]}
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: work}
spec:
  retries: 1
  timeout: 10m
  taskSpec:
    results: [{name: attempt}]
    sidecars: [{name: server, image: busybox, script: "trap 'exit 0' TERM; while true; do sleep 1; done"}]
    steps:
    - name: write
      image: busybox
      script: |
        printf $(context.task.retry-count) > $(results.attempt.path)
        test "$(context.task.retry-count)" = 1
`

// meddler is a reconciler that does right, and then wrong.
type meddler struct {
	right reconcile.Reconciler
	deps  subject.Deps
	wrong func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error
}

func (m *meddler) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	result, err := m.right.Reconcile(ctx, r)
	if err != nil {
		return result, err
	}
	tr := &v1beta1.TaskRun{}
	if err := m.deps.Reader.Get(ctx, r.NamespacedName, tr); err != nil {
		return result, client.IgnoreNotFound(err)
	}
	return result, m.wrong(ctx, m.deps, tr)
}

// meddling is the reference with a wrong deed behind each reconcile.
func meddling(wrong func(context.Context, subject.Deps, *v1beta1.TaskRun) error) *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		r, err := right(d)
		return &meddler{right: r, deps: d, wrong: wrong}, err
	}
	return s
}

// through is the reference with another client.
func through(change func(client.Client) client.Client) *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		d.Client = change(d.Client)
		return right(d)
	}
	return s
}

func over(tr *v1beta1.TaskRun) bool {
	return !tr.Status.GetCondition(v1beta1.ConditionSucceeded).IsUnknown()
}

func podOf(tr *v1beta1.TaskRun, name string) *corev1.Pod {
	controls := true
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: tr.Namespace, Name: name,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "tekton.dev/v1beta1", Kind: "TaskRun", Name: tr.Name, UID: tr.UID, Controller: &controls}},
		},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{{Name: "extra", Image: "busybox", Command: []string{"sleep", "100000"}}},
		},
	}
}

// status changes the status that the reference writes.
type status struct {
	client.Client
	change func(s *v1beta1.TaskRunStatus)
}

func (c status) Status() client.SubResourceWriter { return statusWriter{c.Client.Status(), c.change} }

type statusWriter struct {
	client.SubResourceWriter
	change func(s *v1beta1.TaskRunStatus)
}

func (w statusWriter) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	if tr, ok := o.(*v1beta1.TaskRun); ok {
		w.change(&tr.Status)
	}
	return w.SubResourceWriter.Update(ctx, o, opts...)
}

func changing(change func(*v1beta1.TaskRunStatus)) *subject.Subject {
	return through(func(c client.Client) client.Client { return status{c, change} })
}

// pods changes what is asked for about Pods.
type pods struct {
	client.Client
	create func(*corev1.Pod)
	spare  []string // whose sidecars are not stopped
}

func (c pods) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if pod, ok := o.(*corev1.Pod); ok && c.create != nil {
		c.create(pod)
	}
	return c.Client.Create(ctx, o, opts...)
}

func (c pods) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.PatchOption) error {
	if o.GetObjectKind().GroupVersionKind().Kind == "Pod" && p.Type() == types.JSONPatchType && slices.Contains(c.spare, o.GetName()) {
		return nil
	}
	return c.Client.Patch(ctx, o, p, opts...)
}

// wrong are controllers that break one rule each.
func wrong() []struct {
	rule, reason string
	subject      *subject.Subject
	spec         string // replaces the TaskRun's retries and timeout
	disturbed    bool   // the rule is asked about in the end only
	trouble      string // what the rule is about, if it is about trouble
	backed       bool
} {
	conditionOf := func(s *v1beta1.TaskRunStatus) *v1beta1.Condition { return s.GetCondition(v1beta1.ConditionSucceeded) }
	return []struct {
		rule, reason string
		subject      *subject.Subject
		spec         string
		disturbed    bool
		trouble      string
		backed       bool
	}{
		{rule: invariant.OnePod, reason: "it makes a second Pod for the same attempt", backed: true,
			subject: meddling(func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error {
				if tr.Status.PodName == "" {
					return nil
				}
				return client.IgnoreAlreadyExists(d.Client.Create(ctx, podOf(tr, tr.Name+"-second")))
			})},
		{rule: invariant.Kept, reason: "it forgets the Pod of a run that has long been over", disturbed: true, backed: true,
			subject: returning(10*time.Minute, func(tr *v1beta1.TaskRun) bool {
				done := tr.Status.PodName == ""
				tr.Status.PodName = ""
				return !done
			})},
		{rule: invariant.StepEnds, reason: "it corrects the exit code of a step", backed: true, spec: "timeout: 10m",
			subject: returning(time.Second, func(tr *v1beta1.TaskRun) bool {
				if len(tr.Status.Steps) == 0 || tr.Status.Steps[0].Terminated == nil || tr.Status.Steps[0].Terminated.ExitCode == 3 {
					return false
				}
				tr.Status.Steps[0].Terminated.ExitCode = 3
				return true
			})},
		{rule: invariant.StepsListed, reason: "it shows no step of a run that has failed", backed: true, spec: "timeout: 10m",
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if conditionOf(s).IsFalse() {
					s.Steps = nil
				}
			})},
		{rule: invariant.StartKept, reason: "it says in the end that it began earlier", spec: "timeout: 10m",
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if s.CompletionTime != nil {
					s.StartTime = &metav1.Time{Time: s.CompletionTime.Add(-time.Hour)}
				}
			})},
		{rule: invariant.EndsSoon, reason: "it looks at a Pod that has ended five minutes later", backed: true, subject: tardy()},
		{rule: invariant.SameEnd, reason: "it fails a run whose Pod could not be made at once", trouble: disturbance.Transient, backed: true, spec: "timeout: 2h",
			subject: through(func(c client.Client) client.Client {
				return answers{c, func(err error) error {
					if apierrors.IsInternalError(err) || apierrors.IsServerTimeout(err) || apierrors.IsTooManyRequests(err) {
						return apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "work-pod", err)
					}
					return err
				}}
			})},
		{rule: invariant.RefusedSoon, reason: "it asks again and again for what is refused for good", trouble: disturbance.Refusals, backed: true, spec: "timeout: 2h",
			subject: through(func(c client.Client) client.Client {
				return answers{c, func(err error) error {
					if apierrors.IsForbidden(err) {
						return apierrors.NewInternalError(err)
					}
					return err
				}}
			})},
		{rule: invariant.OthersKept, reason: "it keeps the labels that it knows", trouble: disturbance.Visitors,
			subject: meddling(func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error {
				before := len(tr.Labels)
				maps.DeleteFunc(tr.Labels, func(key, _ string) bool { return strings.HasPrefix(key, invariant.VisitorPrefix) })
				if len(tr.Labels) == before {
					return nil
				}
				return client.IgnoreNotFound(d.Client.Update(ctx, tr))
			})},
		{rule: invariant.Final, reason: "it changes its mind about a run that is over", backed: true,
			subject: meddling(func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error {
				if !over(tr) || conditionOf(&tr.Status).Reason == "Reconsidered" {
					return nil
				}
				tr.Status.Conditions[0].Reason = "Reconsidered"
				return d.Client.Status().Update(ctx, tr)
			})},
		{rule: invariant.CompletionTime, reason: "it forgets completionTime", backed: true,
			subject: changing(func(s *v1beta1.TaskRunStatus) { s.CompletionTime = nil })},
		{rule: invariant.CompletionTime, reason: "it sets completionTime at once", backed: true,
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if s.CompletionTime == nil {
					s.CompletionTime = s.StartTime
				}
			})},
		{rule: invariant.StepsEnded, reason: "it shows the steps of a run that is over as running", backed: true,
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				for i := range s.Steps {
					if s.Steps[i].Terminated != nil && !conditionOf(s).IsUnknown() {
						s.Steps[i].ContainerState = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
					}
				}
			})},
		{rule: invariant.NothingRuns, reason: "it leaves sidecars running", backed: true,
			subject: through(func(c client.Client) client.Client { return pods{Client: c, spare: []string{"work-pod-retry1"}} })},
		{rule: invariant.PastStopped, reason: "it leaves the sidecars of an attempt that has failed", backed: true,
			subject: through(func(c client.Client) client.Client { return pods{Client: c, spare: []string{"work-pod"}} })},
		{rule: invariant.LastResults, reason: "it shows results of the attempt before", backed: true,
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				for i := range s.TaskRunResults {
					s.TaskRunResults[i].Value.StringVal = "0"
				}
			})},
		{rule: invariant.RetriesBounded, reason: "it tries once more than it may", backed: true,
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if len(s.RetriesStatus) == 1 {
					s.RetriesStatus = append(s.RetriesStatus, s.RetriesStatus[0])
				}
			})},
		{rule: invariant.NoStorm, reason: "it writes the run again and again",
			subject: meddling(func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error {
				if tr.Annotations == nil {
					tr.Annotations = map[string]string{}
				}
				tr.Annotations["example.com/now"] = d.Clock.Now().Format(time.RFC3339Nano)
				return client.IgnoreNotFound(d.Client.Update(ctx, tr))
			})},
		{rule: invariant.NoStorm, reason: "it writes a run that has long been over", disturbed: true, subject: late()},
		{rule: invariant.NoStorm, reason: "it never rests", subject: restless()},
		{rule: invariant.Progress, reason: "it forgets a run whose Pod has failed", backed: true, disturbed: true,
			subject: through(func(c client.Client) client.Client { return deaf{c} })},
		{rule: invariant.RightState, reason: "it says that a failed run has succeeded", backed: true, spec: "timeout: 10m",
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if c := conditionOf(s); c.IsFalse() {
					s.Conditions[0].Status, s.Conditions[0].Reason = corev1.ConditionTrue, v1beta1.TaskRunReasonSucceeded
				}
			})},
		{rule: invariant.RightState, reason: "it says that a failed run has timed out", backed: true, spec: "timeout: 10m",
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if c := conditionOf(s); c.IsFalse() {
					s.Conditions[0].Reason = v1beta1.TaskRunReasonTimedOut
				}
			})},
		{rule: invariant.RightState, reason: "it says that a run is cancelled which is not", backed: true, spec: "timeout: 10m",
			subject: changing(func(s *v1beta1.TaskRunStatus) {
				if c := conditionOf(s); c.IsFalse() {
					s.Conditions[0].Reason = v1beta1.TaskRunReasonCancelled
				}
			})},
		{rule: invariant.ReadsUnchanged, reason: "it edits what it has read from its cache",
			subject: meddling(func(ctx context.Context, d subject.Deps, tr *v1beta1.TaskRun) error {
				cached := &v1beta1.TaskRun{}
				if err := d.Client.Get(ctx, client.ObjectKeyFromObject(tr), cached); err != nil || cached.Status.StartTime == nil {
					return client.IgnoreNotFound(err)
				}
				cached.Status.StartTime.Time = cached.Status.StartTime.Add(time.Second)
				return nil
			})},
		{rule: invariant.PodAccepted, reason: "it asks for a Pod that no API server takes", backed: true,
			subject: through(func(c client.Client) client.Client {
				return pods{Client: c, create: func(p *corev1.Pod) { p.Spec.Containers[0].Name = "Not A Name" }}
			})},
	}
}

// returning is a controller that changes a run some time after its end.
func returning(after time.Duration, change func(*v1beta1.TaskRun) bool) *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		r, err := right(d)
		return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
			tr := &v1beta1.TaskRun{}
			if err := d.Reader.Get(ctx, q.NamespacedName, tr); err != nil || !over(tr) {
				return r.Reconcile(ctx, q)
			}
			if left := after - d.Clock.Now().Sub(tr.Status.CompletionTime.Time); left > 0 {
				return reconcile.Result{RequeueAfter: left}, nil
			}
			if !change(tr) {
				return reconcile.Result{}, nil
			}
			return reconcile.Result{}, client.IgnoreNotFound(d.Client.Status().Update(ctx, tr))
		}), err
	}
	return s
}

// tardy is a controller that lets five minutes pass when a Pod has ended.
func tardy() *subject.Subject {
	const delay = 5 * time.Minute
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		r, err := right(d)
		seen := map[types.UID]time.Time{}
		return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
			list := &corev1.PodList{}
			if err := d.Reader.List(ctx, list, client.InNamespace(q.Namespace)); err != nil {
				return reconcile.Result{}, err
			}
			for i := range list.Items {
				p := &list.Items[i]
				if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].State.Terminated == nil {
					continue
				}
				if seen[p.UID].IsZero() {
					seen[p.UID] = d.Clock.Now()
				}
				if left := delay - d.Clock.Now().Sub(seen[p.UID]); left > 0 {
					return reconcile.Result{RequeueAfter: left}, nil
				}
			}
			return r.Reconcile(ctx, q)
		}), err
	}
	return s
}

// answers is a client that takes the API server's answers to the creation of Pods for others.
type answers struct {
	client.Client
	taken func(error) error
}

func (c answers) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	err := c.Client.Create(ctx, o, opts...)
	if _, pod := o.(*corev1.Pod); pod && err != nil {
		return c.taken(err)
	}
	return err
}

// late is a controller that comes back to a run ten minutes after its end.
func late() *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		r, err := right(d)
		return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
			tr := &v1beta1.TaskRun{}
			if err := d.Reader.Get(ctx, q.NamespacedName, tr); err == nil && over(tr) && tr.Annotations["example.com/seen"] == "" {
				if d.Clock.Now().Sub(tr.Status.CompletionTime.Time) < 10*time.Minute {
					return reconcile.Result{RequeueAfter: 10 * time.Minute}, nil
				}
				tr.Annotations["example.com/seen"] = "yes"
				return reconcile.Result{}, d.Client.Update(ctx, tr)
			}
			return r.Reconcile(ctx, q)
		}), err
	}
	return s
}

// restless is a controller that reconciles for the sake of it.
func restless() *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		r, err := right(d)
		return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
			if _, err := r.Reconcile(ctx, q); err != nil {
				return reconcile.Result{}, err
			}
			return reconcile.Result{RequeueAfter: time.Millisecond}, nil
		}), err
	}
	return s
}

// deaf is a client for which Pods never fail.
type deaf struct{ client.Client }

func (c deaf) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if err := c.Client.Get(ctx, key, o, opts...); err != nil {
		return err
	}
	if tr, ok := o.(*v1beta1.TaskRun); ok && tr.Status.PodName != "" && len(tr.Status.RetriesStatus) == 0 {
		return fmt.Errorf("not now")
	}
	return nil
}

func TestEachInvariantCatchesAWrongController(t *testing.T) {
	t.Parallel()
	var tested []string
	for _, tt := range wrong() {
		tested = append(tested, tt.rule)
		t.Run(tt.rule+": "+tt.reason, func(t *testing.T) {
			t.Parallel()
			text := expectsNothing
			if tt.rule != invariant.NothingRuns && tt.rule != invariant.PastStopped {
				text = strings.Replace(text, "    sidecars: ", "    # sidecars: ", 1)
			}
			if tt.spec != "" {
				text = strings.Replace(text, "retries: 1\n  timeout: 10m", tt.spec, 1)
			}
			f, err := fixture.Load("expects-nothing.yaml", []byte(strings.TrimSpace(text)))
			if err != nil {
				t.Fatal(err)
			}
			judge := func(s *subject.Subject, own bool) reports.Fixture {
				claims := coreClaims()
				claims.Reference = own
				o := conformance.Options{
					Target: newTarget(t, fake.Options{Subject: s, MaxEvents: 100_000}), Fixtures: []*fixture.Fixture{f}, Claims: claims, Seed: 1,
				}
				r, err := conformance.NewRunner(o)
				if err != nil {
					t.Fatal(err)
				}
				if !tt.disturbed && tt.trouble == "" {
					return r.RunAll(t.Context())[0]
				}
				sweep := conformance.Sweep{First: 1, Seeds: 1, Faults: true, Keep: []int{}}
				if tt.trouble != "" {
					sweep = conformance.Sweep{First: 1, Seeds: 60, Faults: true, Trouble: tt.trouble, Most: 1}
				}
				report, err := r.Sweep(t.Context(), sweep)
				if err != nil {
					t.Fatal(err)
				}
				if len(report.Breaches) == 0 {
					return reports.Fixture{Verdict: reports.Pass}
				}
				return report.Breaches[0].Result
			}
			if got := judge(reference.Subject(), true); got.Verdict != reports.Pass {
				t.Fatalf("the reference is %s: %s %+v", got.Verdict, got.Reason, got.Failure)
			}
			got := judge(tt.subject, true)
			if got.Verdict != reports.Fail || got.Failure.Check != "invariants" || !strings.Contains(got.Failure.Message, ": "+tt.rule+": ") {
				t.Fatalf("%s is %s, not failed by %s: %s %+v", tt.reason, got.Verdict, tt.rule, got.Reason, got.Failure)
			}
			t.Log(got.Failure.Message)
			foreign := judge(tt.subject, false)
			failed := foreign.Verdict == reports.Fail && foreign.Failure.Check == "invariants"
			if failed != tt.backed {
				t.Errorf("held against a foreign implementation: %v, want %v, as statements say: %s %+v", failed, tt.backed, foreign.Reason, foreign.Failure)
			}
		})
	}
	for _, tt := range wrongParents() {
		tested = append(tested, tt.rule)
	}
	for _, rule := range invariant.Rules() {
		if !slices.Contains(tested, rule.Name) {
			t.Errorf("no wrong controller breaks %s", rule.Name)
		}
	}
}
