package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TaskRun runs the Steps of one Task, in order, in one Pod.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
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
	Debug              *TaskRunDebug     `json:"debug,omitempty"`
	Params             []Param           `json:"params,omitempty"`
	Resources          *TaskRunResources `json:"resources,omitempty"` // deprecated
	ServiceAccountName string            `json:"serviceAccountName"`
	TaskRef            *TaskRef          `json:"taskRef,omitempty"`
	TaskSpec           *TaskSpec         `json:"taskSpec,omitempty"`
	// Status asks for something to happen to the run; the only value is TaskRunSpecStatusCancelled.
	Status        TaskRunSpecStatus        `json:"status,omitempty"`
	StatusMessage TaskRunSpecStatusMessage `json:"statusMessage,omitempty"`
	// Retries is the number of extra attempts; a negative number means none.
	Retries int `json:"retries,omitempty"`
	// Timeout bounds one attempt; zero means no bound. It is a Go duration string in JSON.
	Timeout          *metav1.Duration         `json:"timeout,omitempty"`
	PodTemplate      *PodTemplate             `json:"podTemplate,omitempty"`
	Workspaces       []WorkspaceBinding       `json:"workspaces,omitempty"`
	StepOverrides    []TaskRunStepOverride    `json:"stepOverrides,omitempty"`
	SidecarOverrides []TaskRunSidecarOverride `json:"sidecarOverrides,omitempty"`
	// ComputeResources bounds the Task as a whole, instead of Step by Step.
	ComputeResources *corev1.ResourceRequirements `json:"computeResources,omitempty"`
}

// TaskRunSpecStatus is a request about a run's life, such as cancellation.
type TaskRunSpecStatus string

// TaskRunSpecStatusMessage explains a TaskRunSpecStatus. It is free text; these two are the PipelineRun controller's.
type TaskRunSpecStatusMessage string

// TaskRunDebug says where a Pod stops for its user.
type TaskRunDebug struct {
	Breakpoint []string `json:"breakpoint,omitempty"`
}

// NeedsDebug reports whether the run stops anywhere for debugging.
func (d *TaskRunDebug) NeedsDebug() bool { return d != nil && len(d.Breakpoint) > 0 }

// TaskRunStepOverride replaces the resource requirements of the Step of that name.
type TaskRunStepOverride struct {
	Name      string                      `json:"name"`
	Resources corev1.ResourceRequirements `json:"resources"`
}

// TaskRunSidecarOverride replaces the resource requirements of the Sidecar of that name.
type TaskRunSidecarOverride struct {
	Name      string                      `json:"name"`
	Resources corev1.ResourceRequirements `json:"resources"`
}

// TaskRunStatus is what happened: the conditions every kind has, and the fields of a TaskRun.
type TaskRunStatus struct {
	Status              `json:",inline"`
	TaskRunStatusFields `json:",inline"`
}

// TaskRunStatusFields are the status fields that only TaskRuns have.
type TaskRunStatusFields struct {
	PodName        string               `json:"podName"`
	StartTime      *metav1.Time         `json:"startTime,omitempty"`
	CompletionTime *metav1.Time         `json:"completionTime,omitempty"`
	Steps          []StepState          `json:"steps,omitempty"`
	CloudEvents    []CloudEventDelivery `json:"cloudEvents,omitempty"` // deprecated
	// RetriesStatus holds the past attempts, oldest first. An archived attempt has no RetriesStatus of its own.
	//
	// +kubebuilder:validation:Schemaless
	RetriesStatus   []TaskRunStatus          `json:"retriesStatus,omitempty"`
	ResourcesResult []PipelineResourceResult `json:"resourcesResult,omitempty"` // deprecated
	TaskRunResults  []TaskRunResult          `json:"taskResults,omitempty"`
	Sidecars        []SidecarState           `json:"sidecars,omitempty"`
	TaskSpec        *TaskSpec                `json:"taskSpec,omitempty"`
	Provenance      *Provenance              `json:"provenance,omitempty"`
}

// StepState is the state of a Step's container: exactly one of waiting, running and terminated.
type StepState struct {
	corev1.ContainerState `json:",inline"`
	Name                  string `json:"name,omitempty"`
	ContainerName         string `json:"container,omitempty"`
	ImageID               string `json:"imageID,omitempty"`
}

// SidecarState is the state of a Sidecar's container.
type SidecarState struct {
	corev1.ContainerState `json:",inline"`
	Name                  string `json:"name,omitempty"`
	ContainerName         string `json:"container,omitempty"`
	ImageID               string `json:"imageID,omitempty"`
}

// TaskRunResult is a value that the Steps of a run produced. Type may be absent in objects of older writers.
type TaskRunResult struct {
	Name  string      `json:"name"`
	Type  ResultsType `json:"type,omitempty"`
	Value ParamValue  `json:"value"`
}

// Provenance says where the Task of a run came from.
type Provenance struct {
	ConfigSource *ConfigSource `json:"configSource,omitempty"`
}

// ConfigSource is the source of a resolved Task: where, which revision, and which file of it.
type ConfigSource struct {
	URI        string            `json:"uri,omitempty"`
	Digest     map[string]string `json:"digest,omitempty"`
	EntryPoint string            `json:"entryPoint,omitempty"`
}
