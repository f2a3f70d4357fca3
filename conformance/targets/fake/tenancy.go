package fake

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// Where a fixture has a tenancy, the controller has the rights of its service account, by the roles and bindings of an installation,
// and no others: its requests and its watches are refused as a cluster refuses them.

var _ conformance.Accountable = (*Cluster)(nil)

// Account implements conformance.Accountable.
func (c *Cluster) Account() string { return kindconfig.AccountUser(config.Namespace) }

// bind installs roles and bindings, if the fixture has a tenancy.
func (c *Cluster) bind() error {
	if c.tenancy == "" {
		return nil
	}
	var o kindconfig.Options
	if c.tenancy != fixture.TenancyEverywhere {
		o.Tenants = []string{kindconfig.Namespace}
	}
	objects, err := kindconfig.Objects(o)
	if err != nil {
		return err
	}
	for _, u := range kindconfig.Rights(objects) {
		if err := c.client.Create(context.Background(), u); err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// direct reports of a kind whether the controller reads it from the API server, since it may not be watched.
func (c *Cluster) direct(t *Target) func(apiruntime.Object) bool {
	if c.tenancy == "" {
		return nil
	}
	var unwatched []schema.GroupVersionKind
	for _, o := range c.subject.Controllers() {
		unwatched = append(unwatched, o.Unwatched...)
	}
	return func(o apiruntime.Object) bool {
		gvk, err := apiutil.GVKForObject(o, t.scheme)
		return err == nil && slices.Contains(unwatched, single(gvk))
	}
}

// watching is what the controller watches.
func (c *Cluster) watching() informer.ListSource {
	if c.tenancy == "" {
		return c.sim.Server()
	}
	return permitted{c.sim.Server()}
}

// permitted refuses watches that the controller has no right to.
type permitted struct{ *apiserver.Server }

// Watch implements informer.Source.
func (p permitted) Watch(gvk schema.GroupVersionKind, handler func(informer.Event)) (stop func(), err error) {
	if err := p.AuthorizeWatch(actorController, gvk); err != nil {
		return nil, err
	}
	return p.Server.Watch(gvk, handler)
}

// WatchList implements informer.ListSource.
func (p permitted) WatchList(gvk schema.GroupVersionKind, handler func(informer.Event), synced func()) (stop func(), err error) {
	if err := p.AuthorizeWatch(actorController, gvk); err != nil {
		return nil, err
	}
	return p.Server.WatchList(gvk, handler, synced)
}

// single is the kind of the objects of a list.
func single(gvk schema.GroupVersionKind) schema.GroupVersionKind {
	gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	return gvk
}
