package progress

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// tally counts tasks by how they stand; each is counted once.
type tally struct {
	succeeded, failed, cancelled, skipped, incomplete int
	late                                              int // of those skipped, for a timeout
	finalsOver                                        bool
}

func (r *Run) count() tally {
	n := tally{finalsOver: true}
	for _, t := range r.All() {
		switch {
		case t.succeeded():
			n.succeeded++
		case t.failed():
			n.failed++
		case t.cancelled():
			n.cancelled++
		case t.skip == v1beta1.SkippedPipelineTimeout || t.skip == v1beta1.SkippedTasksTimeout || t.skip == v1beta1.SkippedFinallyTimeout:
			n.skipped++
			n.late++
		case t.over():
			n.skipped++
		default:
			n.incomplete++
		}
		n.finalsOver = n.finalsOver && (!t.Final || t.over())
	}
	return n
}

func (n tally) message() string {
	text := fmt.Sprintf("Tasks Completed: %d (Failed: %d, Cancelled %d), ", n.succeeded+n.failed+n.cancelled, n.failed, n.cancelled)
	if n.incomplete > 0 {
		text += fmt.Sprintf("Incomplete: %d, ", n.incomplete)
	}
	return text + fmt.Sprintf("Skipped: %d", n.skipped)
}

// Condition is what the condition Succeeded of the run follows to be (spec §2.16), if it has not run out of time.
func (r *Run) Condition() v1beta1.Condition {
	n := r.count()
	problem := r.firstProblem()
	graceful := r.known.Asked == v1beta1.PipelineRunSpecStatusCancelledRunFinally || r.known.Asked == v1beta1.PipelineRunSpecStatusStoppedRunFinally
	is := func(status corev1.ConditionStatus, reason, message string) v1beta1.Condition {
		return v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}
	}
	if n.incomplete > 0 {
		reason := v1beta1.PipelineRunReasonRunning
		switch {
		case r.known.Asked == v1beta1.PipelineRunSpecStatusCancelledRunFinally:
			reason = v1beta1.PipelineRunReasonCancelledRunningFinally
		case r.known.Asked == v1beta1.PipelineRunSpecStatusStoppedRunFinally:
			reason = v1beta1.PipelineRunReasonStoppedRunningFinally
		case n.cancelled > 0, (n.failed > 0 || problem != nil) && n.finalsOver:
			reason = v1beta1.PipelineRunReasonStopping
		}
		return is(corev1.ConditionUnknown, reason, n.message())
	}
	switch {
	case problem != nil:
		return is(corev1.ConditionFalse, problem.Reason, problem.Message)
	case n.failed > 0 || n.late > 0:
		return is(corev1.ConditionFalse, v1beta1.PipelineRunReasonFailed, n.message())
	case graceful:
		return is(corev1.ConditionFalse, v1beta1.PipelineRunReasonCancelled, CancelledMessage(r.known.Name))
	case n.cancelled > 0:
		return is(corev1.ConditionFalse, v1beta1.PipelineRunReasonCancelled, n.message())
	case n.skipped > 0:
		return is(corev1.ConditionTrue, v1beta1.PipelineRunReasonCompleted, n.message())
	default:
		return is(corev1.ConditionTrue, v1beta1.PipelineRunReasonSucceeded, n.message())
	}
}

// CancelledMessage is the message of a run that its user has ended.
func CancelledMessage(name string) string { return fmt.Sprintf("PipelineRun %q was cancelled", name) }

func (r *Run) firstProblem() *Problem {
	for _, t := range r.All() {
		if t.problem != nil {
			return t.problem
		}
	}
	return nil
}

// Skipped are the tasks that do not run, in the order of the Pipeline.
func (r *Run) Skipped() []v1beta1.SkippedTask {
	var out []v1beta1.SkippedTask
	for _, t := range r.All() {
		reason := t.skip
		if t.problem != nil && !t.Begun() {
			reason = v1beta1.SkippedMissingResults
			if t.problem.Reason != v1beta1.PipelineRunReasonInvalidTaskResultReference {
				reason = v1beta1.SkippedStopping
			}
		}
		if reason == "" {
			continue
		}
		skipped := v1beta1.SkippedTask{Name: t.Spec.Name, Reason: reason}
		if !t.Final || reason == v1beta1.SkippedWhen {
			skipped.WhenExpressions = t.resolved.WhenExpressions
		}
		out = append(out, skipped)
	}
	return out
}
