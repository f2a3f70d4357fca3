package taskrun

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

const oneStep = `
taskSpec:
  results: [{name: r}]
  steps: [{name: a, image: busybox, script: echo hello}]
`

const (
	unknown = corev1.ConditionUnknown
	isTrue  = corev1.ConditionTrue
	isFalse = corev1.ConditionFalse
)

// TestOneStep follows a run from its beginning to its end.
func TestOneStep(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "one", oneStep))

	w.pass("one")
	tr := w.expect("one", unknown, v1beta1.TaskRunReasonPending, "Pending")
	if tr.Status.StartTime == nil || !tr.Status.StartTime.Time.Equal(w.now) {
		t.Errorf("startTime is %v, want %v: it is set in the first pass", tr.Status.StartTime, w.now)
	}
	if tr.Status.PodName != "one-pod" || tr.Annotations[v1beta1.AnnotationRelease] != "unknown" {
		t.Errorf("podName %q, annotations %v", tr.Status.PodName, tr.Annotations)
	}
	if pod := w.mustPod("one-pod"); pod.Annotations[v1beta1.AnnotationReady] != "" {
		t.Errorf("the Pod is ready before its sidecars can be: %v", pod.Annotations)
	}

	w.kubelet("one-pod", phase(corev1.PodRunning))
	w.pass("one")
	w.expect("one", unknown, v1beta1.TaskRunReasonRunning, "Not all Steps in the Task have finished executing")
	if pod := w.mustPod("one-pod"); pod.Annotations[v1beta1.AnnotationReady] != v1beta1.AnnotationReadyValue {
		t.Errorf("the Pod was not told to start: %v", pod.Annotations)
	}

	w.now = w.now.Add(10 * time.Second)
	w.kubelet("one-pod", all(
		exit("step-a", 0, `[{"key":"r","value":"hi\n","type":1},{"key":"StartedAt","value":"2000-01-01T00:00:05.123Z","type":3}]`),
		phase(corev1.PodSucceeded),
	))
	if result := w.pass("one"); result != (reconcile.Result{}) {
		t.Errorf("a run that is over asks for another pass: %+v", result)
	}
	tr = w.expect("one", isTrue, v1beta1.TaskRunReasonSucceeded, "All Steps have completed executing")
	if tr.Status.CompletionTime == nil || !tr.Status.CompletionTime.Time.Equal(w.now) {
		t.Errorf("completionTime is %v, want %v", tr.Status.CompletionTime, w.now)
	}
	want := []v1beta1.TaskRunResult{{Name: "r", Type: "string", Value: v1beta1.StringValue("hi\n")}}
	if diff := cmp.Diff(want, tr.Status.TaskRunResults); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if step := tr.Status.Steps[0]; step.Terminated.StartedAt.UTC().Format(time.TimeOnly) != "00:00:05" || step.ImageID != "image-of-step-a" {
		t.Errorf("step is %+v", step)
	}
	if diff := cmp.Diff([]string{
		"Normal Started ",
		"Normal Pending Pending",
		"Normal Running Not all Steps in the Task have finished executing",
		"Normal Succeeded All Steps have completed executing",
	}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}

	writes := w.statuses
	for range 3 {
		w.pass("one")
	}
	if w.statuses != writes {
		t.Errorf("passes over a run that is over write its status %d times", w.statuses-writes)
	}
}
