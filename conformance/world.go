package conformance

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// version is one state of one object, as it was observed.
type version struct {
	// seq numbers all versions of a world in the order they came.
	seq int
	at  time.Time
	// gone says that the object was deleted; object is its last state.
	gone   bool
	object *unstructured.Unstructured
}

// life is the versions of all objects that had one name.
type life struct {
	kind fixture.KindInfo
	name string
	// namespace is empty for kinds without one.
	namespace string
	versions  []version
}

func (l *life) last() *version { return &l.versions[len(l.versions)-1] }

// world is everything observed since a fixture began. Handlers of a real cluster
// come from other goroutines: mu guards all.
type world struct {
	fixture *fixture.Fixture
	now     func() time.Time
	// namespaces are the fixture's own and those that its manifests name.
	namespaces []string

	mu    sync.Mutex
	seq   int
	lives map[string]*life  // by lifeKey
	names map[string]string // of documents with generateName, by reference
	gaps  []gap
}

func newWorld(f *fixture.Fixture, namespace string, now func() time.Time) *world {
	return &world{fixture: f, now: now, namespaces: append([]string{namespace}, f.Namespaces(namespace)...), lives: map[string]*life{}, names: map[string]string{}}
}

// lifeKey tells the versions of an API apart: each is watched for itself.
func lifeKey(kind fixture.KindInfo, namespace, name string) string {
	return kind.Name + "/" + name + "@" + kind.APIVersion() + "#" + namespace
}

// handler records the versions of one kind.
func (w *world) handler(kind fixture.KindInfo) func(watch.EventType, *unstructured.Unstructured) {
	return func(event watch.EventType, object *unstructured.Unstructured) {
		if event != watch.Added && event != watch.Modified && event != watch.Deleted {
			return
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		key := lifeKey(kind, object.GetNamespace(), object.GetName())
		l := w.lives[key]
		if l == nil {
			l = &life{kind: kind, name: object.GetName(), namespace: object.GetNamespace()}
			w.lives[key] = l
		}
		if n := len(l.versions); n > 0 {
			// A watch that was broken shows again what it had shown.
			last := l.last()
			same := last.object.GetUID() == object.GetUID() && last.object.GetResourceVersion() == object.GetResourceVersion()
			if same && object.GetResourceVersion() != "" && last.gone == (event == watch.Deleted) {
				return
			}
		}
		w.seq++
		l.versions = append(l.versions, version{seq: w.seq, at: w.now(), gone: event == watch.Deleted, object: object})
	}
}

// called records the name that a document with generateName was given.
func (w *world) called(r *fixture.Ref, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.names[r.Short()] = name
}

// actual returns the name of the object that a reference names. The caller holds mu.
func (w *world) actual(r *fixture.Ref) string {
	if name, ok := w.names[r.Short()]; ok {
		return name
	}
	return r.Name
}

// namespaceOf returns the namespace of the object that a reference names: the one that the reference or its document
// says, else the one in which an object of that name was seen, else the fixture's own. The caller holds mu.
func (w *world) namespaceOf(kind fixture.KindInfo, r *fixture.Ref) string {
	switch {
	case kind.ClusterScoped:
		return ""
	case r.Namespace != "":
		return r.Namespace
	}
	if m := w.fixture.Manifest(r); m != nil {
		return cmp.Or(m.Namespace, w.namespaces[0])
	}
	for _, namespace := range w.namespaces {
		if w.lives[lifeKey(kind, namespace, w.actual(r))] != nil {
			return namespace
		}
	}
	return w.namespaces[0]
}

// find returns the lives a reference stands for, sorted by name. The caller holds mu.
func (w *world) find(r *fixture.Ref) []*life {
	kind, ok := w.fixture.KindOf(r)
	if !ok {
		return nil
	}
	if !r.Selects() {
		if l := w.lives[lifeKey(kind, w.namespaceOf(kind, r), w.actual(r))]; l != nil {
			return []*life{l}
		}
		return nil
	}
	var out []*life
	for _, key := range slices.Sorted(maps.Keys(w.lives)) {
		if l := w.lives[key]; l.kind.Name == kind.Name && l.kind.Version == kind.Version && slices.ContainsFunc(l.versions, func(v version) bool { return w.selects(r, v.object) }) {
			out = append(out, l)
		}
	}
	return out
}

// selects says whether an object is what a selection is about. The caller holds mu.
func (w *world) selects(r *fixture.Ref, object *unstructured.Unstructured) bool {
	labels := object.GetLabels()
	for k, v := range r.Labels {
		if labels[k] != v {
			return false
		}
	}
	if r.Of == nil {
		return true
	}
	owners := w.find(r.Of)
	if len(owners) == 0 {
		return false
	}
	owner := owners[0]
	if involved, ok, _ := unstructured.NestedMap(object.Object, "involvedObject"); ok {
		return involved["kind"] == owner.kind.Kind && involved["name"] == owner.name && (owner.namespace == "" || object.GetNamespace() == owner.namespace)
	}
	for _, ref := range object.GetOwnerReferences() {
		if slices.ContainsFunc(owner.versions, func(v version) bool { return v.object.GetUID() == ref.UID }) && ref.UID != "" {
			return true
		}
	}
	return false
}

// latest returns the newest version of every object, by kind/name, for expressions.
// What is gone is there in its last state. The caller holds mu.
func (w *world) latest() map[string]any {
	out := make(map[string]any, len(w.lives))
	for _, key := range slices.Sorted(maps.Keys(w.lives)) {
		l := w.lives[key]
		out[l.kind.Name+"/"+l.name] = l.last().object.Object
		for ref, name := range w.names {
			if ref == l.kind.Name+"/"+name || name == l.name && strings.HasPrefix(ref, l.kind.Name+"/") {
				out[ref] = l.last().object.Object
			}
		}
	}
	return out
}
