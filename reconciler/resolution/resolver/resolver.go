// Package resolver says what a resolver is: something that finds a Task or a Pipeline that is not in the cluster's own store, or not in the
// namespace of the run that asks. Package resolution runs resolvers over ResolutionRequests; the resolvers themselves are
// packages of their own, so that only who wants one pays for what it imports.
package resolver

import (
	"context"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Resolver finds what requests of one type ask for. It is used by many requests at a time, and keeps nothing of them but caches.
type Resolver interface {
	// Type is the value of the label of the requests that are the resolver's: git.
	Type() string
	// Name is how errors call the resolver: Git.
	Name() string
	// ConfigMap is the name of the ConfigMap that configures the resolver.
	ConfigMap() string
	// Flag is the key, in the ConfigMap of the resolvers' feature flags, that switches the resolver off when it is not "true": enable-git-resolver.
	Flag() string
	// Defaults are the keys of the ConfigMap as they are installed. They hold while the ConfigMap does not exist.
	Defaults() map[string]string
	// Validate says what is wrong with the params of a request, as far as that can be told without a request to another program. Its error becomes part of
	// the message `invalid resource request "<ns>/<n>": <error>`.
	Validate(ctx context.Context, r Request) error
	// Resolve fetches. Its error becomes part of the message `error getting "<Name>" "<ns>/<n>": <error>`. The context ends when the request's
	// time is up.
	Resolve(ctx context.Context, r Request) (Resource, error)
}

// Timed is a Resolver whose configuration can give requests another time than [DefaultTimeout].
type Timed interface {
	Timeout(config map[string]string) time.Duration
}

// Reading is a Resolver that reads from the cluster, with the rights that it takes: in the whole cluster, and in each namespace where
// requests are answered.
type Reading interface {
	Reads() (cluster, tenant []rbacv1.PolicyRule)
}

// DefaultTimeout is how long a resolver may take over a request.
const DefaultTimeout = time.Minute

// Request is what a resolver is asked for.
type Request struct {
	// Namespace and Name are those of the ResolutionRequest.
	Namespace, Name string
	// Params are what the user gave. No name is there twice.
	Params map[string]v1beta1.ParamValue
	// Config is the data of the resolver's ConfigMap.
	Config map[string]string
	// Cluster reads from the cluster on behalf of the request.
	Cluster Reader
}

// Param is a param that is a string; "" if it is absent, or none.
func (r Request) Param(name string) string {
	if p := r.Params[name]; p.Type == v1beta1.ParamTypeString || p.Type == "" {
		return p.StringVal
	}
	return ""
}

// Has reports whether a param was given.
func (r Request) Has(name string) bool {
	_, ok := r.Params[name]
	return ok
}

// Reader reads an object of the cluster: a Task, ClusterTask or Pipeline, a ConfigMap, or a Secret or ServiceAccount. Its errors are those
// of the API.
type Reader func(key client.ObjectKey, into client.Object) error

// Resource is what was found.
type Resource struct {
	// Data is the text of one object, YAML or JSON.
	Data []byte
	// Annotations of the request's status.
	Annotations map[string]string
	// Source is where it was found, for the provenance of runs. It may be nil.
	Source *v1beta1.ConfigSource
}

// What annotations of all resolvers begin with, and those that several of them write.
const (
	AnnotationPrefix      = "resolution.tekton.dev/"
	AnnotationContentType = AnnotationPrefix + "content-type"
	ContentTypeYAML       = "application/x-yaml"
)

// Bundles fetches what the deprecated field bundle of a reference names.
type Bundles interface {
	// Object returns the text of the object of a kind (task, clustertask or pipeline) and name in a bundle, read with the pull secrets of a
	// service account. Its errors are in the words that runs have for the field. The text is not decoded yet.
	Object(ctx context.Context, r BundleRequest) ([]byte, error)
}

// BundleRequest is what the field asks for.
type BundleRequest struct {
	// Bundle is the reference of the image.
	Bundle     string
	Kind, Name string
	// ServiceAccount, in Namespace, has the pull secrets.
	Namespace, ServiceAccount string
	Cluster                   Reader
}
