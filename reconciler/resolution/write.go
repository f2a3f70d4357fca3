package resolution

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
)

// soon is when to look again at a request of which an old version was read. Mostly the arrival of the new one asks for it itself.
const soon = 50 * time.Millisecond

// afterWrite is what follows from a write that was not stored.
func afterWrite(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: soon}, nil
	}
	return reconcile.Result{}, client.IgnoreNotFound(err)
}

// writes is how often a result is tried to be stored while others write, too. What it took to get it is not done again.
const writes = 5

// store writes a result into the present state of a request, unless that is answered by now or is another one.
func (a *answers) store(ctx context.Context, of *resolution.ResolutionRequest, result func(*resolution.ResolutionRequest)) error {
	var err error
	for range writes {
		request := &resolution.ResolutionRequest{}
		if err = a.deps.Reader.Get(ctx, client.ObjectKeyFromObject(of), request); err != nil {
			return client.IgnoreNotFound(err)
		}
		if request.UID != of.UID || answered(request) {
			return nil
		}
		result(request)
		if err = a.deps.Client.Status().Update(ctx, request); !apierrors.IsConflict(err) {
			return client.IgnoreNotFound(err)
		}
	}
	return err
}

// answered reports whether nothing is left to do for a resolver.
func answered(r *resolution.ResolutionRequest) bool {
	return r.DeletionTimestamp != nil || r.Status.IsDone() || r.Status.Data != ""
}
