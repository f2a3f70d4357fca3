package cluster

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

func request(config map[string]string, params ...string) resolver.Request {
	r := resolver.Request{Params: map[string]v1beta1.ParamValue{}, Config: config}
	for i := 0; i < len(params); i += 2 {
		r.Params[params[i]] = v1beta1.StringValue(params[i+1])
	}
	return r
}

func TestValidate(t *testing.T) {
	t.Parallel()
	installed := Resolver{}.Defaults()
	with := func(pairs ...string) map[string]string {
		c := Resolver{}.Defaults()
		for i := 0; i < len(pairs); i += 2 {
			c[pairs[i]] = pairs[i+1]
		}
		return c
	}
	for _, row := range []struct {
		r    resolver.Request
		want string
	}{
		{request(installed, "name", "n", "namespace", "ns"), ""},
		{request(installed, "kind", "pipeline", "name", "n", "namespace", "ns"), ""},
		{request(installed), "missing required cluster resolver params: name, namespace"},
		{request(nil), "missing required cluster resolver params: kind, name, namespace"},
		{request(installed, "kind", "pod"), "unknown or unsupported resource kind 'pod'"},
		{request(with(KeyDefaultKind, "pod"), "name", "n"), "unknown or unsupported resource kind 'pod'"},
		{request(with(KeyDefaultNamespace, "ns"), "name", "n"), ""},
		{request(with(KeyBlockedNamespaces, "a,ns"), "name", "n", "namespace", "ns"), "access to specified namespace ns is blocked"},
		{request(with(KeyBlockedNamespaces, "nsx,xns"), "name", "n", "namespace", "ns"), ""},
		{request(with(KeyBlockedNamespaces, "ns", KeyDefaultNamespace, "ns"), "name", "n"), "access to specified namespace ns is blocked"},
		{request(with(KeyAllowedNamespaces, "a,b"), "name", "n", "namespace", "ns"), "access to specified namespace ns is not allowed"},
		{request(with(KeyAllowedNamespaces, "a,ns"), "name", "n", "namespace", "ns"), ""},
		{request(with(KeyAllowedNamespaces, "a, ns"), "name", "n", "namespace", "ns"), "access to specified namespace ns is not allowed"},
		{request(with(KeyAllowedNamespaces, "ns", KeyBlockedNamespaces, "ns"), "name", "n", "namespace", "ns"), "access to specified namespace ns is blocked"},
	} {
		got := ""
		if err := (Resolver{}).Validate(t.Context(), row.r); err != nil {
			got = err.Error()
		}
		if got != row.want {
			t.Errorf("params %v, config %v: %q, want %q", row.r.Params, row.r.Config, got, row.want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	r := request(Resolver{}.Defaults(), "name", "n", "namespace", "ns")
	r.Cluster = func(key client.ObjectKey, into client.Object) error {
		task, ok := into.(*v1beta1.Task)
		if !ok || key.Namespace != "ns" || key.Name != "n" {
			return errors.New("no such thing")
		}
		task.Name, task.Namespace, task.UID = "n", "ns", "uid"
		task.Spec.Description = "stored"
		return nil
	}
	got, err := Resolver{}.Resolve(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	var back v1beta1.Task
	if err := yaml.UnmarshalStrict(got.Data, &back); err != nil || back.Kind != "Task" || back.APIVersion != "tekton.dev/v1beta1" || back.Spec.Description != "stored" {
		t.Errorf("%+v, %v", back, err)
	}
	if diff := cmp.Diff(map[string]string{"resolution.tekton.dev/name": "n", "resolution.tekton.dev/namespace": "ns"}, got.Annotations); diff != "" {
		t.Error(diff)
	}
	// The digest is of "description: stored\n".
	want := &v1beta1.ConfigSource{URI: "/apis/tekton.dev/v1beta1/namespaces/ns/task/n@uid", Digest: map[string]string{"sha256": "08c7e572"}}
	got.Source.Digest["sha256"] = got.Source.Digest["sha256"][:8]
	if diff := cmp.Diff(want, got.Source); diff != "" {
		t.Error(diff)
	}
	r.Params["kind"] = v1beta1.StringValue("pipeline")
	if _, err := (Resolver{}).Resolve(t.Context(), r); err == nil || !strings.Contains(err.Error(), "no such thing") {
		t.Errorf("a Pipeline that does not exist: %v", err)
	}
}
