package manager

import (
	"context"
	"fmt"
	"sync"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// How long an answer about rights is believed. Runs in a namespace that is not a tenant wait for as long.
const (
	allowedFor = 5 * time.Minute
	deniedFor  = 10 * time.Second
)

// tenancy lets through the objects of namespaces in which the program has the rights of a tenant's role. It knows them by one
// right of that role, which the controller names. Elsewhere nothing is touched, not even a status: a run there is another
// controller's, or waits for the role to be bound. The API server is asked about all namespaces first, and then about each.
type tenancy struct {
	reconciler reconcile.Reconciler
	right      authorizationv1.ResourceAttributes
	reviews    authorizationclient.SelfSubjectAccessReviewInterface
	now        func() time.Time

	mu    sync.Mutex
	known map[string]answer
}

// answer is what is known of a namespace.
type answer struct {
	allowed bool
	until   time.Time
}

// Reconcile implements reconcile.Reconciler.
func (t *tenancy) Reconcile(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
	for _, namespace := range []string{metav1.NamespaceAll, r.Namespace} {
		allowed, err := t.allowed(ctx, namespace)
		if err != nil {
			return reconcile.Result{}, fmt.Errorf("asking whether namespace %s is a tenant: %w", r.Namespace, err)
		}
		if allowed {
			return t.reconciler.Reconcile(ctx, r)
		}
	}
	log.FromContext(ctx).V(1).Info("not a tenant: left alone")
	return reconcile.Result{RequeueAfter: deniedFor}, nil
}

// allowed asks whether the program has the right in a namespace, or in all.
func (t *tenancy) allowed(ctx context.Context, namespace string) (bool, error) {
	t.mu.Lock()
	a, ok := t.known[namespace]
	t.mu.Unlock()
	now := t.now()
	if ok && now.Before(a.until) {
		return a.allowed, nil
	}
	right := t.right
	right.Namespace = namespace
	review, err := t.reviews.Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	a = answer{allowed: review.Status.Allowed, until: now.Add(deniedFor)}
	if a.allowed {
		a.until = now.Add(allowedFor)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known == nil {
		t.known = map[string]answer{}
	}
	t.known[namespace] = a
	return a.allowed, nil
}
