package pipelinerun

import (
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
)

// inherit gives the PipelineRun the labels and annotations of its Pipeline; its own win, except for the one that names the Pipeline (spec
// §2.12).
func inherit(pr *v1beta1.PipelineRun, p *pipeline) {
	pr.Labels, pr.Annotations = pass.Inherited(pr.Labels, p.labels), pass.Inherited(pr.Annotations, p.annotations)
	pr.Labels[v1beta1.LabelPipeline] = p.name
}

// childMetadata are the labels and annotations of a child: those of the PipelineRun, and whose child it is. Of a TaskRun, what the
// run says of this task wins over them, and they over what the embedded Task says of itself.
func childMetadata(pr *v1beta1.PipelineRun, task string, final bool, own, embedded *v1beta1.PipelineTaskMetadata) metav1.ObjectMeta {
	labels := pass.Inherited(nil, pr.Labels)
	labels[v1beta1.LabelPipelineRun] = pr.Name
	labels[v1beta1.LabelPipelineTask] = task
	labels[v1beta1.LabelMemberOf] = v1beta1.MemberOfTasks
	if final {
		labels[v1beta1.LabelMemberOf] = v1beta1.MemberOfFinally
	}
	annotations := pass.Inherited(nil, pr.Annotations)
	if embedded != nil {
		labels, annotations = pass.Inherited(labels, embedded.Labels), pass.Inherited(annotations, embedded.Annotations)
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
