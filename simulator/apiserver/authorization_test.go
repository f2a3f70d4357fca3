package apiserver_test

import (
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
)

// ruled is a world in which the actor "robot" is the account bot of namespace ns.
func ruled(t *testing.T) (*world, client.Client) {
	t.Helper()
	w := newWorld(t, func(o *apiserver.Options) { o.Users = map[string]string{"robot": apiserver.AccountUser("ns", "bot")} })
	return w, w.Client("robot")
}

func TestRolesDecideWhatAUserMayDo(t *testing.T) {
	t.Parallel()
	rule := func(verb, group, resource string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: []string{verb}, APIGroups: []string{group}, Resources: []string{resource}, ResourceNames: names}
	}
	bot := rbacv1.Subject{Kind: "ServiceAccount", Namespace: "ns", Name: "bot"}
	pods := authorizationv1.ResourceAttributes{Namespace: "ns", Verb: "get", Resource: "pods", Name: "p"}
	in := func(namespace string, of authorizationv1.ResourceAttributes) authorizationv1.ResourceAttributes {
		of.Namespace = namespace
		return of
	}
	for _, tt := range []struct {
		reason string
		rule   rbacv1.PolicyRule
		// everywhere is the subject of a ClusterRoleBinding, here that of a RoleBinding in ns.
		everywhere, here *rbacv1.Subject
		right            authorizationv1.ResourceAttributes
		want             bool
	}{
		{"without a binding nothing is allowed", rule("get", "", "pods"), nil, nil, pods, false},
		{"a binding of the cluster holds in a namespace", rule("get", "", "pods"), &bot, nil, pods, true},
		{"a binding of the cluster holds in all of them", rule("get", "", "pods"), &bot, nil, in("", pods), true},
		{"a binding of a namespace holds there", rule("get", "", "pods"), nil, &bot, pods, true},
		{"a binding of a namespace does not hold in another", rule("get", "", "pods"), nil, &bot, in("default", pods), false},
		{"a binding of a namespace does not hold in all", rule("get", "", "pods"), nil, &bot, in("", pods), false},
		{"another verb", rule("list", "", "pods"), &bot, nil, pods, false},
		{"any verb", rule("*", "", "pods"), &bot, nil, pods, true},
		{"another group", rule("get", "apps", "pods"), &bot, nil, pods, false},
		{"any group", rule("get", "*", "pods"), &bot, nil, pods, true},
		{"any resource", rule("get", "", "*"), &bot, nil, pods, true},
		{"a subresource is not its resource", rule("get", "", "pods/log"), &bot, nil, pods, false},
		{"a resource is not its subresource", rule("get", "", "pods"), &bot, nil, authorizationv1.ResourceAttributes{Namespace: "ns", Verb: "get", Resource: "pods", Subresource: "log"}, false},
		{"a subresource", rule("get", "", "pods/log"), &bot, nil, authorizationv1.ResourceAttributes{Namespace: "ns", Verb: "get", Resource: "pods", Subresource: "log"}, true},
		{"a subresource of any resource", rule("get", "", "*/log"), &bot, nil, authorizationv1.ResourceAttributes{Namespace: "ns", Verb: "get", Resource: "pods", Subresource: "log"}, true},
		{"the object of that name", rule("get", "", "pods", "p"), &bot, nil, pods, true},
		{"an object of another name", rule("get", "", "pods", "q"), &bot, nil, pods, false},
		{"the user of the account", rule("get", "", "pods"), &rbacv1.Subject{Kind: "User", Name: "system:serviceaccount:ns:bot"}, nil, pods, true},
		{"another account", rule("get", "", "pods"), &rbacv1.Subject{Kind: "ServiceAccount", Namespace: "default", Name: "bot"}, nil, pods, false},
		{"the accounts of the namespace", rule("get", "", "pods"), &rbacv1.Subject{Kind: "Group", Name: "system:serviceaccounts:ns"}, nil, pods, true},
		{"the accounts of another namespace", rule("get", "", "pods"), &rbacv1.Subject{Kind: "Group", Name: "system:serviceaccounts:default"}, nil, pods, false},
		{"an account without a namespace is of the binding's", rule("get", "", "pods"), nil, &rbacv1.Subject{Kind: "ServiceAccount", Name: "bot"}, pods, true},
	} {
		w, _ := ruled(t)
		w.create(&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "r"}, Rules: []rbacv1.PolicyRule{tt.rule}})
		ref := rbacv1.RoleRef{Kind: "ClusterRole", Name: "r"}
		if tt.everywhere != nil {
			w.create(&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b"}, RoleRef: ref, Subjects: []rbacv1.Subject{*tt.everywhere}})
		}
		if tt.here != nil {
			w.create(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "ns"}, RoleRef: ref, Subjects: []rbacv1.Subject{*tt.here}})
		}
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{User: "system:serviceaccount:ns:bot", ResourceAttributes: &tt.right}}
		if err := w.c.Create(ctx, review); err != nil || review.Status.Allowed != tt.want {
			t.Errorf("%s: allowed is %t, %v", tt.reason, review.Status.Allowed, err)
		}
	}
}

func TestRequestsWithoutARightAreForbidden(t *testing.T) {
	t.Parallel()
	w, robot := ruled(t)
	claim := func() *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c"}}
	}
	err := robot.Create(ctx, claim())
	const want = `configmaps is forbidden: User "system:serviceaccount:ns:bot" cannot create resource "configmaps" in API group "" in the namespace "ns"`
	if !apierrors.IsForbidden(err) || err.Error() != want {
		t.Errorf("a create: %v, want %s", err, want)
	}
	err = w.AuthorizeWatch("robot", schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"})
	const atTheTop = `configmaps is forbidden: User "system:serviceaccount:ns:bot" cannot list resource "configmaps" in API group "" at the cluster scope`
	if !apierrors.IsForbidden(err) || err.Error() != atTheTop {
		t.Errorf("a watch: %v, want %s", err, atTheTop)
	}
	w.create(&rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "r", Namespace: "ns"}, Rules: []rbacv1.PolicyRule{{Verbs: []string{"create"}, APIGroups: []string{""}, Resources: []string{"configmaps"}}}})
	w.create(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "ns"}, RoleRef: rbacv1.RoleRef{Kind: "Role", Name: "r"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "bot"}}})
	if err := robot.Create(ctx, claim()); err != nil {
		t.Errorf("a create with the right to: %v", err)
	}
	if err := robot.Delete(ctx, claim()); !apierrors.IsForbidden(err) {
		t.Errorf("a delete: %v", err)
	}
	if err := w.c.Delete(ctx, claim()); err != nil {
		t.Errorf("a delete by an actor that is no user: %v", err)
	}
}

// TestUsersAskAboutThemselves: a user needs no right to ask about its own, and one to ask about those of others.
func TestUsersAskAboutThemselves(t *testing.T) {
	t.Parallel()
	w, robot := ruled(t)
	right := map[string]any{"namespace": "ns", "verb": "get", "resource": "pods"}
	ask := func(c client.Client, kind string, spec map[string]any) (bool, error) {
		u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		u.SetGroupVersionKind(authorizationv1.SchemeGroupVersion.WithKind(kind))
		err := c.Create(ctx, u)
		allowed, _, _ := unstructured.NestedBool(u.Object, "status", "allowed")
		return allowed, err
	}
	if allowed, err := ask(robot, "SelfSubjectAccessReview", map[string]any{"resourceAttributes": right}); allowed || err != nil {
		t.Errorf("about itself: %t, %v", allowed, err)
	}
	if allowed, err := ask(w.c, "SelfSubjectAccessReview", map[string]any{"resourceAttributes": right}); !allowed || err != nil {
		t.Errorf("an actor that is no user about itself: %t, %v", allowed, err)
	}
	if _, err := ask(robot, "SubjectAccessReview", map[string]any{"user": "alice", "resourceAttributes": right}); !apierrors.IsForbidden(err) {
		t.Errorf("about another: %v", err)
	}
}
