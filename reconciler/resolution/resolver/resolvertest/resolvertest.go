// Package resolvertest is what the tests of resolvers share.
package resolvertest

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// Request is the request r of the namespace ns, with params as name=value, under a configuration. Nothing of the cluster can be read.
func Request(config map[string]string, params ...string) resolver.Request {
	r := resolver.Request{
		Namespace: "ns", Name: "r", Params: map[string]v1beta1.ParamValue{}, Config: maps.Clone(config),
		Cluster: func(client.ObjectKey, client.Object) error { return errors.New("nothing is to be read") },
	}
	for _, p := range params {
		name, value, _ := strings.Cut(p, "=")
		r.Params[name] = v1beta1.ParamValue{Type: v1beta1.ParamTypeString, StringVal: value}
	}
	return r
}

// Local is a network with servers on this machine, by their URLs or as host:port.
func Local(servers ...string) outbound.Network {
	n := outbound.Network{To: map[string]string{}}
	for _, at := range servers {
		_, after, ok := strings.Cut(at, "://")
		if ok {
			at, _, _ = strings.Cut(after, "/")
		}
		n.To[at] = at
	}
	return n
}

// WantError reports an error with other words than these; "" stands for no error.
func WantError(t *testing.T, reason string, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if got != want {
		t.Errorf("%s: %q, want %q", reason, got, want)
	}
}
