package reconciler

import (
	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Controller declares a reconciler: what it is for, what wakes it, which rights it needs, and what is told about it. Package
// controllers lists those of all kinds; whatever runs reconcilers, or describes their rights, goes by that list.
type Controller struct {
	// Name names the controller in logs, traces and metrics.
	Name string
	// For is the kind that is reconciled. Predicates say which of its changes count: those that all of them let pass.
	For        schema.GroupVersionKind
	Predicates []predicate.Predicate
	// Owns are kinds whose changes wake their controlling owner.
	Owns []Owned
	// Watches are kinds whose changes wake what Map returns.
	Watches []Watch
	// Unwatched are kinds that are read through Deps.Client without a right to watch them, so a cache must not hold them.
	Unwatched []schema.GroupVersionKind
	Needs     Needs
	// EventSource is the component that events come from.
	EventSource string
	// Metrics says how runs are measured. It is nil if For is not a kind of runs.
	Metrics *Metrics
	New     func(Deps) reconcile.Reconciler
}

// Owned is a kind that a controller owns objects of.
type Owned struct {
	Kind schema.GroupVersionKind
	// Label, if any, is a key that all owned objects have, with the name of their owner. Objects without it need not be watched.
	Label string
	// Predicates say which changes of an owned object count: those that all of them let pass.
	Predicates []predicate.Predicate
}

// Watch makes a controller reconcile what Map returns for each changed object of a kind: for both its old and its new state.
type Watch struct {
	Kind schema.GroupVersionKind
	Map  func(client.Object) []reconcile.Request
}

// Needs are the rights that a controller needs.
type Needs struct {
	// Cluster are needed in the whole cluster: for what is watched.
	Cluster []rbacv1.PolicyRule
	// Tenant are needed in each namespace where runs are reconciled.
	Tenant []rbacv1.PolicyRule
	// Tenancy is the right among those of Tenant by which a program knows that a namespace is its tenant. Namespace is empty.
	Tenancy authorizationv1.ResourceAttributes
}

// Metrics says how runs of a kind are measured.
type Metrics struct {
	// Label is the name of the label that says what was run, such as task. Of returns its value for a run, or "" if the run
	// has a definition of its own.
	Label string
	Of    func(Run) string
	// Cancelled is the reason of the condition Succeeded of a run that was cancelled.
	Cancelled string
}
