// Package git finds Tasks and Pipelines in git repositories.
//
//	git.go         the resolver: its params, defaults and outcomes
//	repository.go  what a repository is; revisions and files of one whose objects are at hand
//	smart.go       repositories on servers, by git's protocol over HTTP
//	pack.go        unpacks what a server sends, within limits
//	made.go        repositories that are made of files, and those on a disk
//	cache.go       files of commits that were fetched before
//	scm.go         files through the REST API of a server, with a token
//
// Nothing runs a program: a revision or a URL that looks like an option of git is a revision or a URL that does not exist.
package git

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Params of requests.
const (
	ParamURL      = "url"
	ParamOrg      = "org"
	ParamRepo     = "repo"
	ParamPath     = "pathInRepo"
	ParamRevision = "revision"
)

// Keys of the configuration.
const (
	configTimeout         = "fetch-timeout"
	configURL             = "default-url"
	configRevision        = "default-revision"
	configOrg             = "default-org"
	configType            = "scm-type"
	configServer          = "server-url"
	configSecretName      = "api-token-secret-name"
	configSecretKey       = "api-token-secret-key"
	configSecretNamespace = "api-token-secret-namespace"
)

// Resolver finds files in repositories: by URL, without credentials, or by organization and name through the API of a
// server, with the token that the configuration names.
type Resolver struct {
	Repositories Repositories
	// API is how the API of a server is reached.
	API API
	// Namespace is the resolvers' own, where the token is unless the configuration says otherwise.
	Namespace string

	cache cacheOfFiles
}

var (
	_ resolver.Resolver = (*Resolver)(nil)
	_ resolver.Timed    = (*Resolver)(nil)
	_ resolver.Reading  = (*Resolver)(nil)
)

// Type implements resolver.Resolver.
func (*Resolver) Type() string { return "git" }

// Name implements resolver.Resolver.
func (*Resolver) Name() string { return "Git" }

// ConfigMap implements resolver.Resolver.
func (*Resolver) ConfigMap() string { return "git-resolver-config" }

// Flag implements resolver.Resolver.
func (*Resolver) Flag() string { return "enable-git-resolver" }

// Defaults implements resolver.Resolver.
func (*Resolver) Defaults() map[string]string {
	return map[string]string{
		configTimeout:         "1m",
		configURL:             "https://github.com/tektoncd/catalog.git",
		configRevision:        "main",
		configOrg:             "",
		configType:            "github",
		configServer:          "",
		configSecretName:      "",
		configSecretKey:       "",
		configSecretNamespace: "default",
	}
}

// Timeout implements resolver.Timed.
func (*Resolver) Timeout(config map[string]string) time.Duration {
	if d, err := time.ParseDuration(config[configTimeout]); err == nil && d > 0 {
		return d
	}
	return resolver.DefaultTimeout
}

// wanted is what a request asks for, with defaults. Either url is there, or org and repo.
type wanted struct{ url, org, repo, path, revision string }

func read(r resolver.Request) (wanted, error) {
	w := wanted{url: r.Param(ParamURL), org: r.Param(ParamOrg), repo: r.Param(ParamRepo), path: r.Param(ParamPath), revision: r.Param(ParamRevision)}
	if w.revision == "" {
		w.revision = r.Config[configRevision]
	}
	switch {
	case w.url != "" && w.repo != "":
		return w, fmt.Errorf("cannot specify both '%s' and '%s'", ParamURL, ParamRepo)
	case w.url == "" && w.repo == "":
		if w.url = r.Config[configURL]; w.url == "" {
			return w, fmt.Errorf("must specify one of '%s' or '%s'", ParamURL, ParamRepo)
		}
	case w.repo != "" && w.org == "":
		if w.org = r.Config[configOrg]; w.org == "" {
			return w, fmt.Errorf("'%s' is required when '%s' is specified", ParamOrg, ParamRepo)
		}
	}
	var missing []string
	if w.revision == "" {
		missing = append(missing, ParamRevision)
	}
	if w.path == "" {
		missing = append(missing, ParamPath)
	}
	if len(missing) > 0 {
		return w, fmt.Errorf("missing required git resolver params: %s", strings.Join(missing, ", "))
	}
	return w, nil
}

// Reads implements resolver.Reading.
func (*Resolver) Reads() (cluster, tenant []rbacv1.PolicyRule) {
	return nil, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}}
}

// Validate implements resolver.Resolver.
func (*Resolver) Validate(_ context.Context, r resolver.Request) error {
	_, err := read(r)
	return err
}

// Resolve implements resolver.Resolver.
func (g *Resolver) Resolve(ctx context.Context, r resolver.Request) (resolver.Resource, error) {
	w, err := read(r)
	if err != nil {
		return resolver.Resource{}, err
	}
	var f found
	if w.repo != "" {
		f, err = g.byAPI(ctx, r, w)
	} else {
		f, err = g.byURL(ctx, w)
	}
	// What a server, or a client in between, says about time is of no use to a reader who has to raise the limit.
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, context.DeadlineExceeded) {
		return resolver.Resource{}, cause
	}
	if err != nil {
		return resolver.Resource{}, err
	}
	return f.resource(w), nil
}

// found is a file of a commit.
type found struct {
	data              []byte
	commit, path, url string
}

func (f found) resource(w wanted) resolver.Resource {
	out := resolver.Resource{
		Data: f.data,
		Annotations: map[string]string{
			resolver.AnnotationPrefix + "revision": f.commit,
			resolver.AnnotationPrefix + "path":     f.path,
			resolver.AnnotationPrefix + "url":      f.url,
			resolver.AnnotationContentType:         resolver.ContentTypeYAML,
		},
		Source: &v1beta1.ConfigSource{URI: "git+" + f.url, Digest: map[string]string{"sha1": f.commit}, EntryPoint: f.path},
	}
	if w.repo != "" {
		out.Annotations[resolver.AnnotationPrefix+"org"] = w.org
		out.Annotations[resolver.AnnotationPrefix+"repo"] = w.repo
	}
	return out
}

// byURL reads a file of a repository. A commit never changes, so its files are not fetched again.
func (g *Resolver) byURL(ctx context.Context, w wanted) (found, error) {
	f := found{commit: w.revision, path: w.path, url: w.url}
	if plumbing.IsHash(w.revision) {
		if data, ok := g.cache.get(w.url, w.revision, w.path); ok {
			f.data = data
			return f, nil
		}
	}
	repository, err := g.Repositories.Open(ctx, w.url)
	if err != nil {
		return found{}, fmt.Errorf("clone error: %w", err)
	}
	commit, err := repository.Commit(ctx, w.revision)
	if err != nil {
		return found{}, err
	}
	f.commit = commit.String()
	if data, ok := g.cache.get(w.url, f.commit, w.path); ok {
		f.data = data
		return f, nil
	}
	if f.data, err = repository.File(ctx, commit, w.path); err != nil {
		return found{}, err
	}
	g.cache.put(w.url, f.commit, w.path, f.data)
	return f, nil
}
