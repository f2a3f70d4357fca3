package taskrun

import (
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// Controller declares the reconciler of TaskRuns.
func Controller() reconciler.Controller {
	core := corev1.SchemeGroupVersion.WithKind
	return reconciler.Controller{
		Name:       "taskrun",
		For:        kind().GVK,
		Predicates: []predicate.Predicate{changes()},
		Owns: []reconciler.Owned{
			{Kind: core("Pod"), Label: v1beta1.LabelTaskRun},
			{Kind: resolution.GroupVersion.WithKind(resolution.KindResolutionRequest)},
		},
		Unwatched: []schema.GroupVersionKind{core("Secret"), core("ServiceAccount"), core("LimitRange"), core("PersistentVolumeClaim")},
		Needs:     needs(),

		EventSource: "TaskRun",
		Metrics:     &reconciler.Metrics{Label: "task", Of: taskName, Cancelled: v1beta1.TaskRunReasonCancelled},
		New:         func(deps reconciler.Deps) reconcile.Reconciler { return New(deps) },
	}
}

// changes are those that need another pass although a pass made them, besides the end of the run: the next attempt, and an
// image that cannot be pulled.
func changes() predicate.Predicate {
	return pass.Predicate(func(before, after *v1beta1.TaskRun) bool {
		return before.Attempt() != after.Attempt() || podstatus.PullFailure(after) != ""
	})
}

// needs are the rights that it takes to run TaskRuns. Where Pods may be made, TaskRuns are run.
func needs() reconciler.Needs {
	rule := func(group string, verbs []string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
	}
	return reconciler.Needs{
		Cluster: []rbacv1.PolicyRule{
			rule(v1beta1.Group, []string{"get", "list", "watch"}, "taskruns", "tasks", "clustertasks"),
			rule(resolution.Group, []string{"get", "list", "watch"}, "resolutionrequests"),
			rule("", []string{"list", "watch"}, "pods"),
		},
		Tenant: []rbacv1.PolicyRule{
			rule(v1beta1.Group, []string{"get", "patch"}, "taskruns"),
			rule(v1beta1.Group, []string{"update"}, "taskruns/status", "taskruns/finalizers"),
			rule(v1beta1.Group, []string{"get"}, "tasks"),
			rule(resolution.Group, []string{"get", "create"}, "resolutionrequests"),
			rule("", []string{"get", "create", "patch", "delete"}, "pods"),
			rule("", []string{"get"}, "pods/log", "serviceaccounts", "secrets"),
			rule("", []string{"get", "create"}, "persistentvolumeclaims"),
			rule("", []string{"list"}, "limitranges"),
			rule("", []string{"create", "patch"}, "events"),
		},
		Tenancy: authorizationv1.ResourceAttributes{Verb: "create", Resource: "pods"},
	}
}

// taskName is the name of the Task that a run refers to.
func taskName(run reconciler.Run) string {
	if tr, ok := run.(*v1beta1.TaskRun); ok && tr.Spec.TaskRef != nil {
		return tr.Spec.TaskRef.Name
	}
	return ""
}
