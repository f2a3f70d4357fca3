// Package structural applies the schema of a CustomResourceDefinition to objects: it prunes fields that the schema does
// not name, fills in defaults, and validates, with the rules in CEL (x-kubernetes-validations, those about transitions
// too), lists that are sets or maps, and the metadata of embedded objects. All of it is the code of a real server
// (k8s.io/apiextensions-apiserver); what is here puts it together, and puts errors in an order that does not depend on
// that of a map.
//
// A Schema is made when it is first asked, since compiling rules takes milliseconds
// and most kinds are defined in many worlds and used in few.
//
// Limits: what rules would cost is bounded when they run, not estimated when they are
// defined.
package structural

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
)

// unchecked says that rules did not run.
const unchecked = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

// nowhere is the field of an error that names none. Such errors come last.
var nowhere = (*field.Path)(nil).String()

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Schema is a schema in structural form. A nil Schema prunes nothing, defaults nothing and accepts everything.
type Schema struct {
	props     *apiextensionsv1.JSONSchemaProps
	made      bool
	form      *schema.Structural
	validator validation.SchemaValidator
	rules     *schemacel.Validator
}

// New returns the structural form of a schema.
func New(props *apiextensionsv1.JSONSchemaProps) *Schema {
	if props == nil {
		return nil
	}
	return &Schema{props: props}
}

func internal(props *apiextensionsv1.JSONSchemaProps) (*apiextensions.JSONSchemaProps, error) {
	out := &apiextensions.JSONSchemaProps{}
	return out, apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, out, nil)
}

func form(props *apiextensionsv1.JSONSchemaProps) (*schema.Structural, error) {
	in, err := internal(props)
	if err != nil {
		return nil, err
	}
	return schema.NewStructural(in)
}

// make compiles the schema. One that has no structural form has been refused before.
func (s *Schema) make() bool {
	if s == nil || s.made {
		return s != nil && s.form != nil
	}
	s.made = true
	in, err := internal(s.props)
	if err != nil {
		return false
	}
	made, err := schema.NewStructural(in)
	if err != nil {
		return false
	}
	validator, _, err := validation.NewSchemaValidator(in)
	if err != nil {
		return false
	}
	s.form, s.validator, s.rules = made, validator, schemacel.NewValidator(made, true, celconfig.PerCallLimit)
	return true
}

// Prune takes the fields out of an object that its schema does not name, and returns their paths in order. The top level
// keeps apiVersion, kind and metadata.
func (s *Schema) Prune(obj map[string]any) []string {
	if !s.make() {
		return nil
	}
	track := schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true}
	unknown := pruning.PruneWithOptions(obj, s.form, true, track)
	// An error is for what validation says of the same metadata.
	_, more := objectmeta.CoerceWithOptions(nil, obj, s.form, false, objectmeta.CoerceOptions{ReturnUnknownFieldPaths: true})
	unknown = append(unknown, more...)
	slices.Sort(unknown)
	return unknown
}

// Default fills in what an object leaves out. A null where none is allowed counts as left out.
func (s *Schema) Default(obj map[string]any) {
	if s.make() {
		defaulting.PruneNonNullableNullsWithoutDefaults(obj, s.form)
		defaulting.Default(obj, s.form)
	}
}

// Validate returns what is wrong with an object that was old before, which is nil for a creation. What a change leaves as
// it was is not held against it.
func (s *Schema) Validate(obj, old map[string]any) field.ErrorList {
	if !s.make() {
		return nil
	}
	ctx := context.Background()
	var errs field.ErrorList
	var celOptions []schemacel.Option
	var was any // an untyped nil stands for none
	if old == nil {
		errs = validation.ValidateCustomResource(nil, obj, s.validator)
	} else {
		was = old
		pair := common.NewCorrelatedObject(obj, old, &model.Structural{Structural: s.form})
		errs = validation.ValidateCustomResourceUpdate(nil, obj, old, s.validator, validation.WithRatcheting(pair))
		celOptions = append(celOptions, schemacel.WithRatcheting(pair))
	}
	slices.SortStableFunc(errs, func(a, b *field.Error) int {
		return cmp.Or(compareBool(a.Field == nowhere, b.Field == nowhere), strings.Compare(a.Field, b.Field), strings.Compare(string(a.Type), string(b.Type)), strings.Compare(a.Detail, b.Detail))
	})
	errs = append(errs, objectmeta.Validate(ctx, nil, obj, s.form, false)...)
	if old == nil || len(listtype.ValidateListSetsAndMaps(nil, s.form, old)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.form, obj)...)
	}
	switch {
	case s.rules == nil:
		return errs
	case slices.ContainsFunc(errs, blocks):
		return append(errs, field.Invalid(nil, nil, unchecked))
	}
	broken, _ := s.rules.Validate(ctx, nil, s.form, obj, was, celconfig.RuntimeCELCostBudget, celOptions...)
	return append(errs, broken...)
}

// blocks reports whether rules cannot run on an object with such an error.
func blocks(err *field.Error) bool {
	switch err.Type {
	case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
		return true
	}
	return false
}

// Check returns what is wrong with a schema: where it is not structural, and rules that
// do not compile.
func Check(props *apiextensionsv1.JSONSchemaProps, at *field.Path) field.ErrorList {
	made, err := form(props)
	if err != nil {
		return field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	errs := schema.ValidateStructural(at, made)
	errs = append(errs, checkPatterns(made, at)...)
	if len(errs) > 0 {
		return errs
	}
	if !hasRules(made) {
		return nil
	}
	return checkRules(made, model.SchemaDeclType(made, true), at)
}

// checkPatterns finds patterns that are no regular expressions. A real server takes them and then refuses every text; here
// the mistake is said where it is made.
func checkPatterns(s *schema.Structural, at *field.Path) field.ErrorList {
	if s == nil {
		return nil
	}
	var errs field.ErrorList
	if s.ValueValidation != nil && s.ValueValidation.Pattern != "" {
		if _, err := regexp.Compile(s.ValueValidation.Pattern); err != nil {
			errs = append(errs, field.Invalid(at.Child("pattern"), s.ValueValidation.Pattern, err.Error()))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		sub := s.Properties[name]
		errs = append(errs, checkPatterns(&sub, at.Child("properties").Key(name))...)
	}
	errs = append(errs, checkPatterns(s.Items, at.Child("items"))...)
	if s.AdditionalProperties != nil {
		errs = append(errs, checkPatterns(s.AdditionalProperties.Structural, at.Child("additionalProperties"))...)
	}
	return errs
}

func hasRules(s *schema.Structural) bool {
	if s == nil {
		return false
	}
	if len(s.XValidations) > 0 || hasRules(s.Items) || s.AdditionalProperties != nil && hasRules(s.AdditionalProperties.Structural) {
		return true
	}
	for name := range s.Properties {
		sub := s.Properties[name]
		if hasRules(&sub) {
			return true
		}
	}
	return false
}

// checkRules compiles the rules of a schema and of what is below it.
func checkRules(s *schema.Structural, declared *cel.DeclType, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		sub := s.Properties[name]
		if hasRules(&sub) {
			errs = append(errs, checkRules(&sub, model.SchemaDeclType(&sub, sub.XEmbeddedResource), at.Child("properties").Key(name))...)
		}
	}
	if hasRules(s.Items) {
		errs = append(errs, checkRules(s.Items, model.SchemaDeclType(s.Items, s.Items.XEmbeddedResource), at.Child("items"))...)
	}
	if more := s.AdditionalProperties; more != nil && hasRules(more.Structural) {
		errs = append(errs, checkRules(more.Structural, model.SchemaDeclType(more.Structural, more.Structural.XEmbeddedResource), at.Child("additionalProperties"))...)
	}
	if len(s.XValidations) == 0 {
		return errs
	}
	rules := at.Child("x-kubernetes-validations")
	set := environment.MustBaseEnvSet(environment.DefaultCompatibilityVersion())
	results, err := schemacel.Compile(s, declared, celconfig.PerCallLimit, set, schemacel.NewExpressionsEnvLoader())
	if err != nil {
		return append(errs, field.InternalError(rules, err))
	}
	for i, r := range results {
		rule := apiextensions.ValidationRule{} // as it is shown
		if err := apiextensionsv1.Convert_v1_ValidationRule_To_apiextensions_ValidationRule(&s.XValidations[i], &rule, nil); err != nil {
			errs = append(errs, field.InternalError(rules, err))
		}
		switch {
		case r.Error != nil && r.Error.Type == cel.ErrorTypeRequired:
			errs = append(errs, field.Required(rules.Index(i).Child("rule"), r.Error.Detail))
		case r.Error != nil:
			errs = append(errs, field.Invalid(rules.Index(i).Child("rule"), rule, r.Error.Detail))
		}
		if r.MessageExpressionError != nil {
			errs = append(errs, field.Invalid(rules.Index(i).Child("messageExpression"), rule, r.MessageExpressionError.Detail))
		}
		if !r.UsesOldSelf && rule.OptionalOldSelf != nil {
			errs = append(errs, field.Invalid(rules.Index(i).Child("optionalOldSelf"), *rule.OptionalOldSelf, "may not be set if oldSelf is not used in rule"))
		}
	}
	return errs
}
