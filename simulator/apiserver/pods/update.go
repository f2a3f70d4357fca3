package pods

import (
	"fmt"
	"reflect"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/util/diff"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// immutableSpec is what a Pod update is told that changes too much.
const immutableSpec = "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`," +
	"`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"

// ValidateUpdate returns what is wrong with a change of a Pod's spec.
func ValidateUpdate(pod, old *corev1.Pod) field.ErrorList {
	v := validator{}
	p := root("spec")
	if errs := containerCount(pod, old, p); len(errs) > 0 {
		return errs
	}
	images := func(list []corev1.Container, at path) {
		for i := range list {
			if list[i].Image == "" {
				c := at.at(i)
				v.required(c.child("image"), "")
			}
		}
	}
	images(pod.Spec.Containers, p.child("containers"))
	images(pod.Spec.InitContainers, p.child("initContainers"))
	v.deadline(pod.Spec.ActiveDeadlineSeconds, old.Spec.ActiveDeadlineSeconds, p.child("activeDeadlineSeconds"))
	v.addedTolerations(pod.Spec.Tolerations, old.Spec.Tolerations, p.child("tolerations"))

	// Put the old values back where a change is allowed: what still differs is not.
	masked := pod.Spec
	masked.Containers = slices.Clone(masked.Containers)
	masked.InitContainers = slices.Clone(masked.InitContainers)
	for i := range masked.Containers {
		masked.Containers[i].Image = old.Spec.Containers[i].Image
	}
	for i := range masked.InitContainers {
		masked.InitContainers[i].Image = old.Spec.InitContainers[i].Image
	}
	masked.ActiveDeadlineSeconds = old.Spec.ActiveDeadlineSeconds
	masked.Tolerations = old.Spec.Tolerations
	if g, was := masked.TerminationGracePeriodSeconds, old.Spec.TerminationGracePeriodSeconds; g != nil && *g == 1 && was != nil && *was < 0 {
		masked.TerminationGracePeriodSeconds = was
	}
	if len(old.Spec.SchedulingGates) > 0 && len(masked.SchedulingGates) <= len(old.Spec.SchedulingGates) {
		masked.SchedulingGates = old.Spec.SchedulingGates // gates may be taken away
	}
	// The standard library's comparison says yes faster; only what it finds different may differ in what means nothing.
	if !reflect.DeepEqual(&masked, &old.Spec) && !equality.Semantic.DeepEqual(&masked, &old.Spec) {
		v.forbidden(p, fmt.Sprintf("%s\n%v", immutableSpec, diff.Diff(old.Spec, masked)))
	}
	return v.errs
}

func containerCount(pod, old *corev1.Pod, p path) field.ErrorList {
	const text = "pod updates may not add or remove containers"
	var errs field.ErrorList
	if len(pod.Spec.Containers) != len(old.Spec.Containers) {
		errs = append(errs, field.Forbidden(fieldOf(p.child("containers")), text))
	}
	if len(pod.Spec.InitContainers) != len(old.Spec.InitContainers) {
		errs = append(errs, field.Forbidden(fieldOf(p.child("initContainers")), text))
	}
	return errs
}

func (v *validator) deadline(now, was *int64, p path) {
	switch {
	case now != nil:
		if *now < 0 || *now > maxDeadline {
			v.invalid(p, *now, validation.InclusiveRangeError(0, maxDeadline))
			return
		}
		if was != nil && *was < *now {
			v.invalid(p, *now, "must be less than or equal to previous value")
		}
	case was != nil:
		v.invalid(p, now, "must not update from a positive integer to nil value")
	}
}

func (v *validator) addedTolerations(now, was []corev1.Toleration, p path) {
	for i := range was {
		kept := slices.ContainsFunc(now, func(t corev1.Toleration) bool {
			seconds := was[i]
			seconds.TolerationSeconds = t.TolerationSeconds
			return equality.Semantic.DeepEqual(t, seconds)
		})
		if !kept {
			v.forbidden(p, "existing toleration can not be modified except its tolerationSeconds")
			return
		}
	}
	if len(now) != len(was) {
		v.tolerations(now, p)
	}
}

// ValidateStatusUpdate returns what is wrong with a change of a Pod's status: a
// container that has ended for good does not come back.
func ValidateStatusUpdate(pod, old *corev1.Pod) field.ErrorList {
	v := validator{}
	p := root("status")
	if pod.Spec.RestartPolicy == corev1.RestartPolicyAlways {
		return nil
	}
	never := pod.Spec.RestartPolicy == corev1.RestartPolicyNever
	v.transitions(pod.Status.ContainerStatuses, old.Status.ContainerStatuses, never, pod.Spec.Containers, p.child("containerStatuses"))
	v.transitions(pod.Status.InitContainerStatuses, old.Status.InitContainerStatuses, never, pod.Spec.InitContainers, p.child("initContainerStatuses"))
	return v.errs
}

func (v *validator) transitions(now, was []corev1.ContainerStatus, never bool, containers []corev1.Container, p path) {
	for i := range was {
		ended := was[i].State.Terminated
		if ended == nil || ended.ExitCode != 0 && !never || restarts(containers, was[i].Name) {
			continue
		}
		for j := range now {
			if now[j].Name == was[i].Name && now[j].State.Terminated == nil {
				at := p.at(j)
				v.forbidden(at.child("state"), "may not be transitioned to non-terminated state")
				break
			}
		}
	}
}

// restarts reports whether a container has a restart policy of its own.
func restarts(containers []corev1.Container, name string) bool {
	return slices.ContainsFunc(containers, func(c corev1.Container) bool { return c.Name == name && c.RestartPolicy != nil })
}
