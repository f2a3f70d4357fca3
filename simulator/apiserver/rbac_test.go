package apiserver_test

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestRolesAndBindingsAreChecked(t *testing.T) {
	t.Parallel()
	named := metav1.ObjectMeta{Name: "system:reader", Namespace: "ns"}
	rule := rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: []string{""}, Resources: []string{"pods"}}
	account := rbacv1.Subject{Kind: "ServiceAccount", Name: "default"}
	for _, tt := range []struct {
		reason string
		object client.Object
		want   string // of the refusal; empty: accepted
	}{
		{"a role", &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{rule}}, ""},
		{"a role without rules", &rbacv1.Role{ObjectMeta: named}, ""},
		{"a rule without verbs", &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}}}}, "rules[0].verbs: Required value: verbs must contain at least one value"},
		{"a rule without resources", &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, APIGroups: []string{""}}}}, "rules[0].resources: Required value"},
		{"a URL in a namespace", &rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/healthz"}}}}, "namespaced rules cannot apply to non-resource URLs"},
		{"a URL in the cluster", &rbacv1.ClusterRole{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{Verbs: []string{"get"}, NonResourceURLs: []string{"/healthz"}}}}, ""},
		{"an aggregation of nothing", &rbacv1.ClusterRole{ObjectMeta: named, AggregationRule: &rbacv1.AggregationRule{}}, "aggregationRule.clusterRoleSelectors: Required value"},
		{"a name with a slash", &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "a/b", Namespace: "ns"}}, `may not contain '/'`},
		{"a binding without a namespace for its account", &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{account}}, ""},
		{"the same in the cluster", &rbacv1.ClusterRoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "r"}, Subjects: []rbacv1.Subject{account}}, "subjects[0].namespace: Required value"},
		{"a cluster's binding to a namespace's role", &rbacv1.ClusterRoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}}, `roleRef.kind: Unsupported value: "Role"`},
		{"a binding to an unknown kind", &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "Rolle", Name: "r"}}, `roleRef.kind: Unsupported value: "Rolle"`},
		{"a binding of another group", &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: "v1", Kind: "Role", Name: "r"}}, "roleRef.apiGroup: Unsupported value"},
		{"a binding without a role", &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "Role"}}, "roleRef.name: Required value"},
		{"a subject of another kind", &rbacv1.RoleBinding{ObjectMeta: named, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{{Kind: "Account", Name: "a"}}}, "subjects[0].kind: Unsupported value"},
	} {
		w := newWorld(t)
		err := w.c.Create(ctx, tt.object)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v", tt.reason, err)
		case tt.want != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got %v, want an invalid object: %s", tt.reason, err, tt.want)
		}
	}
}

func TestRoleOfABindingCannotChange(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "ns"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"},
		Subjects: []rbacv1.Subject{{Kind: "User", Name: "alice"}}}
	w.create(b)
	if b.RoleRef.APIGroup != rbacv1.GroupName || b.Subjects[0].APIGroup != rbacv1.GroupName {
		t.Errorf("the API group is not filled in: %+v", b)
	}
	b.RoleRef.Name = "other"
	if err := w.c.Update(ctx, b); !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "cannot change roleRef") {
		t.Errorf("another role: %v", err)
	}
}
