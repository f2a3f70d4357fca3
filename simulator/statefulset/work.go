package statefulset

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// work is a StatefulSet and its Pods as one pass finds them. It decides; it writes nothing.
type work struct {
	set      *appsv1.StatefulSet
	pods     []*corev1.Pod // by ordinal, no two of the same
	revision string
	now      time.Time
	wait     time.Duration // until a Pod becomes available
}

// step is a Pod to create, or one to delete.
type step struct {
	set     *appsv1.StatefulSet
	pod     *corev1.Pod
	ordinal int
	create  bool
	// reason and message are about a Pod that is replaced because it has ended.
	reason, message string
}

func newWork(set *appsv1.StatefulSet, pods []*corev1.Pod, now time.Time) *work {
	return &work{set: set, pods: pods, revision: revisionOf(set), now: now}
}

// bounds are the first ordinal and the one behind the last.
func (w *work) bounds() (first, end int) {
	if w.set.Spec.Ordinals != nil {
		first = int(w.set.Spec.Ordinals.Start)
	}
	return first, first + int(*w.set.Spec.Replicas)
}

// next says what this pass does.
func (w *work) next() []step {
	ordered := w.set.Spec.PodManagementPolicy != appsv1.ParallelPodManagement
	first, end := w.bounds()
	byOrdinal := map[int]*corev1.Pod{}
	var condemned []*corev1.Pod // by falling ordinals
	for _, pod := range w.pods {
		if n, _ := ordinal(w.set.Name, pod.Name); n >= first && n < end {
			byOrdinal[n] = pod
		} else {
			condemned = append([]*corev1.Pod{pod}, condemned...)
		}
	}
	var steps []step
	for n := first; n < end; n++ {
		pod := byOrdinal[n]
		switch {
		case pod == nil:
			steps = append(steps, step{set: w.set, pod: podOf(w.set, n, w.revision), ordinal: n, create: true})
		case pod.DeletionTimestamp != nil:
		case ended(pod):
			steps = append(steps, w.replacement(pod))
		case w.available(pod):
			continue
		}
		if ordered {
			return steps
		}
	}
	if len(steps) > 0 {
		return steps
	}
	for _, pod := range condemned {
		if pod.DeletionTimestamp == nil {
			steps = append(steps, step{set: w.set, pod: pod})
		}
		if ordered {
			return steps
		}
	}
	if len(steps) > 0 {
		return steps
	}
	return w.update(byOrdinal, first, end)
}

// update replaces the Pod with the highest ordinal that does not follow the template, if all above it are available.
func (w *work) update(byOrdinal map[int]*corev1.Pod, first, end int) []step {
	u := w.set.Spec.UpdateStrategy
	if u.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return nil
	}
	if u.RollingUpdate != nil && u.RollingUpdate.Partition != nil {
		first = max(first, int(*u.RollingUpdate.Partition))
	}
	for n := end - 1; n >= first; n-- {
		switch pod := byOrdinal[n]; {
		case pod == nil || pod.DeletionTimestamp != nil:
			return nil
		case pod.Labels[appsv1.ControllerRevisionHashLabelKey] != w.revision:
			return []step{{set: w.set, pod: pod}}
		case !w.available(pod):
			return nil
		}
	}
	return nil
}

// replacement is how a Pod that has ended makes room for another.
func (w *work) replacement(pod *corev1.Pod) step {
	s := step{set: w.set, pod: pod, reason: "RecreatingFailedPod", message: "StatefulSet %s/%s is recreating failed Pod %s"}
	if pod.Status.Phase == corev1.PodSucceeded {
		s.reason, s.message = "RecreatingTerminatedPod", "StatefulSet %s/%s is recreating terminated Pod %s"
	}
	return s
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded
}

// ready returns since when a Pod is ready.
func ready(pod *corev1.Pod) (since time.Time, ok bool) {
	if pod.Status.Phase != corev1.PodRunning {
		return time.Time{}, false
	}
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time, true
		}
	}
	return time.Time{}, false
}

// available reports whether a Pod has been ready for long enough. If it is only ready, the pass is repeated in time.
func (w *work) available(pod *corev1.Pod) bool {
	since, ok := ready(pod)
	if !ok {
		return false
	}
	left := since.Add(time.Duration(w.set.Spec.MinReadySeconds) * time.Second).Sub(w.now)
	if left <= 0 || w.set.Spec.MinReadySeconds == 0 {
		return true
	}
	if w.wait == 0 || left < w.wait {
		w.wait = left
	}
	return false
}

// status is what the Pods that were found amount to. Pods that this pass makes count from the next one on.
func (w *work) status() appsv1.StatefulSetStatus {
	was := &w.set.Status
	s := appsv1.StatefulSetStatus{
		ObservedGeneration: w.set.Generation, CurrentRevision: was.CurrentRevision, UpdateRevision: w.revision,
		CollisionCount: was.CollisionCount, Conditions: was.Conditions,
	}
	if s.CollisionCount == nil {
		s.CollisionCount = new(int32(0))
	}
	if s.CurrentRevision == "" {
		s.CurrentRevision = w.revision
	}
	for _, pod := range w.pods {
		s.Replicas++
		if _, ok := ready(pod); ok {
			s.ReadyReplicas++
			if w.available(pod) {
				s.AvailableReplicas++
			}
		}
		if pod.DeletionTimestamp != nil || ended(pod) {
			continue
		}
		hash := pod.Labels[appsv1.ControllerRevisionHashLabelKey]
		if hash == s.CurrentRevision {
			s.CurrentReplicas++
		}
		if hash == w.revision {
			s.UpdatedReplicas++
		}
	}
	if s.UpdatedReplicas == *w.set.Spec.Replicas && s.ReadyReplicas == s.UpdatedReplicas && s.Replicas == s.UpdatedReplicas {
		s.CurrentRevision, s.CurrentReplicas = w.revision, s.UpdatedReplicas
	}
	return s
}
