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
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The generic names of the numbers of objects in a quota.
const (
	countPods   = corev1.ResourceName("count/pods")
	countClaims = corev1.ResourceName("count/persistentvolumeclaims")
)

// quotaController is who writes the status of quotas.
const quotaController = "resourcequota-controller"

func quotaStrategy() strategy {
	return strategy{
		name:     validation.NameIsDNSSubdomain,
		validate: validateQuota,
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
	if old, ok := ch.Old().(*corev1.Pod); ok && ch.New != nil && pods.Terminal(old) == pods.Terminal(ch.New.(*corev1.Pod)) {
		return
	}
	s.later(func() { s.recountQuotas(ns) })
}

// counted has the quotas of a namespace recounted, if there are any.
func (s *Server) counted(ns string) {
	s.Each(quotaGVK, ns, func(client.Object) bool {
		s.later(func() { s.recountQuotas(ns) })
		return false
	})
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

// quotaUsed counts what the objects of a quota's namespace use of what it limits.
func (s *Server) quotaUsed(q *corev1.ResourceQuota) corev1.ResourceList {
	return QuotaUsed(q, func(yield func(client.Object) bool) {
		more := true
		each := func(o client.Object) bool { more = yield(o); return more }
		s.Each(corev1.SchemeGroupVersion.WithKind("Pod"), q.Namespace, each)
		if more && limitsClaims(q) {
			s.Each(corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), q.Namespace, each)
		}
	})
}

// QuotaUsed counts what objects use of what a quota limits: Pods and PersistentVolumeClaims. Others count for nothing.
func QuotaUsed(q *corev1.ResourceQuota, objects iter.Seq[client.Object]) corev1.ResourceList {
	used := corev1.ResourceList{}
	for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
		used[name] = quantity.Quantity{Format: q.Spec.Hard[name].Format}
	}
	for o := range objects {
		usage := quotaUsage(q, o)
		if usage == nil {
			continue
		}
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

// quotaUsage is what an object counts for in a quota; nil if the quota does not cover it.
func quotaUsage(q *corev1.ResourceQuota, o client.Object) corev1.ResourceList {
	switch o := o.(type) {
	case *corev1.Pod:
		if quotaApplies(q, o) {
			return podUsage(o)
		}
	case *corev1.PersistentVolumeClaim:
		if len(q.Spec.Scopes) == 0 && limitsClaims(q) {
			return claimUsage(o)
		}
	}
	return nil
}

// classSuffix is between the name of a storage class and what a quota limits of its claims.
const classSuffix = ".storageclass.storage.k8s.io/"

// limitsClaims reports whether a quota says anything about claims.
func limitsClaims(q *corev1.ResourceQuota) bool {
	//plumbline:unordered whether there is one
	for name := range q.Spec.Hard {
		if isClaimResource(name) {
			return true
		}
	}
	return false
}

func isClaimResource(name corev1.ResourceName) bool {
	switch name {
	case corev1.ResourcePersistentVolumeClaims, corev1.ResourceRequestsStorage, countClaims:
		return true
	}
	return strings.Contains(string(name), classSuffix)
}

// claimUsage is what one claim counts for.
func claimUsage(c *corev1.PersistentVolumeClaim) corev1.ResourceList {
	one := *quantity.NewQuantity(1, quantity.DecimalSI)
	usage := corev1.ResourceList{countClaims: one, corev1.ResourcePersistentVolumeClaims: one}
	class := c.Annotations[corev1.BetaStorageClassAnnotation]
	if class == "" && c.Spec.StorageClassName != nil {
		class = *c.Spec.StorageClassName
	}
	of := func(name corev1.ResourceName) corev1.ResourceName {
		return corev1.ResourceName(class) + classSuffix + name
	}
	if class != "" {
		usage[of(corev1.ResourcePersistentVolumeClaims)] = one
	}
	if size, ok := c.Spec.Resources.Requests[corev1.ResourceStorage]; ok {
		usage[corev1.ResourceRequestsStorage] = size
		if class != "" {
			usage[of(corev1.ResourceRequestsStorage)] = size
		}
	}
	return usage
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

// validateQuota wants scopes, which are about Pods, in quotas of Pods alone.
func validateQuota(obj client.Object) field.ErrorList {
	q, ok := obj.(*corev1.ResourceQuota)
	if !ok || len(q.Spec.Scopes) == 0 {
		return nil
	}
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(q.Spec.Hard)) {
		switch name {
		case corev1.ResourcePersistentVolumeClaims, corev1.ResourceRequestsStorage, corev1.ResourceConfigMaps, corev1.ResourceSecrets,
			corev1.ResourceServices, corev1.ResourceServicesNodePorts, corev1.ResourceServicesLoadBalancers, corev1.ResourceQuotas,
			corev1.ResourceReplicationControllers:
			errs = append(errs, field.Invalid(field.NewPath("spec", "scopes"), q.Spec.Scopes, "unsupported scope applied to resource"))
		}
	}
	return errs
}

// quotas is the admission plugin ResourceQuota, as far as Pods and claims meet it.
type quotas struct{ s *Server }

// Validate refuses what would exceed a quota.
func (a quotas) Validate(req *Request) error {
	if req.Operation != OperationCreate || req.Subresource != "" {
		return nil
	}
	pod, isPod := req.Object.(*corev1.Pod)
	if _, isClaim := req.Object.(*corev1.PersistentVolumeClaim); !isPod && !isClaim {
		return nil
	}
	var err error
	a.s.Each(quotaGVK, req.Object.GetNamespace(), func(o client.Object) bool {
		q, ok := o.(*corev1.ResourceQuota)
		if !ok {
			return true
		}
		usage := quotaUsage(q, req.Object)
		if usage == nil {
			return true
		}
		if isPod {
			if missing := unspecified(q, pod); missing != "" {
				err = fmt.Errorf("failed quota: %s: must specify %s", q.Name, missing)
				return false
			}
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
