package kindconfig_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/controllers"
)

// rights returns what rules allow, one line for each resource: group/resource: verbs.
func rights(rules []rbacv1.PolicyRule) map[string]bool {
	out := map[string]bool{}
	for _, r := range rules {
		for _, group := range r.APIGroups {
			for _, resource := range r.Resources {
				for _, verb := range r.Verbs {
					out[verb+" "+strings.TrimPrefix(group+"/", "/")+resource] = true
				}
			}
		}
	}
	return out
}

// TestRolesGiveTheRightsThatControllersNeed holds the two roles of the controller against what each kind's controller declares.
// In the whole cluster, the program needs some rights of its own besides: for its webhooks and its metrics.
func TestRolesGiveTheRightsThatControllersNeed(t *testing.T) {
	t.Parallel()
	t.Run("production", func(t *testing.T) { rolesGive(t, kindconfig.Options{}, controllers.All()) })
	t.Run("example tasks", func(t *testing.T) { rolesGive(t, kindconfig.Options{Examples: true}, controllers.WithExamples()) })
}

func rolesGive(t *testing.T, o kindconfig.Options, list []reconciler.Controller) {
	t.Helper()
	roles := typed[rbacv1.ClusterRole](t, objects(t, o), "ClusterRole")
	var cluster, tenant []rbacv1.PolicyRule
	for _, c := range list {
		cluster = append(cluster, c.Needs.Cluster...)
		tenant = append(tenant, c.Needs.Tenant...)
		asked := c.Needs.Tenancy
		resource := asked.Resource
		if asked.Subresource != "" {
			resource += "/" + asked.Subresource
		}
		of := rights([]rbacv1.PolicyRule{{APIGroups: []string{asked.Group}, Resources: []string{resource}, Verbs: []string{asked.Verb}}})
		for right := range of {
			if !rights(c.Needs.Tenant)[right] {
				t.Errorf("controller %s asks for the right to %s, which it does not need of its tenants", c.Name, right)
			}
		}
	}
	var watched []rbacv1.PolicyRule
	for _, r := range roles[kindconfig.RoleClusterAccess].Rules {
		if slices.ContainsFunc(r.APIGroups, func(group string) bool { return group == "" || kinds.API().Has(group) }) {
			watched = append(watched, r)
		}
	}
	for _, row := range []struct {
		role         string
		needs, given []rbacv1.PolicyRule
	}{
		{kindconfig.RoleClusterAccess, cluster, watched},
		{kindconfig.RoleTenantAccess, tenant, roles[kindconfig.RoleTenantAccess].Rules},
	} {
		needs, given := slices.Sorted(maps.Keys(rights(row.needs))), slices.Sorted(maps.Keys(rights(row.given)))
		if diff := cmp.Diff(needs, given); diff != "" {
			t.Errorf("role %s (-needed +given):\n%s", row.role, diff)
		}
	}
}

// TestRightsCoverWatchedKinds: the kinds that wake a controller can be listed and watched, and those that it declares as
// unwatched cannot.
func TestRightsCoverWatchedKinds(t *testing.T) {
	t.Parallel()
	for _, c := range controllers.WithExamples() {
		may := rights(c.Needs.Cluster)
		for _, resource := range watched(&c) {
			if !may["list "+resource] || !may["watch "+resource] {
				t.Errorf("controller %s watches %s, and does not need the right to", c.Name, resource)
			}
		}
		for _, kind := range c.Unwatched {
			if resource := resourceOf(kind); may["watch "+resource] {
				t.Errorf("controller %s may watch %s, which it declares as unwatched", c.Name, resource)
			}
		}
	}
}

func watched(c *reconciler.Controller) []string {
	out := []string{resourceOf(c.For)}
	for _, o := range c.Owns {
		out = append(out, resourceOf(o.Kind))
	}
	for _, w := range c.Watches {
		out = append(out, resourceOf(w.Kind))
	}
	return out
}

// resourceOf is how rights name a kind.
func resourceOf(kind schema.GroupVersionKind) string {
	resource, _ := meta.UnsafeGuessKindToResource(kind)
	return strings.TrimPrefix(resource.Group+"/", "/") + resource.Resource
}
