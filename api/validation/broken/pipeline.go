package broken

// What an input is the YAML of.
const (
	InPipeline    = "Pipeline"
	InPipelineRun = "PipelineRun"
)

const (
	anything = `expected at least one, got none: `
)

func pipelineRules() []Rule {
	return []Rule{
		{ID: "P-01", Reason: "nothing at all", Kind: InPipeline, Input: `{}`, Want: []string{anything + `spec.description, spec.params, spec.resources, spec.tasks, spec.workspaces`}, WantV1: []string{anything + `spec.description, spec.params, spec.tasks, spec.workspaces`}},
	}
}

func pipelineRunRules() []Rule {
	return []Rule{
		{ID: "P-41", Reason: "nothing to run", Kind: InPipelineRun, Input: `{}`, Want: []string{`expected exactly one, got neither: spec.pipelineRef, spec.pipelineSpec`}},
		{ID: "P-41", Reason: "two things to run", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, pipelineSpec: {tasks: [{name: a, taskRef: {name: t}}]}}`, Want: []string{`expected exactly one, got both: spec.pipelineRef, spec.pipelineSpec`}},
		{ID: "P-48", Reason: "no such request", Kind: InPipelineRun, Input: `{pipelineRef: {name: p}, status: PipelineRunCancelled}`, Want: []string{`invalid value: PipelineRunCancelled should be Cancelled, CancelledRunFinally, StoppedRunFinally or PipelineRunPending: spec.status`}},
	}
}
