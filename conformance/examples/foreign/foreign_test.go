package foreign_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/foreign"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/fixtures"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// impatience is what a wait gets of a controller that is known to be broken.
const impatience = 60 * time.Second

// TestJudgedOnACluster runs the controller without a fault and with each, all at once before one API server, and judges
// each by what it claims.
func TestJudgedOnACluster(t *testing.T) {
	t.Parallel()
	config := newCluster(t)
	subject := loadSubject(t)
	for _, tt := range []struct {
		fault foreign.Fault
		// judged are fixtures, nil for all that its subject file claims; failed are those that find it out.
		judged, failed []string
		findings       []string
	}{
		{
			fault:    foreign.NoFault, // its status has no Steps and no Task
			failed:   []string{"v1-required-fields-of-steps[script]", "v1-required-fields-of-tasks[description]", "v1-status[failure]", "v1-status[success]"},
			findings: []string{"claimed-feature-fails v1"},
		},
		{
			fault:  foreign.DeafToTimeouts,
			judged: []string{"timeout-fails-the-run", "timeout-deletes-the-pod", "cancel-running", "script-text-is-kept"},
			failed: []string{"timeout-deletes-the-pod", "timeout-fails-the-run"}, findings: []string{"claimed-feature-fails timeout"},
		},
		{
			fault:  foreign.LeavesPods,
			judged: []string{"cancel-deletes-the-pod", "timeout-fails-the-run", "script-text-is-kept"},
			failed: []string{"cancel-deletes-the-pod"}, findings: []string{"claimed-feature-fails cancel"},
		},
		{
			fault:  foreign.DropsMessages,
			judged: []string{"cancel-message", "cancel-running", "cancel-before-start", "timeout-fails-the-run"},
			failed: []string{"cancel-message"}, findings: []string{"claimed-feature-fails cancel"},
		},
	} {
		name := string(tt.fault)
		if name == "" {
			name = "faultless"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			employ(t, config, name+"-", tt.fault)
			options := conformance.Options{
				Target: target(t, config, subject), Implementation: subject.Identity(), Claims: subject.Claims(), Date: time.Now(),
				NamespacePrefix: name + "-",
				// Most of the suite is not claimed, and each fixture of it would wait in vain.
				TryUnclaimed: tt.fault != foreign.NoFault,
			}
			if tt.fault == foreign.NoFault {
				options.Filter.Features = []string{"timeout", "cancel", "scripts"}
				options.Fixtures = suite(t, 0)
				options.Filter.Levels = []string{"required"}
			} else {
				options.Filter.Names = tt.judged
				options.Fixtures = suite(t, impatience)
			}
			report := judge(t, options)
			var failed, passed []string
			for _, f := range report.Fixtures {
				switch f.Verdict {
				case reports.Pass:
					passed = append(passed, f.Name)
				case reports.Fail:
					failed = append(failed, f.Name)
					if !slices.Contains(tt.failed, f.Name) {
						t.Error(render.Explain(&f))
					}
				case reports.Error, reports.NotRun:
					t.Errorf("%s: %s: %s", f.Name, f.Verdict, f.Reason)
				}
			}
			if diff := cmp.Diff(tt.failed, failed); diff != "" {
				t.Errorf("what failed (-want +got):\n%s", diff)
			}
			var findings []string
			for _, f := range report.Findings {
				findings = append(findings, string(f.Kind)+" "+f.Of)
			}
			if diff := cmp.Diff(tt.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if tt.fault == foreign.NoFault {
				if diff := cmp.Diff(able(), passed); diff != "" {
					t.Errorf("what passed (-want +got):\n%s", diff)
				}
			}
			want := reports.Partial
			if len(tt.failed) > 0 {
				want = reports.Failed
			}
			if report.Result != want {
				t.Errorf("the result is %s, want %s: %s", report.Result, want, strings.Join(report.Reasons, "; "))
			}
			if !slices.Contains(report.Target.Substituted, fixture.ComponentLauncher) {
				t.Error("the report does not list the launcher as substituted")
			}
		})
	}
}

// able are the required fixtures of what it claims, as far as the cluster can meet them.
func able() []string {
	return []string{
		"cancel-before-start", "cancel-deletes-the-pod", "cancel-message", "cancel-running", "pod-deadline-follows-the-timeout[hours]",
		"pod-deadline-follows-the-timeout[minutes]", "timeout-deletes-the-pod",
		"timeout-fails-the-run", "v1-timeout",
	}
}

// newCluster is an API server with the API's definitions and webhooks, and a simulated node.
func newCluster(t *testing.T) *rest.Config {
	t.Helper()
	plane := controlplane.Start(t, envtest.StartControlPlane)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	stopped, err := plane.StartNode(ctx)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); stopped() })
	return plane.Config
}

// employ runs the controller for namespaces that begin so.
func employ(t *testing.T, config *rest.Config, prefix string, fault foreign.Fault) {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	c := &foreign.Controller{Clientset: clientset, Dynamic: objects, Fault: fault, Responsible: func(namespace string) bool {
		return strings.HasPrefix(namespace, prefix)
	}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := c.Run(ctx); err != nil {
			t.Errorf("the controller ended: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); running.Wait() })
}

func loadSubject(t *testing.T) *conformance.Subject {
	t.Helper()
	const file = "testdata/subject.yaml"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := conformance.LoadSubject(file, data)
	if err == nil {
		err = s.Check(nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func target(t *testing.T, config *rest.Config, s *conformance.Subject) conformance.Target {
	t.Helper()
	target, err := cluster.New(t.Context(), cluster.Options{Config: config, Configuration: s.Configuration, Roles: s.Roles, Images: s.Images, Substituted: s.Substituted})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// suite is the embedded one; a budget, if given, takes the place of the fixtures' own.
func suite(t *testing.T, budget time.Duration) []*fixture.Fixture {
	t.Helper()
	list, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if budget > 0 {
			f.Spec.Budget = source.Duration(budget)
		}
	}
	return list
}

func judge(t *testing.T, o conformance.Options) *reports.ConformanceReport {
	t.Helper()
	report, err := conformance.Judge(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}
