package fake

import (
	"errors"
	"fmt"
	"runtime/debug"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// The implementation runs in this process, and each of its parts may panic: reconcilers (process.go), predicates and maps
// of watches, and webhooks; the launcher of package reference
// does the same for itself. What panics is the implementation's fault, not the suite's, and
// every wait on the cluster ends with it.

// fail records the first thing that the implementation did wrong as a whole.
func (c *Cluster) fail(err *conformance.ImplementationError) {
	if c.failed == nil {
		c.failed = err
	}
}

// caught records a panic of a part of the implementation. It is to be deferred.
func (c *Cluster) caught(part string) {
	if v := recover(); v != nil {
		c.fail(conformance.Crash(part, v, debug.Stack()))
	}
}

// making calls a constructor of the subject; a panic in it is an error of the subject.
func making[T any](part string, make func() (T, error)) (made T, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = conformance.Crash(part, v, debug.Stack())
		}
	}()
	if made, err = make(); err != nil {
		err = &conformance.ImplementationError{Err: fmt.Errorf("%s: %w", part, err)}
	}
	return made, err
}

// exhausted is the error of a wait that ran out of events. If one in ten was a reconcile, it is the implementation that never
// rests; else it is the simulation, which says nothing about the implementation.
func (c *Cluster) exhausted(err *kernel.BudgetError, reconciles uint64) error {
	if reconciles < err.Steps/10 {
		return err
	}
	return &conformance.ImplementationError{Err: fmt.Errorf("the implementation never rests: %d reconciles; %w", reconciles, err)}
}

// watchedPredicates are the subject's predicates; after a panic they let nothing pass.
func (c *Cluster) watchedPredicates(name string, list []predicate.Predicate) []predicate.Predicate {
	part := "a predicate of " + name
	out := make([]predicate.Predicate, len(list))
	for i, p := range list {
		out[i] = predicate.Funcs{
			CreateFunc:  func(e event.CreateEvent) bool { defer c.caught(part); return p.Create(e) },
			UpdateFunc:  func(e event.UpdateEvent) bool { defer c.caught(part); return p.Update(e) },
			DeleteFunc:  func(e event.DeleteEvent) bool { defer c.caught(part); return p.Delete(e) },
			GenericFunc: func(e event.GenericEvent) bool { defer c.caught(part); return p.Generic(e) },
		}
	}
	return out
}

// watchedMaps are the subject's watches; after a panic they wake nothing.
func (c *Cluster) watchedMaps(name string, list []controller.Watch) []controller.Watch {
	out := make([]controller.Watch, len(list))
	for i, w := range list {
		out[i] = w
		out[i].Predicates = c.watchedPredicates(name, w.Predicates)
		out[i].Map = func(o client.Object) []reconcile.Request {
			defer c.caught("the map of a watch of " + name)
			return w.Map(o)
		}
	}
	return out
}

// watchedAdmission is a webhook of the implementation. If it panics the API server answers as it does for a webhook that
// hangs up.
type watchedAdmission struct {
	apiserver.Admission
	c *Cluster
}

var (
	_ apiserver.Validator = (*watchedAdmission)(nil)
	_ apiserver.Selective = (*watchedAdmission)(nil)
)

// crashedWebhook is the API server's answer, by which the engine knows whose fault it is.
type crashedWebhook struct {
	*apierrors.StatusError
	own *conformance.ImplementationError
}

// Unwrap returns what the webhook did.
func (e *crashedWebhook) Unwrap() error { return e.own }

// Selects implements apiserver.Selective.
func (w *watchedAdmission) Selects(gvk schema.GroupVersionKind, subresource string) bool {
	s, ok := w.Admission.(apiserver.Selective)
	return !ok || s.Selects(gvk, subresource)
}

// Admit implements apiserver.Admission.
func (w *watchedAdmission) Admit(r *apiserver.Request) (err error) {
	defer w.caught(&err)
	return w.Admission.Admit(r)
}

// Validate implements apiserver.Validator.
func (w *watchedAdmission) Validate(r *apiserver.Request) (err error) {
	defer w.caught(&err)
	if v, ok := w.Admission.(apiserver.Validator); ok {
		return v.Validate(r)
	}
	return nil
}

func (w *watchedAdmission) caught(err *error) {
	if v := recover(); v != nil {
		own := conformance.Crash("a webhook of the implementation", v, debug.Stack())
		w.c.fail(own)
		*err = &crashedWebhook{apierrors.NewInternalError(errors.New("failed calling webhook: EOF")), own}
	}
}

// watched puts the webhooks under watch, unless they only stand in for those that the subject does not have.
func (c *Cluster) watched(s *subject.Subject, list []apiserver.Admission) []apiserver.Admission {
	if !s.Trusted && s.Admission == nil {
		return list
	}
	out := make([]apiserver.Admission, len(list))
	for i, a := range list {
		out[i] = &watchedAdmission{a, c}
	}
	return out
}
