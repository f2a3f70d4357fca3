package broken

import (
	"strings"

	"github.com/plumbline-ci/plumbline/api/config"
)

// What an input is the YAML of.
const (
	InPipeline      = "Pipeline"       // a spec
	InNamedPipeline = "Pipeline/name"  // a name, with a spec that is right
	InPipelineTasks = "Pipeline/tasks" // the list of tasks of a Pipeline
	// InPipelineFinally is the list of final tasks of a Pipeline, which has the task a besides.
	InPipelineFinally = "Pipeline/finally"
)

const (
	none     = `expected at least one, got none: `
	label    = `Pipeline Task name must be a valid DNS Label.For more info refer to https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#names`
	twice    = `expected exactly one, got both: `
	notOne   = `expected exactly one, got neither: `
	missing  = `missing field(s): `
	invalid  = `invalid value: `
	unknown  = `non-existent variable in `
	notAlone = `variable is not properly isolated in `
	badType  = `variable type invalid in `
)

// pipelineRules are those of the tasks of a Pipeline, as they stand one by one and together.
func pipelineRules() []Rule {
	return []Rule{
		{ID: "V-01", Reason: "not a DNS name", Kind: InNamedPipeline, Input: `Not_A_Name`, Want: []string{`invalid resource name "Not_A_Name": must be a valid DNS label: metadata.name`}},
		{ID: "P-01", Reason: "nothing at all", Kind: InPipeline, Input: `{}`, Want: []string{none + `spec.description, spec.params, spec.resources, spec.tasks, spec.workspaces`}},
		{ID: "P-02", Reason: "not a DNS label", Kind: InPipelineTasks, Input: `[{name: A_Task, taskRef: {name: t}}]`, Want: []string{`invalid value "A_Task": spec.tasks[0].name`, label}},
		{ID: "P-02", Reason: "no name", Kind: InPipelineFinally, Input: `[{taskRef: {name: t}}]`, Want: []string{`invalid value "": spec.finally[0].name`, label}},
		{ID: "P-03", Reason: "a name twice breaks the graph, too", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}}, {name: a, taskRef: {name: u}}]`, Want: []string{
			twice + `spec.tasks[1].name`,
			invalid + `task a is already present in Graph, can't add it again: duplicate pipeline task: spec.tasks`}},
		{ID: "P-03", Reason: "final tasks have no names of their own", Kind: InPipelineFinally, Input: `[{name: a, taskRef: {name: t}}]`, Want: []string{twice + `spec.finally[0].name`}},
		{ID: "P-04", Reason: "two things to run", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, taskSpec: {steps: [{image: i}]}}]`, Want: []string{twice + `spec.tasks[0].taskRef, spec.tasks[0].taskSpec`}},
		{ID: "P-04", Reason: "nothing to run", Kind: InPipelineFinally, Input: `[{name: f}]`, Want: []string{notOne + `spec.finally[0].taskRef, spec.finally[0].taskSpec`}},
		{ID: "P-05", Reason: "a Task is of no kind", Kind: InPipelineTasks, Input: `[{name: a, taskSpec: {apiVersion: example.dev/v1, kind: E, steps: [{image: i}]}}]`, Want: []string{
			`taskSpec.apiVersion cannot be specified when using taskSpec.steps: spec.tasks[0].taskSpec.apiVersion`,
			`taskSpec.kind cannot be specified when using taskSpec.steps: spec.tasks[0].taskSpec.kind`}},
		{ID: "P-06/specKind", Reason: "a custom task without kind", Kind: InPipelineTasks, Input: `[{name: a, taskSpec: {apiVersion: example.dev/v1, spec: {}}}]`, Want: []string{invalid + `custom task spec must specify kind: spec.tasks[0].taskSpec.kind`}},
		{ID: "P-06/refVersion", Reason: "of two targets one is a custom task", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, taskSpec: {apiVersion: example.dev/v1, kind: E}}]`, Want: []string{
			twice + `spec.tasks[0].taskRef, spec.tasks[0].taskSpec`,
			invalid + `custom task ref must specify apiVersion: spec.tasks[0].taskRef.apiVersion`}},
		{ID: "P-06/specVersion", Reason: "of two targets one is a custom task", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {apiVersion: example.dev/v1, kind: E}, taskSpec: {kind: E}}]`, Want: []string{
			twice + `spec.tasks[0].taskRef, spec.tasks[0].taskSpec`,
			invalid + `custom task spec must specify apiVersion: spec.tasks[0].taskSpec.apiVersion`}},
		{ID: "P-06/resources", Reason: "custom tasks have none", Only: old, Kind: InPipelineTasks, Input: `[{name: a, taskRef: {apiVersion: example.dev/v1, kind: E}, resources: {}}]`, Want: []string{invalid + `custom tasks do not support PipelineResources: spec.tasks[0].resources`}},
		{ID: "P-07/name", Reason: "of what is in a bundle one is run", Only: old, Kind: InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {bundle: example.com/bundle}}]`, Want: []string{missing + `spec.tasks[0].taskRef.name`}},
		{ID: "P-07/reference", Reason: "no image reference", Only: old, Kind: InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {name: t, bundle: "not a reference"}}]`, Want: []string{invalid + `invalid bundle reference (could not parse reference: not a reference): spec.tasks[0].taskRef.bundle`}},
		{ID: "P-07/gate", Reason: "bundles are off", Only: old, Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t, bundle: example.com/bundle}}]`, Want: []string{`must not set the field(s): spec.tasks[0].taskRef.bundle`}},
		{ID: "P-08/name", Reason: "not a name", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: _task_}}]`, Want: []string{invalid + qualified + `: spec.tasks[0].taskRef.name`}, WantV1: []string{invalid + qualified + `: spec.tasks[0].name`}},
		{ID: "P-08/none", Reason: "a reference to nothing", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {kind: Task}}]`, Want: []string{invalid + `taskRef must specify name: spec.tasks[0].taskRef.name`}},
		{ID: "P-09", Reason: "resolvers are beta", Only: now, Kind: InPipelineTasks, Input: `[{name: a, taskRef: {resolver: git, params: [{name: url, value: x}]}}]`, Want: []string{`must not set the field(s): spec.tasks[0].taskref.params, spec.tasks[0].taskref.resolver`}},
		{ID: "V-06", Reason: "local and remote", Kind: InPipelineTasks, Beta: true, Input: `[{name: a, taskRef: {name: t, resolver: git}}]`, Want: []string{twice + `spec.tasks[0].taskRef.name, spec.tasks[0].taskRef.resolver`}},
		{ID: "V-08", Reason: "params are for resolvers", Kind: InPipelineTasks, Beta: true, Input: `[{name: a, taskRef: {name: t, params: [{name: p, value: v}]}}]`, Want: []string{
			twice + `spec.tasks[0].taskRef.name, spec.tasks[0].taskRef.params`,
			missing + `spec.tasks[0].taskRef.resolver`}},
		{ID: "V-42", Reason: "an embedded Task is a Task", Kind: InPipelineFinally, Input: `[{name: f, taskSpec: {}}]`, Want: []string{missing + `spec.finally[0].taskSpec.steps`}},
		{ID: "V-80", Reason: "its steps see what it declares, not what the Pipeline does", Kind: InPipeline, Input: `{params: [{name: p}], tasks: [{name: a, taskSpec: {steps: [{image: i, script: "$(params.p)"}]}}]}`, Want: []string{unknown + `"$(params.p)": spec.tasks[0].taskSpec.steps[0].script`}},
		{ID: "P-10", Reason: "declared twice", Only: old, Kind: InPipeline, Input: `{resources: [{name: r, type: git}, {name: r, type: image}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{invalid + `resource with name "r" appears more than once: spec.resources`}},
		{ID: "P-11", Reason: "not declared", Only: old, Kind: InPipeline, Input: `{resources: [{name: r, type: git}], tasks: [{name: a, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r}], outputs: [{name: o, resource: x}]}}], finally: [{name: f, taskRef: {name: t}, resources: {inputs: [{name: i, resource: z}]}}]}`, Want: []string{
			invalid + `pipeline declared resources didn't match usage in Tasks: Didn't provide required values: [x z]: spec.resources`}},
		{ID: "P-12/task", Reason: "from nowhere", Only: old, Kind: InPipeline, Input: `{resources: [{name: r, type: git}], tasks: [{name: a, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r, from: [b]}]}}]}`, Want: []string{
			invalid + `couldn't add link between a and b: task a depends on b but b wasn't present in Pipeline: spec.tasks`,
			invalid + `expected resource r to be from task b, but task b doesn't exist: spec.tasks[0].resources.inputs[0].from`}},
		{ID: "P-12/output", Reason: "from a task that only reads it", Only: old, Kind: InPipeline, Input: `{resources: [{name: r, type: git}], tasks: [{name: b, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r}]}}, {name: a, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r, from: [b]}]}}]}`, Want: []string{
			invalid + `the resource r from b must be an output but is an input: spec.tasks[1].resources.inputs[0].from`}},
		{ID: "P-13", Reason: "a cycle", Kind: InPipelineTasks, Input: `[{name: b, runAfter: [a], taskRef: {name: t}}, {name: a, taskRef: {name: t}, params: [{name: p, value: "$(tasks.b.results.r)"}]}]`, Want: []string{invalid + `cycle detected; task "a" depends on "b": spec.tasks`}},
		{ID: "P-13", Reason: "after what does not exist", Kind: InPipelineTasks, Input: `[{name: a, runAfter: [b], taskRef: {name: t}}]`, Want: []string{invalid + `couldn't add link between a and b: task a depends on b but b wasn't present in Pipeline: spec.tasks`}},
		{ID: "P-21", Reason: "an end without a beginning", Kind: InPipeline, Input: `{finally: [{name: f, taskRef: {name: t}}]}`, Want: []string{invalid + `spec.tasks is empty but spec.finally has 1 tasks: spec.finally`}},
		{ID: "P-22", Reason: "final tasks are after all others, and of no order", Kind: InPipelineFinally, Input: `[{name: f, runAfter: [a], taskRef: {name: t}}]`, Want: []string{invalid + `no runAfter allowed under spec.finally, final task f has runAfter specified: spec.finally[0]`}},
		{ID: "P-23/final", Reason: "a result of a final task", Kind: InPipelineFinally, Input: `[{name: f, taskRef: {name: t}}, {name: g, taskRef: {name: t}, params: [{name: p, value: "$(tasks.f.results.r)"}], when: [{input: "$(tasks.f.results.r)", operator: in, values: [x]}]}]`, Want: []string{
			invalid + `invalid task result reference, final task has task result reference from a final task f: spec.finally[1].params[p].value, spec.finally[1].when[0]`}},
		{ID: "P-23/unknown", Reason: "a result of no task", Kind: InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, params: [{name: p, value: ["$(tasks.b.results.r)"]}], when: [{input: x, operator: in, values: ["$(tasks.b.results.r[0])"]}]}]`, Want: []string{
			invalid + `invalid task result reference, final task has task result reference from a task b which is not defined in the pipeline: spec.finally[0].params[p].value, spec.finally[0].when[0]`}},
		{ID: "P-24", Reason: "resources do not tie final tasks", Only: old, Kind: InPipeline, Input: `{resources: [{name: r, type: git}], tasks: [{name: a, taskRef: {name: t}, resources: {outputs: [{name: o, resource: r}]}}], finally: [{name: f, taskRef: {name: t}, resources: {inputs: [{name: i, resource: r, from: [a]}]}}]}`, Want: []string{
			`no from allowed under inputs, final task i has from specified: spec.finally[0].resources.inputs[0]`}},
	}
}

const qualified = `name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`

// pipelineValueRules are those of what a Pipeline hands on: params, statuses, workspaces, results, guards and matrices.
func pipelineValueRules() []Rule {
	return []Rule{
		{ID: "V-51", Reason: "declared twice, reported for both sections", Kind: InPipeline, Input: `{params: [{name: p}, {name: p}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{`parameter appears more than once: spec.finally.params[p], spec.tasks.params[p]`}},
		{ID: "V-52", Reason: "objects are alpha", Kind: InPipeline, Input: `{params: [{name: o, properties: {k: {}}}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{`object type parameter` + gateAlpha}},
		{ID: "V-53", Reason: "no such type", Kind: InPipeline, Input: `{params: [{name: p, type: number}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{invalid + `number: spec.finally.params.p.type, spec.tasks.params.p.type`}},
		{ID: "V-54", Reason: "another type", Kind: InPipeline, Input: `{params: [{name: p, type: array, default: x}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{`"array" type does not match default value's type: "string": spec.finally.params.p.default.type, spec.finally.params.p.type, spec.tasks.params.p.default.type, spec.tasks.params.p.type`}},
		{ID: "V-55/none", Reason: "an object without keys", Kind: InPipeline, Alpha: true, Input: `{params: [{name: o, type: object}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{missing + `spec.finally.params.o.properties, spec.tasks.params.o.properties`}},
		{ID: "V-55/type", Reason: "keys are strings", Kind: InPipeline, Alpha: true, Input: `{params: [{name: o, properties: {k: {type: array}, l: {type: number}, m: {}}}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{`The value type specified for these keys [k l] is invalid: spec.finally.params.o.properties, spec.tasks.params.o.properties`}},
		{ID: "P-14", Reason: "given twice", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, params: [{name: p, value: x}, {name: p, value: y}]}]`, Want: []string{`params names must be unique, the same param: p is defined multiple times at: spec.tasks[0].params[1].name`}},
		{ID: "V-80", Reason: "in a string, a list, an object, a guard", Kind: InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, params: [{name: s, value: "a $(params.x)"}, {name: l, value: [a, "$(params.x)"]}, {name: o, value: {k: "$(params.x)"}}], when: [{input: "$(params.x)", operator: in, values: [a, "$(params.x)"]}]}]`, Want: []string{
			unknown + `"$(params.x)": spec.finally[0].params[l].value[1], spec.finally[0].params[o].properties[k], spec.finally[0].when[0].input, spec.finally[0].when[0].values`,
			unknown + `"a $(params.x)": spec.finally[0].params[s]`}},
		{ID: "V-80", Reason: "as a whole", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.x[*])"}]}]`, Want: []string{unknown + `"$(params.x[*])": spec.tasks[0].params[p]`}},
		{ID: "V-81", Reason: "too deep", Kind: InPipeline, Input: `{params: [{name: p}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.p.q.r)"}]}]}`, Want: []string{
			`Invalid referencing of parameters in "$(params.p.q.r)"! Only two dot-separated components after the prefix "params" are allowed.: spec.tasks[0].params[p]`}},
		{ID: "V-82", Reason: "no such key", Kind: InPipeline, Alpha: true, Input: `{params: [{name: o, properties: {k: {}}}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.o.l)"}]}]}`, Want: []string{unknown + `"$(params.o.l)": spec.tasks[0].params[p]`}},
		{ID: "V-83", Reason: "an object in a text", Kind: InPipeline, Alpha: true, Input: `{params: [{name: o, properties: {k: {}}}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "a $(params.o[*])"}]}]}`, Want: []string{badType + `"a $(params.o[*])": spec.tasks[0].params[p]`}},
		{ID: "V-84", Reason: "a list in a text", Kind: InPipeline, Input: `{params: [{name: l, type: array}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.l)"}], when: [{input: "$(params.l[*])", operator: in, values: ["a $(params.l[*])"]}]}]}`, Want: []string{
			badType + `"$(params.l)": spec.tasks[0].params[p]`,
			badType + `"$(params.l[*])": spec.tasks[0].when[0].input`,
			badType + `"a $(params.l[*])": spec.tasks[0].when[0].values`}},
		{ID: "V-85", Reason: "a list stands alone", Kind: InPipeline, Input: `{params: [{name: l, type: array}], tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: ["a $(params.l[*])"]}]}]}`, Want: []string{notAlone + `"a $(params.l[*])": spec.tasks[0].params[p].value[0]`}},
		{ID: "P-15", Reason: "no such variables", Kind: InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(context.pipelineRun.status)"}, {name: q, value: ["$(context.pipeline.uid)"]}]}], finally: [{name: f, taskRef: {name: t}, params: [{name: p, value: "$(context.pipelineTask.name)"}]}]}`, Want: []string{
			unknown + `"$(context.pipeline.uid)": spec.tasks.value`,
			unknown + `"$(context.pipelineRun.status)": spec.tasks.value`,
			unknown + `"$(context.pipelineTask.name)": spec.finally.value`}},
		{ID: "P-16/tasks", Reason: "the end is not known yet", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}}, {name: b, runAfter: [a], taskRef: {name: t}, params: [{name: p, value: "$(tasks.a.status)"}], when: [{input: "$(tasks.status)", operator: in, values: [x]}]}]`, Want: []string{
			invalid + `pipeline tasks can not refer to execution status of any other pipeline task or aggregate status of tasks: spec.tasks[1].params[p].value, spec.tasks[1].when[0]`}},
		{ID: "P-16/finally", Reason: "the end of no task, or of a final one", Kind: InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, params: [{name: p, value: "$(tasks.b.status) $(tasks.status)"}], when: [{input: "$(tasks.f.status)", operator: in, values: [x]}]}]`, Want: []string{
			invalid + `pipeline task b is not defined in the pipeline: spec.finally[0].params[p].value`,
			invalid + `pipeline task f is not defined in the pipeline: spec.finally[0].when[0]`}},
		{ID: "P-17/empty", Reason: "a workspace without name", Kind: InPipeline, Input: `{workspaces: [{name: w}, {name: ""}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{invalid + `workspace 1 has empty name: spec.workspaces[1]`}},
		{ID: "P-17/twice", Reason: "declared twice", Kind: InPipeline, Input: `{workspaces: [{name: w}, {name: w}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{invalid + `workspace with name "w" appears more than once: spec.workspaces[1]`}},
		{ID: "P-18/twice", Reason: "bound twice", Kind: InPipeline, Input: `{workspaces: [{name: w}], tasks: [{name: a, taskRef: {name: t}, workspaces: [{name: x, workspace: w}, {name: x, workspace: w}]}]}`, Want: []string{`workspace name "x" must be unique: spec.tasks[0].workspaces[1]`}},
		{ID: "P-18/undeclared", Reason: "not declared", Kind: InPipeline, Input: `{workspaces: [{name: w}], tasks: [{name: a, taskRef: {name: t}, workspaces: [{name: w, workspace: x}]}], finally: [{name: f, taskRef: {name: t}, workspaces: [{name: z}]}]}`, Want: []string{
			invalid + `pipeline task "a" expects workspace with name "x" but none exists in pipeline spec: spec.tasks[0].workspaces[0]`,
			invalid + `pipeline task "f" expects workspace with name "z" but none exists in pipeline spec: spec.finally[0].workspaces[0]`}},
		{ID: "P-19/none", Reason: "a constant", Kind: InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], results: [{name: r, value: constant}]}`, Want: []string{
			invalid + `expected pipeline results to be task result expressions but an invalid expressions was found: spec.results[0].value`,
			invalid + `expected pipeline results to be task result expressions but no expressions were found: spec.results[0].value`,
			invalid + `referencing a nonexistent task: spec.results[0].value`}},
		{ID: "P-19/other", Reason: "a param", Kind: InPipeline, Input: `{params: [{name: p}], tasks: [{name: a, taskRef: {name: t}}], results: [{name: r, value: "$(params.p)"}]}`, Want: []string{
			invalid + `expected pipeline results to be task result expressions but an invalid expressions was found: spec.results[0].value`,
			invalid + `referencing a nonexistent task: spec.results[0].value`}},
		{ID: "P-19/some", Reason: "too deep", Kind: InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], results: [{name: r, value: "$(tasks.a.results.r)$(tasks.a.results.o.k.x)"}]}`, Want: []string{
			invalid + `expected all of the expressions [tasks.a.results.r tasks.a.results.o.k.x] to be result expressions but only [tasks.a.results.r] were: spec.results[0].value`,
			invalid + `referencing a nonexistent task: spec.results[0].value`}},
		{ID: "P-19/task", Reason: "no such task, or not one of that section", Kind: InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], finally: [{name: f, taskRef: {name: t}}], results: [{name: r, value: "$(tasks.b.results.r)"}, {name: s, value: "$(finally.a.results.r)"}, {name: u, value: "$(tasks.f.results.r)"}]}`, Want: []string{
			invalid + `referencing a nonexistent task: spec.results[0].value, spec.results[1].value, spec.results[2].value`}},
		{ID: "P-19/task", Reason: "text before the first one", Kind: InPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], results: [{name: r, value: "v $(tasks.a.results.r)"}]}`, Want: []string{invalid + `referencing a nonexistent task: spec.results[0].value`}},
		{ID: "P-25/empty", Reason: "it says nothing", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, when: [{}]}]`, Want: []string{missing + `spec.tasks[0].when[0]`}},
		{ID: "P-25/operator", Reason: "no such operator", Kind: InPipelineFinally, Input: `[{name: f, taskRef: {name: t}, when: [{input: x, operator: in, values: [x]}, {input: x, operator: exists, values: [x]}]}]`, Want: []string{invalid + `operator "exists" is not recognized. valid operators: in,notin: spec.finally[0].when[1]`}}, //nolint:misspell // the words are the reference's
		{ID: "P-25/values", Reason: "nothing to compare with", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, when: [{input: x, operator: notin, values: []}]}]`, Want: []string{invalid + `expecting non-empty values field: spec.tasks[0].when[0]`}},
		{ID: "P-26", Reason: "matrices are alpha, and want another status", Kind: InPipelineTasks, Input: `[{name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [x]}]}}]`, Want: []string{minimal, `matrix` + gateAlpha}},
		{ID: "P-27", Reason: "children are told apart by references alone", Kind: InPipelineFinally, Alpha: true, Input: `[{name: f, taskRef: {name: t}, matrix: {params: [{name: p, value: [x]}]}}]`, Want: []string{minimal}},
		{ID: "P-28", Reason: "too many", Kind: InPipelineTasks, Config: map[string]string{config.KeyMaxMatrixCombinationsCount: "3"}, Alpha: true, Input: `[{name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [v, w]}, {name: q, value: [v, w]}]}}]`, Want: []string{`expected 0 <= 4 <= 3: spec.tasks[0].matrix`, minimal}},
		{ID: "P-29", Reason: "a single value", Kind: InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: x}]}}]`, Want: []string{invalid + `parameters of type array only are allowed in matrix: spec.tasks[0].matrix[p]`, minimal}},
		{ID: "P-30", Reason: "given both ways", Kind: InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {name: t}, params: [{name: p, value: x}], matrix: {params: [{name: p, value: [x]}]}}]`, Want: []string{twice + `spec.tasks[0].matrix[p], spec.tasks[0].params[p]`, minimal}},
		{ID: "P-31", Reason: "whose result would it be", Kind: InPipeline, Alpha: true, Input: `{tasks: [{name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [x]}]}}, {name: b, taskRef: {name: t}, params: [{name: p, value: "$(tasks.a.results.r)"}]}], finally: [{name: f, taskRef: {name: t}, when: [{input: "$(tasks.a.results.r)", operator: in, values: [x]}]}]}`, Want: []string{
			invalid + `consuming results from matrixed task a is not allowed: spec.finally[0], spec.tasks[1]`, minimal}},
		{ID: "V-80", Reason: "in a matrix", Kind: InPipelineTasks, Alpha: true, Input: `[{name: a, taskRef: {name: t}, matrix: {params: [{name: p, value: [x, "$(params.x)"]}]}}]`, Want: []string{minimal, unknown + `"$(params.x)": spec.tasks[0].matrix[p].value[1]`}},
	}
}

const minimal = `matrix requires "embedded-status" feature gate to be "minimal" but it is "full": `

// ofPipelineTasks puts a list of tasks into the spec of a Pipeline.
func ofPipelineTasks(kind, list string) string {
	if kind == InPipelineFinally {
		return "{tasks: [{name: a, taskRef: {name: t}}], finally: " + list + "}"
	}
	return "{tasks: " + strings.TrimSpace(list) + "}"
}
