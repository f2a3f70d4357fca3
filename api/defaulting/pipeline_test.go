package defaulting_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestDefaultsOfAPipeline(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, in, want string }{
		{"nothing said: a string", `params: [{name: p}]`, `params: [{name: p, type: string}]`},
		{"the default's type", `params: [{name: p, default: [x]}, {name: o, default: {k: v}}]`, `params: [{name: p, type: array, default: [x]}, {name: o, type: object, default: {k: v}}]`},
		{"properties make an object, and are strings", `params: [{name: p, properties: {k: {}}}]`, `params: [{name: p, type: object, properties: {k: {type: string}}}]`},
		{"a reference is to a Task, in both sections", `{tasks: [{name: a, taskRef: {name: t}}], finally: [{name: f, taskRef: {name: t}}]}`, `{tasks: [{name: a, taskRef: {name: t, kind: Task}}], finally: [{name: f, taskRef: {name: t, kind: Task}}]}`},
		{"even one of another API", `tasks: [{name: a, taskRef: {apiVersion: example.dev/v1}}]`, `tasks: [{name: a, taskRef: {apiVersion: example.dev/v1, kind: Task}}]`},
		{"a kind that is said stays", `tasks: [{name: a, taskRef: {name: t, kind: ClusterTask}}]`, `tasks: [{name: a, taskRef: {name: t, kind: ClusterTask}}]`},
		{"an embedded Task is a Task", `{tasks: [{name: a, taskSpec: {params: [{name: p}], results: [{name: r}]}}], finally: [{name: f, taskSpec: {params: [{name: p}]}}]}`,
			`{tasks: [{name: a, taskSpec: {params: [{name: p, type: string}], results: [{name: r, type: string}]}}], finally: [{name: f, taskSpec: {params: [{name: p, type: string}]}}]}`},
		{"its kind stays empty", `tasks: [{name: a, taskSpec: {apiVersion: example.dev/v1, spec: {}}}]`, `tasks: [{name: a, taskSpec: {apiVersion: example.dev/v1, spec: {}}}]`},
		{"the type of a result stays empty", `results: [{name: r, description: "", value: "$(tasks.a.results.r)"}]`, `results: [{name: r, description: "", value: "$(tasks.a.results.r)"}]`},
	} {
		t.Run("v1beta1/"+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, defaulting.PipelineSpec)
		})
		t.Run("v1/"+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(spec *v1.PipelineSpec) {
				p := &v1.Pipeline{Spec: *spec}
				defaulting.PipelineV1(p)
				*spec = p.Spec
			})
		})
	}
}

func TestDefaultsOfAPipelineRun(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason     string
		config     map[string]string
		in, want   string
		v1, wantV1 string // where v1 differs
	}{
		{reason: "an hour", in: `{serviceAccountName: s}`, want: `{serviceAccountName: s, timeout: 1h0m0s}`,
			v1: `{taskRunTemplate: {serviceAccountName: s}}`, wantV1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: 1h0m0s}}`},
		{reason: "as configured", config: map[string]string{config.KeyTimeoutMinutes: "5"}, in: `{serviceAccountName: s}`, want: `{serviceAccountName: s, timeout: 5m0s}`,
			v1: `{taskRunTemplate: {serviceAccountName: s}}`, wantV1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: 5m0s}}`},
		{reason: "zero means no timeout, and is stored", config: map[string]string{config.KeyTimeoutMinutes: "0"}, in: `{serviceAccountName: s}`, want: `{serviceAccountName: s, timeout: 0s}`,
			v1: `{taskRunTemplate: {serviceAccountName: s}}`, wantV1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: 0s}}`},
		{reason: "for the whole, where parts are said", in: `{serviceAccountName: s, timeouts: {tasks: 10m}}`, want: `{serviceAccountName: s, timeouts: {pipeline: 1h0m0s, tasks: 10m0s}}`,
			v1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {tasks: 10m}}`, wantV1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: 1h0m0s, tasks: 10m0s}}`},
		{reason: "what is said stays", in: `{serviceAccountName: s, timeouts: {pipeline: "0"}}`, want: `{serviceAccountName: s, timeouts: {pipeline: 0s}}`,
			v1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: "0"}}`, wantV1: `{taskRunTemplate: {serviceAccountName: s}, timeouts: {pipeline: 0s}}`},
		{reason: "in the old field, too", in: `{serviceAccountName: s, timeout: 1m}`, want: `{serviceAccountName: s, timeout: 1m0s}`},
		{reason: "two ways at once are left to be refused", in: `{serviceAccountName: s, timeout: 1m, timeouts: {tasks: 1m}}`, want: `{serviceAccountName: s, timeout: 1m0s, timeouts: {tasks: 1m0s}}`},
		{reason: "the configured account and template, field by field", config: map[string]string{config.KeyServiceAccount: "builder", config.KeyPodTemplate: `{nodeSelector: {a: b}, hostNetwork: true}`},
			in: `{timeout: 1m, podTemplate: {nodeSelector: {c: d}}}`, want: `{timeout: 1m, serviceAccountName: builder, podTemplate: {nodeSelector: {c: d}, hostNetwork: true}}`,
			v1:     `{timeouts: {pipeline: 1m}, taskRunTemplate: {podTemplate: {nodeSelector: {c: d}}}}`,
			wantV1: `{timeouts: {pipeline: 1m}, taskRunTemplate: {serviceAccountName: builder, podTemplate: {nodeSelector: {c: d}, hostNetwork: true}}}`},
		{reason: "an embedded Pipeline is a Pipeline", in: `{timeout: 1m, serviceAccountName: s, pipelineSpec: {params: [{name: p}], tasks: [{name: a, taskRef: {name: t}}]}}`,
			want:   `{timeout: 1m, serviceAccountName: s, pipelineSpec: {params: [{name: p, type: string}], tasks: [{name: a, taskRef: {name: t, kind: Task}}]}}`,
			v1:     `{timeouts: {pipeline: 1m}, taskRunTemplate: {serviceAccountName: s}, pipelineSpec: {params: [{name: p}], tasks: [{name: a, taskRef: {name: t}}]}}`,
			wantV1: `{timeouts: {pipeline: 1m}, taskRunTemplate: {serviceAccountName: s}, pipelineSpec: {params: [{name: p, type: string}], tasks: [{name: a, taskRef: {name: t, kind: Task}}]}}`},
		{reason: "a reference has no kind", in: `{timeout: 1m, serviceAccountName: s, pipelineRef: {name: p}}`, want: `{timeout: 1m, serviceAccountName: s, pipelineRef: {name: p}}`,
			v1: `{timeouts: {pipeline: 1m}, taskRunTemplate: {serviceAccountName: s}, pipelineRef: {name: p}}`, wantV1: `{timeouts: {pipeline: 1m}, taskRunTemplate: {serviceAccountName: s}, pipelineRef: {name: p}}`},
	} {
		cfg, err := config.Parse(row.config, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Run("v1beta1/"+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(spec *v1beta1.PipelineRunSpec) { defaulting.PipelineRunSpec(spec, cfg) })
		})
		if row.v1 == "" {
			continue
		}
		t.Run("v1/"+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.v1, row.wantV1, func(spec *v1.PipelineRunSpec) { defaulting.PipelineRunSpecV1(spec, cfg) })
		})
	}
}

// TestDefaultsOfRuns: the timeout stays open, for the controller to know (spec §1.3).
func TestDefaultsOfRuns(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(map[string]string{config.KeyServiceAccount: "builder", config.KeyPodTemplate: `{nodeSelector: {a: b}, hostNetwork: true}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ reason, in, want string }{
		{"the account, the whole template, a namespace for what has a name", `{ref: {apiVersion: example.dev/v1, kind: E, name: e}}`,
			`{ref: {apiVersion: example.dev/v1, kind: E, name: e, namespace: default}, serviceAccountName: builder, podTemplate: {nodeSelector: {a: b}, hostNetwork: true}}`},
		{"a template is not merged", `{ref: {apiVersion: example.dev/v1, kind: E}, podTemplate: {schedulerName: x}}`,
			`{ref: {apiVersion: example.dev/v1, kind: E}, serviceAccountName: builder, podTemplate: {schedulerName: x}}`},
		{"what is said stays", `{ref: {apiVersion: example.dev/v1, kind: E, name: e, namespace: n}, serviceAccountName: s, podTemplate: {}, timeout: "0"}`,
			`{ref: {apiVersion: example.dev/v1, kind: E, name: e, namespace: n}, serviceAccountName: s, podTemplate: {}, timeout: 0s}`},
	} {
		t.Run("Run/"+row.reason, func(t *testing.T) {
			t.Parallel()
			holds(t, row.in, row.want, func(spec *v1alpha1.RunSpec) { defaulting.Run(spec, cfg) })
		})
	}
	t.Run("CustomRun/the account", func(t *testing.T) {
		t.Parallel()
		holds(t, `{customRef: {apiVersion: example.dev/v1, kind: E, name: e}}`, `{customRef: {apiVersion: example.dev/v1, kind: E, name: e}, serviceAccountName: builder}`,
			func(spec *v1beta1.CustomRunSpec) { defaulting.CustomRun(spec, cfg) })
	})
}

// TestDefaultsOfPipelineRunsAreNotShared guards the configuration against writes through a run.
func TestDefaultsOfPipelineRunsAreNotShared(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(map[string]string{config.KeyPodTemplate: `nodeSelector: {a: b}`}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spec, run := &v1beta1.PipelineRunSpec{}, &v1alpha1.RunSpec{}
	defaulting.PipelineRunSpec(spec, cfg)
	defaulting.Run(run, cfg)
	spec.PodTemplate.NodeSelector["a"], run.PodTemplate.NodeSelector["a"] = "changed", "changed"
	if got := cfg.Defaults.PodTemplate.NodeSelector["a"]; got != "b" {
		t.Errorf("the configuration now says %q", got)
	}
}
