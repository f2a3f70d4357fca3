// Package toy is a small implementation of TaskRuns, to show how an implementation is judged: it does some of what the
// documents ask for, and not the rest, and the reports of its tests say which.
//
// It has Go types of its own and no launcher: all steps of a Task but the last are init containers, which Kubernetes runs
// one after the other. What it does is decided in one place, by [Next], and done in two ways:
//
//	reconciler.go  by a reconcile.Reconciler, as controller-runtime calls it: the deterministic mode
//	controller.go  by informers, a work queue and workers, as client-go has them: the attached mode
//
// It does not support cancellation, retries, params, workspaces, sidecars or references to Tasks, and reports nothing about
// its steps.
package toy

import (
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// defaultTimeout is how long a run may take that says nothing.
const defaultTimeout = time.Hour

// resultPath is where a step writes the result: what Kubernetes keeps of a container that has ended.
const resultPath = "/dev/termination-log"

const reasonTimeout = "TaskRunTimeout"

// podName names the Pod of a run.
func podName(run *TaskRun) string { return run.Name + "-pod" }

// Next decides what a run's status is, given its Pod (nil: there is none), and in how long to look again if nothing
// happens; zero means that it is done.
func Next(run *TaskRun, pod *corev1.Pod, now time.Time) (status Status, again time.Duration) {
	status = *run.Status.DeepCopy()
	if status.Done() {
		return status, 0
	}
	if status.StartTime == nil {
		status.StartTime = &metav1.Time{Time: now}
	}
	timeout := defaultTimeout
	if run.Spec.Timeout != nil {
		timeout = run.Spec.Timeout.Duration
	}
	left := timeout - now.Sub(status.StartTime.Time)
	set := func(value, reason, message string) {
		if c := status.Condition(); c == nil || c.Status != value || c.Reason != reason {
			status.Conditions = []Condition{{Type: "Succeeded", Status: value, Reason: reason, Message: message, LastTransitionTime: metav1.Time{Time: now}}}
		}
		if value != "Unknown" {
			status.CompletionTime = &metav1.Time{Time: now}
		}
	}
	switch {
	case pod == nil:
		set("Unknown", "Pending", "The Pod is to be created")
	case pod.Status.Phase == corev1.PodSucceeded:
		set("True", "Succeeded", "All Steps have completed executing")
		status.TaskResults = results(run, pod)
	case pod.Status.Phase == corev1.PodFailed:
		set("False", "Failed", "A Step has failed")
	case timeout > 0 && left <= 0:
		set("False", reasonTimeout, "The TaskRun took longer than "+timeout.String())
	case pod.Status.Phase == corev1.PodRunning || begun(pod):
		set("Unknown", "Running", "Not all Steps have completed executing")
	default:
		set("Unknown", "Pending", "The Pod is not running yet")
	}
	status.PodName = podName(run)
	if status.Done() || timeout == 0 {
		return status, 0
	}
	return status, max(left, time.Millisecond)
}

// expired reports whether the run took too long, so that its Pod has to go.
func expired(s *Status) bool {
	c := s.Condition()
	return c != nil && c.Reason == reasonTimeout
}

// begun reports whether a step has begun.
func begun(pod *corev1.Pod) bool {
	for _, s := range pod.Status.InitContainerStatuses {
		if s.State.Running != nil || s.State.Terminated != nil {
			return true
		}
	}
	return false
}

// results are what the steps have written; a Task has one result at most.
func results(run *TaskRun, pod *corev1.Pod) []TaskRunResult {
	if run.Spec.TaskSpec == nil || len(run.Spec.TaskSpec.Results) != 1 {
		return nil
	}
	for _, s := range append(pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses...) {
		if t := s.State.Terminated; t != nil && t.Message != "" {
			return []TaskRunResult{{Name: run.Spec.TaskSpec.Results[0].Name, Type: "string", Value: t.Message}}
		}
	}
	return nil
}

// PodFor builds the Pod of a run, or returns nil if it has no steps.
func PodFor(run *TaskRun) *corev1.Pod {
	if run.Spec.TaskSpec == nil || len(run.Spec.TaskSpec.Steps) == 0 {
		return nil
	}
	controller := true
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: podName(run), Namespace: run.Namespace, Labels: map[string]string{"tekton.dev/taskRun": run.Name},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: GroupVersion.String(), Kind: "TaskRun", Name: run.Name, UID: run.UID, Controller: &controller}},
		},
		Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever},
	}
	var path []string
	for _, r := range run.Spec.TaskSpec.Results {
		path = append(path, "$(results."+r.Name+".path)", resultPath)
	}
	replace := strings.NewReplacer(path...)
	steps := run.Spec.TaskSpec.Steps
	for i, step := range steps {
		c := corev1.Container{Name: "step-" + step.Name, Image: step.Image, Command: step.Command, Args: step.Args}
		if step.Script != "" {
			c.Command, c.Args = []string{"sh", "-c", replace.Replace(step.Script)}, nil
		}
		if i < len(steps)-1 {
			pod.Spec.InitContainers = append(pod.Spec.InitContainers, c)
		} else {
			pod.Spec.Containers = append(pod.Spec.Containers, c)
		}
	}
	return pod
}
