// Package customrun is an exemplary controller of custom tasks: of the kinds of its own group example.plumbline.dev, asked for by
// Runs and CustomRuns alike. It does what the documentation of Runs demands and recommends, and is meant to be copied;
// docs/custom-tasks.md walks through it.
//
//	customrun.go  the kinds, and one pass: read, decide, write the status once
//	run.go        what Run and CustomRun have in common, and how attempts end
//	task.go       the custom tasks' own fields and their validation, and the Pod of a PodTask
//	kinds.go      the kinds as resources, for those who serve them
//
// Nothing is kept in memory: the controller may be killed at any time. A status is written with the version of the run that was
// read, so what was decided on an old one is never stored.
package customrun

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// GroupVersion is where the kinds are.
var GroupVersion = schema.GroupVersion{Group: "example.plumbline.dev", Version: "v1alpha1"}

// The kinds. Objects of them have settings in their spec, and a run may refer to one by name.
const (
	KindWait         = "Wait"         // succeeds after a duration
	KindFail         = "Fail"         // fails with a message
	KindSucceedAfter = "SucceedAfter" // fails as many attempts as it has failures, and then succeeds
	KindEcho         = "Echo"         // reports its settings as results
	KindPodTask      = "PodTask"      // runs an image; the container's termination message is the result output
)

// Reconciler reconciles Runs or CustomRuns.
type Reconciler struct {
	reconciler.Deps
	// Read reads an object from somewhere.
	Read func(ctx context.Context, from client.Reader, key client.ObjectKey) (*Run, error)
}

// soon is when to try again after trouble. The back-off of a work queue grows to minutes, in which no timeout would be kept.
const soon = time.Second

// Reconcile implements reconcile.Reconciler. It is one pass.
func (c *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	var r *Run
	var err error
	// Most runs are another controller's, or over, which the cache can tell. What is decided on comes from the API server: the cache may be behind.
	for _, from := range []client.Reader{c.Client, c.Reader} {
		if r, err = c.Read(ctx, from, request.NamespacedName); err != nil {
			if apierrors.IsNotFound(err) {
				return reconcile.Result{}, nil
			}
			return reconcile.Result{RequeueAfter: soon}, nil
		}
		if r.kind() == "" || r.status.IsDone() || r.object.GetDeletionTimestamp() != nil {
			return reconcile.Result{}, nil
		}
	}
	before := r.status.DeepCopy()
	again, err := c.advance(ctx, r)
	if err == nil {
		err = r.remember()
	}
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

// advance brings a run one step further, and says when to look at it again if nothing happens.
func (c *Reconciler) advance(ctx context.Context, r *Run) (time.Duration, error) {
	moment := c.Clock.Now()
	r.now = metav1.NewTime(moment.UTC().Truncate(time.Second))
	late := v1beta1.RunTimedOut(r.status.StartTime, r.spec.GetTimeout(), moment)
	if cancelled := r.spec.IsCancelled(); cancelled || late {
		stopped, err := c.stop(ctx, r) // first clean up, then tell
		switch {
		case err != nil:
			return 0, err
		case !stopped:
			r.running("Waiting for the Pod to stop")
		case cancelled:
			r.conclude(corev1.ConditionFalse, r.words.cancelled, cmp.Or(string(r.spec.StatusMessage), "The run was cancelled"))
		default:
			r.failed(r.words.timedOut, fmt.Sprintf("It took longer than %s", r.spec.GetTimeout()))
		}
		return soon, nil
	}
	if r.status.StartTime == nil {
		return 0, c.begin(ctx, r) // the write of the status calls for the next pass
	}
	again, err := c.work(ctx, r, moment)
	left := r.status.StartTime.Add(r.spec.GetTimeout()).Sub(moment) + time.Nanosecond
	if r.spec.GetTimeout() != 0 && (again == 0 || left < again) {
		again = left
	}
	return again, err
}

// begin validates a run. A mistake of the user ends it, and is told in its status: no webhook knows what this controller asks for.
func (c *Reconciler) begin(ctx context.Context, r *Run) error {
	refuse := func(reason, format string, args ...any) {
		r.conclude(corev1.ConditionFalse, reason, fmt.Sprintf(format, args...))
	}
	for i := range r.spec.Workspaces {
		if w := &r.spec.Workspaces[i]; r.kind() != KindPodTask || w.VolumeClaimTemplate != nil {
			refuse(r.words.workspace, "workspace %s: only kind PodTask takes workspaces, and no volumeClaimTemplate", w.Name)
			return nil
		}
	}
	if r.template != nil && r.kind() != KindPodTask {
		refuse(r.words.template, "kind %s makes no Pod, and takes no podTemplate", r.kind())
		return nil
	}
	spec, err := c.specOf(ctx, r)
	if apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
		refuse("CouldntGetTask", "%s %q cannot be had: %v", r.kind(), r.spec.CustomRef.Name, err)
		return nil
	} else if err != nil {
		return err
	}
	if r.memory.Settings, err = configure(r.kind(), spec, r.spec.Params); err != nil {
		refuse("ValidationFailed", "%v", err)
		return nil
	}
	r.status.StartTime, r.memory.Began = &r.now, r.now
	r.set(corev1.ConditionUnknown, "Started", "The "+r.kind()+" has started")
	return nil
}

// work does what the run asks for, and says when to look at it again if nothing happens.
func (c *Reconciler) work(ctx context.Context, r *Run, moment time.Time) (time.Duration, error) {
	succeed := func(results ...v1beta1.CustomRunResult) {
		r.status.Results = results
		r.conclude(corev1.ConditionTrue, "Succeeded", "Execution was successful")
	}
	fail := func(message string) { r.failed("Failed", message) }
	s := r.memory.Settings
	duration, failures, _ := s.numbers() // they were valid when the run began
	switch r.kind() {
	case KindWait:
		if left := r.memory.Began.Add(duration).Sub(moment); left > 0 {
			r.running("Waiting for " + duration.String())
			return left, nil
		}
		succeed()
	case KindFail:
		fail(cmp.Or(s["message"].StringVal, "It was asked to fail"))
	case KindSucceedAfter:
		if n := len(r.status.RetriesStatus); n < failures {
			fail(fmt.Sprintf("It succeeds after %d failures", failures))
		} else {
			succeed(v1beta1.CustomRunResult{Name: "attempts", Value: fmt.Sprint(n + 1)})
		}
	case KindEcho:
		for _, name := range slices.Sorted(maps.Keys(s)) {
			r.status.Results = append(r.status.Results, v1beta1.CustomRunResult{Name: name, Value: s[name].StringVal})
		}
		succeed(r.status.Results...)
	case KindPodTask:
		pod, err := c.pod(ctx, r)
		switch {
		case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
			fail(err.Error())
		case err != nil:
			return 0, err
		case pod == nil:
			fail("The Pod " + podName(r) + " is gone, or was never this run's")
		case pod.Status.Phase == corev1.PodSucceeded:
			succeed(output(pod)...)
		case pod.Status.Phase == corev1.PodFailed:
			fail("The Pod " + pod.Name + " failed")
		default:
			r.running("The Pod " + pod.Name + " runs")
		}
	}
	return 0, nil
}
