package fake_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// severalSteps has what can come in many orders: steps that wait for each other, a sidecar that is ready at some time, a
// result that one step writes and another reads.
const severalSteps = `
apiVersion: plumbline.dev/v1alpha1
kind: Fixture
metadata: {name: several-steps}
spec:
  requirement: Three steps and a sidecar come to their end.
  profile: taskrun-core
  level: required
  component: controller
  features: [sidecars]
  then:
  - eventually:
      on: taskrun/relay
      match:
        status:
          conditions: [{type: Succeeded, status: "True"}]
          taskResults: [{name: baton, value: one two three}]
          sidecars: [{name: server, terminated: {$present: true}}]
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: relay}
spec:
  taskSpec:
    results: [{name: baton}]
    sidecars:
    - name: server
      image: busybox
      script: |
        trap 'exit 0' TERM
        sleep 2
        touch /tmp/up
        while true; do sleep 1; done
      readinessProbe: {exec: {command: [test, -f, /tmp/up]}, periodSeconds: 1}
    steps:
    - {name: first, image: busybox, script: printf one > $(results.baton.path)}
    - {name: second, image: busybox, script: "sleep 1; printf ' two' >> $(results.baton.path)"}
    - {name: third, image: busybox, script: printf ' three' >> $(results.baton.path)}
`

// small are fixtures of many kinds that are quick to run.
func small(t testing.TB) []*fixture.Fixture {
	t.Helper()
	own, err := fixture.Load("several-steps.yaml", []byte(strings.TrimSpace(severalSteps)))
	if err != nil {
		t.Fatal(err)
	}
	all, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	list := []*fixture.Fixture{own}
	names := []string{"retry-until-success", "results-of-several-steps"}
	for _, f := range all {
		if slices.Contains(names, f.Name()) {
			list = append(list, f)
		}
	}
	if len(list) != 1+len(names) {
		t.Fatalf("%d of the fixtures %q are there", len(list)-1, names)
	}
	return list
}

func newTarget(t testing.TB, o fake.Options) *fake.Target {
	t.Helper()
	target, err := fake.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// kindsWithNames are those whose names the cluster makes up, or the implementation.
var kindsWithNames = []schema.GroupVersionKind{
	v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun),
	corev1.SchemeGroupVersion.WithKind("Pod"),
	corev1.SchemeGroupVersion.WithKind("Event"),
	corev1.SchemeGroupVersion.WithKind("ServiceAccount"),
}

// namesOf lists everything in a namespace with its UID and version.
func namesOf(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	var names []string
	for _, gvk := range kindsWithNames {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
		if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
			return nil, err
		}
		for _, o := range list.Items {
			names = append(names, fmt.Sprintf("%s %s/%s %s %s", gvk.Kind, namespace, o.GetName(), o.GetUID(), o.GetResourceVersion()))
		}
	}
	return names, nil
}

// listing is a target that lists what is there when a cluster ends.
type listing struct {
	*fake.Target
	names chan string
}

func (l listing) Start(_ context.Context, s conformance.Setup) (conformance.Cluster, error) {
	c, err := l.Cluster(s)
	if err != nil {
		return nil, err
	}
	return listed{c, l.names}, nil
}

type listed struct {
	*fake.Cluster
	names chan string
}

func (l listed) Close() error {
	found, err := namesOf(context.Background(), l.Client(), l.Name())
	if err != nil {
		return err
	}
	l.names <- strings.Join(found, "\n")
	return l.Cluster.Close()
}

// account is everything about a run: its report, and the names of what is there when a fixture ends.
func account(t *testing.T, list []*fixture.Fixture, seed uint64) string {
	t.Helper()
	names := make(chan string, len(list))
	target := listing{newTarget(t, fake.Options{}), names}
	report, err := conformance.Judge(t.Context(), conformance.Options{
		Target: target, Fixtures: list, Seed: seed, Claims: coreClaims(), Implementation: reference.Implementation(),
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := reports.Encode(report)
	if err != nil {
		t.Fatal(err)
	}
	close(names)
	told := []string{string(data)}
	for n := range names {
		told = append(told, n)
	}
	slices.Sort(told[1:]) // fixtures run side by side
	if report.Result != reports.Passed || len(told) != 1+len(list) || strings.Count(string(data), `"traceHash"`) != 1+len(list) {
		t.Fatalf("the run is not what is to be compared: %s, %d lists of names", report.Result, len(told)-1)
	}
	return strings.Join(told, "\n")
}

// Not parallel: GOMAXPROCS is the process's.
func TestSameSeedSameRun(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	list := small(t)
	var first string
	for i := range 100 {
		runtime.GOMAXPROCS(1 + i%2)
		got := account(t, list, 7)
		if first == "" {
			first = got
		}
		if got != first {
			t.Fatalf("repeat %d, at GOMAXPROCS %d, differs (-first +this):\n%s", i, 1+i%2, cmp.Diff(first, got))
		}
	}
	if other := account(t, list, 8); other == first {
		t.Error("another seed gives the same run: nothing is decided by it")
	}
}

// order is what happened, in its order, without times, versions and made-up names: writes to the API server, the events
// that each watch delivers, reconciles, probes, and the beginnings and ends of processes. What a process does by itself is
// left out, since there is but one order of it.
type order struct{ strings.Builder }

func (o *order) record(r kernel.Record) {
	switch verb, _, _ := strings.Cut(r.What, " "); verb {
	case "create", "update", "patch", "delete", "deliver", "reconcile", "probe", "start", "exit":
		o.WriteString(r.Actor + " " + r.What + "\n")
	}
}

func TestOtherSeedsChangeTheOrderButNotTheVerdicts(t *testing.T) {
	t.Parallel()
	const seeds, distinct = 200, 50
	list := small(t)[:2] // the steps with a sidecar, and one more
	orders := map[string]bool{}
	o := &order{}
	target := newTarget(t, fake.Options{OnRecord: o.record})
	for seed := range uint64(seeds) {
		for i, f := range list {
			o.Reset()
			report, err := conformance.Judge(t.Context(), conformance.Options{
				Target: target, Fixtures: []*fixture.Fixture{f}, Seed: 1000 + seed, Claims: coreClaims(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := report.Fixtures[0]; got.Verdict != reports.Pass {
				t.Errorf("seed %d: %s is %s: %s %+v", 1000+seed, got.Name, got.Verdict, got.Reason, got.Failure)
			}
			if i == 0 {
				orders[o.String()] = true
			}
		}
	}
	if len(orders) < distinct {
		t.Errorf("%d seeds give %d orders of events, want at least %d", seeds, len(orders), distinct)
	}
}

func TestTimeoutOfAnHourTakesAnHour(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	c, err := newTarget(t, fake.Options{}).Cluster(conformance.Setup{Name: "hour", Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CreateNamespace(ctx, "hour"); err != nil {
		t.Fatal(err)
	}
	tr := &v1beta1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "hour", Name: "long"},
		Spec: v1beta1.TaskRunSpec{
			Timeout:  &metav1.Duration{Duration: time.Hour},
			TaskSpec: &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Name: "sleep", Image: "busybox", Script: "sleep 7200"}}},
		},
	}
	if err := c.Client().Create(ctx, tr); err != nil {
		t.Fatal(err)
	}
	key := client.ObjectKeyFromObject(tr)
	pod := &corev1.Pod{}
	err = c.WaitUntil(ctx, c.Now().Add(10*time.Minute), func() bool {
		return c.Client().Get(ctx, client.ObjectKey{Namespace: key.Namespace, Name: "long-pod"}, pod) == nil && pod.Status.Phase == corev1.PodRunning
	})
	if err != nil {
		t.Fatalf("the Pod does not run: %v", err)
	}
	err = c.WaitUntil(ctx, c.Now().Add(3*time.Hour), func() bool {
		return c.Client().Get(ctx, key, tr) == nil && tr.Status.CompletionTime != nil
	})
	if err != nil {
		t.Fatalf("the TaskRun does not end: %v", err)
	}
	if cond := tr.Status.GetCondition(v1beta1.ConditionSucceeded); cond.Status != corev1.ConditionFalse || cond.Reason != "TaskRunTimeout" {
		t.Errorf("it ends as %+v, want False, TaskRunTimeout", cond)
	}
	if took := tr.Status.CompletionTime.Sub(tr.Status.StartTime.Time); took != time.Hour {
		t.Errorf("it ends %s after its startTime, want exactly 1h", took)
	}
	err = c.WaitUntil(ctx, c.Now().Add(time.Minute), func() bool {
		return apierrors.IsNotFound(c.Client().Get(ctx, client.ObjectKeyFromObject(pod), pod))
	})
	if err != nil {
		t.Errorf("its Pod is still there: %v", err)
	}
}

// having is the reference with another reconciler.
func having(r reconcile.Func, err error) *subject.Subject {
	s := reference.Subject()
	s.New = func(subject.Deps) (reconcile.Reconciler, error) { return r, err }
	return s
}

// changed is the reference with something else about it.
func changed(how func(*subject.Subject)) *subject.Subject {
	s := reference.Subject()
	how(s)
	return s
}

// panicking is a webhook for TaskRuns.
type panicking struct{}

func (panicking) Selects(gvk schema.GroupVersionKind, _ string) bool { return gvk.Kind == "TaskRun" }
func (panicking) Admit(*apiserver.Request) error                     { panic("out of cheese") }

func TestCrashedTargetDoesNotPass(t *testing.T) {
	t.Parallel()
	idle := func(context.Context, reconcile.Request) (reconcile.Result, error) { return reconcile.Result{}, nil }
	panics := func(context.Context, reconcile.Request) (reconcile.Result, error) { panic("out of cheese") }
	busy := func(context.Context, reconcile.Request) (reconcile.Result, error) {
		return reconcile.Result{RequeueAfter: time.Nanosecond}, nil
	}
	list := slices.DeleteFunc(small(t), func(f *fixture.Fixture) bool { return f.Spec.Component != fixture.ComponentController })
	debugged := *list[0]
	debugged.Spec.Features = []string{"debug"}
	unclaimed := coreClaims()
	unclaimed.Features = nil
	for _, tt := range []struct {
		reason   string
		options  fake.Options
		fixtures []*fixture.Fixture
		claims   conformance.Claims
		verdict  reports.Verdict
		result   reports.Result
		says     string
	}{
		{reason: "the reference, for comparison", fixtures: list, claims: coreClaims(), verdict: reports.Pass, result: reports.Passed},
		{reason: "a reconciler that panics", options: fake.Options{Subject: having(panics, nil)}, fixtures: list, claims: coreClaims(),
			verdict: reports.Fail, result: reports.Failed, says: "the reconciler of taskrun crashed on"},
		{reason: "a constructor that panics", options: fake.Options{Subject: changed(func(s *subject.Subject) {
			s.New = func(subject.Deps) (reconcile.Reconciler, error) { panic("out of cheese") }
		})}, fixtures: list, claims: coreClaims(), verdict: reports.Fail, result: reports.Failed, says: "making the reconciler taskrun panicked: out of cheese"},
		{reason: "a predicate that panics", options: fake.Options{Subject: changed(func(s *subject.Subject) {
			s.Predicates = []predicate.Predicate{predicate.NewPredicateFuncs(func(client.Object) bool { panic("out of cheese") })}
		})}, fixtures: list, claims: coreClaims(), verdict: reports.Fail, result: reports.Failed, says: "a predicate of taskrun panicked: out of cheese"},
		{reason: "the map of a watch that panics", options: fake.Options{Subject: changed(func(s *subject.Subject) {
			s.Watches = []controller.Watch{{GVK: podKind, Map: func(client.Object) []reconcile.Request { panic("out of cheese") }}}
		})}, fixtures: list, claims: coreClaims(), verdict: reports.Fail, result: reports.Failed, says: "the map of a watch of taskrun panicked: out of cheese"},
		{reason: "a webhook that panics", options: fake.Options{Subject: changed(func(s *subject.Subject) {
			s.Admission = func(func() config.Config) []apiserver.Admission { return []apiserver.Admission{panicking{}} }
		})}, fixtures: list, claims: coreClaims(), verdict: reports.Fail, result: reports.Failed, says: "a webhook of the implementation panicked: out of cheese"},
		{reason: "a subject that cannot be made", options: fake.Options{Subject: having(nil, errors.New("no cheese"))}, fixtures: list, claims: coreClaims(),
			verdict: reports.Fail, result: reports.Failed, says: "making the reconciler taskrun: no cheese"},
		{reason: "a reconciler that never rests", options: fake.Options{Subject: having(busy, nil), MaxEvents: 20_000}, fixtures: list, claims: coreClaims(),
			verdict: reports.Fail, result: reports.Failed, says: "the implementation never rests: "},
		{reason: "a reconciler that does nothing", options: fake.Options{Subject: having(idle, nil)}, fixtures: list, claims: coreClaims(),
			verdict: reports.Fail, result: reports.Failed},
		{reason: "an empty set", fixtures: []*fixture.Fixture{}, claims: coreClaims(), result: reports.Inconclusive},
		{reason: "nothing of it is claimed", fixtures: []*fixture.Fixture{&debugged}, claims: unclaimed, verdict: reports.Unsupported, result: reports.Inconclusive},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			report, err := conformance.Judge(t.Context(), conformance.Options{Target: newTarget(t, tt.options), Fixtures: tt.fixtures, Claims: tt.claims})
			if err != nil {
				t.Fatal(err)
			}
			if report.Result != tt.result {
				t.Errorf("result %s, want %s: %q", report.Result, tt.result, report.Reasons)
			}
			if (tt.result == reports.Passed) != (len(report.Reasons) == 0) {
				t.Errorf("result %s with reasons %q", report.Result, report.Reasons)
			}
			for _, f := range report.Fixtures {
				said := f.Reason
				if f.Failure != nil {
					said = f.Failure.Message
				}
				if f.Verdict != tt.verdict || !strings.Contains(said, tt.says) {
					t.Errorf("%s is %s: %q, want %s: %q", f.Name, f.Verdict, said, tt.verdict, tt.says)
				}
			}
			var b bytes.Buffer
			if err := (render.Text{}).Render(&b, report); err != nil {
				t.Fatal(err)
			}
			if passed := strings.Contains(b.String(), "\nPASSED"); passed != (tt.result == reports.Passed) {
				t.Errorf("the table says passed: %v\n%s", passed, b.String())
			}
		})
	}
}
