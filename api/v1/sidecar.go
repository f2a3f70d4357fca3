package v1

import corev1 "k8s.io/api/core/v1"

// Sidecar is a container that runs beside the Steps, from before the first to after the last.
type Sidecar struct {
	Name                     string                          `json:"name"`
	Image                    string                          `json:"image,omitempty"`
	Command                  []string                        `json:"command,omitempty"`
	Args                     []string                        `json:"args,omitempty"`
	WorkingDir               string                          `json:"workingDir,omitempty"`
	Ports                    []corev1.ContainerPort          `json:"ports,omitempty"`
	EnvFrom                  []corev1.EnvFromSource          `json:"envFrom,omitempty"`
	Env                      []corev1.EnvVar                 `json:"env,omitempty"`
	ComputeResources         corev1.ResourceRequirements     `json:"computeResources"`
	VolumeMounts             []corev1.VolumeMount            `json:"volumeMounts,omitempty"`
	VolumeDevices            []corev1.VolumeDevice           `json:"volumeDevices,omitempty"`
	LivenessProbe            *corev1.Probe                   `json:"livenessProbe,omitempty"`
	ReadinessProbe           *corev1.Probe                   `json:"readinessProbe,omitempty"`
	StartupProbe             *corev1.Probe                   `json:"startupProbe,omitempty"`
	Lifecycle                *corev1.Lifecycle               `json:"lifecycle,omitempty"`
	TerminationMessagePath   string                          `json:"terminationMessagePath,omitempty"`
	TerminationMessagePolicy corev1.TerminationMessagePolicy `json:"terminationMessagePolicy,omitempty"`
	ImagePullPolicy          corev1.PullPolicy               `json:"imagePullPolicy,omitempty"`
	SecurityContext          *corev1.SecurityContext         `json:"securityContext,omitempty"`
	Stdin                    bool                            `json:"stdin,omitempty"`
	StdinOnce                bool                            `json:"stdinOnce,omitempty"`
	TTY                      bool                            `json:"tty,omitempty"`

	// Script is the text of a program to run instead of Command.
	Script     string           `json:"script,omitempty"`
	Workspaces []WorkspaceUsage `json:"workspaces,omitempty"`
}
