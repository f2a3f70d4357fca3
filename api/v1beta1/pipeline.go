package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// Pipeline is a graph of Tasks that hand results and workspaces on. It has no status.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
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
	Resources   []PipelineDeclaredResource     `json:"resources,omitempty"` // deprecated
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
	// WhenExpressions must all hold for the task to run.
	WhenExpressions WhenExpressions `json:"when,omitempty"`
	// Retries is the number of extra attempts.
	Retries    int                            `json:"retries,omitempty"`
	RunAfter   []string                       `json:"runAfter,omitempty"`
	Resources  *PipelineTaskResources         `json:"resources,omitempty"` // deprecated
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

// PipelineTaskMetadata goes on what a pipeline task makes.
type PipelineTaskMetadata struct {
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// Matrix fans a task out: one child for each combination of the values of its params.
type Matrix struct {
	Params []Param `json:"params,omitempty"`
}

// WhenExpression holds if Input is among Values, or is not, as Operator says.
type WhenExpression struct {
	Input    string       `json:"input"`
	Operator WhenOperator `json:"operator"`
	Values   []string     `json:"values"`
}

// WhenOperator compares the input of a when expression with its values.
type WhenOperator string

// WhenExpressions are guards that must all hold.
type WhenExpressions []WhenExpression

// PipelineWorkspaceDeclaration declares a directory that a Pipeline wants from its run.
type PipelineWorkspaceDeclaration struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Optional    bool   `json:"optional,omitempty"`
}

// WorkspacePipelineTaskBinding gives a workspace of the Pipeline, or a directory of it, to a task's workspace.
type WorkspacePipelineTaskBinding struct {
	// Name is the workspace's name in the Task.
	Name string `json:"name"`
	// Workspace is its name in the Pipeline; empty means the same.
	Workspace string `json:"workspace,omitempty"`
	SubPath   string `json:"subPath,omitempty"`
}

// PipelineResult is a value that a run hands out, made of results of its tasks.
type PipelineResult struct {
	Name        string      `json:"name"`
	Type        ResultsType `json:"type,omitempty"`
	Description string      `json:"description"`
	Value       ParamValue  `json:"value"`
}

// PipelineDeclaredResource declares a PipelineResource. It is deprecated.
type PipelineDeclaredResource struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Optional bool   `json:"optional,omitempty"`
}

// PipelineTaskResources binds the PipelineResources of a task. It is deprecated.
type PipelineTaskResources struct {
	Inputs  []PipelineTaskInputResource  `json:"inputs,omitempty"`
	Outputs []PipelineTaskOutputResource `json:"outputs,omitempty"`
}

// PipelineTaskInputResource binds one input. It is deprecated.
type PipelineTaskInputResource struct {
	Name     string   `json:"name"`
	Resource string   `json:"resource"`
	From     []string `json:"from,omitempty"`
}

// PipelineTaskOutputResource binds one output. It is deprecated.
type PipelineTaskOutputResource struct {
	Name     string `json:"name"`
	Resource string `json:"resource"`
}

// Operators of when expressions.
const (
	WhenIn    WhenOperator = "in"
	WhenNotIn WhenOperator = "notin"
)
