package kubelet

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
)

// watchUsage begins to look at the Pod's emptyDirs, if any has a limit that the
// volume does not enforce by itself. One that is over its limit gets the Pod
// evicted, and so does one of whose containers holds more than its limit of
// ephemeral storage. Logs do not count.
func (w *worker) watchUsage() {
	limited := false
	for i := range w.pod.Spec.Volumes {
		limited = limited || softLimit(&w.pod.Spec.Volumes[i])
	}
	for _, s := range w.apps {
		_, has := s.spec.Resources.Limits[corev1.ResourceEphemeralStorage]
		limited = limited || has
	}
	if !limited {
		return
	}
	w.k.kernel.After(w.draw(w.k.timing.Eviction), w.actor, "usage", w.checkUsage)
}

func softLimit(v *corev1.Volume) bool {
	return v.EmptyDir != nil && v.EmptyDir.SizeLimit != nil && v.EmptyDir.SizeLimit.Sign() > 0 && v.EmptyDir.Medium != corev1.StorageMediumMemory
}

func (w *worker) checkUsage() {
	if w.stop != nil || w.volumes == nil {
		return
	}
	var total int64
	for i := range w.pod.Spec.Volumes {
		v := &w.pod.Spec.Volumes[i]
		if v.EmptyDir == nil || w.volumes[v.Name] == nil || v.EmptyDir.Medium == corev1.StorageMediumMemory {
			continue
		}
		used := w.volumes[v.Name].Usage()
		total += used
		if softLimit(v) && used > v.EmptyDir.SizeLimit.Value() {
			w.evict(fmt.Sprintf("Usage of EmptyDir volume %q exceeds the limit %q. ", v.Name, v.EmptyDir.SizeLimit.String()))
			return
		}
	}
	for _, s := range w.apps {
		total += s.written()
	}
	if limit := w.storageLimit(); limit > 0 && total > limit {
		q := w.storageQuantity()
		w.evict(fmt.Sprintf("Pod ephemeral local storage usage exceeds the total limit of containers %s. ", q))
		return
	}
	for _, s := range w.apps {
		limit, ok := s.spec.Resources.Limits[corev1.ResourceEphemeralStorage]
		if ok && s.written() > limit.Value() {
			w.evict(fmt.Sprintf("Container %s exceeded its local ephemeral storage limit %q. ", s.spec.Name, limit.String()))
			return
		}
	}
	w.watchUsage()
}

// written returns what the container that runs holds outside of volumes, if it can
// tell.
func (s *slot) written() int64 {
	if w, ok := s.container.(Writer); ok && s.running() {
		return w.Written()
	}
	return 0
}

// storageLimit is the sum of the containers' limits of ephemeral storage, or 0 if
// one of them has none.
func (w *worker) storageLimit() int64 {
	var sum int64
	for _, s := range w.apps {
		q, ok := s.spec.Resources.Limits[corev1.ResourceEphemeralStorage]
		if !ok {
			return 0
		}
		sum += q.Value()
	}
	return sum
}

func (w *worker) storageQuantity() string {
	sum := w.apps[0].spec.Resources.Limits[corev1.ResourceEphemeralStorage].DeepCopy()
	for _, s := range w.apps[1:] {
		sum.Add(s.spec.Resources.Limits[corev1.ResourceEphemeralStorage])
	}
	return sum.String()
}
