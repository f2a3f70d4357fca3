package podstatus

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PullFailure is the message of an attempt whose recorded status shows that the kubelet has given up pulling an image for
// now; empty if it has not. Steps come before Sidecars. It looks at what is recorded, not at the Pod, so that the state in
// which the pull fails can be seen before the end (LC-81).
func PullFailure(tr *v1beta1.TaskRun) string {
	for _, s := range tr.Status.Steps {
		if w := s.Waiting; w != nil && w.Reason == reasonImageBackOff {
			return pullMessage("step", s.Name, tr.Name, s.ImageID, w.Message)
		}
	}
	for _, s := range tr.Status.Sidecars {
		if w := s.Waiting; w != nil && w.Reason == reasonImageBackOff {
			return pullMessage("sidecar", s.Name, tr.Name, s.ImageID, w.Message)
		}
	}
	return ""
}

// pullFailure is the message about the first Step, else Sidecar, that waits for that reason.
func pullFailure(tr *v1beta1.TaskRun, pod *corev1.Pod, reason string) string {
	var o Observation
	readContainers(pod, &o)
	for _, s := range o.Steps {
		if w := s.Waiting; w != nil && w.Reason == reason {
			return pullMessage("step", s.Name, tr.Name, s.ImageID, w.Message)
		}
	}
	for _, s := range o.Sidecars {
		if w := s.Waiting; w != nil && w.Reason == reason {
			return pullMessage("sidecar", s.Name, tr.Name, s.ImageID, w.Message)
		}
	}
	return ""
}

func pullMessage(kind, name, run, imageID, message string) string {
	return fmt.Sprintf("The %s %q in TaskRun %q failed to pull the image %q. The pod errored with the message: \"%s.\"",
		kind, name, run, imageID, message)
}
