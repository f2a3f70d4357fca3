package v1beta1

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Step is one container of a Task. Steps run one after the other.
type Step struct {
	Name            string                      `json:"name"`
	Image           string                      `json:"image,omitempty"`
	Command         []string                    `json:"command,omitempty"`
	Args            []string                    `json:"args,omitempty"`
	WorkingDir      string                      `json:"workingDir,omitempty"`
	EnvFrom         []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Env             []corev1.EnvVar             `json:"env,omitempty"`
	Resources       corev1.ResourceRequirements `json:"resources"`
	VolumeMounts    []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
	VolumeDevices   []corev1.VolumeDevice       `json:"volumeDevices,omitempty"`
	ImagePullPolicy corev1.PullPolicy           `json:"imagePullPolicy,omitempty"`
	SecurityContext *corev1.SecurityContext     `json:"securityContext,omitempty"`

	// Script is the text of a program to run instead of Command.
	Script string `json:"script,omitempty"`
	// Timeout bounds this Step alone.
	Timeout    *metav1.Duration `json:"timeout,omitempty"`
	Workspaces []WorkspaceUsage `json:"workspaces,omitempty"`
	// OnError says what an exit code other than 0 does: OnErrorContinue, OnErrorStopAndFail, or a reference to a param.
	OnError      OnErrorType       `json:"onError,omitempty"`
	StdoutConfig *StepOutputConfig `json:"stdoutConfig,omitempty"`
	StderrConfig *StepOutputConfig `json:"stderrConfig,omitempty"`

	// The fields below are deprecated.
	Ports                    []corev1.ContainerPort          `json:"ports,omitempty"`
	LivenessProbe            *corev1.Probe                   `json:"livenessProbe,omitempty"`
	ReadinessProbe           *corev1.Probe                   `json:"readinessProbe,omitempty"`
	StartupProbe             *corev1.Probe                   `json:"startupProbe,omitempty"`
	Lifecycle                *corev1.Lifecycle               `json:"lifecycle,omitempty"`
	TerminationMessagePath   string                          `json:"terminationMessagePath,omitempty"`
	TerminationMessagePolicy corev1.TerminationMessagePolicy `json:"terminationMessagePolicy,omitempty"`
	Stdin                    bool                            `json:"stdin,omitempty"`
	StdinOnce                bool                            `json:"stdinOnce,omitempty"`
	TTY                      bool                            `json:"tty,omitempty"`
}

// ContainerName returns the name of the Step's container, where index is the Step's place in its Task. The Step's directory
// under StepsDir has the same name. Kubernetes allows shorter names of containers than of directories: see podspec.
func (s *Step) ContainerName(index int) string {
	if s.Name == "" {
		return StepContainerUnnamed + strconv.Itoa(index)
	}
	return StepContainerPrefix + s.Name
}

// OnErrorType says what happens to a run when a Step fails.
type OnErrorType string

// StepOutputConfig sends a stream of a Step to a file, too.
type StepOutputConfig struct {
	Path string `json:"path,omitempty"`
}

// ToContainer is the Step as a container, without what only Steps have.
func (s *Step) ToContainer() *corev1.Container {
	return &corev1.Container{
		Name:                     s.Name,
		Image:                    s.Image,
		Command:                  s.Command,
		Args:                     s.Args,
		WorkingDir:               s.WorkingDir,
		Ports:                    s.Ports,
		EnvFrom:                  s.EnvFrom,
		Env:                      s.Env,
		Resources:                s.Resources,
		VolumeMounts:             s.VolumeMounts,
		VolumeDevices:            s.VolumeDevices,
		LivenessProbe:            s.LivenessProbe,
		ReadinessProbe:           s.ReadinessProbe,
		StartupProbe:             s.StartupProbe,
		Lifecycle:                s.Lifecycle,
		TerminationMessagePath:   s.TerminationMessagePath,
		TerminationMessagePolicy: s.TerminationMessagePolicy,
		ImagePullPolicy:          s.ImagePullPolicy,
		SecurityContext:          s.SecurityContext,
		Stdin:                    s.Stdin,
		StdinOnce:                s.StdinOnce,
		TTY:                      s.TTY,
	}
}

// SetContainer copies what a container and a Step share into the Step; what only Steps have stays.
func (s *Step) SetContainer(c corev1.Container) {
	s.Name = c.Name
	s.Image = c.Image
	s.Command = c.Command
	s.Args = c.Args
	s.WorkingDir = c.WorkingDir
	s.Ports = c.Ports
	s.EnvFrom = c.EnvFrom
	s.Env = c.Env
	s.Resources = c.Resources
	s.VolumeMounts = c.VolumeMounts
	s.VolumeDevices = c.VolumeDevices
	s.LivenessProbe = c.LivenessProbe
	s.ReadinessProbe = c.ReadinessProbe
	s.StartupProbe = c.StartupProbe
	s.Lifecycle = c.Lifecycle
	s.TerminationMessagePath = c.TerminationMessagePath
	s.TerminationMessagePolicy = c.TerminationMessagePolicy
	s.ImagePullPolicy = c.ImagePullPolicy
	s.SecurityContext = c.SecurityContext
	s.Stdin = c.Stdin
	s.StdinOnce = c.StdinOnce
	s.TTY = c.TTY
}

// StepTemplate is what every Step of a Task starts from.
type StepTemplate struct {
	Name            string                      `json:"name"` // deprecated
	Image           string                      `json:"image,omitempty"`
	Command         []string                    `json:"command,omitempty"`
	Args            []string                    `json:"args,omitempty"`
	WorkingDir      string                      `json:"workingDir,omitempty"`
	EnvFrom         []corev1.EnvFromSource      `json:"envFrom,omitempty"`
	Env             []corev1.EnvVar             `json:"env,omitempty"`
	Resources       corev1.ResourceRequirements `json:"resources"`
	VolumeMounts    []corev1.VolumeMount        `json:"volumeMounts,omitempty"`
	VolumeDevices   []corev1.VolumeDevice       `json:"volumeDevices,omitempty"`
	ImagePullPolicy corev1.PullPolicy           `json:"imagePullPolicy,omitempty"`
	SecurityContext *corev1.SecurityContext     `json:"securityContext,omitempty"`

	// The fields below are deprecated.
	Ports                    []corev1.ContainerPort          `json:"ports,omitempty"`
	LivenessProbe            *corev1.Probe                   `json:"livenessProbe,omitempty"`
	ReadinessProbe           *corev1.Probe                   `json:"readinessProbe,omitempty"`
	StartupProbe             *corev1.Probe                   `json:"startupProbe,omitempty"`
	Lifecycle                *corev1.Lifecycle               `json:"lifecycle,omitempty"`
	TerminationMessagePath   string                          `json:"terminationMessagePath,omitempty"`
	TerminationMessagePolicy corev1.TerminationMessagePolicy `json:"terminationMessagePolicy,omitempty"`
	Stdin                    bool                            `json:"stdin,omitempty"`
	StdinOnce                bool                            `json:"stdinOnce,omitempty"`
	TTY                      bool                            `json:"tty,omitempty"`
}

// ToContainer is the template as a container.
func (s *StepTemplate) ToContainer() *corev1.Container {
	return &corev1.Container{
		Name:                     s.Name,
		Image:                    s.Image,
		Command:                  s.Command,
		Args:                     s.Args,
		WorkingDir:               s.WorkingDir,
		Ports:                    s.Ports,
		EnvFrom:                  s.EnvFrom,
		Env:                      s.Env,
		Resources:                s.Resources,
		VolumeMounts:             s.VolumeMounts,
		VolumeDevices:            s.VolumeDevices,
		LivenessProbe:            s.LivenessProbe,
		ReadinessProbe:           s.ReadinessProbe,
		StartupProbe:             s.StartupProbe,
		Lifecycle:                s.Lifecycle,
		TerminationMessagePath:   s.TerminationMessagePath,
		TerminationMessagePolicy: s.TerminationMessagePolicy,
		ImagePullPolicy:          s.ImagePullPolicy,
		SecurityContext:          s.SecurityContext,
		Stdin:                    s.Stdin,
		StdinOnce:                s.StdinOnce,
		TTY:                      s.TTY,
	}
}
