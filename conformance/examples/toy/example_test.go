package toy_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/examples/toy"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/attached"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
)

// deterministic is the toy as a reconciler that the simulated cluster calls.
func deterministic() *subject.Subject {
	return &subject.Subject{
		Name: "toy",
		New: func(d subject.Deps) (reconcile.Reconciler, error) {
			return &toy.Reconciler{Client: d.Client, Clock: d.Clock}, nil
		},
		For:    toy.GroupVersion.WithKind("TaskRun"),
		Owns:   []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("Pod")},
		Scheme: toy.NewScheme(),
	}
}

// independent is the toy with informers and goroutines of its own.
func independent(t *testing.T) *subject.Subject {
	return attached.Subject(t, attached.Options{
		Name: "toy",
		Run: func(ctx context.Context, d attached.Deps) error {
			runs, err := d.Informer(&toy.TaskRun{})
			if err != nil {
				return err
			}
			c := &toy.Controller{Clientset: d.Clientset, Client: d.Client, Pods: d.Informers, Runs: runs, Workers: 2}
			return c.Run(ctx)
		},
		Scheme: toy.NewScheme(),
	})
}

// claims are what the toy says it can do.
func claims() conformance.Claims {
	return conformance.Claims{
		Profiles: []string{"taskrun-core"},
		Lacks: []string{"params", "workspaces", "cancel", "retries", "sidecars", "on-error", "step-timeout", "step-template",
			"pod-template", "service-account", "resources"},
	}
}

// able are fixtures that the toy passes.
func able() conformance.Filter {
	return conformance.Filter{Names: []string{
		"single-step-succeeds", "running-has-no-completion-time", "deletion-takes-the-pod", "timeout-fails-the-run", "timeout-deletes-the-pod",
	}}
}

// unable are two that it fails, one that says nothing about it, and one that it passes.
func unable() conformance.Filter {
	return conformance.Filter{Names: []string{"step-entry", "missing-task-fails", "steps-run-in-order", "single-step-succeeds"}}
}

// TestReconciler judges the reconciler by what it can do. Each fixture is a subtest.
func TestReconciler(t *testing.T) {
	target, err := fake.New(fake.Options{Subject: deterministic()})
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, conformance.Options{
		Target:         target,
		Implementation: reports.Implementation{Project: "toy"},
		Claims:         claims(),
		Filter:         able(),
		Partial:        true,
	})
}

// TestController judges the controller, in the same way.
func TestController(t *testing.T) {
	target, err := fake.New(fake.Options{Subject: independent(t)})
	if err != nil {
		t.Fatal(err)
	}
	conformance.Run(t, conformance.Options{
		Target:         target,
		Implementation: reports.Implementation{Project: "toy"},
		Claims:         claims(),
		Filter:         able(),
		Partial:        true,
	})
}

// tell renders a report shortly: a line for each fixture, and of a failure the statements of the documents that it is
// about, what was wanted and what was there.
func tell(r *reports.ConformanceReport) string {
	var b strings.Builder
	for _, f := range r.Fixtures {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Verdict)
		if x := f.Failure; x != nil {
			fmt.Fprintf(&b, "  %s\n  at %s\n  %s: want %s\n  got %s\n", strings.Join(f.Proves, " "), x.At, x.Path, x.Want, x.Got)
		} else if f.Reason != "" {
			fmt.Fprintf(&b, "  %s\n", f.Reason)
		}
	}
	fmt.Fprintf(&b, "%s\n  %s\n", r.Result, strings.Join(r.Reasons, "\n  "))
	return b.String()
}

// Example judges the reconciler by what it cannot do, outside of a test.
func Example() {
	target, err := fake.New(fake.Options{Subject: deterministic()})
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := conformance.Judge(context.Background(), conformance.Options{
		Target:         target,
		Implementation: reports.Implementation{Project: "toy"},
		Claims:         claims(),
		Filter:         unable(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(tell(report))
	// Output:
	// missing-task-fails: fail
	//   S000-048 S004-173
	//   at fixtures/taskrun-core/steps/missing-task-fails.yaml:13:64
	//   status.conditions: want (a list of {type: "Succeeded", status: "False"})
	//   got (nothing)
	// single-step-succeeds: pass
	// step-entry: fail
	//   S000-010 S000-046 S002-020 S004-150 S004-152 S004-155 S004-161 S004-162 S004-163 S004-164 S004-165 S004-187
	//   at fixtures/taskrun-core/status/step-entry.yaml:18:13
	//   status.steps: want (a list)
	//   got (nothing)
	// steps-run-in-order: not-on-this-target
	//   is about the launcher, which on target fake is not the implementation's own
	// failed
	//   taskrun-core: 2 required fixtures failed: missing-task-fails, step-entry
	//   taskrun-core: mandatory features are not claimed: params, workspaces, cancel, retries, sidecars, on-error, step-timeout, step-template, pod-template, service-account, resources
}
