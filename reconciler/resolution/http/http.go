// Package http finds Tasks and Pipelines at URLs. Tekton has this resolver since v0.47.
package http

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Params of requests. The Secret is in the request's namespace.
const (
	ParamURL       = "url"
	ParamUser      = "http-username"
	ParamSecret    = "http-password-secret"
	ParamSecretKey = "http-password-secret-key"

	defaultSecretKey = "password"
	configTimeout    = "fetch-timeout"
)

// API is how servers are reached. An *http.Client is one.
type API interface {
	Do(r *http.Request) (*http.Response, error)
}

// NewAPI returns a client for the servers of a network.
func NewAPI(n outbound.Network) API { return n.Client(resolver.MaxData) }

// Resolver finds what is at a URL.
type Resolver struct{ API API }

var (
	_ resolver.Resolver = Resolver{}
	_ resolver.Timed    = Resolver{}
	_ resolver.Reading  = Resolver{}
)

// Type implements resolver.Resolver.
func (Resolver) Type() string { return "http" }

// Name implements resolver.Resolver.
func (Resolver) Name() string { return "Http" }

// ConfigMap implements resolver.Resolver.
func (Resolver) ConfigMap() string { return "http-resolver-config" }

// Flag implements resolver.Resolver.
func (Resolver) Flag() string { return "enable-http-resolver" }

// Defaults implements resolver.Resolver.
func (Resolver) Defaults() map[string]string { return map[string]string{configTimeout: "1m"} }

// Timeout implements resolver.Timed.
func (Resolver) Timeout(config map[string]string) time.Duration {
	if d, err := time.ParseDuration(config[configTimeout]); err == nil && d > 0 {
		return d
	}
	return resolver.DefaultTimeout
}

// Reads implements resolver.Reading.
func (Resolver) Reads() (cluster, tenant []rbacv1.PolicyRule) {
	return nil, []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}}}
}

// Validate implements resolver.Resolver.
func (Resolver) Validate(_ context.Context, r resolver.Request) error {
	if r.Has(ParamURL) {
		at := r.Param(ParamURL)
		u, err := url.ParseRequestURI(at)
		if err != nil {
			return fmt.Errorf("cannot parse url %s: %w", at, err)
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("url %s is not a valid http(s) url", at)
		}
	}
	for _, pair := range [][2]string{{ParamUser, ParamSecret}, {ParamSecret, ParamUser}} {
		switch {
		case r.Has(pair[0]) && !r.Has(pair[1]):
			return fmt.Errorf("missing required param %s when using %s", pair[1], pair[0])
		case r.Has(pair[0]) && r.Param(pair[0]) == "":
			return fmt.Errorf("value %s cannot be empty", pair[0])
		}
	}
	if !r.Has(ParamURL) {
		return fmt.Errorf("missing required http resolver params: %s", ParamURL)
	}
	return nil
}

// Resolve implements resolver.Resolver.
func (h Resolver) Resolve(ctx context.Context, r resolver.Request) (resolver.Resource, error) {
	if err := h.Validate(ctx, r); err != nil {
		return resolver.Resource{}, err
	}
	at := r.Param(ParamURL)
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if err != nil {
		return resolver.Resource{}, fmt.Errorf("constructing request: %w", err)
	}
	if r.Has(ParamUser) {
		password, err := password(r)
		if err != nil {
			return resolver.Resource{}, err
		}
		q.SetBasicAuth(r.Param(ParamUser), password)
	}
	answer, err := h.API.Do(q)
	if err != nil {
		return resolver.Resource{}, fmt.Errorf("error fetching URL: %w", err)
	}
	data, err := io.ReadAll(answer.Body)
	err = errors.Join(err, answer.Body.Close())
	switch {
	case answer.StatusCode != http.StatusOK:
		return resolver.Resource{}, fmt.Errorf("requested URL '%s' is not found", at)
	case err != nil:
		return resolver.Resource{}, fmt.Errorf("error reading response body: %w", err)
	}
	sum := sha256.Sum256(data)
	return resolver.Resource{
		Data:        data,
		Annotations: map[string]string{resolver.AnnotationContentType: resolver.ContentTypeYAML, resolver.AnnotationPrefix + "url": at},
		Source:      &v1beta1.ConfigSource{URI: at, Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])}},
	}, nil
}

// password is the one that a request's Secret has.
func password(r resolver.Request) (string, error) {
	key := r.Param(ParamSecretKey)
	if key == "" {
		key = defaultSecretKey
	}
	name := r.Param(ParamSecret)
	var secret corev1.Secret
	err := r.Cluster(client.ObjectKey{Namespace: r.Namespace, Name: name}, &secret)
	if apierrors.IsNotFound(err) {
		return "", fmt.Errorf("cannot get API token, secret %s not found in namespace %s", name, r.Namespace)
	}
	if err != nil {
		return "", fmt.Errorf("error reading API token from secret %s in namespace %s: %w", name, r.Namespace, err)
	}
	value, ok := secret.Data[key]
	if !ok {
		return "", fmt.Errorf("cannot get API token, key %s not found in secret %s in namespace %s", key, name, r.Namespace)
	}
	return string(value), nil
}
