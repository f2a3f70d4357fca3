package apiserver

import (
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// selected reports whether an object matches both selectors; nil matches all.
func (r *resource) selected(obj client.Object, l labels.Selector, f fields.Selector) bool {
	if l != nil && !l.Empty() && !l.Matches(labels.Set(obj.GetLabels())) {
		return false
	}
	return f == nil || f.Empty() || f.Matches(fieldsOf{r, obj})
}

// fieldsOf looks fields up one at a time, so that a selector of one field costs
// one field.
type fieldsOf struct {
	r   *resource
	obj client.Object
}

func (f fieldsOf) Has(name string) bool { return f.r.hasField(name) }

func (f fieldsOf) Get(name string) string {
	switch name {
	case metav1.ObjectNameField:
		return f.obj.GetName()
	case "metadata.namespace":
		return f.obj.GetNamespace()
	}
	if f.r.strategy.field == nil {
		return ""
	}
	return f.r.strategy.field(f.obj, name)
}

func (r *resource) hasField(name string) bool {
	return name == metav1.ObjectNameField || name == "metadata.namespace" && r.Namespaced || slices.Contains(r.strategy.fields, name)
}

// checkFields refuses selectors of fields that the kind cannot be selected by.
func (r *resource) checkFields(f fields.Selector) error {
	if f == nil {
		return nil
	}
	for _, q := range f.Requirements() {
		if r.hasField(q.Field) {
			continue
		}
		if r.strategy.field != nil || r.strategy.custom {
			return apierrors.NewBadRequest("field label not supported: " + q.Field)
		}
		return apierrors.NewBadRequest(fmt.Sprintf("%q is not a known field selector: only %q, %q", q.Field, metav1.ObjectNameField, "metadata.namespace"))
	}
	return nil
}
