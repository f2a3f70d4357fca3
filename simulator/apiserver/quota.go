package apiserver

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/api/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// countPods is the generic name of the number of Pods in a quota.
const countPods = corev1.ResourceName("count/pods")

// quotaController is who writes the status of quotas.
const quotaController = "resourcequota-controller"

func quotaStrategy() strategy {
	return strategy{
		name: validation.NameIsDNSSubdomain,
		committed: func(s *Server, _ *resource, ch Change) {
			if ch.Actor != quotaController && ch.New != nil {
				s.later(func() { s.recountQuotas(ch.New.GetNamespace()) })
			}
		},
	}
}

// podChanged has the quotas of a Pod's namespace recounted, as the quota controller
// would do it a little later.
func (s *Server) podChanged(ch Change) {
	ns := ch.Object().GetNamespace()
	any := false
	s.Each(quotaGVK, ns, func(client.Object) bool {
		any = true
		return false
	})
	if !any {
		return
	}
	if old, ok := ch.Old.(*corev1.Pod); ok && ch.New != nil && pods.Terminal(old) == pods.Terminal(ch.New.(*corev1.Pod)) {
		return
	}
	s.later(func() { s.recountQuotas(ns) })
}

var quotaGVK = corev1.SchemeGroupVersion.WithKind("ResourceQuota")

// recountQuotas writes the status of every quota of a namespace that has changed.
func (s *Server) recountQuotas(ns string) {
	r := s.resources.byGVK[quotaGVK]
	var quotas []*corev1.ResourceQuota
	s.Each(quotaGVK, ns, func(o client.Object) bool {
		if q, ok := o.(*corev1.ResourceQuota); ok {
			quotas = append(quotas, q)
		}
		return true
	})
	for _, q := range quotas {
		used := s.quotaUsed(q)
		if sameQuantities(q.Status.Hard, q.Spec.Hard) && sameQuantities(q.Status.Used, used) {
			continue
		}
		c := &Call{Actor: quotaController, Verb: Update, GVK: quotaGVK, Resource: r.gr, Subresource: SubresourceStatus, Namespace: ns, Name: q.Name}
		s.edit(c, r, client.ObjectKeyFromObject(q), func(o client.Object) {
			o.(*corev1.ResourceQuota).Status = corev1.ResourceQuotaStatus{Hard: q.Spec.Hard, Used: used}
		})
	}
}

func sameQuantities(a, b corev1.ResourceList) bool {
	return maps.EqualFunc(a, b, func(x, y quantity.Quantity) bool { return x.Cmp(y) == 0 })
}

// quotaUsed counts what the Pods of a quota's namespace use of what it limits.
func (s *Server) quotaUsed(q *corev1.ResourceQuota) corev1.ResourceList {
	return QuotaUsed(q, func(yield func(*corev1.Pod) bool) {
		s.Each(corev1.SchemeGroupVersion.WithKind("Pod"), q.Namespace, func(o client.Object) bool {
			pod, ok := o.(*corev1.Pod)
			return !ok || yield(pod)
		})
	})
}

// QuotaUsed counts what Pods use of what a quota limits.
func QuotaUsed(q *corev1.ResourceQuota, pods iter.Seq[*corev1.Pod]) corev1.ResourceList {
	used := corev1.ResourceList{}
	for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
		used[name] = quantity.Quantity{Format: q.Spec.Hard[name].Format}
	}
	for pod := range pods {
		if !quotaApplies(q, pod) {
			continue
		}
		usage := podUsage(pod)
		for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
			if n, ok := usage[name]; ok {
				sum := used[name]
				sum.Add(n)
				used[name] = sum
			}
		}
	}
	return used
}

// podUsage is what one Pod counts for. A Pod that has ended counts only as an
// object.
func podUsage(pod *corev1.Pod) corev1.ResourceList {
	one := *quantity.NewQuantity(1, quantity.DecimalSI)
	usage := corev1.ResourceList{countPods: one}
	if pods.Terminal(pod) {
		return usage
	}
	usage[corev1.ResourcePods] = one
	requests, limits := pods.Requests(&pod.Spec)
	for _, name := range slices.Sorted(maps.Keys(requests)) {
		usage[corev1.ResourceName("requests."+string(name))] = requests[name]
		switch name {
		case corev1.ResourceCPU, corev1.ResourceMemory, corev1.ResourceEphemeralStorage:
			usage[name] = requests[name]
		}
	}
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		usage[corev1.ResourceName("limits."+string(name))] = limits[name]
	}
	return usage
}

// quotaApplies reports whether a Pod is within the scopes of a quota.
func quotaApplies(q *corev1.ResourceQuota, pod *corev1.Pod) bool {
	for _, scope := range q.Spec.Scopes {
		bestEffort := pods.QOS(&pod.Spec) == corev1.PodQOSBestEffort
		terminating := pod.Spec.ActiveDeadlineSeconds != nil
		switch scope {
		case corev1.ResourceQuotaScopeBestEffort:
			if !bestEffort {
				return false
			}
		case corev1.ResourceQuotaScopeNotBestEffort:
			if bestEffort {
				return false
			}
		case corev1.ResourceQuotaScopeTerminating:
			if !terminating {
				return false
			}
		case corev1.ResourceQuotaScopeNotTerminating:
			if terminating {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// quotas is the admission plugin ResourceQuota, as far as Pods meet it.
type quotas struct{ s *Server }

// Validate refuses what would exceed a quota.
func (a quotas) Validate(req *Request) error {
	pod := newPod(req)
	if pod == nil {
		return nil
	}
	var err error
	var usage corev1.ResourceList
	a.s.Each(quotaGVK, pod.Namespace, func(o client.Object) bool {
		q, ok := o.(*corev1.ResourceQuota)
		if !ok || !quotaApplies(q, pod) {
			return true
		}
		if missing := unspecified(q, pod); missing != "" {
			err = fmt.Errorf("failed quota: %s: must specify %s", q.Name, missing)
			return false
		}
		if usage == nil {
			usage = podUsage(pod)
		}
		used := a.s.quotaUsed(q)
		var over []corev1.ResourceName
		for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
			want, ok := usage[name]
			if !ok {
				continue
			}
			sum := used[name].DeepCopy()
			sum.Add(want)
			if sum.Cmp(q.Spec.Hard[name]) > 0 {
				over = append(over, name)
			}
		}
		if len(over) > 0 {
			err = fmt.Errorf("exceeded quota: %s, requested: %s, used: %s, limited: %s", q.Name,
				listQuantities(over, usage), listQuantities(over, used), listQuantities(over, q.Spec.Hard))
			return false
		}
		return true
	})
	return err
}

func listQuantities(names []corev1.ResourceName, of corev1.ResourceList) string {
	parts := make([]string, len(names))
	for i, name := range names {
		q := of[name]
		parts[i] = string(name) + "=" + q.String()
	}
	return strings.Join(parts, ",")
}

// unspecified lists the compute resources that a quota limits and containers of a
// Pod do not mention.
func unspecified(q *corev1.ResourceQuota, pod *corev1.Pod) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
		plain, limit := string(name), false
		if after, ok := strings.CutPrefix(plain, "limits."); ok {
			plain, limit = after, true
		}
		plain = strings.TrimPrefix(plain, "requests.")
		if plain != string(corev1.ResourceCPU) && plain != string(corev1.ResourceMemory) {
			continue
		}
		var without []string
		pods.Containers(&pod.Spec, func(c *corev1.Container) {
			list := c.Resources.Requests
			if limit {
				list = c.Resources.Limits
			}
			if _, ok := list[corev1.ResourceName(plain)]; !ok {
				without = append(without, c.Name)
			}
		})
		if len(without) > 0 {
			slices.Sort(without)
			parts = append(parts, string(name)+" for: "+strings.Join(without, ","))
		}
	}
	return strings.Join(parts, "; ")
}
