package podspec

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// limited are the resources whose defaults are shared among the Steps.
var limited = [...]corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage}

// limitRequests gives Steps that request nothing their share of the namespace's default request. Kubernetes would give
// each the whole default, although they run one after the other; but less than the minimum it would refuse (POD-55…60).
func limitRequests(pod *corev1.Pod, steps int, ranges []corev1.LimitRange) {
	defaults := defaultRequests(ranges, steps)
	if len(defaults) == 0 {
		return
	}
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if !strings.HasPrefix(c.Name, v1beta1.StepContainerPrefix) {
			continue
		}
		if c.Resources.Requests == nil {
			c.Resources.Requests = corev1.ResourceList{}
		}
		for name, q := range defaults {
			if own := c.Resources.Requests[name]; !own.IsZero() {
				continue
			}
			if limit, ok := c.Resources.Limits[name]; ok && limit.Cmp(q) < 0 {
				q = limit // a request above the Step's own limit would be refused
			}
			c.Resources.Requests[name] = q
		}
	}
}

// defaultRequests are what one of n Steps requests if it does not say.
func defaultRequests(ranges []corev1.LimitRange, n int) corev1.ResourceList {
	defaults := corev1.ResourceList{}
	for _, name := range limited {
		minimum, request := strictest(ranges, name)
		q := share(name, request, n)
		if q.Cmp(minimum) < 0 {
			q = minimum
		}
		if !q.IsZero() {
			defaults[name] = q
		}
	}
	return defaults
}

// strictest is the largest minimum and the smallest default request of all ranges (POD-59).
func strictest(ranges []corev1.LimitRange, name corev1.ResourceName) (minimum, request resource.Quantity) {
	for _, r := range ranges {
		for _, item := range r.Spec.Limits {
			if item.Type != corev1.LimitTypeContainer {
				continue
			}
			if q := item.Min[name]; q.Cmp(minimum) > 0 {
				minimum = q
			}
			if q := item.DefaultRequest[name]; !q.IsZero() && (request.IsZero() || q.Cmp(request) < 0) {
				request = q
			}
		}
	}
	return minimum, request
}
