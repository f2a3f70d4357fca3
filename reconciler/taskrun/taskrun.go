// Package taskrun reconciles TaskRuns: it makes a Pod for each attempt, follows it, and writes what it sees into the
// status of the TaskRun (spec §3).
//
// One reconcile is one [pass]: it reads the TaskRun, decides, does what has to be done to Pods, and writes metadata and
// status, each at most once and only if they changed. What is decided without the cluster is in packages of its own
// (resolve, substitution, podspec, podstatus) and in the pure files of this one:
//
//	lifecycle.go    start, timeout, cancellation, retries: what becomes of a status
//	validation.go   whether a Task and its TaskRun fit together
//	verdict.go      what an error means: the end of the attempt, a wait, or another try
//	metadata.go     labels and annotations
//
// The shell around them:
//
//	pass.go         the order of things in one reconcile
//	plan.go         from the TaskRun to what its Pod is made of
//	pod.go          finding, creating, starting and deleting the Pod
//	sidecars.go     stopping Sidecars when the Steps are over
//	write.go        storing metadata and status, and recording events
//
// # Staleness
//
// What a pass reads may be old, and the controller may die between any two writes. So:
//
//   - the name of an attempt's Pod is derived from the TaskRun: a Pod that was created but not recorded is found again;
//   - before something is created or deleted, the TaskRun is read from the API server, and the pass ends if it is not the
//     one that was decided on: the newer one will come;
//   - a write of status carries the version that was read, so a decision made on an old one is never stored, and events
//     are recorded only after the status they tell about is;
//   - what the cache does not have is asked of the API server before its absence is believed.
//
// # Time
//
// Times are stored in whole seconds. An attempt's time counts from its stored startTime, and it has timed out when that
// much has passed exactly: with a timeout of one hour, a run that starts at 12:00:00 ends at 13:00:00.
//
// # Substitution
//
// A run keeps the Task it began with. Until the Pod of an attempt exists, status.taskSpec holds the Task as it was found,
// then what the Pod was made from, with all variables replaced. Every attempt starts from the Task as it was found, so
// that variables of the attempt have their own values: an embedded Task is in the TaskRun's spec, and that of a taskRef is
// kept under [TaskSpecAnnotation] in the annotations of the status as long as there may be another attempt.
//
// # Limits
//
// Tasks of bundles and resolvers, PipelineResources and the verification of signatures are not supported: a run that asks
// for the former fails with a message that says so. No cloud events are sent, and status.provenance stays empty, since
// Tasks of the cluster have no source.
package taskrun

import (
	"context"
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/client"
	changed "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// Reconciler reconciles TaskRuns. It has no state of its own.
type Reconciler struct{ deps reconciler.Deps }

var _ reconcile.Reconciler = (*Reconciler)(nil)

// New makes a Reconciler.
func New(deps reconciler.Deps) *Reconciler {
	if deps.Revision == "" {
		deps.Revision = "unknown"
	}
	return &Reconciler{deps: deps}
}

// Predicate lets pass which changes of TaskRuns have to be reconciled. What a pass writes into the status is news to
// nobody, unless more follows from it: the next attempt, the end, an image to be given up.
func Predicate() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e changed.UpdateEvent) bool {
		old, now := e.ObjectOld, e.ObjectNew
		if old.GetGeneration() != now.GetGeneration() || old.GetUID() != now.GetUID() ||
			(old.GetDeletionTimestamp() == nil) != (now.GetDeletionTimestamp() == nil) ||
			!maps.Equal(old.GetLabels(), now.GetLabels()) || !maps.Equal(old.GetAnnotations(), now.GetAnnotations()) {
			return true
		}
		before, ok := old.(*v1beta1.TaskRun)
		after, too := now.(*v1beta1.TaskRun)
		if !ok || !too {
			return true
		}
		return before.Attempt() != after.Attempt() || before.Status.IsDone() != after.Status.IsDone() || podstatus.PullFailure(after) != ""
	}}
}

// Reconcile takes one TaskRun as far as it can go now. It has to be called again when the TaskRun changes in a way that
// [Predicate] lets pass, when its Pod changes, and when the result says so.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	stored := &v1beta1.TaskRun{}
	if err := r.deps.Client.Get(ctx, request.NamespacedName, stored); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if stored.DeletionTimestamp != nil {
		return reconcile.Result{}, nil // its Pods are collected through their owner reference
	}
	return newPass(r.deps, stored).run(ctx)
}
