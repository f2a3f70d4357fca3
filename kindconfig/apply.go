package kindconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldOwner owns the fields that an installation sets. What others set stays as it is: the keys of the ConfigMaps, the
// certificate in the Secret and in the webhook configurations.
const FieldOwner = "plumbline-install"

// How long, and how often, it is looked whether definitions are served.
const (
	establishedWithin = time.Minute
	establishedAgain  = 200 * time.Millisecond
)

// Apply has the API server apply the objects, in order, and calls done after each. Applied a second time, what was
// changed meanwhile is what it should be again. It goes on after an error: of an installation that is broken, the part
// that would mend it may come last. What an installation has no more is not removed; but see [Unbind].
func Apply(ctx context.Context, c client.Client, objects []*unstructured.Unstructured, done func(*unstructured.Unstructured)) error {
	var failed []error
	for _, o := range objects {
		u := o.DeepCopy()
		err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(FieldOwner), client.ForceOwnership)
		if err == nil && u.GetKind() == kindDefinition {
			err = established(ctx, c, u)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("applying %s: %w", Describe(u), err))
			continue
		}
		done(u)
	}
	return errors.Join(failed...)
}

// established waits until the kind of a definition is served.
func established(ctx context.Context, c client.Client, definition *unstructured.Unstructured) error {
	u := definition.DeepCopy()
	err := wait.PollUntilContextTimeout(ctx, establishedAgain, establishedWithin, true, func(ctx context.Context) (bool, error) {
		if err := c.Get(ctx, client.ObjectKeyFromObject(definition), u); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		// At first there is null instead of a list.
		conditions, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
		for _, condition := range conditions {
			if c, ok := condition.(map[string]any); ok && c["type"] == "Established" && c["status"] == "True" {
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return fmt.Errorf("waiting until it is served: %w", err)
	}
	return nil
}

// Unbind takes the tenants' role away where the objects do not bind it, and calls done after each: a namespace that is no
// longer a tenant is left alone from then on.
func Unbind(ctx context.Context, c client.Client, objects []*unstructured.Unstructured, done func(*unstructured.Unstructured)) error {
	keep := map[string]bool{}
	for _, u := range objects {
		keep[Describe(u)] = true
	}
	for _, kind := range []string{kindEverywhere, kindInNamespace} {
		var list unstructured.UnstructuredList
		list.SetGroupVersionKind(rbacv1.SchemeGroupVersion.WithKind(kind + "List"))
		if err := c.List(ctx, &list, client.MatchingLabels{labelPartOf: partOf}); err != nil {
			return fmt.Errorf("looking for removed tenants: %w", err)
		}
		for i := range list.Items {
			u := &list.Items[i]
			if u.GetName() != RoleTenantAccess || keep[Describe(u)] {
				continue
			}
			if err := c.Delete(ctx, u); client.IgnoreNotFound(err) != nil {
				return fmt.Errorf("removing %s: %w", Describe(u), err)
			}
			done(u)
		}
	}
	return nil
}

// Forbidden reports whether an error of Apply says that the user may not install.
func Forbidden(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsForbidden(err)
}

// Describe names an object for people: kind namespace/name.
func Describe(u *unstructured.Unstructured) string {
	if u.GetNamespace() == "" {
		return u.GetKind() + " " + u.GetName()
	}
	return u.GetKind() + " " + u.GetNamespace() + "/" + u.GetName()
}
