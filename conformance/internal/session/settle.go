package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance/invariant"
)

// How long a disturbed fixture is left alone on virtual time.
const (
	// troubled is how long faults may strike behind the last action.
	troubled = 10 * time.Minute
	// outage is longer than any fault that is drawn lasts.
	outage = 5 * time.Minute
	// aftermath is how long runs that are over are watched for writes.
	aftermath = 30 * time.Minute
)

// disturb plays a fixture under faults that may change what it expects: its actions
// are tried, its checks left out, and what holds of every run is judged.
func (s *Session) disturb(ctx context.Context) error {
	for i := range max(len(s.fixture.Spec.When), 1) {
		err := s.actAt(ctx, i)
		switch {
		case s.watch.broken():
			return s.watch.violated()
		case ctx.Err() != nil:
			return err
		}
		// What else went wrong may be a fault's doing. If the world is broken, it is so in what follows, too.
	}
	return s.settle(ctx)
}

// actAt does one action, or what a fixture without actions does.
func (s *Session) actAt(ctx context.Context, i int) error {
	if len(s.fixture.Spec.When) == 0 {
		return s.actions.act(ctx)
	}
	a := &s.fixture.Spec.When[i]
	err := s.actions.do(ctx, a, fmt.Sprintf("spec.when[%d].%s", i, a.Verb()))
	s.actions.last = s.cluster.Now()
	return err
}

// settle lets what must come to an end do so, on virtual time, and asks whether it
// has. A fixture that leaves runs under way asks nothing of them, unless it is
// disturbed: then they have to come to their end.
func (s *Session) settle(ctx context.Context) error {
	if s.watch.sightings != nil {
		if err := s.catchUp(ctx); err != nil {
			return err
		}
		s.watch.sightings.Tell(s.watch.monitor.Saw)
	}
	if !s.waits.pace.virtual() {
		return s.watch.violated()
	}
	disturbed := s.waits.pace == Disturbed
	s.waits.pace = Virtual // its actions are done
	user, faulty := s.cluster.(FaultUser)
	if disturbed {
		if err := s.waits.until(ctx, troubled, s.watch.monitor.Done); err != nil {
			return err
		}
	}
	if faulty && (disturbed || len(s.fixture.Spec.Faults) > 0) {
		user.StopFaults()
		if err := s.waits.until(ctx, outage, s.watch.monitor.Settled); err != nil {
			return err
		}
		s.watch.monitor.Disturbed()
	}
	if disturbed {
		if at, bounded := s.watch.monitor.Deadline(); bounded {
			if err := s.waits.until(ctx, at.Sub(s.cluster.Now())+time.Second, s.watch.monitor.Done); err != nil {
				return err
			}
		}
	}
	if s.watch.monitor.Done() || s.watch.monitor.Orphans() {
		if err := s.waits.until(ctx, invariant.Grace+time.Second, s.watch.monitor.Settled); err != nil {
			return err
		}
	}
	if disturbed && s.o.Visited {
		if err := s.tidy(ctx); err != nil {
			return err
		}
	}
	if disturbed {
		if err := s.waits.until(ctx, aftermath, func() bool { return false }); err != nil {
			return err
		}
	}
	s.watch.monitor.Finish()
	if err := s.watch.violated(); err != nil {
		return err
	}
	s.evidence = append(s.evidence, s.watch.noted()...)
	return nil
}

// later is when a user comes back to runs that are over.
const later = 3 * time.Hour

// tidy does what users do to runs that have long been over: it deletes their Pods, and puts a label on them. Nothing of a run
// may change for it. What cannot be done is not the implementation's fault.
func (s *Session) tidy(ctx context.Context) error {
	if !s.watch.monitor.Done() {
		return nil
	}
	if err := s.waits.until(ctx, later, func() bool { return false }); err != nil {
		return err
	}
	c := s.cluster.Client()
	body := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"`+invariant.VisitorPrefix+`late":"yes"}}}`))
	must, may := s.seen.Watched()
	for _, kind := range slices.Concat(must, may) {
		if !kind.Judged() {
			continue
		}
		for _, namespace := range s.seen.Namespaces {
			list := &unstructured.UnstructuredList{}
			list.SetAPIVersion(kind.APIVersion())
			list.SetKind(kind.Kind + "List")
			if err := c.List(ctx, list, client.InNamespace(namespace)); err != nil {
				return fmt.Errorf("listing %s: %w", kind.Kind, err)
			}
			for i := range list.Items {
				if kind.Run != nil {
					_ = c.Patch(ctx, &list.Items[i], body)
				} else {
					_ = c.Delete(ctx, &list.Items[i])
				}
			}
		}
	}
	return nil
}

// catchUp waits until the watches have shown the present state.
func (s *Session) catchUp(ctx context.Context) error {
	must, may := s.seen.Watched()
	for _, kind := range slices.Concat(must, may) {
		if !kind.Judged() {
			continue
		}
		list := &unstructured.UnstructuredList{}
		for _, namespace := range s.seen.Namespaces {
			some := &unstructured.UnstructuredList{}
			some.SetAPIVersion(kind.APIVersion())
			some.SetKind(kind.Kind + "List")
			if err := s.cluster.Client().List(ctx, some, client.InNamespace(namespace)); err != nil {
				return fmt.Errorf("listing %s: %w", kind.Kind, err)
			}
			list.Items = append(list.Items, some.Items...)
		}
		ok, err := s.waits.wait(ctx, DefaultBudget, func() bool {
			return !slices.ContainsFunc(list.Items, func(o unstructured.Unstructured) bool { return !s.watch.sightings.Reached(&o) })
		})
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("the watch of %s is behind by more than %v", kind.Kind, DefaultBudget)
		}
	}
	return nil
}
