package taskrun

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
)

// start begins an attempt, unless it has begun. The message of the attempt before stays until there is something to say
// about this one.
func start(tr *v1beta1.TaskRun, now metav1.Time) bool {
	if tr.Status.StartTime != nil {
		return false
	}
	at := now
	if at.Before(&tr.CreationTimestamp) {
		at = tr.CreationTimestamp // clocks differ
	}
	tr.Status.StartTime = &at
	message := ""
	if c := tr.Status.Succeeded(); c != nil {
		message = c.Message
	}
	pass.SetUnknown(&tr.Status.Status, v1beta1.TaskRunReasonStarted, message, now)
	return true
}

// conclude ends the attempt with that condition.
func conclude(s *v1beta1.TaskRunStatus, c v1beta1.Condition, now metav1.Time) {
	s.SetCondition(c, now)
	s.CompletionTime = &now
}

// fail ends the attempt.
func fail(s *v1beta1.TaskRunStatus, reason, message string, now metav1.Time) {
	conclude(s, v1beta1.Condition{
		Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message,
	}, now)
}

// deadline is when the attempt times out; zero if never. The pass that waits for it waits until the full second, so that
// the stored times differ by exactly the timeout.
func deadline(tr *v1beta1.TaskRun, timeout time.Duration) time.Time {
	if timeout <= 0 || tr.Status.StartTime == nil {
		return time.Time{}
	}
	return tr.Status.StartTime.Add(timeout)
}

func timedOut(tr *v1beta1.TaskRun, timeout time.Duration, now time.Time) bool {
	end := deadline(tr, timeout)
	return !end.IsZero() && !now.Before(end)
}

func timeoutMessage(tr *v1beta1.TaskRun, timeout time.Duration) string {
	return fmt.Sprintf("TaskRun %q failed to finish within %q", tr.Name, timeout)
}

func cancelled(tr *v1beta1.TaskRun) bool {
	return tr.Spec.Status == v1beta1.TaskRunSpecStatusCancelled
}

func cancelMessage(tr *v1beta1.TaskRun) string {
	return fmt.Sprintf("TaskRun %q was cancelled. %s", tr.Name, tr.Spec.StatusMessage)
}

// terminateSteps records that the Steps have ended with their Pod, for that reason (LC-63). Sidecars stay as they were
// last seen.
func terminateSteps(s *v1beta1.TaskRunStatus, reason string, now metav1.Time) {
	for i := range s.Steps {
		step := &s.Steps[i]
		var startedAt metav1.Time
		switch {
		case step.Running != nil:
			startedAt = step.Running.StartedAt
		case step.Waiting != nil:
		default:
			continue
		}
		step.ContainerState = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: 1, StartedAt: startedAt, FinishedAt: now, Reason: reason,
		}}
	}
}

// retry archives a failed attempt and makes room for the next, if the run has one left; nothing of the attempt stays
// behind. Only what the user has cancelled is not tried again.
func retry(tr *v1beta1.TaskRun, now metav1.Time) bool {
	s := &tr.Status
	c := s.Succeeded()
	if !c.IsFalse() || cancelled(tr) || !moreAttempts(tr) {
		return false
	}
	message := c.Message
	archived := s.DeepCopy()
	archived.RetriesStatus = nil
	archived.Annotations = nil
	s.RetriesStatus = append(s.RetriesStatus, *archived)

	s.StartTime, s.CompletionTime = nil, nil
	s.PodName = ""
	s.Steps, s.Sidecars = nil, nil
	s.TaskRunResults, s.ResourcesResult = nil, nil
	pass.SetUnknown(&s.Status, v1beta1.TaskRunReasonToBeRetried, message, now)
	return true
}

// moreAttempts reports whether the current attempt may fail without the run failing.
func moreAttempts(tr *v1beta1.TaskRun) bool {
	return tr.Attempt() < tr.Spec.Retries
}
