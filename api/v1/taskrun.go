package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TaskRun runs the Steps of one Task, in order, in one Pod.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:shortName=tr;trs,categories=tekton;tekton-pipelines
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
// +kubebuilder:printcolumn:name="StartTime",type=date,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="CompletionTime",type=date,JSONPath=`.status.completionTime`
type TaskRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec TaskRunSpec `json:"spec,omitempty"`
	// Status is absent until something is written to it: the API server drops what a client sends at creation.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Status TaskRunStatus `json:"status,omitzero"`
}

// TaskRunList is a list of TaskRuns.
//
// +kubebuilder:object:root=true
type TaskRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TaskRun `json:"items"`
}

// TaskRunSpec is what the user asks for. Exactly one of TaskRef and TaskSpec is set.
type TaskRunSpec struct {
	Debug              *TaskRunDebug `json:"debug,omitempty"`
	Params             []Param       `json:"params,omitempty"`
	ServiceAccountName string        `json:"serviceAccountName"`
	TaskRef            *TaskRef      `json:"taskRef,omitempty"`
	TaskSpec           *TaskSpec     `json:"taskSpec,omitempty"`
	// Status asks for something to happen to the run; the only value is v1beta1.TaskRunSpecStatusCancelled.
	Status        TaskRunSpecStatus        `json:"status,omitempty"`
	StatusMessage TaskRunSpecStatusMessage `json:"statusMessage,omitempty"`
	// Retries is the number of extra attempts; a negative number means none.
	Retries int `json:"retries,omitempty"`
	// Timeout bounds one attempt; zero means no bound. It is a Go duration string in JSON.
	Timeout      *metav1.Duration     `json:"timeout,omitempty"`
	PodTemplate  *PodTemplate         `json:"podTemplate,omitempty"`
	Workspaces   []WorkspaceBinding   `json:"workspaces,omitempty"`
	StepSpecs    []TaskRunStepSpec    `json:"stepSpecs,omitempty"`
	SidecarSpecs []TaskRunSidecarSpec `json:"sidecarSpecs,omitempty"`
	// ComputeResources bounds the Task as a whole, instead of Step by Step.
	ComputeResources *corev1.ResourceRequirements `json:"computeResources,omitempty"`
}

// TaskRunStepSpec replaces the resource requirements of the Step of that name.
type TaskRunStepSpec struct {
	Name             string                      `json:"name"`
	ComputeResources corev1.ResourceRequirements `json:"computeResources"`
}

// TaskRunSidecarSpec replaces the resource requirements of the Sidecar of that name.
type TaskRunSidecarSpec struct {
	Name             string                      `json:"name"`
	ComputeResources corev1.ResourceRequirements `json:"computeResources"`
}

// TaskRunStatus is what happened: the conditions every kind has, and the fields of a TaskRun.
type TaskRunStatus struct {
	Status              `json:",inline"`
	TaskRunStatusFields `json:",inline"`
}

// TaskRunStatusFields are the status fields that only TaskRuns have.
type TaskRunStatusFields struct {
	PodName        string       `json:"podName"`
	StartTime      *metav1.Time `json:"startTime,omitempty"`
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	Steps          []StepState  `json:"steps,omitempty"`
	// RetriesStatus holds the past attempts, oldest first. An archived attempt has no RetriesStatus of its own.
	//
	// +kubebuilder:validation:Schemaless
	RetriesStatus []TaskRunStatus `json:"retriesStatus,omitempty"`
	Results       []TaskRunResult `json:"results,omitempty"`
	Sidecars      []SidecarState  `json:"sidecars,omitempty"`
	TaskSpec      *TaskSpec       `json:"taskSpec,omitempty"`
	Provenance    *Provenance     `json:"provenance,omitempty"`
}
