package pipelinerun

import (
	"cmp"
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
	"github.com/plumbline-ci/plumbline/reconciler/progress"
)

// kind is the kind that is reconciled.
func kind() pass.Kind[*v1beta1.PipelineRun] {
	return pass.Kind[*v1beta1.PipelineRun]{
		GVK: v1beta1.GroupVersion.WithKind(v1beta1.KindPipelineRun),
		New: func() *v1beta1.PipelineRun { return &v1beta1.PipelineRun{} },
	}
}

// pipelineRunPass is one reconcile of one PipelineRun.
type pipelineRunPass struct {
	pass.Pass[*v1beta1.PipelineRun]
	ctx      context.Context //nolint:containedctx // a pass lives as long as one call
	pipeline *pipeline
	limits   timeouts
	problems map[string]progress.Problem
	recorded recorded
	// children are those that were looked for, by their names; nil if there is none.
	children map[string]*progress.Child
	// room is what TaskRuns are read into, spare are children that are not yet used.
	room  []client.Object
	spare []progress.Child
	// changes counts what this pass has done to children, or found out about them, since they were looked for.
	changes int
	// trouble is what looking for them met.
	trouble error
	bound   []v1beta1.WorkspaceBinding
	claims  []*corev1.PersistentVolumeClaim
}

var _ pass.Ending = (*pipelineRunPass)(nil)

func newPass(deps reconciler.Deps, stored *v1beta1.PipelineRun) *pipelineRunPass {
	p := &pipelineRunPass{Pass: pass.New(deps, kind(), stored)}
	if !stored.Status.IsDone() { // nothing of a run that is over becomes anything else
		p.Run = working(stored, &p.Config)
		p.problems, p.recorded = problemsOf(&stored.Status), recordedIn(&stored.Status)
		p.children = make(map[string]*progress.Child, len(p.recorded.kinds))
	}
	return p
}

// working is a copy of a PipelineRun to work on. The Pipeline as it runs and what the status has of the
// children are replaced as a whole or not at all, so they stay shared with what was read.
func working(stored *v1beta1.PipelineRun, cfg *config.Config) *v1beta1.PipelineRun {
	lean := *stored
	begun := stored.Status.PipelineSpec != nil // the embedded Pipeline is not looked at any longer
	if begun {
		lean.Spec.PipelineSpec = nil
	}
	lean.Status.PipelineSpec, lean.Status.TaskRuns, lean.Status.Runs, lean.Status.ChildReferences = nil, nil, nil, nil
	pr := lean.DeepCopy()
	defaulting.PipelineRunSpec(&pr.Spec, cfg)
	if begun {
		pr.Spec.PipelineSpec = stored.Spec.PipelineSpec
	}
	pr.Status.PipelineSpec, pr.Status.TaskRuns, pr.Status.Runs = stored.Status.PipelineSpec, stored.Status.TaskRuns, stored.Status.Runs
	pr.Status.ChildReferences = stored.Status.ChildReferences
	return pr
}

func (p *pipelineRunPass) run(ctx context.Context) (reconcile.Result, error) {
	p.ctx = ctx
	if p.Run.Status.IsDone() {
		err := p.dismiss(ctx)
		if pass.Outdated(err) {
			return pass.Soon(), nil
		}
		return reconcile.Result{}, err
	}
	p.Before = p.Run.Status.Succeeded().DeepCopy()
	return p.Settle(ctx, p.advance(ctx), p), nil
}

// advance takes the run one step further.
func (p *pipelineRunPass) advance(ctx context.Context) error {
	s := &p.Run.Status
	if p.Run.Spec.Status == v1beta1.PipelineRunSpecStatusPending && s.StartTime == nil {
		pass.SetUnknown(&s.Status, v1beta1.PipelineRunReasonPending, fmt.Sprintf("PipelineRun %q is pending", p.Run.Name), p.Now)
		return nil
	}
	if s.StartTime == nil {
		began := p.Now
		if created := p.Run.CreationTimestamp; created.After(began.Time) {
			began = created
		}
		s.StartTime = &began
		pass.SetUnknown(&s.Status, v1beta1.PipelineRunReasonStarted, "", p.Now)
		p.Event(corev1.EventTypeNormal, v1beta1.EventReasonStarted, "")
		p.Before = s.Succeeded().DeepCopy()
	}
	p.limits = timeoutsOf(&p.Run.Spec, p.Config.Defaults.Timeout())
	cancelled := p.Run.Spec.Status == v1beta1.PipelineRunSpecStatusCancelled
	if err := p.plan(ctx); err != nil {
		return p.withoutPlan(err, cancelled)
	}
	run, err := p.observed(ctx)
	if err != nil {
		return err
	}
	switch {
	case cancelled:
		return p.cut(ctx, run, byUser, v1beta1.PipelineRunReasonCouldntCancel, "cancelled but had errors trying to cancel", p.cancelled())
	case p.pipelineOver():
		return p.cut(ctx, run, byTimeout, v1beta1.PipelineRunReasonCouldntTimeOut, "timed out but had errors trying to time out", p.timedOut())
	}
	before := p.changes
	if err := p.stopLate(ctx, run); err != nil {
		return err
	}
	if p.changes != before {
		run = p.progress()
	}
	run, err = p.beginAll(ctx, run)
	if p.trouble != nil || err != nil && !pass.Judge(err).Again {
		return cmp.Or(p.trouble, err)
	}
	p.follow(run)
	return err
}

// beginAll makes the children that are due, and those that are due since others turned out to be impossible: nothing would wake the run
// for them. It returns how far the run is then.
func (p *pipelineRunPass) beginAll(ctx context.Context, run *progress.Run) (*progress.Run, error) {
	for {
		before := p.changes
		err := p.begin(ctx, run)
		if p.changes == before {
			return run, err
		}
		if run = p.progress(); err != nil || p.trouble != nil {
			return run, err
		}
	}
}

// withoutPlan ends a run whose Pipeline cannot be had, or not yet, and which therefore has no children, as it was asked to, or when its
// time is up. Otherwise the error decides.
func (p *pipelineRunPass) withoutPlan(err error, cancelled bool) error {
	switch v := pass.Judge(err); {
	case cancelled && (v.Fail != nil || v.Wait != nil):
		p.conclude(p.cancelled())
	case p.pipelineOver() && (v.Again || v.Wait != nil):
		p.conclude(p.timedOut())
	default:
		p.wakeBefore(end(p.Run.Status.StartTime, p.limits.pipeline))
		return err
	}
	return nil
}

func (p *pipelineRunPass) pipelineOver() bool {
	return over(p.Run.Status.StartTime, p.limits.pipeline, p.Moment)
}

// skippedBefore are the tasks that were skipped when the final tasks began, and why; nil before.
func skippedBefore(s *v1beta1.PipelineRunStatus) map[string]v1beta1.SkippingReason {
	if s.FinallyStartTime == nil {
		return nil
	}
	out := map[string]v1beta1.SkippingReason{}
	for _, t := range s.SkippedTasks {
		out[t.Name] = t.Reason
	}
	return out
}

func (p *pipelineRunPass) cancelled() v1beta1.Condition {
	return failure(v1beta1.PipelineRunReasonCancelled, progress.CancelledMessage(p.Run.Name))
}

func (p *pipelineRunPass) timedOut() v1beta1.Condition {
	return failure(v1beta1.PipelineRunReasonTimedOut, fmt.Sprintf("PipelineRun %q failed to finish within %q", p.Run.Name, p.limits.pipeline))
}

func failure(reason, message string) v1beta1.Condition {
	return v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}
}

// progress is how far the run is, by what is known now.
func (p *pipelineRunPass) progress() *progress.Run {
	s := &p.Run.Status
	return progress.New(progress.Known{
		Name:         p.Run.Name,
		Spec:         p.pipeline.spec,
		Asked:        p.Run.Spec.Status,
		PipelineOver: p.pipelineOver(),
		TasksOver:    s.FinallyStartTime == nil && over(s.StartTime, p.limits.tasks, p.Moment),
		Settled:      skippedBefore(s),
		FinallyOver:  over(s.FinallyStartTime, p.limits.finally, p.Moment),
		Problems:     p.problems,
		Child:        p.child,
		Recorded:     func(name string) bool { return p.recorded.kinds[name] != "" || p.children[name] != nil },
		ChildName:    p.childName,
		Custom:       p.custom,
	}, p.pipeline.graph)
}

// observed is how far the run is, once the API server has confirmed which tasks have not begun.
func (p *pipelineRunPass) observed(ctx context.Context) (*progress.Run, error) {
	run := p.progress()
	if p.trouble != nil {
		return nil, p.trouble
	}
	found, err := p.confirmNotBegun(ctx, run)
	if err != nil {
		return nil, err
	}
	if found {
		run = p.progress()
	}
	return run, p.trouble
}

// cut ends the run before its children have ended, which are asked to. As long as one cannot be asked the run is not over.
func (p *pipelineRunPass) cut(ctx context.Context, run *progress.Run, why cause, couldnt, text string, end v1beta1.Condition) error {
	if err := p.stop(ctx, run.All(), why); err != nil {
		pass.SetUnknown(&p.Run.Status.Status, couldnt, fmt.Sprintf("PipelineRun %q was %s TaskRuns and/or Runs: %v", p.Run.Name, text, err), p.Now)
		return err
	}
	run = p.progress()
	record(&p.Run.Status, run, p.Config.FeatureFlags.EmbeddedStatus)
	p.Run.Status.PipelineResults, _ = run.Results()
	p.conclude(end)
	return nil
}

// stopLate ends what has run out of its own time: the tasks, the final ones, single custom tasks, and all tasks that run when the
// user wants no more of them.
func (p *pipelineRunPass) stopLate(ctx context.Context, run *progress.Run) error {
	s := &p.Run.Status
	why, tasks := byTimeout, []*progress.Task(nil)
	switch {
	case p.Run.Spec.Status == v1beta1.PipelineRunSpecStatusCancelledRunFinally && !run.TasksDone():
		why, tasks = byUser, run.Tasks
	case !run.TasksDone() && over(s.StartTime, p.limits.tasks, p.Moment):
		tasks = run.Tasks
	case run.TasksDone() && over(s.FinallyStartTime, p.limits.finally, p.Moment):
		tasks = run.Finally
	}
	couldnt, text := v1beta1.PipelineRunReasonCouldntTimeOut, "timed out but had errors trying to time out"
	if why == byUser {
		couldnt, text = v1beta1.PipelineRunReasonCouldntCancel, "cancelled but had errors trying to cancel"
	}
	err := p.stop(ctx, tasks, why)
	if err == nil {
		err = p.stop(ctx, p.lateCustomTasks(run), byTimeout)
	}
	if err != nil {
		pass.SetUnknown(&s.Status, couldnt, fmt.Sprintf("PipelineRun %q was %s TaskRuns and/or Runs: %v", p.Run.Name, text, err), p.Now)
	}
	return err
}

// lateCustomTasks are the custom tasks that run longer than their own timeout. Their controllers may not know timeouts.
func (p *pipelineRunPass) lateCustomTasks(run *progress.Run) []*progress.Task {
	var late []*progress.Task
	for _, t := range run.All() {
		if !t.Custom || t.Spec.Timeout == nil || t.Spec.Timeout.Duration <= 0 {
			continue
		}
		for _, c := range t.Children {
			if c == nil || c.Done(t.Spec.Retries) {
				continue
			}
			if due := c.Began.Add(t.Spec.Timeout.Duration); due.After(p.Moment) {
				p.WakeAt(due)
			} else {
				late = append(late, t)
				break
			}
		}
	}
	return late
}

// follow writes what follows from the state of the tasks, and says when to look again.
func (p *pipelineRunPass) follow(run *progress.Run) {
	s := &p.Run.Status
	if run.TasksDone() && len(run.Finally) > 0 && s.FinallyStartTime == nil {
		s.FinallyStartTime = &p.Now
	}
	record(s, run, p.Config.FeatureFlags.EmbeddedStatus)
	condition := run.Condition()
	if condition.IsUnknown() {
		s.SetCondition(condition, p.Now)
		p.wakeBefore(end(s.StartTime, p.limits.pipeline))
		if run.TasksDone() {
			p.wakeBefore(end(s.FinallyStartTime, p.limits.finally))
		} else {
			p.wakeBefore(end(s.StartTime, p.limits.tasks))
		}
		return
	}
	var invalid []string
	if s.PipelineResults, invalid = run.Results(); len(invalid) > 0 {
		condition = failure(v1beta1.PipelineRunReasonFailedValidation, fmt.Sprintf("invalid pipelineresults %v, the referred results don't exist", invalid))
	}
	p.conclude(condition)
}

// wakeBefore asks for another pass when a time comes. What follows from a time that has passed is done: its effects wake the run.
func (p *pipelineRunPass) wakeBefore(t time.Time) {
	if t.After(p.Moment) {
		p.WakeAt(t)
	}
}

func (p *pipelineRunPass) conclude(c v1beta1.Condition) {
	s := &p.Run.Status
	s.SetCondition(c, p.Now)
	s.CompletionTime = new(metav1.Time)
	*s.CompletionTime = s.Succeeded().LastTransitionTime
}

// Fail implements pass.Ending.
func (p *pipelineRunPass) Fail(reason, message string) { p.conclude(failure(reason, message)) }

// Abandon implements pass.Ending. What was stored before fits, and it no longer needs the Pipeline nor what the children say of
// themselves.
func (p *pipelineRunPass) Abandon(ctx context.Context, message string) error {
	if p.pipeline != nil {
		if err := p.stop(ctx, p.progress().All(), byUser); err != nil {
			return err
		}
	}
	started := p.Run.Status.StartTime
	p.Run = p.Stored.DeepCopy()
	s := &p.Run.Status
	s.PipelineSpec, s.TaskRuns, s.Runs = nil, nil, nil
	if s.StartTime == nil {
		s.StartTime = started
	}
	p.conclude(failure(v1beta1.PipelineRunReasonFailed, message))
	return nil
}

// Retry implements pass.Ending: a PipelineRun has one attempt.
func (p *pipelineRunPass) Retry() bool { return false }
