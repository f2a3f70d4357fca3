package apiserver

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Priorities of the classes that exist in every cluster.
const (
	systemClusterCritical = "system-cluster-critical"
	systemNodeCritical    = "system-node-critical"
	clusterCriticalValue  = int32(2_000_000_000)
	nodeCriticalValue     = clusterCriticalValue + 1000
)

// priorities is the admission plugin Priority.
type priorities struct{ s *Server }

func (p priorities) Admit(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	value, policy := int32(0), corev1.PreemptLowerPriority
	gvk := schedulingv1.SchemeGroupVersion.WithKind("PriorityClass")
	switch name := pod.Spec.PriorityClassName; name {
	case "":
		p.s.Each(gvk, "", func(o client.Object) bool {
			if class, ok := o.(*schedulingv1.PriorityClass); ok && class.GlobalDefault {
				pod.Spec.PriorityClassName, value = class.Name, class.Value
				if class.PreemptionPolicy != nil {
					policy = *class.PreemptionPolicy
				}
			}
			return true
		})
	case systemClusterCritical:
		value = clusterCriticalValue
	case systemNodeCritical:
		value = nodeCriticalValue
	default:
		class, ok := p.s.Shared(gvk, types.NamespacedName{Name: name}).(*schedulingv1.PriorityClass)
		if !ok {
			return fmt.Errorf("no PriorityClass with name %v was found", name)
		}
		value = class.Value
		if class.PreemptionPolicy != nil {
			policy = *class.PreemptionPolicy
		}
	}
	if given := pod.Spec.Priority; given != nil && *given != value {
		return fmt.Errorf("the integer value of priority (%d) must not be provided in pod spec; priority admission controller computed %d from the given PriorityClass name", *given, value)
	}
	pod.Spec.Priority = &value
	if given := pod.Spec.PreemptionPolicy; given != nil && *given != policy {
		return fmt.Errorf("the string value of PreemptionPolicy (%s) must not be provided in pod spec; priority admission controller computed %s from the given PriorityClass name", *given, policy)
	}
	pod.Spec.PreemptionPolicy = &policy
	return nil
}

// defaultTolerationSeconds is how long a Pod stays on a node that has trouble.
const defaultTolerationSeconds = int64(300)

// nodeTroubles is the admission plugin DefaultTolerationSeconds.
type nodeTroubles struct{}

func (nodeTroubles) Admit(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	for _, key := range []string{corev1.TaintNodeNotReady, corev1.TaintNodeUnreachable} {
		tolerated := slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool {
			return (t.Key == key || t.Key == "") && (t.Effect == corev1.TaintEffectNoExecute || t.Effect == "")
		})
		if !tolerated {
			seconds := defaultTolerationSeconds
			pod.Spec.Tolerations = append(slices.Clip(pod.Spec.Tolerations), corev1.Toleration{
				Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: &seconds,
			})
		}
	}
	return nil
}
