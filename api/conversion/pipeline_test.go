package conversion_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/randfill"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/conversion"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// pipelines is how many random objects of each kind are converted.
const pipelines = 12

// pipelineFiller is filler, with little in what is Kubernetes' own: the tests of TaskRuns have all of that, and a Pipeline has it many
// times.
func pipelineFiller(seed int64) *randfill.Filler {
	return filler(seed, float64(seed%4)*0.2).Funcs(
		func(t *metav1.TypeMeta, c randfill.Continue) { t.APIVersion, t.Kind = "a"+c.String(4), "k"+c.String(4) },
		func(v *corev1.Volume, c randfill.Continue) { v.Name = "v" + c.String(4) },
		func(e *corev1.EnvVar, c randfill.Continue) { e.Name = "e" + c.String(4) },
		func(e *corev1.EnvFromSource, c randfill.Continue) { e.Prefix = "e" + c.String(4) },
		func(p *corev1.Probe, c randfill.Continue) { p.PeriodSeconds = 1 + c.Int31n(9) },
		func(l *corev1.Lifecycle, c randfill.Continue) { l.PreStop = &corev1.LifecycleHandler{} },
		func(s *corev1.SecurityContext, c randfill.Continue) { s.RunAsUser = new(int64) },
		func(c *corev1.PersistentVolumeClaim, _ randfill.Continue) { c.Spec.VolumeName = "v" },
		func(a *corev1.Affinity, _ randfill.Continue) { a.NodeAffinity = &corev1.NodeAffinity{} },
	)
}

// lostOfPipeline takes out of the spec of a Pipeline what v1 cannot hold: what it cannot hold of an embedded Task, and bundles, which
// become something else.
func lostOfPipeline(spec *v1beta1.PipelineSpec) {
	if spec == nil {
		return
	}
	for _, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range tasks {
			if e := tasks[i].TaskSpec; e != nil {
				lostOfTask(&e.TaskSpec)
			}
			if ref := tasks[i].TaskRef; ref != nil && ref.Bundle != "" {
				ref.ResolverRef = bundled(ref.Bundle, ref.Name, "Task")
				ref.Name, ref.Bundle = "", ""
			}
		}
	}
}

func bundled(bundle, name, kind string) v1beta1.ResolverRef {
	return v1beta1.ResolverRef{Resolver: "bundles", Params: []v1beta1.Param{
		{Name: "bundle", Value: v1beta1.StringValue(bundle)},
		{Name: "name", Value: v1beta1.StringValue(name)},
		{Name: "kind", Value: v1beta1.StringValue(kind)},
	}}
}

// lostOfPipelineRun takes out of a PipelineRun what v1 cannot hold. The PipelineResources in its status no longer matter.
func lostOfPipelineRun(pr *v1beta1.PipelineRun) {
	lostOfPipeline(pr.Spec.PipelineSpec)
	lostOfPipeline(pr.Status.PipelineSpec)
	if spec := pr.Status.PipelineSpec; spec != nil {
		spec.Resources = nil
		for _, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
			for i := range tasks {
				tasks[i].Resources = nil
				if tasks[i].TaskSpec != nil {
					tasks[i].TaskSpec.Resources = nil
				}
			}
		}
	}
	if ref := pr.Spec.PipelineRef; ref != nil && ref.Bundle != "" {
		ref.ResolverRef = bundled(ref.Bundle, ref.Name, "pipeline")
		ref.Name, ref.Bundle = "", ""
	}
	if pr.Spec.Timeout != nil {
		if pr.Spec.Timeouts == nil {
			pr.Spec.Timeouts = &v1beta1.TimeoutFields{}
		}
		pr.Spec.Timeouts.Pipeline, pr.Spec.Timeout = pr.Spec.Timeout, nil
	}
}

// TestPipelinesLoseNothingElse: v1beta1 → v1 → v1beta1, by way of JSON, as an API server does it.
func TestPipelinesLoseNothingElse(t *testing.T) {
	t.Parallel()
	seen := coverage{}
	for seed := range int64(pipelines) {
		f := pipelineFiller(seed)
		pr := &v1beta1.PipelineRun{}
		f.Fill(pr)
		pr.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "PipelineRun"}
		if seed%2 == 0 && pr.Spec.PipelineRef != nil {
			pr.Spec.PipelineRef.Bundle = ""
		}
		if seed%3 == 0 {
			pr.Status.ChildReferences = nil
		}
		seen.add(pr)
		untouched := tree(t, pr)
		asV1, err := conversion.PipelineRunToV1(pr)
		if err != nil {
			t.Fatal(err)
		}
		stored := &v1.PipelineRun{}
		reread(t, asV1, stored)
		back, err := conversion.PipelineRunFromV1(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(untouched, tree(t, pr)); diff != "" {
			t.Fatalf("seed %d: the PipelineRun was written to:\n%s", seed, diff)
		}
		lostOfPipelineRun(pr)
		if diff := cmp.Diff(tree(t, pr), tree(t, back)); diff != "" {
			t.Fatalf("seed %d: PipelineRun (-before +after):\n%s", seed, diff)
		}

		p := &v1beta1.Pipeline{}
		f.Fill(p)
		p.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1beta1", Kind: "Pipeline"}
		pipelineV1, err := conversion.PipelineToV1(p)
		if err != nil {
			t.Fatal(err)
		}
		storedPipeline := &v1.Pipeline{}
		reread(t, pipelineV1, storedPipeline)
		pipelineBack, err := conversion.PipelineFromV1(storedPipeline)
		if err != nil {
			t.Fatal(err)
		}
		lostOfPipeline(&p.Spec)
		if diff := cmp.Diff(tree(t, p), tree(t, pipelineBack)); diff != "" {
			t.Fatalf("seed %d: Pipeline (-before +after):\n%s", seed, diff)
		}
	}
	seen.complete(t)
}

// TestPipelinesOfV1LoseNothing: v1 → v1beta1 → v1.
func TestPipelinesOfV1LoseNothing(t *testing.T) {
	t.Parallel()
	seen := coverage{}
	for seed := range int64(pipelines) {
		f := pipelineFiller(seed)
		pr := &v1.PipelineRun{}
		f.Fill(pr)
		pr.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1", Kind: "PipelineRun"}
		seen.add(pr)
		old, err := conversion.PipelineRunFromV1(pr)
		if err != nil {
			t.Fatal(err)
		}
		stored := &v1beta1.PipelineRun{}
		reread(t, old, stored)
		back, err := conversion.PipelineRunToV1(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, pr), tree(t, back)); diff != "" {
			t.Fatalf("seed %d: PipelineRun (-before +after):\n%s", seed, diff)
		}

		p := &v1.Pipeline{}
		f.Fill(p)
		p.TypeMeta = metav1.TypeMeta{APIVersion: "tekton.dev/v1", Kind: "Pipeline"}
		oldPipeline, err := conversion.PipelineFromV1(p)
		if err != nil {
			t.Fatal(err)
		}
		storedPipeline := &v1beta1.Pipeline{}
		reread(t, oldPipeline, storedPipeline)
		pipelineBack, err := conversion.PipelineToV1(storedPipeline)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tree(t, p), tree(t, pipelineBack)); diff != "" {
			t.Fatalf("seed %d: Pipeline (-before +after):\n%s", seed, diff)
		}
	}
	seen.complete(t)
}

// TestConversionsOfPipelineRuns are the rows of the specification's table, in words that one can read.
func TestConversionsOfPipelineRuns(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason   string
		old, new string // YAML of a PipelineRun, without apiVersion and kind
		back     string // what comes back, if not old
	}{
		{
			reason: "what all TaskRuns have is a template",
			old:    `{spec: {serviceAccountName: sa, podTemplate: {hostNetwork: true}}}`,
			new:    `{spec: {taskRunTemplate: {serviceAccountName: sa, podTemplate: {hostNetwork: true}}}}`,
		},
		{
			reason: "what one has is called otherwise",
			old:    `{spec: {taskRunSpecs: [{pipelineTaskName: a, taskServiceAccountName: sa, taskPodTemplate: {hostNetwork: true}, stepOverrides: [{name: s, resources: {}}], sidecarOverrides: [{name: c, resources: {}}], metadata: {labels: {l: m}}}]}}`,
			new:    `{spec: {taskRunTemplate: {}, taskRunSpecs: [{pipelineTaskName: a, serviceAccountName: sa, podTemplate: {hostNetwork: true}, stepSpecs: [{name: s, computeResources: {}}], sidecarSpecs: [{name: c, computeResources: {}}], metadata: {labels: {l: m}}}]}}`,
		},
		{
			reason: "the deprecated timeout is that of the whole",
			old:    `{spec: {timeout: 1h}}`,
			new:    `{spec: {taskRunTemplate: {}, timeouts: {pipeline: 1h}}}`,
			back:   `{spec: {timeouts: {pipeline: 1h}}}`,
		},
		{
			reason: "a bundle is what a resolver finds, for good",
			old:    `{spec: {pipelineRef: {name: the-name, bundle: b}}}`,
			new:    `{spec: {taskRunTemplate: {}, pipelineRef: {resolver: bundles, params: [{name: bundle, value: b}, {name: name, value: the-name}, {name: kind, value: pipeline}]}}}`,
			back:   `{spec: {pipelineRef: {resolver: bundles, params: [{name: bundle, value: b}, {name: name, value: the-name}, {name: kind, value: pipeline}]}}}`,
		},
		{
			reason: "results have another name",
			old:    `{spec: {}, status: {pipelineResults: [{name: r, value: [x]}]}}`,
			new:    `{spec: {taskRunTemplate: {}}, status: {results: [{name: r, value: [x]}]}}`,
		},
		{
			reason: "embedded statuses wait in annotations, and are referred to",
			old:    `{spec: {}, status: {taskRuns: {r-a: {pipelineTaskName: a, status: {podName: p}}}, runs: {r-b: {pipelineTaskName: b, whenExpressions: [{input: x, operator: in, values: [x]}]}}}}`,
			new: `{metadata: {annotations: {tekton.dev/v1beta1TaskRuns: '{"r-a":{"pipelineTaskName":"a","status":{"podName":"p"}}}', tekton.dev/v1beta1Runs: '{"r-b":{"pipelineTaskName":"b","whenExpressions":[{"input":"x","operator":"in","values":["x"]}]}}'}},
				spec: {taskRunTemplate: {}}, status: {childReferences: [{apiVersion: tekton.dev/v1beta1, kind: TaskRun, name: r-a, pipelineTaskName: a}, {apiVersion: tekton.dev/v1alpha1, kind: Run, name: r-b, pipelineTaskName: b, whenExpressions: [{input: x, operator: in, values: [x]}]}]}}`,
		},
		{
			reason: "references that were there stay, even if they say the same",
			old:    `{spec: {}, status: {childReferences: [{apiVersion: tekton.dev/v1beta1, kind: TaskRun, name: r-a, pipelineTaskName: a}], taskRuns: {r-a: {pipelineTaskName: a}}}}`,
			new:    `{metadata: {annotations: {tekton.dev/v1beta1ChildReferences: 'true', tekton.dev/v1beta1TaskRuns: '{"r-a":{"pipelineTaskName":"a"}}'}}, spec: {taskRunTemplate: {}}, status: {childReferences: [{apiVersion: tekton.dev/v1beta1, kind: TaskRun, name: r-a, pipelineTaskName: a}]}}`,
		},
		{
			reason: "PipelineResources wait in annotations, wherever they are",
			old:    `{spec: {resources: [{name: r, resourceRef: {name: x}}], pipelineSpec: {resources: [{name: r, type: git}], tasks: [{name: a, resources: {inputs: [{name: i, resource: r}]}}, {name: b, taskSpec: {resources: {inputs: [{name: i, type: git}]}, metadata: {}, spec: null}}]}}}`,
			new:    `{metadata: {annotations: {tekton.dev/v1beta1Resources: '[{"name":"r","resourceRef":{"name":"x"}}]', tekton.dev/v1beta1PipelineResources: '[{"name":"r","type":"git"}]', tekton.dev/v1beta1TaskResources: '[{"index":0,"bound":{"inputs":[{"name":"i","resource":"r"}]}},{"index":1,"declared":{"inputs":[{"name":"i","type":"git"}]}}]'}}, spec: {taskRunTemplate: {}, pipelineSpec: {tasks: [{name: a}, {name: b, taskSpec: {metadata: {}, spec: null}}]}}}`,
		},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			parse := func(text, version string, into any) {
				t.Helper()
				if err := yaml.UnmarshalStrict([]byte("apiVersion: tekton.dev/"+version+"\nkind: PipelineRun\n"+strings.TrimSuffix(asBlock(t, text), "\n")), into); err != nil {
					t.Fatal(err)
				}
			}
			var old, back v1beta1.PipelineRun
			var want v1.PipelineRun
			parse(row.old, "v1beta1", &old)
			parse(row.new, "v1", &want)
			if row.back == "" {
				row.back = row.old
			}
			parse(row.back, "v1beta1", &back)
			got, err := conversion.PipelineRunToV1(&old)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, want), tree(t, got)); diff != "" {
				t.Errorf("in v1 (-want +got):\n%s", diff)
			}
			again, err := conversion.PipelineRunFromV1(got)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tree(t, back), tree(t, again)); diff != "" {
				t.Errorf("back in v1beta1 (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUntypedParamsOfPipelinesBecomeStrings: a value without a type is a string after its conversion.
func TestUntypedParamsOfPipelinesBecomeStrings(t *testing.T) {
	t.Parallel()
	untyped := v1beta1.ParamValue{StringVal: "x"}
	old := &v1beta1.Pipeline{Spec: v1beta1.PipelineSpec{
		Params:  []v1beta1.ParamSpec{{Name: "p", Default: &untyped}},
		Tasks:   []v1beta1.PipelineTask{{Name: "a", Params: []v1beta1.Param{{Name: "p", Value: untyped}}, Matrix: &v1beta1.Matrix{Params: []v1beta1.Param{{Name: "m", Value: untyped}}}}},
		Results: []v1beta1.PipelineResult{{Name: "r", Value: untyped}},
	}}
	got, err := conversion.PipelineToV1(old)
	if err != nil {
		t.Fatal(err)
	}
	s := &got.Spec
	for what, is := range map[string]v1beta1.ParamType{
		"a declared param": s.Params[0].Type, "a default": s.Params[0].Default.Type, "a given param": s.Tasks[0].Params[0].Value.Type,
		"a param of a matrix": s.Tasks[0].Matrix.Params[0].Value.Type, "a result": s.Results[0].Value.Type,
	} {
		if is != v1beta1.ParamTypeString {
			t.Errorf("the type of %s is %q", what, is)
		}
	}
	if untyped.Type != "" || old.Spec.Params[0].Type != "" || old.Spec.Tasks[0].Params[0].Value.Type != "" || old.Spec.Results[0].Value.Type != "" {
		t.Error("the object that was converted was written to")
	}
}
