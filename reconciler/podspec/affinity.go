package podspec

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// followAssistant makes the Pod run on the node of the affinity assistant of that name, if any. The rest of the Pod's
// affinity stays (§4.14).
func followAssistant(pod *corev1.Pod, name string) {
	if name == "" {
		return
	}
	if pod.Spec.Affinity == nil {
		pod.Spec.Affinity = &corev1.Affinity{}
	}
	if pod.Spec.Affinity.PodAffinity == nil {
		pod.Spec.Affinity.PodAffinity = &corev1.PodAffinity{}
	}
	affinity := pod.Spec.Affinity.PodAffinity
	affinity.RequiredDuringSchedulingIgnoredDuringExecution = append(affinity.RequiredDuringSchedulingIgnoredDuringExecution,
		corev1.PodAffinityTerm{
			LabelSelector: assistantSelector(name),
			TopologyKey:   corev1.LabelHostname,
		})
}

func assistantSelector(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{
		"app.kubernetes.io/instance":  name,
		"app.kubernetes.io/component": "affinity-assistant",
	}}
}
