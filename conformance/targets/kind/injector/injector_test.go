package injector_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/plumbline-ci/plumbline/conformance/targets/kind/injector"
)

// ask sends a Pod to a path, and returns the patch and the HTTP status.
func ask(t *testing.T, path, pod string) (patch string, code int) {
	t.Helper()
	body, err := json.Marshal(admissionv1.AdmissionReview{Request: &admissionv1.AdmissionRequest{UID: "u", Object: runtime.RawExtension{Raw: []byte(pod)}}})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	injector.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodPost, path, bytes.NewReader(body)))
	if w.Code != http.StatusOK {
		return "", w.Code
	}
	var review admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &review); err != nil {
		t.Fatal(err)
	}
	if r := review.Response; r == nil || !r.Allowed || r.UID != "u" {
		t.Fatalf("the answer is %s", w.Body.String())
	}
	return string(review.Response.Patch), w.Code
}

func TestContainersAreAdded(t *testing.T) {
	t.Parallel()
	proxy := corev1.Container{Name: "proxy", Image: "busybox", Command: []string{"sh", "-c", strings.Repeat("sleep 1;", 40)}}
	for _, tt := range []struct {
		reason    string
		add       injector.Containers
		pod, want string
	}{
		{"behind the others, which stay as they are", injector.Containers{After: []corev1.Container{{Name: "p", Image: "i"}}},
			`{"spec":{"containers":[{"name":"a","new":1}]}}`, `[{"op":"add","path":"/spec/containers","value":[{"name":"a","new":1},{"name":"p","image":"i","resources":{}}]}]`},
		{"before the init containers", injector.Containers{Before: []corev1.Container{{Name: "p", Image: "i"}}},
			`{"spec":{"initContainers":[{"name":"a"}]}}`, `[{"op":"add","path":"/spec/initContainers","value":[{"name":"p","image":"i","resources":{}},{"name":"a"}]}]`},
		{"as the only init container", injector.Containers{Before: []corev1.Container{{Name: "p", Image: "i"}}},
			`{"spec":{}}`, `[{"op":"add","path":"/spec/initContainers","value":[{"name":"p","image":"i","resources":{}}]}]`},
		{"none", injector.Containers{}, `{"spec":{}}`, `[]`},
	} {
		path, err := tt.add.Path()
		if err != nil {
			t.Fatal(err)
		}
		if got, code := ask(t, path, tt.pod); got != tt.want {
			t.Errorf("%s: status %d (-want +got):\n%s", tt.reason, code, cmp.Diff(tt.want, got))
		}
	}
	path, err := injector.Containers{After: []corev1.Container{proxy}}.Path()
	if err != nil {
		t.Fatal(err)
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if wrong := validation.IsDNS1123Subdomain(segment); len(wrong) > 0 {
			t.Errorf("an API server does not take the segment %q: %v", segment, wrong)
		}
	}
}

func TestMalformedReviewsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ path, pod string }{{"/inject/zz", `{}`}, {"/inject/", `{}`}, {"/inject/" + "fdh0", `[]`}} {
		if patch, code := ask(t, tt.path, tt.pod); code != http.StatusBadRequest {
			t.Errorf("%s: status %d, %s", tt.path, code, patch)
		}
	}
}
