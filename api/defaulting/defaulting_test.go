package defaulting_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestDefaultsOfATaskRun(t *testing.T) {
	t.Parallel()
	const managed = `metadata: {labels: {app.kubernetes.io/managed-by: tekton-pipelines}}`
	for _, row := range []struct {
		id, reason string
		config     map[string]string
		in, want   string
	}{
		{id: "D-01", reason: "a reference is to a Task", in: `spec: {taskRef: {name: t}, timeout: 1m, serviceAccountName: s}`,
			want: managed + "\n" + `spec: {taskRef: {name: t, kind: Task}, timeout: 1m, serviceAccountName: s}`},
		{id: "D-01", reason: "also if a resolver finds it", in: `spec: {taskRef: {resolver: git}, timeout: 1m, serviceAccountName: s}`,
			want: managed + "\n" + `spec: {taskRef: {resolver: git, kind: Task}, timeout: 1m, serviceAccountName: s}`},
		{id: "D-01", reason: "a given value stays", in: `spec: {taskRef: {name: t, kind: ClusterTask}, timeout: 1m, serviceAccountName: s}`,
			want: managed + "\n" + `spec: {taskRef: {name: t, kind: ClusterTask}, timeout: 1m, serviceAccountName: s}`},
		{id: "D-02", reason: "an hour", in: `spec: {serviceAccountName: s}`, want: managed + "\n" + `spec: {timeout: 1h0m0s, serviceAccountName: s}`},
		{id: "D-02", reason: "zero means no timeout, and is stored", config: map[string]string{config.KeyTimeoutMinutes: "0"},
			in: `spec: {serviceAccountName: s}`, want: managed + "\n" + `spec: {timeout: 0s, serviceAccountName: s}`},
		{id: "D-02", reason: "zero that is said stays", in: `spec: {timeout: "0", serviceAccountName: s}`, want: managed + "\n" + `spec: {timeout: 0s, serviceAccountName: s}`},
		{id: "D-03", reason: "the configured account", config: map[string]string{config.KeyServiceAccount: "builder"},
			in: `spec: {timeout: 1m}`, want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: builder}`},
		{id: "D-03", reason: "no value without a configured one", config: map[string]string{config.KeyServiceAccount: ""},
			in: `spec: {timeout: 1m}`, want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: ""}`},
		{id: "D-04", reason: "the whole template", config: map[string]string{config.KeyPodTemplate: `{nodeSelector: {a: b}, hostNetwork: true}`},
			in: `spec: {timeout: 1m, serviceAccountName: s}`, want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: s, podTemplate: {nodeSelector: {a: b}, hostNetwork: true}}`},
		{id: "D-04", reason: "field by field, a field as a whole", config: map[string]string{config.KeyPodTemplate: `{nodeSelector: {a: b}, tolerations: [{key: k}], hostNetwork: true}`},
			in:   `spec: {timeout: 1m, serviceAccountName: s, podTemplate: {nodeSelector: {c: d}, schedulerName: x}}`,
			want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: s, podTemplate: {nodeSelector: {c: d}, tolerations: [{key: k}], hostNetwork: true, schedulerName: x}}`},
		{id: "D-04", reason: "its own, without a configured one", in: `spec: {timeout: 1m, serviceAccountName: s, podTemplate: {schedulerName: x}}`,
			want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: s, podTemplate: {schedulerName: x}}`},
		{id: "D-05", reason: "other labels stay", in: "metadata: {labels: {a: b}}\nspec: {timeout: 1m, serviceAccountName: s}",
			want: "metadata: {labels: {a: b, app.kubernetes.io/managed-by: tekton-pipelines}}\nspec: {timeout: 1m, serviceAccountName: s}"},
		{id: "D-05", reason: "an existing value is kept, even if empty", in: "metadata: {labels: {app.kubernetes.io/managed-by: \"\"}}\nspec: {timeout: 1m, serviceAccountName: s}",
			want: "metadata: {labels: {app.kubernetes.io/managed-by: \"\"}}\nspec: {timeout: 1m, serviceAccountName: s}"},
		{id: "D-06", reason: "an embedded spec is a Task's", in: `spec: {timeout: 1m, serviceAccountName: s, taskSpec: {params: [{name: p}], results: [{name: r}]}}`,
			want: managed + "\n" + `spec: {timeout: 1m, serviceAccountName: s, taskSpec: {params: [{name: p, type: string}], results: [{name: r, type: string}]}}`},
	} {
		cfg, err := config.Parse(row.config, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("v1beta1/"+row.id+" "+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(tr *v1beta1.TaskRun) { defaulting.TaskRun(tr, cfg) })
		})
		t.Run("v1/"+row.id+" "+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(tr *v1.TaskRun) { defaulting.TaskRunV1(tr, cfg) })
		})
	}
}

// holds defaults what the YAML in says and compares with want; doing it again must change nothing.
func holds[T any](t *testing.T, in, want string, fill func(*T)) {
	t.Helper()
	var got, wanted T
	decode(t, in, &got)
	decode(t, want, &wanted)
	fill(&got)
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
	fill(&got)
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Errorf("defaulting twice is not defaulting once (-want +got):\n%s", diff)
	}
}

func TestTypesOfParamsAndResults(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ id, reason, in, want string }{
		{"D-07", "nothing said: a string", `params: [{name: p}]`, `params: [{name: p, type: string}]`},
		{"D-07", "the default's type", `params: [{name: p, default: [x]}]`, `params: [{name: p, type: array, default: [x]}]`},
		{"D-07", "properties make an object, and are strings", `params: [{name: p, properties: {k: {}}}]`, `params: [{name: p, type: object, properties: {k: {type: string}}}]`},
		{"D-07", "properties beat the default", `params: [{name: p, properties: {k: {}}, default: x}]`, `params: [{name: p, type: object, properties: {k: {type: string}}, default: x}]`},
		{"D-07", "a type that is said stays, right or wrong", `params: [{name: p, type: string, default: [x]}]`, `params: [{name: p, type: string, default: [x]}]`},
		{"D-07", "only properties without type get one", `params: [{name: p, type: object, properties: {a: {}, b: {type: array}}}]`, `params: [{name: p, type: object, properties: {a: {type: string}, b: {type: array}}}]`},
		{"D-08", "nothing said: a string", `results: [{name: r}]`, `results: [{name: r, type: string}]`},
		{"D-08", "properties make an object", `results: [{name: r, properties: {k: {}}}]`, `results: [{name: r, type: object, properties: {k: {type: string}}}]`},
		{"D-08", "a type that is said stays", `results: [{name: r, type: array}]`, `results: [{name: r, type: array}]`},
	} {
		t.Run("v1beta1/"+row.id+" "+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, defaulting.TaskSpec)
		})
		t.Run("v1/"+row.id+" "+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(spec *v1.TaskSpec) {
				task := &v1.Task{Spec: *spec}
				defaulting.TaskV1(task)
				*spec = task.Spec
			})
		})
	}
}

// TestDefaultsAreNotShared guards the configuration and the stored object against writes through a run.
func TestDefaultsAreNotShared(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(map[string]string{config.KeyPodTemplate: `nodeSelector: {a: b}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{"a": "b"}
	whole, part := &v1beta1.TaskRun{}, &v1beta1.TaskRun{}
	whole.Labels = labels
	part.Spec.PodTemplate = &v1beta1.PodTemplate{SchedulerName: "x"}
	for _, tr := range []*v1beta1.TaskRun{whole, part} {
		defaulting.TaskRun(tr, cfg)
		tr.Spec.PodTemplate.NodeSelector["a"] = "changed"
	}
	if got := cfg.Defaults.PodTemplate.NodeSelector["a"]; got != "b" {
		t.Errorf("the configuration now says %q", got)
	}
	if len(labels) != 1 {
		t.Errorf("the labels that the object came with now are %v", labels)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("the row's YAML: %v", err)
	}
}
