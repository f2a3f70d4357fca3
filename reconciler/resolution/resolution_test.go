package resolution

import (
	"context"
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

var key = client.ObjectKey{Namespace: "ns", Name: "git-1"}

// world is an API server in memory with one request in it.
type world struct {
	t      *testing.T
	client client.WithWatch
	now    time.Time
	// read is called before an object is read. An error keeps it from being read.
	read func(client.Object) error
	// write is called before a status is written. An error keeps it from being stored.
	write func(*resolution.ResolutionRequest) error
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, resolution.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{t: t, now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	request := &resolution.ResolutionRequest{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: key.Namespace, Name: key.Name, UID: "uid", Generation: 1, CreationTimestamp: metav1.NewTime(w.now), Labels: map[string]string{resolution.LabelType: "git"},
		},
		Spec: resolution.ResolutionRequestSpec{Params: []v1beta1.Param{{Name: "p", Value: v1beta1.StringValue("v")}}},
	}
	w.client = interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(request).WithObjects(append(objects, request)...).Build(), interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if w.read != nil {
				if err := w.read(o); err != nil {
					return err
				}
			}
			return c.Get(ctx, key, o, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			if r, ok := o.(*resolution.ResolutionRequest); ok && w.write != nil {
				if err := w.write(r); err != nil {
					return err
				}
			}
			return c.SubResource(sub).Update(ctx, o, opts...)
		},
	})
	return w
}

// Now implements reconciler.Clock.
func (w *world) Now() time.Time { return w.now }

func (w *world) deps() reconciler.Deps {
	return reconciler.Deps{Client: w.client, Reader: w.client, Clock: w}
}

func (w *world) pass(r reconcile.Reconciler) reconcile.Result {
	w.t.Helper()
	result, err := r.Reconcile(w.t.Context(), reconcile.Request{NamespacedName: key})
	if err != nil {
		w.t.Fatal(err)
	}
	return result
}

func (w *world) request() *resolution.ResolutionRequest {
	w.t.Helper()
	r := &resolution.ResolutionRequest{}
	if err := w.client.Get(w.t.Context(), key, r); err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *world) set(change func(*resolution.ResolutionRequest)) {
	w.t.Helper()
	r := w.request()
	change(r)
	if err := w.client.Status().Update(w.t.Context(), r); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) expect(status corev1.ConditionStatus, reason, message string) {
	w.t.Helper()
	c := w.request().Status.Succeeded()
	if c == nil || c.Status != status || c.Reason != reason || c.Message != message {
		w.t.Errorf("the request is %+v, want %s %s %q", c, status, reason, message)
	}
}

func TestLifeOfARequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	core := Controllers()[0].New(w.deps())
	if got := w.pass(core); got.RequeueAfter != time.Minute {
		t.Errorf("looked at again after %v", got.RequeueAfter)
	}
	w.expect(corev1.ConditionUnknown, resolution.ReasonInProgress, "waiting for resolver")
	if w.request().Status.ObservedGeneration != 1 {
		t.Error("the generation is not noted")
	}
	w.now = w.now.Add(59 * time.Second)
	if got := w.pass(core); got.RequeueAfter != time.Second {
		t.Errorf("looked at again after %v", got.RequeueAfter)
	}
	w.set(func(r *resolution.ResolutionRequest) { r.Status.Data = "Zm9v" })
	w.now = w.now.Add(time.Hour)
	w.pass(core)
	w.expect(corev1.ConditionTrue, "", "")
	w.set(func(r *resolution.ResolutionRequest) { r.Status.Data = "" })
	w.pass(core)
	w.expect(corev1.ConditionTrue, "", "")
}

func TestRequestTimesOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	core := Controllers()[0].New(w.deps())
	w.now = w.now.Add(time.Minute)
	if got := w.pass(core); got.RequeueAfter != 0 {
		t.Errorf("looked at again after %v", got.RequeueAfter)
	}
	const message = "resolution took longer than global timeout of 1m0s"
	w.expect(corev1.ConditionFalse, resolution.ReasonTimedOut, message)
	w.set(func(r *resolution.ResolutionRequest) { r.Status.Data = "Zm9v" })
	w.pass(core)
	w.expect(corev1.ConditionFalse, resolution.ReasonTimedOut, message)
}

func TestRequestThatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.write = func(*resolution.ResolutionRequest) error { return conflict() }
	if got := w.pass(Controllers()[0].New(w.deps())); got.RequeueAfter != soon {
		t.Errorf("looked at again after %v", got.RequeueAfter)
	}
}

func conflict() error {
	return apierrors.NewConflict(schema.GroupResource{Group: resolution.Group, Resource: "resolutionrequests"}, key.Name, errors.New("changed"))
}

// double is a resolver whose answers are fields.
type double struct {
	invalid, fails error
	asked          []resolver.Request
	before         func()
	reads          string // the name of a Secret
}

func (*double) Type() string                { return "git" }
func (*double) Name() string                { return "Git" }
func (*double) ConfigMap() string           { return "git-resolver-config" }
func (*double) Flag() string                { return "enable-git-resolver" }
func (*double) Defaults() map[string]string { return map[string]string{"k": "default"} }
func (d *double) Validate(context.Context, resolver.Request) error {
	return d.invalid
}
func (d *double) Resolve(_ context.Context, r resolver.Request) (resolver.Resource, error) {
	d.asked = append(d.asked, r)
	if d.before != nil {
		d.before()
	}
	if d.reads != "" {
		if err := r.Cluster(client.ObjectKey{Namespace: r.Namespace, Name: d.reads}, &corev1.Secret{}); err != nil {
			return resolver.Resource{}, err
		}
	}
	return resolver.Resource{Data: []byte("found"), Annotations: map[string]string{"a": "b"}, Source: &v1beta1.ConfigSource{URI: "u"}}, d.fails
}

func configMap(name string, data map[string]string) client.Object {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name}, Data: data}
}

func answering(w *world, d *double) reconcile.Reconciler { return Controllers(d)[1].New(w.deps()) }

func TestAnswer(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{}
	w.set(func(r *resolution.ResolutionRequest) { r.Status.Annotations = map[string]string{"some": "note"} })
	w.pass(answering(w, d))
	r := w.request()
	if r.Status.Data != base64.StdEncoding.EncodeToString([]byte("found")) || r.Status.Source.URI != "u" || r.Status.Succeeded() != nil {
		t.Errorf("the answer is %+v", r.Status)
	}
	if diff := cmp.Diff(map[string]string{"a": "b", "some": "note"}, r.Status.Annotations); diff != "" {
		t.Error(diff)
	}
	asked := d.asked[0]
	if asked.Namespace != "ns" || asked.Name != "git-1" || asked.Param("p") != "v" || asked.Config["k"] != "default" {
		t.Errorf("asked for %+v", asked)
	}
	w.pass(answering(w, d))
	if len(d.asked) != 1 {
		t.Error("it is asked again")
	}
}

func TestAnswerIsNo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason  string
		d       double
		maps    []client.Object
		message string
	}{
		{"switched off", double{}, []client.Object{configMap(FlagsName, map[string]string{"enable-git-resolver": "false"})},
			`invalid resource request "ns/git-1": cannot handle resolution request, enable-git-resolver feature flag not true`},
		{"params", double{invalid: errors.New("no url")}, []client.Object{configMap(FlagsName, map[string]string{"enable-git-resolver": "true"})}, `invalid resource request "ns/git-1": no url`},
		{"nothing is found", double{fails: errors.New("no such page")}, nil, `error getting "Git" "ns/git-1": no such page`},
		{"nothing is there", double{fails: apierrors.NewNotFound(schema.GroupResource{Resource: "tasks"}, "t")}, nil, `error getting "Git" "ns/git-1": tasks "t" not found`},
	} {
		w := newWorld(t, row.maps...)
		w.pass(answering(w, &row.d))
		w.expect(corev1.ConditionFalse, resolution.ReasonFailed, row.message)
	}
}

func TestResolverTakesTooLong(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{fails: errors.New("interrupted")}
	deps := w.deps()
	deps.Deadline = func(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
		if timeout != time.Minute {
			t.Errorf("it has %v", timeout)
		}
		return context.WithDeadline(ctx, time.Unix(0, 0))
	}
	w.pass(Controllers(d)[1].New(deps))
	w.expect(corev1.ConditionFalse, resolution.ReasonFailed, "context deadline exceeded")
}

// TestConfigurationOfAResolver: what is installed takes the place of the defaults.
func TestConfigurationOfAResolver(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t, configMap("git-resolver-config", map[string]string{"other": "x"})), &double{}
	w.pass(answering(w, d))
	if diff := cmp.Diff(map[string]string{"other": "x"}, d.asked[0].Config); diff != "" {
		t.Error(diff)
	}
}

// TestTroubleIsNoAnswer: what the API server is in trouble with is tried again.
func TestTroubleIsNoAnswer(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{reads: "Secret"}
	w.read = func(o client.Object) error {
		if _, ok := o.(*corev1.Secret); ok {
			return errors.New("connection refused")
		}
		return nil
	}
	if _, err := answering(w, d).Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err == nil {
		t.Error("it is not tried again")
	}
	if c := w.request().Status.Succeeded(); c != nil {
		t.Errorf("the request is %+v", c)
	}
}

// TestOthersWriteMeanwhile: the answer is stored beside what others write, and not got twice; a request that is done meanwhile stays.
func TestOthersWriteMeanwhile(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{}
	conflicts := 2
	w.write = func(*resolution.ResolutionRequest) error {
		if conflicts--; conflicts >= 0 {
			return conflict()
		}
		return nil
	}
	w.pass(answering(w, d))
	if len(d.asked) != 1 || w.request().Status.Data == "" {
		t.Errorf("asked %d times, and the answer is %q", len(d.asked), w.request().Status.Data)
	}
	w, d = newWorld(t), &double{}
	d.before = func() {
		w.set(func(r *resolution.ResolutionRequest) {
			set(r, failed(resolution.ReasonTimedOut, "too late"), w.now)
		})
	}
	w.pass(answering(w, d))
	w.expect(corev1.ConditionFalse, resolution.ReasonTimedOut, "too late")
	if w.request().Status.Data != "" {
		t.Error("a request that is done was written")
	}
}

// TestAnswerThatCannotBeStored is one that the API server refuses.
func TestAnswerThatCannotBeStored(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{}
	w.write = func(r *resolution.ResolutionRequest) error {
		if r.Status.Data != "" {
			return apierrors.NewRequestEntityTooLargeError("too large")
		}
		return nil
	}
	w.pass(answering(w, d))
	w.expect(corev1.ConditionFalse, resolution.ReasonFailed, `error getting "Git" "ns/git-1": Request entity too large: too large`)
}

// TestRequestsOfOtherTypesAreLeftAlone also holds for what the label says when the predicate is not asked.
func TestRequestsOfOtherTypesAreLeftAlone(t *testing.T) {
	t.Parallel()
	w, d := newWorld(t), &double{}
	r := w.request()
	r.Labels[resolution.LabelType] = "hub"
	if err := w.client.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	w.pass(answering(w, d))
	if len(d.asked) != 0 {
		t.Error("the resolver is asked")
	}
	if Controllers(d)[1].Predicates[0].Create(event.CreateEvent{Object: r}) {
		t.Error("the request wakes the resolver")
	}
}
