package apiserver

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	unversioned "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
)

// What a StatefulSet gets unless it says otherwise.
const (
	defaultReplicas        = int32(1)
	defaultRevisionHistory = int32(10)
)

// messageFixed is said of changes to what a StatefulSet is made of.
const messageFixed = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', " +
	"'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

func statefulSetStrategy() strategy {
	return strategy{
		name:       validation.NameIsDNSLabel,
		generation: generationOfSpec,
		apply: func(obj client.Object) {
			if set, ok := obj.(*appsv1.StatefulSet); ok {
				defaultStatefulSet(&set.Spec)
			}
		},
		created: func(_ *Server, obj client.Object) {
			if set, ok := obj.(*appsv1.StatefulSet); ok {
				set.Status = appsv1.StatefulSetStatus{}
			}
		},
		validate: func(obj client.Object) field.ErrorList {
			if set, ok := obj.(*appsv1.StatefulSet); ok {
				return validateStatefulSet(&set.Spec, field.NewPath("spec"))
			}
			return nil
		},
		validateUpdate: func(obj, old client.Object) field.ErrorList {
			if set, ok := obj.(*appsv1.StatefulSet); ok {
				return validateStatefulSetUpdate(set, old.(*appsv1.StatefulSet))
			}
			return nil
		},
	}
}

func defaultStatefulSet(spec *appsv1.StatefulSetSpec) {
	if spec.PodManagementPolicy == "" {
		spec.PodManagementPolicy = appsv1.OrderedReadyPodManagement
	}
	if spec.UpdateStrategy.Type == "" {
		spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
	}
	if u := &spec.UpdateStrategy; u.Type == appsv1.RollingUpdateStatefulSetStrategyType {
		if u.RollingUpdate == nil {
			u.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{}
		}
		if u.RollingUpdate.Partition == nil {
			u.RollingUpdate.Partition = new(int32(0))
		}
	}
	if spec.PersistentVolumeClaimRetentionPolicy == nil {
		spec.PersistentVolumeClaimRetentionPolicy = &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{}
	}
	for _, policy := range []*appsv1.PersistentVolumeClaimRetentionPolicyType{
		&spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted, &spec.PersistentVolumeClaimRetentionPolicy.WhenScaled,
	} {
		if *policy == "" {
			*policy = appsv1.RetainPersistentVolumeClaimRetentionPolicyType
		}
	}
	if spec.Replicas == nil {
		spec.Replicas = new(defaultReplicas)
	}
	if spec.RevisionHistoryLimit == nil {
		spec.RevisionHistoryLimit = new(defaultRevisionHistory)
	}
	pod := &corev1.Pod{ObjectMeta: spec.Template.ObjectMeta, Spec: spec.Template.Spec}
	pods.Default(pod)
	spec.Template.Spec = pod.Spec
	for i := range spec.VolumeClaimTemplates {
		claim := &spec.VolumeClaimTemplates[i]
		if claim.Spec.VolumeMode == nil {
			claim.Spec.VolumeMode = new(corev1.PersistentVolumeFilesystem)
		}
		claim.Status.Phase = corev1.ClaimPending
	}
}

func validateStatefulSet(spec *appsv1.StatefulSetSpec, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	switch p := spec.PodManagementPolicy; p {
	case appsv1.OrderedReadyPodManagement, appsv1.ParallelPodManagement:
	default:
		errs = append(errs, field.Invalid(at.Child("podManagementPolicy"), p, "must be 'OrderedReady' or 'Parallel'"))
	}
	errs = append(errs, validateUpdateStrategy(&spec.UpdateStrategy, at.Child("updateStrategy"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(*spec.Replicas), at.Child("replicas"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(spec.MinReadySeconds), at.Child("minReadySeconds"))...)
	errs = append(errs, validation.ValidateNonnegativeField(int64(*spec.RevisionHistoryLimit), at.Child("revisionHistoryLimit"))...)
	if o := spec.Ordinals; o != nil {
		errs = append(errs, validation.ValidateNonnegativeField(int64(o.Start), at.Child("ordinals", "start"))...)
	}
	retention := spec.PersistentVolumeClaimRetentionPolicy
	errs = append(errs, validateRetention(retention.WhenDeleted, at.Child("persistentVolumeClaimRetentionPolicy", "whenDeleted"))...)
	errs = append(errs, validateRetention(retention.WhenScaled, at.Child("persistentVolumeClaimRetentionPolicy", "whenScaled"))...)
	errs = append(errs, validateSelector(spec, at)...)
	return append(errs, validateTemplate(&spec.Template, at.Child("template"))...)
}

func validateUpdateStrategy(u *appsv1.StatefulSetUpdateStrategy, at *field.Path) field.ErrorList {
	switch u.Type {
	case appsv1.OnDeleteStatefulSetStrategyType:
		if u.RollingUpdate != nil {
			return field.ErrorList{field.Invalid(at.Child("rollingUpdate"), u.RollingUpdate, "only allowed for updateStrategy '"+string(appsv1.RollingUpdateStatefulSetStrategyType)+"'")}
		}
	case appsv1.RollingUpdateStatefulSetStrategyType:
		return validation.ValidateNonnegativeField(int64(*u.RollingUpdate.Partition), at.Child("rollingUpdate", "partition"))
	default:
		return field.ErrorList{field.Invalid(at, *u, "must be 'RollingUpdate' or 'OnDelete'")}
	}
	return nil
}

func validateRetention(p appsv1.PersistentVolumeClaimRetentionPolicyType, at *field.Path) field.ErrorList {
	known := []appsv1.PersistentVolumeClaimRetentionPolicyType{appsv1.DeletePersistentVolumeClaimRetentionPolicyType, appsv1.RetainPersistentVolumeClaimRetentionPolicyType}
	if p == known[0] || p == known[1] {
		return nil
	}
	return field.ErrorList{field.NotSupported(at, p, known)}
}

// validateSelector wants a StatefulSet to select the Pods that it makes.
func validateSelector(spec *appsv1.StatefulSetSpec, at *field.Path) field.ErrorList {
	if spec.Selector == nil {
		return field.ErrorList{field.Required(at.Child("selector"), "")}
	}
	errs := unversioned.ValidateLabelSelector(spec.Selector, unversioned.LabelSelectorValidationOptions{}, at.Child("selector"))
	if len(spec.Selector.MatchLabels)+len(spec.Selector.MatchExpressions) == 0 {
		return append(errs, field.Invalid(at.Child("selector"), spec.Selector, "empty selector is invalid for statefulset"))
	}
	selector, err := metav1.LabelSelectorAsSelector(spec.Selector)
	switch {
	case err != nil:
		if len(errs) == 0 {
			errs = append(errs, field.Invalid(at.Child("selector"), spec.Selector, err.Error()))
		}
	case !selector.Matches(labels.Set(spec.Template.Labels)):
		errs = append(errs, field.Invalid(at.Child("template", "metadata", "labels"), spec.Template.Labels, "`selector` does not match template `labels`"))
	}
	return errs
}

// validateTemplate wants Pods that never end by themselves. The rest of the Pod is checked when there is one: as in the
// original, a template may mount volumes that only the claim templates add.
func validateTemplate(template *corev1.PodTemplateSpec, at *field.Path) field.ErrorList {
	errs := unversioned.ValidateLabels(template.Labels, at.Child("metadata", "labels"))
	errs = append(errs, validation.ValidateAnnotations(template.Annotations, at.Child("metadata", "annotations"))...)
	if p := template.Spec.RestartPolicy; p != corev1.RestartPolicyAlways {
		errs = append(errs, field.NotSupported(at.Child("spec", "restartPolicy"), p, []corev1.RestartPolicy{corev1.RestartPolicyAlways}))
	}
	if template.Spec.ActiveDeadlineSeconds != nil {
		errs = append(errs, field.Forbidden(at.Child("spec", "activeDeadlineSeconds"), "activeDeadlineSeconds in StatefulSet is not Supported"))
	}
	return errs
}

func validateStatefulSetUpdate(set, old *appsv1.StatefulSet) field.ErrorList {
	fixed := old.Spec
	now := &set.Spec
	fixed.Replicas, fixed.Ordinals, fixed.Template, fixed.UpdateStrategy = now.Replicas, now.Ordinals, now.Template, now.UpdateStrategy
	fixed.RevisionHistoryLimit, fixed.MinReadySeconds = now.RevisionHistoryLimit, now.MinReadySeconds
	fixed.PersistentVolumeClaimRetentionPolicy = now.PersistentVolumeClaimRetentionPolicy
	if equality.Semantic.DeepEqual(&fixed, now) {
		return nil
	}
	return field.ErrorList{field.Forbidden(field.NewPath("spec"), messageFixed)}
}
