package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// decoded is an object as it arrived.
type decoded struct {
	obj client.Object
	// raw is what the client sent, if it sent a tree for a typed kind.
	raw map[string]any
	// unknown lists the fields of raw that the type does not have.
	unknown []string
	// managed is what an apply leaves as managedFields.
	managed []metav1.ManagedFieldsEntry
}

// decode turns what a client holds into a settled, detached object of the
// resource's shape.
func (s *Server) decode(c *Call, r *resource, in client.Object, o writeOptions) (decoded, error) {
	u, loose := in.(*unstructured.Unstructured)
	switch {
	case loose && r.typed():
		return s.decodeTree(c, r, u.Object, o)
	case loose != r.typed():
		obj, err := r.shape.settle(in, nil)
		if err != nil {
			return decoded{}, internal(err)
		}
		return s.applyDefinition(c, r, decoded{obj: obj}, o)
	default:
		return decoded{}, fmt.Errorf("a %T cannot be written as a %s", in, r.GVK.Kind)
	}
}

// applyDefinition prunes and defaults an object of a kind that is defined by a
// schema.
func (s *Server) applyDefinition(c *Call, r *resource, d decoded, o writeOptions) (decoded, error) {
	unknown := r.custom.apply(d.obj)
	if len(unknown) == 0 {
		return d, nil
	}
	switch o.validation {
	case metav1.FieldValidationStrict:
		return d, apierrors.NewBadRequest(r.refuseUnknown(unknown).Error())
	case metav1.FieldValidationWarn:
		for _, f := range unknown {
			s.warn(c, fmt.Sprintf("unknown field %q", f))
		}
	}
	d.unknown = append(d.unknown, unknown...)
	return d, nil
}

// decodeTree decodes a tree into the type of its kind, and deals with fields that
// the type does not know as the request's field validation asks.
func (s *Server) decodeTree(c *Call, r *resource, tree map[string]any, o writeOptions) (decoded, error) {
	data, err := json.Marshal(tree)
	if err != nil {
		return decoded{}, err
	}
	if err := checkRequest(len(data)); err != nil {
		return decoded{}, err
	}
	obj := r.shape.empty()
	strict, err := kjson.UnmarshalStrict(data, obj)
	if err != nil {
		return decoded{}, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: %v", r.GVK.Kind, r.GVK.Version, r.GVK.Kind, err))
	}
	d := decoded{raw: tree}
	for _, e := range strict {
		d.unknown = append(d.unknown, fieldPathOf(e))
	}
	// Besides, admission gets to see the unknown fields of every kind: what becomes
	// of those of a custom kind is for the kind's owner to say.
	if len(strict) > 0 {
		switch o.validation {
		case metav1.FieldValidationStrict:
			return decoded{}, apierrors.NewBadRequest(fmt.Sprintf("%s in version %q cannot be handled as a %s: strict decoding error: %v",
				r.GVK.Kind, r.GVK.Version, r.GVK.Kind, joinErrors(strict)))
		case metav1.FieldValidationWarn:
			for _, e := range strict {
				s.warn(c, e.Error())
			}
		}
	}
	if d.obj, err = r.shape.settle(obj, nil); err != nil {
		return decoded{}, internal(err)
	}
	return d, nil
}

func fieldPathOf(err error) string {
	var f kjson.FieldError
	if errors.As(err, &f) {
		return f.FieldPath()
	}
	return err.Error()
}

func joinErrors(errs []error) string {
	text := ""
	for i, e := range errs {
		if i > 0 {
			text += ", "
		}
		text += e.Error()
	}
	return text
}

// copyOut gives a client a copy of a stored object, in the form that it holds.
func (r *resource) copyOut(stored, into client.Object) error {
	switch out := into.(type) {
	case *unstructured.Unstructured:
		if !r.typed() {
			out.Object = runtime.DeepCopyJSON(content(stored))
			return nil
		}
		tree, err := r.trees.Tree(stored)
		if err != nil {
			return err
		}
		out.Object = tree
		return nil
	case *metav1.PartialObjectMetadata:
		copyMetadata(stored, out, r.GVK)
		return nil
	}
	if t := reflect.TypeOf(into).Elem(); t != r.shape.goType() {
		return fmt.Errorf("a %s cannot be read into a %T", r.GVK.Kind, into)
	}
	r.shape.copyInto(into, stored)
	return nil
}

func copyMetadata(stored client.Object, out *metav1.PartialObjectMetadata, gvk schema.GroupVersionKind) {
	*out = metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Name: stored.GetName(), GenerateName: stored.GetGenerateName(), Namespace: stored.GetNamespace(), UID: stored.GetUID(),
		ResourceVersion: stored.GetResourceVersion(), Generation: stored.GetGeneration(), CreationTimestamp: stored.GetCreationTimestamp(),
		DeletionTimestamp: stored.GetDeletionTimestamp(), DeletionGracePeriodSeconds: stored.GetDeletionGracePeriodSeconds(),
		Labels: stored.GetLabels(), Annotations: stored.GetAnnotations(), OwnerReferences: stored.GetOwnerReferences(), Finalizers: stored.GetFinalizers(),
		ManagedFields: stored.GetManagedFields(),
	}}
	*out = *out.DeepCopy()
	out.SetGroupVersionKind(gvk)
}

// listOut fills a client's list with copies.
func (r *resource) listOut(stored []client.Object, into client.ObjectList) error {
	into.GetObjectKind().SetGroupVersionKind(r.listGVK())
	switch out := into.(type) {
	case *unstructured.UnstructuredList:
		out.Items = make([]unstructured.Unstructured, len(stored))
		for i, o := range stored {
			if err := r.copyOut(o, &out.Items[i]); err != nil {
				return err
			}
		}
		return nil
	case *metav1.PartialObjectMetadataList:
		out.Items = make([]metav1.PartialObjectMetadata, len(stored))
		for i, o := range stored {
			copyMetadata(o, &out.Items[i], r.GVK)
		}
		return nil
	}
	items := reflect.ValueOf(into).Elem().FieldByName("Items")
	if !items.IsValid() || items.Kind() != reflect.Slice {
		return fmt.Errorf("a %T has no Items", into)
	}
	fresh := reflect.MakeSlice(items.Type(), len(stored), len(stored))
	for i, o := range stored {
		c := o.DeepCopyObject()
		if !r.strategy.custom {
			// Built-in lists name the kind once, for the list.
			c.GetObjectKind().SetGroupVersionKind(schema.GroupVersionKind{})
		}
		switch v := reflect.ValueOf(c); {
		case items.Type().Elem().Kind() == reflect.Pointer:
			fresh.Index(i).Set(v)
		default:
			fresh.Index(i).Set(v.Elem())
		}
	}
	items.Set(fresh)
	return nil
}
