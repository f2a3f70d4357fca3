package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PipelineRun runs a Pipeline once: a TaskRun, a Run or a CustomRun for each of its tasks.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:shortName=pr;prs,categories=tekton;tekton-pipelines
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
// +kubebuilder:printcolumn:name="StartTime",type=date,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="CompletionTime",type=date,JSONPath=`.status.completionTime`
type PipelineRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec PipelineRunSpec `json:"spec,omitempty"`
	// Status is absent until something is written to it.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Status PipelineRunStatus `json:"status,omitzero"`
}

// PipelineRunList is a list of PipelineRuns.
//
// +kubebuilder:object:root=true
type PipelineRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []PipelineRun `json:"items"`
}

// PipelineRunSpec is what the user asks for. Exactly one of PipelineRef and PipelineSpec is set.
type PipelineRunSpec struct {
	PipelineRef  *PipelineRef  `json:"pipelineRef,omitempty"`
	PipelineSpec *PipelineSpec `json:"pipelineSpec,omitempty"`
	Params       []Param       `json:"params,omitempty"`
	// Status asks for something to happen to the run: to wait before it starts, to be cancelled, or to stop.
	Status   PipelineRunSpecStatus `json:"status,omitempty"`
	Timeouts *TimeoutFields        `json:"timeouts,omitempty"`
	// TaskRunTemplate is what all TaskRuns of the run have.
	TaskRunTemplate PipelineTaskRunTemplate `json:"taskRunTemplate,omitempty"`
	Workspaces      []WorkspaceBinding      `json:"workspaces,omitempty"`
	TaskRunSpecs    []PipelineTaskRunSpec   `json:"taskRunSpecs,omitempty"`
}

// PipelineTaskRunTemplate is what all TaskRuns of a PipelineRun have.
type PipelineTaskRunTemplate struct {
	PodTemplate        *PodTemplate `json:"podTemplate,omitempty"`
	ServiceAccountName string       `json:"serviceAccountName,omitempty"`
}

// PipelineRef names the Pipeline to run: one of the cluster, or one that a resolver finds.
type PipelineRef struct {
	Name       string `json:"name,omitempty"`
	APIVersion string `json:"apiVersion,omitempty"`

	ResolverRef `json:",inline"`
}

// PipelineTaskRunSpec says for one task of the Pipeline what its TaskRun has instead of what the PipelineRun says.
type PipelineTaskRunSpec struct {
	PipelineTaskName   string                       `json:"pipelineTaskName,omitempty"`
	ServiceAccountName string                       `json:"serviceAccountName,omitempty"`
	PodTemplate        *PodTemplate                 `json:"podTemplate,omitempty"`
	StepSpecs          []TaskRunStepSpec            `json:"stepSpecs,omitempty"`
	SidecarSpecs       []TaskRunSidecarSpec         `json:"sidecarSpecs,omitempty"`
	Metadata           *PipelineTaskMetadata        `json:"metadata,omitempty"`
	ComputeResources   *corev1.ResourceRequirements `json:"computeResources,omitempty"`
}

// PipelineRunStatus is what happened: the conditions every kind has, and the fields of a PipelineRun.
type PipelineRunStatus struct {
	Status                  `json:",inline"`
	PipelineRunStatusFields `json:",inline"`
}

// PipelineRunStatusFields are the status fields that only PipelineRuns have.
type PipelineRunStatusFields struct {
	StartTime      *metav1.Time        `json:"startTime,omitempty"`
	CompletionTime *metav1.Time        `json:"completionTime,omitempty"`
	Results        []PipelineRunResult `json:"results,omitempty"`
	// PipelineSpec is the Pipeline as it was when the run began, with its variables replaced.
	PipelineSpec *PipelineSpec `json:"pipelineSpec,omitempty"`
	SkippedTasks []SkippedTask `json:"skippedTasks,omitempty"`
	// ChildReferences name the children.
	ChildReferences []ChildStatusReference `json:"childReferences,omitempty"`
	// FinallyStartTime is when the finally tasks could first start.
	FinallyStartTime *metav1.Time `json:"finallyStartTime,omitempty"`
	Provenance       *Provenance  `json:"provenance,omitempty"`
}
