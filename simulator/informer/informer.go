// Package informer holds views of an API server's objects that are fed by watch
// events, and are therefore always a little behind.
//
// An [Informer] is one kind as one client knows it. Its events arrive when the
// kernel delivers them; until then Get and List answer with the past. That is how
// a stale cache, the cause of half of all controller bugs, is an ordinary thing
// here and not an accident. [Cache] reads informers the way controller-runtime's
// cache does, with copies.
//
// Objects that an Informer hands out are shared with the server and with every
// other reader and must not be modified. Objects that a Cache hands out are the
// caller's.
//
// Limits: an informer always holds all namespaces, and whole objects.
package informer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Handler gets changes: old is nil for an addition, new for a deletion, and both
// are the same in a resync.
type Handler func(old, new client.Object)

// Informer is a view of one kind.
type Informer struct {
	kernel   *kernel.Kernel
	source   Source
	gvk      schema.GroupVersionKind
	objects  map[client.ObjectKey]shelf.Ref
	byNS     map[string]*keyset
	indexes  map[string]*index
	handlers []Handler
	stop     func()
	synced   bool
	onSync   []func()
	seen     map[client.ObjectKey]bool // of the list under way
	events   uint64
}

// New returns an informer that watches gvk from now on. It panics if the source
// does not know the kind, which is a mistake in putting a cluster together; Start
// is for those who want the error.
func New(k *kernel.Kernel, source Source, gvk schema.GroupVersionKind) *Informer {
	i, err := Start(k, source, gvk)
	if err != nil {
		panic(fmt.Sprintf("informer: %v", err))
	}
	return i
}

// Start is New for callers that can do something about an unknown kind.
func Start(k *kernel.Kernel, source Source, gvk schema.GroupVersionKind) (*Informer, error) {
	i := &Informer{
		kernel: k, source: source, gvk: gvk,
		objects: map[client.ObjectKey]shelf.Ref{},
		byNS:    map[string]*keyset{},
		indexes: map[string]*index{},
	}
	i.indexes[indexOwner] = newIndex(ownerUIDs)
	i.indexes[indexOwner].same = sameOwners
	if err := i.connect(); err != nil {
		return nil, err
	}
	return i, nil
}

func (i *Informer) connect() error {
	var err error
	if s, ok := i.source.(ListSource); ok {
		i.seen = map[client.ObjectKey]bool{}
		i.stop, err = s.WatchList(i.gvk, i.handle, i.listed)
	} else {
		i.stop, err = i.source.Watch(i.gvk, i.handle)
	}
	if err != nil {
		return fmt.Errorf("watching %s: %w", i.gvk.Kind, err)
	}
	return nil
}

// GVK returns the kind that the informer holds.
func (i *Informer) GVK() schema.GroupVersionKind { return i.gvk }

// Synced reports whether everything that existed when the watch began is there.
func (i *Informer) Synced() bool { return i.synced }

// OnSynced calls fn when the informer is synced, at once if it is.
func (i *Informer) OnSynced(fn func()) {
	if i.synced {
		fn()
		return
	}
	i.onSync = append(i.onSync, fn)
}

// Events returns how many events have arrived.
func (i *Informer) Events() uint64 { return i.events }

// Len returns how many objects the informer holds.
func (i *Informer) Len() int { return len(i.objects) }

// Get returns the shared object as it is known here.
func (i *Informer) Get(key client.ObjectKey) (client.Object, bool) {
	ref, ok := i.objects[key]
	return ref.Object(), ok
}

// List returns the shared objects of a namespace (all, if empty) that match the
// selector (nil: any), in the order of their keys.
func (i *Informer) List(ns string, selector labels.Selector) []client.Object {
	var out []client.Object
	take := func(key client.ObjectKey) {
		if obj := i.objects[key].Object(); selector == nil || selector.Matches(labels.Set(obj.GetLabels())) {
			out = append(out, obj)
		}
	}
	if keys, ok := i.labelled(selector); ok {
		for _, key := range keys {
			if ns == "" || key.Namespace == ns {
				take(key)
			}
		}
		return out
	}
	if ns != "" {
		if set := i.byNS[ns]; set != nil {
			for _, key := range set.sorted() {
				take(key)
			}
		}
		return out
	}
	spaces := make([]string, 0, len(i.byNS))
	for ns := range i.byNS {
		spaces = append(spaces, ns)
	}
	slices.Sort(spaces)
	for _, ns := range spaces {
		for _, key := range i.byNS[ns].sorted() {
			take(key)
		}
	}
	return out
}

// OwnedBy returns the shared objects that name uid among their owners, in the
// order of their keys.
func (i *Informer) OwnedBy(uid types.UID) []client.Object { return i.Indexed(indexOwner, string(uid)) }

// AddHandler has h called for every change from now on, and, when the informer
// holds objects already, for each of them at once as an addition.
func (i *Informer) AddHandler(h Handler) {
	i.handlers = append(i.handlers, h)
	for _, obj := range i.List("", nil) {
		h(nil, obj)
	}
}

// Resync calls every handler with every object, as both old and new.
func (i *Informer) Resync() {
	for _, obj := range i.List("", nil) {
		i.tell(obj, obj)
	}
}

// Relist ends the watch and begins another, as after a lost connection: what was
// missed shows up as changes when the new list arrives. What is known stays until
// then.
func (i *Informer) Relist() error {
	i.stop()
	i.synced = false
	return i.connect()
}

// Stop ends the watch. The view stays as it is.
func (i *Informer) Stop() { i.stop() }

func (i *Informer) handle(e Event) {
	i.events++
	if _, lists := i.source.(ListSource); !lists && !i.synced {
		defer i.listed()
	}
	key := client.ObjectKeyFromObject(e.Object)
	ref, had := i.objects[key]
	old := ref.Object()
	switch e.Type {
	case watch.Added, watch.Modified:
		if i.seen != nil {
			i.seen[key] = true
		}
		if had && old.GetResourceVersion() == e.Object.GetResourceVersion() && old.GetUID() == e.Object.GetUID() {
			i.tell(old, old) // repeated, or listed again: handlers see it, as those of client-go do
			return
		}
		if had && old.GetUID() != e.Object.GetUID() {
			// The deletion in between was missed; handlers still see it.
			i.forget(key, old)
			had = false
		}
		i.put(key, old, e)
		if !had {
			old = nil
		}
		i.tell(old, e.Object)
	case watch.Deleted:
		if had {
			i.drop(key, old)
			i.tell(e.Object, nil)
		}
	}
}

// listed ends an initial list: what it did not contain is gone.
func (i *Informer) listed() {
	if i.seen != nil {
		for _, obj := range i.List("", nil) {
			if key := client.ObjectKeyFromObject(obj); !i.seen[key] {
				i.forget(key, obj)
			}
		}
		i.seen = nil
	}
	i.synced = true
	for _, fn := range i.onSync {
		fn()
	}
	i.onSync = nil
}

func (i *Informer) forget(key client.ObjectKey, obj client.Object) {
	i.drop(key, obj)
	i.tell(obj, nil)
}

func (i *Informer) tell(old, new client.Object) {
	for _, h := range i.handlers {
		h(old, new)
	}
}

func (i *Informer) put(key client.ObjectKey, old client.Object, e Event) {
	if _, had := i.objects[key]; !had {
		set := i.byNS[key.Namespace]
		if set == nil {
			set = newKeyset()
			i.byNS[key.Namespace] = set
		}
		set.add(key)
		old = nil
	}
	i.objects[key] = e.Held()
	//plumbline:unordered indexes are independent of each other
	for _, x := range i.indexes {
		x.change(key, old, e.Object)
	}
}

func (i *Informer) drop(key client.ObjectKey, obj client.Object) {
	delete(i.objects, key)
	if set := i.byNS[key.Namespace]; set != nil {
		set.remove(key)
		if set.len() == 0 {
			delete(i.byNS, key.Namespace)
		}
	}
	//plumbline:unordered indexes are independent of each other
	for _, x := range i.indexes {
		x.change(key, obj, nil)
	}
}

func ownerUIDs(obj client.Object) []string {
	refs := obj.GetOwnerReferences()
	uids := make([]string, len(refs))
	for i := range refs {
		uids[i] = string(refs[i].UID)
	}
	return uids
}

func sameOwners(a, b client.Object) bool {
	return slices.EqualFunc(a.GetOwnerReferences(), b.GetOwnerReferences(), func(x, y metav1.OwnerReference) bool { return x.UID == y.UID })
}

func compareKeys(a, b client.ObjectKey) int {
	if c := strings.Compare(a.Namespace, b.Namespace); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}
