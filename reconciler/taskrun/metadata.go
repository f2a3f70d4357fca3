package taskrun

import (
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
)

// inherit gives the TaskRun the labels and annotations of its Task; its own win (LC-26). What kubectl wrote about the Task
// is not about the TaskRun.
func inherit(tr *v1beta1.TaskRun, task resolve.Task) {
	tr.Labels = pass.Inherited(tr.Labels, task.Labels)
	tr.Annotations = pass.Inherited(tr.Annotations, task.Annotations)
}
