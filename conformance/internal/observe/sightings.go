package observe

import (
	"cmp"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
)

// Sightings are versions of objects of several kinds. Each kind has its own watch, and the order of events of two watches
// does not say what happened first. The resourceVersions do, since they are revisions of one store.
type Sightings struct {
	mu     sync.Mutex
	list   []sighting
	latest map[types.UID]uint64
	// at is when the version that is being told was seen.
	at time.Time
}

type sighting struct {
	at       time.Time
	event    watch.EventType
	object   *unstructured.Unstructured
	revision uint64
}

// NewSightings returns none.
func NewSightings() *Sightings { return &Sightings{latest: map[types.UID]uint64{}} }

// revision returns the number of a resourceVersion, or 0 if it is not a number.
func revision(o *unstructured.Unstructured) uint64 {
	n, err := strconv.ParseUint(o.GetResourceVersion(), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// Saw keeps a version.
func (l *Sightings) Saw(at time.Time, event watch.EventType, o *unstructured.Unstructured) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := revision(o)
	l.list = append(l.list, sighting{at, event, o, n})
	l.latest[o.GetUID()] = max(l.latest[o.GetUID()], n)
}

// Reached reports whether a watch has shown an object as it is, or later.
func (l *Sightings) Reached(o *unstructured.Unstructured) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, ok := l.latest[o.GetUID()]
	return ok && n >= revision(o)
}

// Now is when the version that is being told was seen.
func (l *Sightings) Now() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at
}

// Tell passes on all versions, in the order of the store. Where resourceVersions are no numbers it is that of the watches.
func (l *Sightings) Tell(to func(watch.EventType, *unstructured.Unstructured)) {
	l.mu.Lock()
	list := slices.Clone(l.list)
	l.mu.Unlock()
	if !slices.ContainsFunc(list, func(s sighting) bool { return s.revision == 0 }) {
		slices.SortStableFunc(list, func(a, b sighting) int { return cmp.Compare(a.revision, b.revision) })
	}
	for _, s := range list {
		l.mu.Lock()
		if s.at.After(l.at) {
			l.at = s.at
		}
		l.mu.Unlock()
		to(s.event, s.object)
	}
}
