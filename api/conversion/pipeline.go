package conversion

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// PipelineToV1 is the Pipeline as v1 shows it.
func PipelineToV1(in *v1beta1.Pipeline) (*v1.Pipeline, error) {
	out := &v1.Pipeline{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1.GroupVersion.String(), Kind: v1.KindPipeline},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       *converting.pipelineSpecToV1(&in.Spec),
	}
	a := notes{&out.ObjectMeta}
	if in.Spec.Resources != nil {
		if err := a.keep(v1beta1.AnnotationV1beta1Resources, in.Spec.Resources); err != nil {
			return nil, err
		}
	}
	return out, a.keepTaskResources(&in.Spec)
}

// PipelineFromV1 is the Pipeline as v1beta1 shows it, with what its annotations kept.
func PipelineFromV1(in *v1.Pipeline) (*v1beta1.Pipeline, error) {
	out := &v1beta1.Pipeline{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1beta1.GroupVersion.String(), Kind: v1beta1.KindPipeline},
		ObjectMeta: metadata(&in.ObjectMeta),
		Spec:       *converting.pipelineSpecFromV1(&in.Spec),
	}
	a := notes{&out.ObjectMeta}
	if err := a.restore(v1beta1.AnnotationV1beta1Resources, &out.Spec.Resources); err != nil {
		return nil, err
	}
	return out, a.restoreTaskResources(&out.Spec)
}

// PipelineSpecToV1 is the spec in v1, without what v1 has no field for; nil stays nil, and so do types that are not given.
func PipelineSpecToV1(in *v1beta1.PipelineSpec) *v1.PipelineSpec { return asIs.pipelineSpecToV1(in) }

func (m mapping) pipelineSpecToV1(in *v1beta1.PipelineSpec) *v1.PipelineSpec {
	if in == nil {
		return nil
	}
	return &v1.PipelineSpec{
		Description: in.Description,
		Tasks:       each(in.Tasks, m.pipelineTaskToV1),
		Params:      m.paramSpecs(in.Params),
		Workspaces:  in.Workspaces,
		Results:     m.pipelineResults(in.Results),
		Finally:     each(in.Finally, m.pipelineTaskToV1),
	}
}

// PipelineSpecFromV1 is the spec in v1beta1; nil stays nil, and so do types that are not given.
func PipelineSpecFromV1(in *v1.PipelineSpec) *v1beta1.PipelineSpec {
	return asIs.pipelineSpecFromV1(in)
}

func (m mapping) pipelineSpecFromV1(in *v1.PipelineSpec) *v1beta1.PipelineSpec {
	if in == nil {
		return nil
	}
	return &v1beta1.PipelineSpec{
		Description: in.Description,
		Tasks:       each(in.Tasks, m.pipelineTaskFromV1),
		Params:      m.paramSpecs(in.Params),
		Workspaces:  in.Workspaces,
		Results:     m.pipelineResults(in.Results),
		Finally:     each(in.Finally, m.pipelineTaskFromV1),
	}
}

func (m mapping) pipelineResults(in []v1beta1.PipelineResult) []v1beta1.PipelineResult {
	if !m.typed {
		return in
	}
	return each(in, func(r *v1beta1.PipelineResult) v1beta1.PipelineResult {
		out := *r
		out.Value = typed(r.Value)
		return out
	})
}

func (m mapping) pipelineTaskToV1(in *v1beta1.PipelineTask) v1.PipelineTask {
	out := v1.PipelineTask{
		Name:       in.Name,
		TaskRef:    m.taskRefToV1(in.TaskRef),
		When:       in.WhenExpressions,
		Retries:    in.Retries,
		RunAfter:   in.RunAfter,
		Params:     m.params(in.Params),
		Matrix:     m.matrix(in.Matrix),
		Workspaces: in.Workspaces,
		Timeout:    in.Timeout,
	}
	if e := in.TaskSpec; e != nil {
		out.TaskSpec = &v1.EmbeddedTask{TypeMeta: e.TypeMeta, Spec: e.Spec, Metadata: e.Metadata, TaskSpec: *m.taskSpecToV1(&e.TaskSpec)}
	}
	return out
}

func (m mapping) pipelineTaskFromV1(in *v1.PipelineTask) v1beta1.PipelineTask {
	out := v1beta1.PipelineTask{
		Name:            in.Name,
		TaskRef:         m.taskRefFromV1(in.TaskRef),
		WhenExpressions: in.When,
		Retries:         in.Retries,
		RunAfter:        in.RunAfter,
		Params:          m.params(in.Params),
		Matrix:          m.matrix(in.Matrix),
		Workspaces:      in.Workspaces,
		Timeout:         in.Timeout,
	}
	if e := in.TaskSpec; e != nil {
		out.TaskSpec = &v1beta1.EmbeddedTask{TypeMeta: e.TypeMeta, Spec: e.Spec, Metadata: e.Metadata, TaskSpec: *m.taskSpecFromV1(&e.TaskSpec)}
	}
	return out
}

func (m mapping) matrix(in *v1beta1.Matrix) *v1beta1.Matrix {
	if in == nil || !m.typed {
		return in
	}
	return &v1beta1.Matrix{Params: m.params(in.Params)}
}

// taskResources are the PipelineResources of one task of a Pipeline, which v1 has no field for. Tasks are told apart by where
// they stand, since names may be wrong.
type taskResources struct {
	Finally  bool                           `json:"finally,omitempty"`
	Index    int                            `json:"index"`
	Bound    *v1beta1.PipelineTaskResources `json:"bound,omitempty"`
	Declared *v1beta1.TaskResources         `json:"declared,omitempty"`
}

func (n notes) keepTaskResources(spec *v1beta1.PipelineSpec) error {
	if spec == nil {
		return nil
	}
	var kept []taskResources
	for list, tasks := range [][]v1beta1.PipelineTask{spec.Tasks, spec.Finally} {
		for i := range tasks {
			r := taskResources{Finally: list == 1, Index: i, Bound: tasks[i].Resources}
			if tasks[i].TaskSpec != nil {
				r.Declared = tasks[i].TaskSpec.Resources
			}
			if r.Bound != nil || r.Declared != nil {
				kept = append(kept, r)
			}
		}
	}
	if kept == nil {
		return nil
	}
	return n.keep(v1beta1.AnnotationV1beta1TaskResources, kept)
}

func (n notes) restoreTaskResources(spec *v1beta1.PipelineSpec) error {
	var kept []taskResources
	if err := n.restore(v1beta1.AnnotationV1beta1TaskResources, &kept); err != nil || spec == nil {
		return err
	}
	for _, r := range kept {
		tasks := spec.Tasks
		if r.Finally {
			tasks = spec.Finally
		}
		if r.Index < 0 || r.Index >= len(tasks) {
			continue // the list is shorter now: v1 took the task out
		}
		tasks[r.Index].Resources = r.Bound
		if tasks[r.Index].TaskSpec != nil {
			tasks[r.Index].TaskSpec.Resources = r.Declared
		}
	}
	return nil
}
