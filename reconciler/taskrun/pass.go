package taskrun

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podstatus"
)

// pass is one reconcile of one TaskRun.
type pass struct {
	deps reconciler.Deps
	cfg  *config.Config
	// stored is the TaskRun as it was read, which nobody changes; tr is what becomes of it.
	stored, tr *v1beta1.TaskRun
	// moment is when the pass happens; now is the same as it is stored, in whole seconds.
	moment time.Time
	now    metav1.Time
	// plan is what the Pod of this attempt is made of, if that had to be found out.
	plan *plan
	// wake is when to look again if nothing happens; zero if that is not needed.
	wake time.Time
	// before is the condition that events tell the change of.
	before *v1beta1.Condition
	events []event
}

func newPass(deps reconciler.Deps, stored *v1beta1.TaskRun) *pass {
	cfg := deps.Config()
	moment := deps.Clock.Now()
	p := &pass{
		deps:   deps,
		cfg:    &cfg,
		stored: stored,
		tr:     stored,
		moment: moment,
		now:    metav1.NewTime(moment.UTC().Truncate(time.Second)),
	}
	if !stored.Status.IsDone() { // nothing of a run that is over becomes anything else
		p.tr = working(stored, p.cfg)
	}
	return p
}

// working returns a copy of a TaskRun to work on, with what an older version of the API may have left open. Once an
// attempt has its Pod, nobody edits the Task any more, neither as it was given nor as it runs, nor ever a past attempt:
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

func (p *pass) run(ctx context.Context) (reconcile.Result, error) {
	if p.tr.Status.IsDone() {
		err := p.afterEnd(ctx)
		if outdated(err) {
			return soon(), nil
		}
		return reconcile.Result{}, err
	}
	if start(p.tr, p.now) {
		p.event(corev1.EventTypeNormal, v1beta1.TaskRunReasonStarted, "")
	}
	p.before = p.tr.Status.Succeeded().DeepCopy()

	err := p.advance(ctx)
	if err == nil {
		err = p.stopPastAttempts(ctx)
	}
	return p.settle(ctx, judge(err)), nil
}

// advance takes the attempt one step further. The order is the reference's: what the user asks for comes before the
// clock, the clock before the images.
func (p *pass) advance(ctx context.Context) error {
	switch timeout := p.timeout(); {
	case cancelled(p.tr):
		return p.cut(ctx, v1beta1.TaskRunReasonCancelled, cancelMessage(p.tr))
	case timedOut(p.tr, timeout, p.moment):
		return p.cut(ctx, v1beta1.TaskRunReasonTimedOut, timeoutMessage(p.tr, timeout))
	default:
		p.wakeAt(deadline(p.tr, timeout))
	}
	if message := podstatus.PullFailure(p.tr); message != "" {
		return p.cut(ctx, v1beta1.TaskRunReasonImagePullFailed, message)
	}
	if !recorded(&p.tr.Status) {
		if err := p.prepare(ctx); err != nil {
			return err
		}
	}
	pod, err := p.pod(ctx)
	if err != nil {
		return err
	}
	p.settleSpec()
	p.tr.Status.PodName = pod.Name
	if err := p.observe(ctx, pod); err != nil || p.tr.Status.IsDone() {
		return err
	}
	return p.announce(ctx, pod)
}

// recorded tells whether the status knows the Pod of this attempt, and with it the Task as it runs.
func recorded(s *v1beta1.TaskRunStatus) bool { return s.PodName != "" && s.TaskSpec != nil }

// timeout of the attempt; zero means none.
func (p *pass) timeout() time.Duration {
	return p.tr.Spec.Timeout.Duration // there by defaulting
}

// cut ends the attempt before its Pod has ended, which goes first: as long as it cannot be deleted the attempt is not
// over. A cancellation is shown even then.
func (p *pass) cut(ctx context.Context, reason, message string) error {
	if err := p.deletePod(ctx); err != nil {
		if reason == v1beta1.TaskRunReasonCancelled {
			setUnknown(&p.tr.Status, reason, message, p.now)
		}
		return err
	}
	terminateSteps(&p.tr.Status, reason, p.now)
	fail(&p.tr.Status, reason, message, p.now)
	return nil
}

// observe takes over what the Pod shows.
func (p *pass) observe(ctx context.Context, pod *corev1.Pod) error {
	s := &p.tr.Status
	logged, err := p.loggedResults(ctx, pod)
	var large *podstatus.LargeResultError
	switch {
	case errors.As(err, &large):
		return p.cut(ctx, v1beta1.TaskRunReasonResultLargerThanAllowedLimit, fmt.Sprintf("TaskRun %q failed: %v", p.tr.Name, large))
	case err != nil:
		return err
	}
	o := podstatus.Observe(podstatus.Input{TaskRun: p.tr, Spec: s.TaskSpec, Pod: pod, Logged: logged})
	s.Steps, s.Sidecars = o.Steps, o.Sidecars
	if len(o.Problems) > 0 {
		p.event(corev1.EventTypeWarning, v1beta1.EventReasonInternalError, multiple(o.Problems...))
	}
	if o.Unschedulable {
		p.event(corev1.EventTypeWarning, v1beta1.TaskRunReasonExceededNodeResources, fmt.Sprintf("Insufficient resources to schedule pod %q", pod.Name))
	}
	switch {
	case o.Refused != nil:
		s.TaskRunResults, s.ResourcesResult = o.Results, o.ResourcesResult
		return failed(o.Condition.Reason, o.Refused)
	case o.DeletePod:
		return p.cut(ctx, o.Condition.Reason, o.Condition.Message)
	case o.Condition.IsUnknown():
		stuck, message, again := podstatus.Stuck(pod, p.moment)
		if stuck {
			return p.cut(ctx, v1beta1.TaskRunReasonFailed, message)
		}
		if again > 0 {
			p.wakeAt(p.moment.Add(again))
		}
		s.SetCondition(o.Condition, p.now)
	default:
		s.TaskRunResults, s.ResourcesResult = o.Results, o.ResourcesResult
		if o.Condition.IsFalse() {
			terminateSteps(s, o.Condition.Reason, p.now) // of an evicted Pod some look as if they had not begun
		}
		conclude(s, o.Condition, p.now)
	}
	return nil
}

// settle makes the verdict, stores what has become of the TaskRun, and says when to look again.
func (p *pass) settle(ctx context.Context, v verdict) reconcile.Result {
	if v.abandon {
		return soon()
	}
	switch {
	case v.fail != nil:
		p.settleSpec()
		fail(&p.tr.Status, v.fail.reason, v.fail.Error(), p.now)
	case v.wait != nil:
		setUnknown(&p.tr.Status, v.wait.reason, v.wait.message, p.now)
		p.wakeAt(p.moment.Add(v.wait.after))
	}
	retried := retry(p.tr, p.now)
	p.eventOfChange(p.before, p.tr.Status.Succeeded())
	if v.warn != "" {
		p.events = append(p.events, event{corev1.EventTypeWarning, v1beta1.EventReasonInternalError, v.warn, v.again})
	}
	stamp(p.tr, p.deps.Revision)
	switch w := p.write(ctx); {
	case w == tooLate:
		return soon()
	case w == refused || v.again:
		p.wakeAt(p.moment.Add(troubleDelay(p.tr, p.moment)))
		return p.sleep()
	}
	if retried || p.tr.Status.IsDone() || p.wake.IsZero() {
		return reconcile.Result{} // writing calls again, see Predicate
	}
	return p.sleep()
}

// soon asks for another pass when the newer objects will have arrived; mostly they call themselves.
func soon() reconcile.Result { return reconcile.Result{RequeueAfter: minTroubleDelay} }

// sleep asks for another pass when it is time to wake.
func (p *pass) sleep() reconcile.Result {
	return reconcile.Result{RequeueAfter: max(p.wake.Sub(p.moment), time.Nanosecond)}
}

// wakeAt has the pass repeated at that time at the latest; the zero time asks for nothing.
func (p *pass) wakeAt(t time.Time) {
	if !t.IsZero() && (p.wake.IsZero() || t.Before(p.wake)) {
		p.wake = t
	}
}

// get reads an object. What the cache does not have may only not have arrived there.
func (p *pass) get(ctx context.Context, key client.ObjectKey, object client.Object) error {
	err := p.deps.Client.Get(ctx, key, object)
	if client.IgnoreNotFound(err) != nil || err == nil {
		return err
	}
	return p.deps.Reader.Get(ctx, key, object)
}

// confirm makes sure that what the pass decides on is the present state of the TaskRun, before something is done that a
// newer state might forbid.
func (p *pass) confirm(ctx context.Context) error {
	live := &v1beta1.TaskRun{}
	err := p.deps.Reader.Get(ctx, client.ObjectKeyFromObject(p.stored), live)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	if err != nil || live.UID != p.stored.UID || live.ResourceVersion != p.stored.ResourceVersion {
		return errStale
	}
	return nil
}
