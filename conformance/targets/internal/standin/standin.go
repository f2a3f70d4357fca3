// Package standin is a controller of custom tasks that does what a fixture or a file says: it stands in for controllers that
// are not there.
//
// It keeps the contract of Runs and CustomRuns: it starts them, ends them when they are cancelled or take too long, archives the
// attempts that failed, and reports results. How an attempt goes is what the first [fixture.StandIn] says that fits.
package standin

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reconciler"
)

// Tasks are the stand-ins of a cluster.
type Tasks struct {
	given []fixture.StandIn
	used  []bool
	api   client.Client
	clock reconciler.Clock
}

// New returns the stand-ins. The client reads and writes without a cache.
func New(given []fixture.StandIn, api client.Client, clock reconciler.Clock) *Tasks {
	return &Tasks{given: given, used: make([]bool, len(given)), api: api, clock: clock}
}

// Unused returns those that were for no run.
func (t *Tasks) Unused() []fixture.StandIn {
	var out []fixture.StandIn
	for i := range t.given {
		if !t.used[i] {
			out = append(out, t.given[i])
		}
	}
	return out
}

// Controller is a reconciler, and what it is for.
type Controller struct {
	For schema.GroupVersionKind
	reconcile.Reconciler
}

// Controllers are those of Runs and of CustomRuns.
func (t *Tasks) Controllers() []Controller {
	return []Controller{
		{v1alpha1.GroupVersion.WithKind(v1alpha1.KindRun), reconcile.Func(func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
			o := &v1alpha1.Run{}
			if err := t.api.Get(ctx, r.NamespacedName, o); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
			spec := o.Spec.CustomRunSpec()
			return t.pass(ctx, &run{object: o, spec: &spec, status: &o.Status, prefix: v1alpha1.KindRun, whole: true})
		})},
		{v1beta1.GroupVersion.WithKind(v1beta1.KindCustomRun), reconcile.Func(func(ctx context.Context, r reconcile.Request) (reconcile.Result, error) {
			o := &v1beta1.CustomRun{}
			if err := t.api.Get(ctx, r.NamespacedName, o); err != nil {
				return reconcile.Result{}, client.IgnoreNotFound(err)
			}
			return t.pass(ctx, &run{object: o, spec: &o.Spec, status: &o.Status, prefix: v1beta1.KindCustomRun})
		})},
	}
}

// run is what Runs and CustomRuns have in common.
type run struct {
	object client.Object
	spec   *v1beta1.CustomRunSpec
	status *v1beta1.CustomRunStatus
	// prefix begins the reasons of cancelled and late runs.
	prefix string
	// whole says that the timeout bounds all attempts together.
	whole bool
	now   metav1.Time
}

// pass is one reconcile of one run.
func (t *Tasks) pass(ctx context.Context, r *run) (reconcile.Result, error) {
	if r.status.IsDone() || r.object.GetDeletionTimestamp() != nil {
		return reconcile.Result{}, nil
	}
	params := r.params()
	at := slices.IndexFunc(t.given, func(c fixture.StandIn) bool {
		apiVersion, kind, name := r.of()
		return c.Fits(apiVersion, kind, name, params)
	})
	if at < 0 {
		return reconcile.Result{}, nil
	}
	t.used[at] = true
	before := r.status.DeepCopy()
	moment := t.clock.Now()
	r.now = metav1.NewTime(moment.UTC().Truncate(time.Second))
	again := r.advance(&t.given[at], params, moment)
	if !equality.Semantic.DeepEqual(before, r.status) {
		err := t.api.Status().Update(ctx, r.object)
		if apierrors.IsConflict(err) || apierrors.IsNotFound(err) { // what is newer comes
			return reconcile.Result{}, nil
		}
		if err != nil {
			return reconcile.Result{}, err
		}
	}
	return reconcile.Result{RequeueAfter: again}, nil
}

// advance takes a run further, and says when to look at it again.
func (r *run) advance(c *fixture.StandIn, params map[string]string, moment time.Time) time.Duration {
	if r.status.StartTime == nil {
		r.status.StartTime = &r.now
	}
	began := r.began()
	timeout := r.spec.GetTimeout()
	late := v1beta1.RunTimedOut(r.status.StartTime, timeout, moment)
	left := began.Add(time.Duration(c.Takes)).Sub(moment)
	switch {
	case r.spec.IsCancelled():
		r.end(corev1.ConditionFalse, r.prefix+"Cancelled", cmp.Or(string(r.spec.StatusMessage), "It was cancelled"))
	case late:
		r.failed(r.prefix+"TimedOut", fmt.Sprintf("It took longer than %s", timeout))
	case left > 0:
		r.set(corev1.ConditionUnknown, "Running", "Runs for "+time.Duration(c.Takes).String())
		if timeout != 0 {
			left = min(left, r.status.StartTime.Add(timeout).Sub(moment)+time.Nanosecond)
		}
		return left
	case c.Fail != "":
		r.failed(cmp.Or(c.Reason, "Failed"), c.Fail)
	default:
		r.results(c, params)
		r.end(corev1.ConditionTrue, cmp.Or(c.Reason, "Succeeded"), cmp.Or(c.Succeed, "It succeeded"))
	}
	if r.status.IsDone() {
		return 0
	}
	return time.Nanosecond // the next attempt
}

// began is when the attempt began: the startTime of a Run is that of its first one.
func (r *run) began() time.Time {
	if past := r.status.RetriesStatus; r.whole && len(past) > 0 {
		return past[len(past)-1].CompletionTime.Time
	}
	return r.status.StartTime.Time
}

// failed ends an attempt. As long as there is another one the condition stays Unknown.
func (r *run) failed(reason, message string) {
	if len(r.status.RetriesStatus) >= r.spec.Retries || r.whole && reason == r.prefix+"TimedOut" {
		r.end(corev1.ConditionFalse, reason, message)
		return
	}
	past := *r.status.DeepCopy()
	past.RetriesStatus = nil
	past.StartTime, past.CompletionTime = &metav1.Time{Time: r.began()}, &r.now
	past.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}, r.now)
	r.status.RetriesStatus = append(r.status.RetriesStatus, past)
	if !r.whole {
		r.status.StartTime = &r.now
	}
	r.set(corev1.ConditionUnknown, "Running", fmt.Sprintf("Attempt %d failed: %s", len(r.status.RetriesStatus), message))
}

func (r *run) end(status corev1.ConditionStatus, reason, message string) {
	r.set(status, reason, message)
	r.status.CompletionTime = &r.now
}

func (r *run) set(status corev1.ConditionStatus, reason, message string) {
	r.status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason, Message: message}, r.now)
}

// results are what the stand-in says, with the run's params in it.
func (r *run) results(c *fixture.StandIn, params map[string]string) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		pairs = append(pairs, "$(params."+name+")", params[name])
	}
	fill := strings.NewReplacer(pairs...)
	for _, name := range slices.Sorted(maps.Keys(c.Results)) {
		r.status.Results = append(r.status.Results, v1beta1.CustomRunResult{Name: name, Value: fill.Replace(c.Results[name])})
	}
}

// params are those of type string.
func (r *run) params() map[string]string {
	out := map[string]string{}
	for _, p := range r.spec.Params {
		if p.Value.Type == v1beta1.ParamTypeString {
			out[p.Name] = p.Value.StringVal
		}
	}
	return out
}

// of is what the run asks for. What it embeds has no name.
func (r *run) of() (apiVersion, kind, name string) {
	switch {
	case r.spec.CustomRef != nil:
		return r.spec.CustomRef.APIVersion, string(r.spec.CustomRef.Kind), r.spec.CustomRef.Name
	case r.spec.CustomSpec != nil:
		return r.spec.CustomSpec.APIVersion, r.spec.CustomSpec.Kind, ""
	}
	return "", "", ""
}
