package podstatus

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PullFailure is the message of an attempt whose recorded status shows that the kubelet has given up pulling an image for
// now; empty if it still tries. Steps come before Sidecars. It looks at what is recorded, not at the Pod, so that the state in
// which the pull fails can be seen before the end (LC-81).
func PullFailure(tr *v1beta1.TaskRun) string {
	return waitingForImage(tr.Name, reasonImageBackOff, tr.Status.Steps, tr.Status.Sidecars)
}

// waitingForImage is the message about the first Step, else Sidecar, that waits for that reason.
func waitingForImage(run, reason string, steps []v1beta1.StepState, sidecars []v1beta1.SidecarState) string {
	message := func(kind, name, imageID string, w *corev1.ContainerStateWaiting) string {
		if w == nil || w.Reason != reason {
			return ""
		}
		return fmt.Sprintf("The %s %q in TaskRun %q failed to pull the image %q. The pod errored with the message: \"%s.\"",
			kind, name, run, imageID, w.Message)
	}
	for _, s := range steps {
		if m := message("step", s.Name, s.ImageID, s.Waiting); m != "" {
			return m
		}
	}
	for _, s := range sidecars {
		if m := message("sidecar", s.Name, s.ImageID, s.Waiting); m != "" {
			return m
		}
	}
	return ""
}
