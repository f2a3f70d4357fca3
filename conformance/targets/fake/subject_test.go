package fake_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/toy"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
)

var (
	taskRuns   = v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun)
	podKind    = corev1.SchemeGroupVersion.WithKind("Pod")
	configMaps = corev1.SchemeGroupVersion.WithKind("ConfigMap")
)

// reconcilerOf makes a reconciler of a function.
func reconcilerOf(f func(context.Context, subject.Deps, reconcile.Request) error) func(subject.Deps) (reconcile.Reconciler, error) {
	return func(d subject.Deps) (reconcile.Reconciler, error) {
		return reconcile.Func(func(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
			return reconcile.Result{}, f(ctx, d, q)
		}), nil
	}
}

// startOf starts a cluster with a subject, and a namespace in it.
func startOf(t *testing.T, s *subject.Subject) conformance.Cluster {
	t.Helper()
	c, err := newTarget(t, fake.Options{Subject: s}).Start(t.Context(), conformance.Setup{Name: "test", Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.CreateNamespace(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	return c
}

// applyRun creates a TaskRun and lets a minute pass.
func applyRun(t *testing.T, c conformance.Cluster) error {
	t.Helper()
	run := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"taskSpec": map[string]any{
		"steps": []any{map[string]any{"name": "only", "image": "busybox", "script": "true"}},
	}}}}
	run.SetGroupVersionKind(taskRuns)
	run.SetNamespace("test")
	run.SetName("run")
	if err := c.Client().Create(t.Context(), run); err != nil {
		return err
	}
	err := c.WaitUntil(t.Context(), c.Now().Add(time.Minute), func() bool { return false })
	if errors.Is(err, conformance.ErrDeadline) {
		return nil
	}
	return err
}

func TestInvalidSubjectIsRefused(t *testing.T) {
	t.Parallel()
	some := reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { return nil })
	for want, s := range map[string]*subject.Subject{
		`subject "mine": controller "mine" has no New: give New and For, or Attach`: {Name: "mine"},
		`subject "mine": controller "mine" has no For kind`:                         {Name: "mine", New: some},
		`the subject has a controller without a name`:                               {New: some, For: taskRuns},
		`subject "mine": two controllers are called "mine"`:                         {Name: "mine", New: some, For: taskRuns, Also: []subject.Controller{{Name: "mine", New: some, For: podKind}}},
	} {
		if _, err := fake.New(fake.Options{Subject: s}); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestIdleReconcilerFails(t *testing.T) {
	t.Parallel()
	target := newTarget(t, fake.Options{Subject: &subject.Subject{
		Name: "nothing", For: taskRuns, New: reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { return nil }),
	}})
	report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Implementation: reports.Implementation{Project: "nothing"}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Result != reports.Failed || report.Implementation.Project != "nothing" {
		t.Errorf("the result is %s of %q, want failed of nothing", report.Result, report.Implementation.Project)
	}
	for _, f := range report.Fixtures {
		// What must never happen does not happen, but everything that is required to happen somewhere is missing.
		if f.Verdict == reports.Pass && f.Level == fixture.Required {
			t.Errorf("%s is passed by doing nothing", f.Name)
		}
	}
}

// TestAMisbehavedReconcilerIsAnError: what it does then is not judged, and never a pass.
func TestAMisbehavedReconcilerIsAnError(t *testing.T) {
	t.Parallel()
	spoil := func(o client.Object) { o.GetLabels()["spoilt"] = "yes" }
	for _, tt := range []struct {
		reason string
		s      subject.Subject
		says   []string
	}{
		{"it panics", subject.Subject{New: reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { panic("out of cheese") })},
			[]string{"the reconciler of toy crashed on test/run: out of cheese", "subject_test.go"}},
		{"one of several panics", subject.Subject{
			New:  reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { return nil }),
			Also: []subject.Controller{{Name: "second", For: taskRuns, New: reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { panic("out of cheese") })}},
		}, []string{"the reconciler of second crashed on test/run: out of cheese"}},
		{"it ends its goroutine", subject.Subject{New: reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error {
			runtime.Goexit() // as t.FailNow does
			return nil
		})}, []string{"the reconciler of toy crashed on test/run: the reconcile ended its goroutine"}},
		{"it changes what is in the cache", subject.Subject{SharedReads: true, New: reconcilerOf(func(ctx context.Context, d subject.Deps, q reconcile.Request) error {
			run := &v1beta1.TaskRun{}
			if err := d.Client.Get(ctx, q.NamespacedName, run); err != nil {
				return client.IgnoreNotFound(err)
			}
			run.Spec.TaskSpec.Steps[0].Image = "spoilt"
			return nil
		})}, []string{"the reconciler of toy crashed on test/run: the shared TaskRun test/run of resourceVersion ", "was modified in place: [spec or data]"}},
		{"it changes what wakes it", subject.Subject{
			New: reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { return nil }),
			Watches: []controller.Watch{{GVK: taskRuns, Map: func(o client.Object) []reconcile.Request {
				spoil(o)
				return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
			}}},
		}, []string{"the shared TaskRun test/run of resourceVersion ", "was modified in place: [metadata]"}},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			tt.s.Name, tt.s.For = "toy", taskRuns
			err := applyRun(t, startOf(t, &tt.s))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

// TestSeveralReconcilers: one makes a ConfigMap for each run, another follows what it makes, by a watch and by its owner.
func TestSeveralReconcilers(t *testing.T) {
	t.Parallel()
	s := &subject.Subject{
		Name: "first", For: taskRuns,
		New: reconcilerOf(func(ctx context.Context, d subject.Deps, q reconcile.Request) error {
			m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: q.Namespace, Name: q.Name + "-made"}}
			return client.IgnoreAlreadyExists(d.Client.Create(ctx, m))
		}),
		Also: []subject.Controller{{
			Name: "second", For: podKind,
			New: reconcilerOf(func(ctx context.Context, d subject.Deps, q reconcile.Request) error {
				m := &corev1.ConfigMap{}
				if err := d.Client.Get(ctx, client.ObjectKey{Namespace: q.Namespace, Name: q.Name}, m); err != nil || m.Data["seen"] != "" {
					return client.IgnoreNotFound(err)
				}
				m.Data = map[string]string{"seen": d.Clock.Now().UTC().Format(time.DateOnly)}
				return d.Client.Update(ctx, m)
			}),
			Watches: []controller.Watch{{GVK: configMaps, Map: func(o client.Object) []reconcile.Request {
				if o.GetNamespace() != "test" || !strings.HasSuffix(o.GetName(), "-made") {
					return nil
				}
				return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(o)}}
			}}},
		}},
	}
	c := startOf(t, s)
	if err := applyRun(t, c); err != nil {
		t.Fatal(err)
	}
	m := &corev1.ConfigMap{}
	if err := c.Client().Get(t.Context(), client.ObjectKey{Namespace: "test", Name: "run-made"}, m); err != nil {
		t.Fatal(err)
	}
	if m.Data["seen"] != "2000-01-01" {
		t.Errorf("the second reconciler has left %v", m.Data)
	}
}

// webhook is a subject's, in its own Go types.
type webhook struct{ limit string }

func (w webhook) Admit(r *apiserver.Request) error {
	run, ok := r.Object.(*toy.TaskRun)
	if !ok {
		return nil
	}
	if run.Spec.TaskSpec != nil && run.Spec.TaskSpec.Steps[0].Script == "false" {
		return apierrors.NewForbidden(schema.GroupResource{Group: "tekton.dev", Resource: "taskruns"}, run.Name, errors.New("it would fail anyway"))
	}
	if run.Spec.Timeout == nil {
		d, err := time.ParseDuration(w.limit + "m")
		if err != nil {
			return err
		}
		run.Spec.Timeout = &metav1.Duration{Duration: d}
	}
	return nil
}

func TestSubjectUsesItsOwnWebhooks(t *testing.T) {
	t.Parallel()
	s := &subject.Subject{
		Name: "toy", For: taskRuns, Scheme: toy.NewScheme(),
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			return &toy.Reconciler{Client: d.Client, Clock: d.Clock}, nil
		},
		Admission: func(c func() config.Config) []apiserver.Admission { return []apiserver.Admission{webhook{limit: "7"}} },
	}
	if got := newTarget(t, fake.Options{Subject: s}).Capabilities().Substituted; len(got) != 1 || got[0] != "launcher" {
		t.Errorf("substituted are %q: the admission is the subject's own", got)
	}
	c := startOf(t, s)
	if err := applyRun(t, c); err != nil {
		t.Fatal(err)
	}
	run := &unstructured.Unstructured{}
	run.SetGroupVersionKind(taskRuns)
	if err := c.Client().Get(t.Context(), client.ObjectKey{Namespace: "test", Name: "run"}, run); err != nil {
		t.Fatal(err)
	}
	timeout, _, _ := unstructured.NestedString(run.Object, "spec", "timeout")
	conditions, _, _ := unstructured.NestedSlice(run.Object, "status", "conditions")
	if timeout != "7m0s" || len(conditions) != 1 {
		t.Errorf("timeout %q, conditions %v", timeout, conditions)
	}
	run = &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"taskSpec": map[string]any{"steps": []any{map[string]any{"name": "only", "image": "busybox", "script": "false"}}}}}}
	run.SetGroupVersionKind(taskRuns)
	run.SetNamespace("test")
	run.SetName("doomed")
	if err := c.Client().Create(t.Context(), run); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "it would fail anyway") {
		t.Errorf("got %v", err)
	}
}

// TestOwnWebhooksAndInjectedContainers puts a foreign webhook for Pods beside those of the subject.
func TestOwnWebhooksAndInjectedContainers(t *testing.T) {
	t.Parallel()
	target := newTarget(t, fake.Options{Subject: &subject.Subject{
		Name: "idle", For: taskRuns,
		New:       reconcilerOf(func(context.Context, subject.Deps, reconcile.Request) error { return nil }),
		Admission: func(func() config.Config) []apiserver.Admission { return []apiserver.Admission{webhook{limit: "7"}} },
	}})
	c, err := target.Cluster(conformance.Setup{Name: "test", Seed: 1, Injects: []fixture.Injected{{Name: "mesh", Image: "busybox"}}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "p"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "own", Image: "busybox"}}}}
	if err := c.Client().Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	if n := len(pod.Spec.Containers); n != 2 {
		t.Errorf("the Pod has %d containers, want its own and the injected one", n)
	}
}

// TestSubjectUsesItsOwnGoTypes goes through all that a client does with Go types that the cluster does not know.
func TestSubjectUsesItsOwnGoTypes(t *testing.T) {
	t.Parallel()
	done := false
	s := &subject.Subject{
		Name: "toy", For: taskRuns, Scheme: toy.NewScheme(),
		New: reconcilerOf(func(ctx context.Context, d subject.Deps, q reconcile.Request) error {
			if done || q.Name != "run" {
				return nil
			}
			done = true
			run := &toy.TaskRun{}
			if err := d.Reader.Get(ctx, q.NamespacedName, run); err != nil {
				return err
			}
			if gvk, err := d.Client.GroupVersionKindFor(run); err != nil || gvk != taskRuns {
				t.Errorf("kind %v, %v", gvk, err)
			}
			if namespaced, err := d.Client.IsObjectNamespaced(run); err != nil || !namespaced {
				t.Errorf("namespaced %v, %v", namespaced, err)
			}
			before := run.DeepCopy()
			run.Labels = map[string]string{"a": "b"}
			if err := d.Client.Patch(ctx, run, client.MergeFrom(before)); err != nil {
				return err
			}
			run.Status.PodName = "some"
			if err := d.Client.Status().Update(ctx, run); err != nil {
				return err
			}
			other := &toy.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: q.Namespace, Name: "other"}, Spec: run.Spec}
			if err := d.Client.Create(ctx, other); err != nil {
				return err
			}
			other.Labels = map[string]string{"c": "d"}
			if err := d.Client.Update(ctx, other); err != nil {
				return err
			}
			list := &toy.TaskRunList{}
			live, ok := d.Reader.(client.Client)
			if !ok {
				t.Fatalf("a %T", d.Reader)
			}
			if err := live.List(ctx, list, client.InNamespace(q.Namespace)); err != nil {
				return err
			}
			if len(list.Items) != 2 || list.Items[0].Labels["c"] != "d" || list.Items[1].Status.PodName != "some" || list.Items[1].Labels["a"] != "b" {
				t.Errorf("listed %+v", list.Items)
			}
			if err := d.Client.Delete(ctx, other); err != nil {
				return err
			}
			return d.Client.DeleteAllOf(ctx, &toy.TaskRun{}, client.InNamespace(q.Namespace), client.MatchingLabels{"a": "nothing"})
		}),
	}
	c := startOf(t, s)
	if err := applyRun(t, c); err != nil {
		t.Fatal(err)
	}
	if !done {
		t.Error("the reconciler was not called")
	}
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(taskRuns.GroupVersion().WithKind("TaskRunList"))
	if err := c.Client().List(t.Context(), list); err != nil || len(list.Items) != 1 {
		t.Errorf("%d runs are left, %v", len(list.Items), err)
	}
}
