package taskrun

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/api/validation"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// plan is what the Pod of an attempt is made of.
type plan struct {
	task     taskInForce
	spec     *v1beta1.TaskSpec // with variables replaced
	bindings []v1beta1.WorkspaceBinding
	claims   []*corev1.PersistentVolumeClaim
}

// prepare finds out what to run, whether it can be run, and replaces its variables (LC-20…LC-40).
func (p *taskRunPass) prepare(ctx context.Context) error {
	task, err := p.task(ctx)
	if err != nil {
		return err
	}
	p.plan = &plan{task: taskInForce{found: task.Spec}}
	p.recordTask()
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
	spec := substitution.Apply(task.Spec, substitution.Input{
		Variables: []substitution.Replacements{
			substitution.Params(task.Spec.Params, p.Run.Spec.Params, alpha),
			substitution.Contexts(contexts(p.Run, task.Name)),
		},
		Bindings:             bindings,
		Volumes:              podspec.WorkspaceVolumes(p.Run.UID, bindings),
		IsolatedWorkspaces:   alpha,
		PropagatedWorkspaces: alpha && p.Run.Spec.TaskRef == nil,
	})
	p.plan = &plan{task: taskInForce{found: task.Spec, replaced: spec}, spec: spec, bindings: bindings, claims: claims}
}

// checkPlan asks whether what is to run is still valid: the values of variables can make a Task invalid. It is asked where a
// Pod is about to be made, and not of an attempt whose Pod exists: a change of the configuration does not end that.
func (p *taskRunPass) checkPlan() error {
	if err := validation.TaskSpec(p.plan.spec, &p.Config); err != nil {
		return p.refused(err)
	}
	return nil
}

// contexts are the values of the variables $(context.…).
func contexts(tr *v1beta1.TaskRun, taskName string) map[string]string {
	return map[string]string{
		"taskRun.name":      tr.Name,
		"taskRun.namespace": tr.Namespace,
		"taskRun.uid":       string(tr.UID),
		"task.name":         taskName,
		"task.retry-count":  strconv.Itoa(tr.Attempt()),
	}
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

// recordTask records the Task in the status: as it was found while the plan is being made, and as it runs from then on.
func (p *taskRunPass) recordTask() {
	if p.plan != nil {
		p.plan.task.record(&p.Run.Status, p.Run.Spec.TaskRef != nil && moreAttempts(p.Run))
	}
}

// task is the Task that the run runs: the one it began with, else the one it asks for. An embedded one has the run's name.
func (p *taskRunPass) task(ctx context.Context) (resolve.Task, error) {
	ref := p.Run.Spec.TaskRef
	if p.Run.Status.TaskSpec != nil && ref != nil {
		label := v1beta1.LabelTask
		if ref.Kind == v1beta1.ClusterTaskKind {
			label = v1beta1.LabelClusterTask
		}
		return resolve.Task{Name: cmp.Or(ref.Name, p.Run.Labels[label], p.Run.Name), Spec: recordedTask(&p.Run.Status)}, nil
	}
	task, err := p.find(ctx, ref)
	if err != nil {
		return task, err
	}
	task.Name = cmp.Or(task.Name, p.Run.Name)
	task.Spec = task.Spec.DeepCopy() // it may be the cache's
	defaulting.TaskSpec(task.Spec)
	inherit(p.Run, task)
	return task, nil
}

// find is the Task that the run asks for.
func (p *taskRunPass) find(ctx context.Context, ref *v1beta1.TaskRef) (resolve.Task, error) {
	switch {
	case ref != nil && ref.Bundle != "" && p.Config.FeatureFlags.EnableTektonOCIBundles:
		return p.ofBundle(ctx, ref)
	case ref.IsRemote():
		return p.ofResolver(ctx, ref)
	}
	task, err := resolve.Find(p.store(ctx), p.Run.Namespace, ref, p.Run.Spec.TaskSpec)
	switch {
	case err == nil:
		return task, nil
	case pass.Passes(err) && !errors.Is(err, resolve.ErrNothing):
		return task, err
	default:
		return task, p.notFound(err)
	}
}

// notFound is the failure of a run whose Task cannot be had under its name.
func (p *taskRunPass) notFound(err error) error {
	return pass.Failedf(v1beta1.TaskRunReasonFailedResolution, "error when listing tasks for taskRun %s: failed to get task: %w", p.Run.Name, err)
}

// store is the cluster's store of Tasks.
func (p *taskRunPass) store(ctx context.Context) resolve.Store {
	return func(key client.ObjectKey, into client.Object) error { return p.Get(ctx, key, into) }
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
