package taskrun

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// TestTimeoutCountsFromStartTime: an hour after the stored startTime, to the second, wherever in its second the first
// pass was.
func TestTimeoutCountsFromStartTime(t *testing.T) {
	t.Parallel()
	for _, fraction := range []time.Duration{0, time.Nanosecond, 300 * time.Millisecond, time.Second - 1} {
		w := newWorld(t, taskRun(t, "slow", oneStep))
		begin := w.now
		w.now = w.now.Add(fraction)
		result := w.pass("slow")
		if got, want := w.now.Add(result.RequeueAfter), begin.Add(time.Hour); !got.Equal(want) {
			t.Fatalf("begun at %v: the next pass is at %v, want %v", w.now, got, want)
		}
		w.kubelet("slow-pod", phase(corev1.PodRunning))
		w.now = begin.Add(time.Hour - 1)
		result = w.pass("slow")
		w.expect("slow", unknown, v1beta1.TaskRunReasonRunning, "")
		if result.RequeueAfter != 1 {
			t.Errorf("a nanosecond before the end the next pass is after %v", result.RequeueAfter)
		}
		w.now = begin.Add(time.Hour)
		w.pass("slow")
		tr := w.expect("slow", isFalse, v1beta1.TaskRunReasonTimedOut, `TaskRun "slow" failed to finish within "1h0m0s"`)
		if d := tr.Status.CompletionTime.Sub(tr.Status.StartTime.Time); d != time.Hour {
			t.Errorf("begun at +%v the run took %v", fraction, d)
		}
		if w.pod("slow-pod") != nil {
			t.Error("the Pod of a run that timed out is still there")
		}
		step := tr.Status.Steps[0].Terminated
		if step == nil || step.Reason != v1beta1.TaskRunReasonTimedOut || step.ExitCode != 1 || step.StartedAt.IsZero() {
			t.Errorf("the running step became %+v", step)
		}
	}
}

func TestNoTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "endless", "timeout: 0s\n"+oneStep))
	if result := w.pass("endless"); result.RequeueAfter != 0 {
		t.Errorf("without a timeout the next pass is after %v", result.RequeueAfter)
	}
	w.now = w.now.Add(10000 * time.Hour)
	w.pass("endless")
	w.expect("endless", unknown, v1beta1.TaskRunReasonPending, "")
}

func TestCancellation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "retries: 3\n"+oneStep))
	w.pass("run")
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.pass("run")
	w.cancel("run", "enough")

	w.fault = func(verb string, _ client.Object) error {
		if verb == "delete" {
			return apierrors.NewTimeoutError("slow etcd", 1)
		}
		return nil
	}
	if !w.again("run") {
		t.Error("a pass that could not delete the Pod is not tried again")
	}
	w.expect("run", unknown, v1beta1.TaskRunReasonCancelled, `TaskRun "run" was cancelled. enough`)

	w.fault = nil
	w.pass("run")
	tr := w.expect("run", isFalse, v1beta1.TaskRunReasonCancelled, `TaskRun "run" was cancelled. enough`)
	if w.pod("run-pod") != nil || tr.Status.PodName != "run-pod" || len(tr.Status.RetriesStatus) != 0 {
		t.Errorf("after cancellation: podName %q, %d retries", tr.Status.PodName, len(tr.Status.RetriesStatus))
	}
	if step := tr.Status.Steps[0].Terminated; step == nil || step.Reason != v1beta1.TaskRunReasonCancelled {
		t.Errorf("the running step became %+v", step)
	}
}

// cancel asks for cancellation as a user does.
func (w *world) cancel(name, message string) {
	w.t.Helper()
	tr := w.run(name)
	tr.Spec.Status = v1beta1.TaskRunSpecStatusCancelled
	tr.Spec.StatusMessage = v1beta1.TaskRunSpecStatusMessage(message)
	if err := w.client.Update(w.t.Context(), tr); err != nil {
		w.t.Fatal(err)
	}
}

func TestCancelledBeforeItBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "early", "status: TaskRunCancelled\n"+oneStep))
	w.pass("early")
	tr := w.expect("early", isFalse, v1beta1.TaskRunReasonCancelled, `TaskRun "early" was cancelled. `)
	if tr.Status.StartTime == nil || tr.Status.PodName != "" {
		t.Errorf("startTime %v, podName %q", tr.Status.StartTime, tr.Status.PodName)
	}
	if diff := cmp.Diff([]string{"Normal Started ", `Warning Failed TaskRun "early" was cancelled. `}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if slices.ContainsFunc(w.writes, func(s string) bool { return strings.Contains(s, "Pod") }) {
		t.Errorf("a Pod was touched: %v", w.writes)
	}
}

// TestCancellationFindsUnrecordedPod: the controller died between creating the Pod and recording it.
func TestCancellationFindsUnrecordedPod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	w.fault = func(verb string, o client.Object) error {
		if verb == "status" {
			return errors.New("the controller has died")
		}
		return nil
	}
	if !w.again("run") {
		t.Fatal("a pass that could not write is not tried again")
	}
	w.mustPod("run-pod")
	w.fault = nil
	w.cancel("run", "")
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonCancelled, "")
	if w.pod("run-pod") != nil {
		t.Error("the Pod that was not recorded runs on")
	}
}

// TestEndShowsWhatTheCacheDoesNot: a Step began, and the cache did not show it yet when the run was ended.
func TestEndShowsWhatTheCacheDoesNot(t *testing.T) {
	t.Parallel()
	for _, reason := range []string{v1beta1.TaskRunReasonCancelled, v1beta1.TaskRunReasonTimedOut} {
		w := newWorld(t, taskRun(t, "run", "timeout: 1m\n"+oneStep))
		w.pass("run")
		w.kubelet("run-pod", phase(corev1.PodRunning))
		if reason == v1beta1.TaskRunReasonCancelled {
			w.cancel("run", "")
		} else {
			w.now = w.now.Add(time.Minute)
		}
		w.pass("run")
		tr := w.expect("run", isFalse, reason, "")
		if len(tr.Status.Steps) != 1 || tr.Status.Steps[0].Terminated == nil || tr.Status.Steps[0].Terminated.Reason != reason {
			t.Errorf("%s: the steps are %+v", reason, tr.Status.Steps)
		}
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	w := newWorld(t,
		task(t, "t", `
params: [{name: p}]
results: [{name: r}]
sidecars: [{name: side, image: busybox, command: [sleep]}]
steps: [{name: a, image: busybox, command: [echo], args: ["$(context.task.retry-count)", "$(params.p)", "$(context.task.name)"]}]`),
		taskRun(t, "again", `{taskRef: {name: t}, retries: 2, params: [{name: p, value: "$(params.p)$(context.taskRun.name)"}]}`))
	for attempt, podName := range []string{"again-pod", "again-pod-retry1", "again-pod-retry2"} {
		w.pass("again")
		tr := w.expect("again", unknown, v1beta1.TaskRunReasonPending, "")
		if attempt > 0 && (len(tr.Status.TaskRunResults) > 0 || len(tr.Status.Steps) > 0 || len(tr.Status.Sidecars) > 0) {
			t.Errorf("attempt %d begins with %+v", attempt, tr.Status)
		}
		args := w.mustPod(podName).Spec.Containers[0].Args
		got := args[len(args)-3:]
		// The value of a param is not looked at again, neither by its own pass nor by the next attempt.
		if diff := cmp.Diff([]string{fmt.Sprint(attempt), "$(params.p)again", "t"}, got); diff != "" {
			t.Fatalf("arguments of attempt %d (-want +got):\n%s", attempt, diff)
		}
		if got := tr.Status.TaskSpec.Steps[0].Args[0]; got != fmt.Sprint(attempt) {
			t.Errorf("status.taskSpec of attempt %d shows retry-count %s", attempt, got)
		}
		w.kubelet(podName, all(phase(corev1.PodRunning), exit("step-a", 1, `[{"key":"r","value":"x","type":1}]`)))
		w.now = w.now.Add(5 * time.Second)
		w.pass("again")
		if attempt == 2 {
			break
		}
		tr = w.expect("again", unknown, v1beta1.TaskRunReasonToBeRetried, `"step-a" exited with code 1`)
		if tr.Status.StartTime != nil || tr.Status.CompletionTime != nil || tr.Status.PodName != "" || len(tr.Status.Steps) > 0 ||
			len(tr.Status.Sidecars) > 0 || len(tr.Status.TaskRunResults) > 0 {
			t.Errorf("of attempt %d stays %+v", attempt, tr.Status)
		}
		archived := tr.Status.RetriesStatus[attempt]
		if archived.PodName != podName || archived.CompletionTime == nil || len(archived.Steps) != 1 || !archived.Succeeded().IsFalse() ||
			len(archived.RetriesStatus) > 0 {
			t.Errorf("attempt %d was archived as %+v", attempt, archived)
		}
	}
	tr := w.expect("again", isFalse, v1beta1.TaskRunReasonFailed, `"step-a" exited with code 1`)
	if len(tr.Status.RetriesStatus) != 2 || tr.Status.Annotations != nil {
		t.Errorf("%d attempts archived, want 2; annotations %v", len(tr.Status.RetriesStatus), tr.Status.Annotations)
	}
	w.pass("again")
	for _, name := range []string{"again-pod", "again-pod-retry1", "again-pod-retry2"} {
		if image := w.mustPod(name).Spec.Containers[1].Image; image != "nop" {
			t.Errorf("the sidecar of %s runs on, with image %s", name, image)
		}
	}
}

// TestRetryOfEarlyFailures: every failure is tried again, also those before there is a Pod.
func TestRetryOfEarlyFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "notask", `{taskRef: {name: nosuch}, retries: 1}`))
	w.pass("notask")
	w.expect("notask", unknown, v1beta1.TaskRunReasonToBeRetried, `error when listing tasks for taskRun notask: failed to get task: tasks.tekton.dev "nosuch" not found`)
	w.pass("notask")
	w.expect("notask", isFalse, v1beta1.TaskRunReasonFailedResolution, `tasks.tekton.dev "nosuch" not found`)
	const text = `error when listing tasks for taskRun notask: failed to get task: tasks.tekton.dev "nosuch" not found`
	if diff := cmp.Diff([]string{
		"Normal Started ",
		"Normal ToBeRetried " + text,
		"Warning InternalError 1 error occurred:\n\t* " + text + "\n\n",
		"Normal Started ",
		"Warning Failed " + text,
		"Warning InternalError 1 error occurred:\n\t* " + text + "\n\n",
	}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// TestTimeoutOfAnAttempt: the Pod of a timed out attempt is deleted even if another attempt follows, which has all the
// time again.
func TestTimeoutOfAnAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "slow", "{retries: 1, timeout: 10s, taskSpec: {steps: [{image: busybox, script: sleep}]}}"))
	w.pass("slow")
	w.now = w.now.Add(10 * time.Second)
	w.pass("slow")
	w.expect("slow", unknown, v1beta1.TaskRunReasonToBeRetried, `failed to finish within "10s"`)
	if w.pod("slow-pod") != nil {
		t.Error("the Pod of the first attempt is still there")
	}
	w.now = w.now.Add(3 * time.Second)
	if result := w.pass("slow"); result.RequeueAfter != 10*time.Second {
		t.Errorf("the second attempt has %v", result.RequeueAfter)
	}
}

func TestQuota(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	for _, tt := range []struct {
		reason          string
		err             error
		status, message string
		after           time.Duration
	}{
		{"a full quota is tried again after a minute", apierrors.NewForbidden(pods, "run-pod", errors.New("exceeded quota: q")),
			v1beta1.TaskRunReasonExceededResourceQuota, "TaskRun Pod exceeded available resources: ", time.Minute},
		{"a conflict of counting after a second", apierrors.NewConflict(schema.GroupResource{Resource: "resourcequotas"}, "q", errors.New("x")),
			v1beta1.TaskRunReasonPending, "tried to create pod, but it failed with ResourceQuotaConflictError", time.Second},
	} {
		w := newWorld(t, taskRun(t, "run", "timeout: 90s\n"+oneStep))
		begin := w.now
		w.fault = func(verb string, o client.Object) error {
			if _, isPod := o.(*corev1.Pod); isPod && verb == "create" {
				return tt.err
			}
			return nil
		}
		result := w.pass("run")
		w.expect("run", unknown, tt.status, tt.message)
		if result.RequeueAfter != tt.after {
			t.Errorf("%s: the next pass is after %v, want %v", tt.reason, result.RequeueAfter, tt.after)
		}
		w.now = begin.Add(80 * time.Second)
		if result := w.pass("run"); result.RequeueAfter != min(tt.after, 10*time.Second) {
			t.Errorf("%s: ten seconds before the timeout the next pass is after %v", tt.reason, result.RequeueAfter)
		}
		w.now = begin.Add(90 * time.Second)
		w.pass("run")
		w.expect("run", isFalse, v1beta1.TaskRunReasonTimedOut, "")
	}
}

func TestPodCannotBeCreated(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	for _, tt := range []struct {
		reason string
		err    error
		end    bool
	}{
		{"an invalid Pod stays invalid", apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "run-pod", nil), true},
		{"a refusal of admission is final", apierrors.NewForbidden(pods, "run-pod", errors.New("violates PodSecurity")), true},
		{"a bad request stays bad", apierrors.NewBadRequest("no"), true},
		{"a timeout passes", apierrors.NewTimeoutError("etcd", 1), false},
		{"so does a server timeout", apierrors.NewServerTimeout(pods, "create", 1), false},
		{"too many requests pass", apierrors.NewTooManyRequests("slow down", 1), false},
		{"an unavailable server comes back", apierrors.NewServiceUnavailable("restarting"), false},
		{"an internal error may be mended", apierrors.NewInternalError(errors.New("webhook down")), false},
		{"a conflict is tried again", apierrors.NewConflict(pods, "run-pod", errors.New("x")), false},
		{"a network may break", errors.New("connection reset by peer"), false},
	} {
		w := newWorld(t, taskRun(t, "run", oneStep))
		w.fault = func(verb string, o client.Object) error {
			if _, isPod := o.(*corev1.Pod); isPod && verb == "create" {
				return tt.err
			}
			return nil
		}
		again := w.again("run")
		if tt.end {
			if again {
				t.Errorf("%s: yet it is tried again", tt.reason)
			}
			w.expect("run", isFalse, v1beta1.TaskRunReasonPodCreationFailed,
				fmt.Sprintf("failed to create task run pod %q: %v. Maybe invalid TaskSpec", "run", tt.err))
			continue
		}
		if !again {
			t.Errorf("%s: yet it is not tried again", tt.reason)
		}
		w.fault = nil
		w.pass("run")
		w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
	}
}

// TestAPIErrorsAtEveryWrite: whatever write fails, however, once, the run gets to its end.
func TestAPIErrorsAtEveryWrite(t *testing.T) {
	t.Parallel()
	pods := schema.GroupResource{Resource: "pods"}
	for _, fault := range []error{
		apierrors.NewTimeoutError("etcd", 1), apierrors.NewConflict(pods, "x", errors.New("x")), apierrors.NewInternalError(errors.New("x")),
	} {
		for nth := 1; ; nth++ {
			w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{name: a, image: busybox, script: x}], sidecars: [{name: s, image: busybox}]}"))
			seen := 0
			w.fault = func(string, client.Object) error {
				if seen++; seen == nth {
					return fault
				}
				return nil
			}
			for range 3 {
				_, _ = w.reconcile("run")
			}
			w.withoutFaults(func() { w.kubelet("run-pod", phase(corev1.PodRunning)) })
			for range 3 {
				_, _ = w.reconcile("run")
			}
			if got := w.mustPod("run-pod").Annotations[v1beta1.AnnotationReady]; got != v1beta1.AnnotationReadyValue {
				t.Fatalf("write %d failed with %v: the Pod is not ready: %q", nth, fault, got)
			}
			w.withoutFaults(func() { w.kubelet("run-pod", exit("step-a", 0, "")) })
			for range 3 {
				_, _ = w.reconcile("run")
			}
			w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
			if image := w.mustPod("run-pod").Spec.Containers[1].Image; image != "nop" {
				t.Errorf("write %d failed with %v: the sidecar runs on", nth, fault)
			}
			if seen < nth {
				break
			}
		}
	}
}

func (w *world) withoutFaults(do func()) {
	fault := w.fault
	w.fault = nil
	do()
	w.fault = fault
}

func TestForeignPod(t *testing.T) {
	t.Parallel()
	foreign := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "run-pod"}}
	for _, hidden := range []bool{false, true} {
		w := newWorld(t, taskRun(t, "run", "timeout: 15s\n"+oneStep), foreign.DeepCopy())
		w.hidden["Pod/run-pod"] = hidden
		begin := w.now
		if result := w.pass("run"); result.RequeueAfter == 0 {
			t.Error("no later pass looks whether the name is free again")
		}
		tr := w.expect("run", unknown, v1beta1.TaskRunReasonPending, "tried to create pod, but it already exists")
		if tr.Status.PodName != "" {
			t.Errorf("the run claims Pod %q", tr.Status.PodName)
		}
		w.now = begin.Add(15 * time.Second)
		w.pass("run")
		w.expect("run", isFalse, v1beta1.TaskRunReasonTimedOut, "")
		if w.pod("run-pod") == nil {
			t.Error("a foreign Pod was deleted")
		}
	}
}

// TestPodNotInCache: the Pod was just created, and the cache does not know yet.
func TestPodNotInCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	w.pass("run")
	uid := w.mustPod("run-pod").UID
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.hidden["Pod/run-pod"] = true
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonRunning, "")
	if w.mustPod("run-pod").UID != uid {
		t.Error("the Pod was replaced")
	}
}

func TestLostPodIsMadeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, task(t, "t", `{params: [{name: p}], steps: [{name: a, image: busybox, command: [echo, "$(params.p)"]}]}`),
		taskRun(t, "run", `{taskRef: {name: t}, params: [{name: p, value: "$(context.taskRun.name)"}]}`))
	w.pass("run")
	before := w.run("run")
	pod := w.mustPod("run-pod")
	if err := w.client.Delete(t.Context(), pod.DeepCopy()); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(time.Minute)
	w.pass("run")
	if diff := cmp.Diff(pod.Spec, w.mustPod("run-pod").Spec); diff != "" {
		t.Errorf("the Pod that was made again differs (-first +second):\n%s", diff)
	}
	if after := w.run("run"); !after.Status.StartTime.Equal(before.Status.StartTime) {
		t.Errorf("startTime moved from %v to %v", before.Status.StartTime, after.Status.StartTime)
	}
}

// TestStaleTaskRun: the cache shows the TaskRun as it was before our own last write.
func TestStaleTaskRun(t *testing.T) {
	t.Parallel()
	t.Run("after the end no Pod is made", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, taskRun(t, "run", oneStep))
		w.pass("run")
		w.kubelet("run-pod", phase(corev1.PodRunning))
		w.pass("run")
		w.stale[key("run")] = w.run("run")
		w.withoutStale(func() {
			w.cancel("run", "")
			w.pass("run")
		})
		w.events = nil
		if !w.again("run") {
			t.Error("the pass is not repeated")
		}
		w.expect("run", isFalse, v1beta1.TaskRunReasonCancelled, "")
		if w.pod("run-pod") != nil {
			t.Error("a run that is over has a Pod again")
		}
		if len(w.events) > 0 {
			t.Errorf("events about a state that never was: %v", w.events)
		}
	})
	t.Run("an attempt is not archived twice", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, taskRun(t, "run", "retries: 5\n"+oneStep))
		w.pass("run")
		w.stale[key("run")] = w.run("run")
		w.kubelet("run-pod", all(phase(corev1.PodFailed), exit("step-a", 1, "")))
		w.withoutStale(func() { w.pass("run") })
		w.events = nil
		if !w.again("run") {
			t.Error("the pass is not repeated")
		}
		if n := len(w.run("run").Status.RetriesStatus); n != 1 || len(w.events) > 0 {
			t.Errorf("%d attempts are archived, want 1; events %v", n, w.events)
		}
	})
	t.Run("a Pod is not deleted for a deadline that has moved", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, taskRun(t, "run", "timeout: 10s\n"+oneStep))
		w.pass("run")
		w.stale[key("run")] = w.run("run")
		w.kubelet("run-pod", all(phase(corev1.PodSucceeded), exit("step-a", 0, "")))
		w.withoutStale(func() { w.pass("run") })
		w.now = w.now.Add(time.Minute)
		if !w.again("run") {
			t.Error("the pass is not repeated")
		}
		w.mustPod("run-pod")
		w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
	})
}

func (w *world) withoutStale(do func()) {
	stale := w.stale
	w.stale = nil
	do()
	w.stale = stale
}

func TestImagePullFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	w.pass("run")
	w.kubelet("run-pod", waitFor("step-a", "ErrImagePull", "no such host"))
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPullImageFailed, `build step "step-a" is pending with reason "no such host"`)
	w.kubelet("run-pod", waitFor("step-a", "ImagePullBackOff", "Back-off pulling"))
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPullImageFailed, "Back-off pulling")
	w.pass("run")
	tr := w.expect("run", isFalse, v1beta1.TaskRunReasonImagePullFailed,
		`The step "a" in TaskRun "run" failed to pull the image "image-of-step-a". The pod errored with the message: "Back-off pulling."`)
	if step := tr.Status.Steps[0].Terminated; w.pod("run-pod") != nil || step == nil || step.Reason != v1beta1.TaskRunReasonImagePullFailed {
		t.Errorf("Pod %v, step %+v", w.pod("run-pod"), step)
	}
}

func TestFinalContainerProblems(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ waiting, reason, message string }{
		{"InvalidImageName", v1beta1.TaskRunReasonImagePullFailed, `The step "a" in TaskRun "run" failed to pull the image`},
		{"CreateContainerConfigError", v1beta1.TaskRunReasonCreateContainerConfigError, "Failed to create pod due to config error"},
		{"CreateContainerError", v1beta1.TaskRunReasonPodCreationFailed, `the step "a" in TaskRun "run" failed to start. The pod errored with the message: "what the kubelet says."`},
	} {
		w := newWorld(t, taskRun(t, "run", oneStep))
		w.pass("run")
		w.kubelet("run-pod", waitFor("step-a", tt.waiting, "what the kubelet says"))
		w.pass("run")
		tr := w.expect("run", isFalse, tt.reason, tt.message)
		if step := tr.Status.Steps[0].Terminated; w.pod("run-pod") != nil || step == nil || step.Reason != tt.reason {
			t.Errorf("%s: Pod %v, step %+v", tt.waiting, w.pod("run-pod"), step)
		}
	}
}

// TestReadyIsRepeated: a kubelet can lose the first announcement.
func TestReadyIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	w.pass("run")
	w.now = w.now.Add(1500 * time.Millisecond)
	w.kubelet("run-pod", phase(corev1.PodRunning))
	if result := w.pass("run"); result.RequeueAfter != 2*time.Second {
		t.Errorf("the next look is after %v", result.RequeueAfter)
	}
	if got := w.mustPod("run-pod").Annotations; got[v1beta1.AnnotationReady] != "READY" || got[podstatus.ReadySinceAnnotation] != "2000-01-01T00:00:01.5Z" {
		t.Errorf("annotations %v", got)
	}
	w.now = w.now.Add(2*time.Second - 1)
	w.pass("run")
	if got := w.mustPod("run-pod").Annotations[v1beta1.AnnotationReady]; got != "READY" {
		t.Errorf("too early it says %q", got)
	}
	w.now = w.now.Add(1)
	if result := w.pass("run"); result.RequeueAfter != time.Hour-3500*time.Millisecond {
		t.Errorf("after the last announcement the next pass is after %v", result.RequeueAfter)
	}
	got := w.mustPod("run-pod").Annotations[v1beta1.AnnotationReady]
	if got == "READY" || got == "" {
		t.Errorf("two seconds later it says %q", got)
	}
	writes := len(w.writes)
	w.now = w.now.Add(time.Minute)
	w.pass("run")
	if len(w.writes) != writes {
		t.Errorf("there is no end to it: %v", w.writes[writes:])
	}
}

func TestSidecarsAreStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{name: a, image: busybox, script: x}], sidecars: [{name: s, image: busybox}]}"))
	w.pass("run")
	// A webhook injects a container.
	pod := w.mustPod("run-pod")
	pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: "proxy", Image: "proxy"})
	if err := w.client.Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	w.kubelet("run-pod", all(phase(corev1.PodRunning), exit("step-a", 0, "")))
	w.pass("run")
	tr := w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
	if len(tr.Status.Sidecars) != 1 || tr.Status.Sidecars[0].Running == nil {
		t.Errorf("sidecars at the end: %+v", tr.Status.Sidecars)
	}
	w.pass("run")
	var images []string
	for _, c := range w.mustPod("run-pod").Spec.Containers {
		images = append(images, c.Image)
	}
	if diff := cmp.Diff([]string{"busybox", "nop", "nop"}, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	w.kubelet("run-pod", func(pod *corev1.Pod) {
		s := container(pod, "sidecar-s")
		s.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "Error", ContainerID: "first"}
		exit("sidecar-s", 0, "")(pod)
		s.RestartCount = 1
	})
	w.pass("run")
	after := w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
	want := corev1.ContainerStateTerminated{
		ExitCode: 137, Reason: "Completed", Message: "Sidecar container successfully stopped by nop image", ContainerID: "first",
	}
	if got := after.Status.Sidecars[0]; got.Terminated == nil || cmp.Diff(want, *got.Terminated) != "" || got.Name != "s" {
		t.Errorf("the stopped sidecar shows as %+v", got)
	}
	if !after.Status.CompletionTime.Equal(tr.Status.CompletionTime) {
		t.Error("completionTime moved")
	}
	writes := len(w.writes)
	w.pass("run")
	if len(w.writes) != writes {
		t.Errorf("the last pass has nothing to do, yet does %v", w.writes[writes:])
	}
}

// again reports whether a pass asks to be repeated at once, or soon.
func (w *world) again(name string) bool {
	result, err := w.reconcile(name)
	return err != nil || result.RequeueAfter > 0 && result.RequeueAfter <= 30*time.Second
}

// TestTroubleDoesNotDelayTimeouts: however long the cluster has been in trouble, the next pass is not after the deadline.
func TestTroubleDoesNotDelayTimeouts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "timeout: 100s\n"+oneStep))
	begin := w.now
	w.fault = func(verb string, o client.Object) error {
		if _, isPod := o.(*corev1.Pod); isPod && verb == "create" {
			return apierrors.NewInternalError(errors.New("webhook down"))
		}
		return nil
	}
	last := time.Duration(0)
	passes := 0
	for ; ; passes++ {
		if passes > 200 {
			t.Fatal("the delays do not grow")
		}
		result := w.pass("run")
		if result.RequeueAfter == 0 {
			break
		}
		if next := w.now.Add(result.RequeueAfter); next.After(begin.Add(100 * time.Second)) {
			t.Fatalf("at %v the next pass is after %v", w.now.Sub(begin), result.RequeueAfter)
		}
		last = max(last, result.RequeueAfter)
		w.now = w.now.Add(result.RequeueAfter)
	}
	tr := w.expect("run", isFalse, v1beta1.TaskRunReasonTimedOut, "")
	if d := tr.Status.CompletionTime.Sub(begin); d != 100*time.Second || last < 5*time.Second {
		t.Errorf("timed out after %v; the longest delay was %v", d, last)
	}
	warnings := 0
	for _, e := range w.events {
		if strings.HasPrefix(e, "Warning InternalError") {
			warnings++
		}
	}
	if warnings != passes {
		t.Errorf("the trouble was told %d times, want %d", warnings, passes)
	}
}

// TestStepKilledWithItsLauncher: the steps behind it would wait until the timeout.
func TestStepKilledWithItsLauncher(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{name: a, image: i, script: x}, {name: b, image: i, script: x}]}"))
	w.pass("run")
	w.kubelet("run-pod", all(phase(corev1.PodRunning), exit("step-a", 137, "")))
	w.now = w.now.Add(9 * time.Second) // when the step ended
	if result := w.pass("run"); result.RequeueAfter != 10*time.Second {
		t.Errorf("the next look is after %v", result.RequeueAfter)
	}
	w.now = w.now.Add(10 * time.Second)
	w.pass("run")
	tr := w.expect("run", isFalse, v1beta1.TaskRunReasonFailed, `"step-a" exited with code 137`)
	if b := tr.Status.Steps[1].Terminated; b == nil || b.ExitCode != 1 || w.pod("run-pod") != nil {
		t.Errorf("step b is %+v, the Pod %v", tr.Status.Steps[1], w.pod("run-pod"))
	}
}

// TestEventsFollowConditions: a step more or less is not worth an event.
func TestEventsFollowConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{name: a, image: i, script: x}, {name: b, image: i, script: x}]}"))
	w.pass("run")
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.pass("run")
	w.events = nil
	statuses := w.statuses
	w.kubelet("run-pod", exit("step-a", 0, ""))
	w.pass("run")
	if w.statuses != statuses+1 || len(w.events) > 0 {
		t.Errorf("%d writes, want 1; events %v", w.statuses-statuses, w.events)
	}
	w.pass("run")
	if w.statuses != statuses+1 {
		t.Error("status was written although nothing changed")
	}
}

// TestDeletedPodIsLeftAlone: the cache still shows the Pod of a run that was cancelled.
func TestDeletedPodIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{name: a, image: i, script: x}], sidecars: [{name: s, image: i}]}"))
	w.pass("run")
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.pass("run")
	w.ghosts = map[string]*corev1.Pod{"run-pod": w.mustPod("run-pod")}
	w.cancel("run", "")
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonCancelled, "")
	writes := len(w.writes)
	w.pass("run")
	if len(w.writes) != writes {
		t.Errorf("its sidecars are stopped: %v", w.writes[writes:])
	}
}

// TestSidecarsOfPastAttempts are stopped, however the attempts around them ended.
func TestSidecarsOfPastAttempts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "{retries: 2, taskSpec: {steps: [{name: a, image: i, script: x}], sidecars: [{name: s, image: i}]}}"))
	w.fault = func(verb string, o client.Object) error {
		if _, isPod := o.(*corev1.Pod); isPod && verb == "create" {
			return apierrors.NewBadRequest("no")
		}
		return nil
	}
	w.pass("run") // has no Pod
	w.fault = nil
	w.pass("run")
	w.kubelet("run-pod-retry1", all(phase(corev1.PodRunning), exit("step-a", 1, "")))
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonToBeRetried, "")
	w.pass("run")
	if image := w.mustPod("run-pod-retry1").Spec.Containers[1].Image; image != "nop" {
		t.Errorf("while the next attempt runs, the sidecar of the last runs on: %s", image)
	}
	w.mustPod("run-pod-retry2")
}

// TestPodGoneAfterTheEnd: the Pod was tidied up.
func TestPodGoneAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "{taskSpec: {steps: [{name: a, image: i, script: x}], sidecars: [{name: s, image: i}]}}"))
	w.pass("run")
	w.kubelet("run-pod", all(phase(corev1.PodRunning), exit("step-a", 0, "")))
	w.pass("run")
	before := w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
	if err := w.client.Delete(t.Context(), w.mustPod("run-pod")); err != nil {
		t.Fatal(err)
	}
	w.pass("run")
	if diff := cmp.Diff(before.Status, w.run("run").Status); diff != "" {
		t.Errorf("the status changed (-before +after):\n%s", diff)
	}
	if w.pod("run-pod") != nil {
		t.Error("the Pod was made again")
	}
}

// TestStart: an attempt begins with what is known of the one before, and not before its TaskRun.
func TestStart(t *testing.T) {
	t.Parallel()
	now := metav1.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC)
	tr := taskRun(t, "run", oneStep)
	tr.CreationTimestamp = metav1.NewTime(now.Add(time.Second))
	pass.SetUnknown(&tr.Status.Status, v1beta1.TaskRunReasonToBeRetried, "it failed", now)
	if !start(tr, now) || !tr.Status.StartTime.Equal(&tr.CreationTimestamp) {
		t.Errorf("startTime is %v, want that of creation, %v", tr.Status.StartTime, tr.CreationTimestamp)
	}
	if c := tr.Status.Succeeded(); c.Reason != v1beta1.TaskRunReasonStarted || c.Message != "it failed" || !c.IsUnknown() {
		t.Errorf("the condition is %+v", c)
	}
	if start(tr, now) {
		t.Error("an attempt begins twice")
	}
}
