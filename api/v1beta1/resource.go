package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// The types of this file belong to PipelineResources, which are deprecated. They are here so that objects which carry
// them can be read, checked and stored.

// TaskResources declares the resources that a Task takes and gives.
type TaskResources struct {
	Inputs  []TaskResource `json:"inputs,omitempty"`
	Outputs []TaskResource `json:"outputs,omitempty"`
}

// TaskResource declares one resource of a Task.
type TaskResource struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	TargetPath  string `json:"targetPath,omitempty"`
	Optional    bool   `json:"optional,omitempty"`
}

// TaskRunResources binds the declared resources of a Task.
type TaskRunResources struct {
	Inputs  []TaskResourceBinding `json:"inputs,omitempty"`
	Outputs []TaskResourceBinding `json:"outputs,omitempty"`
}

// TaskResourceBinding binds one declared resource: by reference or in place.
type TaskResourceBinding struct {
	Name         string                `json:"name,omitempty"`
	ResourceRef  *PipelineResourceRef  `json:"resourceRef,omitempty"`
	ResourceSpec *PipelineResourceSpec `json:"resourceSpec,omitempty"`
	Paths        []string              `json:"paths,omitempty"`
}

// PipelineResourceRef names a PipelineResource.
type PipelineResourceRef struct {
	Name       string `json:"name,omitempty"`
	APIVersion string `json:"apiVersion,omitempty"`
}

// PipelineResourceSpec describes a resource in place.
type PipelineResourceSpec struct {
	Description  string          `json:"description,omitempty"`
	Type         string          `json:"type"`
	Params       []ResourceParam `json:"params"`
	SecretParams []SecretParam   `json:"secrets,omitempty"`
}

// ResourceParam is a parameter of a PipelineResource; it is always a string.
type ResourceParam struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// SecretParam takes a parameter of a PipelineResource from a Secret.
type SecretParam struct {
	FieldName  string `json:"fieldName"`
	SecretKey  string `json:"secretKey"`
	SecretName string `json:"secretName"`
}

// ResultType says what an entry of a termination message is; package entrypoint/termination has its values.
type ResultType int

// PipelineResourceResult is a value that a PipelineResource produced.
type PipelineResourceResult struct {
	Key          string     `json:"key"`
	Value        string     `json:"value"`
	ResourceName string     `json:"resourceName,omitempty"`
	ResultType   ResultType `json:"type,omitempty"`
}

// CloudEventDelivery is the state of one promised cloud event.
type CloudEventDelivery struct {
	Target string                  `json:"target,omitempty"`
	Status CloudEventDeliveryState `json:"status,omitempty"`
}

// CloudEventDeliveryState says how far a cloud event got.
type CloudEventDeliveryState struct {
	Condition  CloudEventCondition `json:"condition,omitempty"`
	SentAt     *metav1.Time        `json:"sentAt,omitempty"`
	Error      string              `json:"message"`
	RetryCount int32               `json:"retryCount"`
}

// CloudEventCondition is Unknown, Sent or Failed.
type CloudEventCondition string

// PipelineResourceTypes are the types that a PipelineResource can have.
func PipelineResourceTypes() []string {
	return []string{"git", "storage", "image", "cluster", "pullRequest", "cloudEvent"}
}
