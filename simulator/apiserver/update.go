package apiserver

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// update replaces an object by what next makes of the present one, through the
// main endpoint or through status. The object that next returns is settled. It
// may share memory with the present one only where it will not be edited: in
// a status write, and in metadata. It returns the stored object, shared.
func (s *Server) update(c *Call, r *resource, key client.ObjectKey, o writeOptions, next func(old client.Object) (decoded, error)) (client.Object, error) {
	e := r.stored().table.get(key)
	if e == nil {
		return nil, r.notFound(key.Name)
	}
	old, err := s.shown(r, e.object())
	if err != nil {
		return nil, err
	}
	d, err := next(old)
	if err != nil {
		return nil, err
	}
	obj := d.obj
	if !r.Namespaced {
		obj.SetNamespace("")
	}
	uid := obj.GetUID()
	if uid == "" {
		uid = old.GetUID()
	}
	if uid != old.GetUID() && c.Verb != Patch {
		return nil, r.storageConflict(path(key), key.Name, uid, old.GetUID())
	}
	status := c.Subresource == SubresourceStatus
	if r.strategy.apply != nil && !status {
		r.strategy.apply(obj)
	}
	if r.tracking && d.managed == nil {
		d.managed = s.managedAfter(c, r, old, obj, o)
	}
	req := c.admitting(Request{Operation: OperationUpdate, Object: obj, OldObject: old, Raw: d.raw, Unknown: d.unknown, resource: r})
	if obj, err = s.admit(req); err != nil {
		return nil, err
	}
	if !status && r.typed() {
		// All edits are done: from here on versions may share.
		if obj, err = r.shape.settle(obj, old); err != nil {
			return nil, internal(err)
		}
		req.Object = obj
	}
	switch version := obj.GetResourceVersion(); {
	case version != "" && version != "0":
		if version != old.GetResourceVersion() {
			if _, err := strconv.ParseUint(version, 10, 64); err != nil {
				return nil, internal(fmt.Errorf("strconv.ParseUint: parsing %q: invalid syntax", version))
			}
			return nil, r.stale(key.Name)
		}
	case r.strategy.custom:
		return nil, r.invalid(key.Name, field.ErrorList{
			field.Invalid(field.NewPath("metadata", "resourceVersion"), uint64(0), "must be specified for an update"),
		})
	}
	restoreMeta(obj, old)
	if uid != old.GetUID() {
		obj.SetUID(uid) // a patch of it is refused below
	}
	if d.managed != nil {
		obj.SetManagedFields(old.GetManagedFields())
	}
	restSame := true
	if status {
		r.prepareStatus(obj, old)
	} else {
		restSame = r.prepareMain(obj, old)
	}
	statusSame := r.shape.sameStatus(obj, old)
	if restSame && statusSame && r.shape.sameMeta(obj, old) && (d.managed == nil || sameManagers(d.managed, old.GetManagedFields())) {
		return old, nil // as a server that finds the same bytes does not write
	}
	if d.managed != nil {
		setManaged(obj, d.managed)
	}
	if errs := r.validateChange(obj, old, status, restSame); len(errs) > 0 {
		return nil, r.invalid(key.Name, errs)
	}
	if err := s.validateAdmission(req); err != nil {
		return nil, err
	}
	if o.dryRun {
		return obj, nil
	}
	if err := r.fits(obj, !restSame, !statusSame); err != nil {
		return nil, err
	}
	if finished(obj, old) {
		s.remove(c, r.stored(), key) // what is deleted is what was stored; no watcher sees the update
		return obj, nil
	}
	return s.file(c, r, key, obj)
}

func (r *resource) validateChange(obj, old client.Object, status, restSame bool) field.ErrorList {
	errs := r.validateMetaUpdate(obj, old)
	switch {
	case status && r.strategy.validateStatus != nil:
		errs = append(errs, r.strategy.validateStatus(obj, old)...)
	case !status && !restSame && r.strategy.validateUpdate != nil:
		errs = append(errs, r.strategy.validateUpdate(obj, old)...)
	}
	return append(errs, r.custom.validate(obj, old)...)
}

// prepareMain restores what the main endpoint may not change, and reports whether
// what is neither metadata nor status stayed the same.
func (r *resource) prepareMain(obj, old client.Object) (restSame bool) {
	if r.Status || !r.strategy.custom && r.strategy.generation != generationUnused {
		r.shape.takeStatus(obj, old)
	}
	if r.strategy.updated != nil {
		r.strategy.updated(obj, old)
	}
	restSame = r.shape.sameRest(obj, old)
	if restSame {
		r.shape.takeRest(obj, old) // the versions share it
	}
	if r.strategy.generation != generationUnused && r.generationBumped(obj, old, restSame) {
		obj.SetGeneration(old.GetGeneration() + 1)
	}
	return restSame
}

// prepareStatus restores what the status endpoint may not change.
func (r *resource) prepareStatus(obj, old client.Object) {
	r.shape.takeRest(obj, old)
	if r.strategy.custom || !r.strategy.statusTakesMeta {
		obj.SetLabels(old.GetLabels())
		obj.SetAnnotations(old.GetAnnotations())
		obj.SetFinalizers(old.GetFinalizers())
	}
	obj.SetOwnerReferences(old.GetOwnerReferences())
}

// restoreMeta puts back the metadata that no update changes.
func restoreMeta(obj, old client.Object) {
	obj.SetName(old.GetName())
	obj.SetNamespace(old.GetNamespace())
	obj.SetUID(old.GetUID())
	obj.SetCreationTimestamp(old.GetCreationTimestamp())
	if obj.GetDeletionTimestamp() == nil || old.GetDeletionTimestamp() != nil && obj.GetDeletionTimestamp().Time.Equal(old.GetDeletionTimestamp().Time) {
		obj.SetDeletionTimestamp(old.GetDeletionTimestamp())
	}
	if obj.GetDeletionGracePeriodSeconds() == nil {
		obj.SetDeletionGracePeriodSeconds(old.GetDeletionGracePeriodSeconds())
	}
	obj.SetGeneration(old.GetGeneration())
	obj.SetResourceVersion(old.GetResourceVersion())
	obj.SetSelfLink("")
	obj.SetManagedFields(nil)
}

// finished reports whether an update took the last thing away that kept an object
// from being deleted.
func finished(obj, old client.Object) bool {
	grace := old.GetDeletionGracePeriodSeconds()
	return len(obj.GetFinalizers()) == 0 && old.GetDeletionTimestamp() != nil && grace != nil && *grace == 0
}

// replace is the next of a PUT.
func (s *Server) replace(c *Call, r *resource, in client.Object, o writeOptions) func(client.Object) (decoded, error) {
	return func(old client.Object) (decoded, error) {
		if c.Subresource != SubresourceStatus || !sameForm(in, old) {
			return s.decode(c, r, in, o)
		}
		// Only status and metadata can matter: the rest need not be decoded.
		obj := r.shape.shallow(old)
		if err := r.shape.settleMeta(obj, in, old); err != nil {
			return decoded{}, internal(err)
		}
		if err := r.shape.settleStatus(obj, in, old); err != nil {
			return decoded{}, internal(err)
		}
		return decoded{obj: obj}, nil
	}
}

// edit is a write of the server's own to an object that exists: fn edits a shallow
// copy.
func (s *Server) edit(c *Call, r *resource, key client.ObjectKey, fn func(obj client.Object)) client.Object {
	e := r.table.get(key)
	if e == nil {
		return nil
	}
	obj := r.shape.shallow(e.object())
	fn(obj)
	s.store(c, r, key, obj)
	return obj
}

func sameForm(a, b client.Object) bool { return reflect.TypeOf(a) == reflect.TypeOf(b) }

func withoutFinalizer(list []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(f string) bool { return f == name })
}

func timePointer(t metav1.Time) *metav1.Time { return &t }
