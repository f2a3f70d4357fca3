package apiserver

import (
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// writeOptions are what the options of creates, updates and patches come to.
type writeOptions struct {
	dryRun     bool
	validation string // of unknown fields: Strict, Warn or Ignore
	manager    string // the owner of the fields that are written
	force      bool   // applies take fields from others
}

// sent are the options of a write as they came.
type sent struct {
	dryRun     []string
	validation string
	manager    string
	force      *bool
	patch      types.PatchType
}

// options reads what came with a verb; most writes come with nothing to look at.
func (w sent) options(verb Verb) (writeOptions, error) {
	o := writeOptions{dryRun: len(w.dryRun) > 0, validation: w.validation, manager: w.manager, force: w.force != nil && *w.force}
	if w.validation == "" {
		o.validation = metav1.FieldValidationWarn
	}
	if len(w.dryRun) == 0 && w.validation == "" && w.manager == "" && w.force == nil && w.patch != types.ApplyYAMLPatchType {
		return o, nil
	}
	var errs field.ErrorList
	kind := "CreateOptions"
	switch verb {
	case Patch:
		kind = "PatchOptions"
		errs = metavalidation.ValidatePatchOptions(&metav1.PatchOptions{DryRun: w.dryRun, FieldValidation: w.validation, FieldManager: w.manager, Force: w.force}, w.patch)
	case Update:
		kind = "UpdateOptions"
		errs = metavalidation.ValidateUpdateOptions(&metav1.UpdateOptions{DryRun: w.dryRun, FieldValidation: w.validation, FieldManager: w.manager})
	default:
		errs = metavalidation.ValidateCreateOptions(&metav1.CreateOptions{DryRun: w.dryRun, FieldValidation: w.validation, FieldManager: w.manager})
	}
	return o, refuseOptions(kind, errs)
}

// refuseOptions is the answer to options with errors; nil if there are none.
func refuseOptions(kind string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
}
