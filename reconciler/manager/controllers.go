//plumbline:adapter it runs reconcilers on the machine's goroutines

package manager

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	ctrl "sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/tenancy"
)

// addController has a reconciler run and measured by a Manager, for tenants alone.
func addController(m ctrl.Manager, c *reconciler.Controller, deps reconciler.Deps, metrics prometheus.Registerer, workers int) error {
	deps.Recorder = m.GetEventRecorderFor(c.EventSource) //nolint:staticcheck // Tekton's events are of core/v1
	if c.Metrics != nil {
		if err := addMetrics(m, c, metrics); err != nil {
			return err
		}
	}
	of, err := object(m.GetScheme(), c.For)
	if err != nil {
		return err
	}
	b := builder.ControllerManagedBy(m).Named(c.Name).For(of, builder.WithPredicates(c.Predicates...)).
		WithOptions(controller.Options{MaxConcurrentReconciles: max(workers, 1)})
	for _, o := range c.Owns {
		owned, err := object(m.GetScheme(), o.Kind)
		if err != nil {
			return err
		}
		b = b.Owns(owned, builder.WithPredicates(o.Predicates...))
	}
	for _, w := range c.Watches {
		watched, err := object(m.GetScheme(), w.Kind)
		if err != nil {
			return err
		}
		b = b.Watches(watched, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request { return w.Map(o) }))
	}
	return b.Complete(&tenancy.Gate{
		Reconciler: c.New(deps), Right: c.Needs.Tenancy, Rights: tenancy.Asking{Client: m.GetClient()}, Now: time.Now,
	})
}

// object returns an empty object of a kind.
func object(scheme *runtime.Scheme, gvk schema.GroupVersionKind) (client.Object, error) {
	o, err := scheme.New(gvk)
	if err != nil {
		return nil, err
	}
	typed, ok := o.(client.Object)
	if !ok {
		return nil, fmt.Errorf("%s is not a kind of objects", gvk)
	}
	return typed, nil
}

// unwatched are the kinds that no cache may hold, because a controller has no right to watch them.
func unwatched(list []reconciler.Controller, scheme *runtime.Scheme) ([]client.Object, error) {
	var out []client.Object
	seen := map[schema.GroupVersionKind]bool{}
	for i := range list {
		for _, gvk := range list[i].Unwatched {
			if seen[gvk] {
				continue
			}
			seen[gvk] = true
			o, err := object(scheme, gvk)
			if err != nil {
				return nil, err
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// labelled narrows what is watched of owned kinds to the objects that have the label of their owner. A kind that is also
// watched without a label, or under two of them, is watched as a whole: a selector cannot say "or".
func labelled(list []reconciler.Controller, scheme *runtime.Scheme) (map[client.Object]cache.ByObject, error) {
	keys := map[schema.GroupVersionKind]string{}
	var order []schema.GroupVersionKind
	note := func(gvk schema.GroupVersionKind, label string) {
		if known, ok := keys[gvk]; !ok {
			keys[gvk] = label
			order = append(order, gvk)
		} else if known != label {
			keys[gvk] = ""
		}
	}
	for i := range list {
		note(list[i].For, "")
		for _, o := range list[i].Owns {
			note(o.Kind, o.Label)
		}
		for _, w := range list[i].Watches {
			note(w.Kind, "")
		}
	}
	out := map[client.Object]cache.ByObject{}
	for _, gvk := range order {
		if keys[gvk] == "" {
			continue
		}
		has, err := labels.NewRequirement(keys[gvk], selection.Exists, nil)
		if err != nil {
			return nil, err
		}
		o, err := object(scheme, gvk)
		if err != nil {
			return nil, err
		}
		out[o] = cache.ByObject{Label: labels.NewSelector().Add(*has)}
	}
	return out, nil
}
