// Package taskrun reconciles TaskRuns: it makes a Pod for each attempt, follows it, and writes what it sees into the
// status of the TaskRun (spec §3).
//
// One reconcile is one pass. What passes over runs of all kinds have in common is in package pass: reading, judging errors,
// writing once, telling events. This package decides what a TaskRun needs. What is decided without the cluster is in packages
// of its own (resolve, substitution, podspec, podstatus) and in the pure files of this one:
//
//	lifecycle.go    start, timeout, cancellation, retries: the next status
//	validation.go   whether a Task and its TaskRun fit together
//	metadata.go     labels and annotations
//
// The shell around them:
//
//	controller.go   what is watched, and which rights that takes
//	pass.go         the order of things in one reconcile
//	plan.go         from the TaskRun to what its Pod is made of
//	remote.go       Tasks of resolvers and of bundles
//	inforce.go      the Task of an attempt, as the status keeps it
//	pod.go          finding, creating, starting and deleting the Pod
//	sidecars.go     stopping Sidecars when the Steps are over
//
// # Staleness
//
// Package pass says how passes cope with old reads. Beside that, the name of an attempt's Pod is derived from the TaskRun, so
// that a Pod that was created but not recorded, because the controller died in between, is found again.
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
// PipelineResources and the verification of signatures are not supported. No cloud events are sent.
package taskrun

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/reconciler"
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

// Reconcile takes one TaskRun as far as it can go now. It has to be called again when the TaskRun or its Pod changes,
// as [Controller] says, and when the result says so.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	stored, ok, err := kind().Read(ctx, r.deps, request)
	if !ok {
		return reconcile.Result{}, err
	}
	return newPass(r.deps, stored).run(ctx)
}
