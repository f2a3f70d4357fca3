package envtest

import (
	"context"
	"fmt"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/tenancy"
)

// An installation with a tenancy has the rights of a service account of its own. Its requests are made as that account, and the API
// server decides about them. Limits: the caches and the events are those of the machine, which may do everything. That the account may
// watch and make events is asked by fixtures.

// bind binds the roles as the tenancy of an installation has them, and has its reconcilers act as its account.
func (m *machine) bind(ctx context.Context, i *installation, deps *subject.Deps) error {
	if i.tenancy == "" {
		return nil
	}
	objects, err := kindconfig.Objects(kindconfig.Options{})
	if err != nil {
		return err
	}
	for _, u := range kindconfig.Rights(objects) {
		switch {
		case u.GetKind() == "ClusterRole":
		case u.GetKind() != "ClusterRoleBinding", u.GetName() == kindconfig.RoleTenantAccess && i.tenancy != fixture.TenancyEverywhere:
			continue
		default:
			u.SetName(u.GetName() + "-" + i.settings.namespace)
			account := map[string]any{"kind": rbacv1.ServiceAccountKind, "name": kindconfig.Account, "namespace": i.settings.namespace}
			u.Object["subjects"] = []any{account}
		}
		if err := m.client.Create(ctx, u); err != nil && !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("creating %s: %w", kindconfig.Describe(u), err)
		}
	}
	return m.actAs(kindconfig.AccountUser(i.settings.namespace), deps)
}

// actAs has requests made as a user.
func (m *machine) actAs(user string, deps *subject.Deps) error {
	config := rest.CopyConfig(m.plane.Config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user}
	scheme := m.client.Scheme()
	var direct []client.Object
	for _, c := range m.subject.Controllers() {
		for _, gvk := range c.Unwatched {
			o, err := scheme.New(gvk)
			if err != nil {
				return err
			}
			if object, ok := o.(client.Object); ok {
				direct = append(direct, object)
			}
		}
	}
	var err error
	if deps.Client, err = client.New(config, client.Options{Scheme: scheme, Cache: &client.CacheOptions{Reader: m.cache, DisableFor: direct}}); err != nil {
		return fmt.Errorf("making a client of %s: %w", user, err)
	}
	reader, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return fmt.Errorf("making a client of %s: %w", user, err)
	}
	deps.Reader, deps.Rights = reader, tenancy.Asking{Client: reader}
	return nil
}
