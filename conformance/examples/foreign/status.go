package foreign

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// defaultTimeout is how long a run may take that says nothing.
const defaultTimeout = time.Hour

// stamp is a time as the API writes it.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func equal(a, b *unstructured.Unstructured) bool {
	return equality.Semantic.DeepEqual(a.Object["status"], b.Object["status"])
}

// begin notes when the run was first seen.
func begin(run *unstructured.Unstructured, now time.Time) (time.Time, error) {
	text, found, err := unstructured.NestedString(run.Object, "status", "startTime")
	if err != nil {
		return now, err
	}
	if found {
		return time.Parse(time.RFC3339, text)
	}
	return now, unstructured.SetNestedField(run.Object, stamp(now), "status", "startTime")
}

// condition is the one of type Succeeded.
func condition(run *unstructured.Unstructured) map[string]any {
	list, _, _ := unstructured.NestedSlice(run.Object, "status", "conditions")
	for _, item := range list {
		if c, ok := item.(map[string]any); ok && c["type"] == reasonSucceeded {
			return c
		}
	}
	return nil
}

// ended reports whether the run is over.
func ended(run *unstructured.Unstructured) bool {
	c := condition(run)
	return c["status"] == statusTrue || c["status"] == statusFalse
}

func setCondition(run *unstructured.Unstructured, now time.Time, status, reason, message string) error {
	if c := condition(run); c["status"] == status && c["reason"] == reason {
		return nil
	}
	return unstructured.SetNestedSlice(run.Object, []any{map[string]any{
		"type": reasonSucceeded, "status": status, "reason": reason, "message": message, "lastTransitionTime": stamp(now),
	}}, "status", "conditions")
}

// conclude ends the run.
func conclude(run *unstructured.Unstructured, now time.Time, status, reason, message string) error {
	if err := setCondition(run, now, status, reason, message); err != nil {
		return err
	}
	return unstructured.SetNestedField(run.Object, stamp(now), "status", "completionTime")
}

// cancellation reports whether the run is to end, and what is to be said about it.
func cancellation(run *unstructured.Unstructured) (bool, string) {
	status, _, _ := unstructured.NestedString(run.Object, "spec", "status")
	message, _, _ := unstructured.NestedString(run.Object, "spec", "statusMessage")
	return status == reasonCancelled, message
}

// timeout is how long the run may take, and whether there is a limit at all.
func timeout(run *unstructured.Unstructured) (time.Duration, bool) {
	text, found, _ := unstructured.NestedString(run.Object, "spec", "timeout")
	limit, err := time.ParseDuration(text)
	if !found || err != nil {
		return defaultTimeout, true
	}
	return limit, limit > 0
}

// working reports whether a step has begun.
func working(pod *corev1.Pod) bool {
	for _, s := range pod.Status.InitContainerStatuses {
		if s.State.Running != nil || s.State.Terminated != nil {
			return true
		}
	}
	return pod.Status.Phase == corev1.PodRunning
}

// setResults takes over what the steps have written; a Task has one result at most.
func setResults(run *unstructured.Unstructured, pod *corev1.Pod) error {
	declared, _, _ := unstructured.NestedSlice(run.Object, "spec", "taskSpec", "results")
	if len(declared) != 1 {
		return nil
	}
	first, _ := declared[0].(map[string]any)
	for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if t := s.State.Terminated; t != nil && t.Message != "" {
			return unstructured.SetNestedSlice(run.Object, []any{map[string]any{"name": first["name"], "type": "string", "value": t.Message}}, "status", "taskResults")
		}
	}
	return nil
}
