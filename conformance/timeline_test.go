package conformance_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

func at(d time.Duration) string { return double.Epoch.Add(d).Format(time.RFC3339) }

// containerStatus is one entry of a Pod's containerStatuses.
func containerStatus(name string, restarts int64, state, last map[string]any) map[string]any {
	c := map[string]any{"name": name, "restartCount": restarts, "state": state}
	if last != nil {
		c["lastState"] = last
	}
	return c
}

func running(since time.Duration) map[string]any {
	return map[string]any{"running": map[string]any{"startedAt": at(since)}}
}

func terminated(from, to time.Duration, exit int64, reason string) map[string]any {
	return map[string]any{"terminated": map[string]any{"startedAt": at(from), "finishedAt": at(to), "exitCode": exit, "reason": reason}}
}

// twice is an implementation of one run with two attempts: the first Pod's step fails, the second's succeeds while its
// sidecar is stopped by another image.
func twice(c *double.Cluster) {
	var run *unstructured.Unstructured
	pod := func(name string) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{
			"spec": map[string]any{
				"initContainers": []any{map[string]any{"name": "prepare"}, map[string]any{"name": "helper", "restartPolicy": "Always"}},
				"containers":     []any{map[string]any{"name": "step-s"}, map[string]any{"name": "sidecar-x"}, map[string]any{"name": "istio-proxy"}},
			},
		}}
		o.SetAPIVersion("v1")
		o.SetKind("Pod")
		o.SetName(name)
		o.SetNamespace(run.GetNamespace())
		o.SetOwnerReferences(nil)
		o.Object["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{"apiVersion": "v1", "kind": "TaskRun", "name": run.GetName(), "uid": string(run.GetUID())}}
		return o
	}
	status := func(p *unstructured.Unstructured, phase string, statuses ...any) {
		c.Set(p, func(o map[string]any) {
			o["status"] = map[string]any{"phase": phase, "containerStatuses": statuses}
		})
	}
	condition := func(status, reason string) {
		c.Set(run, func(o map[string]any) {
			o["status"] = map[string]any{"podName": "second", "conditions": []any{map[string]any{"type": "Succeeded", "status": status, "reason": reason}},
				"steps": []any{map[string]any{"name": "s", "container": "step-s", "terminated": map[string]any{"startedAt": at(13 * time.Second), "finishedAt": at(30 * time.Second)}}}}
			if status != "Unknown" {
				o["status"].(map[string]any)["completionTime"] = at(18 * time.Second)
			}
		})
	}
	c.Created("TaskRun", func(o *unstructured.Unstructured) {
		run = o
		first, second := pod("first"), pod("second")
		c.After(time.Second, func() { c.Create(first) })
		// The start of this one is not shown: it is known from its end.
		c.After(5*time.Second, func() {
			status(first, "Failed", containerStatus("step-s", 0, terminated(2*time.Second, 4*time.Second, 1, "Error"), nil))
			condition("Unknown", "ToBeRetried")
		})
		c.After(6*time.Second, func() { c.Remove(first) })
		c.After(10*time.Second, func() { c.Create(second) })
		c.After(12*time.Second, func() {
			status(second, "Running", containerStatus("step-s", 0, running(12*time.Second), nil), containerStatus("sidecar-x", 0, running(11*time.Second), nil))
			condition("Unknown", "Running")
		})
		c.After(14*time.Second, func() {
			status(second, "Running", containerStatus("step-s", 0, terminated(12*time.Second, 14*time.Second, 0, "Completed"), nil), containerStatus("sidecar-x", 0, running(11*time.Second), nil))
			condition("Unknown", "Running")
		})
		// Between two versions the sidecar ended and began again; its second instance never started.
		c.After(18*time.Second, func() {
			ended := terminated(-50*365*24*time.Hour, -50*365*24*time.Hour, 128, "StartError")
			status(second, "Succeeded", containerStatus("step-s", 0, terminated(12*time.Second, 14*time.Second, 0, "Completed"), nil),
				containerStatus("sidecar-x", 1, ended, terminated(11*time.Second, 16*time.Second, 137, "Error")))
			condition("True", "Succeeded")
		})
	})
}

func TestTimelineHasWhatWasSeen(t *testing.T) {
	t.Parallel()
	got := runOne(t, load(t, "f", "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{status: \"True\"}]}}}}]", quick),
		&double.Target{Caps: virtual(), Script: twice})
	if got.Verdict != reports.Pass {
		t.Fatalf("%+v", got)
	}
	ms := func(n int64) *int64 { return &n }
	want := &reports.Timeline{
		End: 18000,
		Objects: []reports.ObjectLine{{Object: "taskrun/quick", Transitions: []reports.Transition{
			{At: 5000, Type: "Succeeded", Status: "Unknown", Reason: "ToBeRetried"},
			{At: 12000, Type: "Succeeded", Status: "Unknown", Reason: "Running"},
			{At: 18000, Type: "Succeeded", Status: "True", Reason: "Succeeded"},
		}}},
		Pods: []reports.PodLine{
			{Name: "first", Of: "taskrun/quick", Attempt: 1, From: 1000, To: ms(6000), Phase: "Failed", Spans: []reports.Span{
				{Container: "step-s", Role: reports.RoleStep, From: 2000, To: ms(5000), Exit: ms(1), Reason: "Error"},
			}},
			{Name: "second", Of: "taskrun/quick", Attempt: 2, From: 10000, Phase: "Succeeded", Spans: []reports.Span{
				{Container: "step-s", Role: reports.RoleStep, From: 12000, To: ms(14000), Exit: ms(0), Reason: "Completed", Work: &reports.Work{From: 13000, To: 14000}},
				{Container: "sidecar-x", Role: reports.RoleSidecar, From: 12000, To: ms(16000), Exit: ms(137), Reason: "Error"},
				{Container: "sidecar-x", Role: reports.RoleSidecar, From: 18000, To: ms(18000), Exit: ms(128), Reason: "StartError"},
			}},
		},
	}
	if diff := cmp.Diff(want, got.Timeline); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whatever the check, its failure tells all that there is to tell.
func TestEveryFailureCarriesItsEvidence(t *testing.T) {
	t.Parallel()
	for reason, spec := range map[string]string{
		"eventually": "then: [{eventually: {on: taskrun/slow, match: {status: {x: y}}}}]",
		"gone":       "then: [{eventually: {gone: taskrun/slow}}]",
		"log":        "then: [{eventually: {on: {kind: pod, of: taskrun/slow}, container: step-s, logs: bye}}]",
		"always":     "then: [{always: {on: taskrun/slow, for: 30s, match: {status: {x: y}}}}]",
		"never":      "then: [{never: {on: taskrun/slow, for: 30s, match: {status: {conditions: [{status: \"False\"}]}}}}]",
		"never log":  "then: [{never: {on: {kind: pod, of: taskrun/slow}, for: 10s, container: step-s, logs: hello}}]",
		"count":      "then: [{eventually: {on: {kind: pod, of: taskrun/slow}, count: 7}}]",
		"sequence":   "then: [{sequence: {on: taskrun/slow, steps: [{match: {status: {conditions: [{status: \"False\"}]}}}, {match: {status: {conditions: [{status: \"True\"}]}}}]}}]",
		"rejected":   "then: [{eventually: {on: taskrun/slow, match: {status: {conditions: [{reason: Running}]}}}}, {rejected: {on: taskrun/slow}}]",
		"not seen":   "then: [{always: {on: {kind: pod, labels: {a: b}}, for: 20s, match: {spec: {x: y}}}}]",
		"exec":       "when: [{apply: taskrun/slow}, {once: {on: pod/slow-pod}}, {exec: {on: pod/slow-pod, command: [x], exit: 1}}]\nthen: [{eventually: {on: pod/slow-pod}}]",
	} {
		toy := double.Toy(double.Faults{})
		got := runOne(t, load(t, "f", spec, slow), &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
			toy(c)
			c.ExecFunc = func(string, string, []string) (string, string, int, error) { return "", "", 0, nil }
		}})
		x := got.Failure
		if x == nil {
			t.Errorf("%s: %s, want a failure: %s", reason, got.Verdict, got.Reason)
			continue
		}
		for what, missing := range map[string]bool{
			"place": !strings.HasPrefix(x.At, "f.yaml:"), "check": x.Check == "", "message": x.Message == "", "object": x.Object == "",
			"want and got": x.Want+x.Got == "", "history": len(x.History) == 0, "seed": x.Seed == nil,
			"replay": x.Replay != "plumbline run --name f --seed 1", "timeline": got.Timeline == nil && got.Duration != "0s",
			"events": len(x.Events) == 0 && x.Message != "" && got.Duration != "0s" && got.Duration != "100ms",
		} {
			if missing {
				t.Errorf("%s: no %s in %+v", reason, what, *x)
			}
		}
	}
}

func TestLostLogIsReported(t *testing.T) {
	t.Parallel()
	toy := double.Toy(double.Faults{})
	got := runOne(t, load(t, "f", "then: [{eventually: {on: taskrun/slow, match: {status: {x: y}}}}]", slow), &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
		toy(c)
		c.Forget = true
	}})
	want := []reports.Log{{Pod: "slow-pod", Container: "step-s", Text: "(the Pod is gone, and its log with it)"}}
	if diff := cmp.Diff(want, got.Failure.Logs); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
