package apiserver

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	unversioned "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func claimStrategy() strategy {
	return strategy{
		name: validation.NameIsDNSSubdomain,
		apply: func(obj client.Object) {
			if c, ok := obj.(*corev1.PersistentVolumeClaim); ok {
				if c.Spec.VolumeMode == nil {
					mode := corev1.PersistentVolumeFilesystem
					c.Spec.VolumeMode = &mode
				}
				if c.Status.Phase == "" {
					c.Status.Phase = corev1.ClaimPending
				}
			}
		},
		created: func(_ *Server, obj client.Object) {
			if c, ok := obj.(*corev1.PersistentVolumeClaim); ok {
				c.Status = corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimPending}
			}
		},
		validate: validateClaim,
		committed: func(s *Server, _ *resource, ch Change) {
			if ch.Old() == nil || ch.New == nil {
				s.counted(ch.Object().GetNamespace())
			}
		},
		statusTakesMeta: true,
	}
}

var (
	claimModes  = sets.New(corev1.ReadWriteOnce, corev1.ReadOnlyMany, corev1.ReadWriteMany, corev1.ReadWriteOncePod)
	volumeModes = sets.New(corev1.PersistentVolumeBlock, corev1.PersistentVolumeFilesystem)
)

// validateClaim wants a claim to say how much it claims, and for how many.
func validateClaim(obj client.Object) field.ErrorList {
	c, ok := obj.(*corev1.PersistentVolumeClaim)
	if !ok {
		return nil
	}
	spec, at := &c.Spec, field.NewPath("spec")
	var errs field.ErrorList
	if len(spec.AccessModes) == 0 {
		errs = append(errs, field.Required(at.Child("accessModes"), "at least 1 access mode is required"))
	}
	if spec.Selector != nil {
		errs = append(errs, unversioned.ValidateLabelSelector(spec.Selector, unversioned.LabelSelectorValidationOptions{}, at.Child("selector"))...)
	}
	exclusive, shared := false, false
	for _, mode := range spec.AccessModes {
		if !claimModes.Has(mode) {
			errs = append(errs, field.NotSupported(at.Child("accessModes"), mode, sets.List(claimModes)))
		}
		exclusive = exclusive || mode == corev1.ReadWriteOncePod
		shared = shared || mode != corev1.ReadWriteOncePod
	}
	if exclusive && shared {
		errs = append(errs, field.Forbidden(at.Child("accessModes"), "may not use ReadWriteOncePod with other access modes"))
	}
	storage := at.Child("resources").Key(string(corev1.ResourceStorage))
	switch size, given := spec.Resources.Requests[corev1.ResourceStorage]; {
	case !given:
		errs = append(errs, field.Required(storage, ""))
	case size.Sign() <= 0:
		errs = append(errs, field.Invalid(storage, size.String(), "must be greater than zero"))
	}
	if class := spec.StorageClassName; class != nil && *class != "" {
		for _, problem := range validation.NameIsDNSSubdomain(*class, false) {
			errs = append(errs, field.Invalid(at.Child("storageClassName"), *class, problem))
		}
	}
	if mode := spec.VolumeMode; mode != nil && !volumeModes.Has(*mode) {
		errs = append(errs, field.NotSupported(at.Child("volumeMode"), *mode, sets.List(volumeModes)))
	}
	return errs
}
