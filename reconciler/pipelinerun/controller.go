package pipelinerun

import (
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

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
			{Kind: v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun)},
			{Kind: v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), Label: v1beta1.LabelPipelineRun},
			{Kind: v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), Label: v1beta1.LabelPipelineRun},
		},
		Unwatched: []schema.GroupVersionKind{
			corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), appsv1.SchemeGroupVersion.WithKind("StatefulSet"),
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
		},
		Tenant: []rbacv1.PolicyRule{
			rule(v1beta1.Group, []string{"get", "patch"}, "pipelineruns"),
			rule(v1beta1.Group, []string{"update"}, "pipelineruns/status", "pipelineruns/finalizers"),
			rule(v1beta1.Group, []string{"get"}, "pipelines", "tasks"),
			rule(v1beta1.Group, []string{"get", "create", "patch"}, "taskruns", "runs", "customruns"),
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
