package statefulset

import (
	"encoding/json"
	"hash/fnv"
	"maps"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ordinal is the number at the end of a Pod's name, if the name is one that the StatefulSet gives.
func ordinal(set, pod string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(pod, set+"-")
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == digits
}

// revisionOf names a template by what is in it.
func revisionOf(set *appsv1.StatefulSet) string {
	data, _ := json.Marshal(&set.Spec.Template) // types of the API always have a JSON form
	h := fnv.New32a()
	_, _ = h.Write(data) // a hash takes everything
	return set.Name + "-" + wordless(strconv.FormatUint(uint64(h.Sum32()), 10))
}

// wordless writes digits in the letters that Kubernetes uses for hashes in names, of which no words can be made.
func wordless(digits string) string {
	const letters = "bcdfghjklmnpqrstvwxz2456789"
	out := []byte(digits)
	for i, c := range out {
		out[i] = letters[int(c)%len(letters)]
	}
	return string(out)
}

// podOf is the Pod of an ordinal.
func podOf(set *appsv1.StatefulSet, n int, revision string) *corev1.Pod {
	t := set.Spec.Template.DeepCopy()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: set.Namespace, Name: set.Name + "-" + strconv.Itoa(n),
		Labels: t.Labels, Annotations: t.Annotations, Finalizers: t.Finalizers,
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(set, GVK)},
	}, Spec: t.Spec}
	if pod.Labels == nil {
		pod.Labels = map[string]string{}
	}
	pod.Labels[appsv1.StatefulSetPodNameLabel] = pod.Name
	pod.Labels[appsv1.PodIndexLabel] = strconv.Itoa(n)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = revision
	pod.Spec.Hostname, pod.Spec.Subdomain = pod.Name, set.Spec.ServiceName
	for i, claim := range claims(set, n) {
		pod.Spec.Volumes = mount(pod.Spec.Volumes, set.Spec.VolumeClaimTemplates[i].Name, claim.Name)
	}
	return pod
}

// mount adds the volume of a claim, in place of one of the same name.
func mount(volumes []corev1.Volume, name, claim string) []corev1.Volume {
	volume := corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}
	for i := range volumes {
		if volumes[i].Name == volume.Name {
			volumes[i] = volume
			return volumes
		}
	}
	return append(volumes, volume)
}

// claims are those of an ordinal. They have no owner, so they outlive the Pod and the StatefulSet.
func claims(set *appsv1.StatefulSet, n int) []*corev1.PersistentVolumeClaim {
	out := make([]*corev1.PersistentVolumeClaim, 0, len(set.Spec.VolumeClaimTemplates))
	for i := range set.Spec.VolumeClaimTemplates {
		t := set.Spec.VolumeClaimTemplates[i].DeepCopy()
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{
			Namespace: set.Namespace, Name: t.Name + "-" + set.Name + "-" + strconv.Itoa(n),
			Labels: map[string]string{}, Annotations: t.Annotations,
		}, Spec: t.Spec}
		maps.Copy(claim.Labels, t.Labels)
		maps.Copy(claim.Labels, set.Spec.Selector.MatchLabels)
		out = append(out, claim)
	}
	return out
}
