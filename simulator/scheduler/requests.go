package scheduler

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// amounts are quantities of resources: CPU in thousandths, everything else in
// units.
type amounts map[corev1.ResourceName]int64

func amountsOf(list corev1.ResourceList) amounts {
	if len(list) == 0 {
		return nil
	}
	out := make(amounts, len(list))
	for name, q := range list {
		switch name {
		case corev1.ResourcePods: // counted apart
		case corev1.ResourceCPU:
			out[name] = q.MilliValue()
		default:
			out[name] = q.Value()
		}
	}
	return out
}

func (a amounts) names() []corev1.ResourceName {
	if len(a) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(a))
}

func (a *amounts) add(b amounts) {
	if *a == nil && len(b) > 0 {
		*a = make(amounts, len(b))
	}
	for name, n := range b {
		(*a)[name] += n
	}
}

func (a *amounts) subtract(b amounts) {
	for name, n := range b {
		(*a)[name] -= n
	}
}

func (a *amounts) atLeast(b amounts) {
	if *a == nil && len(b) > 0 {
		*a = make(amounts, len(b))
	}
	for name, n := range b {
		(*a)[name] = max((*a)[name], n)
	}
}

// requests is what a Pod asks for: its containers together with its native
// sidecars, or more while an init container asks for more.
func requests(pod *corev1.Pod) amounts {
	var sum, sidecars, most amounts
	for i := range pod.Spec.Containers {
		sum.add(amountsOf(pod.Spec.Containers[i].Resources.Requests))
	}
	for i := range pod.Spec.InitContainers {
		c := &pod.Spec.InitContainers[i]
		asks := amountsOf(c.Resources.Requests)
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			sum.add(asks)
			sidecars.add(asks)
			asks = nil
		}
		var meanwhile amounts
		meanwhile.add(sidecars)
		meanwhile.add(asks)
		most.atLeast(meanwhile)
	}
	sum.atLeast(most)
	sum.add(amountsOf(pod.Spec.Overhead))
	return sum
}

// Admission returns the check that a kubelet makes of Pods that come to its node,
// some of which no scheduler has seen. It gives a reason and a message against a
// Pod, or nothing.
func (s *Scheduler) Admission(nodeName string) func(*corev1.Pod) (reason, message string) {
	return func(pod *corev1.Pod) (string, string) {
		n := s.nodes[nodeName]
		if n == nil || !n.known || s.o.Boundless {
			return "", ""
		}
		if !selects(pod, n.Node) {
			return "NodeAffinity", "Predicate NodeAffinity failed: " + messageAffinity
		}
		var used amounts
		used.add(n.used)
		if p, ok := s.placed[pod.UID]; ok {
			used.subtract(p.asks)
		}
		asks := requests(pod)
		for _, name := range asks.names() {
			if asks[name] > 0 && asks[name] > n.free[name]-used[name] {
				return "OutOf" + string(name), fmt.Sprintf("Node didn't have enough resource: %s, requested: %d, used: %d, capacity: %d",
					name, asks[name], used[name], n.free[name])
			}
		}
		return "", ""
	}
}
