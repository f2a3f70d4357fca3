package double

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Faults of Toy: what it gets wrong.
type Faults struct {
	// LateBy is added to every timeout.
	LateBy time.Duration
	// KeepPod leaves the Pod of a run that timed out.
	KeepPod bool
	// Reason replaces the reason of a timeout.
	Reason string
	// Admit accepts everything.
	Admit bool
	// Hang never starts a run.
	Hang bool
	// Flip puts the label changed on a run that has ended, a second later.
	Flip bool
}

// Toy returns an implementation that does just enough of a TaskRun for the engine's
// tests: it creates a Pod, waits as long as the scripts' "sleep N" say, and ends with
// Succeeded or TaskRunTimeout, or TaskRunCancelled.
func Toy(f Faults) Script {
	return func(c *Cluster) {
		if !f.Admit {
			c.Refuse = refuse
		}
		ended := map[string]bool{}
		end := func(run, pod *unstructured.Unstructured, status, reason string) {
			if ended[run.GetName()] {
				return
			}
			ended[run.GetName()] = true
			finish(c, run, status, reason)
			if status == "False" && !f.KeepPod {
				c.Remove(pod)
			}
			if f.Flip {
				c.After(time.Second, func() {
					c.Set(run, func(o map[string]any) { o["metadata"].(map[string]any)["labels"] = map[string]any{"changed": "yes"} })
				})
			}
		}
		pods := map[string]*unstructured.Unstructured{}
		c.Created("TaskRun", func(run *unstructured.Unstructured) {
			if f.Hang {
				return
			}
			c.After(100*time.Millisecond, func() {
				pod := podOf(run)
				pods[run.GetName()] = pod
				c.Create(pod)
				announce(c, run, "Started", "the run has begun")
				c.Set(run, func(o map[string]any) {
					o["status"] = map[string]any{"startTime": stamp(c.now), "podName": pod.GetName()}
				})
				condition(c, run, "Unknown", "Pending")
				c.After(time.Second, func() {
					condition(c, run, "Unknown", "Running")
					c.Print(pod.GetName(), "step-s", "hello\n")
				})
				if text, _, _ := unstructured.NestedString(run.Object, "spec", "timeout"); text != "" {
					timeout, err := time.ParseDuration(text)
					if err != nil {
						panic(err) // admission let it through
					}
					reason := "TaskRunTimeout"
					if f.Reason != "" {
						reason = f.Reason
					}
					c.After(timeout+f.LateBy, func() { end(run, pod, "False", reason) })
				}
				c.After(2*time.Second+sleeps(run), func() { end(run, pod, "True", "Succeeded") })
			})
		})
		c.Changed("TaskRun", func(run *unstructured.Unstructured) {
			status, _, _ := unstructured.NestedString(run.Object, "spec", "status")
			if pod := pods[run.GetName()]; pod != nil && status == "TaskRunCancelled" && !ended[run.GetName()] {
				c.After(0, func() { end(run, pod, "False", "TaskRunCancelled") })
			}
		})
	}
}

// refuse is the toy's whole admission.
func refuse(o *unstructured.Unstructured) error {
	spec, _, _ := unstructured.NestedMap(o.Object, "spec")
	if spec["taskRef"] != nil && spec["taskSpec"] != nil {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusBadRequest, Reason: metav1.StatusReasonBadRequest,
			Message: `admission webhook "toy" denied the request: expected exactly one, got both: spec.taskRef, spec.taskSpec`}}
	}
	return nil
}

func podOf(run *unstructured.Unstructured) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{
			"name": run.GetName() + "-pod", "namespace": run.GetNamespace(),
			"labels":          map[string]any{"tekton.dev/taskRun": run.GetName()},
			"ownerReferences": []any{map[string]any{"apiVersion": "tekton.dev/v1beta1", "kind": "TaskRun", "name": run.GetName(), "uid": string(run.GetUID()), "controller": true}},
		},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "step-s", "image": "busybox"}}},
	}}
}

func announce(c *Cluster, run *unstructured.Unstructured, reason, message string) {
	c.Create(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Event",
		"metadata":       map[string]any{"name": fmt.Sprintf("%s.%d", run.GetName(), c.uids), "namespace": run.GetNamespace()},
		"involvedObject": map[string]any{"kind": "TaskRun", "name": run.GetName()},
		"type":           "Normal", "reason": reason, "message": message,
	}})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func condition(c *Cluster, run *unstructured.Unstructured, status, reason string) {
	c.Set(run, func(o map[string]any) {
		s, _ := o["status"].(map[string]any)
		s["conditions"] = []any{map[string]any{"type": "Succeeded", "status": status, "reason": reason}}
	})
}

func finish(c *Cluster, run *unstructured.Unstructured, status, reason string) {
	c.Set(run, func(o map[string]any) {
		s, _ := o["status"].(map[string]any)
		s["conditions"] = []any{map[string]any{"type": "Succeeded", "status": status, "reason": reason}}
		s["completionTime"] = stamp(c.now)
	})
}

// sleeps adds up the "sleep N" of all scripts.
func sleeps(run *unstructured.Unstructured) time.Duration {
	steps, _, _ := unstructured.NestedSlice(run.Object, "spec", "taskSpec", "steps")
	var total time.Duration
	for _, s := range steps {
		m, _ := s.(map[string]any)
		script, _ := m["script"].(string)
		for line := range strings.SplitSeq(script, "\n") {
			var n int
			if _, err := fmt.Sscanf(strings.TrimSpace(line), "sleep %d", &n); err == nil {
				total += time.Duration(n) * time.Second
			}
		}
	}
	return total
}
