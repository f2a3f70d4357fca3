package conformance_test

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

// ends has every TaskRun end after 5 s, with a status, and lets more happen to it afterwards.
func ends(status string, then func(c *double.Cluster, run *unstructured.Unstructured)) double.Script {
	return func(c *double.Cluster) {
		c.Created("TaskRun", func(run *unstructured.Unstructured) {
			c.After(5*time.Second, func() {
				at := c.Now().UTC().Format(time.RFC3339)
				c.Set(run, func(o map[string]any) {
					shown := map[string]any{"conditions": []any{map[string]any{"type": "Succeeded", "status": status, "reason": "Done"}}}
					if status == "True" {
						shown["completionTime"] = at // what is False without it may be tried again
					}
					o["status"] = shown
				})
				if then != nil {
					then(c, run)
				}
			})
		})
	}
}

// later sets a field of a run's status.
func later(d time.Duration, field string, value any) func(*double.Cluster, *unstructured.Unstructured) {
	return func(c *double.Cluster, run *unstructured.Unstructured) {
		c.After(d, func() {
			c.Set(run, func(o map[string]any) {
				if status, ok := o["status"].(map[string]any); ok {
					status[field] = value
				}
			})
		})
	}
}

// TestACheckEndsWithItsRun: what a run that is over cannot become is told at once, and not after a day; what it still may
// become is waited for.
func TestACheckEndsWithItsRun(t *testing.T) {
	t.Parallel()
	const (
		day    = 24 * time.Hour
		result = "then: [{eventually: {on: taskrun/quick, match: {status: {taskResults: [{name: a, value: b}]}}}}]"
	)
	written := []any{map[string]any{"name": "a", "value": "b"}}
	again := strings.Replace(quick, "spec: {", "spec: {retries: 1, ", 1)
	success := []any{map[string]any{"type": "Succeeded", "status": "True", "reason": "Succeeded"}}
	for _, row := range []struct {
		reason          string
		spec, manifests string
		script          double.Script
		verdict         reports.Verdict
		says            string
		atLeast, atMost time.Duration
	}{
		{"another end", "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{type: Succeeded, reason: Other}]}}}}]", quick, ends("True", nil),
			reports.Fail, "taskrun/quick is over (Succeeded=True/Done), and is not as expected", 15 * time.Second, 16 * time.Second},
		{"a result that was not written", result, quick, ends("True", nil), reports.Fail, "is over", 15 * time.Second, 16 * time.Second},
		{"one that is written a little later", result, quick, ends("True", later(8*time.Second, "taskResults", written)), reports.Pass, "", 13 * time.Second, day},
		{"a wait among the actions", "when: [{apply: taskrun/quick}, {once: {on: taskrun/quick, match: {status: {conditions: [{reason: Running}]}}}}]\n" + result, quick, ends("True", nil),
			reports.Fail, "is over", 15 * time.Second, 16 * time.Second},
		{"an expression over what stays", "then: [{eventually: {on: taskrun/quick, cel: [\"self.status.conditions.exists(c, c.reason == 'Other') && self.metadata.name == 'quick'\"]}}]", quick, ends("True", nil),
			reports.Fail, "is over", 15 * time.Second, 16 * time.Second},
		{"one over what may change", "then: [{eventually: {on: taskrun/quick, cel: [\"self.status.conditions.exists(c, c.reason == 'Other') || has(self.metadata.labels)\"]}}]", quick, ends("True", nil),
			reports.Fail, "within 24h0m0s", day, 25 * time.Hour},
		{"one over other objects", "then: [{eventually: {on: taskrun/quick, cel: [\"self.metadata.name == objects['taskrun/quick'].status.podName\"]}}]", quick, ends("True", nil),
			reports.Fail, "within 24h0m0s", day, 25 * time.Hour},
		{"a label may come", "then: [{eventually: {on: taskrun/quick, match: {metadata: {labels: {a: b}}}}}]", quick, ends("True", nil), reports.Fail, "within 24h0m0s", day, 25 * time.Hour},
		{"sidecars end after their run", "then: [{eventually: {on: taskrun/quick, match: {status: {sidecars: [{name: s}]}}}}]", quick,
			ends("True", later(time.Minute, "sidecars", []any{map[string]any{"name": "s"}})), reports.Pass, "", time.Minute, day},
		{"what stays decides beside what may change", "then: [{eventually: {on: taskrun/quick, match: {metadata: {labels: {a: b}}, status: {podName: p}}}}]", quick, ends("True", nil),
			reports.Fail, "is over", 15 * time.Second, 16 * time.Second},
		{"an object that must disappear", "then: [{eventually: {gone: taskrun/quick}}]", quick, ends("True", nil), reports.Fail, "still there after 24h0m0s", day, 25 * time.Hour},
		{"a run that has an attempt left is not over", "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{reason: Succeeded}]}}}}]", again,
			ends("False", later(time.Minute, "conditions", success)), reports.Pass, "", time.Minute, day},
		{"a state that can no longer come", "then: [{sequence: {on: taskrun/quick, steps: [{match: {metadata: {name: quick}}}, {match: {status: {conditions: [{reason: Other}]}}}]}}]", quick, ends("True", nil),
			reports.Fail, "is over, and did not reach state 2 of 2", 15 * time.Second, 16 * time.Second},
		{"a state that may", "then: [{sequence: {on: taskrun/quick, steps: [{match: {status: {conditions: [{reason: Done}]}}}, {match: {status: {sidecars: []}}}]}}]", quick,
			ends("True", later(time.Minute, "sidecars", []any{})), reports.Pass, "", time.Minute, day},
		{"a Pod that a run which is over never had", "then: [{eventually: {on: {kind: pod, of: taskrun/quick}}}]", quick, ends("True", nil),
			reports.Fail, "was not seen, and taskrun/quick is over", 15 * time.Second, 16 * time.Second},
		{"a limit that comes before", "then: [{eventually: {on: taskrun/quick, within: 10s, match: {status: {podName: p}}}}]", quick, ends("True", nil), reports.Fail, "", 10 * time.Second, 11 * time.Second},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			out := runOne(t, load(t, "over", row.spec, row.manifests), &double.Target{Caps: virtual(), Script: row.script})
			took, err := time.ParseDuration(out.Duration)
			if err != nil {
				t.Fatal(err)
			}
			if out.Verdict != row.verdict || took < row.atLeast || took > row.atMost {
				t.Errorf("%s after %v, want %s after %v to %v: %+v", out.Verdict, took, row.verdict, row.atLeast, row.atMost, out.Failure)
			}
			if out.Failure != nil && !strings.Contains(out.Failure.Message, row.says) {
				t.Errorf("it says %q, want %q", out.Failure.Message, row.says)
			}
		})
	}
}
