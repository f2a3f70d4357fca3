package pass

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// pending is an event to record once the status that it is about is stored.
type pending struct {
	eventtype, reason, message string
	trouble                    bool
}

// Event records an event about the run once its status is stored, if that has changed.
func (p *Pass[T]) Event(eventtype, reason, message string) {
	p.events = append(p.events, pending{eventtype: eventtype, reason: reason, message: message})
}

// eventOfChange tells about a new condition (§3.11).
func (p *Pass[T]) eventOfChange(before, after *v1beta1.Condition) {
	if after == nil || before.Equivalent(after) {
		return
	}
	switch {
	case after.IsTrue():
		p.Event(corev1.EventTypeNormal, v1beta1.EventReasonSucceeded, after.Message)
	case after.IsFalse():
		p.Event(corev1.EventTypeWarning, v1beta1.EventReasonFailed, after.Message)
	default:
		p.Event(corev1.EventTypeNormal, after.Reason, after.Message)
	}
}

// Inherited is what an object has of its own, with what it lacks from what it is made of. What kubectl wrote about one object is not
// about another.
func Inherited(own, base map[string]string) map[string]string {
	merged := maps.Clone(base)
	if merged == nil {
		merged = map[string]string{}
	}
	delete(merged, v1beta1.AnnotationLastApplied)
	maps.Copy(merged, own)
	return merged
}

// stamp says which build of the controller has dealt with the run.
func stamp(run reconciler.Run, revision string) {
	annotations := run.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[v1beta1.AnnotationRelease] = revision
	run.SetAnnotations(annotations)
}

// written is how a write went.
type written int

const (
	stored written = iota
	// tooLate: the run is not the one that was read.
	tooLate
	// refused: the API server is in trouble.
	refused
	// unfit: what was to be written cannot be stored.
	unfit
)

// write stores metadata and status, each only if it changed, and then records the events. Both writes carry the version
// that was read.
func (p *Pass[T]) write(ctx context.Context) written {
	changed := !same(p.Stored.WholeStatus(), p.Run.WholeStatus())
	version := p.Stored.GetResourceVersion()
	labels, annotations := changes(p.Stored.GetLabels(), p.Run.GetLabels()), changes(p.Stored.GetAnnotations(), p.Run.GetAnnotations())
	if labels != nil || annotations != nil {
		patched := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: p.Run.GetNamespace(), Name: p.Run.GetName()}}
		patched.SetGroupVersionKind(p.kind.GVK)
		patch := MetadataPatch{metadataChange{Labels: labels, Annotations: annotations, ResourceVersion: version}}
		if err := p.Patch(ctx, patched, types.MergePatchType, patch); err != nil {
			return p.unwritten(err, v1beta1.EventReasonError, err.Error())
		}
		version = patched.ResourceVersion
	}
	if changed {
		// Of what is sent only the status counts, and the version that it replaces.
		p.Run.SetResourceVersion(version)
		if err := p.Deps.Client.Status().Update(ctx, p.Run); err != nil {
			return p.unwritten(err, v1beta1.EventReasonUpdateFailed, fmt.Sprintf("Failed to update status for %q: %v", p.Run.GetName(), err))
		}
	}
	p.tell(changed)
	return stored
}

// MetadataPatch is a merge patch of labels and annotations.
type MetadataPatch struct {
	Metadata metadataChange `json:"metadata"`
}

// Annotate returns the patch that sets these annotations.
func Annotate(annotations map[string]string) MetadataPatch {
	return MetadataPatch{metadataChange{Annotations: changes(nil, annotations)}}
}

// metadataChange has the new labels and annotations; nil removes one. With a version it is refused if the
// object has another.
type metadataChange struct {
	Labels          map[string]*string `json:"labels,omitempty"`
	Annotations     map[string]*string `json:"annotations,omitempty"`
	ResourceVersion string             `json:"resourceVersion,omitempty"`
}

// changes returns what makes after of before. It is nil if they are the same.
func changes(before, after map[string]string) map[string]*string {
	var out map[string]*string
	set := func(key string, value *string) {
		if out == nil {
			out = map[string]*string{}
		}
		out[key] = value
	}
	//plumbline:unordered one map is made of another
	for k, v := range after {
		if was, ok := before[k]; !ok || was != v {
			set(k, &v)
		}
	}
	//plumbline:unordered one map is made of another
	for k := range before {
		if _, ok := after[k]; !ok {
			set(k, nil)
		}
	}
	return out
}

// Patch sends what it takes to change an object. Only the metadata of the answer is wanted.
func (p *Pass[T]) Patch(ctx context.Context, target *metav1.PartialObjectMetadata, kind types.PatchType, patch any) error {
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return p.Deps.Client.Patch(ctx, target, client.RawPatch(kind, data))
}

// same compares statuses. Most passes change nothing, for which the standard library's comparison says yes several times
// faster; only what it finds different has to be looked at for differences that mean nothing.
func same(a, b any) bool {
	return reflect.DeepEqual(a, b) || equality.Semantic.DeepEqual(a, b)
}

// tell records the events. What is about a status that has not changed has been told before, except for trouble, which is
// news as long as it lasts.
func (p *Pass[T]) tell(changed bool) {
	for _, e := range p.events {
		if changed || e.trouble {
			p.Deps.Recorder.Event(p.Stored, e.eventtype, e.reason, e.message)
		}
	}
}

// unwritten is what a failed write means for the pass. A conflict needs no event, since it only means that another write was
// faster, and a run that is gone cannot have one.
func (p *Pass[T]) unwritten(err error, reason, message string) written {
	switch {
	case apierrors.IsNotFound(err):
		return stored
	case apierrors.IsConflict(err):
		return tooLate
	default:
		p.Deps.Recorder.Event(p.Stored, corev1.EventTypeWarning, reason, message)
		if cannotBeStored(err) {
			p.refusal = err
			return unfit
		}
		return refused
	}
}

// cannotBeStored reports whether an answer is about what was to be written, so that writing it again has the same answer.
// That an object is too large for the database is an internal error to an API server.
func cannotBeStored(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsBadRequest(err) ||
		strings.Contains(err.Error(), "etcdserver: request is too large")
}
