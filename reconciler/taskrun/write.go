package taskrun

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// event is something to tell once the status it is about is stored.
type event struct {
	eventtype, reason, message string
	trouble                    bool
}

func (p *pass) event(eventtype, reason, message string) {
	p.events = append(p.events, event{eventtype: eventtype, reason: reason, message: message})
}

// eventOfChange tells about a new condition (§3.11).
func (p *pass) eventOfChange(before, after *v1beta1.Condition) {
	if after == nil || before.Equivalent(after) {
		return
	}
	switch {
	case after.IsTrue():
		p.event(corev1.EventTypeNormal, v1beta1.TaskRunReasonSucceeded, after.Message)
	case after.IsFalse():
		p.event(corev1.EventTypeWarning, v1beta1.TaskRunReasonFailed, after.Message)
	default:
		p.event(corev1.EventTypeNormal, after.Reason, after.Message)
	}
}

// written is how a write went.
type written int

const (
	stored written = iota
	// tooLate: the TaskRun is not the one that was read.
	tooLate
	// refused: the API server is in trouble.
	refused
)

// write stores metadata and status, each only if it changed, and then records the events. Both writes carry the version
// that was read.
func (p *pass) write(ctx context.Context) written {
	changed := !same(&p.stored.Status, &p.tr.Status)
	version := p.stored.ResourceVersion
	if labels, annotations := changes(p.stored.Labels, p.tr.Labels), changes(p.stored.Annotations, p.tr.Annotations); labels != nil || annotations != nil {
		patched := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: p.tr.Namespace, Name: p.tr.Name}}
		patched.SetGroupVersionKind(v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun))
		patch := metadataPatch{Metadata: metadataChange{Labels: labels, Annotations: annotations, ResourceVersion: version}}
		if err := p.patch(ctx, patched, types.MergePatchType, patch); err != nil {
			return p.unwritten(err, v1beta1.EventReasonError, err.Error())
		}
		version = patched.ResourceVersion
	}
	if changed {
		// Of what is sent only the status counts, and the version that it replaces.
		p.tr.ResourceVersion = version
		if err := p.deps.Client.Status().Update(ctx, p.tr); err != nil {
			return p.unwritten(err, v1beta1.EventReasonUpdateFailed, fmt.Sprintf("Failed to update status for %q: %v", p.tr.Name, err))
		}
	}
	p.tell(changed)
	return stored
}

// metadataPatch is a merge patch of labels and annotations.
type metadataPatch struct {
	Metadata metadataChange `json:"metadata"`
}

// metadataChange says what becomes of labels and annotations; nil takes one away. With a version it is refused if the
// object has another.
type metadataChange struct {
	Labels          map[string]*string `json:"labels,omitempty"`
	Annotations     map[string]*string `json:"annotations,omitempty"`
	ResourceVersion string             `json:"resourceVersion,omitempty"`
}

// changes returns what makes after of before; nil if they are the same.
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

// patch sends what it takes to change an object. Only the metadata of the answer is wanted.
func (p *pass) patch(ctx context.Context, target *metav1.PartialObjectMetadata, kind types.PatchType, patch any) error {
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	return p.deps.Client.Patch(ctx, target, client.RawPatch(kind, data))
}

// same compares statuses. Most passes change nothing, for which the standard library's comparison says yes several times
// faster; only what it finds different has to be looked at for differences that mean nothing.
func same(a, b *v1beta1.TaskRunStatus) bool {
	return reflect.DeepEqual(a, b) || equality.Semantic.DeepEqual(a, b)
}

// tell records the events. What is about a status that has not changed has been told before, except for trouble, which is
// news as long as it lasts.
func (p *pass) tell(changed bool) {
	for _, e := range p.events {
		if changed || e.trouble {
			p.deps.Recorder.Event(p.stored, e.eventtype, e.reason, e.message)
		}
	}
}

// unwritten is what a failed write means for the pass. That somebody was faster needs no telling, and if the TaskRun is
// gone nobody is there to be told.
func (p *pass) unwritten(err error, reason, message string) written {
	switch {
	case apierrors.IsNotFound(err):
		return stored
	case apierrors.IsConflict(err):
		return tooLate
	default:
		p.deps.Recorder.Event(p.stored, corev1.EventTypeWarning, reason, message)
		return refused
	}
}
