package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// state is how far a PipelineRun is.
type state int

const (
	created state = iota // the controller has not seen it
	running
	succeeded
	failed
)

// storedPipelineRun is a PipelineRun as it is after creation under the default configuration, and some time later.
func storedPipelineRun(t *testing.T, s state) *v1beta1.PipelineRun {
	t.Helper()
	pr := &v1beta1.PipelineRun{ObjectMeta: metav1.ObjectMeta{Name: "r"}}
	const spec = `{params: [{name: p, value: v}], timeouts: {tasks: 10m}, pipelineSpec: {params: [{name: p}], tasks: [{name: a, taskRef: {name: t}, params: [{name: q, value: "$(params.p)"}]}]}}`
	if err := yaml.UnmarshalStrict([]byte(spec), &pr.Spec); err != nil {
		t.Fatal(err)
	}
	if err := admission.Admit(pr, nil, config.Default()); err != nil {
		t.Fatal(err)
	}
	if s == created {
		return pr
	}
	begun := metav1.Unix(1, 0)
	pr.Status.StartTime = &begun
	status := map[state]corev1.ConditionStatus{running: corev1.ConditionUnknown, succeeded: corev1.ConditionTrue, failed: corev1.ConditionFalse}[s]
	pr.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: "R"}, metav1.Unix(2, 0))
	return pr
}

func TestUpdatesOfPipelineRuns(t *testing.T) {
	t.Parallel()
	const (
		denied   = `admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: `
		started  = denied + "invalid value: Once the PipelineRun has started, only status updates are allowed: spec"
		complete = denied + "invalid value: Once the PipelineRun is complete, no updates are allowed: spec"
	)
	otherDefaults, err := config.Parse(map[string]string{config.KeyPodTemplate: "nodeSelector: {a: b}", config.KeyTimeoutMinutes: "5", config.KeyServiceAccount: "other"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(status v1beta1.PipelineRunSpecStatus) func(*v1beta1.PipelineRun) {
		return func(pr *v1beta1.PipelineRun) { pr.Spec.Status = status }
	}
	for _, row := range []struct {
		reason string
		of     state
		cfg    *config.Config
		edit   func(*v1beta1.PipelineRun)
		want   string
	}{
		{reason: "P-20: params are fixed while it runs", of: running, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.Params[0].Value = v1beta1.StringValue("w") }, want: started},
		{reason: "P-20: and the Pipeline", of: running, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.PipelineSpec.Tasks[0].Retries = 3 }, want: started},
		{reason: "P-20: and the timeouts", of: running, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.Timeouts.Tasks = nil }, want: started},
		{reason: "P-20: before it has started nothing is fixed, but it has to be right", of: created, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.Params[0].Value = v1beta1.StringValue("w") }},
		{reason: "such as its order", of: created, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.PipelineSpec.Tasks[0].RunAfter = []string{"a"} },
			want: denied + `invalid value: cycle detected; task "a" depends on "a": spec.pipelineSpec.tasks`},
		{reason: "it can be cancelled", of: running, edit: ask(v1beta1.PipelineRunSpecStatusCancelled)},
		{reason: "or have its final tasks run", of: running, edit: ask(v1beta1.PipelineRunSpecStatusCancelledRunFinally)},
		{reason: "or stop", of: running, edit: ask(v1beta1.PipelineRunSpecStatusStoppedRunFinally)},
		{reason: "P-48: nothing else", of: running, edit: ask("Bogus"), want: denied + "invalid value: Bogus should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending: spec.status"},
		{reason: "P-42: it is too late to wait", of: running, edit: ask(v1beta1.PipelineRunSpecStatusPending), want: denied + "invalid value: PipelineRun cannot be Pending after it is started: spec.status"},
		{reason: "P-42: it can wait as long as it has not started", of: created, edit: ask(v1beta1.PipelineRunSpecStatusPending)},
		{reason: "P-20: what is over cannot be cancelled", of: succeeded, edit: ask(v1beta1.PipelineRunSpecStatusCancelled), want: complete},
		{reason: "P-20: failed is over, too", of: failed, edit: func(pr *v1beta1.PipelineRun) { pr.Spec.ServiceAccountName = "x" }, want: complete},
		{reason: "labels are free, always", of: succeeded, edit: func(pr *v1beta1.PipelineRun) { pr.Labels = map[string]string{"late": "1"} }},
		{reason: "the status is the controller's", of: running, edit: func(pr *v1beta1.PipelineRun) { pr.Status.SkippedTasks = []v1beta1.SkippedTask{{Name: "b"}} }},
		{reason: "new defaults are not the writer's change", of: running, cfg: otherDefaults, edit: func(pr *v1beta1.PipelineRun) { pr.Annotations = map[string]string{"a": "b"} }},
		{reason: "nor when the run is cancelled", of: running, cfg: otherDefaults, edit: ask(v1beta1.PipelineRunSpecStatusCancelled)},
		{reason: "a manifest that leaves out the defaults is the same", of: running, edit: func(pr *v1beta1.PipelineRun) {
			pr.Spec.ServiceAccountName, pr.Spec.PipelineSpec.Params[0].Type, pr.Spec.PipelineSpec.Tasks[0].TaskRef.Kind, pr.Spec.Timeouts.Pipeline = "", "", "", nil
		}},
		{reason: "nothing holds up a deletion", of: running, edit: func(pr *v1beta1.PipelineRun) {
			now := metav1.Unix(3, 0)
			pr.DeletionTimestamp, pr.Spec.Params = &now, nil
		}},
	} {
		for _, version := range []string{"v1beta1", "v1"} {
			t.Run(version+"/"+row.reason, func(t *testing.T) {
				t.Parallel()
				cfg := row.cfg
				if cfg == nil {
					cfg = config.Default()
				}
				pr := storedPipelineRun(t, row.of)
				edited := pr.DeepCopy()
				row.edit(edited)
				var old, updated runtime.Object = pr, edited
				if version == "v1" {
					old, updated = pipelineRunAsV1(t, pr), pipelineRunAsV1(t, edited)
				}
				untouched := old.DeepCopyObject()
				got := ""
				if err := admission.AdmitTyped(updated, old, admission.Update, cfg); err != nil {
					got = err.Error()
				}
				if diff := cmp.Diff(row.want, got); diff != "" {
					t.Errorf("answer (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(untouched, old); diff != "" {
					t.Errorf("the stored object was written to:\n%s", diff)
				}
			})
		}
	}
}

func pipelineRunAsV1(t *testing.T, pr *v1beta1.PipelineRun) runtime.Object {
	t.Helper()
	out, err := conversion.PipelineRunToV1(pr)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPipelineUpdates: a Pipeline may change, and is checked when it does.
func TestPipelineUpdates(t *testing.T) {
	t.Parallel()
	old := &v1beta1.Pipeline{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: v1beta1.PipelineSpec{Tasks: []v1beta1.PipelineTask{{Name: "a", TaskRef: &v1beta1.TaskRef{Name: "t"}}}}}
	better, worse := old.DeepCopy(), old.DeepCopy()
	better.Spec.Tasks = append(better.Spec.Tasks, v1beta1.PipelineTask{Name: "b", TaskRef: &v1beta1.TaskRef{Name: "t"}})
	worse.Spec.Tasks = append(worse.Spec.Tasks, v1beta1.PipelineTask{Name: "a", TaskRef: &v1beta1.TaskRef{Name: "t"}})
	if err := admission.Admit(better, old, config.Default()); err != nil {
		t.Errorf("another task: %v", err)
	}
	if err := admission.Admit(worse, old, config.Default()); err == nil {
		t.Error("a task of the same name is admitted")
	}
}

// TestRunUpdates: a Run can be cancelled at any time, also when it is over, and nothing of it is fixed (spec §1.4).
func TestRunUpdates(t *testing.T) {
	t.Parallel()
	ref := v1beta1.TaskRef{APIVersion: "example.dev/v1", Kind: "E"}
	over := v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionTrue, Reason: "R"}
	run := &v1alpha1.Run{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Spec: v1alpha1.RunSpec{Ref: &v1alpha1.RunRef{TaskRef: ref}}}
	run.Status.SetCondition(over, metav1.Unix(1, 0))
	custom := &v1beta1.CustomRun{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Spec: v1beta1.CustomRunSpec{CustomRef: &ref}}
	custom.Status.SetCondition(over, metav1.Unix(1, 0))
	stoppedRun, stoppedCustom := run.DeepCopy(), custom.DeepCopy()
	stoppedRun.Spec.Status, stoppedRun.Spec.StatusMessage, stoppedRun.Spec.Retries = v1beta1.RunSpecStatusCancelled, "enough", 3
	stoppedCustom.Spec.Status, stoppedCustom.Spec.StatusMessage, stoppedCustom.Spec.Retries = v1beta1.RunSpecStatusCancelled, "enough", 3
	for _, row := range []struct{ updated, old runtime.Object }{{stoppedRun, run}, {stoppedCustom, custom}} {
		if err := admission.Admit(row.updated, row.old, config.Default()); err != nil {
			t.Errorf("%T: %v", row.old, err)
		}
	}
}
