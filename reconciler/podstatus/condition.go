package podstatus

import (
	"fmt"
	"iter"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// Messages of the condition.
const (
	messageConfigError   = "Failed to create pod due to config error"
	messageUnspecified   = "build failed for unspecified reasons."
	messagePending       = "Pending"
	reasonOOMKilled      = "OOMKilled"
	reasonConfigError    = "CreateContainerConfigError"
	reasonCreateError    = "CreateContainerError"
	reasonInvalidImage   = "InvalidImageName"
	reasonImageBackOff   = "ImagePullBackOff"
	unschedulableMessage = "Insufficient"
	// reasonUnknownStatus is of a container that was gone before the kubelet had seen it end: the message is the kubelet's.
	reasonUnknownStatus = "ContainerStatusUnknown"
)

// condition judges the attempt (§6.2–6.5).
func condition(in Input, o *Observation, reports []report) (c v1beta1.Condition, deletePod bool) {
	pod := in.Pod
	if complete(pod) {
		if failed(pod) {
			return falseCondition(v1beta1.TaskRunReasonFailed, failureMessage(pod, reports)), false
		}
		return newCondition(corev1.ConditionTrue, v1beta1.TaskRunReasonSucceeded, v1beta1.TaskRunMessageSucceeded), false
	}
	if pod.Status.Phase != corev1.PodPending {
		return unknown(v1beta1.TaskRunReasonRunning, v1beta1.TaskRunMessageRunning), false
	}
	switch {
	case unschedulable(pod):
		return unknown(v1beta1.TaskRunReasonExceededNodeResources, v1beta1.TaskRunMessageExceededNodeResources), false
	case configError(pod):
		return falseCondition(v1beta1.TaskRunReasonCreateContainerConfigError, messageConfigError), true
	case waitingFor(pod, reasonCreateError):
		return falseCondition(v1beta1.TaskRunReasonPodCreationFailed, createErrorMessage(in.TaskRun.Name, pod)), true
	case waitingFor(pod, reasonInvalidImage):
		// No time will make the name valid: it fails at once.
		if message := waitingForImage(in.TaskRun.Name, reasonInvalidImage, o.Steps, o.Sidecars); message != "" {
			return falseCondition(v1beta1.TaskRunReasonImagePullFailed, message), true
		}
		return unknown(v1beta1.TaskRunReasonPullImageFailed, waitingMessage(pod)), false
	case waitingFor(pod, reasonImageBackOff, "ImageInspectError", "ErrImagePull", "ErrImageNeverPull", "RegistryUnavailable"):
		return unknown(v1beta1.TaskRunReasonPullImageFailed, waitingMessage(pod)), false
	default:
		return unknown(v1beta1.TaskRunReasonPending, waitingMessage(pod)), false
	}
}

func newCondition(status corev1.ConditionStatus, reason, message string) v1beta1.Condition {
	return v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}
}

func unknown(reason, message string) v1beta1.Condition {
	return newCondition(corev1.ConditionUnknown, reason, message)
}

func falseCondition(reason, message string) v1beta1.Condition {
	return newCondition(corev1.ConditionFalse, reason, message)
}

// complete reports whether all Steps are over; Sidecars may still run, except that which prints the results.
func complete(pod *corev1.Pod) bool {
	switch pod.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
		return true
	case corev1.PodRunning:
	default:
		return false
	}
	terminated := map[string]bool{}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		terminated[s.Name] = s.State.Terminated != nil
	}
	steps := 0
	for i := range pod.Spec.Containers {
		name := pod.Spec.Containers[i].Name
		if isStep(name) {
			steps++
		} else if name != resultsContainer {
			continue
		}
		if !terminated[name] {
			return false
		}
	}
	return steps > 0
}

// failed tells how a complete Pod ended. The exit codes are the containers' own: that of a Step whose failure is ignored
// is zero.
func failed(pod *corev1.Pod) bool {
	steps, succeeded := 0, 0
	for i := range pod.Spec.Containers {
		if isStep(pod.Spec.Containers[i].Name) {
			steps++
		}
	}
	for _, s := range statuses(pod) {
		t := s.State.Terminated
		if t != nil && s.Name == resultsContainer && t.ExitCode != 0 {
			return true // the results were not read
		}
		if !isStep(s.Name) || t == nil {
			continue
		}
		if t.ExitCode != 0 || t.Reason == reasonOOMKilled {
			return true
		}
		succeeded++
	}
	// A Pod can also fail for its Sidecars, which does not fail the attempt if all Steps are known to have succeeded.
	return pod.Status.Phase == corev1.PodFailed && (succeeded < steps || pod.Status.Reason != "")
}

// failureMessage names what failed first (§6.4). If the kubelet ended the Pod, that came first: what its containers ended
// with then is by chance.
func failureMessage(pod *corev1.Pod, reports []report) string {
	if pod.Status.Reason != "" && pod.Status.Message != "" {
		return pod.Status.Message
	}
	for i := range pod.Status.InitContainerStatuses {
		s := &pod.Status.InitContainerStatuses[i]
		if t := s.State.Terminated; t != nil {
			if message := containerFailure(pod, s, report{}); message != "" {
				return "init container failed, " + message
			}
		}
	}
	byContainer := map[string]report{}
	for _, r := range reports {
		byContainer[r.container] = r
	}
	ordered := statuses(pod)
	for _, steps := range []bool{true, false} {
		for _, s := range ordered {
			if t := s.State.Terminated; t != nil && isStep(s.Name) == steps {
				if message := containerFailure(pod, s, byContainer[s.Name]); message != "" {
					return message
				}
			}
		}
	}
	if pod.Status.Message != "" {
		return pod.Status.Message
	}
	for _, s := range ordered {
		if t := s.State.Terminated; t != nil && isStep(s.Name) && t.Reason == reasonOOMKilled {
			return reasonOOMKilled
		}
	}
	return messageUnspecified
}

func containerFailure(pod *corev1.Pod, s *corev1.ContainerStatus, r report) string {
	logs := fmt.Sprintf("; for logs run: kubectl -n %s logs %s -c %s\n", pod.Namespace, pod.Name, s.Name)
	code := s.State.Terminated.ExitCode
	switch {
	case r.reason == termination.ReasonTimeoutExceeded:
		return fmt.Sprintf("%q exited because the step exceeded the specified timeout limit", s.Name) + logs
	case code == 0:
		return ""
	case r.message != "":
		return fmt.Sprintf("%q exited with code %d (image: %q): %s", s.Name, code, s.ImageID, r.message) + logs
	default:
		return fmt.Sprintf("%q exited with code %d (image: %q)", s.Name, code, s.ImageID) + logs
	}
}

// subPathMessage is part of what the kubelet says while it cannot make the directory of a mount's subPath: on storage that is
// not there yet, say. It tries again.
const subPathMessage = "failed to create subPath directory"

// configError reports whether a container cannot be configured, and no time will change that.
func configError(pod *corev1.Pod) bool {
	for s := range everyStatus(pod) {
		if w := s.State.Waiting; w != nil && w.Reason == reasonConfigError && !strings.Contains(w.Message, subPathMessage) {
			return true
		}
	}
	return false
}

// createErrorMessage says which container the runtime could not make, in the runtime's words.
func createErrorMessage(run string, pod *corev1.Pod) string {
	for s := range everyStatus(pod) {
		w := s.State.Waiting
		if w == nil || w.Reason != reasonCreateError {
			continue
		}
		kind, name := "container", s.Name
		switch {
		case isStep(s.Name):
			kind, name = "step", strings.TrimPrefix(s.Name, v1beta1.StepContainerPrefix)
		case isSidecar(s.Name):
			kind, name = "sidecar", strings.TrimPrefix(s.Name, v1beta1.SidecarContainerPrefix)
		}
		return fmt.Sprintf("the %s %q in TaskRun %q failed to start. The pod errored with the message: \"%s.\"", kind, name, run, w.Message)
	}
	return messageUnspecified
}

// everyStatus are the statuses of init containers, then those of the others, as the kubelet lists them.
func everyStatus(pod *corev1.Pod) iter.Seq[*corev1.ContainerStatus] {
	return func(yield func(*corev1.ContainerStatus) bool) {
		for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
			for i := range list {
				if !yield(&list[i]) {
					return
				}
			}
		}
	}
}

// waitingFor reports whether a container waits for one of these reasons.
func waitingFor(pod *corev1.Pod, reasons ...string) bool {
	for s := range everyStatus(pod) {
		w := s.State.Waiting
		if w == nil {
			continue
		}
		for _, r := range reasons {
			if w.Reason == r {
				return true
			}
		}
	}
	return false
}

// unschedulable reports whether the Pod waits for room on a node.
func unschedulable(pod *corev1.Pod) bool {
	if pod.Status.Phase != corev1.PodPending {
		return false
	}
	for _, c := range pod.Status.Conditions {
		if c.Reason == corev1.PodReasonUnschedulable && strings.Contains(c.Message, unschedulableMessage) {
			return true
		}
	}
	return false
}

// waitingMessage says what a pending Pod waits for (§6.5).
func waitingMessage(pod *corev1.Pod) string {
	for _, s := range statuses(pod) {
		if w := s.State.Waiting; w != nil && w.Message != "" {
			return fmt.Sprintf("build step %q is pending with reason %q", s.Name, w.Message)
		}
	}
	for _, c := range pod.Status.Conditions {
		if c.Status != corev1.ConditionTrue {
			return fmt.Sprintf("pod status %q:%q; message: %q", c.Type, c.Status, c.Message)
		}
	}
	if pod.Status.Message != "" {
		return pod.Status.Message
	}
	return messagePending
}
