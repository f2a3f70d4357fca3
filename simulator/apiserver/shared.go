package apiserver

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// sharedCopies holds a private copy of every stored object, to find out who
// modifies shared ones.
type sharedCopies map[sharedKey]runtime.Object

type sharedKey struct {
	gvk schema.GroupVersionKind
	key client.ObjectKey
}

func (c sharedCopies) keep(ch Change) {
	k := sharedKey{ch.GVK, client.ObjectKeyFromObject(ch.Object())}
	if ch.New == nil {
		delete(c, k)
		return
	}
	c[k] = ch.New.DeepCopyObject()
}

func (c sharedCopies) check(r *resource, obj client.Object) error {
	kept, ok := c[sharedKey{r.GVK, client.ObjectKeyFromObject(obj)}].(client.Object)
	if !ok {
		return nil
	}
	var parts []string
	if !r.shape.sameMeta(kept, obj) {
		parts = append(parts, "metadata")
	}
	if !r.shape.sameRest(kept, obj) {
		parts = append(parts, "spec or data")
	}
	if !r.shape.sameStatus(kept, obj) {
		parts = append(parts, "status")
	}
	if len(parts) == 0 {
		return nil
	}
	return &SharedModifiedError{GVK: r.GVK, Key: client.ObjectKeyFromObject(obj), Version: kept.GetResourceVersion(), Parts: parts}
}

func (c sharedCopies) verify(r *resource, obj client.Object) {
	if err := c.check(r, obj); err != nil {
		panic(err)
	}
}

// SharedModifiedError says that an object was modified that others share. It is a
// defect in an actor of the simulation, so a server that finds it panics with it.
type SharedModifiedError struct {
	GVK     schema.GroupVersionKind
	Key     client.ObjectKey
	Version string
	Parts   []string // which parts differ from what was stored
}

func (e *SharedModifiedError) Error() string {
	return fmt.Sprintf("the shared %s %s of resourceVersion %s was modified in place: %v", e.GVK.Kind, e.Key, e.Version, e.Parts)
}

// VerifyShared returns an error for every stored object that was modified since it
// was stored. It needs Options.VerifyShared.
func (s *Server) VerifyShared() []error {
	if s.shared == nil {
		return nil
	}
	var errs []error
	for _, r := range s.resources.order {
		r.table.each("", "", func(e *entry) bool {
			if err := s.shared.check(r, e.object()); err != nil {
				errs = append(errs, err)
			}
			return true
		})
	}
	return slices.Clip(errs)
}
