package pipelinerun

import (
	"maps"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
)

// Controller declares the reconciler of PipelineRuns.
func Controller() reconciler.Controller {
	return reconciler.Controller{
		Name:       "pipelinerun",
		For:        kind().GVK,
		Predicates: []predicate.Predicate{pass.Predicate[*v1beta1.PipelineRun](nil)},
		Owns: []reconciler.Owned{
			{Kind: v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun), Predicates: []predicate.Predicate{predicate.Funcs{CreateFunc: begun, UpdateFunc: turned}}},
			{Kind: v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), Label: v1beta1.LabelPipelineRun},
			{Kind: v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), Label: v1beta1.LabelPipelineRun},
			{Kind: resolution.GroupVersion.WithKind(resolution.KindResolutionRequest)},
		},
		Unwatched: []schema.GroupVersionKind{
			corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), corev1.SchemeGroupVersion.WithKind("Secret"), corev1.SchemeGroupVersion.WithKind("ServiceAccount"), appsv1.SchemeGroupVersion.WithKind("StatefulSet"),
		},
		Needs: needs(),

		EventSource: "PipelineRun",
		Metrics:     &reconciler.Metrics{Label: "pipeline", Of: pipelineName, Cancelled: v1beta1.PipelineRunReasonCancelled},
		New:         func(deps reconciler.Deps) reconcile.Reconciler { return New(deps) },
	}
}

// needs are the rights that it takes to run PipelineRuns. Where TaskRuns may be made, PipelineRuns are run.
func needs() reconciler.Needs {
	rule := func(group string, verbs []string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
	}
	return reconciler.Needs{
		Cluster: []rbacv1.PolicyRule{
			rule(v1beta1.Group, []string{"get", "list", "watch"}, "pipelineruns", "pipelines", "taskruns", "tasks", "clustertasks", "runs", "customruns"),
			rule(resolution.Group, []string{"get", "list", "watch"}, "resolutionrequests"),
		},
		Tenant: []rbacv1.PolicyRule{
			rule(v1beta1.Group, []string{"get", "patch"}, "pipelineruns"),
			rule(v1beta1.Group, []string{"update"}, "pipelineruns/status", "pipelineruns/finalizers"),
			rule(v1beta1.Group, []string{"get"}, "pipelines", "tasks"),
			rule(v1beta1.Group, []string{"get", "create", "patch"}, "taskruns", "runs", "customruns"),
			rule(resolution.Group, []string{"get", "create"}, "resolutionrequests"),
			rule("", []string{"get"}, "serviceaccounts", "secrets"),
			rule("", []string{"get", "create"}, "persistentvolumeclaims"),
			rule("apps", []string{"get", "create", "delete"}, "statefulsets"),
			rule("", []string{"create", "patch"}, "events"),
		},
		Tenancy: authorizationv1.ResourceAttributes{Verb: "create", Group: v1beta1.Group, Resource: "taskruns"},
	}
}

// pipelineName is the name of the Pipeline that a run refers to.
func pipelineName(run reconciler.Run) string {
	if pr, ok := run.(*v1beta1.PipelineRun); ok && pr.Spec.PipelineRef != nil {
		return pr.Spec.PipelineRef.Name
	}
	return ""
}

// begun reports whether a TaskRun that is seen for the first time has a status. One without a status tells its PipelineRun nothing,
// since that has just made it, and a large run would be looked at once for each of its children before any of them has begun.
func begun(e event.CreateEvent) bool {
	tr, ok := e.Object.(*v1beta1.TaskRun)
	return !ok || tr.Status.Succeeded() != nil
}

// turned reports whether a TaskRun began to run, was tried again, ended, or is wanted otherwise. Nothing else that happens to it
// takes its PipelineRun further, and a large run would spend most of its time on copying what its Steps are at.
func turned(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1beta1.TaskRun)
	after, too := e.ObjectNew.(*v1beta1.TaskRun)
	if !ok || !too {
		return true
	}
	return before.UID != after.UID || before.Generation != after.Generation ||
		before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero() || !maps.Equal(before.Labels, after.Labels) ||
		running(before) != running(after) || before.Status.IsDone() != after.Status.IsDone() ||
		len(before.Status.RetriesStatus) != len(after.Status.RetriesStatus)
}

func running(tr *v1beta1.TaskRun) bool {
	c := tr.Status.Succeeded()
	return c != nil && c.Reason == v1beta1.TaskRunReasonRunning
}
