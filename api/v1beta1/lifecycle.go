package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Attempt is the number of attempts that are over, so that of the first attempt is 0.
func (tr *TaskRun) Attempt() int { return len(tr.Status.RetriesStatus) }

// CommonStatus returns the part of the status that every kind has.
func (tr *TaskRun) CommonStatus() *Status { return &tr.Status.Status }

// WholeStatus returns a pointer to the whole status.
func (tr *TaskRun) WholeStatus() any { return &tr.Status }

// StartedAt returns when the present attempt began, or nil.
func (tr *TaskRun) StartedAt() *metav1.Time { return tr.Status.StartTime }

// CompletedAt returns when the run ended, or nil.
func (tr *TaskRun) CompletedAt() *metav1.Time { return tr.Status.CompletionTime }
