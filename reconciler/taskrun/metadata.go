package taskrun

import (
	"maps"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
)

// inherit gives the TaskRun the labels and annotations of its Task; its own win (LC-26). What kubectl wrote about the Task
// is not about the TaskRun.
func inherit(tr *v1beta1.TaskRun, task resolve.Task) {
	tr.Labels = under(tr.Labels, task.Labels)
	tr.Annotations = under(tr.Annotations, task.Annotations)
}

// under is own with what it lacks from base.
func under(own, base map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]string{}
	}
	delete(merged, v1beta1.AnnotationLastApplied)
	maps.Copy(merged, own)
	return merged
}
