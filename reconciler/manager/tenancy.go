package manager

import (
	"context"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// rights are the program's own, as the API server tells them.
type rights struct {
	reviews authorizationclient.SelfSubjectAccessReviewInterface
}

var _ reconciler.Rights = rights{}

// Has implements reconciler.Rights.
func (r rights) Has(ctx context.Context, right authorizationv1.ResourceAttributes) (bool, error) {
	review, err := r.reviews.Create(ctx, &authorizationv1.SelfSubjectAccessReview{
		Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right},
	}, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	return review.Status.Allowed, nil
}
