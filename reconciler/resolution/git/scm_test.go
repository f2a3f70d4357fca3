package git

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

const sha = "0123456789012345678901234567890123456789"

// apiServer answers what is asked for at a path, escaped and with its query, with JSON or text.
func apiServer(t *testing.T, authorization string, answers map[string]any) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != authorization {
			t.Errorf("%s: Authorization %q, want %q", r.URL, got, authorization)
		}
		answer, ok := answers[r.URL.RequestURI()]
		if !ok {
			t.Logf("no answer for %s", r.URL.RequestURI())
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if text, ok := answer.(string); ok {
			_, _ = w.Write([]byte(text))
			return
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// tokens is a store with the Secret default/token.
func tokens(key client.ObjectKey, into client.Object) error {
	secret, ok := into.(*corev1.Secret)
	if !ok || key.Name != "token" || key.Namespace != "default" && key.Namespace != "resolvers" {
		return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
	}
	secret.Data = map[string][]byte{"key": []byte("t0ken\n")}
	return nil
}

func TestAPIs(t *testing.T) {
	t.Parallel()
	base64Of := func(s string) map[string]string {
		return map[string]string{"content": base64.StdEncoding.EncodeToString([]byte(s))[:4] + "\n" + base64.StdEncoding.EncodeToString([]byte(s))[4:]}
	}
	links := map[string]any{"links": map[string]any{"clone": []map[string]string{{"name": "ssh", "href": "ssh://x"}, {"name": "https", "href": "https://git.example/o/r.git"}}}}
	const clone = "https://git.example/o/r.git"
	for kind, api := range map[string]struct {
		authorization string
		answers       map[string]any
	}{
		"github": {"Bearer t0ken", map[string]any{
			"/api/v3/repos/o/r":                                       map[string]string{"clone_url": clone},
			"/api/v3/repos/o/r/commits/feature%2Fx":                   map[string]string{"sha": sha},
			"/api/v3/repos/o/r/contents/task/l%20int.yaml?ref=" + sha: base64Of("a text"),
		}},
		"gitlab": {"Bearer t0ken", map[string]any{
			"/api/v4/projects/o%2Fr":                                                 map[string]string{"http_url_to_repo": clone},
			"/api/v4/projects/o%2Fr/repository/commits/feature%2Fx":                  map[string]string{"id": sha},
			"/api/v4/projects/o%2Fr/repository/files/task%2Fl%20int.yaml?ref=" + sha: base64Of("a text"),
		}},
		"gitea": {"token t0ken", map[string]any{
			"/api/v1/repos/o/r":                                  map[string]string{"clone_url": clone},
			"/api/v1/repos/o/r/git/commits/feature%2Fx":          map[string]string{"sha": sha},
			"/api/v1/repos/o/r/raw/task/l%20int.yaml?ref=" + sha: "a text",
		}},
		"bitbucketcloud": {"Bearer t0ken", map[string]any{
			"/2.0/repositories/o/r":                                   links,
			"/2.0/repositories/o/r/commit/feature%2Fx":                map[string]string{"hash": sha},
			"/2.0/repositories/o/r/src/" + sha + "/task/l%20int.yaml": "a text",
		}},
		"bitbucketserver": {"Bearer t0ken", map[string]any{
			"/rest/api/1.0/projects/o/repos/r":                                 links,
			"/rest/api/1.0/projects/o/repos/r/commits/feature%2Fx":             map[string]string{"id": sha},
			"/rest/api/1.0/projects/o/repos/r/raw/task/l%20int.yaml?at=" + sha: "a text",
		}},
	} {
		url := apiServer(t, api.authorization, api.answers)
		r := request(map[string]string{"scm-type": kind, "server-url": url + "/", "api-token-secret-name": "token", "api-token-secret-key": "key"},
			"org=o", "repo=r", "revision=feature/x", "pathInRepo=/task/l int.yaml")
		r.Cluster = tokens
		got, err := (&Resolver{API: NewAPI(resolvertest.Local(url))}).Resolve(t.Context(), r)
		want := resolver.Resource{
			Data: []byte("a text"),
			Annotations: map[string]string{
				"resolution.tekton.dev/revision": sha, "resolution.tekton.dev/path": "task/l int.yaml", "resolution.tekton.dev/url": clone,
				"resolution.tekton.dev/content-type": "application/x-yaml", "resolution.tekton.dev/org": "o", "resolution.tekton.dev/repo": "r",
			},
			Source: &v1beta1.ConfigSource{URI: "git+" + clone, Digest: map[string]string{"sha1": sha}, EntryPoint: "task/l int.yaml"},
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got)\n%s", kind, err, diff)
		}
	}
}

func TestAPIErrors(t *testing.T) {
	t.Parallel()
	url := apiServer(t, "Bearer t0ken", map[string]any{
		"/api/v3/repos/o/r/commits/main":                map[string]string{"sha": sha},
		"/api/v3/repos/o/r/contents/a?ref=" + sha:       map[string]string{"content": "YQ=="},
		"/api/v3/repos/o/r/contents/empty?ref=" + sha:   map[string]string{"content": ""},
		"/api/v3/repos/o/r/contents/broken?ref=" + sha:  "{",
		"/api/v3/repos/o/r/contents/large?ref=" + sha:   map[string]string{"content": base64.StdEncoding.EncodeToString(make([]byte, resolver.MaxData+1))},
		"/api/v3/repos/o/r/contents/endless?ref=" + sha: strings.Repeat("x", maxAnswer+1),
		"/api/v3/repos/o/r/contents/a?ref=gone":         map[string]string{"content": "YQ=="},
		"/api/v3/repos/o/nosha/commits/main":            map[string]string{},
		"/api/v3/repos/o/nosha/contents/a?ref=main":     map[string]string{"content": "YQ=="},
		"/api/v3/repos/%2E%2E/r/commits/main":           map[string]string{"sha": sha},
	})
	installed := map[string]string{"server-url": url, "api-token-secret-name": "token", "api-token-secret-key": "key"}
	api := strings.Replace(url, "http://", "", 1)
	for _, tt := range []struct {
		reason string
		config map[string]string
		params string
		want   string
	}{
		{reason: "no type", config: map[string]string{"scm-type": ""}, want: "missing or empty scm-type value in configmap"},
		{reason: "an unknown type", config: map[string]string{"scm-type": "cvs"}, want: `failed to create SCM client: unsupported scm-type "cvs"`},
		{reason: "no server", config: map[string]string{"scm-type": "gitea", "server-url": ""}, want: "failed to create SCM client: scm-type gitea needs a server-url"},
		{reason: "not a server", config: map[string]string{"server-url": "file:///etc"}, want: "failed to create SCM client: server-url file:///etc is not a URL of HTTP"},
		{reason: "no secret", config: map[string]string{"api-token-secret-name": ""}, want: "cannot get API token, required when specifying 'repo' param, 'api-token-secret-name' not specified in config"},
		{reason: "no key", config: map[string]string{"api-token-secret-key": ""}, want: "cannot get API token, required when specifying 'repo' param, 'api-token-secret-key' not specified in config"},
		{reason: "no such secret", config: map[string]string{"api-token-secret-name": "nosuch"}, want: "cannot get API token, secret nosuch not found in namespace default"},
		{reason: "no such key", config: map[string]string{"api-token-secret-key": "nosuch"}, want: "cannot get API token, key nosuch not found in secret token in namespace default"},
		{reason: "another namespace", config: map[string]string{"api-token-secret-namespace": "other"}, want: "cannot get API token, secret token not found in namespace other"},

		{reason: "no such file", params: "pathInRepo=nosuch", want: "couldn't fetch resource content: http://" + api + "/api/v3/repos/o/r/contents/nosuch?ref=" + sha + ": 404 Not Found"},
		{reason: "an empty file", params: "pathInRepo=empty", want: "no content for resource in o/r empty"},
		{reason: "an answer that is not JSON", params: "pathInRepo=broken", want: "couldn't fetch resource content: unexpected end of JSON input"},
		{reason: "a large file", params: "pathInRepo=large", want: "couldn't fetch resource content: it has 1048577 bytes, where 1048576 are allowed"},
		{reason: "an answer without end", params: "pathInRepo=endless", want: "couldn't fetch resource content: the answer is too large: more than the 2097152 bytes that are allowed"},
		{reason: "a path that climbs", params: "pathInRepo=../../user", want: "couldn't fetch resource content: the path leads out of the repository"},
		{reason: "an organization that climbs", params: "org=..", want: "couldn't fetch resource content: http://" + api + "/api/v3/repos/%2E%2E/r/contents/a?ref=" + sha + ": 404 Not Found"},
		{reason: "no such revision", params: "revision=nosuch", want: "couldn't fetch resource content: http://" + api + "/api/v3/repos/o/r/contents/a?ref=nosuch: 404 Not Found"},
		{reason: "an option", params: "revision=--upload-pack=x", want: "couldn't fetch resource content: http://" + api + "/api/v3/repos/o/r/contents/a?ref=--upload-pack%3Dx: 404 Not Found"},
		{reason: "a revision without a commit", params: "revision=gone", want: "couldn't fetch the commit sha for the ref gone in the repo: http://" + api + "/api/v3/repos/o/r/commits/gone: 404 Not Found"},
		{reason: "a commit without a name", params: "repo=nosha", want: "couldn't fetch the commit sha for the ref main in the repo: the answer has no sha"},
		{reason: "no repository", want: "couldn't fetch repository: http://" + api + "/api/v3/repos/o/r: 404 Not Found"},
	} {
		config := map[string]string{}
		for _, c := range []map[string]string{installed, tt.config} {
			for k, v := range c {
				config[k] = v
			}
		}
		params := []string{"org=o", "repo=r", "pathInRepo=a"}
		if tt.params != "" {
			params = append(params, tt.params)
		}
		r := request(config, params...)
		r.Cluster = tokens
		_, err := (&Resolver{API: NewAPI(resolvertest.Local(api))}).Resolve(t.Context(), r)
		resolvertest.WantError(t, tt.reason, err, tt.want)
	}
	r := request(installed, "org=o", "repo=r", "pathInRepo=empty")
	delete(r.Config, "api-token-secret-namespace")
	r.Cluster = tokens
	_, err := (&Resolver{API: NewAPI(resolvertest.Local(api)), Namespace: "resolvers"}).Resolve(t.Context(), r)
	resolvertest.WantError(t, "the resolvers' own namespace", err, "no content for resource in o/r empty")
}

// TestTokensStayWithTheirServer: a server that redirects elsewhere does not pass on the token.
func TestTokensStayWithTheirServer(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || strings.Contains(fmt.Sprint(r.Header), "t0ken") {
			t.Errorf("the token was sent to another server: %v", r.Header)
		}
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(elsewhere.Close)
	to := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)
	for kind := range vendors {
		s := httptest.NewServer(http.RedirectHandler(to, http.StatusFound))
		r := request(map[string]string{"scm-type": kind, "server-url": s.URL, "api-token-secret-name": "token", "api-token-secret-key": "key"}, "org=o", "repo=r", "pathInRepo=a")
		r.Cluster = tokens
		_, err := (&Resolver{API: NewAPI(resolvertest.Local(s.URL, to))}).Resolve(t.Context(), r)
		if err == nil || !strings.Contains(err.Error(), "418") || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: %v", kind, err)
		}
		s.Close()
	}
}
