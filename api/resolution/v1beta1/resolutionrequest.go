package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	tekton "github.com/plumbline-ci/plumbline/api/v1beta1"
)

// ResolutionRequest asks the resolver that its label names for the text of one object. The resolver writes the answer into the
// status.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:categories=tekton;tekton-pipelines
// +kubebuilder:printcolumn:name="OwnerKind",type=string,JSONPath=`.metadata.ownerReferences[0].kind`
// +kubebuilder:printcolumn:name="Owner",type=string,JSONPath=`.metadata.ownerReferences[0].name`
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
// +kubebuilder:printcolumn:name="StartTime",type=string,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="EndTime",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].lastTransitionTime`
type ResolutionRequest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec ResolutionRequestSpec `json:"spec,omitempty"`
	// Status is absent until a controller takes note of the request.
	//
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
	Params []tekton.Param `json:"params,omitempty"`
}

// ResolutionRequestStatus is the answer.
type ResolutionRequestStatus struct {
	tekton.Status                 `json:",inline"`
	ResolutionRequestStatusFields `json:",inline"`
}

// ResolutionRequestStatusFields are the status fields of a request that other kinds do not have.
type ResolutionRequestStatusFields struct {
	// Data is the text of the object, in base64.
	Data string `json:"data"`
	// Source is where the text was found.
	Source *tekton.ConfigSource `json:"source"`
}

// CommonStatus returns the part of the status that every kind has.
func (r *ResolutionRequest) CommonStatus() *tekton.Status { return &r.Status.Status }
