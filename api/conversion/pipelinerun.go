package conversion

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PipelineRunToV1 is the PipelineRun as v1 shows it.
func PipelineRunToV1(in *v1beta1.PipelineRun) (*v1.PipelineRun, error) {
	out := &v1.PipelineRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: v1.KindPipelineRun},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       converting.pipelineRunSpecToV1(&in.Spec),
		Status:     converting.pipelineRunStatusToV1(&in.Status),
	}
	a := notes{&out.ObjectMeta}
	if in.Spec.Resources != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1Resources, in.Spec.Resources); err != nil {
			return nil, err
		}
	}
	if len(in.Status.TaskRuns) > 0 {
		if err := a.keep(v1beta1.AnnotationV1beta1TaskRuns, in.Status.TaskRuns); err != nil {
			return nil, err
		}
	}
	if len(in.Status.Runs) > 0 {
		if err := a.keep(v1beta1.AnnotationV1beta1Runs, in.Status.Runs); err != nil {
			return nil, err
		}
	}
	if len(in.Status.ChildReferences) > 0 && equality.Semantic.DeepEqual(in.Status.ChildReferences, childrenOf(&in.Status)) {
		if err := a.keep(v1beta1.AnnotationV1beta1ChildReferences, true); err != nil {
			return nil, err
		}
	}
	if in.Spec.PipelineSpec != nil && in.Spec.PipelineSpec.Resources != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1PipelineResources, in.Spec.PipelineSpec.Resources); err != nil {
			return nil, err
		}
	}
	return out, a.keepTaskResources(in.Spec.PipelineSpec)
}

// PipelineRunFromV1 is the PipelineRun as v1beta1 shows it, with what its annotations kept.
func PipelineRunFromV1(in *v1.PipelineRun) (*v1beta1.PipelineRun, error) {
	out := &v1beta1.PipelineRun{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.KindPipelineRun},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       converting.pipelineRunSpecFromV1(&in.Spec),
		Status:     converting.pipelineRunStatusFromV1(&in.Status),
	}
	a := notes{&out.ObjectMeta}
	if err := a.restore(v1beta1.AnnotationV1beta1Resources, &out.Spec.Resources); err != nil {
		return nil, err
	}
	if err := a.restore(v1beta1.AnnotationV1beta1TaskRuns, &out.Status.TaskRuns); err != nil {
		return nil, err
	}
	if err := a.restore(v1beta1.AnnotationV1beta1Runs, &out.Status.Runs); err != nil {
		return nil, err
	}
	if len(out.Status.TaskRuns) == 0 {
		out.Status.TaskRuns = nil
	}
	if len(out.Status.Runs) == 0 {
		out.Status.Runs = nil
	}
	var own bool
	if err := a.restore(v1beta1.AnnotationV1beta1ChildReferences, &own); err != nil {
		return nil, err
	}
	if !own && equality.Semantic.DeepEqual(out.Status.ChildReferences, childrenOf(&out.Status)) {
		out.Status.ChildReferences = nil // they were made for v1
	}
	var declared []v1beta1.PipelineDeclaredResource
	if err := a.restore(v1beta1.AnnotationV1beta1PipelineResources, &declared); err != nil {
		return nil, err
	}
	if out.Spec.PipelineSpec != nil {
		out.Spec.PipelineSpec.Resources = declared
	}
	return out, a.restoreTaskResources(out.Spec.PipelineSpec)
}

// PipelineRunSpecToV1 is the spec in v1, without what v1 has no field for. Types that are not given stay so.
func PipelineRunSpecToV1(in *v1beta1.PipelineRunSpec) v1.PipelineRunSpec {
	return asIs.pipelineRunSpecToV1(in)
}

func (m mapping) pipelineRunSpecToV1(in *v1beta1.PipelineRunSpec) v1.PipelineRunSpec {
	return v1.PipelineRunSpec{
		PipelineRef:     m.pipelineRefToV1(in.PipelineRef),
		PipelineSpec:    m.pipelineSpecToV1(in.PipelineSpec),
		Params:          m.params(in.Params),
		Status:          in.Status,
		Timeouts:        timeoutsToV1(in),
		TaskRunTemplate: v1.PipelineTaskRunTemplate{PodTemplate: in.PodTemplate, ServiceAccountName: in.ServiceAccountName},
		Workspaces:      in.Workspaces,
		TaskRunSpecs: each(in.TaskRunSpecs, func(s *v1beta1.PipelineTaskRunSpec) v1.PipelineTaskRunSpec {
			return v1.PipelineTaskRunSpec{
				PipelineTaskName:   s.PipelineTaskName,
				ServiceAccountName: s.TaskServiceAccountName,
				PodTemplate:        s.TaskPodTemplate,
				StepSpecs:          each(s.StepOverrides, stepSpec),
				SidecarSpecs:       each(s.SidecarOverrides, sidecarSpec),
				Metadata:           s.Metadata,
				ComputeResources:   s.ComputeResources,
			}
		}),
	}
}

// PipelineRunSpecFromV1 is the spec in v1beta1. Types that are not given stay so.
func PipelineRunSpecFromV1(in *v1.PipelineRunSpec) v1beta1.PipelineRunSpec {
	return asIs.pipelineRunSpecFromV1(in)
}

func (m mapping) pipelineRunSpecFromV1(in *v1.PipelineRunSpec) v1beta1.PipelineRunSpec {
	return v1beta1.PipelineRunSpec{
		PipelineRef:        m.pipelineRefFromV1(in.PipelineRef),
		PipelineSpec:       m.pipelineSpecFromV1(in.PipelineSpec),
		Params:             m.params(in.Params),
		ServiceAccountName: in.TaskRunTemplate.ServiceAccountName,
		Status:             in.Status,
		Timeouts:           in.Timeouts,
		PodTemplate:        in.TaskRunTemplate.PodTemplate,
		Workspaces:         in.Workspaces,
		TaskRunSpecs: each(in.TaskRunSpecs, func(s *v1.PipelineTaskRunSpec) v1beta1.PipelineTaskRunSpec {
			return v1beta1.PipelineTaskRunSpec{
				PipelineTaskName:       s.PipelineTaskName,
				TaskServiceAccountName: s.ServiceAccountName,
				TaskPodTemplate:        s.PodTemplate,
				StepOverrides:          each(s.StepSpecs, stepOverride),
				SidecarOverrides:       each(s.SidecarSpecs, sidecarOverride),
				Metadata:               s.Metadata,
				ComputeResources:       s.ComputeResources,
			}
		}),
	}
}

// timeoutsToV1 has the deprecated field where v1 has its only one. An object with both is refused before it is stored.
func timeoutsToV1(in *v1beta1.PipelineRunSpec) *v1beta1.TimeoutFields {
	if in.Timeout == nil {
		return in.Timeouts
	}
	out := v1beta1.TimeoutFields{}
	if in.Timeouts != nil {
		out = *in.Timeouts
	}
	out.Pipeline = in.Timeout
	return &out
}

func stepSpec(o *v1beta1.TaskRunStepOverride) v1.TaskRunStepSpec {
	return v1.TaskRunStepSpec{Name: o.Name, ComputeResources: o.Resources}
}

func stepOverride(s *v1.TaskRunStepSpec) v1beta1.TaskRunStepOverride {
	return v1beta1.TaskRunStepOverride{Name: s.Name, Resources: s.ComputeResources}
}

func sidecarSpec(o *v1beta1.TaskRunSidecarOverride) v1.TaskRunSidecarSpec {
	return v1.TaskRunSidecarSpec{Name: o.Name, ComputeResources: o.Resources}
}

func sidecarOverride(s *v1.TaskRunSidecarSpec) v1beta1.TaskRunSidecarOverride {
	return v1beta1.TaskRunSidecarOverride{Name: s.Name, Resources: s.ComputeResources}
}

// pipelineRefToV1 has no bundles: they are what a resolver finds. There is no way back.
func (m mapping) pipelineRefToV1(in *v1beta1.PipelineRef) *v1.PipelineRef {
	if in == nil {
		return nil
	}
	out := &v1.PipelineRef{Name: in.Name, APIVersion: in.APIVersion, ResolverRef: m.resolverRef(in.ResolverRef)}
	if in.Bundle != "" {
		out.Name = ""
		out.ResolverRef = v1.ResolverRef{Resolver: resolverOfBundles, Params: []v1.Param{
			{Name: paramBundle, Value: v1beta1.StringValue(in.Bundle)},
			{Name: paramName, Value: v1beta1.StringValue(in.Name)},
			{Name: paramKind, Value: v1beta1.StringValue("pipeline")},
		}}
	}
	return out
}

func (m mapping) pipelineRefFromV1(in *v1.PipelineRef) *v1beta1.PipelineRef {
	if in == nil {
		return nil
	}
	return &v1beta1.PipelineRef{Name: in.Name, APIVersion: in.APIVersion, ResolverRef: m.resolverRef(in.ResolverRef)}
}

func (m mapping) pipelineRunStatusToV1(in *v1beta1.PipelineRunStatus) v1.PipelineRunStatus {
	children := in.ChildReferences
	if len(children) == 0 {
		children = childrenOf(in)
	}
	return v1.PipelineRunStatus{
		Status: in.Status,
		PipelineRunStatusFields: v1.PipelineRunStatusFields{
			StartTime:        in.StartTime,
			CompletionTime:   in.CompletionTime,
			Results:          runResults(in.PipelineResults),
			PipelineSpec:     m.pipelineSpecToV1(in.PipelineSpec),
			SkippedTasks:     in.SkippedTasks,
			ChildReferences:  children,
			FinallyStartTime: in.FinallyStartTime,
			Provenance:       in.Provenance,
		},
	}
}

func (m mapping) pipelineRunStatusFromV1(in *v1.PipelineRunStatus) v1beta1.PipelineRunStatus {
	return v1beta1.PipelineRunStatus{
		Status: in.Status,
		PipelineRunStatusFields: v1beta1.PipelineRunStatusFields{
			StartTime:        in.StartTime,
			CompletionTime:   in.CompletionTime,
			PipelineResults:  runResults(in.Results),
			PipelineSpec:     m.pipelineSpecFromV1(in.PipelineSpec),
			SkippedTasks:     in.SkippedTasks,
			ChildReferences:  in.ChildReferences,
			FinallyStartTime: in.FinallyStartTime,
			Provenance:       in.Provenance,
		},
	}
}

func runResults(in []v1beta1.PipelineRunResult) []v1beta1.PipelineRunResult {
	return each(in, func(r *v1beta1.PipelineRunResult) v1beta1.PipelineRunResult {
		return v1beta1.PipelineRunResult{Name: r.Name, Value: typed(r.Value)}
	})
}

// childrenOf are the children that a status embeds, as references in the order of their names.
func childrenOf(in *v1beta1.PipelineRunStatus) []v1beta1.ChildStatusReference {
	var out []v1beta1.ChildStatusReference
	for name, tr := range in.TaskRuns {
		if tr != nil {
			out = append(out, v1beta1.ChildStatusReference{
				TypeMeta: metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.KindTaskRun},
				Name:     name, PipelineTaskName: tr.PipelineTaskName, WhenExpressions: tr.WhenExpressions,
			})
		}
	}
	for name, r := range in.Runs {
		if r != nil {
			out = append(out, v1beta1.ChildStatusReference{
				TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.KindRun},
				Name:     name, PipelineTaskName: r.PipelineTaskName, WhenExpressions: r.WhenExpressions,
			})
		}
	}
	slices.SortFunc(out, func(a, b v1beta1.ChildStatusReference) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}
