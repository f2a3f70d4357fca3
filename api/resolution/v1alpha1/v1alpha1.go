// Package v1alpha1 is the resolution.tekton.dev/v1alpha1 API: the older form of a ResolutionRequest, whose params are strings.
//
// +kubebuilder:object:generate=true
// +groupName=resolution.tekton.dev
package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
)

// Version is this package's version of the group.
const Version = "v1alpha1"

// GroupVersion is resolution.tekton.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: v1beta1.Group, Version: Version}

// AddToScheme registers the kind of this version.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &ResolutionRequest{}, &ResolutionRequestList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// ResolutionRequest asks the resolver that its label names for the text of one object.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:categories=tekton;tekton-pipelines
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
type ResolutionRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec ResolutionRequestSpec `json:"spec,omitempty"`
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Status ResolutionRequestStatus `json:"status,omitzero"`
}

// ResolutionRequestList is a list of ResolutionRequests.
//
// +kubebuilder:object:root=true
type ResolutionRequestList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ResolutionRequest `json:"items"`
}

// ResolutionRequestSpec is what is asked for.
type ResolutionRequestSpec struct {
	// Parameters are all strings in this version.
	Parameters map[string]string `json:"params,omitempty"`
}

// ResolutionRequestStatus is the answer.
type ResolutionRequestStatus = v1beta1.ResolutionRequestStatus
