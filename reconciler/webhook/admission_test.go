package webhook_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

// mux is a Mux for tests.
type mux struct{ *http.ServeMux }

func (m mux) Register(path string, h http.Handler) { m.Handle(path, h) }

// TestAnswers gives reviews to the webhooks as an API server does.
func TestAnswers(t *testing.T) {
	t.Parallel()
	alpha, err := config.Parse(nil, map[string]string{config.KeyEnableAPIFields: config.AlphaAPIFields})
	if err != nil {
		t.Fatal(err)
	}
	m := mux{http.NewServeMux()}
	webhook.Register(m, func(namespace string) *config.Config {
		if namespace == "alpha" {
			return alpha
		}
		return config.Default()
	})
	review := func(namespace, version, kind, operation, subresource, object, old string) string {
		if old == "" {
			old = "null"
		}
		return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"tekton.dev","version":"` + version + `","kind":"` + kind +
			`"},"namespace":"` + namespace + `","operation":"` + operation + `","subResource":"` + subresource + `","object":` + object + `,"oldObject":` + old + `}}`
	}
	const (
		debugged = `{"metadata":{"name":"r"},"spec":{"taskRef":{"name":"t"},"debug":{"breakpoint":["onFailure"]}}}`
		strange  = `{"metadata":{"name":"r"},"spec":{"taskRef":{"name":"t"},"nope":1}}`
		complete = `{"metadata":{"name":"r","labels":{"app.kubernetes.io/managed-by":"tekton-pipelines"}},"spec":{"serviceAccountName":"default","taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`
	)
	for _, row := range []struct {
		reason, path, body string
		want               string // the response, without its uid
	}{
		{"defaults are a patch", webhook.PathDefaulting, review("n", "v1", "Task", "CREATE", "", `{"metadata":{"name":"t"},"spec":{"results":[{"name":"r"}],"steps":[{"computeResources":{},"image":"i","name":"s"}]}}`, ""),
			`{"allowed":true,"patch":[{"op":"add","path":"/spec/results/0/type","value":"string"}],"patchType":"JSONPatch"}`},
		{"an invalid object is left for the validating webhook", webhook.PathDefaulting, review("n", "v1beta1", "TaskRun", "CREATE", "", debugged, ""), `{"allowed":true}`},
		{"which refuses it", webhook.PathValidation, review("n", "v1beta1", "TaskRun", "CREATE", "", debugged, ""),
			`{"allowed":false,"status":{"code":400,"message":"validation failed: debug requires \"enable-api-fields\" feature gate to be \"alpha\" but it is \"stable\": ","reason":"BadRequest"}}`},
		{"under the configuration of its namespace", webhook.PathValidation, review("alpha", "v1beta1", "TaskRun", "CREATE", "", debugged, ""), `{"allowed":true}`},
		{"unknown fields are the mutating webhook's", webhook.PathDefaulting, review("n", "v1beta1", "TaskRun", "CREATE", "", strange, ""),
			`{"allowed":false,"status":{"code":400,"message":"mutation failed: cannot decode incoming new object: json: unknown field \"nope\"","reason":"BadRequest"}}`},
		{"of a status only the type is looked at", webhook.PathValidation, review("n", "v1beta1", "TaskRun", "UPDATE", "status", debugged, complete), `{"allowed":true}`},
		{"which has to fit", webhook.PathValidation, review("n", "v1beta1", "TaskRun", "UPDATE", "status", `{"status":{"nope":1}}`, complete),
			`{"allowed":false,"status":{"code":400,"message":"mutation failed: cannot decode incoming new object: json: unknown field \"nope\"","reason":"BadRequest"}}`},
		{"a spec does not change", webhook.PathValidation, review("n", "v1beta1", "TaskRun", "UPDATE", "", `{"metadata":{"name":"r"},"spec":{"serviceAccountName":"other","taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`, complete),
			`{"allowed":false,"status":{"code":400,"message":"validation failed: invalid value: Once the TaskRun has started, only status and statusMessage updates are allowed: spec","reason":"BadRequest"}}`},
		{"a kind that is not known is not stored unchecked", webhook.PathValidation, review("n", "v1", "PipelineResource", "CREATE", "", strange, ""),
			`{"allowed":false,"status":{"code":500,"message":"the webhooks do not know the kind PipelineResource of tekton.dev/v1"}}`},
		{"a configuration", webhook.PathConfig, review("n", "v1", "ConfigMap", "UPDATE", "", `{"metadata":{"name":"config-defaults","labels":{"app.kubernetes.io/part-of":"tekton-pipelines"}},"data":{"default-timeout-minutes":"1"}}`, ""), `{"allowed":true}`},
		{"that cannot be parsed", webhook.PathConfig, review("n", "v1", "ConfigMap", "UPDATE", "", `{"metadata":{"name":"config-defaults","labels":{"app.kubernetes.io/part-of":"tekton-pipelines"}},"data":{"default-timeout-minutes":"x"}}`, ""),
			`{"allowed":false,"status":{"code":400,"message":"validation failed: failed parsing tracing config \"default-timeout-minutes\"","reason":"BadRequest"}}`},
		{"no ConfigMap at all", webhook.PathConfig, review("n", "v1", "ConfigMap", "UPDATE", "", `[]`, ""),
			`{"allowed":false,"status":{"code":400,"message":"json: cannot unmarshal array into Go value of type v1.ConfigMap"}}`},
		{"a conversion", webhook.PathConversion, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"tekton.dev/v1","objects":[{"apiVersion":"tekton.dev/v1beta1","kind":"Task","metadata":{"name":"t"},"spec":{"steps":[{"name":"s","image":"i","resources":{"limits":{"cpu":"1"}}}]}}]}}`,
			`{"convertedObjects":[{"apiVersion":"tekton.dev/v1","kind":"Task","metadata":{"name":"t"},"spec":{"steps":[{"computeResources":{"limits":{"cpu":"1"}},"image":"i","name":"s"}]}}],"result":{"metadata":{},"status":"Success"}}`},
		{"one that is not possible", webhook.PathConversion, `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"tekton.dev/v1","objects":[{"apiVersion":"tekton.dev/v1","kind":"Task"},{"apiVersion":"tekton.dev/v1beta1","kind":"ClusterTask"}]}}`,
			`{"convertedObjects":[{"apiVersion":"tekton.dev/v1","kind":"Task"}],"result":{"message":"unknown version, got: *v1beta1.ClusterTask","metadata":{},"status":"Failure"}}`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodPost, row.path, bytes.NewBufferString(row.body))
			request.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			m.ServeHTTP(answer, request)
			var got struct{ Response map[string]any }
			if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil {
				t.Fatalf("%s: %v", answer.Body, err)
			}
			if got.Response["uid"] != "u" {
				t.Errorf("the answer is to %v", got.Response["uid"])
			}
			delete(got.Response, "uid")
			// What always is there says nothing.
			if status, ok := got.Response["status"].(map[string]any); ok {
				delete(status, "metadata")
				if allowed, _ := got.Response["allowed"].(bool); allowed {
					delete(got.Response, "status")
				}
			}
			if patch, ok := got.Response["patch"].([]byte); ok {
				got.Response["patch"] = string(patch)
			}
			if encoded, ok := got.Response["patch"].(string); ok {
				var raw []byte
				var patch any
				if json.Unmarshal([]byte(`"`+encoded+`"`), &raw) != nil || json.Unmarshal(raw, &patch) != nil {
					t.Fatalf("the patch is %s", encoded)
				}
				got.Response["patch"] = patch
			}
			var want map[string]any
			if err := json.Unmarshal([]byte(row.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Response); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, webhook.PathConversion, bytes.NewBufferString("{}")))
	if answer.Code != http.StatusBadRequest {
		t.Errorf("to no request at all it answers %d", answer.Code)
	}
}
