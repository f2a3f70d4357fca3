package pass_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
)

var resource = schema.GroupResource{Group: "test.plumbline.dev", Resource: "jobs"}

func notFound(name string) error { return apierrors.NewNotFound(resource, name) }

// TestSettle has a row for each decision of a kind, and for each way in which a write can fail.
func TestSettle(t *testing.T) {
	t.Parallel()
	const start = "Normal Going it goes"
	going := func(p *jobPass) { pass.SetUnknown(&p.Run.Status.Status, "Going", "it goes", p.Now) }
	down := apierrors.NewInternalError(errors.New("down"))
	failing := func(at string, err error) func(string) error {
		return func(verb string) error {
			if verb == at {
				return err
			}
			return nil
		}
	}
	for _, row := range []struct {
		reason string
		decide func(p *jobPass) error
		fault  func(verb string) error
		tries  int
		writes []string
		events []string
		again  time.Duration
		stands string // status, reason and message of the condition that is stored
	}{
		{reason: "metadata and status are written once each", decide: func(p *jobPass) error { going(p); return nil },
			writes: []string{"patch", "status"}, events: []string{start}, stands: "Unknown Going it goes"},
		{reason: "the earliest time to wake counts", decide: func(p *jobPass) error {
			going(p)
			p.WakeAt(p.Moment.Add(time.Hour))
			p.WakeAt(p.Moment.Add(time.Minute))
			p.WakeAt(time.Time{})
			return nil
		}, writes: []string{"patch", "status"}, events: []string{start}, again: time.Minute, stands: "Unknown Going it goes"},
		{reason: "a failure ends the attempt", decide: func(*jobPass) error { return pass.Failedf("Broken", "no %s", "luck") },
			writes: []string{"patch", "status"}, events: []string{"Warning Failed no luck", "Warning InternalError " + pass.List(errors.New("no luck"))},
			stands: "False Broken no luck"},
		{reason: "unless there is another one", tries: 1, decide: func(*jobPass) error { return pass.Failedf("Broken", "no luck") },
			writes: []string{"patch", "status"}, events: []string{"Normal Again another try", "Warning InternalError " + pass.List(errors.New("no luck"))},
			stands: "Unknown Again another try"},
		{reason: "a wait keeps it going", decide: func(*jobPass) error {
			return fmt.Errorf("wrapped: %w", &pass.Waiting{Reason: "Full", Message: "no room", After: time.Minute})
		}, writes: []string{"patch", "status"}, events: []string{"Normal Full no room"}, again: time.Minute, stands: "Unknown Full no room"},
		{reason: "trouble passes, and has an event", decide: func(*jobPass) error { return down },
			writes: []string{"patch", "status"}, events: []string{"Warning InternalError " + pass.List(down)}, again: 50 * time.Millisecond},
		{reason: "of an old run nothing is written", decide: func(p *jobPass) error { going(p); return pass.ErrStale }, again: 50 * time.Millisecond},
		{reason: "nor after a conflict", decide: func(p *jobPass) error { going(p); return apierrors.NewConflict(resource, "j", errors.New("old")) }, again: 50 * time.Millisecond},
		{reason: "an event is recorded only once the status is stored", decide: func(p *jobPass) error { going(p); return nil }, fault: failing("status", down),
			writes: []string{"patch"}, events: []string{fmt.Sprintf(`Warning UpdateFailed Failed to update status for "j": %v`, down)}, again: 50 * time.Millisecond},
		{reason: "metadata that cannot be written keep the status back", decide: func(p *jobPass) error { going(p); return nil }, fault: failing("patch", down),
			events: []string{"Warning Error " + down.Error()}, again: 50 * time.Millisecond},
		{reason: "a write that another one overtook is not reported", decide: func(p *jobPass) error { going(p); return nil },
			fault: failing("status", apierrors.NewConflict(resource, "j", errors.New("old"))), writes: []string{"patch"}, again: 50 * time.Millisecond},
		{reason: "a run that is gone needs nothing", decide: func(p *jobPass) error { going(p); return nil }, fault: failing("patch", notFound("j"))},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.decide, w.fault, w.retries = row.decide, row.fault, row.tries
			result := w.pass()
			if diff := cmp.Diff(row.writes, w.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.events, w.events); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if want := (reconcile.Result{RequeueAfter: row.again}); result != want {
				t.Errorf("the result is %+v, want %+v", result, want)
			}
			stands := ""
			if c := w.job().Status.Succeeded(); c != nil {
				stands = fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)
			}
			if stands != row.stands {
				t.Errorf("it stands at %q, want %q", stands, row.stands)
			}
		})
	}
}

// TestAbandon: a status that can never be stored ends the run, with one that can.
func TestAbandon(t *testing.T) {
	t.Parallel()
	large := apierrors.NewRequestEntityTooLargeError("limit is 3145728")
	const message = "the API server does not store the status of the run: "
	for _, row := range []struct {
		reason string
		at     string
		err    error
		times  int // how often the write fails; 0 is always
		stuck  error
		again  time.Duration
		stands string
	}{
		{reason: "too large for a request", at: "status", err: large, times: 1, stands: "False Abandoned " + message + large.Error()},
		{reason: "too large for the database", at: "status", err: apierrors.NewInternalError(errors.New("etcdserver: request is too large")), times: 1,
			stands: "False Abandoned " + message + "Internal error occurred: etcdserver: request is too large"},
		{reason: "invalid", at: "status", err: apierrors.NewBadRequest("no"), times: 1, stands: "False Abandoned " + message + "no"},
		{reason: "metadata that cannot be stored", at: "patch", err: apierrors.NewBadRequest("no"), times: 1, stands: "False Abandoned " + message + "no"},
		{reason: "what it has made does not go yet", at: "status", err: large, times: 1, stuck: errors.New("busy"), again: 50 * time.Millisecond},
		{reason: "nothing can be stored at all", at: "status", err: large, again: 50 * time.Millisecond},
		{reason: "trouble is no refusal", at: "status", err: apierrors.NewInternalError(errors.New("down")), times: 1, again: 50 * time.Millisecond},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stuck = row.stuck
			w.decide = func(p *jobPass) error { pass.SetUnknown(&p.Run.Status.Status, "Going", "", p.Now); return nil }
			if row.at == "status" {
				w.pass() // the metadata are stored, and change no more
			}
			failed := 0
			w.decide = func(p *jobPass) error { pass.SetUnknown(&p.Run.Status.Status, "Other", "", p.Now); return nil }
			w.fault = func(verb string) error {
				if verb != row.at || row.times > 0 && failed == row.times {
					return nil
				}
				failed++
				return row.err
			}
			result := w.pass()
			if row.again == 0 && result.RequeueAfter > 50*time.Millisecond || row.again > 0 && result.RequeueAfter != row.again {
				t.Errorf("the next pass is after %v, want %v", result.RequeueAfter, row.again)
			}
			want := row.stands
			if want == "" {
				want = "Unknown Going "
			}
			c := w.job().Status.Succeeded()
			if got := fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message); got != want {
				t.Errorf("it stands at %q, want %q", got, want)
			}
		})
	}
}

// TestSettleWritesWhatChanged: labels, annotations and status are sent only if they differ, with the version that was read.
func TestSettleWritesWhatChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decide = func(p *jobPass) error {
		p.Run.Labels = map[string]string{"l": "1"}
		pass.SetUnknown(&p.Run.Status.Status, "Going", "it goes", p.Now)
		return nil
	}
	w.pass()
	first := w.job()
	if first.Labels["l"] != "1" || first.Annotations[v1beta1.AnnotationRelease] != "build" {
		t.Errorf("labels %v, annotations %v", first.Labels, first.Annotations)
	}
	if start := first.Status.Start; start == nil || !start.Time.Equal(w.now.Truncate(time.Second)) {
		t.Errorf("it started at %v, want the whole second", start)
	}
	w.pass()
	if len(w.writes) > 0 || len(w.events) > 0 {
		t.Errorf("a pass that changes nothing writes %v and tells %v", w.writes, w.events)
	}
	w.decide = func(p *jobPass) error { p.Run.Labels = nil; return nil }
	w.pass()
	if diff := cmp.Diff([]string{"patch"}, w.writes); diff != "" || len(w.job().Labels) > 0 {
		t.Errorf("labels %v are left; writes (-want +got):\n%s", w.job().Labels, diff)
	}
	w.cache["j"] = first // the cache is behind
	w.decide = func(p *jobPass) error { p.Run.Status.Counted = 7; return nil }
	if result := w.pass(); result.RequeueAfter <= 0 || w.job().Status.Counted != 0 {
		t.Errorf("a decision on an old run was stored: %+v", result)
	}
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var got error
	w.decide = func(p *jobPass) error { got = p.Confirm(t.Context()); return got }
	w.pass()
	if got != nil {
		t.Errorf("the present state is refused: %v", got)
	}
	w.cache["j"] = w.job()
	changed := w.job()
	changed.Labels = map[string]string{"new": ""}
	if err := w.client.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if !errors.Is(got, pass.ErrStale) {
		t.Errorf("an old state is confirmed: %v", got)
	}
	if err := w.client.Delete(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	w.pass()
	if !errors.Is(got, pass.ErrStale) {
		t.Errorf("a run that is gone is confirmed: %v", got)
	}
}

func TestGetAsksTheServerForWhatTheCacheLacks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.client.Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "p"}}); err != nil {
		t.Fatal(err)
	}
	w.hidden = true
	w.decide = func(p *jobPass) error {
		if err := p.Get(t.Context(), client.ObjectKey{Namespace: "n", Name: "p"}, &corev1.Pod{}); err != nil {
			t.Errorf("the Pod is not found: %v", err)
		}
		if err := p.Get(t.Context(), client.ObjectKey{Namespace: "n", Name: "q"}, &corev1.Pod{}); !apierrors.IsNotFound(err) {
			t.Errorf("there is no such Pod, but: %v", err)
		}
		return nil
	}
	w.pass()
}

func TestReadLeavesDeletedRunsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	request := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "n", Name: "j"}}
	j := w.job()
	j.Finalizers = []string{"test.plumbline.dev/keep"}
	if err := errors.Join(w.client.Update(t.Context(), j), w.client.Delete(t.Context(), j)); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := jobKind.Read(t.Context(), w.deps(), request); ok || err != nil {
		t.Errorf("a run that is being deleted: %v, %v", ok, err)
	}
	request.Name = "none"
	if _, ok, err := jobKind.Read(t.Context(), w.deps(), request); ok || err != nil {
		t.Errorf("a run that does not exist: %v, %v", ok, err)
	}
}

// TestRetryDelayGrowsWithAge: the delay is a tenth of the attempt's age, within bounds.
func TestRetryDelayGrowsWithAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decide = func(*jobPass) error { return errors.New("no answer") }
	w.pass()
	begin := w.now
	for _, row := range []struct{ age, want time.Duration }{
		{100 * time.Millisecond, 50 * time.Millisecond}, {100 * time.Second, 10 * time.Second}, {time.Hour, 30 * time.Second},
	} {
		w.now = begin.Truncate(time.Second).Add(row.age)
		if got := w.pass().RequeueAfter; got != row.want {
			t.Errorf("after %v: %v, want %v", row.age, got, row.want)
		}
	}
}

func TestPasses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want bool
	}{
		{errors.New("connection refused"), true},
		{apierrors.NewInternalError(errors.New("x")), true},
		{apierrors.NewTooManyRequests("later", 1), true},
		{apierrors.NewServiceUnavailable("later"), true},
		{apierrors.NewTimeoutError("later", 1), true},
		{apierrors.NewBadRequest("no"), false},
		{apierrors.NewForbidden(resource, "j", errors.New("no")), false},
		{notFound("j"), false},
	} {
		if got := pass.Passes(fmt.Errorf("wrapped: %w", row.err)); got != row.want {
			t.Errorf("%v passes: %v", row.err, got)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	if got, want := pass.List(errors.New("a")), "1 error occurred:\n\t* a\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := pass.List(errors.New("a"), errors.New("b")), "2 errors occurred:\n\t* a\n\t* b\n\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestAnnotate: the patch says nothing about a version, so that it does not fail when the object has changed.
func TestAnnotate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.decide = func(p *jobPass) error {
		target := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "j"}}
		target.SetGroupVersionKind(jobKind.GVK)
		return p.Patch(t.Context(), target, types.MergePatchType, pass.Annotate(map[string]string{"a": "b"}))
	}
	w.pass()
	if got := w.job().Annotations["a"]; got != "b" {
		t.Errorf("the annotation is %q", got)
	}
}

func TestPredicate(t *testing.T) {
	t.Parallel()
	ended := func(j *job) {
		j.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionTrue}, metav1.Unix(1, 0))
	}
	p := pass.Predicate(func(before, after *job) bool { return before.Status.Counted != after.Status.Counted })
	for _, row := range []struct {
		reason string
		edit   func(*job)
		want   bool
	}{
		{"nothing", func(*job) {}, false},
		{"a message", func(j *job) { pass.SetUnknown(&j.Status.Status, "R", strings.Repeat("m", 9), metav1.Unix(1, 0)) }, false},
		{"the spec", func(j *job) { j.Generation++ }, true},
		{"another object", func(j *job) { j.UID = "other" }, true},
		{"a deletion", func(j *job) { j.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)} }, true},
		{"a label", func(j *job) { j.Labels = map[string]string{"l": ""} }, true},
		{"an annotation", func(j *job) { j.Annotations = map[string]string{"a": ""} }, true},
		{"the end", ended, true},
		{"what the kind looks at", func(j *job) { j.Status.Counted++ }, true},
	} {
		old := &job{}
		now := old.copied()
		row.edit(now)
		if got := p.Update(event.UpdateEvent{ObjectOld: old, ObjectNew: now}); got != row.want {
			t.Errorf("%s: %v, want %v", row.reason, got, row.want)
		}
	}
	if !p.Update(event.UpdateEvent{ObjectOld: &corev1.Pod{}, ObjectNew: &corev1.Pod{}}) {
		t.Error("an object of another type is filtered out")
	}
	if !p.Create(event.CreateEvent{Object: &job{}}) || !p.Delete(event.DeleteEvent{Object: &job{}}) {
		t.Error("creation or deletion is filtered out")
	}
}
