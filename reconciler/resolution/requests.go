package resolution

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// Timeout is how old a request may become without an answer.
const Timeout = time.Minute

// requests says how requests stand.
type requests struct{ deps reconciler.Deps }

// Reconcile implements reconcile.Reconciler.
func (r *requests) Reconcile(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
	stored := &resolution.ResolutionRequest{}
	if err := r.deps.Client.Get(ctx, q.NamespacedName, stored); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if stored.DeletionTimestamp != nil || stored.Status.IsDone() {
		return reconcile.Result{}, nil
	}
	now := r.deps.Clock.Now()
	c, left := standing(stored, now)
	if !stored.Status.Succeeded().Equivalent(&c) {
		request := stored.DeepCopy()
		set(request, c, now)
		if err := r.deps.Client.Status().Update(ctx, request); err != nil {
			return afterWrite(err)
		}
	}
	return reconcile.Result{RequeueAfter: left}, nil
}

// standing is the condition of a request that is not done, and how much time it has left. It has timed out when that much has passed
// exactly.
func standing(r *resolution.ResolutionRequest, now time.Time) (c v1beta1.Condition, left time.Duration) {
	left = r.CreationTimestamp.Add(Timeout).Sub(now)
	c.Type = v1beta1.ConditionSucceeded
	switch {
	case r.Status.Data != "":
		c.Status, left = corev1.ConditionTrue, 0
	case left <= 0:
		c = failed(resolution.ReasonTimedOut, "resolution took longer than global timeout of "+Timeout.String())
		left = 0
	default:
		c.Status, c.Reason, c.Message = corev1.ConditionUnknown, resolution.ReasonInProgress, "waiting for resolver"
	}
	return c, left
}

func failed(reason, message string) v1beta1.Condition {
	return v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// set stores a condition in a request.
func set(r *resolution.ResolutionRequest, c v1beta1.Condition, now time.Time) {
	r.Status.ObservedGeneration = r.Generation
	r.Status.SetCondition(c, metav1.NewTime(now.UTC().Truncate(time.Second)))
}
