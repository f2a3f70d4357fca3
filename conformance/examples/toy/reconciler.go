package toy

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Reconciler is the implementation as controller-runtime calls it.
type Reconciler struct {
	// Client reads from a cache, and writes.
	Client client.Client
	Clock  interface{ Now() time.Time }
}

var _ reconcile.Reconciler = (*Reconciler)(nil)

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
	run := &TaskRun{}
	if err := r.Client.Get(ctx, q.NamespacedName, run); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if run.DeletionTimestamp != nil || run.Status.Done() {
		return reconcile.Result{}, nil
	}
	pod := &corev1.Pod{}
	err := r.Client.Get(ctx, client.ObjectKey{Namespace: run.Namespace, Name: podName(run)}, pod)
	switch {
	case apierrors.IsNotFound(err):
		if pod = PodFor(run); pod == nil {
			return reconcile.Result{}, nil
		}
		if err := r.Client.Create(ctx, pod); err != nil && !apierrors.IsAlreadyExists(err) {
			return reconcile.Result{}, err
		}
		pod = nil
	case err != nil:
		return reconcile.Result{}, err
	}
	before := run.DeepCopy()
	status, again := Next(run, pod, r.Clock.Now())
	run.Status = status
	if expired(&status) {
		if err := r.Client.Delete(ctx, pod); client.IgnoreNotFound(err) != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{RequeueAfter: again}, r.Client.Status().Patch(ctx, run, client.MergeFrom(before))
}
