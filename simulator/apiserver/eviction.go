package apiserver

import (
	"fmt"
	"maps"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What an evicted Pod's condition says.
const (
	reasonEvicted  = "EvictionByEvictionAPI"
	messageEvicted = "Eviction API: evicting"
)

// retryBudget is in how many seconds a budget may have been looked at.
const retryBudget = 10

// budgetStrategy is that of PodDisruptionBudgets. Their status is a controller's to
// write, and this server has none: until a client writes it, a budget allows nothing.
func budgetStrategy() strategy {
	return strategy{
		name: validation.NameIsDNSSubdomain, generation: generationOfSpec, statusTakesMeta: true,
		validate:       validateBudget,
		validateUpdate: func(obj, _ client.Object) field.ErrorList { return validateBudget(obj) },
	}
}

func validateBudget(obj client.Object) field.ErrorList {
	b, ok := obj.(*policyv1.PodDisruptionBudget)
	if !ok {
		return nil
	}
	spec := field.NewPath("spec")
	var errs field.ErrorList
	if b.Spec.MinAvailable != nil && b.Spec.MaxUnavailable != nil {
		errs = append(errs, field.Invalid(spec, internalBudget(b.Spec), "minAvailable and maxUnavailable cannot be both set"))
	}
	for _, n := range []struct {
		name  string
		value *intstr.IntOrString
	}{{"minAvailable", b.Spec.MinAvailable}, {"maxUnavailable", b.Spec.MaxUnavailable}} {
		if n.value != nil && n.value.Type == intstr.Int && n.value.IntVal < 0 {
			errs = append(errs, field.Invalid(spec.Child(n.name), int64(n.value.IntVal), "must be greater than or equal to 0"))
		}
	}
	return append(errs, metavalidation.ValidateLabelSelector(b.Spec.Selector, metavalidation.LabelSelectorValidationOptions{}, spec.Child("selector"))...)
}

// internalBudget is a spec as messages show it: a server validates a type of its own,
// whose fields have no JSON names.
func internalBudget(s policyv1.PodDisruptionBudgetSpec) any {
	type selector struct {
		MatchLabels      map[string]string                 `json:",omitempty"`
		MatchExpressions []metav1.LabelSelectorRequirement `json:",omitempty"`
	}
	out := struct {
		MinAvailable               *intstr.IntOrString
		Selector                   *selector
		MaxUnavailable             *intstr.IntOrString
		UnhealthyPodEvictionPolicy *policyv1.UnhealthyPodEvictionPolicyType
	}{MinAvailable: s.MinAvailable, MaxUnavailable: s.MaxUnavailable, UnhealthyPodEvictionPolicy: s.UnhealthyPodEvictionPolicy}
	if s.Selector != nil {
		out.Selector = &selector{s.Selector.MatchLabels, s.Selector.MatchExpressions}
	}
	return out
}

// evictPod serves pods/eviction: a deletion that a disruption budget can refuse.
func evictPod(s *Server, c *Call, r *resource, key client.ObjectKey, body client.Object, o writeOptions) error {
	e := &policyv1.Eviction{}
	if err := bodyInto(body, e); err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("eviction takes an Eviction: %v", err))
	}
	if e.Name != "" && e.Name != key.Name {
		return apierrors.NewBadRequest("name in URL does not match name in Eviction object")
	}
	d := deletion{dryRun: o.dryRun}
	if opts := e.DeleteOptions; opts != nil {
		d.grace, d.preconditions, d.propagation = opts.GracePeriodSeconds, opts.Preconditions, opts.PropagationPolicy
		d.dryRun = d.dryRun || len(opts.DryRun) > 0
	}
	at := r.table.get(key)
	if at == nil {
		return r.notFound(key.Name)
	}
	pod, ok := at.object().(*corev1.Pod)
	if !ok {
		return noSubresource()
	}
	if err := s.budgeted(c, pod, d.dryRun); err != nil {
		return err
	}
	if err := r.checkPreconditions(pod, d.preconditions); err != nil {
		return err
	}
	if !d.dryRun {
		s.edit(c, r, key, func(obj client.Object) {
			p := obj.(*corev1.Pod)
			p.Status.Conditions = withCondition(p.Status.Conditions, corev1.PodCondition{
				Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reasonEvicted, Message: messageEvicted,
				LastTransitionTime: s.now(), ObservedGeneration: p.Generation,
			})
		})
		if p := d.preconditions; p != nil {
			d.preconditions = &metav1.Preconditions{UID: p.UID} // its version has just changed
		}
	}
	return s.delete(c, r, key, d)
}

// budgeted asks the budget of a Pod, and counts the eviction if it is allowed.
func (s *Server) budgeted(c *Call, pod *corev1.Pod, dryRun bool) error {
	if pods.Terminal(pod) || pod.Status.Phase == corev1.PodPending || pod.DeletionTimestamp != nil {
		return nil
	}
	r := s.resources.byGVK[policyv1.SchemeGroupVersion.WithKind("PodDisruptionBudget")]
	if r == nil {
		return nil
	}
	var found []*policyv1.PodDisruptionBudget
	r.table.each(pod.Namespace, "", func(e *entry) bool {
		if b, ok := e.object().(*policyv1.PodDisruptionBudget); ok {
			if selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector); err == nil && selector.Matches(labels.Set(pod.Labels)) {
				found = append(found, b)
			}
		}
		return true
	})
	switch len(found) {
	case 0:
		return nil
	case 1:
	default:
		return internal(fmt.Errorf("This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."))
	}
	b := found[0]
	if !ready(pod) {
		always := b.Spec.UnhealthyPodEvictionPolicy != nil && *b.Spec.UnhealthyPodEvictionPolicy == policyv1.AlwaysAllow
		if always || b.Status.CurrentHealthy >= b.Status.DesiredHealthy && b.Status.DesiredHealthy > 0 {
			return nil // it does not count towards the healthy ones
		}
	}
	if err := allows(b); err != nil || dryRun {
		return err
	}
	s.edit(c, r, client.ObjectKeyFromObject(b), func(obj client.Object) {
		st := &obj.(*policyv1.PodDisruptionBudget).Status
		st.DisruptionsAllowed--
		st.DisruptedPods = maps.Clone(st.DisruptedPods)
		if st.DisruptedPods == nil {
			st.DisruptedPods = map[string]metav1.Time{}
		}
		st.DisruptedPods[pod.Name] = s.now()
	})
	return nil
}

// allows returns what a budget has against one more disruption.
func allows(b *policyv1.PodDisruptionBudget) error {
	refuse := func(seconds int, format string, args ...any) error {
		err := apierrors.NewTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", seconds)
		err.ErrStatus.Details.Causes = append(err.ErrStatus.Details.Causes, metav1.StatusCause{Type: policyv1.DisruptionBudgetCause, Message: fmt.Sprintf(format, args...)})
		return err
	}
	st := &b.Status
	if st.ObservedGeneration < b.Generation {
		return refuse(retryBudget, "The disruption budget %s is still being processed by the server.", b.Name)
	}
	if st.DisruptionsAllowed > 0 {
		return nil
	}
	condition := meta.FindStatusCondition(st.Conditions, policyv1.DisruptionAllowedCondition)
	said := condition != nil && condition.Status == metav1.ConditionFalse && condition.Message != ""
	switch {
	case said && condition.Reason == policyv1.SyncFailedReason:
		return refuse(0, "The disruption budget %s does not allow evicting pods currently because it failed sync: %s", b.Name, condition.Message)
	case st.CurrentHealthy <= st.DesiredHealthy:
		return refuse(0, "The disruption budget %s needs %d healthy pods and has %d currently", b.Name, st.DesiredHealthy, st.CurrentHealthy)
	case said:
		return refuse(0, "The disruption budget %s does not allow evicting pods currently (%s): %s", b.Name, condition.Reason, condition.Message)
	}
	return refuse(0, "The disruption budget %s does not allow evicting pods currently", b.Name)
}

func ready(pod *corev1.Pod) bool {
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
