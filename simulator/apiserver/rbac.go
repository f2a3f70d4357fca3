package apiserver

import (
	"cmp"

	rbacv1 "k8s.io/api/rbac/v1"
	segment "k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The kinds of RBAC are stored and checked as a cluster does. What they decide is in authorization.go.

func roleStrategy() strategy {
	return strategy{name: pathSegment, validate: func(obj client.Object) field.ErrorList {
		switch role := obj.(type) {
		case *rbacv1.Role:
			return validateRules(role.Rules, true)
		case *rbacv1.ClusterRole:
			errs := validateRules(role.Rules, false)
			if role.AggregationRule != nil && len(role.AggregationRule.ClusterRoleSelectors) == 0 {
				errs = append(errs, field.Required(field.NewPath("aggregationRule", "clusterRoleSelectors"), "at least one clusterRoleSelector required if aggregationRule is non-nil"))
			}
			return errs
		}
		return nil
	}}
}

func validateRules(rules []rbacv1.PolicyRule, namespaced bool) field.ErrorList {
	var errs field.ErrorList
	for i := range rules {
		rule, at := &rules[i], field.NewPath("rules").Index(i)
		if len(rule.Verbs) == 0 {
			errs = append(errs, field.Required(at.Child("verbs"), "verbs must contain at least one value"))
		}
		if len(rule.NonResourceURLs) > 0 {
			if namespaced {
				errs = append(errs, field.Invalid(at.Child("nonResourceURLs"), rule.NonResourceURLs, "namespaced rules cannot apply to non-resource URLs"))
			}
			if len(rule.APIGroups)+len(rule.Resources)+len(rule.ResourceNames) > 0 {
				errs = append(errs, field.Invalid(at.Child("nonResourceURLs"), rule.NonResourceURLs, "rules cannot apply to both regular resources and non-resource URLs"))
			}
			continue
		}
		if len(rule.APIGroups) == 0 {
			errs = append(errs, field.Required(at.Child("apiGroups"), "resource rules must supply at least one api group"))
		}
		if len(rule.Resources) == 0 {
			errs = append(errs, field.Required(at.Child("resources"), "resource rules must supply at least one resource"))
		}
	}
	return errs
}

// binding is what a RoleBinding and a ClusterRoleBinding have.
type binding struct {
	subjects []rbacv1.Subject
	role     *rbacv1.RoleRef
}

func bindingOf(obj client.Object) binding {
	switch b := obj.(type) {
	case *rbacv1.RoleBinding:
		return binding{b.Subjects, &b.RoleRef}
	case *rbacv1.ClusterRoleBinding:
		return binding{b.Subjects, &b.RoleRef}
	}
	return binding{role: &rbacv1.RoleRef{}}
}

func bindingStrategy(namespaced bool) strategy {
	kinds := []string{"ClusterRole"}
	if namespaced {
		kinds = []string{"ClusterRole", "Role"}
	}
	return strategy{
		name: pathSegment,
		apply: func(obj client.Object) {
			b := bindingOf(obj)
			b.role.APIGroup = cmp.Or(b.role.APIGroup, rbacv1.GroupName)
			for i := range b.subjects {
				if s := &b.subjects[i]; s.Kind == rbacv1.UserKind || s.Kind == rbacv1.GroupKind {
					s.APIGroup = cmp.Or(s.APIGroup, rbacv1.GroupName)
				}
			}
		},
		validate: func(obj client.Object) field.ErrorList {
			b := bindingOf(obj)
			errs := validateRoleRef(b.role, kinds)
			for i := range b.subjects {
				errs = append(errs, validateSubject(&b.subjects[i], namespaced, field.NewPath("subjects").Index(i))...)
			}
			return errs
		},
		validateUpdate: func(obj, old client.Object) field.ErrorList {
			if now := bindingOf(obj).role; *now != *bindingOf(old).role {
				return field.ErrorList{field.Invalid(field.NewPath("roleRef"), *now, "cannot change roleRef")}
			}
			return nil
		},
	}
}

func validateRoleRef(ref *rbacv1.RoleRef, kinds []string) field.ErrorList {
	var errs field.ErrorList
	at := field.NewPath("roleRef")
	if ref.APIGroup != rbacv1.GroupName {
		errs = append(errs, field.NotSupported(at.Child("apiGroup"), ref.APIGroup, []string{rbacv1.GroupName}))
	}
	known := false
	for _, kind := range kinds {
		known = known || ref.Kind == kind
	}
	if !known {
		errs = append(errs, field.NotSupported(at.Child("kind"), ref.Kind, kinds))
	}
	if ref.Name == "" {
		return append(errs, field.Required(at.Child("name"), ""))
	}
	for _, message := range pathSegment(ref.Name, false) {
		errs = append(errs, field.Invalid(at.Child("name"), ref.Name, message))
	}
	return errs
}

func validateSubject(s *rbacv1.Subject, namespaced bool, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if s.Name == "" {
		errs = append(errs, field.Required(at.Child("name"), ""))
	}
	switch s.Kind {
	case rbacv1.ServiceAccountKind:
		if s.Name != "" {
			for _, message := range validation.ValidateServiceAccountName(s.Name, false) {
				errs = append(errs, field.Invalid(at.Child("name"), s.Name, message))
			}
		}
		if s.APIGroup != "" {
			errs = append(errs, field.NotSupported(at.Child("apiGroup"), s.APIGroup, []string{""}))
		}
		if !namespaced && s.Namespace == "" {
			errs = append(errs, field.Required(at.Child("namespace"), ""))
		}
	case rbacv1.UserKind, rbacv1.GroupKind:
		if s.APIGroup != rbacv1.GroupName {
			errs = append(errs, field.NotSupported(at.Child("apiGroup"), s.APIGroup, []string{rbacv1.GroupName}))
		}
	default:
		errs = append(errs, field.NotSupported(at.Child("kind"), s.Kind, []string{rbacv1.ServiceAccountKind, rbacv1.UserKind, rbacv1.GroupKind}))
	}
	return errs
}

// pathSegment checks a name that may be anything that a path has as one part, as names of RBAC's kinds are.
func pathSegment(name string, prefix bool) []string {
	if prefix {
		return segment.IsPathSegmentPrefix(name)
	}
	return segment.IsPathSegmentName(name)
}
