package git

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// API is how the API of a server is reached. An *http.Client is one.
type API interface {
	Do(r *http.Request) (*http.Response, error)
}

// maxAnswer is how large an answer of an API may be: a file in base64, and what is said about it.
const maxAnswer = 2 * resolver.MaxData

// NewAPI returns a client for the APIs of a network.
func NewAPI(n outbound.Network) API { return n.Client(maxAnswer) }

// vendor is the API of one kind of servers. The paths have the variables {repo}, which is org/repo, {org}, {name}, {path}
// and {ref}; they are escaped, except for the slashes of {repo} and {path}, and {id} and {file} are these two with their
// slashes escaped as well.
type vendor struct {
	// server is where the API of the vendor's own service is; "" if there is none. below is where it is on other servers.
	server, below string
	// file, commit and repo are asked for a file, a commit and a repository. What file returns is the text itself, or
	// JSON with a field content, in base64, if encoded is true.
	file, commit, repo string
	encoded            bool
	// sha is the field of a commit with its name, and clone the field of a repository with its URL, or where that is
	// not one field, nothing.
	sha, clone string
	// scheme is the scheme of the header Authorization.
	scheme string
}

// vendors are the values of scm-type. All tokens go into the header Authorization, which is not sent on to another host
// when a server redirects.
var vendors = map[string]vendor{
	"github": {server: "https://api.github.com", below: "/api/v3", scheme: "Bearer", encoded: true, sha: "sha", clone: "clone_url",
		file: "/repos/{repo}/contents/{path}?ref={ref}", commit: "/repos/{repo}/commits/{ref}", repo: "/repos/{repo}"},
	"gitlab": {server: "https://gitlab.com/api/v4", below: "/api/v4", scheme: "Bearer", encoded: true, sha: "id", clone: "http_url_to_repo",
		file: "/projects/{id}/repository/files/{file}?ref={ref}", commit: "/projects/{id}/repository/commits/{ref}", repo: "/projects/{id}"},
	"gitea": {below: "/api/v1", scheme: "token", sha: "sha", clone: "clone_url",
		file: "/repos/{repo}/raw/{path}?ref={ref}", commit: "/repos/{repo}/git/commits/{ref}", repo: "/repos/{repo}"},
	"bitbucketcloud": {server: "https://api.bitbucket.org/2.0", below: "/2.0", scheme: "Bearer", sha: "hash",
		file: "/repositories/{repo}/src/{ref}/{path}", commit: "/repositories/{repo}/commit/{ref}", repo: "/repositories/{repo}"},
	"bitbucketserver": {below: "/rest/api/1.0", scheme: "Bearer", sha: "id",
		file: "/projects/{org}/repos/{name}/raw/{path}?at={ref}", commit: "/projects/{org}/repos/{name}/commits/{ref}", repo: "/projects/{org}/repos/{name}"},
}

// byAPI reads a file through the API of a server.
func (g *Resolver) byAPI(ctx context.Context, r resolver.Request, w wanted) (found, error) {
	kind := r.Config[configType]
	if kind == "" {
		return found{}, errors.New("missing or empty scm-type value in configmap")
	}
	token, err := g.token(r)
	if err != nil {
		return found{}, err
	}
	s, err := newServer(kind, r.Config[configServer], token, g.API)
	if err != nil {
		return found{}, fmt.Errorf("failed to create SCM client: %w", err)
	}
	name := path.Clean(strings.TrimPrefix(w.path, "/"))
	if name == ".." || strings.HasPrefix(name, "../") {
		return found{}, fmt.Errorf("couldn't fetch resource content: %w", errOutside)
	}
	s.of(w, name)
	// The file is read at the commit that is reported, even if the branch moves meanwhile.
	commit, wrong := s.commit(ctx, w.revision)
	ref := commit
	if wrong != nil {
		ref = w.revision
	}
	data, err := s.file(ctx, ref)
	switch {
	case err != nil:
		return found{}, fmt.Errorf("couldn't fetch resource content: %w", err)
	case wrong != nil:
		return found{}, fmt.Errorf("couldn't fetch the commit sha for the ref %s in the repo: %w", w.revision, wrong)
	case len(data) == 0:
		return found{}, fmt.Errorf("no content for resource in %s/%s %s", w.org, w.repo, w.path)
	case len(data) > resolver.MaxData:
		return found{}, fmt.Errorf("couldn't fetch resource content: it has %d bytes, where %d are allowed", len(data), resolver.MaxData)
	}
	clone, err := s.clone(ctx)
	if err != nil {
		return found{}, fmt.Errorf("couldn't fetch repository: %w", err)
	}
	return found{data: data, commit: commit, path: name, url: clone}, nil
}

// token is the one that the configuration names. It is read each time, so that a changed one is used at once.
func (g *Resolver) token(r resolver.Request) (string, error) {
	name, key := r.Config[configSecretName], r.Config[configSecretKey]
	for _, k := range []string{configSecretName, configSecretKey} {
		if r.Config[k] == "" {
			return "", fmt.Errorf("cannot get API token, required when specifying '%s' param, '%s' not specified in config", ParamRepo, k)
		}
	}
	namespace, ok := r.Config[configSecretNamespace]
	if !ok {
		namespace = g.Namespace
	}
	var secret corev1.Secret
	err := r.Cluster(client.ObjectKey{Namespace: namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return "", fmt.Errorf("cannot get API token, secret %s not found in namespace %s", name, namespace)
	}
	if err != nil {
		return "", fmt.Errorf("error reading API token from secret %s in namespace %s: %w", name, namespace, err)
	}
	token, ok := secret.Data[key]
	if !ok {
		return "", fmt.Errorf("cannot get API token, key %s not found in secret %s in namespace %s", key, name, namespace)
	}
	return strings.TrimSpace(string(token)), nil
}

// server is the API of one.
type server struct {
	vendor
	api         API
	base, token string
	// variables are those of the paths, with the values of a request; the reference is added for each.
	variables []string
}

func newServer(kind, base, token string, api API) (*server, error) {
	v, ok := vendors[kind]
	switch {
	case !ok:
		return nil, fmt.Errorf("unsupported scm-type %q", kind)
	case base == "" && v.server == "":
		return nil, fmt.Errorf("scm-type %s needs a server-url", kind)
	case base == "":
		base = v.server
	default:
		u, err := url.Parse(base)
		if err != nil {
			return nil, err
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("server-url %s is not a URL of HTTP", base)
		}
		base = strings.TrimSuffix(base, "/") + v.below
	}
	return &server{vendor: v, api: api, base: base, token: token}, nil
}

// of says which repository and file are asked for.
func (s *server) of(w wanted, name string) {
	org, repo := segments(w.org), url.PathEscape(w.repo)
	s.variables = []string{
		"{repo}", org + "/" + repo, "{org}", org, "{name}", repo, "{id}", url.PathEscape(w.org + "/" + w.repo),
		"{path}", segments(name), "{file}", url.PathEscape(name),
	}
}

// segments escapes all but the slashes of a path. A segment that would lead upwards is escaped like the others.
func segments(name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
		if p == ".." || p == "." {
			parts[i] = strings.ReplaceAll(p, ".", "%2E")
		}
	}
	return strings.Join(parts, "/")
}

func (s *server) file(ctx context.Context, ref string) ([]byte, error) {
	data, err := s.get(ctx, s.vendor.file, ref)
	if err != nil || !s.encoded {
		return data, err
	}
	var file struct{ Content string }
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(strings.ReplaceAll(file.Content, "\n", ""))
}

func (s *server) commit(ctx context.Context, ref string) (string, error) {
	data, err := s.get(ctx, s.vendor.commit, ref)
	if err != nil {
		return "", err
	}
	return field(data, s.sha)
}

func (s *server) clone(ctx context.Context) (string, error) {
	data, err := s.get(ctx, s.vendor.repo, "")
	if err != nil {
		return "", err
	}
	if s.vendor.clone != "" {
		return field(data, s.vendor.clone)
	}
	var r struct {
		Links struct{ Clone []struct{ Name, Href string } }
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return "", err
	}
	for _, l := range r.Links.Clone {
		if strings.HasPrefix(l.Name, "http") {
			return l.Href, nil
		}
	}
	return "", errors.New("the answer has no URL to clone from")
}

// field is a text of a JSON object.
func field(data []byte, name string) (string, error) {
	var o map[string]any
	if err := json.Unmarshal(data, &o); err != nil {
		return "", err
	}
	text, _ := o[name].(string)
	if text == "" {
		return "", fmt.Errorf("the answer has no %s", name)
	}
	return text, nil
}

// get asks for a path of the API.
func (s *server) get(ctx context.Context, where, ref string) ([]byte, error) {
	fill := strings.NewReplacer(append([]string{"{ref}", refIn(where, ref)}, s.variables...)...)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+fill.Replace(where), http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", s.scheme+" "+s.token)
	r.Header.Set("Accept", "application/json")
	answer, err := s.api.Do(r)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(answer.Body)
	if err := errors.Join(err, answer.Body.Close()); err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", r.URL.Redacted(), answer.Status)
	}
	return data, nil
}

// refIn escapes a reference as a part of a path, or of a query.
func refIn(where, ref string) string {
	if strings.Contains(where, "={ref}") {
		return url.QueryEscape(ref)
	}
	return strings.ReplaceAll(segments(ref), "/", "%2F")
}
