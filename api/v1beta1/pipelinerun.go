package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// PipelineRun runs a Pipeline once: a TaskRun, a Run or a CustomRun for each of its tasks.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
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
	PipelineRef        *PipelineRef              `json:"pipelineRef,omitempty"`
	PipelineSpec       *PipelineSpec             `json:"pipelineSpec,omitempty"`
	Resources          []PipelineResourceBinding `json:"resources,omitempty"` // deprecated
	Params             []Param                   `json:"params,omitempty"`
	ServiceAccountName string                    `json:"serviceAccountName,omitempty"`
	// Status asks for something to happen to the run: to wait before it starts, to be cancelled, or to stop.
	Status   PipelineRunSpecStatus `json:"status,omitempty"`
	Timeouts *TimeoutFields        `json:"timeouts,omitempty"`
	// Timeout is deprecated: it says the same as Timeouts.Pipeline.
	Timeout      *metav1.Duration      `json:"timeout,omitempty"`
	PodTemplate  *PodTemplate          `json:"podTemplate,omitempty"`
	Workspaces   []WorkspaceBinding    `json:"workspaces,omitempty"`
	TaskRunSpecs []PipelineTaskRunSpec `json:"taskRunSpecs,omitempty"`
}

// PipelineRef names the Pipeline to run: one of the cluster, one in a bundle, or one that a resolver finds.
type PipelineRef struct {
	Name       string `json:"name,omitempty"`
	APIVersion string `json:"apiVersion,omitempty"`
	Bundle     string `json:"bundle,omitempty"` // deprecated

	ResolverRef `json:",inline"`
}

// IsRemote reports whether a resolver has to be asked.
func (r *PipelineRef) IsRemote() bool { return r != nil && r.Resolver != "" }

// PipelineRunSpecStatus is a request about a run's life.
type PipelineRunSpecStatus string

// TimeoutFields bound a run as a whole, its tasks, and its finally tasks. Zero means no bound.
type TimeoutFields struct {
	Pipeline *metav1.Duration `json:"pipeline,omitempty"`
	Tasks    *metav1.Duration `json:"tasks,omitempty"`
	Finally  *metav1.Duration `json:"finally,omitempty"`
}

// PipelineTaskRunSpec says for one task of the Pipeline what its TaskRun has instead of what the PipelineRun says.
type PipelineTaskRunSpec struct {
	PipelineTaskName       string                       `json:"pipelineTaskName,omitempty"`
	TaskServiceAccountName string                       `json:"taskServiceAccountName,omitempty"`
	TaskPodTemplate        *PodTemplate                 `json:"taskPodTemplate,omitempty"`
	StepOverrides          []TaskRunStepOverride        `json:"stepOverrides,omitempty"`
	SidecarOverrides       []TaskRunSidecarOverride     `json:"sidecarOverrides,omitempty"`
	Metadata               *PipelineTaskMetadata        `json:"metadata,omitempty"`
	ComputeResources       *corev1.ResourceRequirements `json:"computeResources,omitempty"`
}

// PipelineResourceBinding binds one declared PipelineResource. It is deprecated.
type PipelineResourceBinding struct {
	Name         string                `json:"name,omitempty"`
	ResourceRef  *PipelineResourceRef  `json:"resourceRef,omitempty"`
	ResourceSpec *PipelineResourceSpec `json:"resourceSpec,omitempty"`
}

// PipelineRunStatus is what happened: the conditions every kind has, and the fields of a PipelineRun.
type PipelineRunStatus struct {
	Status                  `json:",inline"`
	PipelineRunStatusFields `json:",inline"`
}

// PipelineRunStatusFields are the status fields that only PipelineRuns have.
type PipelineRunStatusFields struct {
	StartTime      *metav1.Time `json:"startTime,omitempty"`
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	// TaskRuns and Runs hold the children by their names, with a copy of their statuses (embedded-status full or both).
	TaskRuns        map[string]*PipelineRunTaskRunStatus `json:"taskRuns,omitempty"`
	Runs            map[string]*PipelineRunRunStatus     `json:"runs,omitempty"`
	PipelineResults []PipelineRunResult                  `json:"pipelineResults,omitempty"`
	// PipelineSpec is the Pipeline as it was when the run began, with its variables replaced.
	PipelineSpec *PipelineSpec `json:"pipelineSpec,omitempty"`
	SkippedTasks []SkippedTask `json:"skippedTasks,omitempty"`
	// ChildReferences name the children (embedded-status minimal or both).
	ChildReferences []ChildStatusReference `json:"childReferences,omitempty"`
	// FinallyStartTime is when the finally tasks could first start.
	FinallyStartTime *metav1.Time `json:"finallyStartTime,omitempty"`
	Provenance       *Provenance  `json:"provenance,omitempty"`
}

// PipelineRunTaskRunStatus is a TaskRun in the status of its PipelineRun.
type PipelineRunTaskRunStatus struct {
	PipelineTaskName string          `json:"pipelineTaskName,omitempty"`
	Status           *TaskRunStatus  `json:"status,omitempty"`
	WhenExpressions  WhenExpressions `json:"whenExpressions,omitempty"`
}

// PipelineRunRunStatus is a Run or CustomRun in the status of its PipelineRun.
type PipelineRunRunStatus struct {
	PipelineTaskName string           `json:"pipelineTaskName,omitempty"`
	Status           *CustomRunStatus `json:"status,omitempty"`
	WhenExpressions  WhenExpressions  `json:"whenExpressions,omitempty"`
}

// PipelineRunResult is a value that a run hands out.
type PipelineRunResult struct {
	Name  string     `json:"name"`
	Value ParamValue `json:"value"`
}

// SkippedTask is a task that did not run, and why.
type SkippedTask struct {
	Name            string          `json:"name"`
	Reason          SkippingReason  `json:"reason"`
	WhenExpressions WhenExpressions `json:"whenExpressions,omitempty"`
}

// SkippingReason says why a task did not run.
type SkippingReason string

// ChildStatusReference names a child.
type ChildStatusReference struct {
	metav1.TypeMeta  `json:",inline"`
	Name             string          `json:"name,omitempty"`
	PipelineTaskName string          `json:"pipelineTaskName,omitempty"`
	WhenExpressions  WhenExpressions `json:"whenExpressions,omitempty"`
}

// CommonStatus returns the part of the status that every kind has.
func (pr *PipelineRun) CommonStatus() *Status { return &pr.Status.Status }

// WholeStatus returns a pointer to the whole status.
func (pr *PipelineRun) WholeStatus() any { return &pr.Status }

// StartedAt returns when the run began, or nil.
func (pr *PipelineRun) StartedAt() *metav1.Time { return pr.Status.StartTime }

// CompletedAt returns when the run ended, or nil.
func (pr *PipelineRun) CompletedAt() *metav1.Time { return pr.Status.CompletionTime }
