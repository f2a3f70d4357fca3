package apiserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// RBAC decides about the requests of the actors that Options.Users names, as the stored roles and bindings say. Other actors may do
// everything. Limits: rules of aggregated ClusterRoles are those that are written down, and rules for URLs are not looked at.

// How the users are called that service accounts are, and the groups that they are in.
const (
	accountPrefix      = "system:serviceaccount:"
	groupAccounts      = "system:serviceaccounts"
	groupAuthenticated = "system:authenticated"
)

// AccountUser is the user that a service account is.
func AccountUser(namespace, name string) string { return accountPrefix + namespace + ":" + name }

// groupsOf are the groups of a user.
func groupsOf(user string) []string {
	groups := []string{groupAuthenticated}
	if account, ok := strings.CutPrefix(user, accountPrefix); ok {
		namespace, _, _ := strings.Cut(account, ":")
		groups = append(groups, groupAccounts, groupAccounts+":"+namespace)
	}
	return groups
}

// Allowed reports whether roles and bindings give a user a right: in a namespace, or without one in all of them.
func (s *Server) Allowed(user string, right *authorizationv1.ResourceAttributes) bool {
	granted := false
	bound := func(obj client.Object) bool {
		b := bindingOf(obj)
		if slices.ContainsFunc(b.subjects, func(x rbacv1.Subject) bool { return isUser(&x, obj.GetNamespace(), user) }) {
			granted = slices.ContainsFunc(s.rulesOf(b.role, obj.GetNamespace()), func(r rbacv1.PolicyRule) bool { return grants(&r, right) })
		}
		return !granted
	}
	s.Each(rbacv1.SchemeGroupVersion.WithKind("ClusterRoleBinding"), "", bound)
	if !granted && right.Namespace != "" {
		s.Each(rbacv1.SchemeGroupVersion.WithKind("RoleBinding"), right.Namespace, bound)
	}
	return granted
}

// isUser reports whether the subject of a binding is the user, or a group of the user. A service account without a namespace is of
// the binding's.
func isUser(x *rbacv1.Subject, namespace, user string) bool {
	switch x.Kind {
	case rbacv1.UserKind:
		return x.Name == user
	case rbacv1.GroupKind:
		return slices.Contains(groupsOf(user), x.Name)
	case rbacv1.ServiceAccountKind:
		if x.Namespace != "" {
			namespace = x.Namespace
		}
		return namespace != "" && AccountUser(namespace, x.Name) == user
	}
	return false
}

// rulesOf are the rules of the role that a binding refers to. There may be no such role.
func (s *Server) rulesOf(ref *rbacv1.RoleRef, namespace string) []rbacv1.PolicyRule {
	key := client.ObjectKey{Name: ref.Name}
	if ref.Kind == "Role" {
		key.Namespace = namespace
	}
	switch role := s.Shared(rbacv1.SchemeGroupVersion.WithKind(ref.Kind), key).(type) {
	case *rbacv1.Role:
		return role.Rules
	case *rbacv1.ClusterRole:
		return role.Rules
	}
	return nil
}

// grants reports whether a rule gives a right.
func grants(r *rbacv1.PolicyRule, right *authorizationv1.ResourceAttributes) bool {
	has := func(list []string, all, word string) bool {
		return slices.Contains(list, all) || slices.Contains(list, word)
	}
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	named := has(r.Resources, rbacv1.ResourceAll, resource) || right.Subresource != "" && slices.Contains(r.Resources, "*/"+right.Subresource)
	return named && has(r.Verbs, rbacv1.VerbAll, right.Verb) && has(r.APIGroups, rbacv1.APIGroupAll, right.Group) &&
		(len(r.ResourceNames) == 0 || slices.Contains(r.ResourceNames, right.Name))
}

// authorize refuses a request that its user has no right to.
func (s *Server) authorize(c *Call) error {
	user, known := s.options.Users[c.Actor]
	if !known || c.Resource.Resource == selfReviews {
		return nil // everyone may ask about themselves
	}
	right := &authorizationv1.ResourceAttributes{
		Namespace: c.Namespace, Verb: string(c.Verb), Group: c.Resource.Group, Resource: c.Resource.Resource, Subresource: c.Subresource, Name: c.Name,
	}
	if c.Verb == Create && c.Subresource == "" {
		right.Name = "" // it is in the body, where no rule looks for it
	}
	if s.Allowed(user, right) {
		return nil
	}
	return lacks(user, right)
}

// authorized is what a request does, if its user has the right to.
func (s *Server) authorized(c *Call, do func() error) func() error {
	return func() error {
		if err := s.authorize(c); err != nil {
			return err
		}
		return do()
	}
}

// lacks is what a user is told who lacks a right.
func lacks(user string, right *authorizationv1.ResourceAttributes) error {
	resource := right.Resource
	if right.Subresource != "" {
		resource += "/" + right.Subresource
	}
	where := "at the cluster scope"
	if right.Namespace != "" {
		where = fmt.Sprintf("in the namespace %q", right.Namespace)
	}
	return apierrors.NewForbidden(schema.GroupResource{Group: right.Group, Resource: right.Resource}, right.Name,
		fmt.Errorf("User %q cannot %s resource %q in API group %q %s", user, right.Verb, resource, right.Group, where))
}

// AuthorizeWatch refuses an actor who may not list and watch a kind in the whole cluster.
func (s *Server) AuthorizeWatch(actor string, gvk schema.GroupVersionKind) error {
	r, err := s.resourceFor(gvk)
	if err != nil {
		return err
	}
	for _, verb := range []Verb{List, Watch} {
		if err := s.authorize(&Call{Actor: actor, Verb: verb, GVK: r.GVK, Resource: r.gr}); err != nil {
			return err
		}
	}
	return nil
}

// The kinds of questions about rights. They are answered, and not stored.
const (
	kindReview     = "SubjectAccessReview"
	kindSelfReview = "SelfSubjectAccessReview"
	reviews        = "subjectaccessreviews"
	selfReviews    = "selfsubjectaccessreviews"
)

// isReview reports whether an object is a question about rights.
func isReview(obj client.Object) bool {
	switch o := obj.(type) {
	case *authorizationv1.SubjectAccessReview, *authorizationv1.SelfSubjectAccessReview:
		return true
	case *unstructured.Unstructured:
		kind := o.GetKind()
		return (kind == kindReview || kind == kindSelfReview) && o.GroupVersionKind().GroupVersion() == authorizationv1.SchemeGroupVersion
	}
	return false
}

// review answers a question about rights. An actor that is no user may do everything.
func (c *serverClient) review(ctx context.Context, obj client.Object) error {
	call, err := c.call(ctx, Create, &resource{Kind: Kind{GVK: authorizationv1.SchemeGroupVersion.WithKind(kindReview)}, gr: schema.GroupResource{Group: authorizationv1.GroupName, Resource: reviews}}, client.ObjectKey{})
	if err != nil {
		return err
	}
	call.Object = obj
	if isSelfReview(obj) {
		call.GVK.Kind, call.Resource.Resource = kindSelfReview, selfReviews
	}
	return c.s.serve(call, func() error { return c.s.answerReview(c.actor, obj) })
}

func isSelfReview(obj client.Object) bool {
	_, typed := obj.(*authorizationv1.SelfSubjectAccessReview)
	return typed || obj.GetObjectKind().GroupVersionKind().Kind == kindSelfReview
}

// answerReview fills in the status of a question.
func (s *Server) answerReview(actor string, obj client.Object) error {
	ask := func(user string, right *authorizationv1.ResourceAttributes) (authorizationv1.SubjectAccessReviewStatus, error) {
		if right == nil {
			return authorizationv1.SubjectAccessReviewStatus{}, apierrors.NewBadRequest("only questions about resources are answered: give resourceAttributes")
		}
		return authorizationv1.SubjectAccessReviewStatus{Allowed: s.Allowed(user, right)}, nil
	}
	self := func(right *authorizationv1.ResourceAttributes) (authorizationv1.SubjectAccessReviewStatus, error) {
		if user, known := s.options.Users[actor]; known {
			return ask(user, right)
		}
		return authorizationv1.SubjectAccessReviewStatus{Allowed: true}, nil
	}
	switch o := obj.(type) {
	case *authorizationv1.SubjectAccessReview:
		status, err := ask(o.Spec.User, o.Spec.ResourceAttributes)
		o.Status = status
		return err
	case *authorizationv1.SelfSubjectAccessReview:
		status, err := self(o.Spec.ResourceAttributes)
		o.Status = status
		return err
	case *unstructured.Unstructured:
		return s.answerTree(actor, o)
	}
	return nil
}

// answerTree is answerReview of a question without a Go type.
func (s *Server) answerTree(actor string, u *unstructured.Unstructured) error {
	var typed client.Object = &authorizationv1.SubjectAccessReview{}
	if isSelfReview(u) {
		typed = &authorizationv1.SelfSubjectAccessReview{}
	}
	gvk := u.GroupVersionKind()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, typed); err != nil {
		return apierrors.NewBadRequest(err.Error())
	}
	if err := s.answerReview(actor, typed); err != nil {
		return err
	}
	tree, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return internal(err)
	}
	u.Object = tree
	u.SetGroupVersionKind(gvk)
	return nil
}
