package informer

import (
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/shelf"
)

// Event is one change of an object, or one object of an initial list. Object is
// shared and must not be modified; copy it to edit. Of a deletion it is the last
// state, under the resourceVersion of the deletion.
type Event struct {
	Type   watch.EventType // Added, Modified or Deleted
	Object client.Object
	// Ref is how the source itself holds Object, which takes less memory if it is seldom read. It is empty if the source
	// has nothing better than Object.
	Ref shelf.Ref
}

// Held returns how to keep the object of an event that is not a deletion.
func (e *Event) Held() shelf.Ref {
	if e.Ref == (shelf.Ref{}) {
		return shelf.Direct(e.Object)
	}
	return e.Ref
}

// Source is where events come from: the simulated API server, or an adapter to a
// real one. The handler is always called on the kernel's goroutine: first with
// Added for everything that exists, then with each change in the order of
// resourceVersions. After stop it is not called again.
type Source interface {
	Watch(gvk schema.GroupVersionKind, handler func(Event)) (stop func(), err error)
}

// ListSource is a Source that can say when everything that existed has been
// delivered. An informer over a Source that cannot takes itself for synced from
// its first event on.
type ListSource interface {
	Source
	// WatchList is Watch; synced is called once, after the last event of the
	// initial list.
	WatchList(gvk schema.GroupVersionKind, handler func(Event), synced func()) (stop func(), err error)
}
