package http

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

// request is one with params as name=value; the Secret login is in its namespace.
func request(params ...string) resolver.Request {
	r := resolvertest.Request(Resolver{}.Defaults(), params...)
	r.Cluster = func(key client.ObjectKey, into client.Object) error {
		secret, ok := into.(*corev1.Secret)
		if !ok || key != (client.ObjectKey{Namespace: "ns", Name: "login"}) {
			return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
		}
		secret.Data = map[string][]byte{"password": []byte("p"), "other": []byte("q")}
		return nil
	}
	return r
}

func TestParams(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		params []string
		want   string
	}{
		{reason: "a URL", params: []string{"url=https://a.example/t.yaml"}},
		{reason: "nothing", want: "missing required http resolver params: url"},
		{reason: "an empty URL", params: []string{"url="}, want: `cannot parse url : parse "": empty url`},
		{reason: "another protocol", params: []string{"url=file:///etc/passwd"}, want: "url file:///etc/passwd is not a valid http(s) url"},
		{reason: "a login", params: []string{"url=https://a.example", "http-username=u", "http-password-secret=login"}},
		{reason: "a user alone", params: []string{"url=https://a.example", "http-username=u"}, want: "missing required param http-password-secret when using http-username"},
		{reason: "a secret alone", params: []string{"url=https://a.example", "http-password-secret=s"}, want: "missing required param http-username when using http-password-secret"},
		{reason: "an empty user", params: []string{"url=https://a.example", "http-username=", "http-password-secret=s"}, want: "value http-username cannot be empty"},
		{reason: "an empty secret", params: []string{"url=https://a.example", "http-username=u", "http-password-secret="}, want: "value http-password-secret cannot be empty"},
	} {
		resolvertest.WantError(t, tt.reason, Resolver{}.Validate(t.Context(), request(tt.params...)), tt.want)
	}
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "x": time.Minute, "": time.Minute, "0s": time.Minute} {
		if got := (Resolver{}).Timeout(map[string]string{"fetch-timeout": text}); got != want {
			t.Errorf("fetch-timeout %q: %s, want %s", text, got, want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/task.yaml", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "a task") })
	mux.HandleFunc("/private.yaml", func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		if user != "u" || password != "p" && password != "q" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		_, _ = io.WriteString(w, password)
	})
	mux.HandleFunc("/large.yaml", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", resolver.MaxData+1))
	})
	mux.Handle("/moved.yaml", http.RedirectHandler("/task.yaml", http.StatusFound))
	mux.Handle("/hostile.yaml", http.RedirectHandler("http://169.254.169.254/latest/meta-data/iam", http.StatusFound))
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	h := Resolver{API: NewAPI(resolvertest.Local(s.URL))}
	for _, tt := range []struct {
		reason, path string
		params       []string
		want, err    string
	}{
		{reason: "what is there", path: "/task.yaml", want: "a task"},
		{reason: "what has moved", path: "/moved.yaml", want: "a task"},
		{reason: "with a login", path: "/private.yaml", params: []string{"http-username=u", "http-password-secret=login"}, want: "p"},
		{reason: "with another key", path: "/private.yaml", params: []string{"http-username=u", "http-password-secret=login", "http-password-secret-key=other"}, want: "q"},
		{reason: "without a login", path: "/private.yaml", err: "requested URL '" + s.URL + "/private.yaml' is not found"},
		{reason: "nothing", path: "/nosuch.yaml", err: "requested URL '" + s.URL + "/nosuch.yaml' is not found"},
		{reason: "no secret", path: "/private.yaml", params: []string{"http-username=u", "http-password-secret=nosuch"}, err: "cannot get API token, secret nosuch not found in namespace ns"},
		{reason: "no key", path: "/private.yaml", params: []string{"http-username=u", "http-password-secret=login", "http-password-secret-key=nosuch"}, err: "cannot get API token, key nosuch not found in secret login in namespace ns"},
		{reason: "too much", path: "/large.yaml", err: "error reading response body: the answer is too large: more than the 1048576 bytes that are allowed"},
		{reason: "a redirect to where clouds have their credentials", path: "/hostile.yaml", err: "link-local address 169.254.169.254"},
	} {
		got, err := h.Resolve(t.Context(), request(append(tt.params, "url="+s.URL+tt.path)...))
		if strings.HasPrefix(tt.err, "link-local") {
			if err == nil || !strings.HasPrefix(err.Error(), "error fetching URL: ") || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %q", tt.reason, err, tt.err)
			}
			continue
		}
		resolvertest.WantError(t, tt.reason, err, tt.err)
		if string(got.Data) != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got.Data, tt.want)
		}
	}
	sum := sha256.Sum256([]byte("a task"))
	got, err := h.Resolve(t.Context(), request("url="+s.URL+"/task.yaml"))
	want := resolver.Resource{
		Data:        []byte("a task"),
		Annotations: map[string]string{"resolution.tekton.dev/content-type": "application/x-yaml", "resolution.tekton.dev/url": s.URL + "/task.yaml"},
		Source:      &v1beta1.ConfigSource{URI: s.URL + "/task.yaml", Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the whole result: %v (-want +got)\n%s", err, diff)
	}
}
