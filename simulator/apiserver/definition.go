package apiserver

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/structural"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// definitionStrategy is that of CustomResourceDefinitions: a definition is in
// force, and says so in its status, from the write that stores it.
func definitionStrategy() strategy {
	return strategy{
		name:       validation.NameIsDNSSubdomain,
		generation: generationOfSpec,
		keepStatus: true,
		apply: func(obj client.Object) {
			d, ok := obj.(*apiextensionsv1.CustomResourceDefinition)
			if !ok {
				return
			}
			names := &d.Spec.Names
			if names.Singular == "" {
				names.Singular = strings.ToLower(names.Kind)
			}
			if names.ListKind == "" && names.Kind != "" {
				names.ListKind = names.Kind + "List"
			}
			if d.Spec.Conversion == nil {
				d.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter}
			}
		},
		created: func(s *Server, obj client.Object) {
			if d, ok := obj.(*apiextensionsv1.CustomResourceDefinition); ok {
				d.Status = establishedStatus(s, d)
			}
		},
		validate:  validateDefinition,
		committed: definitionChanged,
		validateUpdate: func(obj, _ client.Object) field.ErrorList {
			return validateDefinition(obj)
		},
	}
}

func establishedStatus(s *Server, d *apiextensionsv1.CustomResourceDefinition) apiextensionsv1.CustomResourceDefinitionStatus {
	condition := func(t apiextensionsv1.CustomResourceDefinitionConditionType, reason, message string) apiextensionsv1.CustomResourceDefinitionCondition {
		return apiextensionsv1.CustomResourceDefinitionCondition{
			Type: t, Status: apiextensionsv1.ConditionTrue, LastTransitionTime: s.now(), Reason: reason, Message: message,
		}
	}
	st := apiextensionsv1.CustomResourceDefinitionStatus{
		AcceptedNames: *d.Spec.Names.DeepCopy(),
		Conditions: []apiextensionsv1.CustomResourceDefinitionCondition{
			condition(apiextensionsv1.NamesAccepted, "NoConflicts", "no conflicts found"),
			condition(apiextensionsv1.Established, "InitialNamesAccepted", "the initial names have been accepted"),
		},
	}
	if v := storageVersion(d); v != nil {
		st.StoredVersions = []string{v.Name}
	}
	return st
}

func storageVersion(d *apiextensionsv1.CustomResourceDefinition) *apiextensionsv1.CustomResourceDefinitionVersion {
	for i := range d.Spec.Versions {
		if d.Spec.Versions[i].Storage {
			return &d.Spec.Versions[i]
		}
	}
	return nil
}

func validateDefinition(obj client.Object) field.ErrorList {
	d, ok := obj.(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return nil
	}
	var errs field.ErrorList
	spec := field.NewPath("spec")
	if want := d.Spec.Names.Plural + "." + d.Spec.Group; d.Name != want {
		errs = append(errs, field.Invalid(field.NewPath("metadata", "name"), d.Name, "must be spec.names.plural+\".\"+spec.group"))
	}
	if d.Spec.Group == "" {
		errs = append(errs, field.Required(spec.Child("group"), ""))
	}
	if d.Spec.Names.Kind == "" {
		errs = append(errs, field.Required(spec.Child("names", "kind"), ""))
	}
	if d.Spec.Names.Plural == "" {
		errs = append(errs, field.Required(spec.Child("names", "plural"), ""))
	}
	scopes := []apiextensionsv1.ResourceScope{apiextensionsv1.ClusterScoped, apiextensionsv1.NamespaceScoped}
	switch {
	case d.Spec.Scope == "":
		errs = append(errs, field.Required(spec.Child("scope"), ""))
	case !slices.Contains(scopes, d.Spec.Scope):
		errs = append(errs, field.NotSupported(spec.Child("scope"), d.Spec.Scope, scopes))
	}
	stored := 0
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		if v.Storage {
			stored++
		}
		at := spec.Child("versions").Index(i).Child("schema", "openAPIV3Schema")
		if sameSchemas(d) {
			// What all versions share a server keeps, and finds fault with, once.
			at = spec.Child("validation", "openAPIV3Schema")
		}
		if v.Schema == nil || v.Schema.OpenAPIV3Schema == nil {
			errs = append(errs, field.Required(at, "schemas are required"))
			continue
		}
		if i == 0 || !sameSchemas(d) {
			errs = append(errs, structural.Check(v.Schema.OpenAPIV3Schema, at)...)
		}
	}
	if stored != 1 {
		errs = append(errs, field.Invalid(spec.Child("versions"), len(d.Spec.Versions), "must have exactly one version marked as storage version"))
	}
	return errs
}

func sameSchemas(d *apiextensionsv1.CustomResourceDefinition) bool {
	for i := range d.Spec.Versions {
		if !equality.Semantic.DeepEqual(d.Spec.Versions[0].Schema, d.Spec.Versions[i].Schema) {
			return false
		}
	}
	return true
}

// definitionChanged puts a definition into force. It stores what the definition
// stores, unless another version was served from the beginning.
func definitionChanged(s *Server, _ *resource, ch Change) {
	d, ok := ch.Object().(*apiextensionsv1.CustomResourceDefinition)
	if !ok {
		return
	}
	v := storageVersion(d)
	for i := range d.Spec.Versions {
		gvk := runtimeschema.GroupVersionKind{Group: d.Spec.Group, Version: d.Spec.Versions[i].Name, Kind: d.Spec.Names.Kind}
		if r := s.resources.byGVK[gvk]; r != nil && r.view == nil {
			v = &d.Spec.Versions[i]
		}
	}
	if v == nil {
		return
	}
	gvk := runtimeschema.GroupVersionKind{Group: d.Spec.Group, Version: v.Name, Kind: d.Spec.Names.Kind}
	if ch.Type == watch.Deleted {
		s.later(func() { s.withdraw(gvk) })
		return
	}
	k := Kind{
		GVK: gvk, Plural: d.Spec.Names.Plural, Singular: d.Spec.Names.Singular, Namespaced: d.Spec.Scope == apiextensionsv1.NamespaceScoped,
		Status: v.Subresources != nil && v.Subresources.Status != nil,
	}
	if err := s.Register(k); err != nil {
		s.kernel.Note(actorServer, "register "+d.Name, err.Error())
		return
	}
	served := servedBesides(d, v.Name)
	s.withdrawViews(s.resources.byGVK[gvk], served)
	if err := s.registerViews(s.resources.byGVK[gvk], served, s.converterOf(d)); err != nil {
		s.kernel.Note(actorServer, "register "+d.Name, err.Error())
	}
	s.resources.remap(s.types)
	for i := range d.Spec.Versions {
		v := &d.Spec.Versions[i]
		gvk.Version = v.Name
		r := s.resources.byGVK[gvk]
		if r == nil || r.typed() || v.Schema == nil {
			continue
		}
		r.custom, r.managers = &customResource{schema: structural.New(v.Schema.OpenAPIV3Schema), props: v.Schema.OpenAPIV3Schema}, nil
	}
}

// withdraw stops serving a kind whose definition is gone, with all its objects.
func (s *Server) withdraw(gvk runtimeschema.GroupVersionKind) {
	r := s.resources.byGVK[gvk]
	if r == nil {
		return
	}
	var keys []client.ObjectKey
	r.table.each("", "", func(e *entry) bool {
		keys = append(keys, e.key())
		return true
	})
	c := &Call{Actor: actorServer, Verb: Delete, GVK: gvk, Resource: r.gr}
	for _, key := range keys {
		s.remove(c, r, key)
	}
	s.unregister(r)
}

// customResource is what a definition says about the objects of a kind that has no
// Go type. Nil says nothing.
type customResource struct {
	schema *structural.Schema
	props  *apiextensionsv1.JSONSchemaProps
}

// apply prunes and defaults an object that was decoded, and returns the paths of
// the fields that were not known.
func (c *customResource) apply(obj client.Object) (unknown []string) {
	u, ok := obj.(*unstructured.Unstructured)
	if c == nil || !ok {
		return nil
	}
	unknown = c.schema.Prune(u.Object)
	c.schema.Default(u.Object)
	return unknown
}

// validate returns what is wrong with an object; old is nil for creations.
func (c *customResource) validate(obj, old client.Object) field.ErrorList {
	u, ok := obj.(*unstructured.Unstructured)
	if c == nil || !ok {
		return nil
	}
	var before map[string]any
	if old != nil {
		before = content(old)
	}
	return c.schema.Validate(u.Object, before)
}

// refuseUnknown is the answer to unknown fields where they are to be refused.
func (r *resource) refuseUnknown(unknown []string) error {
	parts := make([]string, len(unknown))
	for i, f := range unknown {
		parts[i] = fmt.Sprintf("unknown field %q", f)
	}
	return fmt.Errorf("strict decoding error: %s", strings.Join(parts, ", "))
}
