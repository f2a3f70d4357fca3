package kindconfig_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/api/kinds/kindtest"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// TestManifestsHaveEveryKind compares what is installed with the table of kinds: definitions, the resources that the
// webhooks are asked about, and the rights of the controller and of users.
func TestManifestsHaveEveryKind(t *testing.T) {
	t.Parallel()
	for _, problem := range missing(t, kinds.API().All()) {
		t.Error(problem)
	}
}

// TestManifestsLackAKindThatIsAdded adds a row to the table: each place of the manifests that has to name the kind is reported.
func TestManifestsLackAKindThatIsAdded(t *testing.T) {
	t.Parallel()
	all := strings.Join(missing(t, kindtest.Table().All()), "\n")
	for _, part := range []string{
		`"greetings.tekton.dev"`, `"greetings"`, `"greetings/status"`, "webhook.pipeline.tekton.dev is asked", "validation.webhook.pipeline.tekton.dev is asked", "no role may read greetings",
	} {
		if !strings.Contains(all, part) {
			t.Errorf("%s is not reported:\n%s", part, all)
		}
	}
}

// missing compares the manifests with a table of kinds, and returns what differs.
func missing(t *testing.T, table []kinds.Kind) (problems []string) {
	t.Helper()
	report := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	list := objects(t, kindconfig.Options{})

	definitions := typed[apiextensionsv1.CustomResourceDefinition](t, list, "CustomResourceDefinition")
	var names []string
	for _, k := range table {
		names = append(names, k.Definition())
		d, ok := definitions[k.Definition()]
		if !ok {
			continue
		}
		var served []string
		stored := ""
		for _, v := range d.Spec.Versions {
			if v.Served {
				served = append(served, v.Name)
			}
			if v.Storage {
				stored = v.Name
			}
		}
		var want []string
		for _, v := range k.Versions {
			want = append(want, v.Name)
		}
		slices.Sort(want)
		slices.Sort(served)
		if diff := cmp.Diff(want, served); diff != "" || stored != k.Storage().Name || d.Spec.Names.Kind != k.Name || (d.Spec.Scope == apiextensionsv1.NamespaceScoped) != k.Namespaced {
			report("%s: stored as %q, scope %s, kind %s; versions (-table +manifests):\n%s", d.Name, stored, d.Spec.Scope, d.Spec.Names.Kind, diff)
		}
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(definitions))); diff != "" {
		report("definitions (-table +manifests):\n%s", diff)
	}

	asked := map[string]map[string]bool{} // by group
	versions := map[string]map[string]bool{}
	for _, k := range table {
		group := k.APIGroup()
		if asked[group] == nil {
			asked[group], versions[group] = map[string]bool{}, map[string]bool{}
		}
		asked[group][k.Plural], asked[group][k.Plural+"/status"] = true, true
		for _, v := range k.Versions {
			versions[group][v.Name] = true
		}
	}
	check := func(name string, rules []admissionregistrationv1.RuleWithOperations) {
		seen := map[string]bool{}
		for _, r := range rules {
			for _, group := range r.APIGroups {
				if asked[group] == nil {
					continue
				}
				seen[group] = true
				if diff := cmp.Diff(slices.Sorted(maps.Keys(asked[group])), slices.Sorted(slices.Values(r.Resources))); diff != "" {
					report("%s is asked about (-table +manifests):\n%s", name, diff)
				}
				if diff := cmp.Diff(slices.Sorted(maps.Keys(versions[group])), slices.Sorted(slices.Values(r.APIVersions))); diff != "" {
					report("%s is asked about versions (-table +manifests):\n%s", name, diff)
				}
			}
		}
		for group := range asked {
			if len(seen) > 0 && !seen[group] {
				report("%s is not asked about group %s", name, group)
			}
		}
	}
	for name, c := range typed[admissionregistrationv1.MutatingWebhookConfiguration](t, list, "MutatingWebhookConfiguration") {
		check(name, c.Webhooks[0].Rules)
	}
	for name, c := range typed[admissionregistrationv1.ValidatingWebhookConfiguration](t, list, "ValidatingWebhookConfiguration") {
		check(name, c.Webhooks[0].Rules)
	}

	// At least one role may read each kind, and no role names a resource that the table does not have.
	readable := map[string]bool{}
	note := func(name string, rules []rbacv1.PolicyRule) {
		for _, r := range rules {
			for _, group := range r.APIGroups {
				if asked[group] == nil {
					continue
				}
				for _, resource := range r.Resources {
					plural, _, _ := strings.Cut(resource, "/")
					if !asked[group][plural] {
						report("%s gives rights to %s, which no row has", name, resource)
					}
					if slices.Contains(r.Verbs, "get") {
						readable[plural] = true
					}
				}
			}
		}
	}
	for name, r := range typed[rbacv1.ClusterRole](t, list, "ClusterRole") {
		note(name, r.Rules)
	}
	for name, r := range typed[rbacv1.Role](t, list, "Role") {
		note(name, r.Rules)
	}
	for _, k := range table {
		if !readable[k.Plural] {
			report("no role may read %s", k.Plural)
		}
	}
	return problems
}
