package apiserver

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
	"github.com/plumbline-ci/plumbline/simulator/shelf"
)

// Kind is a kind of object that a server serves, as its
// CustomResourceDefinition would describe it.
type Kind struct {
	GVK        schema.GroupVersionKind
	Plural     string // lower case; empty means guessed from the kind
	Singular   string // empty means the kind in lower case
	Namespaced bool
	// Versions are further versions in which the kind is served; GVK has the one that
	// is stored. Options.Converter turns one into the other.
	Versions []string
	// Status gives the kind a status subresource: then the main endpoint ignores
	// status, the status endpoint ignores all else, and generation counts changes
	// outside metadata and status.
	Status bool
	// AtRest, if set, reports whether an object has come to its end: then it is seldom read, and it is kept
	// packed if there are many of them.
	AtRest func(client.Object) bool
}

// resource is a served kind with everything that is kept for it.
type resource struct {
	Kind
	gr       schema.GroupResource
	strategy strategy
	shape    shape
	trees    *tree.Converter
	listType reflect.Type // struct type of the typed list, or nil
	table    table
	mortals  expiring
	packing  *roundtrip.Packing // of objects at rest; nil if they stay as they are
	shelf    *shelf.Shelf       // of those that are; nil as long as there is none
	history  history
	watchers []*watcher
	deliver  string // what the trace calls a watch event
	traces   map[traceKey]string
	hooks    map[string][]Admission // by subresource
	custom   *customResource
	view     *view // set for a version that is not stored
	// tracking is set once an object of the kind may have managedFields.
	tracking bool
	managers map[string]*managedfields.FieldManager // by subresource
}

func (r *resource) typed() bool { return r.shape.goType() != nil }

func (r *resource) listGVK() schema.GroupVersionKind { return listOf(r.GVK) }

func listOf(gvk schema.GroupVersionKind) schema.GroupVersionKind {
	gvk.Kind += "List"
	return gvk
}

// registry finds resources.
type registry struct {
	byGVK  map[schema.GroupVersionKind]*resource
	byType map[reflect.Type]*resource // of objects and of lists
	order  []*resource
	views  []*resource // not among order: they have no objects
	mapper *mapper
}

func (g *registry) init() {
	g.byGVK = map[schema.GroupVersionKind]*resource{}
	g.byType = map[reflect.Type]*resource{}
	g.mapper = &mapper{meta.NewDefaultRESTMapper(nil)}
}

func (s *Server) register(k Kind, st strategy) error {
	if k.GVK.Kind == "" || k.GVK.Version == "" {
		return fmt.Errorf("kind %v needs a version and a kind", k.GVK)
	}
	if k.Singular == "" {
		k.Singular = strings.ToLower(k.GVK.Kind)
	}
	if k.Plural == "" {
		plural, _ := meta.UnsafeGuessKindToResource(k.GVK)
		k.Plural = plural.Resource
	}
	if r := s.resources.byGVK[k.GVK]; r != nil {
		r.Status = k.Status
		return s.registerViews(r, k.Versions, s.options.Converter)
	}
	r := s.newResource(k, st)
	if err := s.form(r); err != nil {
		return err
	}
	s.resources.byGVK[k.GVK] = r
	s.resources.order = append(s.resources.order, r)
	return s.registerViews(r, k.Versions, s.options.Converter)
}

// newResource returns a resource that has no shape yet.
func (s *Server) newResource(k Kind, st strategy) *resource {
	r := &resource{
		Kind:     k,
		gr:       schema.GroupResource{Group: k.GVK.Group, Resource: k.Plural},
		strategy: st,
		trees:    s.types.trees,
	}
	r.history.limit, r.history.floor = s.options.History, s.version
	r.tracking = s.options.ManageFields
	if st.ttl > 0 {
		s.mortal = append(s.mortal, r)
	}
	return r
}

// form finds out how the objects of a resource lie in memory.
func (s *Server) form(r *resource) error {
	types, err := s.types.of(r.GVK, !r.strategy.custom)
	switch {
	case err != nil:
		return err
	case types.layout == nil:
		r.shape = looseShape{gvk: r.GVK}
		return nil
	}
	r.shape = newTypedShape(types.layout)
	if err := s.furnish(r, types.layout); err != nil {
		return err
	}
	s.resources.byType[types.t] = r
	if types.list != nil {
		r.listType = types.list
		s.resources.byType[types.list] = r
	}
	return nil
}

// furnish prepares a kind whose objects come to rest for a shelf of them. Where changes of shared objects are to be found, all
// objects stay as they are.
func (s *Server) furnish(r *resource, l *layout) error {
	if r.AtRest == nil || s.shared != nil {
		return nil
	}
	packing, err := s.types.plans.Packing(l.t)
	if err != nil {
		return fmt.Errorf("kind %v: %w", r.GVK, err)
	}
	r.packing = packing
	return nil
}

// refer returns how the table holds an object.
func (r *resource) refer(obj client.Object) shelf.Ref {
	if r.packing != nil && r.AtRest(obj) {
		if r.shelf == nil {
			r.shelf = shelf.New(r.packing)
		}
		return shelf.Shelved(r.shelf.Put(obj))
	}
	return shelf.Direct(obj)
}

// unregister stops serving a kind in all its versions, as when its definition is
// deleted.
func (s *Server) unregister(r *resource) {
	g := &s.resources
	gone := func(o *resource) bool { return o.stored() == r }
	for _, o := range slices.Concat(g.order, g.views) {
		if gone(o) {
			g.forget(o)
		}
	}
	g.order = slices.DeleteFunc(g.order, gone)
	g.views = slices.DeleteFunc(g.views, gone)
	g.remap(s.types)
}

// forget makes a resource unknown by its kind and its Go types.
func (g *registry) forget(r *resource) {
	delete(g.byGVK, r.GVK)
	if t := r.shape.goType(); t != nil {
		delete(g.byType, t)
	}
	if r.listType != nil {
		delete(g.byType, r.listType)
	}
}

// remap makes the mapper again.
func (g *registry) remap(t *Types) {
	g.mapper.DefaultRESTMapper = t.mapperOf(slices.Concat(g.order, g.views)) // what is stored is preferred
}

// newMapper returns a mapper of kinds. It needs to know all versions from the beginning, to map a kind without one.
func newMapper(all []*resource) *meta.DefaultRESTMapper {
	var versions []schema.GroupVersion
	for _, r := range all {
		if gv := r.GVK.GroupVersion(); !slices.Contains(versions, gv) {
			versions = append(versions, gv)
		}
	}
	m := meta.NewDefaultRESTMapper(versions)
	for _, r := range all {
		scope := meta.RESTScopeRoot
		if r.Namespaced {
			scope = meta.RESTScopeNamespace
		}
		gv := r.GVK.GroupVersion()
		m.AddSpecific(r.GVK, gv.WithResource(r.Plural), gv.WithResource(r.Singular), scope)
	}
	return m
}

// mapper is a RESTMapper that follows the kinds as they come and go.
type mapper struct{ *meta.DefaultRESTMapper }

// resourceOf finds the resource of an object or list in a client's hands. It
// fails as a real client does: with the scheme's error for an unknown type, with
// a NoKindMatchError for a kind that is not served.
func (s *Server) resourceOf(obj runtime.Object) (*resource, error) {
	switch obj.(type) {
	case *unstructured.Unstructured, *unstructured.UnstructuredList, *metav1.PartialObjectMetadata, *metav1.PartialObjectMetadataList:
	default:
		if t := reflect.TypeOf(obj); t != nil && t.Kind() == reflect.Pointer {
			if r := s.resources.byType[t.Elem()]; r != nil {
				return r, nil
			}
		}
	}
	gvk, err := apiutil.GVKForObject(obj, s.scheme)
	if err != nil {
		return nil, err
	}
	if isList(obj) {
		gvk.Kind = strings.TrimSuffix(gvk.Kind, "List")
	}
	return s.resourceFor(gvk)
}

// isList tells a list from an object. An unstructured object has the methods of both.
func isList(o runtime.Object) bool {
	if _, object := o.(*unstructured.Unstructured); object {
		return false
	}
	_, list := o.(client.ObjectList)
	return list
}

func (s *Server) resourceFor(gvk schema.GroupVersionKind) (*resource, error) {
	if r := s.resources.byGVK[gvk]; r != nil {
		return r, nil
	}
	return nil, &meta.NoKindMatchError{GroupKind: gvk.GroupKind(), SearchedVersions: []string{gvk.Version}}
}
