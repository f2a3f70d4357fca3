package validation

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
)

// ResolutionRequest checks a request of either version: it has to say which resolver it is for. That is all that is asked of it, so it
// needs no row of [Rules].
func ResolutionRequest(r metav1.Object) error {
	if r.GetLabels()[resolution.LabelType] != "" {
		return nil
	}
	return Errors{{Rule: "RR-01", Message: missing, Paths: []string{"meta.labels." + resolution.LabelType}}}
}
