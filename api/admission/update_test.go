package admission_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// stored is a run as it is after creation under the default configuration.
func stored(t testing.TB, status corev1.ConditionStatus) *v1beta1.TaskRun {
	t.Helper()
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "r"}}
	const spec = `{params: [{name: p, value: v}], taskSpec: {params: [{name: p}], steps: [{name: a, image: i, script: "$(params.p)"}, {name: b, image: i, script: x}, {name: c, image: i, script: x}]}}`
	if err := yaml.UnmarshalStrict([]byte(spec), &tr.Spec); err != nil {
		t.Fatal(err)
	}
	if err := admission.Admit(tr, nil, config.Default()); err != nil {
		t.Fatal(err)
	}
	if status != "" {
		tr.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: "R"}, metav1.Unix(1, 0))
	}
	return tr
}

func asV1(t *testing.T, tr *v1beta1.TaskRun) *v1.TaskRun {
	t.Helper()
	out, err := conversion.TaskRunToV1(tr)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestUpdates(t *testing.T) {
	t.Parallel()
	const (
		denied   = `admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: `
		started  = denied + "invalid value: Once the TaskRun has started, only status and statusMessage updates are allowed: spec"
		complete = denied + "invalid value: Once the TaskRun is complete, no updates are allowed: spec"
	)
	under := func(defaults map[string]string) *config.Config {
		cfg, err := config.Parse(defaults, nil)
		if err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	otherDefaults := under(map[string]string{config.KeyPodTemplate: "nodeSelector: {a: b}", config.KeyTimeoutMinutes: "5"})
	for _, row := range []struct {
		reason string
		status corev1.ConditionStatus
		cfg    *config.Config
		edit   func(*v1beta1.TaskRun)
		want   string
	}{
		{reason: "params are fixed while it runs", status: corev1.ConditionUnknown, edit: func(tr *v1beta1.TaskRun) { tr.Spec.Params[0].Value = v1beta1.StringValue("w") }, want: started},
		{reason: "and before it has started", edit: func(tr *v1beta1.TaskRun) { tr.Spec.Timeout = &metav1.Duration{Duration: 1} }, want: started},
		{reason: "it can be cancelled", status: corev1.ConditionUnknown, edit: func(tr *v1beta1.TaskRun) {
			tr.Spec.Status, tr.Spec.StatusMessage = v1beta1.TaskRunSpecStatusCancelled, "enough"
		}},
		{reason: "it can be cancelled, and nothing else", status: corev1.ConditionUnknown, edit: func(tr *v1beta1.TaskRun) { tr.Spec.Status = "Bogus" },
			want: denied + "invalid value: Bogus should be TaskRunCancelled: spec.status"},
		{reason: "a run that has ended cannot be cancelled", status: corev1.ConditionTrue, edit: func(tr *v1beta1.TaskRun) { tr.Spec.Status = v1beta1.TaskRunSpecStatusCancelled }, want: complete},
		{reason: "failed is ended, too", status: corev1.ConditionFalse, edit: func(tr *v1beta1.TaskRun) { tr.Spec.Retries = 3 }, want: complete},
		{reason: "labels are free, always", status: corev1.ConditionTrue, edit: func(tr *v1beta1.TaskRun) { tr.Labels["late"] = "1" }},
		{reason: "the status is the controller's", status: corev1.ConditionTrue, edit: func(tr *v1beta1.TaskRun) { tr.Status.PodName = "p" }},
		{reason: "new defaults are not the writer's change", status: corev1.ConditionUnknown, cfg: otherDefaults, edit: func(tr *v1beta1.TaskRun) { tr.Annotations = map[string]string{"a": "b"} }},
		{reason: "nor when the run is cancelled", status: corev1.ConditionUnknown, cfg: otherDefaults, edit: func(tr *v1beta1.TaskRun) { tr.Spec.Status = v1beta1.TaskRunSpecStatusCancelled }},
		{reason: "a manifest that leaves out the defaults is the same", status: corev1.ConditionUnknown, edit: func(tr *v1beta1.TaskRun) {
			tr.Spec.Timeout, tr.Spec.ServiceAccountName, tr.Spec.TaskSpec.Params[0].Type = nil, "", ""
		}},
		{reason: "nothing holds up a deletion", status: corev1.ConditionUnknown, edit: func(tr *v1beta1.TaskRun) {
			now := metav1.Unix(2, 0)
			tr.DeletionTimestamp, tr.Spec.Retries = &now, 7
		}},
	} {
		for _, version := range []string{"v1beta1", "v1"} {
			t.Run(version+"/"+row.reason, func(t *testing.T) {
				t.Parallel()
				cfg := row.cfg
				if cfg == nil {
					cfg = config.Default()
				}
				tr := stored(t, row.status)
				edited := tr.DeepCopy()
				row.edit(edited)
				var old, updated runtime.Object = tr, edited
				if version == "v1" {
					old, updated = asV1(t, tr), asV1(t, edited)
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

// TestStoredBeforeAnUpgrade: what is stored may lack defaults of today; they are not written into it.
func TestStoredBeforeAnUpgrade(t *testing.T) {
	t.Parallel()
	old := stored(t, corev1.ConditionUnknown)
	old.Spec.Timeout, old.Spec.TaskSpec.Params[0].Type = nil, ""
	untouched := old.DeepCopy()
	updated := old.DeepCopy()
	updated.Spec.Status = v1beta1.TaskRunSpecStatusCancelled
	if err := admission.Admit(updated, old, config.Default()); err != nil {
		t.Errorf("cancelling: %v", err)
	}
	if diff := cmp.Diff(untouched, old); diff != "" {
		t.Errorf("the stored object was written to:\n%s", diff)
	}
}

// TestTaskUpdates: a Task may change, and is checked when it does.
func TestTaskUpdates(t *testing.T) {
	t.Parallel()
	old := &v1beta1.Task{ObjectMeta: metav1.ObjectMeta{Name: "t"}, Spec: v1beta1.TaskSpec{Steps: []v1beta1.Step{{Image: "i"}}}}
	for _, row := range []struct {
		image string
		fine  bool
	}{{"j", true}, {"", false}} {
		updated := old.DeepCopy()
		updated.Spec.Steps[0].Image = row.image
		err := admission.AdmitTyped(updated, old, admission.Update, config.Default())
		var denial *admission.Denied
		if row.fine != (err == nil) || err != nil && (!errors.As(err, &denial) || denial.Webhook != admission.ValidatingWebhook) {
			t.Errorf("image %q: %v", row.image, err)
		}
	}
}

func TestReviewOfJSON(t *testing.T) {
	t.Parallel()
	const head = `{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"name":"r","fieldOfALaterKubernetes":1},`
	const headV1 = `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"r"},`
	const decode = `admission webhook "webhook.pipeline.tekton.dev" denied the request: mutation failed: cannot decode incoming new object: `
	const unwritable = `admission webhook "webhook.pipeline.tekton.dev" denied the request: mutation failed: cannot create patch for round tripped newBytes: cannot marshal interface: ` +
		`json: error calling MarshalJSON for type v1beta1.ParamValue: impossible ParamValues.Type: ""`
	for _, row := range []struct {
		reason string
		review admission.Review
		want   string // the object, or the error
	}{
		{"defaults are filled in", admission.Review{Kind: "TaskRun", Operation: admission.Create, Object: []byte(head + `"spec":{"taskRef":{"name":"t"}}}`)},
			`{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"labels":{"app.kubernetes.io/managed-by":"tekton-pipelines"},"name":"r"},"spec":{"serviceAccountName":"default","taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`},
		{"an unknown field deep down", admission.Review{Kind: "TaskRun", Operation: admission.Create, Object: []byte(head + `"spec":{"taskSpec":{"steps":[{"image":"i","x":1}]}}}`)}, decode + `json: unknown field "x"`},
		{"an unknown field of the status", admission.Review{Kind: "TaskRun", Operation: admission.Update, Object: []byte(head + `"status":{"x":1}}`)}, decode + `json: unknown field "x"`},
		{"an unknown field beside the spec", admission.Review{Kind: "TaskRun", Operation: admission.Create, Object: []byte(head + `"x":1}`)}, decode + `json: unknown field "x"`},
		{"a number is not a duration", admission.Review{Kind: "TaskRun", Operation: admission.Create, Object: []byte(head + `"spec":{"timeout":0}}`)}, decode + `json: cannot unmarshal number into Go struct field TaskRunSpec.spec.timeout of type string`},
		{"not JSON", admission.Review{Kind: "Task", Operation: admission.Create, Object: []byte(`{`)}, decode + `unexpected end of JSON input`},
		{"a ClusterTask is checked as a Task", admission.Review{Kind: "ClusterTask", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"c"},"spec":{}}`)},
			`admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: missing field(s): spec.steps`},
		{"an update is compared with the stored object", admission.Review{Kind: "TaskRun", Operation: admission.Update,
			OldObject: []byte(head + `"spec":{"taskRef":{"name":"t"}}}`), Object: []byte(head + `"spec":{"taskRef":{"name":"u"}}}`)},
			`admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: invalid value: Once the TaskRun has started, only status and statusMessage updates are allowed: spec`},
		{"v1 has its own names", admission.Review{Version: "v1", Kind: "TaskRun", Operation: admission.Create, Object: []byte(headV1 + `"spec":{"taskRef":{"name":"t"},"retries":2}}`)},
			`{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"labels":{"app.kubernetes.io/managed-by":"tekton-pipelines"},"name":"r"},"spec":{"retries":2,"serviceAccountName":"default","taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`},
		{"v1 has no overrides", admission.Review{Version: "v1", Kind: "TaskRun", Operation: admission.Create, Object: []byte(headV1 + `"spec":{"stepOverrides":[]}}`)}, decode + `json: unknown field "stepOverrides"`},
		{"v1 has no bundles", admission.Review{Version: "v1", Kind: "TaskRun", Operation: admission.Create, Object: []byte(headV1 + `"spec":{"taskRef":{"name":"t","bundle":"b"}}}`)}, decode + `json: unknown field "bundle"`},
		{"v1 has no PipelineResources", admission.Review{Version: "v1", Kind: "Task", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"t"},"spec":{"resources":{}}}`)}, decode + `json: unknown field "resources"`},
		{"v1beta1 has no specs", admission.Review{Version: "v1beta1", Kind: "TaskRun", Operation: admission.Create, Object: []byte(head + `"spec":{"stepSpecs":[]}}`)}, decode + `json: unknown field "stepSpecs"`},
		{"a Task of v1 is checked", admission.Review{Version: "v1", Kind: "Task", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"t"},"spec":{"params":[{"name":"p"}],"steps":[]}}`)},
			`admission webhook "validation.webhook.pipeline.tekton.dev" denied the request: validation failed: missing field(s): spec.steps`},
		{"there is no ClusterTask in v1", admission.Review{Version: "v1", Kind: "ClusterTask", Operation: admission.Create, Object: []byte(`{"x":1}`)}, "the webhooks do not know the kind ClusterTask of tekton.dev/v1"},
		{"a param without a value", admission.Review{Kind: "TaskRun", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"r"},"spec":{"taskRef":{"name":"t"},"params":[{"name":"p"}]}}`)}, unwritable},
		{"a result without one", admission.Review{Kind: "Pipeline", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"p"},"spec":{"tasks":[{"name":"a","taskRef":{"name":"t"}}],"results":[{"name":"r"}]}}`)}, unwritable},
		{"of v1", admission.Review{Version: "v1", Kind: "Pipeline", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"p"},"spec":{"tasks":[{"name":"a","taskRef":{"name":"t"}}],"results":[{"name":"r"}]}}`)}, unwritable},
		{"fields are found whatever their case", admission.Review{Kind: "PipelineRun", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"r"},"Spec":{"pipelineSpec":{"Tasks":[{"name":"a","taskRef":{"name":"t"},"when":[{"Input":"x","Operator":"in","VALUES":["x"]}]}]}}}`)},
			`{"metadata":{"name":"r"},"spec":{"pipelineSpec":{"tasks":[{"name":"a","taskRef":{"kind":"Task","name":"t"},"when":[{"input":"x","operator":"in","values":["x"]}]}]},"serviceAccountName":"default","timeout":"1h0m0s"}}`},
		{"v1 PipelineRuns have no timeout of old", admission.Review{Version: "v1", Kind: "PipelineRun", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"r"},"spec":{"timeout":"1h"}}`)}, decode + `json: unknown field "timeout"`},
		{"v1 Pipelines have no PipelineResources", admission.Review{Version: "v1", Kind: "Pipeline", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"p"},"spec":{"tasks":[{"name":"a","resources":{}}]}}`)}, decode + `json: unknown field "resources"`},
		{"what a later release has is not known", admission.Review{Version: "v1", Kind: "Pipeline", Operation: admission.Create, Object: []byte(`{"metadata":{"name":"p"},"spec":{"tasks":[{"name":"a","onError":"continue"}]}}`)}, decode + `json: unknown field "onError"`},
		{"there is no Run in v1beta1", admission.Review{Kind: "Run", Operation: admission.Create, Object: []byte(`{"x":1}`)}, "the webhooks do not know the kind Run of tekton.dev/v1beta1"},
		{"a kind that no row describes is not stored unchecked", admission.Review{Kind: "PipelineResource", Operation: admission.Create, Object: []byte(`{"x":1}`)}, "the webhooks do not know the kind PipelineResource of tekton.dev/v1beta1"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			out, err := row.review.Admit(config.Default())
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = canonical(t, out)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func canonical(t *testing.T, raw []byte) string {
	t.Helper()
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// BenchmarkStatusUpdate is what a simulated API server pays for each status write: shared is a spec whose parts are the
// stored object's own, copied a spec that went through a deep copy.
func BenchmarkStatusUpdate(b *testing.B) {
	cfg := config.Default()
	old := stored(b, corev1.ConditionUnknown)
	shared := &v1beta1.TaskRun{ObjectMeta: old.ObjectMeta, Spec: old.Spec}
	for name, updated := range map[string]*v1beta1.TaskRun{"shared": shared, "copied": old.DeepCopy()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := admission.Admit(updated, old, cfg); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
