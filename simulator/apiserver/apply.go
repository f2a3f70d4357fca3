package apiserver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/yaml"
)

// This file is server-side apply, and the managedFields that it lives on.
//
// The owners of fields are worked out by the code that a real server uses
// (apimachinery's managedfields). It costs milliseconds a write, so it is asked only
// about objects that a client has applied: such an object has managedFields, and
// they are kept up by every write from then on. What an object held before it was
// first applied belongs to the manager "before-first-apply", as for objects older
// than server-side apply itself. Options.ManageFields tracks every object from its
// creation, as a real server does.

// apply serves a PATCH that is an apply: it creates the object if there is none.
func (s *Server) apply(c *Call, r *resource, key client.ObjectKey, data []byte, o writeOptions) (client.Object, error) {
	if r.stored().table.get(key) != nil {
		return s.update(c, r, key, o, func(old client.Object) (decoded, error) { return s.applied(c, r, key, old, data, o) })
	}
	if c.Subresource != "" {
		return nil, r.notFound(key.Name)
	}
	d, err := s.applied(c, r, key, nil, data, o)
	if err != nil {
		return nil, err
	}
	if uid := d.obj.GetUID(); uid != "" {
		return nil, apierrors.NewConflict(r.gr, key.Name, fmt.Errorf("uid mismatch: the provided object specified uid %s, and no existing object was found", uid))
	}
	d.obj.SetResourceVersion("")
	return s.createDecoded(c, r, d, o)
}

// applied returns what applying data to an object makes of it; a nil old is an
// object that does not exist yet.
func (s *Server) applied(c *Call, r *resource, key client.ObjectKey, old client.Object, data []byte, o writeOptions) (decoded, error) {
	config := looseShape{}.empty().(*treeObject)
	config.Object = map[string]any{}
	if err := yaml.Unmarshal(data, &config.Object); err != nil {
		return decoded{}, apierrors.NewBadRequest(fmt.Sprintf("error decoding YAML: %v", err))
	}
	for _, v := range s.versionsOf(r) {
		v.tracking = true
	}
	m, err := s.fieldManager(r, c.Subresource)
	if err != nil {
		return decoded{}, internal(err)
	}
	live := &treeObject{Object: map[string]any{}}
	live.SetGroupVersionKind(r.GVK)
	if old != nil {
		if live, err = treeOf(r, old); err != nil {
			return decoded{}, internal(err)
		}
	}
	out, err := m.Apply(live, config, o.manager, o.force)
	if err != nil {
		var status apierrors.APIStatus
		if errors.As(err, &status) {
			return decoded{}, err
		}
		return decoded{}, internal(err)
	}
	strict := yaml.UnmarshalStrict(data, &map[string]any{})
	switch {
	case strict != nil && o.validation == metav1.FieldValidationStrict:
		return decoded{}, apierrors.NewBadRequest(fmt.Sprintf("error strict decoding patch: %v", strict))
	case strict != nil && o.validation == metav1.FieldValidationWarn:
		s.warn(c, strict.Error())
	}
	tree, ok := out.(*treeObject)
	if !ok {
		return decoded{}, internal(fmt.Errorf("apply made a %T", out))
	}
	managed := s.dated(tree.GetManagedFields(), managedFieldsOf(old))
	if err := fitsURL(r, tree, key); err != nil {
		return decoded{}, err
	}
	tree.SetManagedFields(nil)
	d, err := s.decodeApplied(c, r, tree, o)
	d.managed = managed
	return d, err
}

func (s *Server) decodeApplied(c *Call, r *resource, tree *treeObject, o writeOptions) (decoded, error) {
	o.validation = metav1.FieldValidationIgnore // the fields were checked against the schema of the kind
	return s.decode(c, r, tree, o)
}

// fitsURL has the body of a patch name what its URL names.
func fitsURL(r *resource, obj client.Object, key client.ObjectKey) error {
	if r.Namespaced {
		switch obj.GetNamespace() {
		case key.Namespace:
		case "":
			obj.SetNamespace(key.Namespace)
		default:
			return apierrors.NewBadRequest(namespaceMismatch)
		}
	}
	switch name := obj.GetName(); name {
	case key.Name:
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", key.Name))
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", name, key.Name))
	}
	return nil
}

// managedAfter returns the managedFields that an ordinary write leaves; nil for an
// object that is not tracked. old is nil for creations.
func (s *Server) managedAfter(c *Call, r *resource, old, obj client.Object, o writeOptions) []metav1.ManagedFieldsEntry {
	before := managedFieldsOf(old)
	if len(before) == 0 && (old != nil || !s.options.ManageFields) {
		return nil
	}
	m, err := s.fieldManager(r, c.Subresource)
	if err != nil {
		return before
	}
	live := &treeObject{Object: map[string]any{}}
	live.SetGroupVersionKind(r.GVK)
	if old != nil {
		if live, err = treeOf(r, old); err != nil {
			return before
		}
	}
	next, err := treeOf(r, obj)
	if err != nil {
		return before
	}
	next.SetManagedFields(c.sentManagers())
	manager := o.manager
	if manager == "" {
		manager = c.Actor
	}
	out, err := m.Update(live, next, manager)
	if tree, ok := out.(*treeObject); ok && err == nil {
		return s.dated(tree.GetManagedFields(), before)
	}
	return before // the object does not fit its schema, and is about to be refused
}

// managedFieldsOf returns an object's managedFields, shared.
func managedFieldsOf(obj client.Object) []metav1.ManagedFieldsEntry {
	if obj == nil {
		return nil
	}
	return obj.GetManagedFields()
}

// sentManagers returns the managedFields that a client sends: it may edit them, and
// resets them by a single empty entry.
func (c *Call) sentManagers() []metav1.ManagedFieldsEntry {
	if c.Object != nil {
		return c.Object.GetManagedFields()
	}
	if !bytes.Contains(c.PatchData, []byte("managedFields")) {
		return nil
	}
	var merge metav1.PartialObjectMetadata
	if json.Unmarshal(c.PatchData, &merge) == nil {
		return merge.ManagedFields
	}
	var operations []struct {
		Path  string                      `json:"path"`
		Value []metav1.ManagedFieldsEntry `json:"value"`
	}
	if json.Unmarshal(c.PatchData, &operations) == nil {
		for _, op := range operations {
			if op.Path == "/metadata/managedFields" {
				return op.Value
			}
		}
	}
	return nil
}

// setManaged puts managedFields into an object that a write is going to store.
func setManaged(obj client.Object, list []metav1.ManagedFieldsEntry) {
	if len(list) == 0 {
		list = nil
	}
	obj.SetManagedFields(list)
}

// dated puts the server's time where the library has put the clock's. It never
// returns nil, which stands for an object that is not tracked.
func (s *Server) dated(list, before []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	if list == nil {
		list = []metav1.ManagedFieldsEntry{}
	}
	for i := range list {
		e := &list[i]
		kept := slices.ContainsFunc(before, func(b metav1.ManagedFieldsEntry) bool {
			return b.Manager == e.Manager && b.Operation == e.Operation && b.APIVersion == e.APIVersion && b.Subresource == e.Subresource && b.Time.Equal(e.Time)
		})
		if !kept && e.Time != nil { // an apply that changed nothing has no time
			e.Time = timePointer(s.now())
		}
	}
	slices.SortStableFunc(list, func(a, b metav1.ManagedFieldsEntry) int {
		return cmp.Or(cmp.Compare(a.Operation, b.Operation), compareTimes(a.Time, b.Time), cmp.Compare(a.Manager, b.Manager),
			cmp.Compare(a.APIVersion, b.APIVersion), cmp.Compare(a.Subresource, b.Subresource))
	})
	return list
}

// compareTimes has no time before any.
func compareTimes(a, b *metav1.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return a.Compare(b.Time)
}

// sameManagers compares managedFields but for their times: a write that changes
// times alone is none.
func sameManagers(a, b []metav1.ManagedFieldsEntry) bool {
	return slices.EqualFunc(a, b, func(x, y metav1.ManagedFieldsEntry) bool {
		x.Time, y.Time = nil, nil
		return equality.Semantic.DeepEqual(x, y)
	})
}

// resetBy returns the fields that an endpoint does not let any manager own.
func (r *resource) resetBy(subresource string, versions []*resource) map[fieldpath.APIVersion]fieldpath.Filter {
	var paths []fieldpath.Path
	switch {
	case subresource == SubresourceStatus:
		paths = append(paths, fieldpath.MakePathOrDie("spec"))
	case r.Status:
		paths = append(paths, fieldpath.MakePathOrDie("status"))
	}
	filter := fieldpath.NewExcludeSetFilter(fieldpath.NewSet(paths...))
	out := map[fieldpath.APIVersion]fieldpath.Filter{}
	for _, v := range versions {
		out[fieldpath.APIVersion(v.GVK.GroupVersion().String())] = filter
	}
	return out
}
