package apiserver

import (
	"errors"
	"fmt"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/tree"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// This file serves a kind in further versions than the one that is stored.
//
// Such a version is a resource without objects of its own, a view: what it is asked for is looked up where the kind is
// stored and converted, what is written to it is admitted and validated in its version and converted before it is stored.
// So a write passes one way and its answer the other, as in a real server, and what the versions do not share is lost or
// filled in by the converter, not here.

// Converter turns objects of a kind into another version of it, as the conversion webhook of a
// CustomResourceDefinition does. It is asked once for each object of each request and each event. obj is shared: it must
// not be written to, and what is returned must not share with it.
type Converter interface {
	Convert(obj client.Object, to schema.GroupVersionKind) (client.Object, error)
}

// view says where the objects of a resource are.
type view struct {
	of        *resource
	converter Converter
}

// stored returns the resource that holds the objects.
func (r *resource) stored() *resource {
	if r.view == nil {
		return r
	}
	return r.view.of
}

// registerViews serves a kind in further versions.
func (s *Server) registerViews(r *resource, versions []string, c Converter) error {
	for _, version := range versions {
		k := r.Kind
		k.GVK.Version, k.Versions = version, nil
		if s.resources.byGVK[k.GVK] != nil {
			continue
		}
		v := s.newResource(k, r.strategy)
		v.view = &view{of: r, converter: c}
		if err := s.form(v); err != nil {
			return err
		}
		s.resources.byGVK[k.GVK] = v
		s.resources.views = append(s.resources.views, v)
	}
	return nil
}

// withdrawViews stops serving the versions of a kind that are not among those given.
func (s *Server) withdrawViews(r *resource, versions []string) {
	s.resources.views = slices.DeleteFunc(s.resources.views, func(v *resource) bool {
		gone := v.view.of == r && !slices.Contains(versions, v.GVK.Version)
		if gone {
			s.resources.forget(v)
		}
		return gone
	})
}

// shown returns a stored object in the version of r. A converted one belongs to the caller.
func (s *Server) shown(r *resource, obj client.Object) (client.Object, error) {
	if r.view == nil {
		return obj, nil
	}
	return r.view.convert(obj, r)
}

// file stores obj, which is in the version of r, and returns what was stored in that version.
func (s *Server) file(c *Call, r *resource, key client.ObjectKey, obj client.Object) (client.Object, error) {
	if r.view == nil {
		s.store(c, r, key, obj)
		return obj, nil
	}
	kept, err := r.view.convert(obj, r.view.of)
	if err != nil {
		return nil, err
	}
	s.store(c, r.view.of, key, kept)
	return r.view.convert(kept, r)
}

// convert asks the converter. Of the metadata it may change labels and annotations alone.
func (v *view) convert(obj client.Object, to *resource) (client.Object, error) {
	failed := func(err error) error {
		return internal(fmt.Errorf("conversion webhook for %v failed: %w", obj.GetObjectKind().GroupVersionKind(), err))
	}
	if v.converter == nil {
		return nil, failed(errors.New("the server has no converter"))
	}
	out, err := v.converter.Convert(obj, to.GVK)
	if err != nil {
		return nil, failed(err)
	}
	if out, err = to.formed(out); err != nil {
		return nil, failed(err)
	}
	if out.GetName() != obj.GetName() || out.GetNamespace() != obj.GetNamespace() || out.GetUID() != obj.GetUID() {
		return nil, failed(errors.New("the converted object is another one"))
	}
	settled, err := to.shape.settle(out, nil)
	if err != nil {
		return nil, failed(err)
	}
	settled.SetGenerateName(obj.GetGenerateName())
	settled.SetResourceVersion(obj.GetResourceVersion())
	settled.SetGeneration(obj.GetGeneration())
	settled.SetCreationTimestamp(obj.GetCreationTimestamp())
	settled.SetDeletionTimestamp(obj.GetDeletionTimestamp())
	settled.SetDeletionGracePeriodSeconds(obj.GetDeletionGracePeriodSeconds())
	settled.SetOwnerReferences(obj.GetOwnerReferences())
	settled.SetFinalizers(obj.GetFinalizers())
	settled.SetManagedFields(obj.GetManagedFields())
	return settled, nil
}

// formed gives an object the form in which the resource's objects lie in memory.
func (r *resource) formed(obj client.Object) (client.Object, error) {
	u, loose := obj.(*unstructured.Unstructured)
	switch {
	case loose && r.typed():
		out := r.shape.empty()
		return out, runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, out)
	case !loose && !r.typed():
		tree, err := r.trees.Tree(obj)
		return &unstructured.Unstructured{Object: tree}, err
	}
	return obj, nil
}

// listShown is list for a view.
func (s *Server) listShown(r *resource, sel selection) (page, error) {
	p, err := s.list(r.view.of, sel)
	if err != nil {
		return p, err
	}
	for i := range p.objects {
		if p.objects[i], err = s.shown(r, p.objects[i]); err != nil {
			return page{}, err
		}
	}
	return p, nil
}

// showing is a watch handler that sees events in the version of r. An object that cannot be converted is noted in the
// trace and not shown.
func (s *Server) showing(r *resource, handler func(informer.Event)) func(informer.Event) {
	return func(e informer.Event) {
		shown, err := s.shown(r, e.Object)
		if err != nil {
			s.kernel.Note(actorServer, "convert "+r.Plural, err.Error())
			return
		}
		handler(informer.Event{Type: e.Type, Object: shown})
	}
}

// In returns a stored object in a version in which its kind is served; it is for judges, who see what is stored. The
// object may be shared.
func (s *Server) In(gvk schema.GroupVersionKind, obj client.Object) (client.Object, error) {
	r, err := s.resourceFor(gvk)
	if err != nil {
		return nil, err
	}
	return s.shown(r, obj)
}

// Stored returns the version in which objects of a kind are stored, which is the one that changes are observed in.
func (s *Server) Stored(gvk schema.GroupVersionKind) schema.GroupVersionKind {
	if r := s.resources.byGVK[gvk]; r != nil {
		return r.stored().GVK
	}
	return gvk
}

// converterOf is who converts objects of a definition.
func (s *Server) converterOf(d *apiextensionsv1.CustomResourceDefinition) Converter {
	if c := d.Spec.Conversion; c == nil || c.Strategy == apiextensionsv1.NoneConverter {
		return renamed{s.types.trees}
	}
	return s.options.Converter
}

// servedBesides are the versions of a definition that are served and not stored.
func servedBesides(d *apiextensionsv1.CustomResourceDefinition, stored string) []string {
	var versions []string
	for i := range d.Spec.Versions {
		if v := &d.Spec.Versions[i]; v.Served && v.Name != stored {
			versions = append(versions, v.Name)
		}
	}
	return versions
}

// renamed is the strategy None: versions differ in their name alone.
type renamed struct{ trees *tree.Converter }

// Convert implements Converter.
func (r renamed) Convert(obj client.Object, to schema.GroupVersionKind) (client.Object, error) {
	out, ok := obj.DeepCopyObject().(client.Object)
	if !ok {
		return nil, fmt.Errorf("a %T has no metadata", obj)
	}
	if _, loose := out.(*unstructured.Unstructured); !loose {
		tree, err := r.trees.Tree(obj)
		if err != nil {
			return nil, err
		}
		out = &unstructured.Unstructured{Object: tree}
	}
	out.GetObjectKind().SetGroupVersionKind(to)
	return out, nil
}
