package podspec

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// stepRunDir is where the Step at that index tells the others how far it is.
func stepRunDir(i int) string { return v1beta1.RunDir + "/" + strconv.Itoa(i) }

// stepMounts are the mounts of the Step at that index, in the order of §4.8. Its own, those of breakpoints and that of its
// script are there already.
func (b *builder) stepMounts(i int) []corev1.VolumeMount {
	mounts := b.steps[i].VolumeMounts
	if i == 0 && b.waits {
		mounts = append(mounts, corev1.VolumeMount{Name: downwardVolume, MountPath: v1beta1.DownwardDir, ReadOnly: true})
	}
	if !b.in.Features.DisableCredentials {
		mounts = append(mounts, corev1.VolumeMount{Name: credentialsVolume + strconv.Itoa(i), MountPath: v1beta1.CredsDir})
	}
	return b.addImplicit(b.addRunMounts(mounts, i))
}

// addRunMounts adds the run directories of all Steps; only that of the Step at index own can be written.
func (b *builder) addRunMounts(mounts []corev1.VolumeMount, own int) []corev1.VolumeMount {
	for j := range b.steps {
		mounts = append(mounts, corev1.VolumeMount{Name: runVolume + strconv.Itoa(j), MountPath: stepRunDir(j), ReadOnly: j != own})
	}
	return mounts
}

// addImplicit adds what every Step has, except where the Step mounts something of its own.
func (b *builder) addImplicit(mounts []corev1.VolumeMount) []corev1.VolumeMount {
	implicit := append([]corev1.VolumeMount{{Name: binVolume, MountPath: v1beta1.BinDir, ReadOnly: true}}, implicitMounts()...)
	implicit = append(implicit, b.credentials.mounts...)
	own := mounts
	for _, m := range implicit {
		if !mounted(own, m.MountPath) {
			mounts = append(mounts, m)
		}
	}
	return mounts
}

// implicitMounts are those of POD-30.
func implicitMounts() []corev1.VolumeMount {
	return []corev1.VolumeMount{
		{Name: workspaceVolume, MountPath: v1beta1.WorkspaceDir},
		{Name: homeVolume, MountPath: v1beta1.HomeDir},
		{Name: resultsVolume, MountPath: v1beta1.ResultsDir},
		{Name: stepsVolume, MountPath: v1beta1.StepsDir, ReadOnly: true},
	}
}

func emptyDir(name string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
}

// allVolumes are the volumes of the Pod, in the order of §4.7.
func (b *builder) allVolumes() []corev1.Volume {
	volumes := []corev1.Volume{
		emptyDir(workspaceVolume), emptyDir(homeVolume), emptyDir(resultsVolume), emptyDir(stepsVolume),
	}
	volumes = append(volumes, b.credentials.volumes...)
	if b.hasScripts {
		volumes = append(volumes, emptyDir(scriptsVolume))
	}
	if b.breakpoint() {
		volumes = append(volumes, emptyDir(debugScriptsVolume), emptyDir(debugInfoVolume))
	}
	volumes = append(volumes, emptyDir(binVolume))
	if b.waits {
		volumes = append(volumes, readyVolume())
	}
	for i := range b.steps {
		if !b.in.Features.DisableCredentials {
			v := emptyDir(credentialsVolume + strconv.Itoa(i))
			v.EmptyDir.Medium = corev1.StorageMediumMemory
			volumes = append(volumes, v)
		}
		volumes = append(volumes, emptyDir(runVolume+strconv.Itoa(i)))
	}
	volumes = append(volumes, b.spec.Volumes...)
	if t := b.in.TaskRun.Spec.PodTemplate; t != nil {
		volumes = append(volumes, t.DeepCopy().Volumes...)
	}
	return volumes
}

// readyVolume shows the Pod's ready annotation as a file, which is empty until the annotation is there.
func readyVolume() corev1.Volume {
	return corev1.Volume{Name: downwardVolume, VolumeSource: corev1.VolumeSource{
		DownwardAPI: &corev1.DownwardAPIVolumeSource{Items: []corev1.DownwardAPIVolumeFile{{
			Path:     readyFile,
			FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['" + v1beta1.AnnotationReady + "']"},
		}}},
	}}
}

// WaitsForReady reports whether the first Step of a Pod waits for the ready annotation.
func WaitsForReady(pod *corev1.Pod) bool {
	for _, v := range pod.Spec.Volumes {
		if v.Name == downwardVolume {
			return true
		}
	}
	return false
}

func uniqueVolumes(volumes []corev1.Volume) error {
	seen := map[string]bool{}
	for i, v := range volumes {
		if seen[v.Name] {
			return fmt.Errorf("multiple volumes with same name %q: [%d].name", v.Name, i)
		}
		seen[v.Name] = true
	}
	return nil
}
