package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/plumbline-ci/plumbline/simulator"
)

// ForbiddenError says what the user may not do.
type ForbiddenError struct {
	// Missing are permissions, as "verb resource.group".
	Missing []string
	Err     error
}

func (e *ForbiddenError) Error() string {
	if len(e.Missing) == 0 {
		return fmt.Sprintf("the API server refuses this user: %v", e.Err)
	}
	return "this user may not " + strings.Join(e.Missing, ", ") + ": a simulated node needs what the roles need that it plays; use an administrator's kubeconfig, or leave roles to the cluster"
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// permission is something that has to be allowed, in all namespaces.
type permission struct {
	role                         simulator.Role // empty: the node's own
	group, resource, subresource string
	verbs                        []string
}

func permissions() []permission {
	watching := []string{"get", "list", "watch"}
	return []permission{
		{"", "", "nodes", "", []string{"get", "create", "delete"}},
		{"", "", "nodes", "status", []string{"update"}},
		{"", "", "pods", "", append(watching, "delete")},
		{"", "", "pods", "status", []string{"update"}},
		{"", "", "configmaps", "", watching},
		{"", "", "secrets", "", watching},
		{"", "", "events", "", []string{"create", "patch"}},
		{"", "coordination.k8s.io", "leases", "", []string{"get", "create", "update", "delete"}},
		{simulator.RoleScheduler, "", "nodes", "", watching},
		{simulator.RoleScheduler, "", "pods", "binding", []string{"create"}},
		{simulator.RoleVolumes, "", "persistentvolumeclaims", "", append(watching, "update")},
		{simulator.RoleVolumes, "", "persistentvolumes", "", []string{"create"}},
		{simulator.RoleGarbageCollector, "*", "*", "", append(watching, "delete", "patch")},
		{simulator.RoleNamespaces, "", "namespaces", "", watching},
		{simulator.RoleNamespaces, "", "namespaces", "finalize", []string{"update"}},
		{simulator.RoleNamespaces, "*", "*", "", []string{"list", "delete", "deletecollection"}},
		{simulator.RoleServiceAccounts, "", "serviceaccounts", "", append(watching, "create")},
		{simulator.RoleServiceAccounts, "", "serviceaccounts", "token", []string{"create"}},
		{simulator.RoleServiceAccounts, "", "configmaps", "", []string{"create"}},
		{simulator.RoleServiceAccounts, "", "secrets", "", []string{"update"}},
		{simulator.RoleQuota, "", "resourcequotas", "", watching},
		{simulator.RoleQuota, "", "resourcequotas", "status", []string{"update"}},
		{simulator.RoleNodes, "", "nodes", "", []string{"get", "update"}},
		{simulator.RoleStatefulSets, "apps", "statefulsets", "", watching},
		{simulator.RoleStatefulSets, "apps", "statefulsets", "status", []string{"update"}},
		{simulator.RoleStatefulSets, "", "pods", "", []string{"create"}},
		{simulator.RoleStatefulSets, "", "persistentvolumeclaims", "", []string{"create"}},
	}
}

// permitted asks whether the user may do what the roles need. The error is a *ForbiddenError or an *UnreachableError.
func (n *Node) permitted(ctx context.Context) error {
	clientset, err := kubernetes.NewForConfig(n.o.Config)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", n.o.Config.Host, err)
	}
	var missing []string
	for _, p := range permissions() {
		if p.role != "" && !n.plays(p.role) {
			continue
		}
		for _, verb := range p.verbs {
			review, err := clientset.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, &authorizationv1.SelfSubjectAccessReview{
				Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
					Group: p.group, Resource: p.resource, Subresource: p.subresource, Verb: verb,
				}},
			}, metav1.CreateOptions{})
			switch {
			case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
				return &ForbiddenError{Err: err}
			case err != nil:
				return unreachable(n.o.Config.Host, err)
			case !review.Status.Allowed:
				missing = append(missing, p.text(verb))
			}
		}
	}
	if len(missing) > 0 {
		return &ForbiddenError{Missing: missing}
	}
	return nil
}

// unreachable tells an API server that does not answer from one that answers strangely.
func unreachable(host string, err error) error {
	var broken net.Error
	if errors.As(err, &broken) || apierrors.ReasonForError(err) == metav1.StatusReasonUnknown {
		return &UnreachableError{Host: host, Err: err}
	}
	return fmt.Errorf("asking for permissions: %w", err)
}

func (p permission) text(verb string) string {
	name := p.resource
	if p.subresource != "" {
		name += "/" + p.subresource
	}
	if p.group != "" {
		name += "." + p.group
	}
	return verb + " " + name
}
