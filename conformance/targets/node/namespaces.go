package node

import (
	"context"
	"encoding/json"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"github.com/plumbline-ci/plumbline/simulator/namespace"
)

// emptier empties namespaces. All actors share one goroutine, which containers run on, too: it should not wait for the many
// requests that it takes until a namespace is empty. So another one makes them.
type emptier struct {
	work   *backlog
	post   func(run func()) bool
	rest   rest.Interface
	mapper meta.RESTMapper
}

var _ namespace.Remote = (*emptier)(nil)

func (n *Node) emptier() (*emptier, error) {
	c, err := discovery.NewDiscoveryClientForConfig(n.o.Config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", n.o.Config.Host, err)
	}
	return &emptier{
		work: newBacklog(), rest: c.RESTClient(), mapper: n.client.RESTMapper(),
		post: func(run func()) bool { return n.time.Post(actorOutside, "empty a namespace", run) },
	}, nil
}

// Do implements namespace.Remote.
func (e *emptier) Do(work, then func()) {
	e.work.add(func() {
		work()
		e.post(then)
	})
}

// DeleteAll implements namespace.Remote. An API server answers the deletion of a collection with what was in it, which saves
// asking. Of one that does not, nothing is known: then the objects are taken one by one.
func (e *emptier) DeleteAll(ctx context.Context, gvk schema.GroupVersionKind, in string) ([]metav1.PartialObjectMetadata, error) {
	mapping, err := e.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: gvk.Group, Resource: gvk.Kind}, "")
	}
	if err != nil {
		return nil, err
	}
	background := metav1.DeletePropagationBackground
	how, err := json.Marshal(metav1.DeleteOptions{PropagationPolicy: &background})
	if err != nil {
		return nil, err
	}
	root := "/apis/" + gvk.Group
	if gvk.Group == "" {
		root = "/api"
	}
	answer, err := e.rest.Delete().AbsPath(root, gvk.Version, "namespaces", in, mapping.Resource.Resource).
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(how).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	list := &metav1.PartialObjectMetadataList{}
	if err := json.Unmarshal(answer, list); err != nil {
		return nil, fmt.Errorf("the answer to a deletion of all %s: %w", mapping.Resource.Resource, err)
	}
	if list.Kind == "Status" {
		return nil, apierrors.NewMethodNotSupported(mapping.Resource.GroupResource(), "deletecollection")
	}
	return list.Items, nil
}
