package pods

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// QOS returns the quality of service class of a Pod: Guaranteed when every
// container has equal requests and limits for cpu and memory, BestEffort when none
// has any, Burstable otherwise.
func QOS(spec *corev1.PodSpec) corev1.PodQOSClass {
	any, guaranteed := false, true
	names := [...]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory}
	look := func(r *corev1.ResourceRequirements) {
		for _, name := range names {
			request, limit := quantity(r.Requests, name), quantity(r.Limits, name)
			if !request.IsZero() || !limit.IsZero() {
				any = true
			}
			if limit.IsZero() || !request.IsZero() && request.Cmp(limit) != 0 {
				guaranteed = false
			}
		}
	}
	if spec.Resources != nil {
		look(spec.Resources)
	} else {
		Containers(spec, func(c *corev1.Container) { look(&c.Resources) })
	}
	switch {
	case !any:
		return corev1.PodQOSBestEffort
	case guaranteed:
		return corev1.PodQOSGuaranteed
	default:
		return corev1.PodQOSBurstable
	}
}

func quantity(list corev1.ResourceList, name corev1.ResourceName) resource.Quantity {
	return list[name]
}
