package broken

import "github.com/plumbline-ci/plumbline/api/config"

// What an input is the YAML of.
const (
	InPipelineRun      = "PipelineRun"      // a spec
	InNamedPipelineRun = "PipelineRun/name" // a name, with a spec that is right
	// InTimeouts are the timeouts of a PipelineRun.
	InTimeouts = "PipelineRun/timeouts"
	// InEmbeddedPipeline is the embedded Pipeline of a PipelineRun.
	InEmbeddedPipeline = "PipelineRun/pipelineSpec"
)

func pipelineRunRules() []Rule {
	return []Rule{
		{ID: "V-02", Reason: "64 characters", Kind: InNamedPipelineRun, Input: long, Want: []string{`Invalid resource name: length must be no more than 63 characters: metadata.name`}},
		{ID: "P-41", Reason: "nothing to run", Kind: InPipelineRun, Input: `{}`, Want: []string{notOne + `spec.pipelineRef, spec.pipelineSpec`}},
		{ID: "P-41", Reason: "two things to run", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, pipelineSpec: {tasks: [{name: a, taskRef: {name: t}}]}}`, Want: []string{twice + `spec.pipelineRef, spec.pipelineSpec`}},
		{ID: "V-05", Reason: "a reference to nothing", Kind: InPipelineRun, Input: `{pipelineRef: {apiVersion: tekton.dev/v1}}`, Want: []string{missing + `spec.pipelineRef.name`}},
		{ID: "V-06", Reason: "local and remote", Kind: InPipelineRun, Beta: true, Input: `{pipelineRef: {name: p, resolver: git}}`, Want: []string{twice + `spec.pipelineRef.name, spec.pipelineRef.resolver`}},
		{ID: "V-07", Reason: "bundle and remote", Only: old, Kind: InPipelineRun, Alpha: true, Input: `{pipelineRef: {bundle: bundle, resolver: git}}`, Want: []string{twice + `spec.pipelineRef.bundle, spec.pipelineRef.resolver`}},
		{ID: "V-08", Reason: "params are for resolvers", Kind: InPipelineRun, Beta: true, Input: `{pipelineRef: {name: p, params: [{name: p, value: v}]}}`, Want: []string{
			twice + `spec.pipelineRef.name, spec.pipelineRef.params`,
			missing + `spec.pipelineRef.resolver`}},
		{ID: "V-10", Reason: "case does not tell params apart", Kind: InPipelineRun, Beta: true, Input: `{pipelineRef: {resolver: git, params: [{name: url, value: a}, {name: URL, value: b}]}}`, Want: []string{twice + `spec.pipelineRef[URL].name`}},
		{ID: "V-14", Reason: "objects are alpha for resolvers, too", Kind: InPipelineRun, Beta: true, Input: `{pipelineRef: {resolver: git, params: [{name: url, value: {k: v}}]}}`, Want: []string{`object type parameter requires "enable-api-fields" feature gate to be "alpha" but it is "beta": `}},
		{ID: "V-11", Reason: "bundles are off", Only: old, Kind: InPipelineRun, Input: `{pipelineRef: {name: p, bundle: example.com/x}}`, Want: []string{
			`bundle requires "enable-tekton-oci-bundles" feature gate to be true but it is false: `,
			invalid + `invalid bundle reference: spec.pipelineRef.bundle`, `could not parse reference: example.com/x`}},
		{ID: "2.6/resolver", Reason: "resolvers are beta", Only: now, Kind: InPipelineRun, Input: `{pipelineRef: {resolver: git, params: [{name: url, value: x}]}}`, Want: []string{`params` + gateBeta, `resolver` + gateBeta}},
		{ID: "P-01", Reason: "an empty Pipeline", Kind: InEmbeddedPipeline, Input: `{}`, Want: []string{none + `spec.pipelineSpec.description, spec.pipelineSpec.params, spec.pipelineSpec.resources, spec.pipelineSpec.tasks, spec.pipelineSpec.workspaces`}},
		{ID: "P-13", Reason: "a cycle", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, runAfter: [b], taskRef: {name: t}}, {name: b, runAfter: [a], taskRef: {name: t}}]}`, Want: []string{invalid + `cycle detected; task "a" depends on "b": spec.pipelineSpec.tasks`}},
		{ID: "V-80", Reason: "the paths of what a run propagates leave the Pipeline out", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: "$(params.nope)"}]}]}`, Want: []string{unknown + `"$(params.nope)": spec[0].params[p]`}},
		{ID: "V-80", Reason: "and the task", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, taskSpec: {steps: [{image: i, script: "$(params.nope)"}]}}]}`, Want: []string{unknown + `"$(params.nope)": spec.steps[0].script`}},
		{ID: "V-38", Reason: "the value's type counts, not the declared one", Kind: InPipelineRun, Input: `{params: [{name: p, value: [x]}], pipelineSpec: {params: [{name: p}], tasks: [{name: a, taskSpec: {steps: [{image: i, script: "$(params.p)"}]}}]}}`, Want: []string{badType + `"$(params.p)": spec.steps[0].script`}},
		{ID: "V-39", Reason: "an object default wants properties once a value is given", Kind: InPipelineRun, Alpha: true, Input: `{params: [{name: p, value: {k: v}}], pipelineSpec: {params: [{name: p, default: {k: w}}], tasks: [{name: a, taskRef: {name: t}}]}}`, Want: []string{missing + `spec.p.properties`}},
		{ID: "V-55/none", Reason: "no value has shown its keys", Kind: InEmbeddedPipeline, Alpha: true, Input: `{params: [{name: o, type: object}], tasks: [{name: a, taskRef: {name: t}}]}`, Want: []string{missing + `spec.params.o.properties`}},
		{ID: "P-14", Reason: "given twice", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}, params: [{name: p, value: x}, {name: p, value: y}]}]}`, Want: []string{`params names must be unique, the same param: p is defined multiple times at: spec[0].params[1].name`}},
		{ID: "P-18/undeclared", Reason: "neither the Pipeline nor the run has it", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}, workspaces: [{name: w, workspace: x}]}]}`, Want: []string{invalid + `pipeline task "a" expects workspace with name "x" but none exists in pipeline spec: spec[0].workspaces[0]`}},
		{ID: "P-22", Reason: "the other rules tell where", Kind: InEmbeddedPipeline, Input: `{tasks: [{name: a, taskRef: {name: t}}], finally: [{name: f, runAfter: [a], taskRef: {name: t}}]}`, Want: []string{invalid + `no runAfter allowed under spec.finally, final task f has runAfter specified: spec.pipelineSpec.finally[0]`}},
		{ID: "V-13", Reason: "case does not tell params apart", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, params: [{name: a, value: b}, {name: A, value: c}]}`, Want: []string{twice + `spec.params[A].name`}},
		{ID: "V-14", Reason: "objects are alpha", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, params: [{name: a, value: {k: v}}]}`, Want: []string{`object type parameter` + gateAlpha}},
		{ID: "P-43", Reason: "no task has run yet", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, params: [{name: a, value: ["$(tasks.t.results.r) $(params.p) $(tasks.t.results.s[0])"]}]}`, Want: []string{invalid + `cannot use result expressions in [tasks.t.results.r tasks.t.results.s[0]] as PipelineRun parameter values: spec.params[a].value`}},
		{ID: "P-44", Reason: "time does not run backwards", Only: old, Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, timeout: -48h}`, Want: []string{invalid + `-48h0m0s should be >= 0: spec.timeout`}},
		{ID: "P-45", Reason: "two ways to say it", Only: old, Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, timeout: 1h, timeouts: {tasks: 1m}}`, Want: []string{`must not set the field(s): spec.timeout, spec.timeouts`}},
		{ID: "P-46", Reason: "not in any part", Kind: InTimeouts, Input: `{tasks: -1s, finally: -2s}`, Want: []string{
			invalid + `-1s should be >= 0: spec.timeouts.tasks`,
			invalid + `-2s should be >= 0: spec.timeouts.finally`}},
		{ID: "P-47/part", Reason: "a part is more than the default", Kind: InTimeouts, Input: `{tasks: 2h}`, Want: []string{invalid + `2h0m0s should be <= pipeline duration: spec.timeouts.tasks`}},
		{ID: "P-47/part", Reason: "or than the whole", Kind: InTimeouts, Input: `{pipeline: 1m, finally: 2m}`, Want: []string{invalid + `2m0s should be <= pipeline duration: spec.timeouts.finally`}},
		{ID: "P-47/none", Reason: "a part without bound is more than a whole that has one", Kind: InTimeouts, Input: `{pipeline: 1m, tasks: "0", finally: "0"}`, Want: []string{invalid + `0s (no timeout) should be <= pipeline duration: spec.timeouts.finally, spec.timeouts.tasks`}},
		{ID: "P-47/sum", Reason: "together", Kind: InTimeouts, Input: `{pipeline: 1m, tasks: 40s, finally: 30s}`, Want: []string{invalid + `40s + 30s should be <= pipeline duration: spec.timeouts.finally, spec.timeouts.tasks`}},
		{ID: "P-47/sum", Reason: "even of a whole without bound", Kind: InTimeouts, Input: `{pipeline: "0", tasks: 40s, finally: 30s}`, Want: []string{invalid + `40s + 30s should be <= pipeline duration: spec.timeouts.finally, spec.timeouts.tasks`}},
		{ID: "P-47/sum", Reason: "however long they are", Kind: InTimeouts, Input: `{pipeline: 2000000h, tasks: 2000000h, finally: 2000000h}`, Want: []string{invalid + `2000000h0m0s + 2000000h0m0s should be <= pipeline duration: spec.timeouts.finally, spec.timeouts.tasks`}},
		{ID: "P-48", Reason: "no such request", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, status: PipelineRunCancelled}`, Want: []string{invalid + `PipelineRunCancelled should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending: spec.status`}},
		{ID: "V-17", Reason: "a workspace without source", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, workspaces: [{name: w}]}`, Want: []string{notOne + fiveWays}},
		{ID: "2.6/projected", Reason: "projected volumes are beta", Only: now, Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, workspaces: [{name: w, projected: {sources: [{secret: {name: s}}]}}]}`, Want: []string{`projected workspace type` + gateBeta}},
		{ID: "P-49", Reason: "bound twice", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, workspaces: [{name: v, emptyDir: {}}, {name: w, emptyDir: {}}, {name: w, emptyDir: {}}]}`, Want: []string{`workspace "w" provided by pipelinerun more than once, at index 1 and 2: spec.workspaces[2].name`}},
		{ID: "V-26", Reason: "overrides are alpha", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, taskRunSpecs: [{pipelineTaskName: a, stepOverrides: [{name: s, resources: {}}], sidecarOverrides: [{name: s, resources: {}}], computeResources: {}}]}`, V1: `{pipelineRef: {name: p}, taskRunSpecs: [{pipelineTaskName: a, stepSpecs: [{name: s, computeResources: {}}], sidecarSpecs: [{name: s, computeResources: {}}], computeResources: {}}]}`, Want: []string{
			`computeResources` + gateAlpha, `sidecarOverrides` + gateAlpha, `stepOverrides` + gateAlpha}, WantV1: []string{
			`computeResources` + gateAlpha, `sidecarSpecs` + gateAlpha, `stepSpecs` + gateAlpha}},
		{ID: "V-28", Reason: "overrides of nothing", Kind: InPipelineRun, Alpha: true, Input: `{pipelineRef: {name: p}, taskRunSpecs: [{}, {stepOverrides: [{resources: {}}], sidecarOverrides: [{resources: {}}]}]}`, V1: `{pipelineRef: {name: p}, taskRunSpecs: [{}, {stepSpecs: [{computeResources: {}}], sidecarSpecs: [{computeResources: {}}]}]}`, Want: []string{
			missing + `spec.taskRunSpecs[1].sidecarOverrides[0].name, spec.taskRunSpecs[1].stepOverrides[0].name`}, WantV1: []string{
			missing + `spec.taskRunSpecs[1].sidecarSpecs[0].name, spec.taskRunSpecs[1].stepSpecs[0].name`}},
		{ID: "V-31", Reason: "resources of the Task and of a step", Kind: InPipelineRun, Alpha: true, Input: `{pipelineRef: {name: p}, taskRunSpecs: [{computeResources: {requests: {cpu: 1}}, stepOverrides: [{name: s, resources: {limits: {cpu: 1}}}]}]}`, V1: `{pipelineRef: {name: p}, taskRunSpecs: [{computeResources: {requests: {cpu: 1}}, stepSpecs: [{name: s, computeResources: {limits: {cpu: 1}}}]}]}`, Want: []string{
			twice + `spec.taskRunSpecs[0].computeResources, spec.taskRunSpecs[0].stepOverrides.resources`}, WantV1: []string{
			twice + `spec.taskRunSpecs[0].computeResources, spec.taskRunSpecs[0].stepSpecs.resources`}},
		{ID: "V-35", Reason: "the operator forbids it", Kind: InPipelineRun, Config: map[string]string{config.KeyForbiddenEnv: "A"}, Input: `{pipelineRef: {name: p}, podTemplate: {env: [{name: A, value: x}]}, taskRunSpecs: [{taskPodTemplate: {env: [{name: A, value: x}]}}]}`, V1: `{pipelineRef: {name: p}, taskRunTemplate: {podTemplate: {env: [{name: A, value: x}]}}, taskRunSpecs: [{podTemplate: {env: [{name: A, value: x}]}}]}`, Want: []string{
			invalid + `PodTemplate cannot update a forbidden env: A: spec.PodTemplate.Env, spec.taskRunSpecs[0].PodTemplate.Env`}, WantV1: []string{
			invalid + `PodTemplate cannot update a forbidden env: A: spec.taskRunSpecs[0].PodTemplate.Env, spec.taskRunTemplate.PodTemplate.Env`}},
	}
}
