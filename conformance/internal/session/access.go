package session

import (
	"context"
	"errors"
	"fmt"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// Accountable clusters know the user that the implementation is.
type Accountable interface {
	Account() string
}

// access asks the API server what the implementation may do. Roles and bindings that are new are not known to it at once.
func (s *checks) access(ctx context.Context, x *fixture.Access, path string) error {
	cluster, ok := s.cluster.(Accountable)
	if !ok {
		return errors.New("the cluster does not know the implementation's service account")
	}
	user := cluster.Account()
	where, namespace := "in its namespace", s.seen.Namespaces[0]
	if x.In == fixture.AccessEverywhere {
		where, namespace = "in all namespaces", ""
	}
	for _, side := range []struct {
		rights []fixture.Right
		want   bool
	}{{x.May, true}, {x.MayNot, false}} {
		for i := range side.rights {
			right := &side.rights[i]
			got, asked := false, error(nil)
			held, err := s.waits.wait(ctx, s.waits.allowance(0), func() bool {
				got, asked = s.allowed(ctx, user, namespace, right)
				return asked == nil && got == side.want
			})
			switch {
			case err != nil:
				return err
			case asked != nil:
				return fmt.Errorf("asking whether %s may %s: %w", user, right, asked)
			case !held:
				f := failure(right.Pos, path, fmt.Sprintf("%s %s %s %s", user, may(got), right, where))
				f.Object, f.Path, f.Want, f.Got = user, right.String(), may(side.want), may(got)
				return f
			}
		}
	}
	s.proven(x.Pos, path, user, nil, told(x, where))
	return nil
}

func may(allowed bool) string {
	if allowed {
		return "may"
	}
	return "may not"
}

// told is what a check has shown.
func told(x *fixture.Access, where string) string {
	list := func(rights []fixture.Right) string {
		words := make([]string, len(rights))
		for i := range rights {
			words[i] = rights[i].String()
		}
		return strings.Join(words, ", ")
	}
	var parts []string
	if len(x.May) > 0 {
		parts = append(parts, "may "+list(x.May))
	}
	if len(x.MayNot) > 0 {
		parts = append(parts, "may not "+list(x.MayNot))
	}
	return strings.Join(parts, "; ") + " " + where
}

// allowed asks about one right.
func (s *checks) allowed(ctx context.Context, user, namespace string, right *fixture.Right) (bool, error) {
	of := map[string]any{"verb": right.Verb, "resource": right.Resource}
	for field, value := range map[string]string{"namespace": namespace, "group": right.Group, "subresource": right.Subresource} {
		if value != "" {
			of[field] = value
		}
	}
	spec := map[string]any{"user": user, "resourceAttributes": of}
	if groups := groupsOf(user); len(groups) > 0 {
		spec["groups"] = groups
	}
	review := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	review.SetGroupVersionKind(authorizationv1.SchemeGroupVersion.WithKind("SubjectAccessReview"))
	if err := s.cluster.Client().Create(ctx, review); err != nil {
		return false, err
	}
	allowed, _, err := unstructured.NestedBool(review.Object, "status", "allowed")
	return allowed, err
}

// groupsOf are the groups that a service account is in: a review is about those that it names.
func groupsOf(user string) []any {
	account, ok := strings.CutPrefix(user, "system:serviceaccount:")
	if !ok {
		return nil
	}
	namespace, _, _ := strings.Cut(account, ":")
	return []any{"system:authenticated", "system:serviceaccounts", "system:serviceaccounts:" + namespace}
}
