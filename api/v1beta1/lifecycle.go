package v1beta1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Succeeded is the condition that tells how the run stands, or nil before the first pass.
func (tr *TaskRun) Succeeded() *Condition { return tr.Status.GetCondition(ConditionSucceeded) }

// IsDone tells whether the run has ended, for better or worse.
func (tr *TaskRun) IsDone() bool { return !tr.Succeeded().IsUnknown() }

// IsSuccessful tells whether the run has ended well.
func (tr *TaskRun) IsSuccessful() bool { return tr.Succeeded().IsTrue() }

// IsCancelled tells whether the user asked for the run to be cancelled, not whether that has happened.
func (tr *TaskRun) IsCancelled() bool { return tr.Spec.Status == TaskRunSpecStatusCancelled }

// HasStarted tells whether the current attempt has begun.
func (tr *TaskRun) HasStarted() bool {
	return tr.Status.StartTime != nil && !tr.Status.StartTime.IsZero()
}

// GetTimeout is how long one attempt may take; zero means for ever. unset is the answer for a run that says nothing.
func (tr *TaskRun) GetTimeout(unset time.Duration) time.Duration {
	if tr.Spec.Timeout == nil {
		return unset
	}
	return tr.Spec.Timeout.Duration
}

// Attempt counts the attempts that are over.
func (tr *TaskRun) Attempt() int { return len(tr.Status.RetriesStatus) }

// IsRetriable tells whether another attempt is allowed after the current one.
func (tr *TaskRun) IsRetriable() bool { return tr.Attempt() < tr.Spec.Retries }

// OwnerReference is how the children of the run name it.
func (tr *TaskRun) OwnerReference() metav1.OwnerReference {
	return *metav1.NewControllerRef(tr, GroupVersion.WithKind(KindTaskRun))
}
