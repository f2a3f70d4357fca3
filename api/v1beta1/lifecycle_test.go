package v1beta1_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestTransitionTimeChangesOnlyWithTheCondition(t *testing.T) {
	t.Parallel()
	first := v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionUnknown, Reason: v1beta1.TaskRunReasonRunning, Message: "m"}
	for _, row := range []struct {
		reason  string
		edit    func(*v1beta1.Condition)
		changes bool
	}{
		{"the same again", func(*v1beta1.Condition) {}, false},
		{"its own time does not count", func(c *v1beta1.Condition) { c.LastTransitionTime = metav1.Unix(99, 0) }, false},
		{"status", func(c *v1beta1.Condition) { c.Status = corev1.ConditionTrue }, true},
		{"reason", func(c *v1beta1.Condition) { c.Reason = v1beta1.TaskRunReasonPending }, true},
		{"message", func(c *v1beta1.Condition) { c.Message = "n" }, true},
		{"severity", func(c *v1beta1.Condition) { c.Severity = "Info" }, true},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			var status v1beta1.Status
			if !status.SetCondition(first, metav1.Unix(1, 0)) {
				t.Error("the first condition is a change")
			}
			next := first
			row.edit(&next)
			changed := status.SetCondition(next, metav1.Unix(2, 0))
			want := metav1.Unix(1, 0)
			if row.changes {
				want = metav1.Unix(2, 0)
			}
			got := status.GetCondition(v1beta1.ConditionSucceeded).LastTransitionTime
			if changed != row.changes || !got.Equal(&want) || len(status.Conditions) != 1 {
				t.Errorf("changed = %v at %v with %d conditions, want %v at %v with 1", changed, got, len(status.Conditions), row.changes, want)
			}
		})
	}
}

func TestDoneFollowsTheSucceededCondition(t *testing.T) {
	t.Parallel()
	for status, done := range map[corev1.ConditionStatus]bool{
		"":                      false,
		corev1.ConditionUnknown: false,
		corev1.ConditionTrue:    true,
		corev1.ConditionFalse:   true,
	} {
		var s v1beta1.Status
		if status != "" {
			s.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status}, metav1.Unix(1, 0))
		}
		if s.IsDone() != done {
			t.Errorf("condition %q: done is %v", status, s.IsDone())
		}
	}
}

func TestAttemptCountsThoseThatAreOver(t *testing.T) {
	t.Parallel()
	tr := &v1beta1.TaskRun{}
	if got := tr.Attempt(); got != 0 {
		t.Errorf("the first attempt is %d, want 0", got)
	}
	tr.Status.RetriesStatus = []v1beta1.TaskRunStatus{{}, {}}
	if got := tr.Attempt(); got != 2 {
		t.Errorf("the third attempt is %d, want 2", got)
	}
}

// TestEmptyFieldsInDocumentsAreSerialised checks the fields that the documents show although they are empty, and that a
// status is absent until something is written to it.
func TestEmptyFieldsInDocumentsAreSerialised(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason string
		in     any
		want   string
	}{
		{"a new run", v1beta1.TaskRun{}, `{"metadata":{},"spec":{"serviceAccountName":""}}`},
		{"a Task", v1beta1.Task{}, `{"metadata":{},"spec":{}}`},
		{"the status", v1beta1.TaskRunStatus{}, `{"podName":""}`},
		{"a step", v1beta1.Step{}, `{"name":"","resources":{}}`},
		{"a template", v1beta1.StepTemplate{}, `{"name":"","resources":{}}`},
		{"a sidecar", v1beta1.Sidecar{}, `{"name":"","resources":{}}`},
		{"an override", v1beta1.TaskRunStepOverride{}, `{"name":"","resources":{}}`},
		{"an override", v1beta1.TaskRunSidecarOverride{}, `{"name":"","resources":{}}`},
		{"a usage", v1beta1.WorkspaceUsage{}, `{"name":"","mountPath":""}`},
		{"a delivery", v1beta1.CloudEventDeliveryState{}, `{"message":"","retryCount":0}`},
		{"a state is inlined", v1beta1.StepState{Name: "s", ContainerName: "step-s", ContainerState: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Unix(0, 0)}}},
			`{"running":{"startedAt":"1970-01-01T00:00:00Z"},"name":"s","container":"step-s"}`},
		{"a resolver reference is inlined", v1beta1.TaskRef{ResolverRef: v1beta1.ResolverRef{Resolver: "git"}}, `{"resolver":"git"}`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(row.in)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != row.want {
				t.Errorf("\n got %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestStepsAndContainers: nothing that a container and a Step share is lost on the way there and back.
func TestStepsAndContainers(t *testing.T) {
	t.Parallel()
	step := v1beta1.Step{
		Name: "n", Image: "i", Command: []string{"c"}, Args: []string{"a"}, WorkingDir: "w",
		EnvFrom: []corev1.EnvFromSource{{Prefix: "p"}}, Env: []corev1.EnvVar{{Name: "e"}},
		Resources:    corev1.ResourceRequirements{Claims: []corev1.ResourceClaim{{Name: "r"}}},
		VolumeMounts: []corev1.VolumeMount{{Name: "v"}}, VolumeDevices: []corev1.VolumeDevice{{Name: "d"}},
		ImagePullPolicy: "Always", SecurityContext: &corev1.SecurityContext{},
		Ports: []corev1.ContainerPort{{Name: "p"}}, LivenessProbe: &corev1.Probe{}, ReadinessProbe: &corev1.Probe{}, StartupProbe: &corev1.Probe{},
		Lifecycle: &corev1.Lifecycle{}, TerminationMessagePath: "t", TerminationMessagePolicy: "File", Stdin: true, StdinOnce: true, TTY: true,
	}
	var back v1beta1.Step
	back.SetContainer(*step.ToContainer())
	if diff := cmp.Diff(step, back); diff != "" {
		t.Errorf("step (-before +after):\n%s", diff)
	}
}

func TestSchemeKnowsTheKinds(t *testing.T) {
	t.Parallel()
	scheme := runtime.NewScheme()
	if err := v1beta1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"TaskRun", "TaskRunList", "Task", "TaskList", "ClusterTask", "ClusterTaskList"} {
		if !scheme.Recognizes(v1beta1.GroupVersion.WithKind(kind)) {
			t.Errorf("%s is not registered", kind)
		}
	}
}
