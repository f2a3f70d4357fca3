package pipelinerun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/childname"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/remote"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// answerDelay is when to look for the answer again, although its arrival wakes the run.
const answerDelay = time.Minute

// ofResolver is the Pipeline that a resolver finds. The run waits for it.
func (p *pipelineRunPass) ofResolver(ctx context.Context, ref *v1beta1.PipelineRef) (*pipeline, error) {
	answer, err := remote.Ask(ctx, p, p.Deps.Client, p.question(p.Run.Name, ref.Resolver, p.ofRun(ref.Params)))
	var no *remote.RequestError
	switch {
	case errors.Is(err, remote.ErrInProgress):
		return nil, p.awaiting(v1beta1.PipelineRunReasonResolvingPipelineRef)
	case pass.OverQuota(err):
		return nil, p.crowded(v1beta1.PipelineRunReasonResolvingPipelineRef, err)
	case errors.As(err, &no) || err != nil && !pass.Passes(err):
		return nil, p.noPipeline(fmt.Errorf("failed to get pipeline: %w", err))
	case err != nil:
		return nil, err
	}
	out, err := p.fetched(answer.Object())
	if err != nil {
		return nil, p.noPipeline(fmt.Errorf("failed to get pipeline: %w", err))
	}
	if p.Config.FeatureFlags.EnableProvenanceInStatus && answer.Source != nil {
		p.Run.Status.Provenance = &v1beta1.Provenance{ConfigSource: answer.Source.DeepCopy()}
	}
	return out, nil
}

// ofBundle is the Pipeline of a bundle.
func (p *pipelineRunPass) ofBundle(ctx context.Context, ref *v1beta1.PipelineRef) (*pipeline, error) {
	text, err := remote.Bundled(ctx, p.Deps.Bundles, p.inBundle(ctx, ref.Bundle, "pipeline", ref.Name))
	switch {
	case pass.Unread(err): // the Secrets that it takes could not be read now
		return nil, err
	case err != nil:
		return nil, p.noPipeline(p.notListed(err))
	}
	out, err := p.fetched(remote.Decode(text))
	if err != nil {
		return nil, p.noPipeline(p.notListed(err))
	}
	return out, nil
}

// fetched is the Pipeline that an object is. One without a name has that of its run.
func (p *pipelineRunPass) fetched(o runtime.Object, err error) (*pipeline, error) {
	if err != nil {
		return nil, err
	}
	stored, err := remote.Pipeline(o)
	if err != nil {
		return nil, err
	}
	out := taken(stored)
	if out.name == "" {
		out.name = p.Run.Name
	}
	return out, nil
}

// taskOfResolver is the Task that a resolver finds for a pipeline task. It is asked for in the name of the TaskRun to be, which so finds
// the answer.
func (p *pipelineRunPass) taskOfResolver(ctx context.Context, pt *v1beta1.PipelineTask) (resolve.Task, error) {
	answer, err := remote.Ask(ctx, p, p.Deps.Client, p.questionOf(pt))
	switch {
	case errors.Is(err, remote.ErrInProgress):
		return resolve.Task{}, p.awaiting(v1beta1.PipelineRunReasonResolvingTaskRef)
	case pass.OverQuota(err):
		return resolve.Task{}, p.crowded(v1beta1.PipelineRunReasonResolvingTaskRef, err)
	case err != nil:
		return resolve.Task{}, err
	}
	o, err := answer.Object()
	return p.fetchedTask(pt.TaskRef, o, err)
}

// knownOfResolver is the same if it has been found before. Nothing is asked for.
func (p *pipelineRunPass) knownOfResolver(ctx context.Context, pt *v1beta1.PipelineTask) (resolve.Task, error) {
	answer, err := remote.Known(ctx, p, p.questionOf(pt))
	if err != nil {
		return resolve.Task{}, err
	}
	o, err := answer.Object()
	return p.fetchedTask(pt.TaskRef, o, err)
}

// taskOfBundle is the Task of a bundle for a pipeline task.
func (p *pipelineRunPass) taskOfBundle(ctx context.Context, ref *v1beta1.TaskRef) (resolve.Task, error) {
	text, err := remote.Bundled(ctx, p.Deps.Bundles, p.inBundle(ctx, ref.Bundle, strings.ToLower(string(ref.Kind)), ref.Name))
	switch {
	case pass.Unread(err):
		return resolve.Task{}, err
	case err != nil:
		return resolve.Task{}, &remote.RequestError{Err: err}
	}
	o, err := remote.Decode(text)
	return p.fetchedTask(ref, o, err)
}

func (p *pipelineRunPass) fetchedTask(ref *v1beta1.TaskRef, o runtime.Object, err error) (resolve.Task, error) {
	if err != nil {
		return resolve.Task{}, err
	}
	task, err := remote.Task(o, &p.Config)
	if err != nil {
		return resolve.Task{}, err
	}
	return resolve.Fetched(task, ref), nil
}

func (p *pipelineRunPass) question(runName, resolverType string, params []v1beta1.Param) remote.Question {
	return remote.Question{Owner: p.Run, GVK: kind().GVK, For: runName, Resolver: resolverType, Params: params}
}

func (p *pipelineRunPass) questionOf(pt *v1beta1.PipelineTask) remote.Question {
	name := p.recorded.names[pt.Name]
	if name == "" {
		name = childname.Of(p.Run.Name, "-"+pt.Name)
	}
	return p.question(name, pt.TaskRef.Resolver, pt.TaskRef.Params)
}

func (p *pipelineRunPass) inBundle(ctx context.Context, bundle, objectKind, name string) remote.BundleRequest {
	return remote.BundleRequest{
		Bundle: bundle, Kind: objectKind, Name: name,
		Namespace: p.Run.Namespace, ServiceAccount: p.Run.Spec.ServiceAccountName, Cluster: pass.Reading(p.store(ctx)),
	}
}

// awaiting keeps the run waiting for what was asked for, whose change wakes it.
func (p *pipelineRunPass) awaiting(reason string) error {
	return &pass.Waiting{Reason: reason, Message: fmt.Sprintf("PipelineRun %s/%s awaiting remote resource", p.Run.Namespace, p.Run.Name), After: answerDelay}
}

// crowded keeps the run waiting until a quota allows it to ask.
func (p *pipelineRunPass) crowded(reason string, err error) error {
	return &pass.Waiting{Reason: reason, Message: fmt.Sprintf("PipelineRun %s/%s cannot ask for a remote resource: %v", p.Run.Namespace, p.Run.Name, err), After: pass.QuotaDelay}
}

// ofRun replaces the variables in the params of pipelineRef that a run has before its Pipeline is known.
func (p *pipelineRunPass) ofRun(params []v1beta1.Param) []v1beta1.Param {
	for _, r := range []substitution.Replacements{
		substitution.Params(nil, p.Run.Spec.Params, p.Config.FeatureFlags.Alpha()),
		substitution.Contexts(map[string]string{
			"pipelineRun.name": p.Run.Name, "pipelineRun.namespace": p.Run.Namespace, "pipelineRun.uid": string(p.Run.UID), "pipeline.name": "",
		}),
	} {
		params = r.Params(params)
	}
	return params
}

// late reports whether what a resolver is asked for depends on other tasks, so that it is known only when the task begins.
func late(pt *v1beta1.PipelineTask) bool {
	if !pt.TaskRef.IsRemote() {
		return false
	}
	for i := range pt.TaskRef.Params {
		for _, text := range pipelinegraph.Texts(pt.TaskRef.Params[i].Value) {
			if strings.Contains(text, "$(tasks.") {
				return true
			}
		}
	}
	return false
}
