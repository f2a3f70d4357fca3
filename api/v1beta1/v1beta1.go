// Package v1beta1 is the tekton.dev/v1beta1 API: TaskRun, Task, ClusterTask, Pipeline, PipelineRun and CustomRun with every
// field that the documents name, JSON-exact.
//
// The package is data and rules about data. Its parts:
//
//   - the types, one file per noun (taskrun, task, step, param, workspace, podtemplate, resource, condition, pipeline,
//     pipelinerun, customrun);
//   - names: every reason, label, annotation and fixed value that the API promises, defined once.
//
// What the webhooks do is in packages beside this one: defaulting, validation, and admission, which joins them.
//
// Nothing here reads a clock, a client or a global: the time is an argument. Decoding is
// encoding/json; ParamValue is the only type with a format of its own. Objects of this package are plain values: share
// them freely for reading, DeepCopy before writing.
//
// What is stored serialises as a real API server would show it. Some fields are always present although empty
// (serviceAccountName, podName, a step's name and resources), because the documents show them so.
//
// +kubebuilder:object:generate=true
// +groupName=tekton.dev
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of every kind here; Version is this package's.
const (
	Group   = "tekton.dev"
	Version = "v1beta1"
)

// The kinds of this version.
const (
	KindTaskRun     = "TaskRun"
	KindTask        = "Task"
	KindClusterTask = "ClusterTask"
	KindPipeline    = "Pipeline"
	KindPipelineRun = "PipelineRun"
	KindCustomRun   = "CustomRun"
)

// GroupVersion is tekton.dev/v1beta1.
var GroupVersion = schema.GroupVersion{Group: Group, Version: Version}

// AddToScheme registers the kinds of this version.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&TaskRun{}, &TaskRunList{},
		&Task{}, &TaskList{},
		&ClusterTask{}, &ClusterTaskList{},
		&Pipeline{}, &PipelineList{},
		&PipelineRun{}, &PipelineRunList{},
		&CustomRun{}, &CustomRunList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// Resource is the group-qualified name of a resource, for error messages.
func Resource(resource string) schema.GroupResource {
	return schema.GroupResource{Group: Group, Resource: resource}
}
