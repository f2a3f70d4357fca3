package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// An implementation whose tenants' role is bound namespace by namespace carries out nothing in a new namespace before the role is
// bound there, so each namespace of a fixture gets a binding, except those of fixtures about strangers.

const (
	// heardAgain and heardTimeout are how often and how long the API server is asked whether it knows of a binding.
	heardAgain   = 5 * time.Millisecond
	heardTimeout = 30 * time.Second
)

var _ conformance.Accountable = (*Cluster)(nil)

// tenancies are those of fixtures that can be judged: the way in which the implementation was installed is not changed.
func (t *Target) tenancies() []string {
	switch {
	case t.o.Roles == nil:
		return nil
	case t.o.Roles.ByNamespace():
		return []string{fixture.TenancyTenant, fixture.TenancyStranger}
	}
	return []string{fixture.TenancyEverywhere}
}

// Account implements conformance.Accountable.
func (c *Cluster) Account() string {
	if c.target.o.Roles == nil {
		return ""
	}
	return c.target.o.Roles.User()
}

// admit makes a new namespace a tenant, if it takes that.
func (c *Cluster) admit(ctx context.Context, namespace string) error {
	roles := c.target.o.Roles
	if roles == nil || !roles.ByNamespace() || c.tenancy == fixture.TenancyStranger {
		return nil
	}
	return c.target.Bind(ctx, *roles, namespace)
}

// Bind binds the tenants' role in a namespace, and waits until the API server lets the implementation make Pods there: it may believe
// a no for a while, so it should not be asked for before it is a yes.
func (t *Target) Bind(ctx context.Context, roles conformance.SubjectRoles, namespace string) error {
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: roles.Tenant, Namespace: namespace},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: roles.Tenant},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: roles.Namespace, Name: roles.Account}},
	}
	if err := t.client.Create(ctx, binding); err != nil {
		return fmt.Errorf("making it a tenant: %w", err)
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               roles.User(),
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "create", Resource: "pods"},
	}}
	err := wait.PollUntilContextTimeout(ctx, heardAgain, heardTimeout, true, func(ctx context.Context) (bool, error) {
		answer, err := t.clientset.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	})
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil // a role without that right: what is judged will show it
	}
	if err != nil {
		return fmt.Errorf("waiting until the controller may make Pods in it: %w", err)
	}
	return nil
}
