package apiserver

import (
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// deletion is what a delete asks for.
type deletion struct {
	grace         *int64
	preconditions *metav1.Preconditions
	propagation   *metav1.DeletionPropagation
	dryRun        bool
}

func deletionFrom(o *client.DeleteOptions) (deletion, error) {
	d := deletion{grace: o.GracePeriodSeconds, preconditions: o.Preconditions, propagation: o.PropagationPolicy}
	if raw := o.Raw; raw != nil {
		if d.grace == nil {
			d.grace = raw.GracePeriodSeconds
		}
		if d.preconditions == nil {
			d.preconditions = raw.Preconditions
		}
		if d.propagation == nil {
			d.propagation = raw.PropagationPolicy
		}
	}
	d.dryRun = len(o.DryRun) > 0
	all := metav1.DeleteOptions{DryRun: o.DryRun, PropagationPolicy: d.propagation}
	if o.Raw != nil {
		all.OrphanDependents = o.Raw.OrphanDependents //nolint:staticcheck // old clients still send it
	}
	if all.OrphanDependents != nil || len(all.DryRun) > 0 || d.propagation != nil { //nolint:staticcheck // see above
		if err := refuseOptions("DeleteOptions", metavalidation.ValidateDeleteOptions(&all)); err != nil {
			return d, err
		}
	}
	if orphan := all.OrphanDependents; orphan != nil { //nolint:staticcheck // see above
		policy := metav1.DeletePropagationBackground
		if *orphan {
			policy = metav1.DeletePropagationOrphan
		}
		d.propagation = &policy
	}
	return d, nil
}

// delete begins or completes the deletion of an object, as far as its grace period
// and its finalizers let it.
func (s *Server) delete(c *Call, r *resource, key client.ObjectKey, d deletion) error {
	r = r.stored()
	e := r.table.get(key)
	if e == nil {
		return r.notFound(key.Name)
	}
	old := e.object()
	req := &Request{Call: c, Operation: OperationDelete, OldObject: old, resource: r}
	if _, err := s.admit(req); err != nil {
		return err
	}
	if err := s.validateAdmission(req); err != nil {
		return err
	}
	if err := r.checkPreconditions(old, d.preconditions); err != nil {
		return err
	}
	if r.strategy.undeletable != nil {
		if err := r.strategy.undeletable(r, old); err != nil {
			return err
		}
	}
	if d.dryRun {
		return nil
	}
	if r.strategy.deleting != nil {
		if done, err := r.strategy.deleting(s, c, r, old); done || err != nil {
			return err
		}
	}
	finalizers := finalizersFor(old, d.propagation)
	marked := old.GetDeletionTimestamp() != nil
	var change func(client.Object)
	grace := int64(0)
	switch {
	case r.strategy.grace == nil:
		if len(finalizers) == 0 {
			s.remove(c, r, key)
			return nil
		}
		if marked && old.GetDeletionGracePeriodSeconds() != nil && *old.GetDeletionGracePeriodSeconds() == 0 && slices.Equal(finalizers, old.GetFinalizers()) {
			return nil
		}
		change = func(obj client.Object) { s.mark(obj, 0) }
	case marked && old.GetDeletionGracePeriodSeconds() != nil:
		// Being deleted already: the grace period may only become shorter.
		had := *old.GetDeletionGracePeriodSeconds()
		if d.grace == nil || r.shorterGrace(old, *d.grace) >= had {
			if had == 0 && len(old.GetFinalizers()) == 0 {
				s.remove(c, r, key)
			}
			return nil
		}
		grace = r.shorterGrace(old, *d.grace)
		begun := old.GetDeletionTimestamp().Add(-time.Duration(had) * time.Second)
		change = func(obj client.Object) {
			obj.SetDeletionTimestamp(timePointer(metav1.NewTime(begun.Add(time.Duration(grace) * time.Second))))
			obj.SetDeletionGracePeriodSeconds(&grace)
		}
	default:
		grace = r.strategy.grace(old, d.grace)
		change = func(obj client.Object) { s.mark(obj, grace) }
	}
	s.edit(c, r, key, func(obj client.Object) {
		change(obj)
		if !slices.Equal(finalizers, obj.GetFinalizers()) {
			obj.SetFinalizers(finalizers)
		}
	})
	if len(finalizers) == 0 && grace == 0 {
		s.remove(c, r, key)
	}
	return nil
}

// shorterGrace is the grace period that a second deletion asks for. Only the first
// one is put to the kind's own rules.
func (r *resource) shorterGrace(_ client.Object, asked int64) int64 { return max(asked, 0) }

// mark begins a deletion.
func (s *Server) mark(obj client.Object, grace int64) {
	due := metav1.NewTime(s.now().Add(time.Duration(grace) * time.Second))
	if at := obj.GetDeletionTimestamp(); at == nil && obj.GetGeneration() > 0 {
		obj.SetGeneration(obj.GetGeneration() + 1)
	}
	if at := obj.GetDeletionTimestamp(); at == nil || at.After(due.Time) {
		obj.SetDeletionTimestamp(&due)
	}
	obj.SetDeletionGracePeriodSeconds(&grace)
}

// finalizersFor returns the finalizers that an object has once its deletion was
// asked for: the propagation policy is one, until the garbage collector has done
// it.
func finalizersFor(obj client.Object, p *metav1.DeletionPropagation) []string {
	out := slices.Clone(obj.GetFinalizers())
	if p == nil {
		return out
	}
	out = withoutFinalizer(withoutFinalizer(out, metav1.FinalizerOrphanDependents), metav1.FinalizerDeleteDependents)
	switch *p {
	case metav1.DeletePropagationForeground:
		out = append(out, metav1.FinalizerDeleteDependents)
	case metav1.DeletePropagationOrphan:
		out = append(out, metav1.FinalizerOrphanDependents)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (r *resource) checkPreconditions(obj client.Object, p *metav1.Preconditions) error {
	if p == nil {
		return nil
	}
	if p.UID != nil && *p.UID != obj.GetUID() {
		return r.preconditionConflict(obj.GetName(), fmt.Sprintf(
			"the UID in the precondition (%s) does not match the UID in record (%s). The object might have been deleted and then recreated", *p.UID, obj.GetUID()))
	}
	if p.ResourceVersion != nil && *p.ResourceVersion != obj.GetResourceVersion() {
		return r.preconditionConflict(obj.GetName(), fmt.Sprintf(
			"the ResourceVersion in the precondition (%s) does not match the ResourceVersion in record (%s). The object might have been modified", *p.ResourceVersion, obj.GetResourceVersion()))
	}
	return nil
}
