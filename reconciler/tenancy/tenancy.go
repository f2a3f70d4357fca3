// Package tenancy keeps a program out of the namespaces in which it has no rights.
//
// The rights of the controllers are split in two roles. One is needed in the whole cluster; the other one in each namespace whose
// runs are reconciled, its tenants. An installation binds the second role everywhere, or in chosen namespaces.
package tenancy

import (
	"context"
	"fmt"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// How long an answer about rights is believed. Runs in a namespace that is not a tenant wait for as long.
const (
	AllowedFor = 5 * time.Minute
	DeniedFor  = 10 * time.Second
)

// Gate lets through the objects of namespaces in which the program has the rights of a tenant's role. It knows them by one
// right of that role, which the controller names. Elsewhere nothing is touched, not even a status: a run there is another
// controller's, or waits for the role to be bound. The API server is asked about all namespaces first, and then about each.
type Gate struct {
	Reconciler reconcile.Reconciler
	// Right is one of the tenant's role, without a namespace.
	Right  authorizationv1.ResourceAttributes
	Rights reconciler.Rights
	Now    func() time.Time

	mu    sync.Mutex
	known map[string]answer
}

// answer is what is known of a namespace.
type answer struct {
	allowed bool
	until   time.Time
}

// Reconcile implements reconcile.Reconciler.
func (g *Gate) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	for _, namespace := range []string{metav1.NamespaceAll, r.Namespace} {
		allowed, err := g.allowed(ctx, namespace)
		if err != nil {
			return reconcile.Result{}, fmt.Errorf("asking whether namespace %s is a tenant: %w", r.Namespace, err)
		}
		if allowed {
			return g.Reconciler.Reconcile(ctx, r)
		}
	}
	log.FromContext(ctx).V(1).Info("not a tenant: left alone")
	return reconcile.Result{RequeueAfter: DeniedFor}, nil
}

// allowed asks whether the program has the right in a namespace, or in all.
func (g *Gate) allowed(ctx context.Context, namespace string) (bool, error) {
	g.mu.Lock()
	a, ok := g.known[namespace]
	g.mu.Unlock()
	now := g.Now()
	if ok && now.Before(a.until) {
		return a.allowed, nil
	}
	right := g.Right
	right.Namespace = namespace
	allowed, err := g.Rights.Has(ctx, right)
	if err != nil {
		return false, err
	}
	a = answer{allowed: allowed, until: now.Add(DeniedFor)}
	if a.allowed {
		a.until = now.Add(AllowedFor)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil {
		g.known = map[string]answer{}
	}
	g.known[namespace] = a
	return a.allowed, nil
}

// Asking are the rights of the user that a client is, as the API server tells them.
type Asking struct{ Client client.Client }

var _ reconciler.Rights = Asking{}

// Has implements reconciler.Rights.
func (a Asking) Has(ctx context.Context, right authorizationv1.ResourceAttributes) (bool, error) {
	review := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right}}
	err := a.Client.Create(ctx, review)
	return review.Status.Allowed, err
}
