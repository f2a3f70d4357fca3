package webhook_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds/kindtest"
	"github.com/plumbline-ci/plumbline/reconciler/webhook"
)

// TestWebhooksServeEveryRow: a kind in the table is reviewed and converted over HTTP without another edit, and a kind that is
// not in the table is an error, also where only its status is written.
func TestWebhooksServeEveryRow(t *testing.T) {
	t.Parallel()
	under := func(string) *config.Config { return config.Default() }
	with, without := mux{http.NewServeMux()}, mux{http.NewServeMux()}
	webhook.RegisterRules(with, admission.Rules{Kinds: kindtest.Table()}, under)
	webhook.Register(without, under)
	review := func(subresource, spec string) string {
		return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"tekton.dev","version":"v1beta1","kind":"Greeting"},"namespace":"n",
			"operation":"CREATE","subResource":"` + subresource + `","object":{"metadata":{"name":"g"},"spec":` + spec + `}}}`
	}
	conversion := `{"apiVersion":"apiextensions.k8s.io/v1","kind":"ConversionReview","request":{"uid":"u","desiredAPIVersion":"tekton.dev/v1","objects":[
		{"apiVersion":"tekton.dev/v1beta1","kind":"Greeting","metadata":{"name":"g"},"spec":{"word":"hello"}}]}}`
	const unknown = "the webhooks do not know the kind Greeting of tekton.dev/v1beta1"
	for _, row := range []struct{ reason, path, body, with, without string }{
		{"defaulting", webhook.PathDefaulting, review("", `{"word":"hello"}`), `"patchType":"JSONPatch"`, unknown},
		{"validation", webhook.PathValidation, review("", `{}`), "missing field(s): spec.word", unknown},
		{"a status", webhook.PathValidation, review("status", `{"word":"hello"}`), `"allowed":true`, unknown},
		{"conversion", webhook.PathConversion, conversion, `"text":"hello","times":1`, "unknown version, got: tekton.dev/v1beta1 Greeting"},
	} {
		for want, m := range map[string]mux{row.with: with, row.without: without} {
			request := httptest.NewRequest(http.MethodPost, row.path, strings.NewReader(row.body))
			request.Header.Set("Content-Type", "application/json")
			answer := httptest.NewRecorder()
			m.ServeHTTP(answer, request)
			if got, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(got), want) {
				t.Errorf("%s answers %s, want one with %s", row.reason, got, want)
			}
		}
	}
}
