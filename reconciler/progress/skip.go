package progress

import (
	"slices"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// skipTask is why a task of the graph does not run, or "". The first reason counts (spec §2.17).
func (r *Run) skipTask(t *Task) v1beta1.SkippingReason {
	if t.Begun() {
		return ""
	}
	if t.problem != nil {
		return ""
	}
	if settled := r.known.Settled[t.Spec.Name]; settled != "" {
		return settled
	}
	switch {
	case r.stopping:
		return v1beta1.SkippedStopping
	case r.known.Asked == v1beta1.PipelineRunSpecStatusCancelledRunFinally:
		return v1beta1.SkippedGracefullyCancelled
	case r.known.Asked == v1beta1.PipelineRunSpecStatusStoppedRunFinally:
		return v1beta1.SkippedGracefullyStopped
	case slices.ContainsFunc(t.parents, func(p *Task) bool { return p.skip != "" && p.skip != v1beta1.SkippedWhen }):
		return v1beta1.SkippedParent
	case !t.parentsOver():
		return ""
	case !t.resolvable() && r.ofSkipped(t):
		return v1beta1.SkippedMissingResults
	case !t.resolvable():
		return v1beta1.SkippedWhen // else the result that is missing is a problem
	default:
		return r.guarded(t, r.known.TasksOver, v1beta1.SkippedTasksTimeout)
	}
}

// ofSkipped reports whether a task lacks the result of a task that was skipped.
func (r *Run) ofSkipped(t *Task) bool {
	return slices.ContainsFunc(pipelinegraph.References(t.resolved), func(ref pipelinegraph.Reference) bool {
		producer := r.names[ref.Task]
		return producer != nil && producer.skip != ""
	})
}

// skipFinal is why a final task does not run, once all tasks of the graph are over.
func (r *Run) skipFinal(t *Task) v1beta1.SkippingReason {
	switch {
	case t.Begun() || t.problem != nil:
		return ""
	case !t.resolvable():
		return v1beta1.SkippedMissingResults
	default:
		return r.guarded(t, r.known.FinallyOver, v1beta1.SkippedFinallyTimeout)
	}
}

// guarded are the reasons of a task that could start otherwise.
func (r *Run) guarded(t *Task, over bool, overReason v1beta1.SkippingReason) v1beta1.SkippingReason {
	switch {
	case !allows(t.resolved.WhenExpressions):
		return v1beta1.SkippedWhen
	case t.resolved.Matrix != nil && len(t.Combinations) == 0:
		return v1beta1.SkippedEmptyMatrix
	case r.known.PipelineOver:
		return v1beta1.SkippedPipelineTimeout
	case over:
		return overReason
	default:
		return ""
	}
}

// allows reports whether all guards hold.
func allows(guards v1beta1.WhenExpressions) bool {
	return !slices.ContainsFunc(guards, func(w v1beta1.WhenExpression) bool {
		return slices.Contains(w.Values, w.Input) != (w.Operator == v1beta1.WhenIn)
	})
}
