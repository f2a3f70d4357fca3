package pipelinerun

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/progress"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// blueprint is what a child is made from.
type blueprint struct {
	run        *v1beta1.PipelineRun
	task       *progress.Task
	complete   *v1beta1.PipelineTask
	name       string
	params     []v1beta1.Param // of its combination
	workspaces []v1beta1.WorkspaceBinding
	assistant  string // that its Pod follows, or ""
}

// pipelineTask is the task with what only the making of a child knows put in.
func (b *blueprint) pipelineTask() *v1beta1.PipelineTask {
	pt := b.complete
	return substitution.PipelineTask(pt, substitution.Contexts(map[string]string{"pipelineTask.retries": strconv.Itoa(pt.Retries)}))
}

func (b *blueprint) given(pt *v1beta1.PipelineTask) []v1beta1.Param {
	return slices.Concat(b.params, pt.Params)
}

// taskRunSpec is what the run says of this task, if anything.
func (b *blueprint) taskRunSpec() v1beta1.PipelineTaskRunSpec {
	for i := range b.run.Spec.TaskRunSpecs {
		if s := &b.run.Spec.TaskRunSpecs[i]; s.PipelineTaskName == b.task.Spec.Name {
			return *s.DeepCopy()
		}
	}
	return v1beta1.PipelineTaskRunSpec{}
}

func (b *blueprint) annotate(annotations map[string]string) {
	if b.assistant != "" {
		annotations[v1beta1.AnnotationAffinityAssistant] = b.assistant
	}
}

// taskRun is the TaskRun of the task (spec §2.10).
func (b *blueprint) taskRun() *v1beta1.TaskRun {
	pt, own := b.pipelineTask(), b.taskRunSpec()
	var embedded *v1beta1.PipelineTaskMetadata
	tr := &v1beta1.TaskRun{Spec: v1beta1.TaskRunSpec{
		Params:             b.given(pt),
		Retries:            pt.Retries,
		Timeout:            pt.Timeout,
		ServiceAccountName: b.run.Spec.ServiceAccountName,
		PodTemplate:        b.run.Spec.PodTemplate.DeepCopy(),
		Workspaces:         b.workspaces,
		StepOverrides:      own.StepOverrides,
		SidecarOverrides:   own.SidecarOverrides,
		ComputeResources:   own.ComputeResources,
	}}
	if own.TaskServiceAccountName != "" {
		tr.Spec.ServiceAccountName = own.TaskServiceAccountName
	}
	if own.TaskPodTemplate != nil {
		tr.Spec.PodTemplate = own.TaskPodTemplate
	}
	if pt.TaskSpec != nil {
		tr.Spec.TaskSpec, embedded = pt.TaskSpec.TaskSpec.DeepCopy(), &pt.TaskSpec.Metadata
	} else {
		tr.Spec.TaskRef = pt.TaskRef.DeepCopy()
	}
	tr.ObjectMeta = childMetadata(b.run, b.task.Spec.Name, b.task.Final, own.Metadata, embedded)
	tr.Name = b.name
	b.annotate(tr.Annotations)
	return tr
}

// account is the service account of the task.
func (b *blueprint) account() string {
	if own := b.taskRunSpec(); own.TaskServiceAccountName != "" {
		return own.TaskServiceAccountName
	}
	return b.run.Spec.ServiceAccountName
}

// embeddedCustom is a custom task that stands in the Pipeline.
func embeddedCustom(pt *v1beta1.PipelineTask) *v1beta1.EmbeddedCustomRunSpec {
	if pt.TaskSpec == nil {
		return nil
	}
	return &v1beta1.EmbeddedCustomRunSpec{TypeMeta: pt.TaskSpec.TypeMeta, Metadata: *pt.TaskSpec.Metadata.DeepCopy(), Spec: *pt.TaskSpec.Spec.DeepCopy()}
}

// aRun is the Run of a custom task.
func (b *blueprint) aRun() *v1alpha1.Run {
	pt := b.pipelineTask()
	r := &v1alpha1.Run{Spec: v1alpha1.RunSpec{
		Spec: embeddedCustom(pt), Params: b.given(pt), Retries: pt.Retries, Timeout: pt.Timeout,
		ServiceAccountName: b.account(), Workspaces: b.workspaces,
	}}
	if pt.TaskRef != nil {
		r.Spec.Ref = &v1alpha1.RunRef{TaskRef: *pt.TaskRef.DeepCopy()}
	}
	r.ObjectMeta = childMetadata(b.run, b.task.Spec.Name, b.task.Final, nil, nil)
	r.Name = b.name
	b.annotate(r.Annotations)
	return r
}

// customRun is the CustomRun of a custom task.
func (b *blueprint) customRun() *v1beta1.CustomRun {
	pt := b.pipelineTask()
	r := &v1beta1.CustomRun{Spec: v1beta1.CustomRunSpec{
		CustomRef: pt.TaskRef.DeepCopy(), CustomSpec: embeddedCustom(pt), Params: b.given(pt), Retries: pt.Retries, Timeout: pt.Timeout,
		ServiceAccountName: b.account(), Workspaces: b.workspaces,
	}}
	r.ObjectMeta = childMetadata(b.run, b.task.Spec.Name, b.task.Final, nil, nil)
	r.Name = b.name
	b.annotate(r.Annotations)
	return r
}

// bindings are the workspaces of a child, and the workspaces of the run that stand behind them. missing is one that the run does
// not bind, or "".
func bindings(pt *v1beta1.PipelineTask, available []v1beta1.WorkspaceBinding, optional func(name string) bool, propagated bool) (out []v1beta1.WorkspaceBinding, sources []string, missing string) {
	wanted := pt.Workspaces
	if propagated && pt.TaskSpec != nil {
		wanted = append(wanted[:len(wanted):len(wanted)], mentioned(&pt.TaskSpec.TaskSpec, wanted, available)...)
	}
	for _, w := range wanted {
		name := ofPipeline(w)
		i := slices.IndexFunc(available, func(b v1beta1.WorkspaceBinding) bool { return b.Name == name })
		if i < 0 {
			if !optional(w.Name) {
				return nil, nil, name
			}
			continue
		}
		binding := *available[i].DeepCopy()
		binding.Name = w.Name
		if w.SubPath != "" {
			binding.SubPath = filepath.Join(binding.SubPath, w.SubPath)
		}
		out, sources = append(out, binding), append(sources, name)
	}
	return out, sources, ""
}

// workspaceVariable is a variable of a workspace; the first group is its name.
var workspaceVariable = regexp.MustCompile(`\$\(workspaces\.([^.)\s]+)`)

// mentioned are the workspaces of the run that an embedded Task uses without being given them.
func mentioned(spec *v1beta1.TaskSpec, given []v1beta1.WorkspacePipelineTaskBinding, available []v1beta1.WorkspaceBinding) []v1beta1.WorkspacePipelineTaskBinding {
	known := map[string]bool{}
	for _, w := range given {
		known[w.Name] = true
	}
	var out []v1beta1.WorkspacePipelineTaskBinding
	see := func(texts ...string) {
		for _, text := range texts {
			for _, m := range workspaceVariable.FindAllStringSubmatch(text, -1) {
				name := m[1]
				bound := slices.ContainsFunc(available, func(b v1beta1.WorkspaceBinding) bool { return b.Name == name })
				if bound && !known[name] {
					known[name] = true
					out = append(out, v1beta1.WorkspacePipelineTaskBinding{Name: name})
				}
			}
		}
	}
	for i := range spec.Steps {
		s := &spec.Steps[i]
		see(s.Script)
		see(s.Command...)
		see(s.Args...)
	}
	for i := range spec.Sidecars {
		s := &spec.Sidecars[i]
		see(s.Script)
		see(s.Command...)
		see(s.Args...)
	}
	if t := spec.StepTemplate; t != nil {
		see(t.Command...)
		see(t.Args...)
	}
	return out
}

// onClaim reports whether a workspace of the run is kept on a claim.
func onClaim(b *v1beta1.WorkspaceBinding) bool {
	return b.PersistentVolumeClaim != nil || b.VolumeClaimTemplate != nil
}

// claimed is what stands in for a template once its claim has a name.
func claimed(name string) *corev1.PersistentVolumeClaimVolumeSource {
	return &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}
}
