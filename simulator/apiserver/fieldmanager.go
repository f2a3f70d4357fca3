package apiserver

import (
	"encoding/json"
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	applyextensions "k8s.io/apiextensions-apiserver/pkg/client/applyconfiguration"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// treeObject is an object in the form that field managers work on.
type treeObject = unstructured.Unstructured

// treeOf copies a stored object into a tree.
func treeOf(r *resource, obj client.Object) (*treeObject, error) {
	if u, ok := obj.(*treeObject); ok {
		return u.DeepCopy(), nil
	}
	tree, err := r.trees.Tree(obj)
	if err != nil {
		return nil, err
	}
	u := &treeObject{Object: tree}
	u.SetGroupVersionKind(r.GVK)
	return u, nil
}

// fieldManager returns what works out the owners of fields for writes through one
// endpoint of a kind.
func (s *Server) fieldManager(r *resource, subresource string) (*managedfields.FieldManager, error) {
	if m := r.managers[subresource]; m != nil {
		return m, nil
	}
	types, err := s.typeConverter(r)
	if err != nil {
		return nil, fmt.Errorf("schema of %s: %w", r.GVK.Kind, err)
	}
	forms := forms{s: s, r: r}
	gv := r.GVK.GroupVersion()
	make := managedfields.NewDefaultFieldManager
	if r.strategy.custom {
		make = managedfields.NewDefaultCRDFieldManager
	}
	m, err := make(types, forms, forms, forms, r.GVK, gv, subresource, r.resetBy(subresource, s.versionsOf(r)))
	if err != nil {
		return nil, err
	}
	if r.managers == nil {
		r.managers = map[string]*managedfields.FieldManager{}
	}
	r.managers[subresource] = m
	return m, nil
}

// typeConverter knows the schema of a kind: which lists are maps, sets or atoms.
// Client libraries carry those of the built-in kinds.
func (s *Server) typeConverter(r *resource) (managedfields.TypeConverter, error) {
	if r.strategy.custom {
		return customTypes(s.versionsOf(r))
	}
	scheme := s.types.schemeFor(r.GVK, true)
	if r.GVK.Group == apiextensionsv1.GroupName {
		return applyextensions.NewTypeConverter(scheme), nil
	}
	return applyconfigurations.NewTypeConverter(scheme), nil
}

// typeOfMeta is the name of metadata's type in the schema that is made for a custom
// kind; those of its versions are called by their names.
const typeOfMeta = "metadata"

// objectMetaSchema is as much of the schema of metadata as managers can own.
const objectMetaSchema = `{"type":"object","properties":{
	"name":{"type":"string"},"generateName":{"type":"string"},"namespace":{"type":"string"},"selfLink":{"type":"string"},"uid":{"type":"string"},
	"resourceVersion":{"type":"string"},"generation":{"type":"integer"},"creationTimestamp":{"type":"string"},"deletionTimestamp":{"type":"string"},
	"deletionGracePeriodSeconds":{"type":"integer"},
	"labels":{"type":"object","additionalProperties":{"type":"string"}},
	"annotations":{"type":"object","additionalProperties":{"type":"string"}},
	"finalizers":{"type":"array","items":{"type":"string"},"x-kubernetes-list-type":"set"},
	"ownerReferences":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["uid"],"items":{
		"type":"object","x-kubernetes-map-type":"atomic","properties":{
			"apiVersion":{"type":"string"},"kind":{"type":"string"},"name":{"type":"string"},"uid":{"type":"string"},
			"controller":{"type":"boolean"},"blockOwnerDeletion":{"type":"boolean"}}}},
	"managedFields":{"type":"array","x-kubernetes-list-type":"atomic","items":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}`

// customTypes makes the schema of a custom kind in its versions.
func customTypes(versions []*resource) (managedfields.TypeConverter, error) {
	meta := &spec.Schema{}
	if err := json.Unmarshal([]byte(objectMetaSchema), meta); err != nil {
		return nil, err
	}
	types := map[string]*spec.Schema{typeOfMeta: meta}
	for _, r := range versions {
		kind, err := r.typeFromDefinition()
		if err != nil {
			return nil, err
		}
		types["of "+r.GVK.Version] = kind
	}
	return managedfields.NewTypeConverter(types, false)
}

// typeFromDefinition makes the schema of one version. Without a definition everything
// but metadata is taken as it comes: maps are merged, lists are atoms.
func (r *resource) typeFromDefinition() (*spec.Schema, error) {
	kind := &spec.Schema{}
	text := []byte(`{"type":"object","x-kubernetes-preserve-unknown-fields":true}`)
	if r.custom != nil && r.custom.props != nil {
		var err error
		if text, err = json.Marshal(r.custom.props); err != nil {
			return nil, err
		}
	}
	if err := json.Unmarshal(text, kind); err != nil {
		return nil, err
	}
	if kind.Properties == nil {
		kind.Properties = map[string]spec.Schema{}
	}
	kind.Properties["apiVersion"] = *spec.StringProperty()
	kind.Properties["kind"] = *spec.StringProperty()
	kind.Properties["metadata"] = *spec.RefSchema("#/definitions/" + typeOfMeta)
	kind.AddExtension("x-kubernetes-group-version-kind", []any{
		map[string]any{"group": r.GVK.Group, "version": r.GVK.Version, "kind": r.GVK.Kind},
	})
	return kind, nil
}

// forms stands where a field manager asks for conversions, defaults and empty
// objects: all of it is trees, and defaults come later.
type forms struct {
	s *Server
	r *resource
}

var (
	_ runtime.ObjectConvertor = forms{}
	_ runtime.ObjectDefaulter = forms{}
	_ runtime.ObjectCreater   = forms{}
)

// Convert implements runtime.ObjectConvertor.
func (f forms) Convert(in, _, _ any) error { return fmt.Errorf("a %T is not converted", in) }

// ConvertToVersion implements runtime.ObjectConvertor.
func (f forms) ConvertToVersion(in runtime.Object, to runtime.GroupVersioner) (runtime.Object, error) {
	from := f.s.resources.byGVK[in.GetObjectKind().GroupVersionKind()]
	u, ok := in.(*treeObject)
	if from == nil || !ok {
		return nil, fmt.Errorf("a %T of %v is not converted", in, in.GetObjectKind().GroupVersionKind())
	}
	for _, target := range f.s.versionsOf(f.r) {
		// It answers for the group, in its own version.
		if gvk, ok := to.KindForGroupVersionKinds([]schema.GroupVersionKind{target.GVK}); ok && gvk == target.GVK {
			return f.s.converted(from, target, u)
		}
	}
	return nil, runtime.NewNotRegisteredErrForTarget(f.r.GVK.Kind, nil, to)
}

// versionsOf returns the resources that serve the objects of r.
func (s *Server) versionsOf(r *resource) []*resource {
	out := []*resource{r.stored()}
	for _, v := range s.resources.views {
		if v.stored() == r.stored() {
			out = append(out, v)
		}
	}
	return out
}

// converted turns a tree of one version into one of another.
func (s *Server) converted(from, to *resource, u *treeObject) (*treeObject, error) {
	if from == to {
		return u, nil
	}
	obj, err := from.formed(u)
	if err == nil && from.view != nil {
		obj, err = from.view.convert(obj, from.view.of)
	}
	if err == nil {
		obj, err = s.shown(to, obj)
	}
	if err != nil {
		return nil, err
	}
	return treeOf(to, obj)
}

// ConvertFieldLabel implements runtime.ObjectConvertor.
func (f forms) ConvertFieldLabel(_ schema.GroupVersionKind, label, value string) (string, string, error) {
	return label, value, nil
}

// Default implements runtime.ObjectDefaulter.
func (f forms) Default(runtime.Object) {}

// New implements runtime.ObjectCreater.
func (f forms) New(kind schema.GroupVersionKind) (runtime.Object, error) {
	u := &treeObject{Object: map[string]any{}}
	u.SetGroupVersionKind(kind)
	return u, nil
}
