package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// leastTenants guards against fixtures of tenants that are all left out.
const leastTenants = 6

// TestTenants installs the reference for tenants alone, and has judged what it can and cannot do then. That its roles are bound
// everywhere by default is judged by TestTheSuite.
func TestTenants(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.install("--tenants", "default")
	w.account()
	w.kubelet()
	w.start("-kube-api-qps=-1", "-log-level=info")
	data, err := os.ReadFile(subjectFile)
	if err != nil {
		t.Fatal(err)
	}
	const tenant = "  tenant: tekton-pipelines-controller-tenant-access\n"
	byNamespace := filepath.Join(t.TempDir(), "subject.yaml")
	if err := os.WriteFile(byNamespace, []byte(strings.Replace(string(data), tenant, tenant+"  bound: namespaces\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	report, _ := w.judged("--target", "cluster", "--kubeconfig", w.adminFile, "--subject", byNamespace, "--budget", "5m", "--feature", "multi-tenancy")
	passed := 0
	for i := range report.Fixtures {
		f := &report.Fixtures[i]
		switch {
		case f.Verdict == reports.Pass:
			passed++
		case f.Verdict == reports.NotOnThisTarget && strings.Contains(f.Reason, " with tenancy everywhere"):
		default:
			t.Errorf("%s: %s %s\n%s", f.Name, f.Verdict, f.Reason, render.Explain(f))
		}
	}
	if passed < leastTenants {
		t.Errorf("only %d fixtures passed", passed)
	}
	t.Logf("summary: tenants: %d passed of %d", passed, len(report.Fixtures))
}
