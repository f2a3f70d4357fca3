package taskrun

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// TaskSpecAnnotation, among the annotations of the status, holds the Task of a taskRef as it was found, in JSON, while
// status.taskSpec shows it with its variables replaced and another attempt may have to replace them anew.
const TaskSpecAnnotation = "plumbline.dev/task-spec"

// plan is what the Pod of an attempt is made of.
type plan struct {
	// source is the Task as it was found, spec the same with variables replaced.
	source, spec *v1beta1.TaskSpec
	bindings     []v1beta1.WorkspaceBinding
	claims       []*corev1.PersistentVolumeClaim
}

// prepare finds out what to run, whether it can be run, and replaces its variables (LC-20…LC-40).
func (p *taskRunPass) prepare(ctx context.Context) error {
	task, err := p.task(ctx)
	if err != nil {
		return err
	}
	p.Run.Status.TaskSpec = task.Spec
	bindings, err := p.bindings(task.Spec)
	if err != nil {
		return err
	}
	if err := validate(p.Run, task, bindings, p.Config.FeatureFlags.Alpha()); err != nil {
		return pass.Failed(v1beta1.TaskRunReasonFailedValidation, err)
	}
	p.planFor(task, bindings)
	return nil
}

// planFor completes the plan of an attempt that begins.
func (p *taskRunPass) planFor(task resolve.Task, bindings []v1beta1.WorkspaceBinding) {
	bindings, claims := podspec.Claims(p.Run, bindings)
	alpha := p.Config.FeatureFlags.Alpha()
	p.plan = &plan{source: task.Spec, bindings: bindings, claims: claims}
	p.plan.spec = substitution.Apply(task.Spec, substitution.Input{
		TaskRun:              p.Run,
		TaskName:             task.Name,
		Bindings:             bindings,
		Volumes:              podspec.WorkspaceVolumes(p.Run.UID, bindings),
		Indexing:             alpha,
		IsolatedWorkspaces:   alpha,
		PropagatedWorkspaces: alpha && p.Run.Spec.TaskRef == nil,
	})
}

// replan is the plan of an attempt whose Pod is recorded but gone: it runs what it ran.
func (p *taskRunPass) replan() error {
	bindings, err := p.bindings(p.Run.Status.TaskSpec)
	if err != nil {
		return err
	}
	bindings, claims := podspec.Claims(p.Run, bindings)
	p.plan = &plan{spec: p.Run.Status.TaskSpec, bindings: bindings, claims: claims}
	return nil
}

// settleSpec records the Task as it runs, once that is certain.
func (p *taskRunPass) settleSpec() {
	if p.plan == nil || p.plan.source == nil {
		return
	}
	s := &p.Run.Status
	s.TaskSpec = p.plan.spec
	delete(s.Annotations, TaskSpecAnnotation)
	if p.Run.Spec.TaskRef != nil && moreAttempts(p.Run) && !equality.Semantic.DeepEqual(p.plan.source, p.plan.spec) {
		source, err := json.Marshal(p.plan.source)
		if err != nil {
			return // a Task that came as JSON; the next attempt would start from the replaced one
		}
		if s.Annotations == nil {
			s.Annotations = map[string]string{}
		}
		s.Annotations[TaskSpecAnnotation] = string(source)
	}
}

// task is the Task that the run runs: the one it began with, else the one it asks for.
func (p *taskRunPass) task(ctx context.Context) (resolve.Task, error) {
	if known, ok := p.knownTask(); ok {
		return known, nil
	}
	task, err := resolve.Find(p.Run, cluster{ctx: ctx, pass: p})
	if err != nil {
		if pass.Passes(err) && !isResolveError(err) {
			return task, err
		}
		return task, pass.Failedf(v1beta1.TaskRunReasonFailedResolution, "error when listing tasks for taskRun %s: failed to get task: %w", p.Run.Name, err)
	}
	task.Spec = task.Spec.DeepCopy() // it may be the cache's
	defaulting.TaskSpec(task.Spec)
	inherit(p.Run, task)
	return task, nil
}

// knownTask is the Task of a taskRef that an earlier pass has found.
func (p *taskRunPass) knownTask() (resolve.Task, bool) {
	s := &p.Run.Status
	if s.TaskSpec == nil || p.Run.Spec.TaskRef == nil {
		return resolve.Task{}, false
	}
	task := resolve.Task{Name: resolve.Name(p.Run), Spec: s.TaskSpec.DeepCopy()}
	if text, ok := s.Annotations[TaskSpecAnnotation]; ok {
		var spec v1beta1.TaskSpec
		if err := json.Unmarshal([]byte(text), &spec); err == nil {
			task.Spec = &spec
		}
	}
	return task, true
}

func isResolveError(err error) bool {
	for _, known := range []error{resolve.ErrBundle, resolve.ErrResolver, resolve.ErrNothing} {
		if errors.Is(err, known) {
			return true
		}
	}
	return false
}

// cluster is the store of Tasks.
type cluster struct {
	ctx  context.Context //nolint:containedctx // an adapter that lives as long as one call
	pass *taskRunPass
}

func (c cluster) Task(namespace, name string) (*v1beta1.Task, error) {
	task := &v1beta1.Task{}
	return task, c.pass.Get(c.ctx, client.ObjectKey{Namespace: namespace, Name: name}, task)
}

func (c cluster) ClusterTask(name string) (*v1beta1.ClusterTask, error) {
	task := &v1beta1.ClusterTask{}
	return task, c.pass.Get(c.ctx, client.ObjectKey{Name: name}, task)
}

// bindings are the workspaces of the run, with the default binding for those that it has to bind and does not (LC-35).
func (p *taskRunPass) bindings(spec *v1beta1.TaskSpec) ([]v1beta1.WorkspaceBinding, error) {
	bindings := p.Run.Spec.Workspaces
	text := p.Config.Defaults.TaskRunWorkspaceBinding
	if text == "" {
		return bindings, nil
	}
	var fallback v1beta1.WorkspaceBinding
	if err := yaml.Unmarshal([]byte(text), &fallback); err != nil {
		return nil, pass.Failed(v1beta1.TaskRunReasonFailedResolution, fmt.Errorf("failed to unmarshal %v", text))
	}
	bound := map[string]bool{}
	for _, b := range bindings {
		bound[b.Name] = true
	}
	all := append([]v1beta1.WorkspaceBinding(nil), bindings...)
	for _, w := range spec.Workspaces {
		if w.Optional || bound[w.Name] {
			continue
		}
		b := *fallback.DeepCopy()
		b.Name = w.Name
		b.Projected, b.CSI = nil, nil
		all = append(all, b)
	}
	return all, nil
}
