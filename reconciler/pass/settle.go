package pass

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Ending is what a kind of run does at the end of its passes.
type Ending interface {
	// Fail ends the attempt.
	Fail(reason, message string)
	// Abandon ends the run with a status that is as small and plain as can be, since the API server refuses the one that the
	// pass arrived at. What the run has made ends later, in the passes of a run that is over.
	Abandon(ctx context.Context, message string) error
	// Retry makes room for another attempt after a failed one, if the run has one left, and reports whether it did.
	Retry() bool
}

// Settle ends a pass: it judges the error that the pass met, stores the run, records events, and says
// when to look again.
func (p *Pass[T]) Settle(ctx context.Context, err error, kind Ending) reconcile.Result {
	v := Judge(err)
	if v.Abandon {
		return Soon()
	}
	switch {
	case v.Fail != nil:
		kind.Fail(v.Fail.Reason, v.Fail.Error())
	case v.Wait != nil:
		SetUnknown(p.Run.CommonStatus(), v.Wait.Reason, v.Wait.Message, p.Now)
		p.WakeAt(p.Moment.Add(v.Wait.After))
	}
	retried := kind.Retry()
	p.eventOfChange(p.Before, p.Run.CommonStatus().Succeeded())
	if v.Warn != "" {
		p.events = append(p.events, pending{corev1.EventTypeWarning, v1beta1.EventReasonInternalError, v.Warn, v.Again})
	}
	stamp(p.Run, p.Deps.Revision)
	switch w := p.write(ctx); {
	case w == tooLate:
		return Soon()
	case w == unfit:
		return p.abandon(ctx, kind)
	case w == refused || v.Again:
		return p.later()
	}
	if retried || p.Run.CommonStatus().IsDone() || p.wake.IsZero() {
		return reconcile.Result{} // the write calls for the next pass, see Predicate
	}
	return p.sleep()
}

// later asks for another pass when the cluster may be out of trouble.
func (p *Pass[T]) later() reconcile.Result {
	began := p.Run.StartedAt()
	if created := p.Stored.GetCreationTimestamp(); p.Stored.StartedAt() == nil && !created.IsZero() {
		began = &created // no start was ever stored
	}
	p.WakeAt(p.Moment.Add(troubleDelay(began, p.Moment)))
	return p.sleep()
}

// abandon ends a run whose status cannot be stored.
func (p *Pass[T]) abandon(ctx context.Context, kind Ending) reconcile.Result {
	message := fmt.Sprintf("the API server does not store the status of the run: %v", p.refusal)
	switch err := kind.Abandon(ctx, message); {
	case Outdated(err):
		return Soon()
	case err != nil:
		return p.later()
	}
	p.events = nil
	p.eventOfChange(p.Before, p.Run.CommonStatus().Succeeded())
	switch p.write(ctx) {
	case stored:
		return reconcile.Result{}
	case tooLate:
		return Soon()
	default:
		return p.later()
	}
}

// SetUnknown makes the condition Succeeded Unknown.
func SetUnknown(s *v1beta1.Status, reason, message string, now metav1.Time) {
	s.SetCondition(v1beta1.Condition{
		Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionUnknown, Reason: reason, Message: message,
	}, now)
}

// Soon asks for another pass when the newer objects will have arrived. Mostly their arrival asks for it itself.
func Soon() reconcile.Result { return reconcile.Result{RequeueAfter: minTroubleDelay} }

// sleep asks for another pass when it is time to wake.
func (p *Pass[T]) sleep() reconcile.Result {
	return reconcile.Result{RequeueAfter: max(p.wake.Sub(p.Moment), time.Nanosecond)}
}
