package podspec

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// overrideSteps lays the run's requirements over those of the Steps of the same names, resource by resource, requests
// apart from limits (POD-52). Whether requests and limits still agree is for Kubernetes to judge.
func overrideSteps(steps []v1beta1.Step, overrides []v1beta1.TaskRunStepOverride) {
	for _, o := range overrides {
		for i := range steps {
			if steps[i].Name == o.Name {
				steps[i].Resources = mergeResources(steps[i].Resources, *o.Resources.DeepCopy())
			}
		}
	}
}

func overrideSidecars(sidecars []v1beta1.Sidecar, overrides []v1beta1.TaskRunSidecarOverride) {
	for _, o := range overrides {
		for i := range sidecars {
			if sidecars[i].Name == o.Name {
				sidecars[i].Resources = mergeResources(sidecars[i].Resources, *o.Resources.DeepCopy())
			}
		}
	}
}

// shareResources spreads the requirements of the whole Task over its Steps: every Step may use all of the limit, since
// they run one after the other, but Kubernetes adds up their requests, so each requests its share (POD-53).
func shareResources(steps []v1beta1.Step, whole *corev1.ResourceRequirements) {
	if whole == nil || len(whole.Requests) == 0 && len(whole.Limits) == 0 {
		return
	}
	for i := range steps {
		own := &steps[i].Resources
		switch {
		case len(whole.Requests) > 0:
			own.Requests = divide(whole.Requests, len(steps))
		case len(own.Requests) == 0:
			own.Requests = divide(whole.Limits, len(steps))
		default:
			own.Requests = nil
		}
		own.Limits = whole.Limits.DeepCopy()
	}
}

func divide(list corev1.ResourceList, n int) corev1.ResourceList {
	shares := make(corev1.ResourceList, len(list))
	for name, q := range list {
		shares[name] = share(name, q, n)
	}
	return shares
}

// share is an nth of a quantity in the unit that its resource is counted in: millicores, and bytes or pieces of all else.
// It is rounded down, so that the shares are not more than the whole.
func share(name corev1.ResourceName, q resource.Quantity, n int) resource.Quantity {
	if name == corev1.ResourceCPU {
		return *resource.NewMilliQuantity(q.MilliValue()/int64(n), q.Format)
	}
	return *resource.NewQuantity(q.Value()/int64(n), q.Format)
}
