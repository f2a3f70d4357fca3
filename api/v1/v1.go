// Package v1 is the tekton.dev/v1 API: TaskRun, Task, Pipeline and PipelineRun with every field that the documents name, JSON-exact.
//
// v1 is v1beta1 without what is deprecated there and with a few names changed (spec §1): resource requirements are
// computeResources, overrides are specs, taskResults are results; PipelineResources, bundles and the container fields
// that mean nothing for a step are gone. What both versions say alike is one Go type, of package v1beta1, and has an
// alias here, so that a user of v1 needs this package alone.
//
// Objects are stored as v1beta1; package conversion turns one version into the other. What the webhooks do (packages
// defaulting, validation, admission) is written once, for both.
//
// +kubebuilder:object:generate=true
// +groupName=tekton.dev
package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Version is this package's version of the group.
const Version = "v1"

// The kinds of this version.
const (
	KindTaskRun     = v1beta1.KindTaskRun
	KindTask        = v1beta1.KindTask
	KindPipeline    = v1beta1.KindPipeline
	KindPipelineRun = v1beta1.KindPipelineRun
)

// GroupVersion is tekton.dev/v1.
var GroupVersion = schema.GroupVersion{Group: v1beta1.Group, Version: Version}

// AddToScheme registers the kinds of this version.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&TaskRun{}, &TaskRunList{},
		&Task{}, &TaskList{},
		&Pipeline{}, &PipelineList{},
		&PipelineRun{}, &PipelineRunList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
