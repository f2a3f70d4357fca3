package v1alpha1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Run asks a controller that is no part of this API to do something, and tells how that went. Nothing but that controller
// writes its status. CustomRun of v1beta1 is its successor.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:pruning:PreserveUnknownFields
// +kubebuilder:resource:categories=tekton;tekton-pipelines
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].reason`
// +kubebuilder:printcolumn:name="StartTime",type=date,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="CompletionTime",type=date,JSONPath=`.status.completionTime`
type Run struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec RunSpec `json:"spec,omitempty"`
	// Status is absent until the controller writes to it.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Status RunStatus `json:"status,omitzero"`
}

// RunList is a list of Runs.
//
// +kubebuilder:object:root=true
type RunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Run `json:"items"`
}

// RunSpec is what is asked for. Exactly one of Ref and Spec is set.
type RunSpec struct {
	Ref    *RunRef          `json:"ref,omitempty"`
	Spec   *EmbeddedRunSpec `json:"spec,omitempty"`
	Params []v1beta1.Param  `json:"params,omitempty"`
	// Status asks for something to happen to the run; the only value is v1beta1.RunSpecStatusCancelled.
	Status        v1beta1.RunSpecStatus        `json:"status,omitempty"`
	StatusMessage v1beta1.RunSpecStatusMessage `json:"statusMessage,omitempty"`
	// Retries is the number of extra attempts. A controller need not support it.
	Retries            int                  `json:"retries,omitempty"`
	ServiceAccountName string               `json:"serviceAccountName"`
	PodTemplate        *v1beta1.PodTemplate `json:"podTemplate,omitempty"`
	// Timeout bounds all attempts together. It is a Go duration string in JSON.
	Timeout    *metav1.Duration           `json:"timeout,omitempty"`
	Workspaces []v1beta1.WorkspaceBinding `json:"workspaces,omitempty"`
}

// RunRef names what a controller is to run.
type RunRef struct {
	v1beta1.TaskRef `json:",inline"`
	// Namespace is where the object is; empty means "default".
	Namespace string `json:"namespace,omitempty"`
}

// EmbeddedRunSpec is a custom task that stands in the Run.
type EmbeddedRunSpec = v1beta1.EmbeddedCustomRunSpec

// RunStatus is what happened.
type RunStatus = v1beta1.CustomRunStatus

// CommonStatus returns the part of the status that every kind has.
func (r *Run) CommonStatus() *v1beta1.Status { return &r.Status.Status }

// WholeStatus returns a pointer to the whole status.
func (r *Run) WholeStatus() any { return &r.Status }

// StartedAt returns when the run began, or nil.
func (r *Run) StartedAt() *metav1.Time { return r.Status.StartTime }

// CompletedAt returns when the run ended, or nil.
func (r *Run) CompletedAt() *metav1.Time { return r.Status.CompletionTime }

// GetTimeout returns the bound of all attempts together: 60 minutes where the spec has none. Zero means no bound.
func (s *RunSpec) GetTimeout() time.Duration { return v1beta1.RunTimeout(s.Timeout) }

// IsCancelled reports whether the run is asked to end.
func (s *RunSpec) IsCancelled() bool { return s.Status == v1beta1.RunSpecStatusCancelled }

// CustomRunSpec returns what a CustomRun has that asks for the same, for those who treat both alike. It has neither the namespace of
// a reference nor a Pod template.
func (s *RunSpec) CustomRunSpec() v1beta1.CustomRunSpec {
	out := v1beta1.CustomRunSpec{
		CustomSpec: s.Spec, Params: s.Params, Status: s.Status, StatusMessage: s.StatusMessage, Retries: s.Retries,
		ServiceAccountName: s.ServiceAccountName, Timeout: s.Timeout, Workspaces: s.Workspaces,
	}
	if s.Ref != nil {
		out.CustomRef = &s.Ref.TaskRef
	}
	return out
}

// HasTimedOut reports whether the run has taken longer than it may. One that has not started never has.
func (r *Run) HasTimedOut(now time.Time) bool {
	return v1beta1.RunTimedOut(r.Status.StartTime, r.Spec.GetTimeout(), now)
}
