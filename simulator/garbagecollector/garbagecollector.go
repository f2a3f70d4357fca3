// Package garbagecollector deletes objects whose owners are gone.
//
// It watches kinds and remembers which object names which owners, by UID. When an
// owner is deleted, or an object appears whose owner has not been seen, the object
// is looked at again a little later, in an event of its own: with no owner left it
// is deleted (in the background, by UID), with some left the references to the
// others are taken out. Whether an owner exists is always asked of the API, never
// of what has been watched, so a late watch event deletes nothing by mistake.
//
// An owner that is being deleted in the foreground waits for the dependents that
// block it; one deleted with orphaning loses its dependents first.
//
// Known limit: an owner of a kind that the server does not serve counts as
// existing, as the original never dares to decide about such.
package garbagecollector

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

const actor = "garbage-collector"

// The range of how long a collection takes to begin, and of the wait after one
// that failed.
const (
	lagLow, lagHigh = 5 * time.Millisecond, 100 * time.Millisecond
	retry           = time.Second
)

// Options configure a Collector. All fields are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
	Source informer.Source
	// Kinds are watched from the start, for owners and for dependents.
	Kinds []schema.GroupVersionKind
}

// Collector is the garbage collector.
type Collector struct {
	o          Options
	stream     *kernel.Stream
	alive      map[types.UID]struct{}
	objects    map[types.UID]*object               // those that have owners
	dependents map[types.UID]map[types.UID]*object // by owner, by own UID
	watched    map[schema.GroupVersionKind]bool
	stop       []func()
}

// object is one that has owners.
type object struct {
	gvk     schema.GroupVersionKind
	key     client.ObjectKey
	uid     types.UID
	owners  []types.UID
	pending bool // a look at it is scheduled
}

// New returns a Collector. Start makes it work.
func New(o Options) *Collector {
	return &Collector{
		o: o, stream: o.Kernel.Stream(actor),
		alive:      map[types.UID]struct{}{},
		objects:    map[types.UID]*object{},
		dependents: map[types.UID]map[types.UID]*object{},
		watched:    map[schema.GroupVersionKind]bool{},
	}
}

// Start begins to watch the kinds of the options.
func (c *Collector) Start() error {
	for _, gvk := range c.o.Kinds {
		if err := c.Watch(gvk); err != nil {
			return err
		}
	}
	return nil
}

// Watch takes in a further kind.
func (c *Collector) Watch(gvk schema.GroupVersionKind) error {
	if c.watched[gvk] {
		return nil
	}
	stop, err := c.o.Source.Watch(gvk, func(e informer.Event) { c.observe(gvk, e) })
	if err != nil {
		return fmt.Errorf("watching %s: %w", gvk.Kind, err)
	}
	c.watched[gvk] = true
	c.stop = append(c.stop, stop)
	return nil
}

// Stop ends all watches.
func (c *Collector) Stop() {
	for _, stop := range c.stop {
		stop()
	}
	c.stop = nil
}

func (c *Collector) observe(gvk schema.GroupVersionKind, e informer.Event) {
	obj := e.Object
	uid := obj.GetUID()
	if e.Type == watch.Deleted {
		delete(c.alive, uid)
		c.index(c.objects[uid], nil)
		delete(c.objects, uid)
		for _, d := range c.dependentsOf(uid) {
			c.look(d)
		}
		return
	}
	c.alive[uid] = struct{}{}
	c.track(gvk, obj)
	if obj.GetDeletionTimestamp() != nil {
		c.ending(gvk, obj)
	}
}

// track keeps the index of owners up to date with obj.
func (c *Collector) track(gvk schema.GroupVersionKind, obj client.Object) {
	uid, refs := obj.GetUID(), obj.GetOwnerReferences()
	o := c.objects[uid]
	if len(refs) == 0 {
		if o != nil {
			c.index(o, nil)
			delete(c.objects, uid)
		}
		return
	}
	if o != nil && slices.EqualFunc(o.owners, refs, func(u types.UID, r metav1.OwnerReference) bool { return u == r.UID }) {
		return
	}
	if o == nil {
		o = &object{gvk: gvk, key: client.ObjectKeyFromObject(obj), uid: uid}
		c.objects[uid] = o
	}
	owners := make([]types.UID, len(refs))
	for i := range refs {
		owners[i] = refs[i].UID
	}
	c.index(o, owners)
	for _, owner := range owners {
		if _, ok := c.alive[owner]; !ok {
			c.look(o)
			return
		}
	}
}

// index files o under its owners.
func (c *Collector) index(o *object, owners []types.UID) {
	if o == nil {
		return
	}
	for _, owner := range o.owners {
		delete(c.dependents[owner], o.uid)
		if len(c.dependents[owner]) == 0 {
			delete(c.dependents, owner)
		}
	}
	o.owners = owners
	for _, owner := range owners {
		if c.dependents[owner] == nil {
			c.dependents[owner] = map[types.UID]*object{}
		}
		c.dependents[owner][o.uid] = o
	}
}

// dependentsOf returns an owner's dependents in a fixed order.
func (c *Collector) dependentsOf(owner types.UID) []*object {
	out := make([]*object, 0, len(c.dependents[owner]))
	for _, o := range c.dependents[owner] {
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b *object) int { return strings.Compare(string(a.uid), string(b.uid)) })
	return out
}

// look schedules a look at an object.
func (c *Collector) look(o *object) { c.lookIn(o, c.stream.Between(lagLow, lagHigh)) }

func (c *Collector) lookIn(o *object, d time.Duration) {
	if o.pending {
		return
	}
	o.pending = true
	c.o.Kernel.After(d, actor, "collect", func() {
		o.pending = false
		if err := c.collect(o); err != nil {
			c.lookIn(o, retry)
		}
	})
}

// collect deletes an object without owners, or takes out the references to those
// that are gone.
func (c *Collector) collect(o *object) error {
	ctx := context.Background()
	live, err := c.get(o.gvk, o.key)
	if live == nil || live.UID != o.uid {
		return err
	}
	var kept []metav1.OwnerReference
	waiting := false
	for _, ref := range live.OwnerReferences {
		owner, err := c.owner(live.Namespace, ref)
		if err != nil {
			return err
		}
		if owner == nil {
			continue
		}
		kept = append(kept, ref)
		waiting = waiting || owner.DeletionTimestamp != nil && slices.Contains(owner.Finalizers, metav1.FinalizerDeleteDependents)
	}
	if len(kept) == len(live.OwnerReferences) && !waiting {
		return nil
	}
	if len(kept) > 0 && !waiting {
		return c.replaceOwners(o, live, kept)
	}
	if live.DeletionTimestamp != nil {
		return nil
	}
	policy := metav1.DeletePropagationBackground
	err = c.o.Client.Delete(ctx, live, &client.DeleteOptions{
		PropagationPolicy: &policy, Preconditions: &metav1.Preconditions{UID: &o.uid},
	})
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

// owner asks the API for an owner. It returns nil if there is none of that UID.
func (c *Collector) owner(namespace string, ref metav1.OwnerReference) (*metav1.PartialObjectMetadata, error) {
	gv, err := schema.ParseGroupVersion(ref.APIVersion)
	if err != nil {
		return nil, err
	}
	gvk := gv.WithKind(ref.Kind)
	scoped, err := c.o.Client.RESTMapper().RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return &metav1.PartialObjectMetadata{}, nil // a kind that is not served: nothing can be said
	} else if err != nil {
		return nil, err
	}
	key := client.ObjectKey{Name: ref.Name}
	if scoped.Scope.Name() == "namespace" {
		key.Namespace = namespace
	}
	owner, err := c.get(gvk, key)
	if owner == nil || owner.UID != ref.UID {
		return nil, err
	}
	return owner, nil
}

// get reads an object's metadata. It returns nil if there is none.
func (c *Collector) get(gvk schema.GroupVersionKind, key client.ObjectKey) (*metav1.PartialObjectMetadata, error) {
	m := &metav1.PartialObjectMetadata{}
	m.SetGroupVersionKind(gvk)
	err := c.o.Client.Get(context.Background(), key, m)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	m.SetGroupVersionKind(gvk)
	return m, nil
}

func (c *Collector) replaceOwners(o *object, live *metav1.PartialObjectMetadata, kept []metav1.OwnerReference) error {
	return c.patch(live, map[string]any{"ownerReferences": kept, "resourceVersion": live.ResourceVersion, "uid": o.uid})
}

// patch merges fields into an object's metadata.
func (c *Collector) patch(live *metav1.PartialObjectMetadata, metadata map[string]any) error {
	body, err := json.Marshal(map[string]any{"metadata": metadata})
	if err != nil {
		return err
	}
	err = c.o.Client.Patch(context.Background(), live, client.RawPatch(types.MergePatchType, body))
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// ending serves an owner that waits, by a finalizer, for its dependents.
func (c *Collector) ending(gvk schema.GroupVersionKind, obj client.Object) {
	foreground := slices.Contains(obj.GetFinalizers(), metav1.FinalizerDeleteDependents)
	orphan := slices.Contains(obj.GetFinalizers(), metav1.FinalizerOrphanDependents)
	if !foreground && !orphan {
		return
	}
	key, uid := client.ObjectKeyFromObject(obj), obj.GetUID()
	if foreground {
		for _, d := range c.dependentsOf(uid) {
			c.look(d)
		}
	}
	c.o.Kernel.After(c.stream.Between(lagHigh, 2*lagHigh), actor, "let go", func() { c.letGo(gvk, key, uid, orphan) })
}

// letGo lets an owner go when its dependents are gone or cut loose.
func (c *Collector) letGo(gvk schema.GroupVersionKind, key client.ObjectKey, uid types.UID, orphan bool) {
	again := func() {
		c.o.Kernel.After(retry, actor, "let go", func() { c.letGo(gvk, key, uid, orphan) })
	}
	live, err := c.get(gvk, key)
	if err != nil {
		again()
		return
	}
	if live == nil || live.UID != uid {
		return
	}
	for _, d := range c.dependentsOf(uid) {
		child, err := c.get(d.gvk, d.key)
		if err != nil {
			again()
			return
		}
		if child == nil || child.UID != d.uid {
			continue
		}
		i := slices.IndexFunc(child.OwnerReferences, func(r metav1.OwnerReference) bool { return r.UID == uid })
		if i < 0 {
			continue
		}
		if orphan {
			if c.replaceOwners(d, child, slices.Delete(slices.Clone(child.OwnerReferences), i, i+1)) != nil {
				again()
				return
			}
			continue
		}
		if block := child.OwnerReferences[i].BlockOwnerDeletion; block != nil && *block {
			again()
			return
		}
	}
	kept := slices.DeleteFunc(slices.Clone(live.Finalizers), func(f string) bool {
		return f == metav1.FinalizerDeleteDependents || f == metav1.FinalizerOrphanDependents
	})
	if len(kept) == len(live.Finalizers) {
		return
	}
	if c.patch(live, map[string]any{"finalizers": kept, "resourceVersion": live.ResourceVersion}) != nil {
		again()
	}
}
