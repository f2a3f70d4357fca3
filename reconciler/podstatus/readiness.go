package podstatus

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
)

// ReadySinceAnnotation says when the Pod was first told that it is ready.
const ReadySinceAnnotation = "plumbline.dev/ready-since"

// announcementPatience is how long a first Step may take to start before the announcement is repeated. A kubelet can lose
// one: the file in the container is then refreshed only at its next periodic sync, a minute later. Any change of the
// Pod's annotations makes it look again.
const announcementPatience = 2 * time.Second

// Announcement is what to do about the annotation that starts the first Step.
type Announcement struct {
	// Value is what to write into v1beta1.AnnotationReady; empty if nothing.
	Value string
	// First says that it is the first time, so that ReadySinceAnnotation has to be written, too.
	First bool
	// Again is after how long to look again; zero if there is nothing to look for.
	Again time.Duration
}

// repeatedValue is the second announcement. It differs from the first so that the file changes, and is not empty, which is
// all that a launcher looks for.
const repeatedValue = v1beta1.AnnotationReadyValue + "-2"

// Announce decides whether the first Step of the Pod is to be told to start, now.
//
// Whether the launcher has seen an announcement cannot be observed while the Step runs, so a Step that is not over after
// some time is told again. It does no harm: the launcher looks only until it sees something.
func Announce(pod *corev1.Pod, now time.Time) Announcement {
	if !podspec.WaitsForReady(pod) || pod.Status.Phase != corev1.PodRunning || firstStepOver(pod) {
		return Announcement{}
	}
	switch pod.Annotations[v1beta1.AnnotationReady] {
	case v1beta1.AnnotationReadyValue:
		since, err := time.Parse(time.RFC3339Nano, pod.Annotations[ReadySinceAnnotation])
		if err != nil {
			return Announcement{} // not announced by us
		}
		if left := since.Add(announcementPatience).Sub(now); left > 0 {
			return Announcement{Again: left}
		}
		return Announcement{Value: repeatedValue}
	case repeatedValue:
		return Announcement{}
	}
	if !sidecarsReady(pod) {
		return Announcement{}
	}
	return Announcement{Value: v1beta1.AnnotationReadyValue, First: true, Again: announcementPatience}
}

// sidecarsReady reports whether everything that is not a Step is up, or over (SC-02).
func sidecarsReady(pod *corev1.Pod) bool {
	up := map[string]bool{}
	for i := range pod.Status.ContainerStatuses {
		s := &pod.Status.ContainerStatuses[i]
		up[s.Name] = s.State.Terminated != nil || s.State.Running != nil && s.Ready
	}
	for i := range pod.Spec.Containers {
		if name := pod.Spec.Containers[i].Name; !isStep(name) && !up[name] {
			return false
		}
	}
	return true
}

func firstStepOver(pod *corev1.Pod) bool {
	for _, s := range statuses(pod) {
		if isStep(s.Name) {
			return s.State.Terminated != nil
		}
	}
	return false
}
