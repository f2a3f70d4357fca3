package v1beta1

import corev1 "k8s.io/api/core/v1"

// WorkspaceDeclaration declares a directory that a Task wants from its run.
type WorkspaceDeclaration struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	MountPath   string `json:"mountPath,omitempty"`
	ReadOnly    bool   `json:"readOnly,omitempty"`
	Optional    bool   `json:"optional,omitempty"`
}

// GetMountPath is where the workspace appears in the Steps: MountPath, or /workspace/<name>.
func (w *WorkspaceDeclaration) GetMountPath() string {
	if w.MountPath != "" {
		return w.MountPath
	}
	return WorkspaceDir + "/" + w.Name
}

// WorkspaceUsage gives a workspace to one Step or Sidecar alone.
type WorkspaceUsage struct {
	Name      string `json:"name"`
	MountPath string `json:"mountPath"`
}

// WorkspaceBinding says which volume backs a workspace; exactly one source is set.
type WorkspaceBinding struct {
	Name                  string                                    `json:"name"`
	SubPath               string                                    `json:"subPath,omitempty"`
	VolumeClaimTemplate   *corev1.PersistentVolumeClaim             `json:"volumeClaimTemplate,omitempty"`
	PersistentVolumeClaim *corev1.PersistentVolumeClaimVolumeSource `json:"persistentVolumeClaim,omitempty"`
	EmptyDir              *corev1.EmptyDirVolumeSource              `json:"emptyDir,omitempty"`
	ConfigMap             *corev1.ConfigMapVolumeSource             `json:"configMap,omitempty"`
	Secret                *corev1.SecretVolumeSource                `json:"secret,omitempty"`
	Projected             *corev1.ProjectedVolumeSource             `json:"projected,omitempty"`
	CSI                   *corev1.CSIVolumeSource                   `json:"csi,omitempty"`
}
