package pass

import (
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/plumbline-ci/plumbline/reconciler"
)

// Predicate returns which changes of runs have to be reconciled. Updates that only reflect a pass's own write of the status
// are filtered out, except those that need another pass: the end of the run, and what more says of the kind.
func Predicate[T reconciler.Run](more func(before, after T) bool) predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		old, now := e.ObjectOld, e.ObjectNew
		if old.GetGeneration() != now.GetGeneration() || old.GetUID() != now.GetUID() ||
			(old.GetDeletionTimestamp() == nil) != (now.GetDeletionTimestamp() == nil) ||
			!maps.Equal(old.GetLabels(), now.GetLabels()) || !maps.Equal(old.GetAnnotations(), now.GetAnnotations()) {
			return true
		}
		before, ok := old.(T)
		after, too := now.(T)
		if !ok || !too {
			return true
		}
		return before.CommonStatus().IsDone() != after.CommonStatus().IsDone() || more != nil && more(before, after)
	}}
}
