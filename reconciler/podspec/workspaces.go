package podspec

import (
	"fmt"
	"path"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// WorkspaceVolumes maps the names of bindings to the names of their volumes. Bindings of one claim share a volume
// (POD-90).
func WorkspaceVolumes(uid types.UID, bindings []v1beta1.WorkspaceBinding) map[string]string {
	names := map[string]string{}
	ofClaim := map[string]string{}
	for _, b := range bindings {
		name := workspacePrefix + suffix(uid, "workspace/"+b.Name)
		if b.PersistentVolumeClaim != nil {
			claim := b.PersistentVolumeClaim.ClaimName
			if first, ok := ofClaim[claim]; ok {
				name = first
			}
			ofClaim[claim] = name
		}
		names[b.Name] = name
	}
	return names
}

// mountWorkspaces adds the volumes of the bound workspaces to spec, and their mounts to the containers: to all Steps;
// with the gate open also to all Sidecars, except that a workspace which some Step or Sidecar asks for by name goes only
// to those that do (POD-92, POD-93).
func mountWorkspaces(spec *v1beta1.TaskSpec, uid types.UID, bindings []v1beta1.WorkspaceBinding, alpha bool) error {
	names := WorkspaceVolumes(uid, bindings)
	isolated := map[string]bool{}
	if alpha {
		isolated = isolatedWorkspaces(spec)
	}
	added := map[string]bool{}
	for _, declaration := range spec.Workspaces {
		binding := find(bindings, declaration.Name)
		if binding == nil {
			continue // optional, or refused before
		}
		volume := names[binding.Name]
		if !added[volume] {
			added[volume] = true
			source, err := volumeSource(*binding)
			if err != nil {
				return err
			}
			spec.Volumes = append(spec.Volumes, corev1.Volume{Name: volume, VolumeSource: source})
		}
		mount := corev1.VolumeMount{
			Name:      volume,
			MountPath: declaration.GetMountPath(),
			SubPath:   binding.SubPath,
			ReadOnly:  declaration.ReadOnly,
		}
		switch {
		case isolated[declaration.Name]:
			mountIsolated(spec, declaration.Name, mount)
		default:
			mountShared(spec, mount, alpha)
		}
	}
	return nil
}

func find(bindings []v1beta1.WorkspaceBinding, name string) *v1beta1.WorkspaceBinding {
	for i := range bindings {
		if bindings[i].Name == name {
			return &bindings[i]
		}
	}
	return nil
}

func isolatedWorkspaces(spec *v1beta1.TaskSpec) map[string]bool {
	names := map[string]bool{}
	for _, s := range spec.Steps {
		for _, u := range s.Workspaces {
			names[u.Name] = true
		}
	}
	for _, s := range spec.Sidecars {
		for _, u := range s.Workspaces {
			names[u.Name] = true
		}
	}
	return names
}

func mountIsolated(spec *v1beta1.TaskSpec, name string, mount corev1.VolumeMount) {
	for i := range spec.Steps {
		spec.Steps[i].VolumeMounts = append(spec.Steps[i].VolumeMounts, usedMounts(spec.Steps[i].Workspaces, name, mount)...)
	}
	for i := range spec.Sidecars {
		spec.Sidecars[i].VolumeMounts = append(spec.Sidecars[i].VolumeMounts, usedMounts(spec.Sidecars[i].Workspaces, name, mount)...)
	}
}

func usedMounts(usages []v1beta1.WorkspaceUsage, name string, mount corev1.VolumeMount) []corev1.VolumeMount {
	var mounts []corev1.VolumeMount
	for _, u := range usages {
		if u.Name != name {
			continue
		}
		m := mount
		if u.MountPath != "" {
			m.MountPath = u.MountPath
		}
		mounts = append(mounts, m)
	}
	return mounts
}

func mountShared(spec *v1beta1.TaskSpec, mount corev1.VolumeMount, sidecars bool) {
	if spec.StepTemplate == nil {
		spec.StepTemplate = &v1beta1.StepTemplate{}
	}
	spec.StepTemplate.VolumeMounts = append(spec.StepTemplate.VolumeMounts, mount)
	if !sidecars {
		return
	}
	for i := range spec.Sidecars {
		if !mounted(spec.Sidecars[i].VolumeMounts, mount.MountPath) {
			spec.Sidecars[i].VolumeMounts = append(spec.Sidecars[i].VolumeMounts, mount)
		}
	}
}

// mounted reports whether something is mounted at exactly that directory.
func mounted(mounts []corev1.VolumeMount, dir string) bool {
	for _, m := range mounts {
		if path.Clean(m.MountPath) == path.Clean(dir) {
			return true
		}
	}
	return false
}

func volumeSource(b v1beta1.WorkspaceBinding) (corev1.VolumeSource, error) {
	switch {
	case b.PersistentVolumeClaim != nil:
		return corev1.VolumeSource{PersistentVolumeClaim: b.PersistentVolumeClaim.DeepCopy()}, nil
	case b.EmptyDir != nil:
		return corev1.VolumeSource{EmptyDir: b.EmptyDir.DeepCopy()}, nil
	case b.ConfigMap != nil:
		return corev1.VolumeSource{ConfigMap: b.ConfigMap.DeepCopy()}, nil
	case b.Secret != nil:
		return corev1.VolumeSource{Secret: b.Secret.DeepCopy()}, nil
	case b.Projected != nil:
		return corev1.VolumeSource{Projected: b.Projected.DeepCopy()}, nil
	case b.CSI != nil:
		return corev1.VolumeSource{CSI: b.CSI.DeepCopy()}, nil
	default:
		return corev1.VolumeSource{}, fmt.Errorf("workspace binding %q has no volume", b.Name)
	}
}
