// Package controlplane gives tests a real kube-apiserver, where one is asked for.
package controlplane

import (
	"testing"

	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
)

// Require skips a test unless control planes are asked for, and returns the folder of their programs. A test that is asked
// for and cannot have them fails.
func Require(t testing.TB) (assets string) {
	t.Helper()
	if !envtest.Required() {
		t.Skipf("starts a kube-apiserver: make k8s-assets, and set %s=%s to run it", envtest.VariableRequire, envtest.Name)
	}
	assets, err := envtest.FindAssets()
	if err != nil {
		t.Fatal(err)
	}
	return assets
}

// Start starts a control plane that lasts as long as the test: with envtest.StartControlPlane or envtest.StartEmpty.
func Start(t testing.TB, start func(assets string) (*envtest.ControlPlane, error)) *envtest.ControlPlane {
	t.Helper()
	plane, err := start(Require(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := plane.Stop(); err != nil {
			t.Error(err)
		}
	})
	return plane
}
