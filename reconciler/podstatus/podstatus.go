// Package podstatus reads the state of a TaskRun off its Pod (spec §6, §7.2). It is a function of what is observed: no
// client, no clock, no memory.
//
//	steps.go      the states of Steps and Sidecars, with what the launchers report in their termination messages
//	results.go    the results of the Task
//	condition.go  (and pull.go) whether the attempt is over, how it ended, and if not, what it waits for
//	stuck.go      whether it can end at all
//	readiness.go  whether the first Step may start
//	sidecars.go   which Sidecars have to be stopped, and how stopped ones are shown
//
// A Pod is trusted as the kubelet reports it. What it cannot tell is guessed from nowhere: a container without a status
// has no state.
package podstatus

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Observation is what a Pod says about its TaskRun.
type Observation struct {
	Steps    []v1beta1.StepState
	Sidecars []v1beta1.SidecarState
	// Condition is the condition Succeeded: True or False if the attempt is over, else Unknown.
	Condition v1beta1.Condition
	// DeletePod says that the attempt is over although the Pod would go on.
	DeletePod bool
	// Refused says why an attempt has failed although its Steps succeeded: its results are not what the Task declares.
	Refused error
	// Results are those of an attempt whose Steps succeeded, also if they are refused, in the order in which the Task
	// declares them.
	Results []v1beta1.TaskRunResult
	// ResourcesResult are the values that no result declares (deprecated).
	ResourcesResult []v1beta1.PipelineResourceResult
	// Unschedulable says that no node has room for the Pod.
	Unschedulable bool
	// Problems are what could not be understood of the termination messages.
	Problems []error
}

// Input is what an observation is made from.
type Input struct {
	TaskRun *v1beta1.TaskRun
	// Spec is the Task as it runs.
	Spec *v1beta1.TaskSpec
	Pod  *corev1.Pod
	// Logged are the results that a Sidecar printed, if that is who reports them.
	Logged []LoggedResult
}

// Observe reads a Pod.
func Observe(in Input) Observation {
	var o Observation
	reports := readContainers(in.Pod, &o)
	o.Condition, o.DeletePod = condition(in, &o, reports)
	o.Unschedulable = unschedulable(in.Pod)
	if o.Condition.IsTrue() {
		o.conclude(in, reports)
	}
	return o
}

// isStep and isSidecar tell a Task's containers from injected ones by their names (ST-02).
func isStep(container string) bool { return strings.HasPrefix(container, v1beta1.StepContainerPrefix) }

func isSidecar(container string) bool {
	return strings.HasPrefix(container, v1beta1.SidecarContainerPrefix)
}

// statuses are the container statuses in the order of the Pod's containers (ST-01); those that are not reported yet are
// left out.
func statuses(pod *corev1.Pod) []*corev1.ContainerStatus {
	ordered := make([]*corev1.ContainerStatus, 0, len(pod.Status.ContainerStatuses))
	for i := range pod.Spec.Containers {
		for j := range slices.Backward(pod.Status.ContainerStatuses) { // there are few, and the last counts
			if s := &pod.Status.ContainerStatuses[j]; s.Name == pod.Spec.Containers[i].Name {
				ordered = append(ordered, s)
				break
			}
		}
	}
	return ordered
}
