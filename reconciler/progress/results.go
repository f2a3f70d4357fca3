package progress

import (
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// Values of the variables that say how tasks ended.
const (
	statusSucceeded = "Succeeded"
	statusFailed    = "Failed"
	statusCompleted = "Completed"
	statusNone      = "None"
)

// statuses are how the tasks of the graph ended, by their names, and how all together did (spec §2.17).
func (r *Run) statuses() (tasks map[string]string, all string) {
	tasks, all = map[string]string{}, statusSucceeded
	failed := false
	for _, t := range r.Tasks {
		switch {
		case t.succeeded():
			tasks[t.Spec.Name] = statusSucceeded
		case t.failed() || t.cancelled():
			tasks[t.Spec.Name] = statusFailed
			failed = true
		default:
			tasks[t.Spec.Name] = statusNone
			all = statusCompleted
		}
	}
	switch {
	case !r.tasksDone:
		all = statusNone
	case failed:
		all = statusFailed
	}
	return tasks, all
}

// findProblem is why a task can never be started although nothing keeps it back: a task that it has a result from succeeded
// without it. A task whose guards are known not to hold needs no result.
func (t *Task) findProblem(r *Run) *Problem {
	if t.problem != nil || t.Begun() || t.resolvable() {
		return t.problem
	}
	if guards := (&v1beta1.PipelineTask{WhenExpressions: t.resolved.WhenExpressions}); len(pipelinegraph.References(guards)) == 0 && !allows(guards.WhenExpressions) {
		return nil
	}
	for _, ref := range pipelinegraph.References(t.resolved) {
		producer := r.names[ref.Task]
		if producer == nil || !producer.succeeded() {
			continue
		}
		return &Problem{Reason: v1beta1.PipelineRunReasonInvalidTaskResultReference, Message: producer.lacks(ref)}
	}
	return nil
}

// lacks says which part of a result the task does not have.
func (t *Task) lacks(ref pipelinegraph.Reference) string {
	for _, c := range t.Children {
		i := slices.IndexFunc(c.Results, func(r Result) bool { return r.Name == ref.Result })
		if i < 0 {
			continue
		}
		if value := c.Results[i].Value; value.Type == v1beta1.ParamTypeArray && ref.HasIndex {
			return fmt.Sprintf("Array Result Index %d for Task %s Result %s is out of bound of size %d", ref.Index, ref.Task, ref.Result, len(value.ArrayVal))
		}
	}
	return fmt.Sprintf("Could not find result with name %s for task %s", ref.Result, ref.Task)
}

// Results are those of the Pipeline that have values, in its order, and the names of those that refer to a result which a task
// that succeeded does not have. What refers to a task that did not run, or has failed without it, is left out.
func (r *Run) Results() (results []v1beta1.PipelineRunResult, invalid []string) {
	values := substitution.NewResults()
	for _, t := range r.All() {
		if t.Spec.Matrix != nil || len(t.Children) != 1 || t.Children[0] == nil {
			continue
		}
		for _, result := range t.Children[0].Results {
			values.AddOwn(t.Spec.Name, result.Name, result.Value)
		}
	}
	for _, declared := range r.known.Spec.Results {
		value := values.Value(declared.Value)
		open := pipelinegraph.ReferencesOf(value)
		if len(open) == 0 {
			results = append(results, v1beta1.PipelineRunResult{Name: declared.Name, Value: value})
			continue
		}
		if slices.ContainsFunc(open, func(ref pipelinegraph.Reference) bool {
			producer := r.names[ref.Task]
			return producer == nil || producer.succeeded()
		}) {
			invalid = append(invalid, declared.Name)
		}
	}
	return results, invalid
}
