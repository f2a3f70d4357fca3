package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Step is one container of a Task. Steps run one after the other.
type Step struct {
	Name             string                      `json:"name"`
	Image            string                      `json:"image,omitempty"`
	Command          []string                    `json:"command,omitempty"`
	Args             []string                    `json:"args,omitempty"`
	WorkingDir       string                      `json:"workingDir,omitempty"`
	EnvFrom          []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Env              []corev1.EnvVar             `json:"env,omitempty"`
	ComputeResources corev1.ResourceRequirements `json:"computeResources"`
	VolumeMounts     []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
	VolumeDevices    []corev1.VolumeDevice       `json:"volumeDevices,omitempty"`
	ImagePullPolicy  corev1.PullPolicy           `json:"imagePullPolicy,omitempty"`
	SecurityContext  *corev1.SecurityContext     `json:"securityContext,omitempty"`

	// Script is the text of a program to run instead of Command.
	Script string `json:"script,omitempty"`
	// Timeout bounds this Step alone.
	Timeout    *metav1.Duration `json:"timeout,omitempty"`
	Workspaces []WorkspaceUsage `json:"workspaces,omitempty"`
	// OnError says what an exit code other than 0 does: continue, stopAndFail, or a reference to a param.
	OnError      OnErrorType       `json:"onError,omitempty"`
	StdoutConfig *StepOutputConfig `json:"stdoutConfig,omitempty"`
	StderrConfig *StepOutputConfig `json:"stderrConfig,omitempty"`
}

// StepTemplate is what every Step of a Task starts from.
type StepTemplate struct {
	Image            string                      `json:"image,omitempty"`
	Command          []string                    `json:"command,omitempty"`
	Args             []string                    `json:"args,omitempty"`
	WorkingDir       string                      `json:"workingDir,omitempty"`
	EnvFrom          []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Env              []corev1.EnvVar             `json:"env,omitempty"`
	ComputeResources corev1.ResourceRequirements `json:"computeResources"`
	VolumeMounts     []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
	VolumeDevices    []corev1.VolumeDevice       `json:"volumeDevices,omitempty"`
	ImagePullPolicy  corev1.PullPolicy           `json:"imagePullPolicy,omitempty"`
	SecurityContext  *corev1.SecurityContext     `json:"securityContext,omitempty"`
}
