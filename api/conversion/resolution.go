package conversion

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/resolution/v1alpha1"
	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// ResolutionRequestToV1alpha1 is the request as v1alpha1 shows it. A param that is not a string has no place there.
func ResolutionRequestToV1alpha1(in *resolution.ResolutionRequest) (*v1alpha1.ResolutionRequest, error) {
	out := &v1alpha1.ResolutionRequest{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: resolution.KindResolutionRequest},
		ObjectMeta: metadata(&in.ObjectMeta),
		Status:     *in.Status.DeepCopy(),
	}
	var others []string
	for _, p := range in.Spec.Params {
		if p.Value.Type != v1beta1.ParamTypeString {
			others = append(others, p.Name)
			continue
		}
		if out.Spec.Parameters == nil {
			out.Spec.Parameters = map[string]string{}
		}
		out.Spec.Parameters[p.Name] = p.Value.StringVal
	}
	if len(others) > 0 {
		return nil, fmt.Errorf("cannot convert v1beta1 to v1alpha, non-string type parameter(s) found: %s", strings.Join(others, ", "))
	}
	return out, nil
}

// ResolutionRequestFromV1alpha1 is the request as v1beta1 shows it, with its params in the order of their names.
func ResolutionRequestFromV1alpha1(in *v1alpha1.ResolutionRequest) (*resolution.ResolutionRequest, error) {
	out := &resolution.ResolutionRequest{
		TypeMeta:   metav1.TypeMeta{APIVersion: resolution.GroupVersion.String(), Kind: resolution.KindResolutionRequest},
		ObjectMeta: metadata(&in.ObjectMeta),
		Status:     *in.Status.DeepCopy(),
	}
	for _, name := range slices.Sorted(maps.Keys(in.Spec.Parameters)) {
		out.Spec.Params = append(out.Spec.Params, v1beta1.Param{Name: name, Value: v1beta1.StringValue(in.Spec.Parameters[name])})
	}
	return out, nil
}
