package validation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
)

func configuration(t *testing.T, gate string) *config.Config {
	t.Helper()
	cfg, err := config.Parse(nil, map[string]string{config.KeyEnableAPIFields: gate})
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func said(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// What the rules go by where several things meet: a step and its template, a step and those before it, a param and its
// declaration.
func TestCorners(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, gate, run, task, want string
	}{
		{
			reason: "the template gives args, unless the step has its own",
			task:   `{params: [{name: a, type: array}], stepTemplate: {image: i, args: ["x$(params.a)"]}, steps: [{name: s}, {name: own, args: [z]}]}`,
			want:   `variable is not properly isolated in "x$(params.a)": spec.steps[0].args[0]`,
		},
		{
			reason: "and the working directory",
			task:   `{params: [{name: a, type: array}], stepTemplate: {image: i, workingDir: $(params.a)}, steps: [{name: s}, {name: own, workingDir: /z}]}`,
			want:   `variable type invalid in "$(params.a)": spec.steps[0].workingDir`,
		},
		{
			reason: "and variables of the environment that the step does not set",
			task:   `{stepTemplate: {image: i, env: [{name: E, value: $(params.e)}, {name: F, value: $(params.f)}]}, steps: [{name: s, env: [{name: E, value: v}]}]}`,
			want:   `non-existent variable in "$(params.f)": spec.steps[0].env[F]`,
		},
		{
			reason: "and mounts, except where the step mounts something",
			task:   `{stepTemplate: {image: i, volumeMounts: [{name: v, mountPath: /tekton/a}, {name: w, mountPath: /tekton/b}]}, steps: [{name: s, volumeMounts: [{name: v, mountPath: /tekton/a}]}]}`,
			want: `volumeMount cannot be mounted under /tekton/ (volumeMount "v" mounted at "/tekton/a"): spec.steps[0].volumeMounts[0].mountPath
volumeMount cannot be mounted under /tekton/ (volumeMount "w" mounted at "/tekton/b"): spec.steps[0].volumeMounts[1].mountPath`,
		},
		{
			reason: "the name of a step with a wrong timeout is still checked",
			task:   `{steps: [{name: s, image: i, timeout: -1s}, {name: s, image: i}]}`,
			want: `invalid value: -1s: spec.steps[0].negative timeout
invalid value: s: spec.steps[1].name`,
		},
		{
			reason: "a timeout of zero is valid",
			task:   `{steps: [{name: s, image: i, timeout: 0s}]}`,
		},
		{
			reason: "the two words that onError knows",
			task:   `{steps: [{image: i, onError: continue}, {image: i, onError: stopAndFail}]}`,
		},
		{
			reason: "a result that is an array needs the gate",
			task:   `{results: [{name: r, type: array}], steps: [{image: i}]}`,
			want:   `results type requires "enable-api-fields" feature gate to be "alpha" but it is "stable": `,
		},
		{
			reason: "so does one that is an object",
			task:   `{results: [{name: r, type: object, properties: {k: {type: string}}}], steps: [{image: i}]}`,
			want:   `results type requires "enable-api-fields" feature gate to be "alpha" but it is "stable": `,
		},
		{
			reason: "resources of both kinds are known",
			task:   `{resources: {inputs: [{name: in, type: git}], outputs: [{name: out, type: git}]}, steps: [{image: i, script: "$(resources.inputs.in.path) $(resources.outputs.out.path) $(resources.inputs.no.path)"}]}`,
			want:   `non-existent variable in "$(resources.inputs.in.path) $(resources.outputs.out.path) $(resources.inputs.no.path)": spec.steps[0].script`,
		},
		{
			reason: "known fields are not refused because of unknown ones",
			task:   `{resources: {inputs: [{name: in, type: git}], outputs: [{name: out, type: git}]}, steps: [{image: i, script: "$(resources.inputs.in.path) $(resources.outputs.out.path)"}]}`,
		},
		{
			reason: "an object of the run needs the properties of its declaration", gate: config.AlphaAPIFields,
			run:  `{params: [{name: o, value: {k: v}}], taskSpec: {params: [{name: o, type: object}], steps: [{image: i}]}}`,
			want: `missing field(s): spec.o.properties`,
		},
		{
			reason: "keys of the value, of the declaration and of its default are all there", gate: config.AlphaAPIFields,
			run:  `{params: [{name: o, value: {v: x}}], taskSpec: {params: [{name: o, type: object, properties: {p: {type: string}}, default: {d: x}}], steps: [{image: i, script: "$(params.o.v) $(params.o.p) $(params.o.d)"}]}}`,
			want: ``,
		},
		{
			reason: "and others are not", gate: config.AlphaAPIFields,
			run:  `{params: [{name: o, value: {v: x}}], taskSpec: {params: [{name: o, type: object, properties: {p: {type: string}}}], steps: [{image: i, script: "$(params.o.z)"}]}}`,
			want: `non-existent variable in "$(params.o.z)": spec.steps[0].script`,
		},
		{
			reason: "a run cancelled as it is created",
			run:    `{status: TaskRunCancelled, taskRef: {name: t}}`,
		},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			gate := tt.gate
			if gate == "" {
				gate = config.StableAPIFields
			}
			cfg := configuration(t, gate)
			var err error
			if tt.task != "" {
				spec := &v1beta1.TaskSpec{}
				if err := yaml.UnmarshalStrict([]byte(tt.task), spec); err != nil {
					t.Fatal(err)
				}
				defaulting.TaskSpec(spec)
				err = validation.Task("task", spec, cfg)
			} else {
				tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "run"}}
				if err := yaml.UnmarshalStrict([]byte(tt.run), &tr.Spec); err != nil {
					t.Fatal(err)
				}
				defaulting.TaskRun(tr, cfg)
				err = validation.TaskRun(tr, cfg)
			}
			if diff := cmp.Diff(tt.want, said(err)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What the controller checks has no place of its own: paths begin at the spec.
func TestPathsOfASpecAloneBeginAtTheSpec(t *testing.T) {
	t.Parallel()
	cfg := configuration(t, config.StableAPIFields)
	const want = "missing field(s): steps"
	if got := said(validation.TaskSpec(&v1beta1.TaskSpec{}, cfg)); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	spec := &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Image: "i", Script: "$(params.nope)"}}}
	if got, want := said(validation.TaskSpec(spec, cfg)), `non-existent variable in "$(params.nope)": steps[0].script`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := said(validation.Task("Not_A_Name", &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Image: "i"}}}, cfg)), `invalid resource name "Not_A_Name": must be a valid DNS label: metadata.name`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Once created, only the request to cancel changes a run, and nothing once it is over (L-20).
func TestUpdates(t *testing.T) {
	t.Parallel()
	const (
		started  = "invalid value: Once the TaskRun has started, only status and statusMessage updates are allowed: spec"
		complete = "invalid value: Once the TaskRun is complete, no updates are allowed: spec"
	)
	for _, tt := range []struct {
		reason string
		done   bool
		change func(*v1beta1.TaskRunSpec)
		want   string
	}{
		{"nothing changes", false, func(*v1beta1.TaskRunSpec) {}, ""},
		{"a cancellation", false, func(s *v1beta1.TaskRunSpec) { s.Status = v1beta1.TaskRunSpecStatusCancelled }, ""},
		{"with its message", false, func(s *v1beta1.TaskRunSpec) {
			s.Status, s.StatusMessage = v1beta1.TaskRunSpecStatusCancelled, "enough"
		}, ""},
		{"a param", false, func(s *v1beta1.TaskRunSpec) {
			s.Params = []v1beta1.Param{{Name: "p", Value: v1beta1.StringValue("x")}}
		}, started},
		{"a cancellation with something else", false, func(s *v1beta1.TaskRunSpec) {
			s.Status, s.ServiceAccountName = v1beta1.TaskRunSpecStatusCancelled, "other"
		}, started},
		{"nothing changes of a run that is over", true, func(*v1beta1.TaskRunSpec) {}, ""},
		{"it can no longer be cancelled", true, func(s *v1beta1.TaskRunSpec) { s.Status = v1beta1.TaskRunSpecStatusCancelled }, complete},
		{"nor changed", true, func(s *v1beta1.TaskRunSpec) { s.Retries = 3 }, complete},
	} {
		before := &v1beta1.TaskRun{Spec: v1beta1.TaskRunSpec{TaskRef: &v1beta1.TaskRef{Name: "t"}}}
		if tt.done {
			before.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionTrue}, metav1.Time{})
		}
		after := before.DeepCopy()
		tt.change(&after.Spec)
		if got := said(validation.TaskRunUpdate(before, after)); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
	}
}
