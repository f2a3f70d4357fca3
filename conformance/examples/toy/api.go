package toy

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API that is implemented.
var GroupVersion = schema.GroupVersion{Group: "tekton.dev", Version: "v1beta1"}

// NewScheme returns a scheme with the kinds of this package.
func NewScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	s.AddKnownTypes(GroupVersion, &TaskRun{}, &TaskRunList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return s
}

// TaskRun is what of a TaskRun this implementation knows.
type TaskRun struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`
	Spec              Spec   `json:"spec"`
	Status            Status `json:"status,omitempty"`
}

// TaskRunList is a list of TaskRuns.
type TaskRunList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []TaskRun `json:"items"`
}

// Spec is what is wanted.
type Spec struct {
	TaskSpec *TaskSpec        `json:"taskSpec,omitempty"`
	Timeout  *metav1.Duration `json:"timeout,omitempty"`
}

// TaskSpec is an embedded Task.
type TaskSpec struct {
	Steps   []Step   `json:"steps,omitempty"`
	Results []Result `json:"results,omitempty"`
}

// Step is one container.
type Step struct {
	Name    string   `json:"name"`
	Image   string   `json:"image,omitempty"`
	Command []string `json:"command,omitempty"`
	Args    []string `json:"args,omitempty"`
	Script  string   `json:"script,omitempty"`
}

// Result is a declared result.
type Result struct {
	Name string `json:"name"`
}

// Status is the state of the run.
type Status struct {
	Conditions     []Condition     `json:"conditions,omitempty"`
	PodName        string          `json:"podName"`
	StartTime      *metav1.Time    `json:"startTime,omitempty"`
	CompletionTime *metav1.Time    `json:"completionTime,omitempty"`
	TaskResults    []TaskRunResult `json:"taskResults,omitempty"`
}

// TaskRunResult is a result and its value.
type TaskRunResult struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Condition is the state of a run in three words.
type Condition struct {
	Type               string      `json:"type"`
	Status             string      `json:"status"`
	Reason             string      `json:"reason,omitempty"`
	Message            string      `json:"message,omitempty"`
	LastTransitionTime metav1.Time `json:"lastTransitionTime,omitempty"`
}

// Condition returns the condition Succeeded, or nil.
func (s *Status) Condition() *Condition {
	for i := range s.Conditions {
		if s.Conditions[i].Type == "Succeeded" {
			return &s.Conditions[i]
		}
	}
	return nil
}

// Done reports whether the run is over.
func (s *Status) Done() bool {
	c := s.Condition()
	return c != nil && c.Status != "Unknown"
}

// DeepCopy copies a status.
func (s *Status) DeepCopy() *Status {
	out := *s
	out.Conditions, out.TaskResults = slices.Clone(s.Conditions), slices.Clone(s.TaskResults)
	out.StartTime, out.CompletionTime = s.StartTime.DeepCopy(), s.CompletionTime.DeepCopy()
	return &out
}

// DeepCopy copies a TaskRun.
func (r *TaskRun) DeepCopy() *TaskRun {
	out := &TaskRun{TypeMeta: r.TypeMeta, ObjectMeta: *r.ObjectMeta.DeepCopy(), Status: *r.Status.DeepCopy()}
	if t := r.Spec.Timeout; t != nil {
		out.Spec.Timeout = &metav1.Duration{Duration: t.Duration}
	}
	if t := r.Spec.TaskSpec; t != nil {
		out.Spec.TaskSpec = &TaskSpec{Results: slices.Clone(t.Results), Steps: slices.Clone(t.Steps)}
		for i := range out.Spec.TaskSpec.Steps {
			s := &out.Spec.TaskSpec.Steps[i]
			s.Command, s.Args = slices.Clone(s.Command), slices.Clone(s.Args)
		}
	}
	return out
}

// DeepCopyObject implements runtime.Object.
func (r *TaskRun) DeepCopyObject() runtime.Object { return r.DeepCopy() }

// DeepCopyObject implements runtime.Object.
func (l *TaskRunList) DeepCopyObject() runtime.Object {
	out := &TaskRunList{TypeMeta: l.TypeMeta, ListMeta: *l.ListMeta.DeepCopy(), Items: make([]TaskRun, len(l.Items))}
	for i := range l.Items {
		out.Items[i] = *l.Items[i].DeepCopy()
	}
	return out
}
