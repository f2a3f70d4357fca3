package controllers

import (
	"maps"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/customrun"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// WithExamples returns the controllers of this repository, with these resolvers, and those of the example custom tasks, which no
// cluster needs.
func WithExamples(resolvers ...resolver.Resolver) []reconciler.Controller {
	return append(All(resolvers...), Examples()...)
}

// Examples returns the controllers of the example custom tasks: one of Runs, and one of CustomRuns.
func Examples() []reconciler.Controller {
	return []reconciler.Controller{
		example("example-run", v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), func(d reconciler.Deps) reconcile.Reconciler {
			return &customrun.Reconciler{Deps: d, Read: customrun.ReadRun}
		}),
		example("example-customrun", v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), func(d reconciler.Deps) reconcile.Reconciler {
			return &customrun.Reconciler{Deps: d, Read: customrun.ReadCustomRun}
		}),
	}
}

// ExampleKinds are the kinds of the example custom tasks, with their names as resources.
func ExampleKinds() map[string]string {
	out := map[string]string{}
	for kind := range customrun.Kinds {
		out[kind] = strings.ToLower(kind) + "s"
	}
	return out
}

func example(name string, of schema.GroupVersionKind, made func(reconciler.Deps) reconcile.Reconciler) reconciler.Controller {
	rule := func(group string, verbs []string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
	}
	return reconciler.Controller{
		Name: name, For: of, EventSource: "ExampleTask", New: made,
		Owns: []reconciler.Owned{{Kind: corev1.SchemeGroupVersion.WithKind("Pod")}},
		Needs: reconciler.Needs{
			Cluster: []rbacv1.PolicyRule{
				rule(v1beta1.Group, []string{"get", "list", "watch"}, "runs", "customruns"),
				rule("", []string{"list", "watch"}, "pods"),
			},
			Tenant: []rbacv1.PolicyRule{
				rule(v1beta1.Group, []string{"update"}, "runs/status", "runs/finalizers", "customruns/status", "customruns/finalizers"),
				rule(customrun.GroupVersion.Group, []string{"get"}, slices.Sorted(maps.Values(ExampleKinds()))...),
				rule("", []string{"get", "create", "delete"}, "pods"),
				rule("", []string{"create", "patch"}, "events"),
			},
			Tenancy: authorizationv1.ResourceAttributes{Verb: "create", Resource: "pods"},
		},
	}
}
