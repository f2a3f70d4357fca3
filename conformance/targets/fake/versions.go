package fake

import (
	"context"
	"fmt"

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

// Observe implements conformance.Cluster: the handler runs in the event that writes, so nothing is missed or late.
func (c *Cluster) Observe(gvk schema.GroupVersionKind, namespace string, handler func(watch.EventType, *unstructured.Unstructured)) (func(), error) {
	server := c.sim.Server()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	if err := c.client.List(context.Background(), list, client.InNamespace(namespace)); err != nil {
		return nil, err
	}
	for i := range list.Items {
		handler(watch.Added, &list.Items[i])
	}
	stored := server.Stored(gvk)
	return server.Observe(func(change apiserver.Change) {
		if change.GVK != stored {
			return
		}
		object := change.Object()
		if namespace != "" && object.GetNamespace() != namespace {
			return
		}
		handler(change.Type, c.shown(object, gvk, change.Type == watch.Deleted))
	}), nil
}

// shown is a stored object in a version, without a Go type.
func (c *Cluster) shown(object client.Object, gvk schema.GroupVersionKind, deleted bool) *unstructured.Unstructured {
	as, err := c.sim.Server().In(gvk, object)
	if err == nil {
		var u *unstructured.Unstructured
		if u, err = c.versions.shown(as, gvk, deleted); err == nil {
			return u
		}
	}
	panic(fmt.Sprintf("showing %s %s: %v", gvk.Kind, object.GetName(), err))
}
