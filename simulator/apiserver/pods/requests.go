package pods

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Requests returns what a Pod as a whole asks for and may use: the sum over its
// containers and sidecars, or the largest init container together with the
// sidecars begun before it, whichever is more; and its overhead.
func Requests(spec *corev1.PodSpec) (requests, limits corev1.ResourceList) {
	return total(spec, func(r *corev1.ResourceRequirements) corev1.ResourceList { return r.Requests }),
		total(spec, func(r *corev1.ResourceRequirements) corev1.ResourceList { return r.Limits })
}

func total(spec *corev1.PodSpec, of func(*corev1.ResourceRequirements) corev1.ResourceList) corev1.ResourceList {
	sum := corev1.ResourceList{}
	for i := range spec.Containers {
		add(sum, of(&spec.Containers[i].Resources))
	}
	sidecars, peak := corev1.ResourceList{}, corev1.ResourceList{}
	for i := range spec.InitContainers {
		c := &spec.InitContainers[i]
		if Sidecar(c) {
			add(sidecars, of(&c.Resources))
			atLeast(peak, sidecars)
			continue
		}
		during := maps.Clone(sidecars)
		add(during, of(&c.Resources))
		atLeast(peak, during)
	}
	add(sum, sidecars)
	atLeast(sum, peak)
	add(sum, spec.Overhead)
	if spec.Resources != nil {
		maps.Copy(sum, of(spec.Resources))
	}
	return sum
}

func add(into, more corev1.ResourceList) {
	for _, name := range slices.Sorted(maps.Keys(more)) {
		q, ok := into[name]
		if !ok {
			into[name] = more[name].DeepCopy()
			continue
		}
		q.Add(more[name])
		into[name] = q
	}
}

func atLeast(into, other corev1.ResourceList) {
	for _, name := range slices.Sorted(maps.Keys(other)) {
		q := other[name]
		if have, ok := into[name]; !ok || q.Cmp(have) > 0 {
			into[name] = q.DeepCopy()
		}
	}
}
