package pipelinerun

import (
	"context"
	"errors"
	"fmt"
	"maps"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/fit"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
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

// errRemote says why a Pipeline cannot be had although the cluster works.
var errRemote = errors.New("remote resolution is not supported: apply the Pipeline to the cluster and refer to it by its name")

// errBundle is the same for bundles.
var errBundle = errors.New("bundles are not supported: apply the Pipeline to the cluster and refer to it by its name")

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
	var cause error
	switch {
	case ref == nil && pr.Spec.PipelineSpec != nil:
		return &pipeline{name: pr.Name, spec: pr.Spec.PipelineSpec.DeepCopy()}, nil
	case ref == nil:
		cause = errors.New("the PipelineRun names no Pipeline and embeds none")
	case ref.IsRemote():
		cause = fmt.Errorf("resolver %q: %w", ref.Resolver, errRemote)
	case ref.Bundle != "":
		cause = fmt.Errorf("bundle %q: %w", ref.Bundle, errBundle)
	default:
		stored := &v1beta1.Pipeline{}
		err := p.Get(ctx, client.ObjectKey{Namespace: pr.Namespace, Name: ref.Name}, stored)
		if err == nil {
			out := &pipeline{name: stored.Name, spec: stored.Spec.DeepCopy(), labels: maps.Clone(stored.Labels), annotations: maps.Clone(stored.Annotations)}
			defaulting.PipelineSpec(out.spec)
			return out, nil
		}
		if pass.Passes(err) {
			return nil, err
		}
		cause = fmt.Errorf("error when listing pipelines for pipelineRun %s: failed to get pipeline: %w", pr.Name, err)
	}
	return nil, pass.Failedf(v1beta1.PipelineRunReasonCouldntGetPipeline, "Error retrieving pipeline for pipelinerun %s/%s: %w", pr.Namespace, pr.Name, cause)
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

// tasks are the Tasks of the Pipeline, by the names of their pipeline tasks. Custom ones are not looked for, and what a resolver
// would find is the TaskRun's to ask for.
func (p *pipelineRunPass) tasks(ctx context.Context, found *pipeline) (map[string]resolve.Task, error) {
	store := p.store(ctx)
	tasks := map[string]resolve.Task{}
	for _, list := range [][]v1beta1.PipelineTask{found.spec.Tasks, found.spec.Finally} {
		for i := range list {
			pt := &list[i]
			if p.custom(pt) || pt.TaskRef.IsRemote() {
				continue
			}
			task, err := p.taskOf(store, pt)
			switch {
			case err == nil:
			case pass.Passes(err) && !resolve.Unsupported(err):
				return nil, err
			default:
				name := ""
				if pt.TaskRef != nil {
					name = pt.TaskRef.Name
				}
				return nil, pass.Failedf(v1beta1.PipelineRunReasonCouldntGetTask,
					"Pipeline %s/%s can't be Run; it contains Tasks that don't exist: Couldn't retrieve Task %q: failed to get task: %w", p.Run.Namespace, found.name, name, err)
			}
			params := pt.Params
			if pt.Matrix != nil {
				params = append(params[:len(params):len(params)], pt.Matrix.Params...)
			}
			if err := fit.Params(task, params); err != nil && pt.Matrix == nil {
				return nil, pass.Failed(v1beta1.PipelineRunReasonFailedValidation, err)
			}
			tasks[pt.Name] = task
		}
	}
	return tasks, nil
}

// taskOf is the Task of one pipeline task.
func (p *pipelineRunPass) taskOf(store resolve.Tasks, pt *v1beta1.PipelineTask) (resolve.Task, error) {
	var embedded *v1beta1.TaskSpec
	if pt.TaskSpec != nil {
		embedded = &pt.TaskSpec.TaskSpec
	}
	task, err := resolve.Find(store, p.Run.Namespace, pt.TaskRef, embedded)
	if err == nil {
		defaulting.TaskSpec(task.Spec)
	}
	return task, err
}

// store is the cluster's store of Tasks.
func (p *pipelineRunPass) store(ctx context.Context) resolve.Store {
	return func(key client.ObjectKey, into client.Object) error { return p.Get(ctx, key, into) }
}

// optionalWorkspaces are the workspaces that the Task of a pipeline task can do without. A Task that is gone by now is its
// TaskRun's to miss.
func (p *pipelineRunPass) optionalWorkspaces(ctx context.Context, pt *v1beta1.PipelineTask) (map[string]bool, error) {
	if p.custom(pt) || pt.TaskRef.IsRemote() {
		return nil, nil
	}
	task, err := p.taskOf(p.store(ctx), pt)
	switch {
	case apierrors.IsNotFound(err) || resolve.Unsupported(err):
		return nil, nil
	case err != nil:
		return nil, err
	}
	optional := map[string]bool{}
	for _, w := range task.Spec.Workspaces {
		if w.Optional {
			optional[w.Name] = true
		}
	}
	return optional, nil
}
