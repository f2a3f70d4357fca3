// Package customtask is an author's own controller of custom tasks, as small as one can be, to show how it is judged: Timer of the
// group timer.example.com succeeds after the duration that a CustomRun gives it. It takes params alone: neither the names of objects
// nor embedded specs, and it refuses what it does not take.
//
// Each of [Faults] makes it a poor one in one way. Its tests hold what the suite says of each against what is wrong with it.
package customtask

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Type is the type of its custom tasks.
const Type = "timer.example.com/v1"

// retrying is the reason of a run that is tried again.
const retrying = "Retrying"

// Clock tells the time.
type Clock interface{ Now() time.Time }

// Timer reconciles CustomRuns of its type.
type Timer struct {
	Client client.Client
	Clock  Clock
	// Plain leaves out what is only recommended: timeouts and retries.
	Plain bool
	// Fault is one of Faults, or none.
	Fault Fault
}

// Reconcile implements reconcile.Reconciler.
func (t *Timer) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	run := &v1beta1.CustomRun{}
	if err := t.Client.Get(ctx, request.NamespacedName, run); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	run = run.DeepCopy()
	if c := run.Status.Succeeded(); t.Fault == FalseBetween && c != nil && c.Reason == retrying {
		c.Status = corev1.ConditionUnknown
	}
	if !t.mine(run) || run.Status.IsDone() && t.Fault != ChangesEnds {
		return reconcile.Result{}, nil
	}
	p := &pass{Timer: t, run: run, now: metav1.NewTime(t.Clock.Now().Truncate(time.Second))}
	again := p.decide()
	t.spoil(run, p.now)
	return reconcile.Result{RequeueAfter: again}, t.Client.Status().Update(ctx, run)
}

// mine reports whether a run is of this controller's type.
func (t *Timer) mine(run *v1beta1.CustomRun) bool {
	switch {
	case t.Fault == TakesAll:
		return true
	case run.Spec.CustomRef != nil:
		return run.Spec.CustomRef.APIVersion == Type && run.Spec.CustomRef.Kind == "Timer"
	default:
		return run.Spec.CustomSpec.APIVersion == Type && run.Spec.CustomSpec.Kind == "Timer" && t.Fault != SilentAboutSpecs
	}
}

// pass is one look at one run.
type pass struct {
	*Timer
	run *v1beta1.CustomRun
	now metav1.Time
}

// decide changes the status of the run, and says when to look again.
func (p *pass) decide() time.Duration {
	s, spec := &p.run.Status, &p.run.Spec
	if s.StartTime == nil {
		s.StartTime = &p.now
	}
	began := s.Succeeded() != nil
	duration, fails, wrong := p.params()
	switch {
	case spec.IsCancelled() && p.Fault != IgnoresCancel:
		p.end(corev1.ConditionFalse, p.word(WrongCancelReason, "CustomRunCancelled"), "The timer was stopped")
	case s.IsDone():
	case spec.CustomSpec != nil:
		p.end(corev1.ConditionFalse, "NotSupported", "A Timer is not embedded: use customRef")
	case spec.CustomRef.Name != "":
		p.end(corev1.ConditionFalse, "NotSupported", "A Timer has no name")
	case wrong != "":
		p.end(corev1.ConditionFalse, "Invalid", wrong)
	case p.Plain && spec.Timeout != nil && p.Fault != IgnoresTimeout:
		p.end(corev1.ConditionFalse, "NotSupported", "A Timer keeps no timeouts")
	case !p.Plain && p.late():
		p.failed(p.word(WrongTimeoutReason, "CustomRunTimedOut"), "The timer took too long")
	case !began:
		p.set(corev1.ConditionUnknown, "Running", "The timer runs")
	case fails:
		p.failed("Failed", "The timer was asked to fail")
	case p.now.Sub(s.StartTime.Time) >= duration:
		s.Results = []v1beta1.CustomRunResult{{Name: "duration", Value: duration.String()}}
		p.end(corev1.ConditionTrue, "Succeeded", "The time has passed")
	}
	return time.Second
}

// late reports whether the attempt takes longer than it may.
func (p *pass) late() bool {
	switch p.Fault {
	case IgnoresTimeout:
		return false
	case EarlyTimeout:
		return p.run.HasTimedOut(p.now.Add(p.run.Spec.GetTimeout() / 2))
	case ZeroIsAtOnce:
		return p.run.HasTimedOut(p.now.Time) || p.run.Spec.GetTimeout() == 0
	}
	return p.run.HasTimedOut(p.now.Time)
}

func (p *pass) word(fault Fault, right string) string {
	if p.Fault == fault {
		return "Ended"
	}
	return right
}

// params are the duration, whether the timer is to fail, and what is wrong with them.
func (p *pass) params() (duration time.Duration, fails bool, wrong string) {
	duration = 30 * time.Second
	for _, param := range p.run.Spec.Params {
		switch param.Name {
		case "duration":
			d, err := time.ParseDuration(param.Value.StringVal)
			if err != nil && p.Fault != TakesNonsense {
				return 0, false, err.Error()
			}
			duration = d
		case "fail":
			fails = true
		default:
			return 0, false, "A Timer takes duration and fail"
		}
	}
	return duration, fails, ""
}

func (p *pass) set(status corev1.ConditionStatus, reason, message string) {
	p.run.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}, p.now)
}

func (p *pass) end(status corev1.ConditionStatus, reason, message string) {
	p.set(status, reason, message)
	p.run.Status.CompletionTime = &p.now
}

// failed ends the attempt, and begins the next one if there is one.
func (p *pass) failed(reason, message string) {
	s := &p.run.Status
	if p.Plain || len(s.RetriesStatus) >= p.run.Spec.Retries {
		p.end(corev1.ConditionFalse, reason, message)
		return
	}
	past := *s.DeepCopy()
	past.RetriesStatus, past.CompletionTime = nil, &p.now
	past.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}, p.now)
	s.RetriesStatus, s.StartTime = append(s.RetriesStatus, past), &p.now
	p.set(corev1.ConditionUnknown, retrying, message)
}
