package v1beta1

// Attempt is the number of attempts that are over, so that of the first attempt is 0.
func (tr *TaskRun) Attempt() int { return len(tr.Status.RetriesStatus) }
