package bundles

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pullsecrets"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Params of requests, and the keys of their defaults.
const (
	ParamBundle         = "bundle"
	ParamName           = "name"
	ParamKind           = "kind"
	ParamServiceAccount = "serviceAccount"

	configServiceAccount = "default-service-account"
	configKind           = "default-kind"
)

// Resolver finds objects in bundles, with the pull secrets of a service account in the request's namespace.
type Resolver struct{ Registry Registry }

var (
	_ resolver.Resolver = Resolver{}
	_ resolver.Reading  = Resolver{}
)

// Type implements resolver.Resolver.
func (Resolver) Type() string { return "bundles" }

// Name implements resolver.Resolver.
func (Resolver) Name() string { return "bundleresolver" }

// ConfigMap implements resolver.Resolver.
func (Resolver) ConfigMap() string { return "bundleresolver-config" }

// Flag implements resolver.Resolver.
func (Resolver) Flag() string { return "enable-bundles-resolver" }

// Defaults implements resolver.Resolver.
func (Resolver) Defaults() map[string]string {
	return map[string]string{configServiceAccount: "default", configKind: "task"}
}

// wanted is what a request asks for, with defaults.
type wanted struct{ account, bundle, name, kind string }

func read(r resolver.Request) (wanted, error) {
	w := wanted{account: r.Param(ParamServiceAccount), bundle: r.Param(ParamBundle), name: r.Param(ParamName), kind: r.Param(ParamKind)}
	var ok bool
	if w.account == "" {
		if w.account, ok = r.Config[configServiceAccount]; !ok {
			return w, errors.New("default Service Account was not set during installation of the bundle resolver")
		}
	}
	if w.bundle == "" {
		return w, fmt.Errorf("parameter %q required", ParamBundle)
	}
	if _, err := name.ParseReference(w.bundle); err != nil {
		return w, fmt.Errorf("invalid bundle reference: %w", err)
	}
	if w.name == "" {
		return w, fmt.Errorf("parameter %q required", ParamName)
	}
	if w.kind == "" {
		if w.kind, ok = r.Config[configKind]; !ok {
			return w, errors.New("default resource Kind  was not set during installation of the bundle resolver")
		}
	}
	return w, nil
}

// Reads implements resolver.Reading.
func (Resolver) Reads() (cluster, tenant []rbacv1.PolicyRule) {
	return nil, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets", "serviceaccounts"}, Verbs: []string{"get"}}}
}

// Validate implements resolver.Resolver.
func (Resolver) Validate(_ context.Context, r resolver.Request) error {
	_, err := read(r)
	return err
}

// Resolve implements resolver.Resolver.
func (b Resolver) Resolve(ctx context.Context, r resolver.Request) (resolver.Resource, error) {
	w, err := read(r)
	if err != nil {
		return resolver.Resource{}, err
	}
	keys, err := pullsecrets.Read(r.Cluster, r.Namespace, w.account)
	if err != nil {
		return resolver.Resource{}, err
	}
	found, err := open(ctx, b.Registry, w.bundle, keys)
	if err != nil {
		return resolver.Resource{}, fmt.Errorf("cannot retrieve the oci image: %w", err)
	}
	digest, err := found.image.Digest()
	if err != nil {
		return resolver.Resource{}, fmt.Errorf("cannot get the oci digest: %w", err)
	}
	if err := found.inspect(); err != nil {
		return resolver.Resource{}, err
	}
	if wrong := check(found.manifest); wrong != nil {
		return resolver.Resource{}, wrong.ofResolver(w.bundle)
	}
	layer, err := found.find(w.kind, w.name)
	if err != nil {
		return resolver.Resource{}, err
	}
	data, err := found.object(layer)
	if err != nil {
		return resolver.Resource{}, err
	}
	out := resolver.Resource{
		Data:        data,
		Annotations: map[string]string{},
		Source: &v1beta1.ConfigSource{
			URI:        found.ref.Context().Name(),
			Digest:     map[string]string{digest.Algorithm: digest.Hex},
			EntryPoint: w.name,
		},
	}
	for _, a := range []string{AnnotationKind, AnnotationName, AnnotationAPIVersion} {
		out.Annotations[resolver.AnnotationPrefix+a] = layer.Annotations[a]
	}
	return out, nil
}
