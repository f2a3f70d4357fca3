package pipelinerun

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// inherit gives the PipelineRun the labels and annotations of its Pipeline; its own win, except for the one that names the Pipeline (spec
// §2.12).
func inherit(pr *v1beta1.PipelineRun, p *pipeline) {
	pr.Labels, pr.Annotations = under(pr.Labels, p.labels), under(pr.Annotations, p.annotations)
	pr.Labels[v1beta1.LabelPipeline] = p.name
}

// under is own with what it lacks from base. What kubectl wrote about one object is not about another.
func under(own, base map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]string{}
	}
	delete(merged, v1beta1.AnnotationLastApplied)
	maps.Copy(merged, own)
	return merged
}

// childMetadata are the labels and annotations of a child: those of the PipelineRun, and whose child it is. Of a TaskRun, what the
// run says of this task wins over them, and they over what the embedded Task says of itself.
func childMetadata(pr *v1beta1.PipelineRun, task string, final bool, own, embedded *v1beta1.PipelineTaskMetadata) metav1.ObjectMeta {
	labels := under(pr.Labels, nil)
	labels[v1beta1.LabelPipelineRun] = pr.Name
	labels[v1beta1.LabelPipelineTask] = task
	labels[v1beta1.LabelMemberOf] = v1beta1.MemberOfTasks
	if final {
		labels[v1beta1.LabelMemberOf] = v1beta1.MemberOfFinally
	}
	annotations := under(pr.Annotations, nil)
	delete(annotations, v1beta1.AnnotationLastApplied)
	if embedded != nil {
		labels, annotations = under(labels, embedded.Labels), under(annotations, embedded.Annotations)
	}
	if own != nil {
		maps.Copy(labels, own.Labels)
		maps.Copy(annotations, own.Annotations)
	}
	return metav1.ObjectMeta{
		Namespace: pr.Namespace, Labels: labels, Annotations: annotations,
		OwnerReferences: []metav1.OwnerReference{owner(pr)},
	}
}

// owner is the reference of what belongs to a PipelineRun.
func owner(pr *v1beta1.PipelineRun) metav1.OwnerReference {
	return *metav1.NewControllerRef(pr, v1beta1.GroupVersion.WithKind(v1beta1.KindPipelineRun))
}
