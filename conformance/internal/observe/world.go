package observe

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// Version is one state of one object, as it was observed.
type Version struct {
	// Seq numbers all versions of a world in the order they came.
	Seq int
	At  time.Time
	// Gone says that the object was deleted; then this is its last state.
	Gone bool
	// Meta is what the object is called and belongs to.
	Meta metav1.Object
	tree func() *unstructured.Unstructured
}

// Object returns the object, which must not be changed.
func (v *Version) Object() *unstructured.Unstructured { return v.tree() }

// Life is the versions of all objects that had one name.
type Life struct {
	Kind fixture.KindInfo
	Name string
	// Namespace is empty for kinds without one.
	Namespace string
	Versions  []Version
	order     string  // by which lives are sorted
	alone     []*Life // this one, as Find returns it
}

// lifeKey tells lives apart. Each version of an API is watched for itself.
type lifeKey struct{ kind, group, version, namespace, name string }

func keyOf(kind fixture.KindInfo, namespace, name string) lifeKey {
	return lifeKey{kind.Name, kind.Group, kind.Version, namespace, name}
}

// Last returns the newest version.
func (l *Life) Last() *Version { return &l.Versions[len(l.Versions)-1] }

// String returns kind/name, as failures name objects.
func (l *Life) String() string { return l.Kind.Name + "/" + l.Name }

// World is everything observed since a fixture began. Handlers of a real cluster come from other goroutines, so the lock
// guards all: methods that need it held say so.
type World struct {
	fixture *fixture.Fixture
	now     func() time.Time
	// Start is when the fixture's first action began.
	Start time.Time
	// must and may are the kinds that the fixture watches; each of its requests asks for them.
	must, may []fixture.KindInfo
	// Namespaces are the fixture's own and those that its manifests name.
	Namespaces []string

	sync.Mutex
	seq   int
	lives map[lifeKey]*Life
	list  []*Life           // the same, sorted
	names map[string]string // of documents with generateName, by reference
	gaps  []Gap
}

// NewWorld returns a world in which nothing was observed.
func NewWorld(f *fixture.Fixture, namespace string, now func() time.Time) *World {
	must, may := f.Watched()
	return &World{fixture: f, now: now, must: must, may: may, Namespaces: append([]string{namespace}, f.Namespaces(namespace)...), lives: map[lifeKey]*Life{}, names: map[string]string{}}
}

// Watched lists the kinds that the fixture watches, see its Watched.
func (w *World) Watched() (must, may []fixture.KindInfo) { return w.must, w.may }

// Seq returns how many versions were observed. The caller holds the lock.
func (w *World) Seq() int { return w.seq }

// Since renders the time since the fixture began, such as 15.2s.
func (w *World) Since(t time.Time) string { return t.Sub(w.Start).Round(time.Millisecond).String() }

// Lives returns everything that was observed, by kind and name. The caller holds the lock.
func (w *World) Lives() []*Life { return slices.Clone(w.list) }

// begin adds a life without versions.
func (w *World) begin(kind fixture.KindInfo, namespace, name string) *Life {
	l := &Life{Kind: kind, Name: name, Namespace: namespace, order: kind.Name + "/" + name + "@" + kind.APIVersion() + "#" + namespace}
	w.lives[keyOf(kind, namespace, name)] = l
	at, _ := slices.BinarySearchFunc(w.list, l.order, func(other *Life, order string) int { return strings.Compare(other.order, order) })
	w.list = slices.Insert(w.list, at, l)
	return l
}

// Changed wraps a condition that depends on what was observed alone, so that it is asked only when there is something new. It
// holds the lock meanwhile.
func (w *World) Changed(cond func() bool) func() bool {
	last := -1
	return func() bool {
		w.Lock()
		defer w.Unlock()
		if w.seq == last {
			return false
		}
		last = w.seq
		return cond()
	}
}

// Known wraps a question about what was observed, so that it is asked only when there is something new, and remembers the
// answer. It holds the lock meanwhile.
func (w *World) Known(question func() bool) func() bool {
	last, answer := -1, false
	return func() bool {
		w.Lock()
		defer w.Unlock()
		if w.seq != last {
			last, answer = w.seq, question()
		}
		return answer
	}
}

// Named returns an empty object that names what a reference stands for.
func (w *World) Named(r *fixture.Ref) *unstructured.Unstructured {
	kind, _ := w.fixture.KindOf(r)
	o := &unstructured.Unstructured{}
	o.SetAPIVersion(kind.APIVersion())
	o.SetKind(kind.Kind)
	w.Lock()
	defer w.Unlock()
	o.SetName(w.actual(r))
	o.SetNamespace(w.namespaceOf(kind, r))
	return o
}

// Chosen returns an empty object that names the one that a reference stands for: the only one that there is, if it selects. Otherwise it
// returns nil, and how many there are.
func (w *World) Chosen(r *fixture.Ref) (o *unstructured.Unstructured, n int) {
	if !r.Selects() {
		return w.Named(r), 1
	}
	var there []*Life
	w.Lock()
	for _, l := range w.Find(r) {
		if !l.Last().Gone {
			there = append(there, l)
		}
	}
	w.Unlock()
	if len(there) != 1 {
		return nil, len(there)
	}
	o = &unstructured.Unstructured{}
	o.SetAPIVersion(there[0].Kind.APIVersion())
	o.SetKind(there[0].Kind.Kind)
	o.SetName(there[0].Name)
	o.SetNamespace(there[0].Namespace)
	return o, 1
}

// handler records the versions of one kind.
func (w *World) handler(kind fixture.KindInfo) Handler {
	record := w.recorder(kind)
	return func(event watch.EventType, object *unstructured.Unstructured) {
		record(event, object, func() *unstructured.Unstructured { return object })
	}
}

// recorder is a handler of versions whose trees are not made before they are read.
func (w *World) recorder(kind fixture.KindInfo) LazyHandler {
	return func(event watch.EventType, object metav1.Object, tree func() *unstructured.Unstructured) {
		if event != watch.Added && event != watch.Modified && event != watch.Deleted {
			return
		}
		w.Lock()
		defer w.Unlock()
		l := w.lives[keyOf(kind, object.GetNamespace(), object.GetName())]
		if l == nil {
			l = w.begin(kind, object.GetNamespace(), object.GetName())
		}
		if n := len(l.Versions); n > 0 {
			// A watch that was broken shows again what it had shown.
			last := l.Last()
			same := last.Meta.GetUID() == object.GetUID() && last.Meta.GetResourceVersion() == object.GetResourceVersion()
			if same && object.GetResourceVersion() != "" && last.Gone == (event == watch.Deleted) {
				return
			}
		}
		w.seq++
		l.Versions = append(l.Versions, Version{Seq: w.seq, At: w.now(), Gone: event == watch.Deleted, Meta: object, tree: tree})
	}
}

// Called records the name that a document with generateName was given.
func (w *World) Called(r *fixture.Ref, name string) {
	w.Lock()
	defer w.Unlock()
	w.names[r.Short()] = name
}

// actual returns the name of the object that a reference names. The caller holds the lock.
func (w *World) actual(r *fixture.Ref) string {
	if len(w.names) > 0 {
		if name, ok := w.names[r.Short()]; ok {
			return name
		}
	}
	return r.Name
}

// namespaceOf returns the namespace of the object that a reference names: the one that the reference or its document
// says, else the one in which an object of that name was seen, else the fixture's own. The caller holds the lock.
func (w *World) namespaceOf(kind fixture.KindInfo, r *fixture.Ref) string {
	switch {
	case kind.ClusterScoped:
		return ""
	case r.Namespace != "":
		return r.Namespace
	}
	if m := w.fixture.Manifest(r); m != nil {
		return cmp.Or(m.Namespace, w.Namespaces[0])
	}
	for _, namespace := range w.Namespaces {
		if w.lives[keyOf(kind, namespace, w.actual(r))] != nil {
			return namespace
		}
	}
	return w.Namespaces[0]
}

// Find returns the lives a reference stands for, sorted by name. The list must not be changed. The caller holds the lock.
func (w *World) Find(r *fixture.Ref) []*Life {
	kind, ok := w.fixture.KindOf(r)
	if !ok {
		return nil
	}
	if !r.Selects() {
		if l := w.lives[keyOf(kind, w.namespaceOf(kind, r), w.actual(r))]; l != nil {
			if l.alone == nil {
				l.alone = []*Life{l}
			}
			return l.alone
		}
		return nil
	}
	var out []*Life
	for _, l := range w.list {
		if l.Kind.Name == kind.Name && l.Kind.Version == kind.Version && w.selectsAny(r, l) {
			out = append(out, l)
		}
	}
	return out
}

// selectsAny reports whether a life has ever been what a selection is about. The caller holds the lock.
func (w *World) selectsAny(r *fixture.Ref, l *Life) bool {
	for i := range l.Versions {
		if w.selects(r, &l.Versions[i]) {
			return true
		}
	}
	return false
}

// selects reports whether an object is what a selection is about. The caller holds the lock.
func (w *World) selects(r *fixture.Ref, v *Version) bool {
	labels := v.Meta.GetLabels()
	for k, v := range r.Labels {
		if labels[k] != v {
			return false
		}
	}
	if r.Of == nil {
		return true
	}
	owners := w.Find(r.Of)
	if len(owners) == 0 {
		return false
	}
	owner := owners[0]
	if involved, ok, _ := unstructured.NestedMap(v.Object().Object, "involvedObject"); ok {
		return involved["kind"] == owner.Kind.Kind && involved["name"] == owner.Name && (owner.Namespace == "" || v.Meta.GetNamespace() == owner.Namespace)
	}
	for _, ref := range v.Meta.GetOwnerReferences() {
		if slices.ContainsFunc(owner.Versions, func(v Version) bool { return v.Meta.GetUID() == ref.UID }) && ref.UID != "" {
			return true
		}
	}
	return false
}

// Latest returns the newest version of every object, by kind/name, for expressions.
// What is gone is there in its last state. The caller holds the lock.
func (w *World) Latest() map[string]any {
	out := make(map[string]any, len(w.lives))
	for _, l := range w.list {
		out[l.Kind.Name+"/"+l.Name] = l.Last().Object().Object
		for ref, name := range w.names {
			if ref == l.Kind.Name+"/"+name || name == l.Name && strings.HasPrefix(ref, l.Kind.Name+"/") {
				out[ref] = l.Last().Object().Object
			}
		}
	}
	return out
}
