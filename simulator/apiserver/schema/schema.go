// Package schema applies the structural schema of a CustomResourceDefinition to
// objects: it prunes fields that the schema does not name, fills in defaults, and
// validates.
//
// What it knows of OpenAPI v3: types, properties, additionalProperties, items,
// required, enum, the limits of numbers, strings, arrays and objects, pattern,
// nullable, default, x-kubernetes-preserve-unknown-fields,
// x-kubernetes-int-or-string and x-kubernetes-embedded-resource, and allOf, anyOf,
// oneOf and not for validation. It does not know formats; what needs the structural form
// of a schema is package structural's.
package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"unicode/utf8"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	kjson "sigs.k8s.io/json"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/roundtrip"
)

// Schema is a compiled schema. A nil Schema prunes nothing, defaults nothing and
// accepts everything.
type Schema struct {
	props *apiextensionsv1.JSONSchemaProps
	// regexps of the patterns in it, by their text.
	patterns map[string]*regexp.Regexp
}

// Compile reads a schema. It fails on patterns that are no regular expressions.
func Compile(props *apiextensionsv1.JSONSchemaProps) (*Schema, error) {
	if props == nil {
		return nil, nil
	}
	s := &Schema{props: props, patterns: map[string]*regexp.Regexp{}}
	if err := s.collect(props); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Schema) collect(p *apiextensionsv1.JSONSchemaProps) error {
	if p == nil {
		return nil
	}
	if p.Pattern != "" && s.patterns[p.Pattern] == nil {
		re, err := regexp.Compile(p.Pattern)
		if err != nil {
			return fmt.Errorf("pattern %q: %w", p.Pattern, err)
		}
		s.patterns[p.Pattern] = re
	}
	for _, name := range slices.Sorted(maps.Keys(p.Properties)) {
		sub := p.Properties[name]
		if err := s.collect(&sub); err != nil {
			return err
		}
	}
	if p.AdditionalProperties != nil {
		if err := s.collect(p.AdditionalProperties.Schema); err != nil {
			return err
		}
	}
	if p.Items != nil {
		if err := s.collect(p.Items.Schema); err != nil {
			return err
		}
	}
	for _, list := range [][]apiextensionsv1.JSONSchemaProps{p.AllOf, p.AnyOf, p.OneOf} {
		for i := range list {
			if err := s.collect(&list[i]); err != nil {
				return err
			}
		}
	}
	return s.collect(p.Not)
}

// Prune takes the fields out of an object that its schema does not name, and
// returns their paths in order. The top level keeps apiVersion, kind and metadata.
func (s *Schema) Prune(obj map[string]any) []string {
	if s == nil {
		return nil
	}
	return prune(obj, s.props, "", true)
}

func prune(v any, p *apiextensionsv1.JSONSchemaProps, path string, resource bool) []string {
	if p == nil {
		return nil
	}
	var pruned []string
	switch x := v.(type) {
	case map[string]any:
		preserve := p.XPreserveUnknownFields != nil && *p.XPreserveUnknownFields
		for _, k := range slices.Sorted(maps.Keys(x)) {
			at := k
			if path != "" {
				at = path + "." + k
			}
			if resource && (k == "apiVersion" || k == "kind" || k == "metadata") {
				if md, ok := x[k].(map[string]any); ok && path != "" {
					pruned = append(pruned, pruneMetadata(md, at)...)
				}
				continue
			}
			if sub, ok := p.Properties[k]; ok {
				pruned = append(pruned, prune(x[k], &sub, at, sub.XEmbeddedResource)...)
				continue
			}
			if a := p.AdditionalProperties; a != nil {
				if a.Schema != nil {
					pruned = append(pruned, prune(x[k], a.Schema, at, a.Schema.XEmbeddedResource)...)
				} else if !a.Allows {
					delete(x, k)
				}
				continue
			}
			if !preserve {
				delete(x, k)
				pruned = append(pruned, at)
			}
		}
	case []any:
		if p.Items != nil && p.Items.Schema != nil {
			for i := range x {
				pruned = append(pruned, prune(x[i], p.Items.Schema, fmt.Sprintf("%s[%d]", path, i), p.Items.Schema.XEmbeddedResource)...)
			}
		}
	}
	return pruned
}

// pruneMetadata takes out of an embedded object's metadata what is none.
func pruneMetadata(md map[string]any, path string) []string {
	var pruned []string
	for _, k := range slices.Sorted(maps.Keys(md)) {
		switch k {
		case "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
			"deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields":
		default:
			delete(md, k)
			pruned = append(pruned, path+"."+k)
		}
	}
	return pruned
}

// Default fills in what an object leaves out.
func (s *Schema) Default(obj map[string]any) {
	if s != nil {
		applyDefaults(obj, s.props)
	}
}

func applyDefaults(v any, p *apiextensionsv1.JSONSchemaProps) {
	if p == nil {
		return
	}
	switch x := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(p.Properties)) {
			sub := p.Properties[k]
			value, found := x[k]
			if found && value == nil && !sub.Nullable {
				found = false // a null where none is allowed counts as left out
				delete(x, k)
			}
			if !found && sub.Default != nil {
				var d any
				if kjson.UnmarshalCaseSensitivePreserveInts(sub.Default.Raw, &d) == nil {
					x[k] = d
				}
			}
			if inner, ok := x[k]; ok {
				applyDefaults(inner, &sub)
			}
		}
		if p.AdditionalProperties != nil && p.AdditionalProperties.Schema != nil {
			for _, k := range slices.Sorted(maps.Keys(x)) {
				if _, named := p.Properties[k]; !named {
					applyDefaults(x[k], p.AdditionalProperties.Schema)
				}
			}
		}
	case []any:
		if p.Items != nil && p.Items.Schema != nil {
			for i := range x {
				applyDefaults(x[i], p.Items.Schema)
			}
		}
	}
}

// Validate returns what is wrong with an object.
func (s *Schema) Validate(obj map[string]any) field.ErrorList { return s.ValidateChange(obj, nil) }

// ValidateChange is Validate for an object that was old before: what a change leaves as
// it was is not held against it. A nil old is none.
func (s *Schema) ValidateChange(obj, old map[string]any) field.ErrorList {
	if s == nil {
		return nil
	}
	if old == nil {
		return s.validate(obj, nil, s.props, nil)
	}
	return s.validate(obj, old, s.props, nil)
}

// validate returns what is wrong with v, which was old; nil if that is not known.
func (s *Schema) validate(v, old any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	if p == nil || old != nil && path != nil && roundtrip.EqualValues(v, old) {
		return nil
	}
	if v == nil {
		if p.Nullable || p.Type == "" {
			return nil
		}
		return field.ErrorList{field.Invalid(path, "null", fmt.Sprintf("%s in body must be of type %s: %q", path, p.Type, "null"))}
	}
	if err := wrongType(v, p, path); err != nil {
		return field.ErrorList{err}
	}
	errs := s.enum(v, p, path)
	switch x := v.(type) {
	case map[string]any:
		was, _ := old.(map[string]any)
		errs = append(errs, s.object(x, was, p, path)...)
	case []any:
		errs = append(errs, s.array(x, p, path)...)
	case string:
		errs = append(errs, s.text(x, p, path)...)
	case int64:
		errs = append(errs, number(float64(x), v, p, path)...)
	case float64:
		errs = append(errs, number(x, v, p, path)...)
	}
	return append(errs, s.combined(v, p, path)...)
}

func typeOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64:
		return "integer"
	case float64:
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

func wrongType(v any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) *field.Error {
	have := typeOf(v)
	switch {
	case p.XIntOrString && (have == "integer" || have == "string"), p.Type == "", p.Type == have, p.Type == "number" && have == "integer":
		return nil
	}
	return field.TypeInvalid(path, have, fmt.Sprintf("%s in body must be of type %s: %q", path, p.Type, have))
}

func (s *Schema) enum(v any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	if len(p.Enum) == 0 {
		return nil
	}
	var allowed []string
	for _, e := range p.Enum {
		var want any
		if kjson.UnmarshalCaseSensitivePreserveInts(e.Raw, &want) == nil && roundtrip.EqualValues(want, v) {
			return nil
		}
		if text, ok := want.(string); ok {
			allowed = append(allowed, text)
		} else {
			allowed = append(allowed, string(e.Raw))
		}
	}
	return field.ErrorList{field.NotSupported(path, v, allowed)}
}

func (s *Schema) object(x, old map[string]any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range p.Required {
		if _, ok := x[name]; !ok {
			errs = append(errs, field.Required(child(path, name), ""))
		}
	}
	if p.MaxProperties != nil && int64(len(x)) > *p.MaxProperties {
		errs = append(errs, field.TooMany(path, len(x), int(*p.MaxProperties)))
	}
	if p.MinProperties != nil && int64(len(x)) < *p.MinProperties {
		errs = append(errs, field.Invalid(path, len(x), fmt.Sprintf("%s in body should have at least %d properties", path, *p.MinProperties)))
	}
	for _, k := range slices.Sorted(maps.Keys(x)) {
		if sub, ok := p.Properties[k]; ok {
			errs = append(errs, s.validate(x[k], old[k], &sub, child(path, k))...)
		} else if a := p.AdditionalProperties; a != nil && a.Schema != nil {
			errs = append(errs, s.validate(x[k], old[k], a.Schema, key(path, k))...)
		}
	}
	return errs
}

func child(path *field.Path, name string) *field.Path {
	if path == nil {
		return field.NewPath(name)
	}
	return path.Child(name)
}

func key(path *field.Path, name string) *field.Path {
	if path == nil {
		return field.NewPath(name)
	}
	return path.Key(name)
}

func (s *Schema) array(x []any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	if p.MaxItems != nil && int64(len(x)) > *p.MaxItems {
		errs = append(errs, field.TooMany(path, len(x), int(*p.MaxItems)))
	}
	if p.MinItems != nil && int64(len(x)) < *p.MinItems {
		errs = append(errs, field.Invalid(path, len(x), fmt.Sprintf("%s in body should have at least %d items", path, *p.MinItems)))
	}
	if p.Items != nil {
		for i := range x {
			errs = append(errs, s.validate(x[i], nil, p.Items.Schema, path.Index(i))...)
		}
	}
	return errs
}

func (s *Schema) text(x string, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	n := int64(utf8.RuneCountInString(x))
	if p.MaxLength != nil && n > *p.MaxLength {
		errs = append(errs, field.TooLong(path, x, int(*p.MaxLength)))
	}
	if p.MinLength != nil && n < *p.MinLength {
		errs = append(errs, field.Invalid(path, x, fmt.Sprintf("%s in body should be at least %d chars long", path, *p.MinLength)))
	}
	if re := s.patterns[p.Pattern]; len(errs) == 0 && p.Pattern != "" && re != nil && !re.MatchString(x) {
		errs = append(errs, field.Invalid(path, x, fmt.Sprintf("%s in body should match '%s'", path, p.Pattern)))
	}
	return errs
}

func number(x float64, v any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	fail := func(relation string, bound float64) {
		errs = append(errs, field.Invalid(path, v, fmt.Sprintf("%s in body should be %s %v", path, relation, bound)))
	}
	if p.Maximum != nil {
		switch {
		case p.ExclusiveMaximum && x >= *p.Maximum:
			fail("less than", *p.Maximum)
		case !p.ExclusiveMaximum && x > *p.Maximum:
			fail("less than or equal to", *p.Maximum)
		}
	}
	if p.Minimum != nil {
		switch {
		case p.ExclusiveMinimum && x <= *p.Minimum:
			fail("greater than", *p.Minimum)
		case !p.ExclusiveMinimum && x < *p.Minimum:
			fail("greater than or equal to", *p.Minimum)
		}
	}
	if p.MultipleOf != nil && *p.MultipleOf != 0 && math.Mod(x, *p.MultipleOf) != 0 {
		fail("a multiple of", *p.MultipleOf)
	}
	return errs
}

func (s *Schema) combined(v any, p *apiextensionsv1.JSONSchemaProps, path *field.Path) field.ErrorList {
	var errs field.ErrorList
	for i := range p.AllOf {
		errs = append(errs, s.validate(v, nil, &p.AllOf[i], path)...)
	}
	matches := func(list []apiextensionsv1.JSONSchemaProps) (n int) {
		for i := range list {
			if len(s.validate(v, nil, &list[i], path)) == 0 {
				n++
			}
		}
		return n
	}
	where := "\"\""
	if path != nil {
		where = fmt.Sprintf("%q", path)
	}
	shown := any("")
	if text, err := json.Marshal(v); err == nil {
		shown = string(text)
	}
	if len(p.AnyOf) > 0 && matches(p.AnyOf) == 0 {
		errs = append(errs, field.Invalid(path, shown, fmt.Sprintf("%s must validate at least one schema (anyOf)", where)))
	}
	if len(p.OneOf) > 0 && matches(p.OneOf) != 1 {
		errs = append(errs, field.Invalid(path, shown, fmt.Sprintf("%s must validate one and only one schema (oneOf). Found none valid", where)))
	}
	if p.Not != nil && len(s.validate(v, nil, p.Not, path)) == 0 {
		errs = append(errs, field.Invalid(path, shown, fmt.Sprintf("%s must not validate the schema (not)", where)))
	}
	return errs
}
