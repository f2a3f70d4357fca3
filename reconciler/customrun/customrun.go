// Package customrun is an exemplary controller of custom tasks: of the kinds of its own group example.plumbline.dev, asked for by
// Runs and CustomRuns alike. It does what the documentation of Runs demands and recommends, and is meant to be copied;
// docs/custom-tasks.md walks through it.
//
//	customrun.go  what any controller of custom tasks does: one pass, and the life of a run
//	tasks.go      what those of this group are: the kinds, their fields, and the Pod of a PodTask
package customrun

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/childname"
)

// GroupVersion is where the kinds are.
var GroupVersion = schema.GroupVersion{Group: "example.plumbline.dev", Version: "v1alpha1"}

// Reconciler reconciles Runs or CustomRuns.
type Reconciler struct {
	reconciler.Deps
	// Read reads one of them from somewhere.
	Read func(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error)
}

// Run is what a Run and a CustomRun have in common.
type Run struct {
	object client.Object
	gvk    schema.GroupVersionKind
	spec   v1beta1.CustomRunSpec
	status *v1beta1.CustomRunStatus
	now    metav1.Time
	// pod names the Pod of the attempt. It is the same in each pass, so a second Pod cannot be made.
	pod client.ObjectKey
	// namespace is the one that the reference names, and template what Pods are to be like. A CustomRun has neither.
	namespace string
	template  *v1beta1.PodTemplate
}

// ReadRun reads a Run.
func ReadRun(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error) {
	o := &v1alpha1.Run{}
	err := from.Get(ctx, key, o)
	r := &Run{object: o, gvk: v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), spec: o.Spec.CustomRunSpec(), status: &o.Status, template: o.Spec.PodTemplate}
	if o.Spec.Ref != nil {
		r.namespace = o.Spec.Ref.Namespace
	}
	return r, err
}

// ReadCustomRun reads a CustomRun.
func ReadCustomRun(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error) {
	o := &v1beta1.CustomRun{}
	err := from.Get(ctx, key, o)
	return &Run{object: o, gvk: v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), status: &o.Status, spec: o.Spec}, err
}

// soon is when to try again after trouble. The back-off of a work queue grows to minutes, in which no timeout would be kept.
const soon = time.Second

// Reconcile implements reconcile.Reconciler. It is one pass: read, decide, write the status once.
func (c *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	// Most runs are another controller's, or over, which the cache can tell. What is decided on comes from the API server.
	r, err := c.Read(ctx, c.Client, request.NamespacedName)
	if err == nil && r.open() {
		r, err = c.Read(ctx, c.Reader, request.NamespacedName)
	}
	if apierrors.IsNotFound(err) || err == nil && !r.open() {
		return reconcile.Result{}, nil
	} else if err != nil {
		return reconcile.Result{RequeueAfter: soon}, nil //nolint:nilerr // it is tried again, without a back-off
	}
	before := r.status.DeepCopy()
	r.now = metav1.NewTime(c.Clock.Now())
	r.pod = client.ObjectKey{Namespace: request.Namespace, Name: childname.Of(request.Name, fmt.Sprintf("-pod%d", len(r.status.RetriesStatus)))}
	again, err := c.advance(ctx, r)
	if err == nil && !equality.Semantic.DeepEqual(before, r.status) {
		err = c.Client.Status().Update(ctx, r.object)
	}
	if err != nil {
		if !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
			c.Recorder.Event(r.object, corev1.EventTypeWarning, "InternalError", err.Error())
		}
		again = soon
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// open reports whether the run is this controller's, and not over.
func (r *Run) open() bool {
	return r.kind() != "" && !r.status.IsDone() && r.object.GetDeletionTimestamp() == nil
}

// kind is the kind of custom task that the run asks for, or "" if another controller has it.
func (r *Run) kind() string {
	of := r.spec.TaskType()
	if _, ok := Kinds[of.Kind]; !ok || of.GroupVersion() != GroupVersion {
		return ""
	}
	return of.Kind
}

// advance brings a run one step further, and says when to look at it again if nothing happens.
func (c *Reconciler) advance(ctx context.Context, r *Run) (time.Duration, error) {
	timeout, cancelled := r.spec.GetTimeout(), r.spec.IsCancelled()
	if r.status.StartTime == nil {
		r.status.StartTime = &r.now
		if !cancelled {
			return 0, c.begin(ctx, r) // the write of the status calls for the next pass
		}
	}
	if cancelled || v1beta1.RunTimedOut(r.status.StartTime, timeout, r.now.Time) {
		stopped, err := c.stop(ctx, r) // first clean up, then tell
		switch {
		case !stopped:
			r.running("Waiting for the Pod to stop")
		case cancelled:
			r.tell(r.status, corev1.ConditionFalse, r.gvk.Kind+"Cancelled", cmp.Or(string(r.spec.StatusMessage), "The run was cancelled"))
		default:
			r.failed(r.gvk.Kind+"TimedOut", fmt.Sprintf("It took longer than %s", timeout))
		}
		return soon, err
	}
	again, err := c.work(ctx, r)
	left := r.status.StartTime.Add(timeout).Sub(r.now.Time) + time.Nanosecond
	if timeout != 0 && (again == 0 || left < again) {
		again = left
	}
	return again, err
}

// began is when the attempt began. The start time of a Run is that of its first one.
func (r *Run) began() time.Time {
	if n := len(r.status.RetriesStatus); n > 0 && r.status.RetriesStatus[n-1].CompletionTime != nil {
		return r.status.RetriesStatus[n-1].CompletionTime.Time
	}
	return r.status.StartTime.Time
}

// tell has a status say how it is. One that is not Unknown is the end.
func (r *Run) tell(s *v1beta1.CustomRunStatus, status corev1.ConditionStatus, reason, message string) {
	s.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}, r.now)
	if status != corev1.ConditionUnknown {
		s.CompletionTime = &r.now
	}
}

func (r *Run) running(message string) { r.tell(r.status, corev1.ConditionUnknown, "Running", message) }

// failed ends the attempt. As long as there is another one the condition stays Unknown, and the past one is archived.
// The timeout of a Run bounds all attempts together, and that of a CustomRun each.
func (r *Run) failed(reason, message string) {
	whole := r.gvk.Kind == v1alpha1.KindRun
	if len(r.status.RetriesStatus) >= min(r.spec.Retries, mostRetries) || whole && reason == r.gvk.Kind+"TimedOut" {
		r.tell(r.status, corev1.ConditionFalse, reason, message)
		return
	}
	past := v1beta1.CustomRunStatus{CustomRunStatusFields: v1beta1.CustomRunStatusFields{StartTime: new(metav1.NewTime(r.began()))}}
	r.tell(&past, corev1.ConditionFalse, reason, message)
	r.status.RetriesStatus = append(r.status.RetriesStatus, past)
	if !whole {
		r.status.StartTime = &r.now
	}
	r.running("Trying again after a failure: " + message)
}
