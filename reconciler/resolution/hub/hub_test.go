package hub

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

// request is one with params as name=value, under the configuration as it is installed, and with changes to that.
func request(config map[string]string, params string) resolver.Request {
	all := Resolver{}.Defaults()
	maps.Copy(all, config)
	return resolvertest.Request(all, strings.Fields(params)...)
}

func TestParams(t *testing.T) {
	t.Parallel()
	h := Resolver{ArtifactURL: "https://a", TektonURL: "https://t"}
	for _, tt := range []struct {
		reason, params string
		config         map[string]string
		url, want      string
	}{
		{reason: "the defaults", params: "name=lint version=0.6", url: "https://a/api/v1/packages/tekton-task/tekton-catalog-tasks/lint/0.6.0"},
		{reason: "a version of three parts", params: "name=lint version=0.6.1", url: "https://a/api/v1/packages/tekton-task/tekton-catalog-tasks/lint/0.6.1"},
		{reason: "a pipeline", params: "name=b version=1 kind=pipeline", url: "https://a/api/v1/packages/tekton-pipeline/tekton-catalog-pipelines/b/1"},
		{reason: "a catalog", params: "name=lint version=0.6 catalog=mine", url: "https://a/api/v1/packages/tekton-task/mine/lint/0.6.0"},
		{reason: "the other type", params: "name=lint version=0.6.3 type=tekton", url: "https://t/v1/resource/Tekton/task/lint/0.6/yaml"},
		{reason: "the other type, a version of two parts", params: "name=lint version=0.6 type=tekton kind=pipeline", url: "https://t/v1/resource/Tekton/pipeline/lint/0.6/yaml"},
		{reason: "other defaults", params: "name=lint version=1.2", config: map[string]string{"default-type": "tekton", "default-kind": "pipeline"}, url: "https://t/v1/resource/Tekton/pipeline/lint/1.2/yaml"},
		{reason: "names that climb", params: "name=../../x version=.. catalog=a/b", url: "https://a/api/v1/packages/tekton-task/a%2Fb/..%2F..%2Fx/%2E%2E"},

		{reason: "nothing", want: "failed to validate params: missing required hub resolver params: name, version"},
		{reason: "no version", params: "name=lint", want: "failed to validate params: missing required hub resolver params: version"},
		{reason: "no name", params: "version=1", want: "failed to validate params: missing required hub resolver params: name"},
		{reason: "another kind", params: "name=lint version=1 kind=clustertask", want: "failed to validate params: kind param must be task or pipeline"},
		{reason: "another type", params: "name=lint version=1 type=x", want: "failed to validate params: type param must be artifact or tekton"},
		{reason: "no default type", config: map[string]string{"default-type": ""}, want: "failed to populate default params: default type was not set during installation of the hub resolver"},
		{reason: "no default kind", config: map[string]string{"default-kind": ""}, want: "failed to populate default params: default resource kind was not set during installation of the hub resolver"},
		{reason: "no default catalog", config: map[string]string{"default-artifact-hub-task-catalog": ""}, want: "failed to populate default params: default catalog was not set during installation of the hub resolver"},
	} {
		r := request(tt.config, tt.params)
		resolvertest.WantError(t, tt.reason, h.Validate(t.Context(), r), tt.want)
		w, err := h.read(r)
		if got, _ := h.where(w); err == nil && got != tt.url {
			t.Errorf("%s: %s, want %s", tt.reason, got, tt.url)
		}
	}
	resolvertest.WantError(t, "no Tekton Hub", Resolver{}.Validate(t.Context(), request(nil, "name=lint version=1 type=tekton")),
		"failed to validate params: pleaes configure TEKTON_HUB_API env variable to use tekton type")
}

func TestResolve(t *testing.T) {
	t.Parallel()
	manifest := func(field, text string) string {
		data, _ := json.Marshal(map[string]any{"data": map[string]string{field: text}})
		return string(data)
	}
	answers := map[string]string{
		"/api/v1/packages/tekton-task/tekton-catalog-tasks/lint/0.6.0":    manifest("manifestRaw", "a task"),
		"/v1/resource/Tekton/task/lint/0.6/yaml":                          manifest("yaml", "another task"),
		"/api/v1/packages/tekton-task/tekton-catalog-tasks/broken/0.1.0":  "{",
		"/api/v1/packages/tekton-task/tekton-catalog-tasks/nothing/0.1.0": "{}",
		"/api/v1/packages/tekton-task/tekton-catalog-tasks/large/0.1.0":   manifest("manifestRaw", strings.Repeat("x", resolver.MaxData+1)),
		"/api/v1/packages/tekton-task/tekton-catalog-tasks/endless/0.1.0": strings.Repeat(" ", maxAnswer+1),
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch text, ok := answers[r.URL.EscapedPath()]; {
		case strings.Contains(r.URL.Path, "moved"):
			http.Redirect(w, r, "http://169.254.169.254/", http.StatusFound)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(s.Close)
	h := Resolver{API: NewAPI(resolvertest.Local(s.URL)), ArtifactURL: s.URL, TektonURL: s.URL + "/"}
	packages := s.URL + "/api/v1/packages/tekton-task/tekton-catalog-tasks/"
	for _, tt := range []struct{ reason, params, want, err string }{
		{reason: "of an Artifact Hub", params: "name=lint version=0.6", want: "a task"},
		{reason: "of a Tekton Hub", params: "name=lint version=0.6 type=tekton", want: "another task"},
		{reason: "nothing of the name", params: "name=nosuch version=0.6", err: "fail to fetch Artifact Hub resource: requested resource '" + packages + "nosuch/0.6.0' not found on hub"},
		{reason: "nothing of the name, of a Tekton Hub", params: "name=nosuch version=0.6 type=tekton", err: "fail to fetch Tekton Hub resource: requested resource '" + s.URL + "/v1/resource/Tekton/task/nosuch/0.6/yaml' not found on hub"},
		{reason: "an answer that is not JSON", params: "name=broken version=0.1", err: "fail to fetch Artifact Hub resource: error unmarshalling json response: unexpected end of JSON input"},
		{reason: "an answer without a manifest", params: "name=nothing version=0.1", err: "fail to fetch Artifact Hub resource: the answer of '" + packages + "nothing/0.1.0' has no manifest"},
		{reason: "a manifest that is too large", params: "name=large version=0.1", err: "fail to fetch Artifact Hub resource: the manifest has 1048577 bytes, where 1048576 are allowed"},
		{reason: "an answer that is too large", params: "name=endless version=0.1", err: "fail to fetch Artifact Hub resource: error reading response body: the answer is too large: more than the 4194304 bytes that are allowed"},
	} {
		got, err := h.Resolve(t.Context(), request(nil, tt.params))
		resolvertest.WantError(t, tt.reason, err, tt.err)
		if string(got.Data) != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got.Data, tt.want)
		}
	}
	if _, err := h.Resolve(t.Context(), request(nil, "name=moved version=0.1")); err == nil || !strings.Contains(err.Error(), "link-local address 169.254.169.254") {
		t.Errorf("a redirect: %v", err)
	}
	got, err := h.Resolve(t.Context(), request(nil, "name=lint version=0.6"))
	sum := sha256.Sum256([]byte("a task"))
	want := resolver.Resource{Data: []byte("a task"), Source: &v1beta1.ConfigSource{URI: packages + "lint/0.6.0",
		Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the whole result: %v (-want +got)\n%s", err, diff)
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	h := Resolver{ArtifactURL: ArtifactHub, TektonURL: "https://t", API: Folder{FS: fstest.MapFS{
		"task/lint/0.6/lint.yaml":       {Data: []byte("old")},
		"task/lint/0.7.1/lint.yaml":     {Data: []byte("new")},
		"pipeline/build/1.0/build.yaml": {Data: []byte("pipeline")},
	}}}
	for params, want := range map[string]string{
		"name=lint version=0.6":                    "old",
		"name=lint version=0.6.0":                  "old",
		"name=lint version=0.7.1":                  "new",
		"name=lint version=0.6 type=tekton":        "old",
		"name=build version=1.0 kind=pipeline":     "pipeline",
		"name=build version=1.0":                   "",
		"name=nosuch version=0.6":                  "",
		"name=../lint version=0.6":                 "",
		"name=.. version=0.6":                      "",
		"name=lint version=0.6 kind=pipeline":      "",
		"name=lint version=../lint/0.6":            "",
		"name=lint version=0.6 catalog=any/thing":  "",
		"name=lint version=0.6 catalog=any-thing!": "old",
	} {
		got, err := h.Resolve(t.Context(), request(nil, params))
		if string(got.Data) != want || want == "" && (err == nil || !strings.Contains(err.Error(), "not found on hub")) {
			t.Errorf("%s: %q, %v, want %q", params, got.Data, err, want)
		}
	}
}
