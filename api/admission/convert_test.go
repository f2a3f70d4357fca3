package admission_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/admission"
)

func TestConversionOfJSON(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason, in, to, want string // the object, or the error
	}{
		{"missing values are filled in, in the requested version", `{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"name":"r"},"spec":{"taskRef":{"name":"t"}}}`, "tekton.dev/v1",
			`{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"labels":{"app.kubernetes.io/managed-by":"tekton-pipelines"},"name":"r"},"spec":{"serviceAccountName":"default","taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`},
		{"and the other way", `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"name":"r"},"spec":{"taskRef":{"name":"t"},"stepSpecs":[{"name":"s"}]}}`, "tekton.dev/v1beta1",
			`{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"labels":{"app.kubernetes.io/managed-by":"tekton-pipelines"},"name":"r"},"spec":{"serviceAccountName":"default","stepOverrides":[{"name":"s","resources":{}}],"taskRef":{"kind":"Task","name":"t"},"timeout":"1h0m0s"}}`},
		{"an object that is being deleted is left unchanged", `{"apiVersion":"tekton.dev/v1beta1","kind":"TaskRun","metadata":{"name":"r","deletionTimestamp":"2000-01-01T00:00:00Z"},"spec":{"taskRef":{"name":"t"}}}`, "tekton.dev/v1",
			`{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"deletionTimestamp":"2000-01-01T00:00:00Z","name":"r"},"spec":{"serviceAccountName":"","taskRef":{"name":"t"}}}`},
		{"a Task", `{"apiVersion":"tekton.dev/v1","kind":"Task","metadata":{"name":"t"},"spec":{"results":[{"name":"r"}],"steps":[{"image":"i"}]}}`, "tekton.dev/v1beta1",
			`{"apiVersion":"tekton.dev/v1beta1","kind":"Task","metadata":{"name":"t"},"spec":{"results":[{"name":"r","type":"string"}],"steps":[{"image":"i","name":"","resources":{}}]}}`},
		{"the same version", `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","x":1}`, "tekton.dev/v1", `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","x":1}`},
		{"an unknown version", `{"apiVersion":"tekton.dev/v1","kind":"TaskRun"}`, "tekton.dev/v2", `unknown version, got: *v1.TaskRun`},
		{"a kind of one version", `{"apiVersion":"tekton.dev/v1beta1","kind":"ClusterTask"}`, "tekton.dev/v1", `unknown version, got: *v1beta1.ClusterTask`},
		{"a kind of others", `{"apiVersion":"v1","kind":"Pod"}`, "tekton.dev/v1", `unknown version, got: v1 Pod`},
		{"an annotation that is not JSON", `{"apiVersion":"tekton.dev/v1","kind":"TaskRun","metadata":{"annotations":{"tekton.dev/v1beta1Resources":"x"}}}`, "tekton.dev/v1beta1",
			`error deserializing key tekton.dev/v1beta1Resources from metadata: invalid character 'x' looking for beginning of value`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			out, err := admission.ConvertJSON([]byte(row.in), row.to)
			var got string
			if err != nil {
				got = err.Error()
			} else {
				got = canonical(t, out)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConfigMaps(t *testing.T) {
	t.Parallel()
	const part = "tekton-pipelines"
	for _, row := range []struct {
		reason, name, partOf, key, value, want string
	}{
		{"a number", "config-defaults", part, "default-timeout-minutes", "5", ""},
		{"no number", "config-defaults", part, "default-timeout-minutes", "x",
			`admission webhook "config.webhook.pipeline.tekton.dev" denied the request: validation failed: failed parsing tracing config "default-timeout-minutes"`},
		{"the webhook is asked only about ConfigMaps of the installation", "config-defaults", "", "default-timeout-minutes", "x", ""},
		{"feature-flags is not checked", "feature-flags", part, "disable-creds-init", "maybe", ""},
	} {
		got := ""
		err := admission.ConfigMap(&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: row.name, Labels: map[string]string{"app.kubernetes.io/part-of": row.partOf}},
			Data:       map[string]string{row.key: row.value},
		})
		if err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}
