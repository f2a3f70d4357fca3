package conversion

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestResolutionRequests(t *testing.T) {
	t.Parallel()
	in := &resolution.ResolutionRequest{
		TypeMeta:   metav1.TypeMeta{APIVersion: "resolution.tekton.dev/v1beta1", Kind: "ResolutionRequest"},
		ObjectMeta: metav1.ObjectMeta{Name: "r", Labels: map[string]string{resolution.LabelType: "git"}},
		Spec:       resolution.ResolutionRequestSpec{Params: []v1beta1.Param{{Name: "a", Value: v1beta1.StringValue("b")}, {Name: "c", Value: v1beta1.StringValue("d")}}},
	}
	in.Status.Data, in.Status.Source = "Zm9v", &v1beta1.ConfigSource{URI: "u"}
	old, err := ResolutionRequestToV1alpha1(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "b", "c": "d"}, old.Spec.Parameters); diff != "" {
		t.Error(diff)
	}
	back, err := ResolutionRequestFromV1alpha1(old)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(in, back); diff != "" {
		t.Error(diff)
	}
	in.Spec.Params = append(in.Spec.Params, v1beta1.Param{Name: "list", Value: v1beta1.ArrayValue("x")}, v1beta1.Param{Name: "object", Value: v1beta1.ObjectValue(nil)})
	const want = "cannot convert v1beta1 to v1alpha, non-string type parameter(s) found: list, object"
	if _, err := ResolutionRequestToV1alpha1(in); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
