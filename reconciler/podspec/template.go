package podspec

import (
	"encoding/json"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// mergeTemplate lays the Steps over the stepTemplate, as Kubernetes' strategic merge does: what the Step says wins, lists with
// a key are merged by it, other lists are replaced (POD-50). What only Steps have is kept.
//
// Package strategicpatch merges the structures in a container, but not the container itself, for three reasons. It goes by the
// JSON, in which a volume mount that only gives a path has an empty name, and that would replace the template's. A variable
// would keep the template's value beside a source that the Step gives, which no Pod may have. And it costs forty times as
// much as the fields one by one. A test compares the two, and goes through all fields by reflection.
func mergeTemplate(spec *v1beta1.TaskSpec) ([]v1beta1.Step, error) {
	steps := spec.Steps
	if spec.StepTemplate == nil {
		return steps, nil
	}
	for i := range steps {
		merged, err := mergeContainer(*spec.StepTemplate.ToContainer(), *steps[i].ToContainer())
		if err != nil {
			return nil, fmt.Errorf("merging step template and step %q: %w", steps[i].Name, err)
		}
		steps[i].SetContainer(merged)
	}
	return steps, nil
}

func mergeContainer(base, over corev1.Container) (corev1.Container, error) {
	base.Name = over.Name // a template's name means nothing
	base.Image = either(over.Image, base.Image)
	base.Command = eitherList(over.Command, base.Command)
	base.Args = eitherList(over.Args, base.Args)
	base.WorkingDir = either(over.WorkingDir, base.WorkingDir)
	base.EnvFrom = eitherList(over.EnvFrom, base.EnvFrom)
	base.Env = mergeList(base.Env, over.Env, func(e corev1.EnvVar) string { return e.Name }, mergeEnv)
	base.Ports = mergeList(base.Ports, over.Ports, func(p corev1.ContainerPort) string { return fmt.Sprint(p.ContainerPort) }, mergePort)
	base.VolumeMounts = mergeList(base.VolumeMounts, over.VolumeMounts, func(m corev1.VolumeMount) string { return m.MountPath }, mergeMount)
	base.VolumeDevices = mergeList(base.VolumeDevices, over.VolumeDevices, func(d corev1.VolumeDevice) string { return d.DevicePath }, mergeDevice)
	base.Resources = mergeResources(base.Resources, over.Resources)
	base.TerminationMessagePath = either(over.TerminationMessagePath, base.TerminationMessagePath)
	base.TerminationMessagePolicy = either(over.TerminationMessagePolicy, base.TerminationMessagePolicy)
	base.ImagePullPolicy = either(over.ImagePullPolicy, base.ImagePullPolicy)
	base.Stdin = over.Stdin || base.Stdin
	base.StdinOnce = over.StdinOnce || base.StdinOnce
	base.TTY = over.TTY || base.TTY

	var err error
	if base.SecurityContext, err = mergePart(base.SecurityContext, over.SecurityContext); err != nil {
		return base, err
	}
	if base.LivenessProbe, err = mergePart(base.LivenessProbe, over.LivenessProbe); err != nil {
		return base, err
	}
	if base.ReadinessProbe, err = mergePart(base.ReadinessProbe, over.ReadinessProbe); err != nil {
		return base, err
	}
	if base.StartupProbe, err = mergePart(base.StartupProbe, over.StartupProbe); err != nil {
		return base, err
	}
	base.Lifecycle, err = mergePart(base.Lifecycle, over.Lifecycle)
	return base, err
}

func either[T comparable](over, base T) T {
	var zero T
	if over != zero {
		return over
	}
	return base
}

func eitherList[T any](over, base []T) []T {
	if len(over) > 0 {
		return over
	}
	return base
}

// mergePart merges two structures field by field, all the way down.
func mergePart[T any](base, over *T) (*T, error) {
	if base == nil || over == nil {
		if over != nil {
			return over, nil
		}
		return base, nil
	}
	baseJSON, err := json.Marshal(base)
	if err != nil {
		return nil, err
	}
	overJSON, err := json.Marshal(over)
	if err != nil {
		return nil, err
	}
	var merged T
	mergedJSON, err := strategicpatch.StrategicMergePatch(baseJSON, overJSON, merged)
	if err != nil {
		return nil, err
	}
	return &merged, json.Unmarshal(mergedJSON, &merged)
}

// mergeList merges items of equal keys. The items of over come in their order, and those that only base has keep their
// place relative to those of over that base has, too; where that leaves a choice, over's come first.
func mergeList[T any](base, over []T, key func(T) string, merge func(base, over T) T) []T {
	if len(base) == 0 || len(over) == 0 {
		return eitherList(over, base)
	}
	place := map[string]int{} // in base
	for i, item := range base {
		place[key(item)] = i
	}
	overridden := map[string]bool{}
	left := make([]T, 0, len(over))
	for _, item := range over {
		k := key(item)
		overridden[k] = true
		if i, ok := place[k]; ok {
			item = merge(base[i], item)
		}
		left = append(left, item)
	}
	var right []T
	for _, item := range base {
		if !overridden[key(item)] {
			right = append(right, item)
		}
	}
	merged := make([]T, 0, len(left)+len(right))
	for len(left) > 0 && len(right) > 0 {
		i, known := place[key(left[0])]
		if known && place[key(right[0])] < i {
			merged, right = append(merged, right[0]), right[1:]
			continue
		}
		merged, left = append(merged, left[0]), left[1:]
	}
	return append(append(merged, left...), right...)
}

func mergeEnv(base, over corev1.EnvVar) corev1.EnvVar {
	if over.Value == "" && over.ValueFrom == nil {
		return base
	}
	return over // a variable has one source: that of the template is gone
}

func mergePort(base, over corev1.ContainerPort) corev1.ContainerPort {
	base.Name = either(over.Name, base.Name)
	base.HostPort = either(over.HostPort, base.HostPort)
	base.Protocol = either(over.Protocol, base.Protocol)
	base.HostIP = either(over.HostIP, base.HostIP)
	return base
}

func mergeMount(base, over corev1.VolumeMount) corev1.VolumeMount {
	base.Name = either(over.Name, base.Name)
	base.ReadOnly = over.ReadOnly || base.ReadOnly
	base.RecursiveReadOnly = either(over.RecursiveReadOnly, base.RecursiveReadOnly)
	base.SubPath = either(over.SubPath, base.SubPath)
	base.MountPropagation = either(over.MountPropagation, base.MountPropagation)
	base.SubPathExpr = either(over.SubPathExpr, base.SubPathExpr)
	base.BindMountOptions = eitherList(over.BindMountOptions, base.BindMountOptions)
	return base
}

func mergeDevice(base, over corev1.VolumeDevice) corev1.VolumeDevice {
	base.Name = either(over.Name, base.Name)
	return base
}

func mergeResources(base, over corev1.ResourceRequirements) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: mergeQuantities(base.Requests, over.Requests),
		Limits:   mergeQuantities(base.Limits, over.Limits),
		Claims:   eitherList(over.Claims, base.Claims),
	}
}

func mergeQuantities(base, over corev1.ResourceList) corev1.ResourceList {
	if len(base) == 0 {
		return over
	}
	merged := maps.Clone(base)
	maps.Copy(merged, over)
	return merged
}
