package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Pipeline is a graph of Tasks that hand results and workspaces on. It has no status.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:categories=tekton;tekton-pipelines
type Pipeline struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec PipelineSpec `json:"spec"`
}

// PipelineList is a list of Pipelines.
//
// +kubebuilder:object:root=true
type PipelineList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Pipeline `json:"items"`
}

// PipelineSpec is what a Pipeline does, in a Pipeline object or embedded in a PipelineRun.
type PipelineSpec struct {
	Description string                         `json:"description,omitempty"`
	Tasks       []PipelineTask                 `json:"tasks,omitempty"`
	Params      []ParamSpec                    `json:"params,omitempty"`
	Workspaces  []PipelineWorkspaceDeclaration `json:"workspaces,omitempty"`
	Results     []PipelineResult               `json:"results,omitempty"`
	// Finally are the tasks that run once all Tasks are done, however those ended. None waits for another.
	Finally []PipelineTask `json:"finally,omitempty"`
}

// PipelineTask is a node of the graph: the Task to run, what it is given, and when it runs.
type PipelineTask struct {
	Name     string        `json:"name,omitempty"`
	TaskRef  *TaskRef      `json:"taskRef,omitempty"`
	TaskSpec *EmbeddedTask `json:"taskSpec,omitempty"`
	// When expressions must all hold for the task to run.
	When WhenExpressions `json:"when,omitempty"`
	// Retries is the number of extra attempts.
	Retries    int                            `json:"retries,omitempty"`
	RunAfter   []string                       `json:"runAfter,omitempty"`
	Params     []Param                        `json:"params,omitempty"`
	Matrix     *Matrix                        `json:"matrix,omitempty"`
	Workspaces []WorkspacePipelineTaskBinding `json:"workspaces,omitempty"`
	// Timeout bounds one attempt. It is a Go duration string in JSON.
	Timeout *metav1.Duration `json:"timeout,omitempty"`
}

// EmbeddedTask is a Task that stands in a Pipeline: the spec of a Task, or of a custom task, whose apiVersion and kind are given.
type EmbeddedTask struct {
	metav1.TypeMeta `json:",inline"`
	// Spec is the custom task's own.
	Spec     runtime.RawExtension `json:"spec,omitempty"`
	Metadata PipelineTaskMetadata `json:"metadata,omitempty"`
	TaskSpec `json:",inline"`
}
