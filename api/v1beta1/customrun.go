package v1beta1

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// CustomRun asks a controller that is no part of this API to do something, and tells how that went. Nothing but that controller
// writes its status.
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
type CustomRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Spec CustomRunSpec `json:"spec,omitempty"`
	// Status is absent until the controller writes to it.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:pruning:PreserveUnknownFields
	Status CustomRunStatus `json:"status,omitzero"`
}

// CustomRunList is a list of CustomRuns.
//
// +kubebuilder:object:root=true
type CustomRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []CustomRun `json:"items"`
}

// CustomRunSpec is what is asked for. Exactly one of CustomRef and CustomSpec is set.
type CustomRunSpec struct {
	CustomRef  *TaskRef               `json:"customRef,omitempty"`
	CustomSpec *EmbeddedCustomRunSpec `json:"customSpec,omitempty"`
	Params     []Param                `json:"params,omitempty"`
	// Status asks for something to happen to the run; the only value is RunSpecStatusCancelled.
	Status        RunSpecStatus        `json:"status,omitempty"`
	StatusMessage RunSpecStatusMessage `json:"statusMessage,omitempty"`
	// Retries is the number of extra attempts. A controller need not support it.
	Retries            int    `json:"retries,omitempty"`
	ServiceAccountName string `json:"serviceAccountName"`
	// Timeout bounds one attempt. It is a Go duration string in JSON.
	Timeout    *metav1.Duration   `json:"timeout,omitempty"`
	Workspaces []WorkspaceBinding `json:"workspaces,omitempty"`
}

// EmbeddedCustomRunSpec is a custom task that stands in what runs it.
type EmbeddedCustomRunSpec struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        PipelineTaskMetadata `json:"metadata,omitempty"`
	// Spec is the controller's own; no other program reads it.
	Spec runtime.RawExtension `json:"spec,omitempty"`
}

// RunSpecStatus is a request about the life of a Run or CustomRun.
type RunSpecStatus string

// RunSpecStatusMessage explains a RunSpecStatus.
type RunSpecStatusMessage string

// CustomRunStatus is what happened. Runs have the same.
type CustomRunStatus struct {
	Status                `json:",inline"`
	CustomRunStatusFields `json:",inline"`
}

// CustomRunStatusFields are the status fields of a Run or CustomRun.
type CustomRunStatusFields struct {
	StartTime      *metav1.Time      `json:"startTime,omitempty"`
	CompletionTime *metav1.Time      `json:"completionTime,omitempty"`
	Results        []CustomRunResult `json:"results,omitempty"`
	// RetriesStatus holds the past attempts, oldest first.
	//
	// +kubebuilder:validation:Schemaless
	RetriesStatus []CustomRunStatus `json:"retriesStatus,omitempty"`
	// ExtraFields is the only place for what else a controller has to say.
	ExtraFields runtime.RawExtension `json:"extraFields,omitempty"`
}

// CustomRunResult is a value that a custom task produced. It is always a string.
type CustomRunResult struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// CommonStatus returns the part of the status that every kind has.
func (r *CustomRun) CommonStatus() *Status { return &r.Status.Status }

// WholeStatus returns a pointer to the whole status.
func (r *CustomRun) WholeStatus() any { return &r.Status }

// StartedAt returns when the present attempt began, or nil.
func (r *CustomRun) StartedAt() *metav1.Time { return r.Status.StartTime }

// CompletedAt returns when the run ended, or nil.
func (r *CustomRun) CompletedAt() *metav1.Time { return r.Status.CompletionTime }

// TaskType returns the type of custom task that is asked for, be it referred to or embedded. Its controller carries it out.
func (s *CustomRunSpec) TaskType() schema.GroupVersionKind {
	switch {
	case s.CustomRef != nil:
		return schema.FromAPIVersionAndKind(s.CustomRef.APIVersion, string(s.CustomRef.Kind))
	case s.CustomSpec != nil:
		return s.CustomSpec.GroupVersionKind()
	}
	return schema.GroupVersionKind{}
}

// GetTimeout returns the bound of an attempt: 60 minutes where the spec has none. Zero means no bound.
func (s *CustomRunSpec) GetTimeout() time.Duration { return RunTimeout(s.Timeout) }

// IsCancelled reports whether the run is asked to end.
func (s *CustomRunSpec) IsCancelled() bool { return s.Status == RunSpecStatusCancelled }

// HasTimedOut reports whether the present attempt has taken longer than it may. One that has not started never has.
func (r *CustomRun) HasTimedOut(now time.Time) bool {
	return RunTimedOut(r.Status.StartTime, r.Spec.GetTimeout(), now)
}

// RunTimeout returns the bound that a timeout field of a Run or CustomRun means.
func RunTimeout(field *metav1.Duration) time.Duration {
	if field == nil {
		return DefaultRunTimeout
	}
	return field.Duration
}

// RunTimedOut reports whether something that began then has taken longer than its bound; a bound of zero is none.
func RunTimedOut(start *metav1.Time, bound time.Duration, now time.Time) bool {
	return !start.IsZero() && bound != 0 && now.Sub(start.Time) > bound
}
