// Package cluster is the resolver of Tasks and Pipelines of other namespaces (spec of Pipelines §3.6).
package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// The params of requests, and the keys of the ConfigMap.
const (
	ParamKind      = "kind"
	ParamName      = "name"
	ParamNamespace = "namespace"

	KeyDefaultKind       = "default-kind"
	KeyDefaultNamespace  = "default-namespace"
	KeyAllowedNamespaces = "allowed-namespaces"
	KeyBlockedNamespaces = "blocked-namespaces"
)

// The kinds that can be asked for.
const (
	kindTask     = "task"
	kindPipeline = "pipeline"
)

// Resolver finds Tasks and Pipelines of the cluster.
type Resolver struct{}

var (
	_ resolver.Resolver = Resolver{}
	_ resolver.Reading  = Resolver{}
)

// Type implements resolver.Resolver.
func (Resolver) Type() string { return "cluster" }

// Name implements resolver.Resolver.
func (Resolver) Name() string { return "Cluster" }

// ConfigMap implements resolver.Resolver.
func (Resolver) ConfigMap() string { return "cluster-resolver-config" }

// Flag implements resolver.Resolver.
func (Resolver) Flag() string { return "enable-cluster-resolver" }

// Defaults implements resolver.Resolver.
func (Resolver) Defaults() map[string]string {
	return map[string]string{KeyDefaultKind: kindTask, KeyDefaultNamespace: "", KeyAllowedNamespaces: "", KeyBlockedNamespaces: ""}
}

// Reads implements resolver.Reading.
func (Resolver) Reads() (cluster, tenant []rbacv1.PolicyRule) {
	return []rbacv1.PolicyRule{{APIGroups: []string{v1beta1.Group}, Resources: []string{"tasks", "pipelines"}, Verbs: []string{"get"}}}, nil
}

// target is what a request asks for.
type target struct{ kind, namespace, name string }

// targetOf reads the params, and what the ConfigMap says where they are absent.
func targetOf(r resolver.Request) (target, error) {
	var missing []string
	or := func(param, key string) string {
		value := r.Param(param)
		if value == "" && key != "" {
			value = r.Config[key]
		}
		if value == "" {
			missing = append(missing, param)
		}
		return value
	}
	t := target{kind: or(ParamKind, KeyDefaultKind)}
	if t.kind != "" && t.kind != kindTask && t.kind != kindPipeline {
		return t, fmt.Errorf("unknown or unsupported resource kind '%s'", t.kind)
	}
	t.name, t.namespace = or(ParamName, ""), or(ParamNamespace, KeyDefaultNamespace)
	if len(missing) > 0 {
		return t, fmt.Errorf("missing required cluster resolver params: %s", strings.Join(missing, ", "))
	}
	return t, nil
}

// Validate implements resolver.Resolver.
func (Resolver) Validate(_ context.Context, r resolver.Request) error {
	t, err := targetOf(r)
	if err != nil {
		return err
	}
	if listed(t.namespace, r.Config[KeyBlockedNamespaces]) {
		return fmt.Errorf("access to specified namespace %s is blocked", t.namespace)
	}
	if allowed := r.Config[KeyAllowedNamespaces]; allowed != "" && !listed(t.namespace, allowed) {
		return fmt.Errorf("access to specified namespace %s is not allowed", t.namespace)
	}
	return nil
}

func listed(namespace, list string) bool { return slices.Contains(strings.Split(list, ","), namespace) }

// Resolve implements resolver.Resolver.
func (Resolver) Resolve(_ context.Context, r resolver.Request) (resolver.Resource, error) {
	t, err := targetOf(r)
	if err != nil {
		return resolver.Resource{}, err
	}
	var object client.Object
	var spec any
	task, pipeline := &v1beta1.Task{}, &v1beta1.Pipeline{}
	switch t.kind {
	case kindTask:
		object, spec = task, &task.Spec
	case kindPipeline:
		object, spec = pipeline, &pipeline.Spec
	}
	if err := r.Cluster(client.ObjectKey{Namespace: t.namespace, Name: t.name}, object); err != nil {
		return resolver.Resource{}, err
	}
	task.APIVersion, task.Kind = v1beta1.GroupVersion.String(), v1beta1.KindTask
	pipeline.APIVersion, pipeline.Kind = v1beta1.GroupVersion.String(), v1beta1.KindPipeline
	object.SetManagedFields(nil)
	text, err := yaml.Marshal(object)
	body, specErr := yaml.Marshal(spec)
	if err := errors.Join(err, specErr); err != nil {
		return resolver.Resource{}, err
	}
	sum := sha256.Sum256(body)
	return resolver.Resource{
		Data:        text,
		Annotations: map[string]string{resolver.AnnotationPrefix + ParamName: t.name, resolver.AnnotationPrefix + ParamNamespace: t.namespace},
		Source: &v1beta1.ConfigSource{
			URI:    fmt.Sprintf("/apis/%s/namespaces/%s/%s/%s@%s", v1beta1.GroupVersion, t.namespace, t.kind, t.name, object.GetUID()),
			Digest: map[string]string{"sha256": hex.EncodeToString(sum[:])},
		},
	}, nil
}
