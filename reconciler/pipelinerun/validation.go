package pipelinerun

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/reconciler/fit"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// check reports whether a run and its Pipeline fit together, as far as admission cannot know: it sees only one of them. The first
// problem counts (spec §2.9).
func (p *pipelineRunPass) check(found *pipeline) error {
	pr, spec := p.Run, found.spec
	run, name := pr.Namespace+"/"+pr.Name, pr.Namespace+"/"+found.name
	if err := validation.PipelineSpec(spec, &p.Config); err != nil {
		return pass.Failedf(v1beta1.PipelineRunReasonFailedValidation, "Pipeline %s can't be Run; it has an invalid spec: %w", name, err)
	}
	if problem := resourceProblem(spec, pr.Spec.Resources); problem != "" {
		return pass.Failedf(v1beta1.PipelineRunReasonInvalidPipelineResourceBindings, "PipelineRun %s doesn't bind Pipeline %s's PipelineResources correctly: %s", run, name, problem)
	}
	missing, mistyped, incomplete := fit.Compare(spec.Params, pr.Spec.Params, false)
	switch {
	case len(missing) > 0:
		// The reference has the namespace where one expects the run; see Q6 of its quirks.
		return pass.Failedf(v1beta1.PipelineRunReasonParameterMissing, "PipelineRun %s parameters is missing some parameters required by Pipeline %s's parameters: PipelineRun missing parameters: %v", pr.Namespace, pr.Name, missing)
	case len(mistyped) > 0:
		return pass.Failedf(v1beta1.PipelineRunReasonParameterTypeMismatch, "PipelineRun %s parameters have mismatching types with Pipeline %s's parameters: parameters have inconsistent types : %v", run, name, mistyped)
	case len(incomplete) > 0:
		return pass.Failedf(v1beta1.PipelineRunReasonObjectParameterMissKeys, "PipelineRun %s parameters is missing object keys required by Pipeline %s's parameters: PipelineRun missing object keys for parameters: %v", run, name, incomplete)
	}
	if p.Config.FeatureFlags.Alpha() {
		if out := substitution.PipelineOutOfBounds(spec, pr.Spec.Params); len(out) > 0 {
			return pass.Failedf(v1beta1.PipelineRunReasonObjectParameterMissKeys, "PipelineRun %s parameters is missing object keys required by Pipeline %s's parameters: non-existent param references:%v", run, name, out)
		}
	}
	if workspace := unbound(spec.Workspaces, pr.Spec.Workspaces); workspace != "" {
		return pass.Failedf(v1beta1.PipelineRunReasonInvalidWorkspaceBindings, "PipelineRun %s doesn't bind Pipeline %s's Workspaces correctly: pipeline requires workspace with name %q be provided by pipelinerun", run, name, workspace)
	}
	if task := unknownTask(spec, pr.Spec.TaskRunSpecs); task != "" {
		return pass.Failedf(v1beta1.PipelineRunReasonInvalidServiceAccountMappings, "PipelineRun %s doesn't define taskRunSpecs correctly: PipelineRun's taskrunSpecs defined wrong taskName: %q, does not exist in Pipeline", run, task)
	}
	return nil
}

// resourceProblem compares the deprecated resources by name. What they are for is not supported, so none can be bound.
func resourceProblem(spec *v1beta1.PipelineSpec, bound []v1beta1.PipelineResourceBinding) string {
	given, declared := map[string]bool{}, map[string]bool{}
	var names, missing, extra []string
	for _, b := range bound {
		given[b.Name] = true
		names = append(names, b.Name)
	}
	for _, d := range spec.Resources {
		declared[d.Name] = true
		if !d.Optional && !given[d.Name] {
			missing = append(missing, d.Name)
		}
	}
	for _, n := range names {
		if !declared[n] {
			extra = append(extra, n)
		}
	}
	switch {
	case len(missing) > 0:
		return fmt.Sprintf("Pipeline's declared required resources are missing from the PipelineRun: %v", missing)
	case len(extra) > 0:
		return fmt.Sprintf("PipelineRun's declared resources didn't match usage in Pipeline: %v", extra)
	case len(names) > 0:
		return fmt.Sprintf("PipelineResources are not supported: %v", names)
	default:
		return ""
	}
}

// unbound is a workspace that the Pipeline needs and the run does not bind, or "".
func unbound(declared []v1beta1.PipelineWorkspaceDeclaration, bindings []v1beta1.WorkspaceBinding) string {
	for _, d := range declared {
		if !d.Optional && !slices.ContainsFunc(bindings, func(b v1beta1.WorkspaceBinding) bool { return b.Name == d.Name }) {
			return d.Name
		}
	}
	return ""
}

// unknownTask is a task that taskRunSpecs name and the Pipeline does not have, or "".
func unknownTask(spec *v1beta1.PipelineSpec, specs []v1beta1.PipelineTaskRunSpec) string {
	known := map[string]bool{}
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			known[list[i].Name] = true
		}
	}
	for _, s := range specs {
		if !known[s.PipelineTaskName] {
			return s.PipelineTaskName
		}
	}
	return ""
}

// checkParams looks for params that a Task needs and does not get.
func checkParams(spec *v1beta1.PipelineSpec, tasks map[string]resolve.Task) error {
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			task, found := tasks[list[i].Name]
			if !found || list[i].Matrix != nil {
				continue
			}
			if err := fit.Params(task, list[i].Params); err != nil {
				return pass.Failed(v1beta1.PipelineRunReasonFailedValidation, err)
			}
		}
	}
	return nil
}

// checkTasks looks for results that no Task declares, and workspaces that a Task needs and its Pipeline does not.
func checkTasks(spec *v1beta1.PipelineSpec, tasks map[string]resolve.Task, custom func(*v1beta1.PipelineTask) bool) error {
	known := map[string]*v1beta1.PipelineTask{}
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			known[list[i].Name] = &list[i]
		}
	}
	undeclared := func(ref pipelinegraph.Reference) error {
		producer := known[ref.Task]
		if producer == nil {
			return fmt.Errorf("referenced pipeline task %q does not exist", ref.Task)
		}
		task, found := tasks[ref.Task]
		if custom(producer) || !found {
			return nil // its controller, or a resolver, knows
		}
		if !slices.ContainsFunc(task.Spec.Results, func(r v1beta1.TaskResult) bool { return r.Name == ref.Result }) {
			return fmt.Errorf("%q is not a named result returned by pipeline task %q", ref.Result, ref.Task)
		}
		return nil
	}
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			for _, ref := range pipelinegraph.References(&list[i]) {
				if err := undeclared(ref); err != nil {
					return pass.Failedf(v1beta1.PipelineRunReasonInvalidTaskResultReference, "invalid result reference in pipeline task %q: %w", list[i].Name, err)
				}
			}
		}
	}
	for i := range spec.Results {
		for _, ref := range pipelinegraph.ReferencesOf(spec.Results[i].Value) {
			if err := undeclared(ref); err != nil {
				return pass.Failedf(v1beta1.PipelineRunReasonInvalidTaskResultReference, "invalid pipeline result %q: %w", spec.Results[i].Name, err)
			}
		}
	}
	return checkOptional(spec, tasks)
}

// checkOptional looks for workspaces that a Task needs and that the Pipeline says its run need not bind.
func checkOptional(spec *v1beta1.PipelineSpec, tasks map[string]resolve.Task) error {
	optional := map[string]bool{}
	for _, w := range spec.Workspaces {
		optional[w.Name] = w.Optional
	}
	for _, list := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range list {
			task, found := tasks[list[i].Name]
			for _, w := range list[i].Workspaces {
				if !found || !optional[ofPipeline(w)] {
					continue
				}
				if slices.ContainsFunc(task.Spec.Workspaces, func(d v1beta1.WorkspaceDeclaration) bool { return d.Name == w.Name && !d.Optional }) {
					return pass.Failedf(v1beta1.PipelineRunReasonRequiredWorkspaceMarkedOptional,
						"pipeline workspace %q is marked optional but pipeline task %q requires it be provided", ofPipeline(w), list[i].Name)
				}
			}
		}
	}
	return nil
}

// ofPipeline is the workspace of the Pipeline that a task's workspace is.
func ofPipeline(w v1beta1.WorkspacePipelineTaskBinding) string {
	if w.Workspace != "" {
		return w.Workspace
	}
	return w.Name
}
