// Package resolution reconciles ResolutionRequests (spec of Pipelines §3.5): it says how they stand, and has resolvers answer those that
// are theirs.
//
//	resolution.go  the controllers, and which rights they need
//	requests.go    the state of a request, whatever answers it
//	answers.go     a resolver at work on a request
//	write.go       the one way in which a status is written
//
// The program that makes the controllers gives the resolvers; package resolver says what one is. A request whose resolver is none of them is
// for another program to answer, and times out if none does.
//
// # Staleness
//
// A write of a status carries the version that was read. A request that is done is never written again, so that an answer that comes too
// late changes nothing.
package resolution

import (
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	corev1 "k8s.io/api/core/v1"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Namespace is where the ConfigMaps of resolvers are, and FlagsName the name of the one that switches them on and off.
const (
	Namespace = "tekton-pipelines-resolvers"
	FlagsName = "resolvers-feature-flags"
)

// kind is the kind that is reconciled.
func kind() schema.GroupVersionKind {
	return resolution.GroupVersion.WithKind(resolution.KindResolutionRequest)
}

// Controllers declares the reconciler of requests, and one for each of these resolvers.
func Controllers(resolvers ...resolver.Resolver) []reconciler.Controller {
	out := []reconciler.Controller{{
		Name: "resolutionrequest", For: kind(), Needs: needs(), EventSource: "ResolutionRequest",
		New: func(deps reconciler.Deps) reconcile.Reconciler { return &requests{deps} },
	}}
	for _, r := range resolvers {
		out = append(out, reconciler.Controller{
			Name: "resolver-" + r.Type(), For: kind(), Needs: needsOf(r), EventSource: r.Name(),
			Predicates: []predicate.Predicate{predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetLabels()[resolution.LabelType] == r.Type() })},
			Unwatched:  []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("Secret"), corev1.SchemeGroupVersion.WithKind("ServiceAccount")},
			New:        func(deps reconciler.Deps) reconcile.Reconciler { return &answers{deps, r} },
		})
	}
	return out
}

// needs are the rights that it takes to say how requests stand, and to answer them.
func needs() reconciler.Needs {
	return reconciler.Needs{
		Cluster: []rbacv1.PolicyRule{{APIGroups: []string{resolution.Group}, Resources: []string{"resolutionrequests"}, Verbs: []string{"get", "list", "watch"}}},
		Tenant: []rbacv1.PolicyRule{
			{APIGroups: []string{resolution.Group}, Resources: []string{"resolutionrequests"}, Verbs: []string{"get"}},
			{APIGroups: []string{resolution.Group}, Resources: []string{"resolutionrequests/status"}, Verbs: []string{"update"}},
		},
		Tenancy: authorizationv1.ResourceAttributes{Verb: "update", Group: resolution.Group, Resource: "resolutionrequests", Subresource: "status"},
	}
}

// needsOf adds what a resolver reads.
func needsOf(r resolver.Resolver) reconciler.Needs {
	n := needs()
	if reads, ok := r.(resolver.Reading); ok {
		cluster, tenant := reads.Reads()
		n.Cluster, n.Tenant = append(n.Cluster, cluster...), append(n.Tenant, tenant...)
	}
	return n
}
