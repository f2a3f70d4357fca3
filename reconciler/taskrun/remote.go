package taskrun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/remote"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// answerDelay is how long to wait for the answer to a request that belongs to the run's PipelineRun: its change does not wake the run.
const answerDelay = 10 * time.Second

// ofResolver is the Task that a resolver finds. The run waits for it.
func (p *taskRunPass) ofResolver(ctx context.Context, ref *v1beta1.TaskRef) (resolve.Task, error) {
	answer, err := remote.Ask(ctx, p, p.Deps.Client, remote.Question{
		Owner: p.Run, GVK: kind().GVK, For: p.Run.Name, Resolver: ref.Resolver, Params: p.replaced(ref.Params),
	})
	var no *remote.RequestError
	switch {
	case errors.Is(err, remote.ErrInProgress):
		return resolve.Task{}, &pass.Waiting{
			Reason: v1beta1.TaskRunReasonResolvingTaskRef, Message: fmt.Sprintf("TaskRun %s/%s awaiting remote resource", p.Run.Namespace, p.Run.Name), After: answerDelay,
		}
	case pass.OverQuota(err):
		return resolve.Task{}, &pass.Waiting{Reason: v1beta1.TaskRunReasonResolvingTaskRef, Message: fmt.Sprintf("TaskRun %s/%s cannot ask for its Task: %v", p.Run.Namespace, p.Run.Name, err), After: pass.QuotaDelay}
	case errors.As(err, &no) || err != nil && !pass.Passes(err):
		return resolve.Task{}, pass.Failedf(v1beta1.TaskRunReasonFailedResolution, "failed to get task: %w", err)
	case err != nil:
		return resolve.Task{}, err
	}
	task, err := p.fetched(ref, answer.Object)
	if err != nil {
		return task, p.unfit(err, "failed to get task: %w")
	}
	if p.Config.FeatureFlags.EnableProvenanceInStatus && answer.Source != nil {
		p.Run.Status.Provenance = &v1beta1.Provenance{ConfigSource: answer.Source.DeepCopy()}
	}
	return task, nil
}

// ofBundle is the Task of a bundle.
func (p *taskRunPass) ofBundle(ctx context.Context, ref *v1beta1.TaskRef) (resolve.Task, error) {
	text, err := remote.Bundled(ctx, p.Deps.Bundles, remote.BundleRequest{
		Bundle: ref.Bundle, Kind: strings.ToLower(string(ref.Kind)), Name: ref.Name,
		Namespace: p.Run.Namespace, ServiceAccount: p.serviceAccount(), Cluster: pass.Reading(p.store(ctx)),
	})
	switch {
	case pass.Unread(err): // the Secrets that it takes could not be read now
		return resolve.Task{}, err
	case err != nil:
		return resolve.Task{}, p.notFound(err)
	}
	task, err := p.fetched(ref, func() (runtime.Object, error) { return remote.Decode(text) })
	if err != nil {
		return task, p.unfit(err, "error when listing tasks for taskRun "+p.Run.Name+": failed to get task: %w")
	}
	return task, nil
}

// fetched is the Task whose text was fetched.
func (p *taskRunPass) fetched(ref *v1beta1.TaskRef, object func() (runtime.Object, error)) (resolve.Task, error) {
	o, err := object()
	if err != nil {
		return resolve.Task{}, err
	}
	task, err := remote.Task(o, &p.Config)
	if err != nil {
		return resolve.Task{}, err
	}
	return resolve.Fetched(task, ref), nil
}

// unfit is the failure of a run that cannot use what was fetched.
func (p *taskRunPass) unfit(err error, format string) error {
	var invalid *remote.InvalidError
	if errors.As(err, &invalid) {
		return pass.Failed(v1beta1.TaskRunReasonFailedValidation, invalid)
	}
	return pass.Failedf(v1beta1.TaskRunReasonFailedResolution, format, err)
}

// replaced are the params of a reference with the variables replaced that a run has before its Task is known.
func (p *taskRunPass) replaced(params []v1beta1.Param) []v1beta1.Param {
	for _, r := range []substitution.Replacements{
		substitution.Params(nil, p.Run.Spec.Params, p.Config.FeatureFlags.Alpha()),
		substitution.Contexts(contexts(p.Run, "")),
	} {
		params = r.Params(params)
	}
	return params
}
