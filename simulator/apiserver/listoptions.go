package apiserver

import (
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metavalidation "k8s.io/apimachinery/pkg/apis/meta/internalversion/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// selection is what a list or a watch asks for.
type selection struct {
	namespace string
	labels    labels.Selector
	fields    fields.Selector
	limit     int64
	token     string
	// version and match are resourceVersion and resourceVersionMatch, which the client
	// of controller-runtime only knows as raw options.
	version string
	match   metav1.ResourceVersionMatch
}

// selectionFrom reads the options of a list.
func selectionFrom(o *client.ListOptions) (selection, error) {
	sel, _, err := optionsFrom(o, false)
	return sel, err
}

// optionsFrom reads the options of a list or a watch. The raw ones are those of the
// second result, which is nil if there are none.
func optionsFrom(o *client.ListOptions, watching bool) (selection, *metav1.ListOptions, error) {
	sel := selection{namespace: o.Namespace, labels: o.LabelSelector, fields: o.FieldSelector, limit: o.Limit, token: o.Continue}
	if o.Raw == nil {
		return sel, nil, nil
	}
	raw := o.AsListOptions()
	var err error
	if sel.labels == nil && raw.LabelSelector != "" {
		if sel.labels, err = labels.Parse(raw.LabelSelector); err != nil {
			return sel, nil, apierrors.NewBadRequest(err.Error())
		}
	}
	if sel.fields == nil && raw.FieldSelector != "" {
		if sel.fields, err = fields.ParseSelector(raw.FieldSelector); err != nil {
			return sel, nil, apierrors.NewBadRequest(err.Error())
		}
	}
	sel.limit, sel.token, sel.version, sel.match = raw.Limit, raw.Continue, raw.ResourceVersion, raw.ResourceVersionMatch
	errs := metavalidation.ValidateListOptions(&internalversion.ListOptions{
		Watch: watching, ResourceVersion: raw.ResourceVersion, ResourceVersionMatch: raw.ResourceVersionMatch, Continue: raw.Continue, SendInitialEvents: raw.SendInitialEvents,
	}, true)
	if len(errs) > 0 {
		return sel, nil, apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: "ListOptions"}, "", errs)
	}
	return sel, raw, nil
}

// parseVersion reads a resourceVersion; none is zero.
func parseVersion(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, field.Invalid(field.NewPath("resourceVersion"), text, err.Error())
	}
	return v, nil
}

// reached refuses a version that has not been yet, for which a real server waits
// three seconds.
func (s *Server) reached(version uint64) error {
	if version <= s.version {
		return nil
	}
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", version, s.version), 1)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: metav1.CauseTypeResourceVersionTooLarge, Message: "Too large resource version"}}
	return err
}

// rawOf returns the raw options of a get, or nil.
func rawOf(opts []client.GetOption) *metav1.GetOptions {
	if len(opts) == 0 {
		return nil
	}
	var o client.GetOptions
	o.ApplyOptions(opts)
	return o.Raw
}

// getAt checks the resourceVersion that a get asks for.
func (s *Server) getAt(o *metav1.GetOptions) error {
	if o == nil {
		return nil
	}
	version, err := parseVersion(o.ResourceVersion)
	if err != nil {
		return internal(err)
	}
	return s.reached(version)
}
