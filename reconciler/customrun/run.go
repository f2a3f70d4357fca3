package customrun

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Run is what a Run and a CustomRun have in common.
type Run struct {
	object client.Object
	gvk    schema.GroupVersionKind
	spec   v1beta1.CustomRunSpec
	status *v1beta1.CustomRunStatus
	now    metav1.Time
	words  words
	memory memory
	// whole says that the timeout bounds all attempts together. Of a CustomRun it bounds each.
	whole bool
	// namespace is the one that the reference names, and template what Pods are to be like. A CustomRun has neither.
	namespace string
	template  *v1beta1.PodTemplate
}

// words are the reasons that the API has for ends, which differ between the two.
type words struct{ cancelled, timedOut, workspace, template string }

// memory is what the controller has to know in later passes, in status.extraFields: other fields of its own would be refused.
type memory struct {
	// Settings are those that the run began with. Later changes of where they came from do not matter.
	Settings settings `json:"settings,omitempty"`
	// Began is when the attempt began. The startTime of a Run is that of its first one.
	Began metav1.Time `json:"began,omitzero"`
	// Made says that the attempt has made its Pod.
	Made bool `json:"made,omitempty"`
}

// ReadRun reads a Run.
func ReadRun(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error) {
	o := &v1alpha1.Run{}
	err := from.Get(ctx, key, o)
	s := &o.Spec
	r := &Run{object: o, gvk: v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), status: &o.Status, template: s.PodTemplate, whole: true}
	r.words = words{"RunCancelled", "RunTimedOut", "RunWorkspaceNotSupported", "RunPodTemplateNotSupported"}
	r.spec = v1beta1.CustomRunSpec{
		CustomSpec: s.Spec, Params: s.Params, Status: s.Status, StatusMessage: s.StatusMessage, Retries: s.Retries,
		ServiceAccountName: s.ServiceAccountName, Timeout: s.Timeout, Workspaces: s.Workspaces,
	}
	if s.Ref != nil {
		r.spec.CustomRef, r.namespace = &s.Ref.TaskRef, s.Ref.Namespace
	}
	return r.remembering(), err
}

// ReadCustomRun reads a CustomRun.
func ReadCustomRun(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error) {
	o := &v1beta1.CustomRun{}
	err := from.Get(ctx, key, o)
	r := &Run{object: o, gvk: v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), status: &o.Status, spec: o.Spec}
	r.words = words{"CustomRunCancelled", "CustomRunTimedOut", "CustomRunWorkspaceNotSupported", ""}
	return r.remembering(), err
}

func (r *Run) remembering() *Run {
	_ = json.Unmarshal(r.status.ExtraFields.Raw, &r.memory) // another program wrote what cannot be read
	return r
}

func (r *Run) remember() error {
	raw, err := json.Marshal(r.memory)
	r.status.ExtraFields = runtime.RawExtension{Raw: raw}
	return err
}

// kind is the kind of custom task that the run asks for, or "" if another controller has it.
func (r *Run) kind() string {
	var of schema.GroupVersionKind
	switch {
	case r.spec.CustomRef != nil:
		of = schema.FromAPIVersionAndKind(r.spec.CustomRef.APIVersion, string(r.spec.CustomRef.Kind))
	case r.spec.CustomSpec != nil:
		of = r.spec.CustomSpec.GroupVersionKind()
	}
	if _, ok := fields[of.Kind]; !ok || of.GroupVersion() != GroupVersion {
		return ""
	}
	return of.Kind
}

// beside is an object in the run's namespace.
func (r *Run) beside(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: r.object.GetNamespace(), Name: name}
}

func (r *Run) set(status corev1.ConditionStatus, reason, message string) {
	r.status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}, r.now)
}

func (r *Run) running(message string) { r.set(corev1.ConditionUnknown, "Running", message) }

// conclude ends the run. One that could not begin has a start, too.
func (r *Run) conclude(status corev1.ConditionStatus, reason, message string) {
	r.set(status, reason, message)
	if r.status.StartTime == nil {
		r.status.StartTime = &r.now
	}
	r.status.CompletionTime = &r.now
}

// failed ends the attempt. As long as there is another one the condition stays Unknown, and the past one is archived.
func (r *Run) failed(reason, message string) {
	n := len(r.status.RetriesStatus)
	if n >= min(r.spec.Retries, mostRetries) || r.whole && reason == r.words.timedOut {
		r.conclude(corev1.ConditionFalse, reason, message)
		return
	}
	began, past := r.memory.Began, *r.status.DeepCopy()
	past.RetriesStatus, past.ExtraFields = nil, runtime.RawExtension{}
	past.StartTime, past.CompletionTime = &began, &r.now
	past.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}, r.now)
	r.status.RetriesStatus = append(r.status.RetriesStatus, past)
	if !r.whole {
		r.status.StartTime = &r.now
	}
	r.memory.Began, r.memory.Made = r.now, false
	r.running(fmt.Sprintf("Attempt %d of %d failed: %s", n+1, r.spec.Retries+1, message))
}
