package pipelinerun

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/remote"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// pipeline is what a run asks for.
type pipeline struct {
	name                string
	spec                *v1beta1.PipelineSpec
	labels, annotations map[string]string
	// graph is that of the tasks that are not final.
	graph *pipelinegraph.Graph
}

// plan finds out what the run runs: what it began with, or else what it asks for, once that has been checked and its variables are
// replaced (spec §2.8). It is recorded, so that what comes later sees the same.
func (p *pipelineRunPass) plan(ctx context.Context) error {
	if recorded := p.Run.Status.PipelineSpec; recorded != nil {
		graph, err := pipelinegraph.Build(recorded.Tasks)
		if err != nil {
			return p.invalidGraph(err)
		}
		p.pipeline = &pipeline{spec: recorded, graph: graph}
		return nil
	}
	found, err := p.find(ctx)
	if err != nil {
		return err
	}
	inherit(p.Run, found)
	if found.graph, err = pipelinegraph.Build(found.spec.Tasks); err != nil {
		return p.invalidGraph(err)
	}
	if _, err = pipelinegraph.BuildFinally(found.spec.Finally); err != nil {
		return pass.Failedf(v1beta1.PipelineRunReasonInvalidGraph, "PipelineRun %s/%s's Pipeline DAG is invalid for finally clause: %w", p.Run.Namespace, p.Run.Name, err)
	}
	if err := p.check(found); err != nil {
		return err
	}
	found.spec = p.replaced(found)
	tasks, err := p.tasks(ctx, found)
	if err != nil {
		return err
	}
	if err := checkTasks(found.spec, tasks, p.custom); err != nil {
		return err
	}
	p.pipeline, p.Run.Status.PipelineSpec = found, found.spec
	return nil
}

func (p *pipelineRunPass) invalidGraph(err error) error {
	return pass.Failedf(v1beta1.PipelineRunReasonInvalidGraph, "PipelineRun %s/%s's Pipeline DAG is invalid: %w", p.Run.Namespace, p.Run.Name, err)
}

// find is the Pipeline that the run refers to, or embeds.
func (p *pipelineRunPass) find(ctx context.Context) (*pipeline, error) {
	pr := p.Run
	ref := pr.Spec.PipelineRef
	switch {
	case ref == nil && pr.Spec.PipelineSpec != nil:
		return &pipeline{name: pr.Name, spec: pr.Spec.PipelineSpec.DeepCopy()}, nil
	case ref == nil:
		return nil, p.noPipeline(errors.New("the PipelineRun names no Pipeline and embeds none"))
	case ref.Bundle != "" && p.Config.FeatureFlags.EnableTektonOCIBundles:
		return p.ofBundle(ctx, ref)
	case ref.IsRemote():
		return p.ofResolver(ctx, ref)
	}
	stored := &v1beta1.Pipeline{}
	err := p.Get(ctx, client.ObjectKey{Namespace: pr.Namespace, Name: ref.Name}, stored)
	switch {
	case err == nil:
		out := taken(stored)
		defaulting.PipelineSpec(out.spec)
		return out, nil
	case pass.Passes(err):
		return nil, err
	default:
		return nil, p.noPipeline(p.notListed(err))
	}
}

// taken is a Pipeline with what its run takes over from it.
func taken(stored *v1beta1.Pipeline) *pipeline {
	return &pipeline{name: stored.Name, spec: stored.Spec.DeepCopy(), labels: maps.Clone(stored.Labels), annotations: maps.Clone(stored.Annotations)}
}

// noPipeline is the failure of a run without a Pipeline.
func (p *pipelineRunPass) noPipeline(cause error) error {
	return pass.Failedf(v1beta1.PipelineRunReasonCouldntGetPipeline, "Error retrieving pipeline for pipelinerun %s/%s: %w", p.Run.Namespace, p.Run.Name, cause)
}

// notListed says that a Pipeline cannot be had under its name.
func (p *pipelineRunPass) notListed(err error) error {
	return fmt.Errorf("error when listing pipelines for pipelineRun %s: failed to get pipeline: %w", p.Run.Name, err)
}

// replaced is the Pipeline with the variables replaced that are known when the run begins.
func (p *pipelineRunPass) replaced(found *pipeline) *v1beta1.PipelineSpec {
	pr := p.Run
	return substitution.Pipeline(found.spec,
		substitution.Params(found.spec.Params, pr.Spec.Params, p.Config.FeatureFlags.Alpha()),
		substitution.Contexts(map[string]string{
			"pipelineRun.name":      pr.Name,
			"pipelineRun.namespace": pr.Namespace,
			"pipelineRun.uid":       string(pr.UID),
			"pipeline.name":         found.name,
		}),
		substitution.Bound(found.spec.Workspaces, pr.Spec.Workspaces),
	)
}

// custom reports whether a task is for a controller of its own. A reference with an apiVersion is, whatever its kind.
func (p *pipelineRunPass) custom(pt *v1beta1.PipelineTask) bool {
	if !p.Config.FeatureFlags.EnableCustomTasks {
		return false
	}
	return pt.TaskRef != nil && pt.TaskRef.APIVersion != "" && pt.TaskRef.Kind != "" ||
		pt.TaskSpec != nil && pt.TaskSpec.APIVersion != "" && pt.TaskSpec.Kind != ""
}

// tasks are the Tasks of the Pipeline, by the names of their pipeline tasks. Custom ones are not looked for, and what depends on
// results of other tasks is the TaskRun's to ask for. All that is remote is asked for before any of it is waited for.
func (p *pipelineRunPass) tasks(ctx context.Context, found *pipeline) (map[string]resolve.Task, error) {
	tasks := map[string]resolve.Task{}
	var waiting error
	for _, list := range [][]v1beta1.PipelineTask{found.spec.Tasks, found.spec.Finally} {
		for i := range list {
			pt := &list[i]
			if p.custom(pt) || late(pt) {
				continue
			}
			task, err := p.taskOf(ctx, pt)
			var wait *pass.Waiting
			switch {
			case err == nil:
				tasks[pt.Name] = task
			case errors.As(err, &wait):
				waiting = err
			default:
				return nil, p.noTask(found, pt, err)
			}
		}
	}
	if waiting != nil {
		return nil, waiting
	}
	return tasks, checkParams(found.spec, tasks)
}

// noTask is what it means that a Task cannot be had.
func (p *pipelineRunPass) noTask(found *pipeline, pt *v1beta1.PipelineTask, err error) error {
	var no *remote.RequestError
	var invalid *remote.InvalidError
	switch {
	case errors.As(err, &invalid):
		return pass.Failedf(v1beta1.PipelineRunReasonFailedValidation, "PipelineRun %s/%s can't be Run; couldn't resolve all references: %w", p.Run.Namespace, p.Run.Name, invalid)
	case errors.As(err, &no), errors.Is(err, resolve.ErrNothing), !pass.Passes(err):
	default:
		return err
	}
	name := ""
	if pt.TaskRef != nil {
		name = pt.TaskRef.Name
	}
	return pass.Failedf(v1beta1.PipelineRunReasonCouldntGetTask,
		"Pipeline %s/%s can't be Run; it contains Tasks that don't exist: Couldn't retrieve Task %q: failed to get task: %w", p.Run.Namespace, found.name, name, err)
}

// taskOf is the Task of one pipeline task.
func (p *pipelineRunPass) taskOf(ctx context.Context, pt *v1beta1.PipelineTask) (resolve.Task, error) {
	ref := pt.TaskRef
	switch {
	case ref != nil && ref.Bundle != "" && p.Config.FeatureFlags.EnableTektonOCIBundles:
		return p.taskOfBundle(ctx, ref)
	case ref.IsRemote():
		return p.taskOfResolver(ctx, pt)
	}
	var embedded *v1beta1.TaskSpec
	if pt.TaskSpec != nil {
		embedded = &pt.TaskSpec.TaskSpec
	}
	task, err := resolve.Find(p.store(ctx), p.Run.Namespace, ref, embedded)
	if err == nil {
		defaulting.TaskSpec(task.Spec)
	}
	return task, err
}

// store is the cluster's store of Tasks.
func (p *pipelineRunPass) store(ctx context.Context) resolve.Store {
	return func(key client.ObjectKey, into client.Object) error { return p.Get(ctx, key, into) }
}

// optionalWorkspaces says which workspaces the Task of a pipeline task can do without. Of a Task that is gone by now there are none;
// of one that is remote, and not known here, all: its TaskRun will know.
func (p *pipelineRunPass) optionalWorkspaces(ctx context.Context, pt *v1beta1.PipelineTask) (func(name string) bool, error) {
	if p.custom(pt) {
		return nothing, nil
	}
	var task resolve.Task
	var err error
	switch {
	case pt.TaskRef.IsRemote():
		task, err = p.knownOfResolver(ctx, pt)
	default:
		task, err = p.taskOf(ctx, pt)
	}
	switch {
	case err == nil:
		return func(name string) bool {
			return slices.ContainsFunc(task.Spec.Workspaces, func(w v1beta1.WorkspaceDeclaration) bool { return w.Name == name && w.Optional })
		}, nil
	case apierrors.IsNotFound(err) || errors.Is(err, resolve.ErrNothing):
		return nothing, nil
	case pt.TaskRef.IsRemote() || pt.TaskRef != nil && pt.TaskRef.Bundle != "":
		return func(string) bool { return true }, nil
	default:
		return nil, err
	}
}

// nothing of any name.
func nothing(string) bool { return false }
