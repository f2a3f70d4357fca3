package fake

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
)

// versions makes the trees that observers see. An observer may keep a tree and must not change it, so all observers of a
// kind get the same one, and it shares with the tree of the version before what did not change.
type versions struct {
	trees *tree.Converter
	// newest are the last versions of the objects that are stored and observed.
	newest map[versionKey]version
}

type versionKey struct {
	gvk schema.GroupVersionKind
	key client.ObjectKey
}

// version is an object, which the API server owns, and its tree, which the observers share.
type version struct {
	object client.Object
	tree   *unstructured.Unstructured
}

func newVersions(trees *tree.Converter) *versions {
	return &versions{trees: trees, newest: map[versionKey]version{}}
}

// shown returns the tree of an object. The last version of one that was deleted is not kept.
func (v *versions) shown(object client.Object, gvk schema.GroupVersionKind, deleted bool) (*unstructured.Unstructured, error) {
	if u, ok := object.(*unstructured.Unstructured); ok {
		return u.DeepCopy(), nil
	}
	at := versionKey{gvk, client.ObjectKeyFromObject(object)}
	before, known := v.newest[at]
	if known && before.object == object {
		return before.tree, nil
	}
	var content map[string]any
	var err error
	if known {
		content, err = v.trees.Next(object, before.object, before.tree.Object)
	} else {
		content, err = v.trees.Tree(object)
	}
	if err != nil {
		return nil, err
	}
	made := &unstructured.Unstructured{Object: content}
	if deleted {
		delete(v.newest, at)
	} else {
		v.newest[at] = version{object, made}
	}
	return made, nil
}

// alone returns the tree of an object whose versions are not kept.
func (v *versions) alone(object client.Object) (*unstructured.Unstructured, error) {
	if u, ok := object.(*unstructured.Unstructured); ok {
		return u.DeepCopy(), nil
	}
	content, err := v.trees.Tree(object)
	return &unstructured.Unstructured{Object: content}, err
}

// Observe implements conformance.Cluster: the handler runs in the event that writes, so nothing is missed or late.
func (c *Cluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	if err := c.present(gvk, namespace, func(o *unstructured.Unstructured) { handler(watch.Added, o) }); err != nil {
		return nil, err
	}
	return c.changes(gvk, namespace, func(change apiserver.Change) {
		handler(change.Type, c.shown(change.Object(), gvk, change.Type == watch.Deleted))
	}), nil
}

// ObserveLazily implements conformance.LazyCluster.
func (c *Cluster) ObserveLazily(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, metav1.Object, func() *unstructured.Unstructured)) (func(), error) {
	err := c.present(gvk, namespace, func(o *unstructured.Unstructured) {
		handler(watch.Added, o, func() *unstructured.Unstructured { return o })
	})
	if err != nil {
		return nil, err
	}
	return c.changes(gvk, namespace, func(change apiserver.Change) {
		later := &unread{object: c.in(gvk, change.Object()), versions: c.versions}
		handler(change.Type, later.object, later.tree)
	}), nil
}

// unread is a version of which no tree was made yet. Stored objects do not change, so it can be made at any time.
type unread struct {
	object   client.Object
	versions *versions
	made     *unstructured.Unstructured
}

func (u *unread) tree() *unstructured.Unstructured {
	if u.made == nil {
		made, err := u.versions.alone(u.object)
		if err != nil {
			panic(fmt.Sprintf("showing %s: %v", u.object.GetName(), err))
		}
		u.made = made
	}
	return u.made
}

// present shows the objects that there are.
func (c *Cluster) present(gvk schema.GroupVersionKind, namespace string, show func(*unstructured.Unstructured)) error {
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.client.List(context.Background(), list, client.InNamespace(namespace)); err != nil {
		return err
	}
	for i := range list.Items {
		show(&list.Items[i])
	}
	return nil
}

// changes calls handler with every change of the objects of a kind from now on.
func (c *Cluster) changes(gvk schema.GroupVersionKind, namespace string, handler func(apiserver.Change)) (stop func()) {
	server := c.sim.Server()
	stored := server.Stored(gvk)
	return server.Observe(func(change apiserver.Change) {
		if change.GVK == stored && (namespace == "" || change.Object().GetNamespace() == namespace) {
			handler(change)
		}
	})
}

// shown is a stored object in a version, without a Go type.
func (c *Cluster) shown(object client.Object, gvk schema.GroupVersionKind, deleted bool) *unstructured.Unstructured {
	u, err := c.versions.shown(c.in(gvk, object), gvk, deleted)
	if err != nil {
		panic(fmt.Sprintf("showing %s %s: %v", gvk.Kind, object.GetName(), err))
	}
	return u
}

// in is a stored object in a version.
func (c *Cluster) in(gvk schema.GroupVersionKind, object client.Object) client.Object {
	as, err := c.sim.Server().In(gvk, object)
	if err != nil {
		panic(fmt.Sprintf("showing %s %s: %v", gvk.Kind, object.GetName(), err))
	}
	return as
}
