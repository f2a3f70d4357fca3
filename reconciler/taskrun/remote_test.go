package taskrun

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

const remoteTask = "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: far, labels: {from: afar}}\nspec: {steps: [{image: i, command: ['$(context.task.name)']}]}\n"

// requests are the requests that there are.
func (w *world) requests() []resolution.ResolutionRequest {
	w.t.Helper()
	var list resolution.ResolutionRequestList
	if err := w.client.List(context.Background(), &list); err != nil {
		w.t.Fatal(err)
	}
	return list.Items
}

// answer plays the resolver of the only request.
func (w *world) answer(text string) {
	w.t.Helper()
	w.settle(func(r *resolution.ResolutionRequest) {
		r.Status.Data = base64.StdEncoding.EncodeToString([]byte(text))
		r.Status.Source = &v1beta1.ConfigSource{URI: "far away"}
		r.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionTrue}, metav1.NewTime(w.now))
	})
}

func (w *world) settle(change func(*resolution.ResolutionRequest)) {
	w.t.Helper()
	list := w.requests()
	if len(list) != 1 {
		w.t.Fatalf("%d requests, want one", len(list))
	}
	change(&list[0])
	if err := w.client.Status().Update(context.Background(), &list[0]); err != nil {
		w.t.Fatal(err)
	}
}

func TestTaskOfAResolver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "{params: [{name: where, value: here}], taskRef: {resolver: git, params: [{name: url, value: $(params.where)/$(context.taskRun.name)}]}}"))
	w.cfg.FeatureFlags.EnableProvenanceInStatus = true
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonResolvingTaskRef, "TaskRun ns/run awaiting remote resource")
	r := w.requests()[0]
	if want := []v1beta1.Param{{Name: "url", Value: v1beta1.StringValue("here/run")}}; !cmp.Equal(want, r.Spec.Params) {
		t.Errorf("the request has %v, want %v", r.Spec.Params, want)
	}
	if r.Labels[resolution.LabelType] != "git" || !strings.HasPrefix(r.Name, "git-") || !metav1.IsControlledBy(&r, w.run("run")) {
		t.Errorf("the request is %+v", r.ObjectMeta)
	}
	w.pass("run")
	w.answer(remoteTask)
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
	got := w.run("run")
	if got.Labels[v1beta1.LabelTask] != "far" || got.Labels["from"] != "afar" || got.Status.TaskSpec.Steps[0].Command[0] != "far" {
		t.Errorf("labels %v, Task %+v", got.Labels, got.Status.TaskSpec)
	}
	if got.Status.Provenance == nil || got.Status.Provenance.ConfigSource.URI != "far away" {
		t.Errorf("it came from %+v", got.Status.Provenance)
	}
}

// TestNoTaskOfAResolver has every way in which an answer is none.
func TestNoTaskOfAResolver(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, text, because, message string }{
		{"another kind", "apiVersion: tekton.dev/v1beta1\nkind: Pipeline\n", v1beta1.TaskRunReasonFailedResolution, "failed to get task: failed to convert obj tekton.dev/v1beta1, Kind=Pipeline into Task"},
		{"no object", "foo: bar\n", v1beta1.TaskRunReasonFailedResolution, "failed to get task: invalid runtime object: Object 'Kind' is missing in 'foo: bar\n'"},
		{"a Task that admission would refuse", "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: far}\n", v1beta1.TaskRunReasonFailedValidation,
			`the Task "far" that was fetched is invalid: missing field(s): steps`},
	} {
		w := newWorld(t, taskRun(t, "run", "taskRef: {resolver: git}"))
		w.pass("run")
		w.answer(row.text)
		w.pass("run")
		if w.expect("run", isFalse, row.because, row.message); t.Failed() {
			t.Fatal(row.reason)
		}
		if w.pod("run-pod") != nil {
			t.Errorf("%s: there is a Pod", row.reason)
		}
	}
}

func TestRequestThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskRef: {resolver: git}"))
	w.pass("run")
	w.settle(func(r *resolution.ResolutionRequest) {
		r.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Message: "no such luck"}, metav1.NewTime(w.now))
	})
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonFailedResolution, "failed to get task: error requesting remote resource: no such luck")
}

// TestWaitingForAnAnswerEnds: a run that waits is cancelled, and times out, as any other.
func TestWaitingForAnAnswerEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "slow", "{timeout: 5s, taskRef: {resolver: git}}"), taskRun(t, "unwanted", "{taskRef: {resolver: git}}"))
	w.pass("slow")
	w.pass("unwanted")
	w.now = w.now.Add(5 * time.Second)
	w.pass("slow")
	w.expect("slow", isFalse, v1beta1.TaskRunReasonTimedOut, "")
	tr := w.run("unwanted")
	tr.Spec.Status = v1beta1.TaskRunSpecStatusCancelled
	if err := w.client.Update(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	w.pass("unwanted")
	w.expect("unwanted", isFalse, v1beta1.TaskRunReasonCancelled, "")
}

// TestOneRequest: answers get lost, and caches are behind, but nothing is asked for twice.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskRef: {resolver: git}"))
	w.fault = func(verb string, o client.Object) error {
		if verb == "status" {
			return errors.New("the answer is lost")
		}
		return nil
	}
	w.pass("run")
	w.fault = nil
	for range 3 {
		w.pass("run")
	}
	if n := len(w.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestRequestOfAnEarlierRun: a request of the name that belongs to an earlier run is not read.
func TestRequestOfAnEarlierRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskRef: {resolver: git}"))
	w.pass("run")
	w.answer(remoteTask)
	old := w.requests()[0]
	old.OwnerReferences[0].UID = "of an earlier run"
	if err := w.client.Update(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.pass("run")
		w.expect("run", unknown, v1beta1.TaskRunReasonResolvingTaskRef, "")
	}
	if err := w.client.Delete(t.Context(), &old); err != nil {
		t.Fatal(err)
	}
	w.pass("run")
	w.answer(remoteTask)
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
}

// bundles has one Task.
type bundles map[string]string

// Object implements resolver.Bundles.
func (b bundles) Object(_ context.Context, r resolver.BundleRequest) ([]byte, error) {
	text, ok := b[r.Bundle+" "+r.Kind+" "+r.Name+" "+r.Namespace+" "+r.ServiceAccount]
	if !ok {
		return nil, errors.New("no such thing")
	}
	return []byte(text), nil
}

func TestTaskOfABundle(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskRef: {name: far, bundle: registry/b}"), taskRun(t, "none", "taskRef: {name: near, bundle: registry/b}"))
	w.cfg.FeatureFlags.EnableTektonOCIBundles = true
	w.pass("none")
	w.expect("none", isFalse, v1beta1.TaskRunReasonFailedResolution, "error when listing tasks for taskRun none: failed to get task: bundles cannot be fetched here")
	w.bundles = bundles{"registry/b task far ns default": remoteTask}
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
	if got := w.run("run"); got.Labels[v1beta1.LabelTask] != "far" {
		t.Errorf("labels %v", got.Labels)
	}
}
