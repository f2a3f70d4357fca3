package pipelinerun

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestTurned: what takes a PipelineRun further wakes it, and what its children are at otherwise does not.
func TestTurned(t *testing.T) {
	t.Parallel()
	with := func(status corev1.ConditionStatus, reason string, more ...func(*v1beta1.TaskRun)) *v1beta1.TaskRun {
		tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{UID: "u", Generation: 1}}
		if reason != "" {
			tr.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason}, metav1.Time{})
		}
		for _, m := range more {
			m(tr)
		}
		return tr
	}
	unknown := corev1.ConditionUnknown
	pod := func(tr *v1beta1.TaskRun) { tr.Status.PodName = "p" }
	for _, row := range []struct {
		reason      string
		before, now *v1beta1.TaskRun
		want        bool
	}{
		{"its Pod was made", with(unknown, "Started"), with(unknown, "Pending", pod), false},
		{"a Step went on", with(unknown, "Running"), with(unknown, "Running", pod), false},
		{"it began to run", with(unknown, "Pending"), with(unknown, "Running"), true},
		{"it ended", with(unknown, "Running"), with(corev1.ConditionTrue, "Succeeded"), true},
		{"it was tried again", with(unknown, "Pending"), with(unknown, "Pending", func(tr *v1beta1.TaskRun) { tr.Status.RetriesStatus = make([]v1beta1.TaskRunStatus, 1) }), true},
		{"a user cancelled it", with(unknown, "Pending"), with(unknown, "Pending", func(tr *v1beta1.TaskRun) { tr.Generation = 2 }), true},
		{"it is another one", with(unknown, ""), with(unknown, "", func(tr *v1beta1.TaskRun) { tr.UID = "v" }), true},
		{"it is being deleted", with(unknown, ""), with(unknown, "", func(tr *v1beta1.TaskRun) { tr.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }), true},
		{"a label changed", with(unknown, ""), with(unknown, "", func(tr *v1beta1.TaskRun) { tr.Labels = map[string]string{"a": "b"} }), true},
	} {
		if got := turned(event.UpdateEvent{ObjectOld: row.before, ObjectNew: row.now}); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
	if !turned(event.UpdateEvent{ObjectOld: &v1beta1.CustomRun{}, ObjectNew: &v1beta1.CustomRun{}}) {
		t.Error("changes of other kinds are not judged here")
	}
}
