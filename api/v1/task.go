package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Task is a series of Steps that run in order in one Pod. It has no status.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:categories=tekton;tekton-pipelines
type Task struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec TaskSpec `json:"spec"`
}

// TaskList is a list of Tasks.
//
// +kubebuilder:object:root=true
type TaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Task `json:"items"`
}

// TaskSpec is what a Task does, in a Task object or embedded in a TaskRun.
type TaskSpec struct {
	Params       []ParamSpec            `json:"params,omitempty"`
	Description  string                 `json:"description,omitempty"`
	Steps        []Step                 `json:"steps,omitempty"`
	Volumes      []corev1.Volume        `json:"volumes,omitempty"`
	StepTemplate *StepTemplate          `json:"stepTemplate,omitempty"`
	Sidecars     []Sidecar              `json:"sidecars,omitempty"`
	Workspaces   []WorkspaceDeclaration `json:"workspaces,omitempty"`
	Results      []TaskResult           `json:"results,omitempty"`
}

// TaskRef names the Task to run: one of the cluster, or one that a resolver finds.
type TaskRef struct {
	Name       string   `json:"name,omitempty"`
	Kind       TaskKind `json:"kind,omitempty"`
	APIVersion string   `json:"apiVersion,omitempty"`

	ResolverRef `json:",inline"`
}

// IsRemote reports whether a resolver has to be asked.
func (r *TaskRef) IsRemote() bool { return r != nil && r.Resolver != "" }
