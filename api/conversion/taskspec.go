package conversion

import (
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TaskSpecToV1 is the spec in v1, without what v1 has no field for; nil stays nil, and so do types that are not given.
func TaskSpecToV1(in *v1beta1.TaskSpec) *v1.TaskSpec { return asIs.taskSpecToV1(in) }

func (m mapping) taskSpecToV1(in *v1beta1.TaskSpec) *v1.TaskSpec {
	if in == nil {
		return nil
	}
	return &v1.TaskSpec{
		Params:       m.paramSpecs(in.Params),
		Description:  in.Description,
		Steps:        each(in.Steps, stepToV1),
		Volumes:      in.Volumes,
		StepTemplate: templateToV1(in.StepTemplate),
		Sidecars:     each(in.Sidecars, sidecarToV1),
		Workspaces:   in.Workspaces,
		Results:      in.Results,
	}
}

// TaskSpecFromV1 is the spec in v1beta1; nil stays nil, and so do types that are not given.
func TaskSpecFromV1(in *v1.TaskSpec) *v1beta1.TaskSpec { return asIs.taskSpecFromV1(in) }

func (m mapping) taskSpecFromV1(in *v1.TaskSpec) *v1beta1.TaskSpec {
	if in == nil {
		return nil
	}
	return &v1beta1.TaskSpec{
		Params:       m.paramSpecs(in.Params),
		Description:  in.Description,
		Steps:        each(in.Steps, stepFromV1),
		Volumes:      in.Volumes,
		StepTemplate: templateFromV1(in.StepTemplate),
		Sidecars:     each(in.Sidecars, sidecarFromV1),
		Workspaces:   in.Workspaces,
		Results:      in.Results,
	}
}

// stepToV1 loses the fields of a container that are deprecated for Steps.
func stepToV1(in *v1beta1.Step) v1.Step {
	return v1.Step{
		Name:             in.Name,
		Image:            in.Image,
		Command:          in.Command,
		Args:             in.Args,
		WorkingDir:       in.WorkingDir,
		EnvFrom:          in.EnvFrom,
		Env:              in.Env,
		VolumeMounts:     in.VolumeMounts,
		VolumeDevices:    in.VolumeDevices,
		ImagePullPolicy:  in.ImagePullPolicy,
		SecurityContext:  in.SecurityContext,
		Script:           in.Script,
		Timeout:          in.Timeout,
		Workspaces:       in.Workspaces,
		OnError:          in.OnError,
		StdoutConfig:     in.StdoutConfig,
		StderrConfig:     in.StderrConfig,
		ComputeResources: in.Resources,
	}
}

func stepFromV1(in *v1.Step) v1beta1.Step {
	return v1beta1.Step{
		Name:            in.Name,
		Image:           in.Image,
		Command:         in.Command,
		Args:            in.Args,
		WorkingDir:      in.WorkingDir,
		EnvFrom:         in.EnvFrom,
		Env:             in.Env,
		VolumeMounts:    in.VolumeMounts,
		VolumeDevices:   in.VolumeDevices,
		ImagePullPolicy: in.ImagePullPolicy,
		SecurityContext: in.SecurityContext,
		Script:          in.Script,
		Timeout:         in.Timeout,
		Workspaces:      in.Workspaces,
		OnError:         in.OnError,
		StdoutConfig:    in.StdoutConfig,
		StderrConfig:    in.StderrConfig,
		Resources:       in.ComputeResources,
	}
}

// templateToV1 loses the fields of a container that are deprecated for Steps, its name among them.
func templateToV1(in *v1beta1.StepTemplate) *v1.StepTemplate {
	if in == nil {
		return nil
	}
	return &v1.StepTemplate{
		Image:            in.Image,
		Command:          in.Command,
		Args:             in.Args,
		WorkingDir:       in.WorkingDir,
		EnvFrom:          in.EnvFrom,
		Env:              in.Env,
		VolumeMounts:     in.VolumeMounts,
		VolumeDevices:    in.VolumeDevices,
		ImagePullPolicy:  in.ImagePullPolicy,
		SecurityContext:  in.SecurityContext,
		ComputeResources: in.Resources,
	}
}

func templateFromV1(in *v1.StepTemplate) *v1beta1.StepTemplate {
	if in == nil {
		return nil
	}
	return &v1beta1.StepTemplate{
		Image:           in.Image,
		Command:         in.Command,
		Args:            in.Args,
		WorkingDir:      in.WorkingDir,
		EnvFrom:         in.EnvFrom,
		Env:             in.Env,
		VolumeMounts:    in.VolumeMounts,
		VolumeDevices:   in.VolumeDevices,
		ImagePullPolicy: in.ImagePullPolicy,
		SecurityContext: in.SecurityContext,
		Resources:       in.ComputeResources,
	}
}

func sidecarToV1(in *v1beta1.Sidecar) v1.Sidecar {
	return v1.Sidecar{
		Name:                     in.Name,
		Image:                    in.Image,
		Command:                  in.Command,
		Args:                     in.Args,
		WorkingDir:               in.WorkingDir,
		Ports:                    in.Ports,
		EnvFrom:                  in.EnvFrom,
		Env:                      in.Env,
		VolumeMounts:             in.VolumeMounts,
		VolumeDevices:            in.VolumeDevices,
		LivenessProbe:            in.LivenessProbe,
		ReadinessProbe:           in.ReadinessProbe,
		StartupProbe:             in.StartupProbe,
		Lifecycle:                in.Lifecycle,
		TerminationMessagePath:   in.TerminationMessagePath,
		TerminationMessagePolicy: in.TerminationMessagePolicy,
		ImagePullPolicy:          in.ImagePullPolicy,
		SecurityContext:          in.SecurityContext,
		Stdin:                    in.Stdin,
		StdinOnce:                in.StdinOnce,
		TTY:                      in.TTY,
		Script:                   in.Script,
		Workspaces:               in.Workspaces,
		ComputeResources:         in.Resources,
	}
}

func sidecarFromV1(in *v1.Sidecar) v1beta1.Sidecar {
	return v1beta1.Sidecar{
		Name:                     in.Name,
		Image:                    in.Image,
		Command:                  in.Command,
		Args:                     in.Args,
		WorkingDir:               in.WorkingDir,
		Ports:                    in.Ports,
		EnvFrom:                  in.EnvFrom,
		Env:                      in.Env,
		VolumeMounts:             in.VolumeMounts,
		VolumeDevices:            in.VolumeDevices,
		LivenessProbe:            in.LivenessProbe,
		ReadinessProbe:           in.ReadinessProbe,
		StartupProbe:             in.StartupProbe,
		Lifecycle:                in.Lifecycle,
		TerminationMessagePath:   in.TerminationMessagePath,
		TerminationMessagePolicy: in.TerminationMessagePolicy,
		ImagePullPolicy:          in.ImagePullPolicy,
		SecurityContext:          in.SecurityContext,
		Stdin:                    in.Stdin,
		StdinOnce:                in.StdinOnce,
		TTY:                      in.TTY,
		Script:                   in.Script,
		Workspaces:               in.Workspaces,
		Resources:                in.ComputeResources,
	}
}
