package taskrun

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	resolution "github.com/plumbline-ci/plumbline/api/resolution/v1beta1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

const namespace = "ns"

// world is an API server in memory, a clock that is moved by hand, and the reconciler under test.
type world struct {
	t        *testing.T
	client   client.WithWatch
	now      time.Time
	cfg      *config.Config
	logs     map[string]string
	images   map[string]podspec.Image
	events   []string
	writes   []string
	fault    func(verb string, object client.Object) error
	unread   func(object client.Object) error      // makes reads through the cache fail
	stale    map[client.ObjectKey]*v1beta1.TaskRun // what the cache shows instead
	ghosts   map[string]*corev1.Pod                // Pods that only the cache still has
	hidden   map[string]bool                       // kind/name that the cache does not have
	statuses int
	bundles  resolver.Bundles
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1beta1.AddToScheme, resolution.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{
		t: t, now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), cfg: config.Default(),
		stale: map[client.ObjectKey]*v1beta1.TaskRun{}, hidden: map[string]bool{},
	}
	w.client = interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme).
		WithStatusSubresource(&v1beta1.TaskRun{}, &corev1.Pod{}, &resolution.ResolutionRequest{}).Build(), w.interceptors())
	w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}})
	w.create(objects...)
	return w
}

// interceptors make writes fail as asked, note them, and do what an API server does: it begins Pods as Pending, and stores
// times in whole seconds.
func (w *world) interceptors() interceptor.Funcs {
	try := func(verb string, object client.Object) error {
		if w.fault != nil {
			if err := w.fault(verb, object); err != nil {
				return err
			}
		}
		w.writes = append(w.writes, fmt.Sprintf("%s %T %s", verb, object, object.GetName()))
		return nil
	}
	return interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.CreateOption) error {
			if err := try("create", object); err != nil {
				return err
			}
			if object.GetUID() == "" {
				object.SetUID(types.UID(fmt.Sprintf("uid-of-%s-%d", object.GetName(), len(w.writes))))
			}
			if pod, ok := object.(*corev1.Pod); ok {
				pod.Status.Phase = corev1.PodPending
			}
			return c.Create(ctx, object, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, object client.Object, opts ...client.DeleteOption) error {
			if err := try("delete", object); err != nil {
				return err
			}
			return c.Delete(ctx, object, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if err := try("patch", object); err != nil {
				return err
			}
			return c.Patch(ctx, object, patch, opts...)
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, object client.Object, opts ...client.SubResourceUpdateOption) error {
			if err := try("status", object); err != nil {
				return err
			}
			if tr, ok := object.(*v1beta1.TaskRun); ok {
				w.statuses++
				w.check(tr)
			}
			return c.SubResource(sub).Update(ctx, object, opts...)
		},
	}
}

// check is what has to hold for every status that is stored.
func (w *world) check(tr *v1beta1.TaskRun) {
	w.t.Helper()
	old := &v1beta1.TaskRun{}
	if err := w.client.Get(context.Background(), client.ObjectKeyFromObject(tr), old); err != nil {
		return
	}
	c := tr.Status.Succeeded()
	if isDone := c != nil && !c.IsUnknown(); isDone != (tr.Status.CompletionTime != nil) {
		w.t.Errorf("stored %+v with completionTime %v: it has to be there exactly when the run is done", c, tr.Status.CompletionTime)
	}
	if was := old.Status.Succeeded(); old.Status.IsDone() && !was.Equivalent(c) {
		w.t.Errorf("terminal condition %+v became %+v", was, c)
	}
}

// cache is what the reconciler reads from: it can be behind.
type cache struct {
	client.Client
	w *world
}

func (c cache) Get(ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption) error {
	if c.w.unread != nil {
		if err := c.w.unread(object); err != nil {
			return err
		}
	}
	if tr, ok := object.(*v1beta1.TaskRun); ok && c.w.stale[key] != nil {
		c.w.stale[key].DeepCopyInto(tr)
		return nil
	}
	if pod, ok := object.(*corev1.Pod); ok && c.w.ghosts[key.Name] != nil {
		c.w.ghosts[key.Name].DeepCopyInto(pod)
		return nil
	}
	if kind := fmt.Sprintf("%T", object); c.w.hidden[kind[strings.LastIndex(kind, ".")+1:]+"/"+key.Name] {
		return apierrors.NewNotFound(v1beta1.Resource("hidden"), key.Name)
	}
	return c.Client.Get(ctx, key, object, opts...)
}

func (w *world) Now() time.Time { return w.now }

func (w *world) Event(_ runtime.Object, eventtype, reason, message string) {
	w.events = append(w.events, fmt.Sprintf("%s %s %s", eventtype, reason, message))
}

func (w *world) Logs(_ context.Context, _, pod, container string) ([]byte, error) {
	log, ok := w.logs[pod+"/"+container]
	if !ok {
		return nil, fmt.Errorf("container %s of Pod %s has no log", container, pod)
	}
	return []byte(log), nil
}

func (w *world) ImageConfig(_ context.Context, reference string, _ reconciler.ImageAccess) (podspec.Image, error) {
	image, ok := w.images[reference]
	if !ok {
		return image, fmt.Errorf("no such image: %s", reference)
	}
	return image, nil
}

func (w *world) create(objects ...client.Object) {
	w.t.Helper()
	for _, o := range objects {
		if o.GetNamespace() == "" {
			o.SetNamespace(namespace)
		}
		if tr, ok := o.(*v1beta1.TaskRun); ok {
			defaulting.TaskRun(tr, w.cfg)
			tr.CreationTimestamp = metav1.NewTime(w.now)
		}
		if err := w.client.Create(context.Background(), o); err != nil {
			w.t.Fatal(err)
		}
	}
	w.writes = nil
}

// reconcile is one pass over a TaskRun.
func (w *world) reconcile(name string) (reconcile.Result, error) {
	return w.reconciler().Reconcile(context.Background(), reconcile.Request{NamespacedName: key(name)})
}

func (w *world) reconciler() *Reconciler {
	return New(reconciler.Deps{
		Client: cache{w.client, w}, Reader: w.client, Clock: w, Recorder: w,
		Config:      func() config.Config { return *w.cfg },
		Images:      reconciler.Images{Entrypoint: "entrypoint", Nop: "nop", Shell: "shell", WorkingDirInit: "workingdirinit", SidecarLogResults: "results"},
		ImageConfig: w, Logs: w, Bundles: w.bundles,
	})
}

// pass is reconcile for who expects no error.
func (w *world) pass(name string) reconcile.Result {
	w.t.Helper()
	result, err := w.reconcile(name)
	if err != nil {
		w.t.Fatalf("reconciling %s: %v", name, err)
	}
	return result
}

func key(name string) client.ObjectKey { return client.ObjectKey{Namespace: namespace, Name: name} }

func (w *world) run(name string) *v1beta1.TaskRun {
	w.t.Helper()
	tr := &v1beta1.TaskRun{}
	if err := w.client.Get(context.Background(), key(name), tr); err != nil {
		w.t.Fatal(err)
	}
	return tr
}

// pod is the Pod of that name, or nil.
func (w *world) pod(name string) *corev1.Pod {
	w.t.Helper()
	pod := &corev1.Pod{}
	if err := w.client.Get(context.Background(), key(name), pod); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		w.t.Fatal(err)
	}
	return pod
}

func (w *world) mustPod(name string) *corev1.Pod {
	w.t.Helper()
	pod := w.pod(name)
	if pod == nil {
		w.t.Fatalf("there is no Pod %s", name)
	}
	return pod
}

// kubelet changes the status of a Pod.
func (w *world) kubelet(name string, change func(*corev1.Pod)) {
	w.t.Helper()
	pod := w.mustPod(name)
	change(pod)
	if err := w.client.Status().Update(context.Background(), pod); err != nil {
		w.t.Fatal(err)
	}
}

// phase begins all containers that have no state, and sets the phase.
func phase(p corev1.PodPhase) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		pod.Status.Phase = p
		for _, c := range pod.Spec.Containers {
			if container(pod, c.Name) == nil {
				pod.Status.ContainerStatuses = append(pod.Status.ContainerStatuses, corev1.ContainerStatus{
					Name: c.Name, ImageID: "image-of-" + c.Name, Ready: true,
					State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)}},
				})
			}
		}
	}
}

func container(pod *corev1.Pod, name string) *corev1.ContainerStatus {
	for i := range pod.Status.ContainerStatuses {
		if pod.Status.ContainerStatuses[i].Name == name {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// exit ends one container.
func exit(name string, code int32, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		s := container(pod, name)
		s.Ready = false
		reason := "Completed"
		if code != 0 {
			reason = "Error"
		}
		s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Reason: reason, Message: message, FinishedAt: metav1.Date(2000, 1, 1, 0, 0, 9, 0, time.UTC),
		}}
	}
}

// wait makes one container wait.
func waitFor(name, reason, message string) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		phase(corev1.PodPending)(pod)
		container(pod, name).State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	}
}

func all(changes ...func(*corev1.Pod)) func(*corev1.Pod) {
	return func(pod *corev1.Pod) {
		for _, change := range changes {
			change(pod)
		}
	}
}

// taskRun reads a TaskRun whose spec is given in YAML.
func taskRun(t *testing.T, name, spec string) *v1beta1.TaskRun {
	t.Helper()
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-of-" + name)}}
	if err := yaml.UnmarshalStrict([]byte(spec), &tr.Spec); err != nil {
		t.Fatal(err)
	}
	return tr
}

func task(t *testing.T, name, spec string) *v1beta1.Task {
	t.Helper()
	task := &v1beta1.Task{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	if err := yaml.UnmarshalStrict([]byte(spec), &task.Spec); err != nil {
		t.Fatal(err)
	}
	defaulting.TaskSpec(&task.Spec)
	return task
}

// expect compares the condition Succeeded.
func (w *world) expect(name string, status corev1.ConditionStatus, reason, message string) *v1beta1.TaskRun {
	w.t.Helper()
	tr := w.run(name)
	c := tr.Status.Succeeded()
	if c == nil {
		w.t.Fatalf("%s has no condition, want %s %s", name, status, reason)
	}
	if c.Status != status || c.Reason != reason || !strings.Contains(c.Message, message) {
		w.t.Fatalf("%s is %s %s %q, want %s %s %q", name, c.Status, c.Reason, c.Message, status, reason, message)
	}
	return tr
}

func podQuantity(s string) resource.Quantity { return resource.MustParse(s) }
