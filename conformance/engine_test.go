package conformance_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

// virtual is what most tests run on: a cluster a fixture, on a clock turned by hand.
func virtual() conformance.Capabilities {
	return conformance.Capabilities{VirtualTime: true, Isolated: true}
}

// load makes a fixture of the lines that matter: below spec, and the manifests.
func load(t *testing.T, name, spec, manifests string) *fixture.Fixture {
	t.Helper()
	header := "apiVersion: plumbline.dev/v1alpha1\nkind: Fixture\nmetadata: {name: " + name + "}\nspec:\n  requirement: the engine is right\n"
	for _, line := range []string{"profile: taskrun-core", "level: required", "component: controller"} {
		key, _, _ := strings.Cut(line, ":")
		if !strings.Contains("\n"+spec, "\n"+key+":") {
			header += "  " + line + "\n"
		}
	}
	text := header + "  " + strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ") + "\n" + manifests
	f, err := fixture.Load(name+".yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

// slow is a TaskRun that times out after 15 s; quick ends well after 5 s.
const (
	slow = `---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: slow}
spec: {timeout: 15s, taskSpec: {steps: [{name: s, image: busybox, script: sleep 300}]}}
`
	quick = `---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: quick}
spec: {taskSpec: {steps: [{name: s, image: busybox, script: sleep 3}]}}
`
	both = `---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: both}
spec: {taskRef: {name: t}, taskSpec: {steps: [{name: s, image: busybox}]}}
`
)

func runOne(t *testing.T, f *fixture.Fixture, target *double.Target) reports.Fixture {
	t.Helper()
	report, err := conformance.Judge(context.Background(), conformance.Options{Target: target, Fixtures: []*fixture.Fixture{f}})
	if err != nil {
		t.Fatal(err)
	}
	return report.Fixtures[0]
}

func TestChecksAreJudged(t *testing.T) {
	t.Parallel()
	const timedOut = `{status: {conditions: [{type: Succeeded, status: "False", reason: TaskRunTimeout}]}}`
	for _, tt := range []struct {
		reason          string
		spec, manifests string
		faults          double.Faults
		verdict         reports.Verdict
		says            string // of a failure
	}{
		{"eventually waits for what comes", "then: [{eventually: {on: taskrun/slow, match: " + timedOut + "}}]", slow, double.Faults{}, reports.Pass, ""},
		{"eventually fails when it does not come", "then: [{eventually: {on: taskrun/slow, match: " + timedOut + "}}]", slow, double.Faults{Reason: "Slow"}, reports.Fail, "taskrun/slow is over (Succeeded=False/Slow), and is not as expected"},
		{"eventually fails for an object that never is", "then: [{eventually: {on: {kind: pod, of: taskrun/slow}}}]", slow, double.Faults{Hang: true}, reports.Fail, "was not seen"},
		{"within is a limit of its own", "then: [{eventually: {on: taskrun/slow, within: 20s, match: " + timedOut + "}}]", slow, double.Faults{LateBy: 10 * time.Second}, reports.Fail, "within 20s"},
		{"within is kept", "then: [{eventually: {on: taskrun/slow, within: 20s, match: " + timedOut + "}}]", slow, double.Faults{LateBy: time.Second}, reports.Pass, ""},
		{"times are compared in CEL", "then: [{eventually: {on: taskrun/slow, match: " + timedOut + ", cel: [\"timestamp(self.status.completionTime) - timestamp(self.status.startTime) == duration('15s')\"]}}]", slow, double.Faults{}, reports.Pass, ""},
		{"a second too late is seen in CEL", "then: [{eventually: {on: taskrun/slow, match: " + timedOut + ", cel: [\"timestamp(self.status.completionTime) - timestamp(self.status.startTime) == duration('15s')\"]}}]", slow, double.Faults{LateBy: time.Second}, reports.Fail, "is not as expected"},
		{"an expression sees other objects", "then: [{eventually: {on: pod/slow-pod, cel: [\"self.metadata.name == objects['taskrun/slow'].status.podName\"]}}]", slow, double.Faults{}, reports.Pass, ""},

		{"gone counts once seen", "then: [{eventually: {gone: pod/slow-pod}}]", slow, double.Faults{}, reports.Pass, ""},
		{"gone fails for an object that was never seen", "then: [{eventually: {gone: pod/slow-pod}}]", slow, double.Faults{Hang: true}, reports.Fail, "was never seen"},
		{"gone fails for what stays", "then: [{eventually: {gone: {kind: pod, of: taskrun/slow}}}]", slow, double.Faults{KeepPod: true}, reports.Fail, "still there"},

		{"always holds through its window", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: " + timedOut + "}}]\nthen: [{always: {on: taskrun/slow, for: 10s, match: " + timedOut + "}}]", slow, double.Faults{}, reports.Pass, ""},
		{"always sees what changes within its window", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: " + timedOut + "}}]\nthen: [{always: {on: taskrun/slow, for: 10s, match: {metadata: {labels: {changed: {$absent: true}}}}}}]", slow, double.Faults{Flip: true}, reports.Fail, "is not always as described, at +16.1s"},
		{"always since the start counts the first versions", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: " + timedOut + "}}]\nthen: [{always: {on: taskrun/slow, since: start, match: " + timedOut + "}}]", slow, double.Faults{}, reports.Fail, "is not always as described, at +0s"},
		{"always of nothing shows nothing", "then: [{always: {on: {kind: pod, of: taskrun/slow}, for: 10s, match: {metadata: {name: x}}}}]", slow, double.Faults{Hang: true}, reports.Fail, "so the check proves nothing"},

		{"never looks back to the start", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: " + timedOut + "}}]\nthen: [{never: {on: taskrun/slow, match: {status: {conditions: [{reason: Running}]}}}}]", slow, double.Faults{}, reports.Fail, "matched, but must never match, at +1.1s"},
		{"never since now does not", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: " + timedOut + "}}]\nthen: [{never: {on: taskrun/slow, since: now, match: {status: {conditions: [{reason: Running}]}}}}]", slow, double.Faults{}, reports.Pass, ""},
		{"never without a description means that it must not exist", "then: [{never: {on: pod/slow-pod, for: 10s}}]", slow, double.Faults{}, reports.Fail, "exists, but must never exist"},
		{"never is content with what does not exist", "then: [{never: {on: pod/slow-pod, for: 10s}}]", slow, double.Faults{Hang: true}, reports.Pass, ""},
		{"never of nothing to look at shows nothing", "then: [{never: {on: pod/slow-pod, for: 10s, match: {spec: {nodeName: x}}}}]", slow, double.Faults{Hang: true}, reports.Fail, "so the check proves nothing"},

		{"sequence finds states in order", "then: [{sequence: {on: taskrun/slow, steps: [{match: {status: {conditions: [{reason: Pending}]}}}, {match: {status: {conditions: [{reason: Running}]}}}, {match: " + timedOut + "}]}}]", slow, double.Faults{}, reports.Pass, ""},
		{"sequence refuses another order", "then: [{sequence: {on: taskrun/slow, steps: [{match: {status: {conditions: [{reason: Running}]}}}, {match: {status: {conditions: [{reason: Pending}]}}}]}}]", slow, double.Faults{}, reports.Fail, "did not reach state 2 of 2"},
		{"sequence wants a version for each state", "then: [{sequence: {on: taskrun/slow, steps: [{match: " + timedOut + "}, {match: {status: {conditions: [{reason: TaskRunTimeout}]}}}]}}]", slow, double.Faults{}, reports.Fail, "did not reach state 2 of 2"},
		{"an optional state may be left out", "then: [{sequence: {on: taskrun/slow, steps: [{optional: true, match: {status: {conditions: [{reason: Started}]}}}, {match: {status: {conditions: [{reason: Running}]}}}]}}]", slow, double.Faults{}, reports.Pass, ""},
		{"an optional state does not eat the version of a required one", "then: [{sequence: {on: taskrun/slow, steps: [{optional: true, match: {status: {conditions: [{status: \"False\"}]}}}, {match: " + timedOut + "}]}}]", slow, double.Faults{}, reports.Pass, ""},

		{"a refusal is judged by its field", "then: [{rejected: {on: taskrun/both, field: [spec.taskRef, spec.taskSpec], message: expected exactly one}}]", both, double.Faults{}, reports.Pass, ""},
		{"a refusal for another field fails", "then: [{rejected: {on: taskrun/both, field: spec.timeout}}]", both, double.Faults{}, reports.Fail, "but not for spec.timeout"},
		{"part of a field's name is another field", "then: [{rejected: {on: taskrun/both, field: spec.task}}]", both, double.Faults{}, reports.Fail, "but not for spec.task"},
		{"an accepted object fails", "then: [{rejected: {on: taskrun/both}}]", both, double.Faults{Admit: true, Hang: true}, reports.Fail, "was accepted"},
		{"an unexpected refusal fails", "then: [{eventually: {on: taskrun/both}}]", both, double.Faults{}, reports.Fail, "taskrun/both was refused"},

		{"a log is waited for", "then: [{eventually: {on: pod/slow-pod, container: step-s, logs: hello}}]", slow, double.Faults{}, reports.Pass, ""},
		{"a log with other text fails", "then: [{eventually: {on: pod/slow-pod, container: step-s, logs: bye}}]", slow, double.Faults{KeepPod: true}, reports.Fail, "the log of pod/slow-pod step-s"},
		{"a log is never to contain", "when: [{apply: taskrun/slow}, {logs: {on: pod/slow-pod, container: step-s, text: hello}}]\nthen: [{never: {on: pod/slow-pod, container: step-s, logs: hello}}]", slow, double.Faults{}, reports.Fail, "is not as required"},

		{"objects are counted", "then: [{eventually: {on: {kind: pod, of: taskrun/slow}, count: 1}}, {never: {on: {kind: pod, of: taskrun/slow}, count: 2, for: 60s}}]", slow, double.Faults{}, reports.Pass, ""},
		{"a wrong count fails", "then: [{eventually: {on: {kind: pod, labels: {tekton.dev/taskRun: slow}}, count: 2}}]", slow, double.Faults{}, reports.Fail, "the number of matching {kind: pod, labels: {tekton.dev/taskRun: slow}} was not as expected"},
		{"a count that goes wrong for a while fails", "then: [{always: {on: {kind: pod, of: taskrun/slow}, count: 0, for: 60s}}]", slow, double.Faults{}, reports.Fail, "is not always 0"},

		{"cancel asks by spec.status", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: {status: {conditions: [{reason: Running}]}}}}, {cancel: taskrun/slow}]\nthen: [{eventually: {on: taskrun/slow, match: {status: {conditions: [{reason: TaskRunCancelled}]}}}}]", slow, double.Faults{}, reports.Pass, ""},
		{"patch changes a field", "when: [{apply: taskrun/slow}, {patch: {on: taskrun/slow, merge: {metadata: {labels: {a: b}}}}}, {patch: {on: taskrun/slow, json: [{op: replace, path: /metadata/labels/a, value: c}]}}]\nthen: [{eventually: {on: taskrun/slow, match: {metadata: {labels: {a: c}}}}}]", slow, double.Faults{}, reports.Pass, ""},
		{"apply merges into the existing object", "when: [{apply: [taskrun/slow, taskrun/slow]}]\nthen: [{eventually: {on: taskrun/slow, match: " + timedOut + "}}]", slow, double.Faults{}, reports.Pass, ""},
		{"delete of a missing object fails", "when: [{apply: taskrun/slow}, {delete: pod/slow-pod}]\nthen: [{eventually: {gone: pod/slow-pod}}]", slow, double.Faults{}, reports.Fail, "there is no pod/slow-pod to delete"},
		{"after counts from the action before", "when: [{apply: taskrun/slow}, {once: {on: taskrun/slow, match: {status: {conditions: [{reason: Running}]}}}}, {after: 10s}]\nthen: [{always: {on: taskrun/slow, for: 3s, match: {status: {conditions: [{reason: Running}]}}}}]", slow, double.Faults{}, reports.Pass, ""},
		{"events are selected by what they are about", "then: [{eventually: {on: {kind: event, of: taskrun/slow}, match: {reason: Started}}}]", slow, double.Faults{}, reports.Pass, ""},
		{"a generated name is known", "then: [{eventually: {on: taskrun/gen-, match: {status: {conditions: [{status: \"True\"}]}}}}]", strings.Replace(quick, "name: quick", "generateName: gen-", 1), double.Faults{}, reports.Pass, ""},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			got := runOne(t, load(t, "f", tt.spec, tt.manifests), &double.Target{Caps: virtual(), Script: double.Toy(tt.faults)})
			if got.Verdict != tt.verdict {
				t.Fatalf("verdict %s (%s), want %s\n%+v", got.Verdict, got.Reason, tt.verdict, got.Failure)
			}
			if tt.verdict == reports.Fail && !strings.Contains(got.Failure.Message, tt.says) {
				t.Errorf("the failure says %q, want %q", got.Failure.Message, tt.says)
			}
			if tt.verdict == reports.Pass && len(got.Evidence) == 0 {
				t.Error("a pass without evidence")
			}
		})
	}
}

func TestExecIsJudged(t *testing.T) {
	t.Parallel()
	spec := "when: [{apply: taskrun/slow}, {once: {on: pod/slow-pod}}, {exec: {on: pod/slow-pod, command: [cat, /x], stdout: {$regex: ^A+$}}}]\nthen: [{eventually: {on: pod/slow-pod}}]"
	for _, tt := range []struct {
		reason, stdout string
		exit           int
		err            error
		verdict        reports.Verdict
	}{
		{"exit code and output are right", "AA", 0, nil, reports.Pass},
		{"another output", "B", 0, nil, reports.Fail},
		{"another exit code", "AA", 1, nil, reports.Fail},
		{"a broken machine is an error, not a failure of the implementation", "AA", 0, double.ErrNoExec, reports.Error},
	} {
		toy := double.Toy(double.Faults{})
		got := runOne(t, load(t, "f", spec, slow), &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
			toy(c)
			c.ExecFunc = func(pod, container string, argv []string) (string, string, int, error) {
				if fmt.Sprint(pod, container, argv) != "slow-podstep-s[cat /x]" {
					t.Errorf("executed %s %s %v", pod, container, argv)
				}
				return tt.stdout, "", tt.exit, tt.err
			}
		}})
		if got.Verdict != tt.verdict {
			t.Errorf("%s: %s, want %s", tt.reason, got.Verdict, tt.verdict)
		}
	}
}

func TestAClustersViolationFailsItsFixture(t *testing.T) {
	t.Parallel()
	toy := double.Toy(double.Faults{})
	got := runOne(t, load(t, "f", "then: [{eventually: {on: taskrun/quick}}]", quick), &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
		toy(c)
		c.Broken = &invariant.Violation{Rule: invariant.ReadsUnchanged, Backing: []string{"S004-176"}, Message: "an object was changed in place"}
	}})
	if got.Verdict != reports.Fail || !strings.Contains(got.Failure.Message, "an object was changed in place") {
		t.Errorf("got %s %+v, want the violation", got.Verdict, got.Failure)
	}
}

func TestABudgetLimitsWaitingOnRealTime(t *testing.T) {
	t.Parallel()
	f := load(t, "f", "budget: 40s\nthen: [{eventually: {on: taskrun/slow, match: {status: {x: y}}}}]", slow)
	got := runOne(t, f, &double.Target{Caps: conformance.Capabilities{}, Script: double.Toy(double.Faults{})})
	if got.Verdict != reports.Fail || !strings.Contains(got.Failure.Message, "within 40s") {
		t.Errorf("got %s %+v, want a failure within 40s", got.Verdict, got.Failure)
	}
}

func TestDocumentsAreNotShared(t *testing.T) {
	t.Parallel()
	f := load(t, "f", "then: [{eventually: {on: taskrun/quick}}]", quick)
	before := fmt.Sprint(f.Manifests[0].Object)
	runOne(t, f, &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
		c.Created("TaskRun", func(o *unstructured.Unstructured) { o.Object["spec"] = "changed" })
	}})
	if after := fmt.Sprint(f.Manifests[0].Object); after != before {
		t.Errorf("running a fixture changed it:\n%s\n%s", before, after)
	}
}
