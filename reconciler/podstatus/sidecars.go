package podstatus

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

const (
	messageStopped   = "Sidecar container successfully stopped by nop image"
	reasonCompleted  = "Completed"
	resultsContainer = v1beta1.SidecarContainerPrefix + v1beta1.ReservedSidecarName
)

// ToStop are the indices of the Pod's containers whose image has to be replaced by nop for the Pod to end: everything that
// still runs and is not a Step, injected containers included (SC-13). One that has been told already is not told again, and
// the one that prints results ends by itself.
func ToStop(pod *corev1.Pod, nop string) []int {
	if pod.Status.Phase != corev1.PodRunning {
		return nil
	}
	running := map[string]bool{}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		running[s.Name] = s.State.Running != nil
	}
	var indices []int
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if !isStep(c.Name) && c.Name != resultsContainer && running[c.Name] && c.Image != nop {
			indices = append(indices, i)
		}
	}
	return indices
}

// StoppedSidecars are the states of the Task's Sidecars once the Steps are over. One that was stopped is shown as what it was
// before nop took its place (SC-15).
func StoppedSidecars(pod *corev1.Pod, nop string) []v1beta1.SidecarState {
	replaced := map[string]bool{}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		replaced[c.Name] = c.Image == nop
	}
	var states []v1beta1.SidecarState
	for _, s := range statuses(pod) {
		if !isSidecar(s.Name) {
			continue
		}
		state := *s.State.DeepCopy()
		if last := s.LastTerminationState.Terminated; last != nil && replaced[s.Name] {
			state = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode:    last.ExitCode,
				Reason:      reasonCompleted,
				Message:     messageStopped,
				StartedAt:   last.StartedAt,
				FinishedAt:  last.FinishedAt,
				ContainerID: last.ContainerID,
			}}
		}
		states = append(states, sidecarState(s.Name, s.ImageID, state))
	}
	return states
}
