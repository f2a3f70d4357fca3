package conversion

import (
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TaskRunSpecToV1 is the spec in v1, without what v1 has no field for. Types that are not given stay so.
func TaskRunSpecToV1(in *v1beta1.TaskRunSpec) v1.TaskRunSpec { return asIs.taskRunSpecToV1(in) }

func (m mapping) taskRunSpecToV1(in *v1beta1.TaskRunSpec) v1.TaskRunSpec {
	return v1.TaskRunSpec{
		Debug:              in.Debug,
		Params:             m.params(in.Params),
		ServiceAccountName: in.ServiceAccountName,
		TaskRef:            m.taskRefToV1(in.TaskRef),
		TaskSpec:           m.taskSpecToV1(in.TaskSpec),
		Status:             in.Status,
		StatusMessage:      in.StatusMessage,
		Retries:            in.Retries,
		Timeout:            in.Timeout,
		PodTemplate:        in.PodTemplate,
		Workspaces:         in.Workspaces,
		StepSpecs: each(in.StepOverrides, func(o *v1beta1.TaskRunStepOverride) v1.TaskRunStepSpec {
			return v1.TaskRunStepSpec{Name: o.Name, ComputeResources: o.Resources}
		}),
		SidecarSpecs: each(in.SidecarOverrides, func(o *v1beta1.TaskRunSidecarOverride) v1.TaskRunSidecarSpec {
			return v1.TaskRunSidecarSpec{Name: o.Name, ComputeResources: o.Resources}
		}),
		ComputeResources: in.ComputeResources,
	}
}

// TaskRunSpecFromV1 is the spec in v1beta1. Types that are not given stay so.
func TaskRunSpecFromV1(in *v1.TaskRunSpec) v1beta1.TaskRunSpec { return asIs.taskRunSpecFromV1(in) }

func (m mapping) taskRunSpecFromV1(in *v1.TaskRunSpec) v1beta1.TaskRunSpec {
	return v1beta1.TaskRunSpec{
		Debug:              in.Debug,
		Params:             m.params(in.Params),
		ServiceAccountName: in.ServiceAccountName,
		TaskRef:            m.taskRefFromV1(in.TaskRef),
		TaskSpec:           m.taskSpecFromV1(in.TaskSpec),
		Status:             in.Status,
		StatusMessage:      in.StatusMessage,
		Retries:            in.Retries,
		Timeout:            in.Timeout,
		PodTemplate:        in.PodTemplate,
		Workspaces:         in.Workspaces,
		StepOverrides: each(in.StepSpecs, func(s *v1.TaskRunStepSpec) v1beta1.TaskRunStepOverride {
			return v1beta1.TaskRunStepOverride{Name: s.Name, Resources: s.ComputeResources}
		}),
		SidecarOverrides: each(in.SidecarSpecs, func(s *v1.TaskRunSidecarSpec) v1beta1.TaskRunSidecarOverride {
			return v1beta1.TaskRunSidecarOverride{Name: s.Name, Resources: s.ComputeResources}
		}),
		ComputeResources: in.ComputeResources,
	}
}

// taskRefToV1 has no bundles: they are what a resolver finds. There is no way back.
func (m mapping) taskRefToV1(in *v1beta1.TaskRef) *v1.TaskRef {
	if in == nil {
		return nil
	}
	out := &v1.TaskRef{Name: in.Name, Kind: in.Kind, APIVersion: in.APIVersion, ResolverRef: m.resolverRef(in.ResolverRef)}
	if in.Bundle != "" {
		out.Name = ""
		out.ResolverRef = v1.ResolverRef{Resolver: resolverOfBundles, Params: []v1.Param{
			{Name: paramBundle, Value: v1beta1.StringValue(in.Bundle)},
			{Name: paramName, Value: v1beta1.StringValue(in.Name)},
			{Name: paramKind, Value: v1beta1.StringValue(v1beta1.KindTask)},
		}}
	}
	return out
}

func (m mapping) taskRefFromV1(in *v1.TaskRef) *v1beta1.TaskRef {
	if in == nil {
		return nil
	}
	return &v1beta1.TaskRef{Name: in.Name, Kind: in.Kind, APIVersion: in.APIVersion, ResolverRef: m.resolverRef(in.ResolverRef)}
}

func (m mapping) resolverRef(in v1beta1.ResolverRef) v1beta1.ResolverRef {
	return v1beta1.ResolverRef{Resolver: in.Resolver, Params: m.params(in.Params)}
}

func (m mapping) statusToV1(in *v1beta1.TaskRunStatus) v1.TaskRunStatus {
	return v1.TaskRunStatus{
		Status: in.Status,
		TaskRunStatusFields: v1.TaskRunStatusFields{
			PodName:        in.PodName,
			StartTime:      in.StartTime,
			CompletionTime: in.CompletionTime,
			Steps:          in.Steps,
			RetriesStatus:  each(in.RetriesStatus, m.statusToV1),
			Results:        results(in.TaskRunResults),
			Sidecars:       in.Sidecars,
			TaskSpec:       m.taskSpecToV1(in.TaskSpec),
			Provenance:     in.Provenance,
		},
	}
}

func (m mapping) statusFromV1(in *v1.TaskRunStatus) v1beta1.TaskRunStatus {
	return v1beta1.TaskRunStatus{
		Status: in.Status,
		TaskRunStatusFields: v1beta1.TaskRunStatusFields{
			PodName:        in.PodName,
			StartTime:      in.StartTime,
			CompletionTime: in.CompletionTime,
			Steps:          in.Steps,
			RetriesStatus:  each(in.RetriesStatus, m.statusFromV1),
			TaskRunResults: results(in.Results),
			Sidecars:       in.Sidecars,
			TaskSpec:       m.taskSpecFromV1(in.TaskSpec),
			Provenance:     in.Provenance,
		},
	}
}
