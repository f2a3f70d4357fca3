package outside

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/git/gitserver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/hub"
)

// Servers are the servers of a world: each answers under its own host, as those of the network do.
type Servers struct {
	// repositories are by host and path, without .git.
	repositories map[string]http.Handler
	registries   map[string]*guarded
	hub          hub.API
	pages        map[string]string
}

// NewServers makes them of what a fixture has.
func NewServers(r *fixture.Remote) (*Servers, error) {
	s := &Servers{repositories: map[string]http.Handler{}, registries: map[string]*guarded{}, pages: r.Pages}
	for _, g := range r.Repositories {
		at, err := url.Parse(g.URL)
		if err != nil {
			return nil, err
		}
		made, err := git.New(g.Branches)
		if err != nil {
			return nil, fmt.Errorf("the repository %s: %w", g.URL, err)
		}
		s.repositories[bare(at.Host, at.Path)] = gitserver.Handler(made.Store)
	}
	for _, b := range r.Bundles {
		image, err := imageOf(b)
		if err == nil {
			err = s.push(b, image)
		}
		if err != nil {
			return nil, fmt.Errorf("the bundle %s: %w", b.Ref, err)
		}
	}
	if len(r.Hub) > 0 {
		files := fstest.MapFS{}
		for path, text := range r.Hub {
			files[path] = &fstest.MapFile{Data: []byte(text)}
		}
		s.hub = hub.Folder{FS: files}
	}
	return s, nil
}

// bare names a repository.
func bare(host, path string) string {
	return host + strings.TrimSuffix(strings.TrimSuffix(path, "/"), ".git")
}

// push puts an image into its registry.
func (s *Servers) push(b fixture.Bundle, image v1.Image) error {
	ref, err := name.ParseReference(b.Ref)
	if err != nil {
		return err
	}
	host := ref.Context().RegistryStr()
	r := s.registries[host]
	if r == nil {
		r = &guarded{inner: registry.New(registry.Logger(log.New(io.Discard, "", 0))), logins: map[string]string{}}
		s.registries[host] = r
	}
	if err := remote.Write(ref, image, remote.WithTransport(direct{r.inner})); err != nil {
		return err
	}
	if b.Login != "" {
		r.logins[ref.Context().RepositoryStr()] = b.Login
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (s *Servers) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if text, ok := s.pages["https://"+r.Host+r.URL.RequestURI()]; ok {
		_, _ = io.WriteString(w, text)
		return
	}
	host, _, err := net.SplitHostPort(r.Host)
	if err != nil {
		host = r.Host
	}
	for _, end := range []string{"/info/refs", "/git-upload-pack"} {
		path, ok := strings.CutSuffix(r.URL.Path, end)
		if repository := s.repositories[bare(r.Host, path)]; ok && repository != nil {
			http.StripPrefix(path, repository).ServeHTTP(w, r)
			return
		}
	}
	switch at := s.registries[r.Host]; {
	case at != nil && strings.HasPrefix(r.URL.Path, "/v2/"):
		at.ServeHTTP(w, r)
	case s.hub != nil && slices.Contains(fixture.Hubs(), host):
		s.fromHub(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Servers) fromHub(w http.ResponseWriter, r *http.Request) {
	answer, err := s.hub.Do(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer answer.Body.Close() //nolint:errcheck // it is in memory
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, answer.Body)
}

// guarded is a registry that is only read. Some of its repositories ask for a login.
type guarded struct {
	inner  http.Handler
	logins map[string]string
}

// ServeHTTP implements http.Handler.
func (g *guarded) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "only to be read", http.StatusMethodNotAllowed)
		return
	}
	user, password, _ := r.BasicAuth()
	if !g.lets(r.URL.Path, user+":"+password) {
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		http.Error(w, `{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}`, http.StatusUnauthorized)
		return
	}
	g.inner.ServeHTTP(w, r)
}

// lets reports whether a login opens a path. The question whether there is a registry names no repository: its answer tells
// clients to log in, if any repository asks for that.
func (g *guarded) lets(path, login string) bool {
	//plumbline:unordered all of them have to
	for repository, wanted := range g.logins {
		if (path == "/v2/" || strings.HasPrefix(path, "/v2/"+repository+"/")) && login != wanted {
			return false
		}
	}
	return true
}

// direct is the way to a handler in this process.
type direct struct{ to http.Handler }

// RoundTrip implements http.RoundTripper.
func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil { // a server's requests have one
		r = r.Clone(r.Context())
		r.Body = http.NoBody
	}
	answer := httptest.NewRecorder()
	d.to.ServeHTTP(answer, r)
	response := answer.Result()
	response.Request = r
	return response, nil
}
