// Package pipelinerun reconciles PipelineRuns: it makes a TaskRun, a Run or a CustomRun for each task of a Pipeline when that is
// due, follows them, and writes what it sees into the status of the PipelineRun (spec of Pipelines §2).
//
// One reconcile is one pass; package pass has what passes over runs of all kinds share. What is decided without the cluster is in
// packages of its own (pipelinegraph, progress, substitution, fit) and in the pure files of this one:
//
//	timeouts.go     which timeouts have passed, and when to look again
//	validation.go   whether a Pipeline and its run fit together
//	metadata.go     labels and annotations
//	child.go        from a task to the TaskRun, Run or CustomRun that it makes
//	status.go       from the children to the status
//
// The shell around them:
//
//	controller.go   what is watched, and which rights that takes
//	pass.go         the order of things in one reconcile
//	plan.go         from the PipelineRun to the Pipeline with its variables replaced
//	remote.go       Pipelines and Tasks of resolvers and of bundles
//	children.go     finding, making and ending children
//	workspace.go    claims, and the affinity assistants that keep their users together
//
// # Staleness
//
// The name of a child is derived from the PipelineRun and the task. So a child that was made but not recorded, because the
// controller died in between or the answer was lost, is found again, and is not made twice. Before a task is taken for one that
// never began, the API server is asked, and not the cache. An object that has the name but another owner is never touched.
//
// # Memory
//
// status.pipelineSpec is the Pipeline with its variables replaced, as it was when the run began; later changes of the Pipeline do not
// count. Tasks whose children the API server refuses for good are remembered under [ProblemsAnnotation] in the annotations of the
// status.
package pipelinerun

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// ProblemsAnnotation is the key, in the annotations of the status, of the tasks whose children cannot be made.
const ProblemsAnnotation = "plumbline.dev/problems"

// Reconciler reconciles PipelineRuns. It has no state of its own.
type Reconciler struct{ deps reconciler.Deps }

var _ reconcile.Reconciler = (*Reconciler)(nil)

// New makes a Reconciler.
func New(deps reconciler.Deps) *Reconciler {
	if deps.Revision == "" {
		deps.Revision = "unknown"
	}
	return &Reconciler{deps: deps}
}

// Reconcile takes one PipelineRun as far as it can go now. It has to be called again when the PipelineRun or one of its children
// changes, as [Controller] says, and when the result says so.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	stored, ok, err := kind().Read(ctx, r.deps, request)
	if !ok {
		return reconcile.Result{}, err
	}
	return newPass(r.deps, stored).run(ctx)
}
