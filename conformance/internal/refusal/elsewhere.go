package refusal

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// elsewhere explains fields that the API has, but not there, not in that version, or not in the release that is simulated.

// moved are fields that the other version of the API has under another name, by the Go type and its version.
var moved = map[string]map[string]string{
	"v1.Step":               {"resources": "v1 calls it computeResources"},
	"v1.StepTemplate":       {"resources": "v1 calls it computeResources"},
	"v1.Sidecar":            {"resources": "v1 calls it computeResources"},
	"v1.TaskRunStepSpec":    {"resources": "v1 calls it computeResources"},
	"v1.TaskRunSidecarSpec": {"resources": "v1 calls it computeResources"},
	"v1.TaskSpec":           {"resources": "it is for PipelineResources, which v1 does not have: use params, workspaces and results"},
	"v1.TaskRef":            {"bundle": "v1 has the bundles resolver instead: resolver: bundles"},
	"v1.TaskRunSpec": {
		"resources":        "it is for PipelineResources, which v1 does not have: use params, workspaces and results",
		"stepOverrides":    "v1 calls it stepSpecs",
		"sidecarOverrides": "v1 calls it sidecarSpecs",
	},
	"v1.TaskRunStatus": {"taskResults": "v1 calls it results"},
	"v1.PipelineSpec":  {"resources": "it is for PipelineResources, which v1 does not have: use params, workspaces and results"},
	"v1.PipelineTask":  {"resources": "it is for PipelineResources, which v1 does not have: use params, workspaces and results"},
	"v1.PipelineRef":   {"bundle": "v1 has the bundles resolver instead: resolver: bundles"},
	"v1.PipelineRunSpec": {
		"resources":          "it is for PipelineResources, which v1 does not have: use params, workspaces and results",
		"serviceAccountName": "v1 has it in taskRunTemplate",
		"podTemplate":        "v1 has it in taskRunTemplate",
		"timeout":            "v1 calls it timeouts.pipeline",
	},
	"v1.PipelineTaskRunSpec": {
		"taskServiceAccountName": "v1 calls it serviceAccountName",
		"taskPodTemplate":        "v1 calls it podTemplate",
		"stepOverrides":          "v1 calls it stepSpecs",
		"sidecarOverrides":       "v1 calls it sidecarSpecs",
	},
	"v1.PipelineRunStatus": {
		"pipelineResults": "v1 calls it results",
		"taskRuns":        "v1 has childReferences instead",
		"runs":            "v1 has childReferences instead",
	},
	"v1beta1.Step":                   {"computeResources": "v1beta1 calls it resources"},
	"v1beta1.StepTemplate":           {"computeResources": "v1beta1 calls it resources"},
	"v1beta1.Sidecar":                {"computeResources": "v1beta1 calls it resources"},
	"v1beta1.TaskRunSpec":            {"stepSpecs": "v1beta1 calls it stepOverrides", "sidecarSpecs": "v1beta1 calls it sidecarOverrides"},
	"v1beta1.TaskRunStepOverride":    {"computeResources": "v1beta1 calls it resources"},
	"v1beta1.TaskRunStatus":          {"results": "v1beta1 calls it taskResults"},
	"v1beta1.TaskRunSidecarOverride": {"computeResources": "v1beta1 calls it resources"},
	"v1beta1.PipelineRunSpec":        {"taskRunTemplate": "v1beta1 has its fields, serviceAccountName and podTemplate, in spec"},
	"v1beta1.PipelineTaskRunSpec": {
		"serviceAccountName": "v1beta1 calls it taskServiceAccountName",
		"podTemplate":        "v1beta1 calls it taskPodTemplate",
		"stepSpecs":          "v1beta1 calls it stepOverrides",
		"sidecarSpecs":       "v1beta1 calls it sidecarOverrides",
	},
	"v1beta1.PipelineRunStatus": {"results": "v1beta1 calls it pipelineResults"},
}

// later are fields that came with later releases than the one that is simulated, by the Go type, in either version: the
// feature, and the release that has it first (its notes, and docs/additional-configs.md of Tekton Pipelines).
var later = map[string]map[string][2]string{
	"Step": {
		"ref":         {"StepActions", "v0.54"},
		"params":      {"params of a step, for StepActions,", "v0.54"},
		"results":     {"results of a step", "v0.54"},
		"when":        {"when expressions of a step", "v0.62"}, // pull request 7746, merged in June 2024; documented from v0.62 on
		"displayName": {"the display name of a step", "v1.6"},
	},
	"TaskSpec":     {"displayName": {"the display name of a Task", "v0.47"}}, // TEP-0047, pull request 6294
	"ParamSpec":    {"enum": {"the enum of a param", "v0.54"}},
	"TaskResult":   {"value": {"the value of a result, from a step's result,", "v0.54"}},
	"PipelineSpec": {"displayName": {"the display name of a Pipeline", "v0.47"}}, // TEP-0047, pull request 6294
	"PipelineTask": {
		"displayName":  {"the display name of a pipeline task", "v0.45"},
		"onError":      {"onError of a pipeline task", "v0.55"},                 // TEP-0050
		"pipelineRef":  {"a Pipeline as the task of another Pipeline", "v0.52"}, // TEP-0056
		"pipelineSpec": {"a Pipeline as the task of another Pipeline", "v0.52"},
	},
	"WhenExpression": {"cel": {"CEL in when expressions", "v0.53"}},               // TEP-0145
	"Matrix":         {"include": {"explicit combinations of a matrix", "v0.47"}}, // TEP-0118, issue 6351
	"EmbeddedTask":   {"displayName": {"the display name of a Task", "v0.47"}},
}

// simulated is the release of Tekton Pipelines whose API is followed.
const simulated = "v0.43"

// Renamed says what an object's version of the API calls a field that a check looks for, or nothing.
func Renamed(kind fixture.KindInfo, path string) string {
	if kind.Group != fixture.GroupTekton {
		return ""
	}
	part, field, _ := strings.Cut(path, ".")
	if end := strings.IndexAny(field, ".["); end >= 0 {
		field = field[:end]
	}
	types := map[string]string{"spec": kind.Kind + "Spec", "status": kind.Kind + "Status"}
	hint := moved[kind.Version+"."+types[part]][field]
	if hint == "" {
		return ""
	}
	return fmt.Sprintf("%s has no field %s.%s: %s", kind.Version, part, field, hint)
}

// explained says why a type does not have a field that was meant for something, or nothing.
func explained(m misfit) (message, hint string) {
	if hint := moved[m.version+"."+m.of][m.field]; hint != "" {
		return fmt.Sprintf("%s has no field %q here", m.version, m.field), hint
	}
	if l, ok := later[m.of][m.field]; ok {
		return fmt.Sprintf("the field %q is not supported: %s came with Tekton %s", m.field, l[0], l[1]), "remove it: this release follows the API of " + simulated
	}
	return "", ""
}
