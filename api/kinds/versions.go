package kinds

import (
	"fmt"
	"reflect"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
)

// Version is one version of a kind.
type Version struct {
	Name string
	// New returns an empty object.
	New func() runtime.Object
	// NewList returns an empty list. It may be nil where AddToScheme of the version's package registers the Go types.
	NewList func() runtime.Object
	// Admit fills in the defaults of an object, in place, and checks it. old is the object before an update, or nil at
	// creation. The error is what is wrong with the object, or a *StoredError.
	Admit func(o, old runtime.Object, cfg *config.Config) error
	// Fill fills in what the writer left open, with the built-in defaults, as conversion does.
	Fill func(o runtime.Object, cfg *config.Config)
	// ToStorage and FromStorage turn an object into the version that is stored, and back. They are nil for that version.
	// What is returned may share memory with what is given.
	ToStorage, FromStorage func(runtime.Object) (runtime.Object, error)
}

// StoredError says that what is stored cannot be read.
type StoredError struct{ Err error }

func (e *StoredError) Error() string { return e.Err.Error() }
func (e *StoredError) Unwrap() error { return e.Err }

// object is a pointer to the Go type of a kind.
type object[T any] interface {
	*T
	runtime.Object
	metav1.Object
}

// rules are what a version of a kind does with its objects.
type rules[P any] struct {
	// create fills in and checks a new object.
	create func(o P, cfg *config.Config) error
	// touch, which may be nil, fills in what every write of an object that exists gets, whatever else it changes.
	touch func(o P, cfg *config.Config)
	// spec returns a pointer to what an update is checked for.
	spec func(o P) any
	// update fills in and checks an object whose spec has changed.
	update func(o, old P, cfg *config.Config) error
	fill   func(o P, cfg *config.Config)
}

// version makes a Version of rules.
//
// A write that leaves the spec alone, as every status update does, costs one comparison: what was admitted once stays
// admitted, also under a configuration that would refuse it today. On its way out only the finalizers of an object change.
func version[T any, P object[T]](name string, r rules[P]) Version {
	return Version{
		Name: name,
		New:  func() runtime.Object { return P(new(T)) },
		Admit: func(o, old runtime.Object, cfg *config.Config) error {
			now := o.(P)
			before, ok := old.(P)
			if !ok || before == nil {
				return r.create(now, cfg)
			}
			if now.GetDeletionTimestamp() != nil {
				return nil
			}
			if r.touch != nil {
				r.touch(now, cfg)
			}
			if unchanged(r.spec(now), r.spec(before)) {
				return nil
			}
			return r.update(now, before, cfg)
		},
		Fill: func(o runtime.Object, cfg *config.Config) {
			if now := o.(P); now.GetDeletionTimestamp() == nil {
				r.fill(now, cfg)
			}
		},
	}
}

// converted adds the ways to and from the version that is stored.
func converted[S, V runtime.Object](v Version, to func(V) (S, error), from func(S) (V, error)) Version {
	v.ToStorage = func(o runtime.Object) (runtime.Object, error) { return as(o, to) }
	v.FromStorage = func(o runtime.Object) (runtime.Object, error) { return as(o, from) }
	return v
}

func as[A, B runtime.Object](o runtime.Object, turn func(A) (B, error)) (runtime.Object, error) {
	in, ok := o.(A)
	if !ok {
		return nil, fmt.Errorf("unknown version, got: %T", o)
	}
	out, err := turn(in)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// unchanged compares specs. Almost every write is of the status alone, for which the standard library's comparison says
// yes several times faster; only what it finds different has to be looked at for differences that mean nothing.
func unchanged(a, b any) bool {
	return reflect.DeepEqual(a, b) || equality.Semantic.DeepEqual(a, b)
}
