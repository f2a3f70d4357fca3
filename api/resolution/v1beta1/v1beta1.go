// Package v1beta1 is the resolution.tekton.dev/v1beta1 API: the ResolutionRequest by which a run asks for a Task or a Pipeline that is
// not in the cluster, JSON-exact (spec of Pipelines §3.5).
//
// +kubebuilder:object:generate=true
// +groupName=resolution.tekton.dev
package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Group is the API group of requests; Version is this package's.
const (
	Group   = "resolution.tekton.dev"
	Version = "v1beta1"
)

// KindResolutionRequest is the kind of this version.
const KindResolutionRequest = "ResolutionRequest"

// GroupVersion is resolution.tekton.dev/v1beta1.
var GroupVersion = schema.GroupVersion{Group: Group, Version: Version}

// AddToScheme registers the kind of this version.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &ResolutionRequest{}, &ResolutionRequestList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// LabelType is the key of the label that says which resolver a request is for.
const LabelType = "resolution.tekton.dev/type"

// Reasons of a request's condition Succeeded.
const (
	ReasonInProgress = "ResolutionInProgress"
	ReasonFailed     = "ResolutionFailed"
	ReasonTimedOut   = "ResolutionTimedOut"
)
