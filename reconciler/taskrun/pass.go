package taskrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// kind is the kind that is reconciled.
func kind() pass.Kind[*v1beta1.TaskRun] {
	return pass.Kind[*v1beta1.TaskRun]{
		GVK: v1beta1.GroupVersion.WithKind(v1beta1.KindTaskRun),
		New: func() *v1beta1.TaskRun { return &v1beta1.TaskRun{} },
	}
}

// taskRunPass is one reconcile of one TaskRun.
type taskRunPass struct {
	pass.Pass[*v1beta1.TaskRun]
	// plan is what the Pod of this attempt is made of, if that had to be found out.
	plan *plan
}

var _ pass.Ending = (*taskRunPass)(nil)

func newPass(deps reconciler.Deps, stored *v1beta1.TaskRun) *taskRunPass {
	p := &taskRunPass{Pass: pass.New(deps, kind(), stored)}
	if !stored.Status.IsDone() { // nothing of a run that is over becomes anything else
		p.Run = working(stored, &p.Config)
	}
	return p
}

// working returns a copy of a TaskRun to work on, with what an older version of the API may have left open. Once an
// attempt has its Pod, the Task is no longer edited, neither as it was given nor as it runs, nor ever a past attempt:
// these, by far the most of a TaskRun, stay shared with what was read.
func working(stored *v1beta1.TaskRun, cfg *config.Config) *v1beta1.TaskRun {
	lean := *stored
	shared := recorded(&stored.Status)
	if shared {
		lean.Spec.TaskSpec, lean.Status.TaskSpec, lean.Status.RetriesStatus = nil, nil, nil
	}
	tr := lean.DeepCopy()
	defaulting.TaskRun(tr, cfg)
	if shared {
		tr.Spec.TaskSpec, tr.Status.TaskSpec = stored.Spec.TaskSpec, stored.Status.TaskSpec
		tr.Status.RetriesStatus = slices.Clip(stored.Status.RetriesStatus)
	}
	return tr
}

func (p *taskRunPass) run(ctx context.Context) (reconcile.Result, error) {
	if p.Run.Status.IsDone() {
		err := p.afterEnd(ctx)
		if pass.Outdated(err) {
			return pass.Soon(), nil
		}
		return reconcile.Result{}, err
	}
	if start(p.Run, p.Now) {
		p.Event(corev1.EventTypeNormal, v1beta1.EventReasonStarted, "")
	}
	p.Before = p.Run.Status.Succeeded().DeepCopy()

	err := p.advance(ctx)
	if err == nil {
		err = p.stopPastAttempts(ctx)
	}
	return p.Settle(ctx, err, p), nil
}

// advance takes the attempt one step further. The order is the reference's: what the user asks for comes before the
// clock, the clock before the images.
func (p *taskRunPass) advance(ctx context.Context) error {
	switch timeout := p.timeout(); {
	case cancelled(p.Run):
		return p.cut(ctx, v1beta1.TaskRunReasonCancelled, cancelMessage(p.Run))
	case timedOut(p.Run, timeout, p.Moment):
		return p.cut(ctx, v1beta1.TaskRunReasonTimedOut, timeoutMessage(p.Run, timeout))
	default:
		p.WakeAt(deadline(p.Run, timeout))
	}
	if message := podstatus.PullFailure(p.Run); message != "" {
		return p.cut(ctx, v1beta1.TaskRunReasonImagePullFailed, message)
	}
	if !recorded(&p.Run.Status) {
		if err := p.prepare(ctx); err != nil {
			return err
		}
	}
	pod, err := p.pod(ctx)
	if err != nil {
		return err
	}
	p.recordTask()
	p.Run.Status.PodName = pod.Name
	if err := p.observe(ctx, pod); err != nil || p.Run.Status.IsDone() {
		return err
	}
	return p.announce(ctx, pod)
}

// recorded reports whether the status knows the Pod of this attempt, and with it the Task as it runs.
func recorded(s *v1beta1.TaskRunStatus) bool { return s.PodName != "" && s.TaskSpec != nil }

// timeout of the attempt; zero means none.
func (p *taskRunPass) timeout() time.Duration {
	return p.Run.Spec.Timeout.Duration // there by defaulting
}

// cut ends the attempt before its Pod has ended, which goes first: as long as it cannot be deleted the attempt is not
// over. A cancellation is shown even then.
func (p *taskRunPass) cut(ctx context.Context, reason, message string) error {
	pod, err := p.deletePod(ctx)
	if err != nil {
		if reason == v1beta1.TaskRunReasonCancelled {
			pass.SetUnknown(&p.Run.Status.Status, reason, message, p.Now)
		}
		return err
	}
	p.ended(pod, reason, message)
	return nil
}

// ended records that the attempt has ended together with its Pod. What the Pod shows may be news: the cache may not have
// shown a Step that began, nor the Pod itself.
func (p *taskRunPass) ended(pod *corev1.Pod, reason, message string) {
	s := &p.Run.Status
	if pod != nil {
		s.PodName = pod.Name
		s.Steps, s.Sidecars = podstatus.States(pod)
	}
	terminateSteps(s, reason, p.Now)
	fail(s, reason, message, p.Now)
}

// observe takes over what the Pod shows.
func (p *taskRunPass) observe(ctx context.Context, pod *corev1.Pod) error {
	s := &p.Run.Status
	logged, err := p.loggedResults(ctx, pod)
	var large *podstatus.LargeResultError
	switch {
	case errors.As(err, &large):
		return p.cut(ctx, v1beta1.TaskRunReasonResultLargerThanAllowedLimit, fmt.Sprintf("TaskRun %q failed: %v", p.Run.Name, large))
	case err != nil:
		return err
	}
	o := podstatus.Observe(podstatus.Input{TaskRun: p.Run, Spec: s.TaskSpec, Pod: pod, Logged: logged})
	s.Steps, s.Sidecars = o.Steps, o.Sidecars
	if len(o.Problems) > 0 {
		p.Event(corev1.EventTypeWarning, v1beta1.EventReasonInternalError, pass.List(o.Problems...))
	}
	if o.Unschedulable {
		p.Event(corev1.EventTypeWarning, v1beta1.TaskRunReasonExceededNodeResources, fmt.Sprintf("Insufficient resources to schedule pod %q", pod.Name))
	}
	switch {
	case o.Refused != nil:
		s.TaskRunResults, s.ResourcesResult = o.Results, o.ResourcesResult
		return pass.Failed(o.Condition.Reason, o.Refused)
	case o.DeletePod:
		return p.cut(ctx, o.Condition.Reason, o.Condition.Message)
	case o.Condition.IsUnknown():
		stuck, message, again := podstatus.Stuck(pod, p.Moment)
		if stuck {
			return p.cut(ctx, v1beta1.TaskRunReasonFailed, message)
		}
		if again > 0 {
			p.WakeAt(p.Moment.Add(again))
		}
		s.SetCondition(o.Condition, p.Now)
	default:
		s.TaskRunResults, s.ResourcesResult = o.Results, o.ResourcesResult
		if o.Condition.IsFalse() {
			terminateSteps(s, o.Condition.Reason, p.Now) // of an evicted Pod some look as if they had not begun
		}
		conclude(s, o.Condition, p.Now)
	}
	return nil
}

// Fail implements pass.Ending.
func (p *taskRunPass) Fail(reason, message string) {
	p.recordTask()
	fail(&p.Run.Status, reason, message, p.Now)
}

// Abandon implements pass.Ending. What was stored before fits, and it no longer needs the Task. The Pod is deleted
// by the next pass: as long as not even this can be stored, a Pod that is gone would be made again.
func (p *taskRunPass) Abandon(ctx context.Context, message string) error {
	pod, err := p.livePod(ctx)
	if err != nil {
		return err
	}
	p.plan = nil
	p.Run = p.Stored.DeepCopy()
	p.Run.Status.TaskSpec = nil
	start(p.Run, p.Now)
	p.ended(pod, v1beta1.TaskRunReasonFailed, message)
	return nil
}

// abandoned reports whether a run has ended by Abandon.
func abandoned(s *v1beta1.TaskRunStatus) bool { return s.PodName != "" && s.TaskSpec == nil }

// Retry implements pass.Ending.
func (p *taskRunPass) Retry() bool { return retry(p.Run, p.Now) }
