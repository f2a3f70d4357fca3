package pass_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pass"
)

// jobKind is the kind of runs in these tests, of which package pass knows nothing.
var jobKind = pass.Kind[*job]{
	GVK: schema.GroupVersionKind{Group: "test.plumbline.dev", Version: "v1", Kind: "Job"},
	New: func() *job { return &job{} },
}

// job is a run that counts.
type job struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Status jobStatus `json:"status,omitzero"`
}

type jobStatus struct {
	v1beta1.Status `json:",inline"`

	Start    *metav1.Time `json:"start,omitempty"`
	End      *metav1.Time `json:"end,omitempty"`
	Counted  int          `json:"counted,omitempty"`
	Attempts int          `json:"attempts,omitempty"`
}

var _ reconciler.Run = (*job)(nil)

func (j *job) CommonStatus() *v1beta1.Status { return &j.Status.Status }
func (j *job) WholeStatus() any              { return &j.Status }
func (j *job) StartedAt() *metav1.Time       { return j.Status.Start }
func (j *job) CompletedAt() *metav1.Time     { return j.Status.End }

func (j *job) copied() *job {
	out := *j
	j.ObjectMeta.DeepCopyInto(&out.ObjectMeta)
	j.Status.Status.DeepCopyInto(&out.Status.Status)
	out.Status.Start, out.Status.End = j.Status.Start.DeepCopy(), j.Status.End.DeepCopy()
	return &out
}

// DeepCopyObject implements runtime.Object.
func (j *job) DeepCopyObject() runtime.Object { return j.copied() }

// jobPass is how a kind uses a Pass: it embeds one, and says how its attempts end.
type jobPass struct {
	pass.Pass[*job]
	retries int
	stuck   error // what keeps Abandon from ending what the job has made
}

// Fail implements pass.Ending.
func (p *jobPass) Fail(reason, message string) {
	s := &p.Run.Status
	s.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: corev1.ConditionFalse, Reason: reason, Message: message}, p.Now)
	s.End = &p.Now
}

// Abandon implements pass.Ending.
func (p *jobPass) Abandon(_ context.Context, message string) error {
	if p.stuck != nil {
		return p.stuck
	}
	p.Run = p.Stored.copied()
	p.Fail("Abandoned", message)
	return nil
}

// Retry implements pass.Ending.
func (p *jobPass) Retry() bool {
	s := &p.Run.Status
	if !s.Succeeded().IsFalse() || s.Attempts >= p.retries {
		return false
	}
	s.Attempts++
	s.Start, s.End = nil, nil
	pass.SetUnknown(&s.Status, "Again", "another try", p.Now)
	return true
}

// world is an API server in memory, a clock that is moved by hand, and what the passes did.
type world struct {
	t       *testing.T
	client  client.WithWatch
	cache   map[string]*job // what the cache shows instead
	hidden  bool            // the cache has nothing
	now     time.Time
	retries int
	stuck   error
	events  []string
	writes  []string
	fault   func(verb string) error
	decide  func(p *jobPass) error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	scheme.AddKnownTypeWithName(jobKind.GVK, &job{})
	scheme.AddKnownTypeWithName(jobKind.GVK.GroupVersion().WithKind("JobList"), &metav1.PartialObjectMetadataList{})
	if err := corev1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, now: time.Date(2000, 1, 1, 0, 0, 0, 123, time.UTC), cache: map[string]*job{}}
	try := func(verb string) error {
		if w.fault != nil {
			if err := w.fault(verb); err != nil {
				return err
			}
		}
		w.writes = append(w.writes, verb)
		return nil
	}
	w.client = interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&job{}).Build(), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := try("patch"); err != nil {
				return err
			}
			return c.Patch(ctx, o, patch, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			if err := try(sub); err != nil {
				return err
			}
			return c.SubResource(sub).Update(ctx, o, opts...)
		},
	})
	if err := w.client.Create(t.Context(), &job{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "j", UID: "uid"}}); err != nil {
		t.Fatal(err)
	}
	return w
}

// cached is the cache of a world, which may be behind.
type cached struct {
	client.Client
	w *world
}

func (c cached) Get(ctx context.Context, key client.ObjectKey, into client.Object, opts ...client.GetOption) error {
	j, ok := into.(*job)
	switch old := c.w.cache[key.Name]; {
	case ok && old != nil:
		*j = *old.copied()
		return nil
	case !ok && c.w.hidden:
		return notFound(key.Name)
	}
	return c.Client.Get(ctx, key, into, opts...)
}

// Now implements reconciler.Clock.
func (w *world) Now() time.Time { return w.now }

// Event implements reconciler.Recorder.
func (w *world) Event(_ runtime.Object, eventtype, reason, message string) {
	w.events = append(w.events, fmt.Sprintf("%s %s %s", eventtype, reason, message))
}

func (w *world) deps() reconciler.Deps {
	return reconciler.Deps{
		Client: cached{w.client, w}, Reader: w.client, Clock: w, Recorder: w, Revision: "build",
		Config: func() config.Config { return *config.Default() },
	}
}

// pass runs one pass, in which w.decide is the kind's decision.
func (w *world) pass() reconcile.Result {
	w.t.Helper()
	ctx := w.t.Context()
	w.events, w.writes = nil, nil
	stored, ok, err := jobKind.Read(ctx, w.deps(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "n", Name: "j"}})
	if err != nil || !ok {
		w.t.Fatalf("the job is not read: %v", err)
	}
	p := &jobPass{Pass: pass.New(w.deps(), jobKind, stored), retries: w.retries, stuck: w.stuck}
	p.Run = stored.copied()
	if p.Run.Status.Start == nil {
		p.Run.Status.Start = &p.Now
	}
	p.Before = p.Run.Status.Succeeded().DeepCopy()
	before := stored.copied()
	result := p.Settle(ctx, w.decide(p), p)
	if fmt.Sprint(before) != fmt.Sprint(stored) {
		w.t.Errorf("the pass changed what it read:\n%v\n%v", before, stored)
	}
	return result
}

// job is the job as it is stored.
func (w *world) job() *job {
	w.t.Helper()
	j := &job{}
	if err := w.client.Get(w.t.Context(), client.ObjectKey{Namespace: "n", Name: "j"}, j); err != nil {
		w.t.Fatal(err)
	}
	return j
}
