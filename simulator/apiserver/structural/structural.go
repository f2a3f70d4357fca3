// Package structural checks objects by what only the structural form of a
// CustomResourceDefinition's schema can say: rules in CEL (x-kubernetes-validations,
// those about transitions too), lists that are sets or maps, and the metadata of
// embedded objects. It is the code of a real server; package schema does the rest, fast.
//
// A Schema is made when it is first asked, since compiling rules takes milliseconds
// and most kinds are defined in many worlds and used in few.
//
// Limits: what rules would cost is bounded when they run, not estimated when they are
// defined.
package structural

import (
	"context"
	"maps"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	schemacel "k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel"
	"k8s.io/apiserver/pkg/cel/common"
	"k8s.io/apiserver/pkg/cel/environment"
)

// unchecked says that rules did not run.
const unchecked = "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation"

// Schema is a schema in structural form. A nil Schema accepts everything.
type Schema struct {
	props *apiextensionsv1.JSONSchemaProps
	made  bool
	form  *schema.Structural
	rules *schemacel.Validator
}

// New returns the structural form of a schema.
func New(props *apiextensionsv1.JSONSchemaProps) *Schema {
	if props == nil {
		return nil
	}
	return &Schema{props: props}
}

func form(props *apiextensionsv1.JSONSchemaProps) (*schema.Structural, error) {
	internal := &apiextensions.JSONSchemaProps{}
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(props, internal, nil); err != nil {
		return nil, err
	}
	return schema.NewStructural(internal)
}

// make compiles the schema. One that has no structural form has been refused before.
func (s *Schema) make() bool {
	if !s.made {
		s.made = true
		if made, err := form(s.props); err == nil {
			s.form, s.rules = made, schemacel.NewValidator(made, true, celconfig.PerCallLimit)
		}
	}
	return s.form != nil
}

// Validate returns what is wrong with an object, given what was found before; old is
// nil for a creation.
func (s *Schema) Validate(obj, old map[string]any, before field.ErrorList) field.ErrorList {
	if s == nil || !s.make() {
		return nil
	}
	ctx := context.Background()
	errs := objectmeta.Validate(ctx, nil, obj, s.form, false)
	if old == nil || len(listtype.ValidateListSetsAndMaps(nil, s.form, old)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, s.form, obj)...)
	}
	switch {
	case s.rules == nil:
		return errs
	case slices.ContainsFunc(before, blocks), slices.ContainsFunc(errs, blocks):
		return append(errs, field.Invalid(nil, nil, unchecked))
	}
	var options []schemacel.Option
	var was any // an untyped nil stands for none
	if old != nil {
		was = old
		options = append(options, schemacel.WithRatcheting(common.NewCorrelatedObject(obj, old, &model.Structural{Structural: s.form})))
	}
	broken, _ := s.rules.Validate(ctx, nil, s.form, obj, was, celconfig.RuntimeCELCostBudget, options...)
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
	if errs := schema.ValidateStructural(at, made); len(errs) > 0 {
		return errs
	}
	if !hasRules(made) {
		return nil
	}
	return checkRules(made, model.SchemaDeclType(made, true), at)
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
