package tenancy_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/reconciler/tenancy"
)

type counting struct{ n int }

func (c *counting) Reconcile(context.Context, reconcile.Request) (reconcile.Result, error) {
	c.n++
	return reconcile.Result{}, nil
}

func TestOnlyTenantsAreReconciled(t *testing.T) {
	t.Parallel()
	type ask struct{ namespace, verb, resource string }
	var asked []ask
	allowed := map[string]bool{"own": true}
	var broken error
	scheme := runtime.NewScheme()
	if err := authorizationv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	api := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		Create: func(_ context.Context, _ client.WithWatch, o client.Object, _ ...client.CreateOption) error {
			review := o.(*authorizationv1.SelfSubjectAccessReview)
			of := review.Spec.ResourceAttributes
			asked = append(asked, ask{of.Namespace, of.Verb, of.Resource})
			review.Status.Allowed = allowed[of.Namespace]
			return broken
		},
	}).Build()
	clock := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	inner := &counting{}
	right := authorizationv1.ResourceAttributes{Verb: "create", Resource: "pods"}
	tenants := &tenancy.Gate{Reconciler: inner, Right: right, Rights: tenancy.Asking{Client: api}, Now: func() time.Time { return clock }}
	reconciled := func(namespace string) bool {
		t.Helper()
		before := inner.n
		r, err := tenants.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: "r"}})
		if err != nil {
			t.Fatal(err)
		}
		if done := inner.n > before; done == (r.RequeueAfter > 0) {
			t.Errorf("%s: reconciled = %v, and again after %s", namespace, done, r.RequeueAfter)
		}
		return inner.n > before
	}
	if !reconciled("own") || reconciled("foreign") || !reconciled("own") || reconciled("foreign") {
		t.Error("not the tenants are reconciled")
	}
	if want := []ask{{"", "create", "pods"}, {"own", "create", "pods"}, {"foreign", "create", "pods"}}; !slices.Equal(asked, want) {
		t.Errorf("it asked %v, want %v", asked, want)
	}
	allowed["foreign"] = true
	clock = clock.Add(tenancy.DeniedFor)
	if !reconciled("foreign") {
		t.Error("a role that was bound later is not seen")
	}
	allowed[""] = true
	clock = clock.Add(tenancy.DeniedFor)
	if !reconciled("any") {
		t.Error("who may everywhere may there")
	}
	clear(allowed)
	clock = clock.Add(tenancy.AllowedFor)
	if reconciled("own") {
		t.Error("a role that was taken away is believed in for ever")
	}
	clock = clock.Add(tenancy.AllowedFor)
	broken = errors.New("no answer")
	if _, err := tenants.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "own", Name: "r"}}); !errors.Is(err, broken) {
		t.Errorf("without an answer it says %v", err)
	}
}
