package validation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/api/validation/broken"
)

// TestAcceptedPipelines are near misses: what the documents show or the rules leave alone.
func TestAcceptedPipelines(t *testing.T) {
	t.Parallel()
	for _, r := range []broken.Rule{
		{Reason: "P-01: words alone", Kind: broken.InPipeline, Input: `{description: words}`},
		{Reason: "P-04: whether the Task exists is not known", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {name: nope}}]`},
		{Reason: "P-06: a custom task need not be named", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {apiVersion: example.dev/v1, kind: E}}, {name: b, taskSpec: {apiVersion: example.dev/v1, kind: E, spec: {any: [thing]}}}]`},
		{Reason: "P-06: a Task with an apiVersion is one", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {apiVersion: tekton.dev/v1beta1, name: Not_A_Name}}]`},
		{Reason: "P-07: an image reference", Only: old, Kind: broken.InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {name: t, bundle: "example.com:5000/bundle:v1"}}]`},
		{Reason: "P-08: a resolver knows", Only: old, Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {resolver: git, params: [{name: url, value: x}]}}]`},
		{Reason: "P-09: resolvers are beta", Only: now, Kind: broken.InPipelineTasks, Beta: true, Input: `[{name: a, taskRef: {resolver: git, params: [{name: url, value: "$(params.nope)"}]}}]`},
		{Reason: "P-11: optional or not, declared is declared", Only: old, Kind: broken.InPipeline, Input: `{resources: [{name: r, type: git}, {name: unused, type: image}], tasks: [{name: a, taskRef: {name: t}, resources: {outputs: [{name: o, resource: r}]}}, {name: b, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r, from: [a]}]}}]}`},
		{Reason: "P-13: results and order", Kind: broken.InPipelineTasks, Input: `[{name: c, taskRef: {name: t}, params: [{name: p, value: "$(tasks.b.results.r[0])$(tasks.a.results.o.k)"}], when: [{input: "$(tasks.a.results.s)", operator: in, values: ["$(tasks.b.results.l[*])"]}]}, {name: b, runAfter: [a], taskRef: {name: t}}, {name: a, taskRef: {name: t}}]`},
		{Reason: "V-80: declared params, by dot and by bracket", Kind: broken.InPipeline, Alpha: true, Input: `{params: [{name: s}, {name: x.z}, {name: l, type: array}, {name: o, properties: {k: {}}}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.s) $(params['x.z']) $(params[\"s\"]) $(params.l[0]) $(params.o.k)"}, {name: q, value: "$(params.l[*])"}, {name: u, value: "$(params.o[*])"}, {name: v, value: ["$(params.l[*])", "$(params.l)", "$(params.s)"]}], when: [{input: "$(params.s)", operator: in, values: ["$(params.l[*])", "$(params.s)"]}]}]}`},
		{Reason: "V-80: fields that are not looked at", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, workspaces: [], timeout: -1s, retries: -1}]`},
		{Reason: "P-15: the variables there are", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, params: [{name: p, value: "$(context.pipelineRun.name) $(context.pipelineRun.namespace) $(context.pipelineRun.uid) $(context.pipeline.name) $(context.pipelineTask.retries)"}, {name: q, value: "$(context.taskRun.name) $(contexts)"}]}]`},
		{Reason: "P-16: final tasks know how the others ended", Kind: broken.InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, params: [{name: p, value: "$(tasks.a.status) $(tasks.status)"}], when: [{input: "$(tasks.a.status)", operator: notin, values: [Succeeded]}]}]`},
		{Reason: "P-18: by another name", Kind: broken.InPipeline, Input: `{workspaces: [{name: w, optional: true}], tasks: [{name: a, taskRef: {name: t}, workspaces: [{name: x, workspace: w, subPath: "$(params.any)"}, {name: w}]}]}`},
		{Reason: "P-19: one, several, parts, and text behind", Kind: broken.InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], finally: [{name: f, taskRef: {name: t}}], results: [{name: r, value: "$(tasks.a.results.r)"}, {name: s, value: "$(tasks.a.results.r[1])-$(tasks.a.results.o.k).tar.gz.sig"}, {name: u, value: ["$(tasks.a.results.r)", "$(tasks.a.results.s)"]}, {name: v, value: {k: "$(finally.f.results.r)"}}]}`},
		{Reason: "P-23: results of the others", Kind: broken.InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, params: [{name: p, value: "$(tasks.a.results.r)"}]}]`},
		{Reason: "P-25: an empty input", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, when: [{input: "", operator: in, values: [""]}]}]`},
		{Reason: "P-26: no params, no matrix", Kind: broken.InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, matrix: {}}, {name: b, taskRef: {name: t}, matrix: {params: []}}]`},

		{Reason: "V-02: 63 characters", Kind: broken.InNamedPipelineRun, Input: long[:63]},
		{Reason: "V-01: dots", Kind: broken.InNamedPipelineRun, Input: `with.dots`},
		{Reason: "extra params", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, params: [{name: any, value: [x]}]}`},
		{Reason: "V-80: params propagate, from wherever they are given", Kind: broken.InPipelineRun, Input: `{params: [{name: run, value: x}, {name: list, value: [x]}], pipelineSpec: {params: [{name: own, default: x}], tasks: [{name: a, taskRef: {name: t}, params: [{name: task, value: "$(params.run) $(params.own)"}, {name: l, value: "$(params.list[*])"}]}, {name: b, taskSpec: {params: [{name: step, default: x}], steps: [{image: i, args: ["$(params.list[*])"], script: "$(params.run) $(params.own) $(params.task) $(params.step)"}]}}]}}`},
		{Reason: "V-80: the run's final tasks are not looked at", Kind: broken.InEmbeddedPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], finally: [{name: f, taskRef: {name: t}, params: [{name: p, value: "$(params.nope)"}]}]}`},
		{Reason: "V-39: the keys of several values", Kind: broken.InPipelineRun, Alpha: true, Input: `{params: [{name: o, value: {k: v}}], pipelineSpec: {params: [{name: o, properties: {k: {}, l: {}}, default: {l: w}}], tasks: [{name: a, taskRef: {name: t}, params: [{name: o, value: {m: x}}, {name: p, value: "$(params.o.k) $(params.o.l) $(params.o.m)"}]}]}}`},
		{Reason: "P-18: workspaces propagate", Kind: broken.InPipelineRun, Input: `{workspaces: [{name: w, emptyDir: {}}], pipelineSpec: {tasks: [{name: a, taskRef: {name: t}, workspaces: [{name: w}, {name: x, workspace: w}, {name: undeclared}]}]}}`},
		{Reason: "P-43: a param of the run is no result", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, params: [{name: a, value: "$(tasks.a.status) $(params.b) $(tasks.a.results.o.k.x)"}]}`},
		{Reason: "P-44: zero means no timeout", Only: old, Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, timeout: "0"}`},
		{Reason: "P-47: as much as there is", Kind: broken.InTimeouts, Input: `{pipeline: 1m, tasks: 40s, finally: 20s}`},
		{Reason: "P-47: one part, of a whole without bound", Kind: broken.InTimeouts, Input: `{pipeline: "0", tasks: 40s}`},
		{Reason: "P-47: nothing has a bound", Kind: broken.InTimeouts, Input: `{pipeline: "0", tasks: "0", finally: "0"}`},
		{Reason: "P-48: what can be asked for at once", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, status: PipelineRunPending}`},
		{Reason: "P-48: and what for a run that has not begun makes little sense", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, status: StoppedRunFinally}`},
		{Reason: "P-49: case tells workspaces apart", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, workspaces: [{name: w, emptyDir: {}}, {name: W, emptyDir: {}}]}`},
		{Reason: "PipelineResources are not looked at", Only: old, Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, resources: [{name: r, resourceRef: {name: x}}, {name: r}]}`},
		{Reason: "two entries for one task", Kind: broken.InPipelineRun, Input: `{pipelineRef: {name: p}, taskRunSpecs: [{pipelineTaskName: a}, {pipelineTaskName: a}, {}]}`},
	} {
		for _, version := range []string{old, now} {
			if !r.In(version) {
				continue
			}
			t.Run(version+"/"+r.Reason, func(t *testing.T) {
				t.Parallel()
				if got := validate(t, r, version); got != nil {
					t.Errorf("refused: %s", got.Error())
				}
			})
		}
	}
}

func pipelineSpec(t testing.TB, text string) *v1beta1.PipelineSpec {
	t.Helper()
	spec := &v1beta1.PipelineSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), spec); err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestPipelineSpecOfTheController: the paths start at the spec, whose defaults need not be in, and what it does not declare may be the
// run's.
func TestPipelineSpecOfTheController(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, spec, want string }{
		{"nothing", `{}`, `expected at least one, got none: description, params, resources, tasks, workspaces`},
		{"P-06/refKind: no default has been put in", `{tasks: [{name: a, taskRef: {apiVersion: example.dev/v1}}]}`, `invalid value: custom task ref must specify kind: tasks[0].taskRef.kind`},
		{"a cycle", `{tasks: [{name: a, runAfter: [a], taskRef: {name: t}}]}`, `invalid value: cycle detected; task "a" depends on "a": tasks`},
		{"an embedded Task", `{tasks: [{name: a, taskSpec: {steps: [{name: Not_A_Name, image: i}]}}]}`, `invalid value "Not_A_Name": tasks[0].taskSpec.steps[0].name` + "\n" + `Task step name must be a valid DNS Label, For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names`},
		{"params and workspaces of the run", `{tasks: [{name: a, taskSpec: {workspaces: [{name: w}], steps: [{image: i, script: "$(params.p)"}]}, params: [{name: p, value: "$(params.q)"}], workspaces: [{name: w, workspace: x}]}]}`, ``},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(row.want, said(validation.PipelineSpec(pipelineSpec(t, row.spec), config.Default()))); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

// TestCombinationsBeyondAnInt: sixteen params of sixteen values each are more combinations than an int can count.
func TestCombinationsBeyondAnInt(t *testing.T) {
	t.Parallel()
	cfg, err := config.Parse(nil, map[string]string{config.KeyEnableAPIFields: config.AlphaAPIFields, config.KeyEmbeddedStatus: "minimal"})
	if err != nil {
		t.Fatal(err)
	}
	task := v1beta1.PipelineTask{Name: "a", TaskRef: &v1beta1.TaskRef{Name: "t"}, Matrix: &v1beta1.Matrix{}}
	for i := range 16 {
		task.Matrix.Params = append(task.Matrix.Params, v1beta1.Param{Name: fmt.Sprint("p", i), Value: v1beta1.ArrayValue(strings.Split(strings.Repeat("x", 16), "")...)})
	}
	got := said(validation.Pipeline("p", &v1beta1.PipelineSpec{Tasks: []v1beta1.PipelineTask{task}}, cfg))
	if diff := cmp.Diff("expected 0 <= 9223372036854775807 <= 256: spec.tasks[0].matrix", got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
}

// TestLargePipelinesAreLinear: ten times the tasks, each of which is wrong in several ways and has params of its own, cost far less
// than a hundred times the time.
func TestLargePipelinesAreLinear(t *testing.T) {
	t.Parallel()
	cost := func(n int) time.Duration {
		pr := &v1beta1.PipelineRun{ObjectMeta: metav1.ObjectMeta{Name: "r"}}
		pr.Spec.PipelineSpec = &v1beta1.PipelineSpec{}
		for i := range n {
			task := pipelineSpec(t, `{tasks: [{runAfter: [], taskSpec: {steps: [{image: i, script: "$(params.nope)"}]}, when: [{}]}]}`).Tasks[0]
			task.Name = fmt.Sprint("t", i)
			task.Params = []v1beta1.Param{{Name: fmt.Sprint("p", i), Value: v1beta1.StringValue(fmt.Sprintf("$(params.unknown%d)", i))}}
			if i > 0 {
				task.RunAfter = []string{fmt.Sprint("t", i-1)}
			}
			pr.Spec.PipelineSpec.Tasks = append(pr.Spec.PipelineSpec.Tasks, task)
		}
		best := time.Hour
		for range 3 {
			began := time.Now()
			if validation.PipelineRun(pr, config.Default()) == nil {
				t.Fatal("it is accepted")
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	if small, large := cost(300), cost(3000); large > 40*small {
		t.Errorf("300 tasks cost %v, and 3,000 cost %v", small, large)
	}
}
