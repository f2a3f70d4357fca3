// Package subject describes what the simulated targets judge: an implementation as a value. Package reference has the
// one of this repository.
//
//	subject.go   reconcilers and what wakes them, driven by the target
//	attached.go  an implementation that runs by itself
//	foreign.go   an implementation's own Go types
package subject

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/controller"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Deps is what a reconciler under test may use. A subject that uses nothing else of the world is repeatable. Images are the
// container images of the reference, which a subject may use as its own. Revision is empty.
type Deps = reconciler.Deps

// Subject is an implementation as a value. It is deterministic, a reconciler and which changes wake it, or attached:
// something that runs by itself.
type Subject struct {
	Name string
	// New makes a reconciler; a cluster makes one of its own.
	New func(Deps) (reconcile.Reconciler, error)
	// For is the kind that is reconciled; changes of kinds in Owns wake their controlling owner.
	For  schema.GroupVersionKind
	Owns []schema.GroupVersionKind
	// Predicates, if any, say which changes of the kind For count.
	Predicates []predicate.Predicate
	// Watches are kinds whose changes wake what Map returns.
	Watches []controller.Watch
	// EventSource is the component that events come from. If it is empty, that is the kind For.
	EventSource string
	// Unwatched are kinds that the process has no right to watch, and reads from the API server.
	Unwatched []schema.GroupVersionKind
	// Also are further reconcilers of the same process: they share its cache, and die with it.
	Also []Controller
	// SharedReads says that the reconciler changes nothing of what its Client reads, so that it need not be given copies
	// (UnsafeDisableDeepCopy of controller-runtime's cache).
	SharedReads bool
	// Admission are the implementation's own webhooks; nil means that the reference's defaulting and validation stand in
	// for them. It is called once for each cluster; config is the configuration as of now.
	Admission func(config func() config.Config) []apiserver.Admission
	// Scheme has the implementation's own Go types for the API's kinds; nil means those of this repository, or none
	// (*unstructured.Unstructured).
	Scheme *runtime.Scheme
	// Substituted are components, as fixture.ComponentController, that are not the subject's own, and are not judged.
	Substituted []string
	// Kinds are further kinds that its cluster serves, such as those of custom tasks.
	Kinds []apiserver.Kind
	// Attach, if set, makes the subject an attached one, and nothing of the above but Name, Admission, Scheme and Kinds is used.
	// Package attached has one for implementations in Go.
	Attach func(World) (Attached, error)
	// Trusted says that the subject's own tests show that its reconcilers return and leave shared objects as they are. They
	// are then neither timed nor is every object compared after each reconcile.
	Trusted bool
}

// Controller is one of several reconcilers of a subject. The fields are as those of Subject.
type Controller struct {
	Name    string
	New     func(Deps) (reconcile.Reconciler, error)
	For     schema.GroupVersionKind
	Owns    []schema.GroupVersionKind
	Watches []controller.Watch

	Predicates  []predicate.Predicate
	EventSource string
	// Unwatched are kinds that its process has no right to watch, and reads from the API server.
	Unwatched []schema.GroupVersionKind
}

// Source is the component that the controller's events come from.
func (c *Controller) Source() string { return cmp.Or(c.EventSource, c.For.Kind) }

// Controllers returns all reconcilers of the subject.
func (s *Subject) Controllers() []Controller {
	first := Controller{Name: s.Name, New: s.New, For: s.For, Owns: s.Owns, Watches: s.Watches, Predicates: s.Predicates, EventSource: s.EventSource, Unwatched: s.Unwatched}
	return append([]Controller{first}, s.Also...)
}

// Validate returns an error for a subject that cannot be run.
func (s *Subject) Validate() error {
	if s.Attach != nil {
		return nil
	}
	names := map[string]bool{}
	for _, c := range s.Controllers() {
		switch {
		case c.New == nil:
			return fmt.Errorf("subject %q: controller %q has no New: give New and For, or Attach", s.Name, c.Name)
		case c.Name == "":
			return errors.New("the subject has a controller without a name")
		case c.For.Kind == "":
			return fmt.Errorf("subject %q: controller %q has no For kind", s.Name, c.Name)
		case names[c.Name]:
			return fmt.Errorf("subject %q: two controllers are called %q", s.Name, c.Name)
		}
		names[c.Name] = true
	}
	return nil
}
