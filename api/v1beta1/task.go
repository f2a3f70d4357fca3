package v1beta1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Task is a series of Steps that run in order in one Pod. It has no status.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
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

// ClusterTask is a Task that every namespace can refer to.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:scope=Cluster,categories=tekton;tekton-pipelines
type ClusterTask struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec TaskSpec `json:"spec,omitempty"`
}

// ClusterTaskList is a list of ClusterTasks.
//
// +kubebuilder:object:root=true
type ClusterTaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ClusterTask `json:"items"`
}

// TaskSpec is what a Task does, in a Task object or embedded in a TaskRun.
type TaskSpec struct {
	Resources    *TaskResources         `json:"resources,omitempty"` // deprecated
	Params       []ParamSpec            `json:"params,omitempty"`
	Description  string                 `json:"description,omitempty"`
	Steps        []Step                 `json:"steps,omitempty"`
	Volumes      []corev1.Volume        `json:"volumes,omitempty"`
	StepTemplate *StepTemplate          `json:"stepTemplate,omitempty"`
	Sidecars     []Sidecar              `json:"sidecars,omitempty"`
	Workspaces   []WorkspaceDeclaration `json:"workspaces,omitempty"`
	Results      []TaskResult           `json:"results,omitempty"`
}

// TaskResult declares a value that the Steps will produce.
type TaskResult struct {
	Name        string                  `json:"name"`
	Type        ResultsType             `json:"type,omitempty"`
	Properties  map[string]PropertySpec `json:"properties,omitempty"`
	Description string                  `json:"description,omitempty"`
}

// ResultsType is the type of a result.
type ResultsType string

// TaskKind tells a Task from a ClusterTask in a reference.
type TaskKind string

// TaskRef names the Task to run: a Task or ClusterTask of the cluster, one in a bundle, or one that a resolver finds.
type TaskRef struct {
	Name       string   `json:"name,omitempty"`
	Kind       TaskKind `json:"kind,omitempty"`
	APIVersion string   `json:"apiVersion,omitempty"`
	Bundle     string   `json:"bundle,omitempty"` // deprecated

	ResolverRef `json:",inline"`
}

// ResolverRef asks a resolver for something remote.
type ResolverRef struct {
	Resolver string  `json:"resolver,omitempty"`
	Params   []Param `json:"params,omitempty"`
}

// IsRemote reports whether a resolver has to be asked.
func (r *TaskRef) IsRemote() bool { return r != nil && r.Resolver != "" }
