// Package pass is one reconcile of one run, of whatever kind: it reads the run, leaves it to the kind to decide, and then
// judges what went wrong, writes metadata and status, each at most once and only if they changed, and records events.
//
//	pass.go       what a pass has, and how it reads
//	verdict.go    what an error means: the end of the attempt, a wait, or another try
//	settle.go     the end of a pass: the verdict, the writes, and when to look again
//	write.go      storing metadata and status, and recording events
//	predicate.go  which changes of a run call for another pass
//
// A reconciler of a kind embeds a [Pass] in a type of its own that says how the kind goes on:
//
//	stored, ok, err := kind.Read(ctx, deps, request)
//	if !ok {
//		return reconcile.Result{}, err
//	}
//	p := &taskRunPass{Pass: pass.New(deps, kind, stored)}
//	p.Run = … // a copy to work on
//	return p.Settle(ctx, p.advance(ctx), p), nil
//
// # Staleness
//
// What a pass reads may be old, and the controller may die between any two writes. So:
//
//   - before something is created or deleted, [Pass.Confirm] reads the run from the API server, and ends the pass if it is not
//     the one that was decided on: the newer one will come;
//   - a write of status carries the version that was read, so a decision made on an old one is never stored, and events
//     are recorded only after the status that they tell about is stored;
//   - [Pass.Get] asks the API server for what the cache does not have, since the cache may be behind.
//
// # Limits
//
// The status has to have a condition of type Succeeded, by which a run is done or not.
package pass

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// Kind is a kind of runs.
type Kind[T reconciler.Run] struct {
	GVK schema.GroupVersionKind
	// New returns an empty object.
	New func() T
}

// Pass is one reconcile of one run of type T, a pointer to an object.
type Pass[T reconciler.Run] struct {
	Deps reconciler.Deps
	// Config is the configuration that the pass goes by.
	Config config.Config
	// Stored is the run as it was read, which must not be changed. Run is the same run, changed as the pass decides; it begins as Stored.
	Stored, Run T
	// Moment is when the pass happens. Now is the same as statuses store it, in whole seconds.
	Moment time.Time
	Now    metav1.Time
	// Before is the condition Succeeded of which Settle records a change, or nil.
	Before *v1beta1.Condition

	kind Kind[T]
	// wake is when to look again if nothing happens. It is zero if that is not needed.
	wake   time.Time
	events []pending
	// refusal is why a write cannot be stored.
	refusal error
}

// New begins a pass over a run that was read.
func New[T reconciler.Run](deps reconciler.Deps, kind Kind[T], stored T) Pass[T] {
	moment := deps.Clock.Now()
	return Pass[T]{
		Deps:   deps,
		Config: deps.Config(),
		Stored: stored,
		Run:    stored,
		Moment: moment,
		Now:    metav1.NewTime(moment.UTC().Truncate(time.Second)),
		kind:   kind,
	}
}

// Read reads the run that a request names. It reports false if there is nothing to reconcile: the run is gone or is being
// deleted, in which case what it owns is collected through owner references, or it cannot be read.
func (k Kind[T]) Read(ctx context.Context, deps reconciler.Deps, request reconcile.Request) (run T, ok bool, err error) {
	run = k.New()
	if err := deps.Client.Get(ctx, request.NamespacedName, run); err != nil {
		return run, false, client.IgnoreNotFound(err)
	}
	return run, run.GetDeletionTimestamp() == nil, nil
}

// Get reads an object from the cache, and from the API server if the cache does not have it, since it may only not have
// arrived there.
func (p *Pass[T]) Get(ctx context.Context, key client.ObjectKey, object client.Object) error {
	err := p.Deps.Client.Get(ctx, key, object)
	if err == nil || !apierrors.IsNotFound(err) {
		return err
	}
	return p.Deps.Reader.Get(ctx, key, object)
}

// Confirm returns ErrStale unless the pass decides on the present state of the run. It is called before something is done
// that a newer state might forbid.
func (p *Pass[T]) Confirm(ctx context.Context) error {
	live := &metav1.PartialObjectMetadata{} // the whole run may be large
	live.SetGroupVersionKind(p.kind.GVK)
	err := p.Deps.Reader.Get(ctx, client.ObjectKeyFromObject(p.Stored), live)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if err != nil || live.GetUID() != p.Stored.GetUID() || live.GetResourceVersion() != p.Stored.GetResourceVersion() {
		return ErrStale
	}
	return nil
}

// WakeAt has the pass repeated at that time at the latest. The zero time asks for nothing.
func (p *Pass[T]) WakeAt(t time.Time) {
	if !t.IsZero() && (p.wake.IsZero() || t.Before(p.wake)) {
		p.wake = t
	}
}
