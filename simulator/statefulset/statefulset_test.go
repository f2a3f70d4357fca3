package statefulset_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/informer"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/statefulset"
)

var ctx = context.Background()

// world is an API server with the controller. The test itself is the kubelet.
type world struct {
	*testing.T
	k      *kernel.Kernel
	server *apiserver.Server
	c      *statefulset.Controller
	faulty *faulty
	client.Client
	alive map[string]types.UID // Pods that exist, by name
	made  []string             // names of Pods in the order of their creation
}

func newWorld(t *testing.T, seed uint64) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: seed})
	server := apiserver.New(apiserver.Options{Kernel: k})
	w := &world{T: t, k: k, server: server, Client: server.Client("test"), alive: map[string]types.UID{}}
	if err := server.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	server.Observe(w.judge)
	w.faulty = &faulty{Client: server.Client(statefulset.Actor), stream: k.Stream("faults")}
	w.start(server)
	return w
}

func (w *world) start(source informer.Source) {
	w.Helper()
	w.c = statefulset.New(statefulset.Options{Kernel: w.k, Client: w.faulty, Source: source})
	if err := w.c.Start(); err != nil {
		w.Fatal(err)
	}
}

// judge holds each write against what must never be.
func (w *world) judge(ch apiserver.Change) {
	pod, ok := ch.Object().(*corev1.Pod)
	switch {
	case !ok:
	case ch.New == nil:
		delete(w.alive, pod.Name)
	default:
		if uid, there := w.alive[pod.Name]; there && uid != pod.UID {
			w.Errorf("two Pods %s", pod.Name)
		} else if !there {
			w.made = append(w.made, pod.Name)
		}
		w.alive[pod.Name] = pod.UID
	}
}

// faulty fails some requests, before or after they have been carried out.
type faulty struct {
	client.Client
	stream *kernel.Stream
	chance float64
}

var errLost = errors.New("the answer was lost")

func (f *faulty) write(do func() error) error {
	if f.stream.Chance(f.chance) {
		return apierrors.NewServerTimeout(schema.GroupResource{Resource: "pods"}, "write", 1)
	}
	err := do()
	if f.stream.Chance(f.chance) {
		return errLost
	}
	return err
}

func (f *faulty) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	return f.write(func() error { return f.Client.Create(ctx, o, opts...) })
}

func (f *faulty) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return f.write(func() error { return f.Client.Delete(ctx, o, opts...) })
}

func (f *faulty) Status() client.SubResourceWriter {
	return &faultyStatus{f.Client.Status(), f}
}

type faultyStatus struct {
	client.SubResourceWriter
	f *faulty
}

func (s *faultyStatus) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	return s.f.write(func() error { return s.SubResourceWriter.Update(ctx, o, opts...) })
}

func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

func (w *world) create(o client.Object) {
	w.Helper()
	if err := w.Create(ctx, o); err != nil {
		w.Fatal(err)
	}
}

func (w *world) get(o client.Object, name string) {
	w.Helper()
	if err := w.Get(ctx, client.ObjectKey{Namespace: "ns", Name: name}, o); err != nil {
		w.Fatal(err)
	}
}

func (w *world) set() *appsv1.StatefulSet {
	w.Helper()
	s := &appsv1.StatefulSet{}
	w.get(s, "web")
	return s
}

// edit changes the StatefulSet as a user would.
func (w *world) edit(fn func(*appsv1.StatefulSetSpec)) {
	w.Helper()
	s := w.set()
	fn(&s.Spec)
	if err := w.Update(ctx, s); err != nil {
		w.Fatal(err)
	}
}

func (w *world) pod(name string) *corev1.Pod {
	w.Helper()
	p := &corev1.Pod{}
	w.get(p, name)
	return p
}

// names are those of the Pods that exist.
func (w *world) names() string {
	list := &corev1.PodList{}
	if err := w.List(ctx, list, client.InNamespace("ns")); err != nil {
		w.Fatal(err)
	}
	var out []string
	for i := range list.Items {
		out = append(out, list.Items[i].Name)
	}
	return strings.Join(out, " ")
}

// becomes puts a Pod into a phase; running Pods are ready.
func (w *world) becomes(name string, phase corev1.PodPhase) {
	w.Helper()
	p := w.pod(name)
	p.Status.Phase = phase
	p.Status.Conditions = nil
	if phase == corev1.PodRunning {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(w.k.Now())}}
	}
	if err := w.Client.Status().Update(ctx, p); err != nil {
		w.Fatal(err)
	}
}

// settle has all Pods run as they come, for a while.
func (w *world) settle(d time.Duration) {
	w.Helper()
	for end := w.k.Now().Add(d); w.k.Now().Before(end); {
		w.run(100 * time.Millisecond)
		list := &corev1.PodList{}
		if err := w.List(ctx, list, client.InNamespace("ns")); err != nil {
			w.Fatal(err)
		}
		for i := range list.Items {
			if p := &list.Items[i]; p.Status.Phase == corev1.PodPending {
				w.becomes(p.Name, corev1.PodRunning)
			}
		}
	}
}

func web(replicas int32, edit ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
	s.Spec.Replicas, s.Spec.ServiceName = &replicas, "service"
	s.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	s.Spec.Template.Labels = map[string]string{"app": "web"}
	s.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "busybox:1"}}
	for _, e := range edit {
		e(s)
	}
	return s
}

func parallel(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = appsv1.ParallelPodManagement }

func TestPodsComeInOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(web(3))
	for _, want := range []string{"web-0", "web-0 web-1", "web-0 web-1 web-2"} {
		w.run(time.Minute)
		if got := w.names(); got != want {
			t.Fatalf("Pods %s, want %s", got, want)
		}
		w.becomes(want[len(want)-len("web-0"):], corev1.PodRunning)
	}
	w.run(time.Second)
	s := w.set().Status
	if s.Replicas != 3 || s.ReadyReplicas != 3 || s.AvailableReplicas != 3 || s.CurrentReplicas != 3 || s.UpdatedReplicas != 3 || s.ObservedGeneration != 1 {
		t.Errorf("status %+v", s)
	}
	if !strings.HasPrefix(s.CurrentRevision, "web-") || s.CurrentRevision != s.UpdateRevision {
		t.Errorf("revisions %q and %q", s.CurrentRevision, s.UpdateRevision)
	}
	w.edit(func(s *appsv1.StatefulSetSpec) { s.Replicas = new(int32(1)) })
	w.run(time.Second)
	if got := w.names(); got != "web-0" {
		t.Errorf("after scaling down: %s", got)
	}
	if s := w.set().Status; s.Replicas != 1 || s.ObservedGeneration != 2 {
		t.Errorf("status after scaling down %+v", s)
	}
}

func TestParallelPodsComeAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(web(3, parallel, func(s *appsv1.StatefulSet) { s.Spec.Ordinals = &appsv1.StatefulSetOrdinals{Start: 5} }))
	w.run(time.Second)
	if got := w.names(); got != "web-5 web-6 web-7" {
		t.Errorf("Pods %s", got)
	}
	w.edit(func(s *appsv1.StatefulSetSpec) { s.Replicas = new(int32(0)) })
	w.run(time.Second)
	if got := w.names(); got != "" {
		t.Errorf("after scaling down: %s", got)
	}
}

func TestPodsAreMadeOfTheTemplate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(web(1, func(s *appsv1.StatefulSet) {
		claim := corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: "data", Labels: map[string]string{"x": "y"}}}
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
		s.Spec.VolumeClaimTemplates = []corev1.PersistentVolumeClaim{claim}
		s.Spec.Template.Annotations = map[string]string{"a": "b"}
		s.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
	}))
	w.run(time.Second)
	p, s := w.pod("web-0"), w.set()
	owner := metav1.GetControllerOf(p)
	if owner == nil || owner.UID != s.UID || owner.Kind != "StatefulSet" || owner.APIVersion != "apps/v1" || !*owner.BlockOwnerDeletion {
		t.Errorf("owner %+v", owner)
	}
	want := map[string]string{"app": "web", "statefulset.kubernetes.io/pod-name": "web-0", "apps.kubernetes.io/pod-index": "0", "controller-revision-hash": s.Status.UpdateRevision}
	if fmt.Sprint(p.Labels) != fmt.Sprint(want) || p.Annotations["a"] != "b" {
		t.Errorf("labels %v, want %v; annotations %v", p.Labels, want, p.Annotations)
	}
	if p.Spec.Hostname != "web-0" || p.Spec.Subdomain != "service" {
		t.Errorf("host %s.%s", p.Spec.Hostname, p.Spec.Subdomain)
	}
	claim := &corev1.PersistentVolumeClaim{}
	w.get(claim, "data-web-0")
	if len(claim.OwnerReferences) > 0 || claim.Labels["app"] != "web" || claim.Labels["x"] != "y" {
		t.Errorf("claim %+v", claim.ObjectMeta)
	}
	i := slices.IndexFunc(p.Spec.Volumes, func(v corev1.Volume) bool { return v.Name == "data" })
	if i < 0 || p.Spec.Volumes[i].PersistentVolumeClaim == nil || p.Spec.Volumes[i].PersistentVolumeClaim.ClaimName != "data-web-0" {
		t.Errorf("volumes %+v", p.Spec.Volumes)
	}
	if err := w.Delete(ctx, p); err != nil {
		t.Fatal(err)
	}
	w.run(time.Second)
	if again := w.pod("web-0"); again.UID == p.UID {
		t.Error("the Pod was not deleted")
	}
}

func TestPodsThatGoAreMadeAgain(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*world){
		"deleted": func(w *world) {
			if err := w.Delete(ctx, w.pod("web-1")); err != nil {
				w.Fatal(err)
			}
		},
		"failed":    func(w *world) { w.becomes("web-1", corev1.PodFailed) },
		"succeeded": func(w *world) { w.becomes("web-1", corev1.PodSucceeded) },
	} {
		for _, policy := range []func(*appsv1.StatefulSet){parallel, func(*appsv1.StatefulSet) {}} {
			w := newWorld(t, 1)
			w.create(web(3, policy))
			w.settle(3 * time.Second)
			first, last, uid := w.pod("web-0").UID, w.pod("web-2").UID, w.pod("web-1").UID
			end(w)
			w.settle(3 * time.Second)
			if got := w.pod("web-1"); got.UID == uid || got.Status.Phase != corev1.PodRunning {
				t.Errorf("%s: the Pod was not replaced", name)
			}
			if w.pod("web-0").UID != first || w.pod("web-2").UID != last {
				t.Errorf("%s: other Pods were replaced", name)
			}
		}
	}
}

func TestPodThatIsGoingIsWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(web(1))
	w.settle(time.Second)
	p := w.pod("web-0")
	p.Finalizers = []string{"example.com/wait"}
	if err := w.Update(ctx, p); err != nil {
		t.Fatal(err)
	}
	if err := w.Delete(ctx, p); err != nil {
		t.Fatal(err)
	}
	w.settle(time.Minute)
	p = w.pod("web-0")
	if p.DeletionTimestamp == nil {
		t.Fatal("the Pod is not going")
	}
	p.Finalizers = nil
	if err := w.Update(ctx, p); err != nil {
		t.Fatal(err)
	}
	w.settle(time.Second)
	if got := w.pod("web-0"); got.UID == p.UID {
		t.Error("the Pod was not replaced")
	}
}

func TestForeignPodIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	foreign := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web-0", Labels: map[string]string{"app": "web"}}}
	foreign.Spec.Containers = []corev1.Container{{Name: "c", Image: "busybox"}}
	w.create(foreign)
	w.create(web(1))
	w.settle(10 * time.Second)
	if got := w.pod("web-0"); got.UID != foreign.UID || w.set().Status.Replicas != 0 {
		t.Errorf("status %+v", w.set().Status)
	}
	if err := w.Delete(ctx, foreign); err != nil {
		t.Fatal(err)
	}
	w.settle(time.Minute)
	if got := w.set().Status.ReadyReplicas; got != 1 {
		t.Errorf("%d Pods are ready when the name is free", got)
	}
}

func TestAvailabilityTakesTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(web(2, func(s *appsv1.StatefulSet) { s.Spec.MinReadySeconds = 30 }))
	w.settle(20 * time.Second)
	if s := w.set().Status; s.ReadyReplicas != 1 || s.AvailableReplicas != 0 || w.names() != "web-0" {
		t.Errorf("early: %s, %+v", w.names(), s)
	}
	w.settle(time.Minute)
	if s := w.set().Status; s.ReadyReplicas != 2 || s.AvailableReplicas != 2 {
		t.Errorf("late: %+v", s)
	}
}

func TestTemplateIsFollowed(t *testing.T) {
	t.Parallel()
	image := func(s *appsv1.StatefulSetSpec) { s.Template.Spec.Containers[0].Image = "busybox:2" }
	for _, row := range []struct {
		name     string
		strategy appsv1.StatefulSetUpdateStrategy
		want     string // which Pods have the new image
	}{
		{"all", appsv1.StatefulSetUpdateStrategy{}, "web-0 web-1 web-2"},
		{"those from the partition on", appsv1.StatefulSetUpdateStrategy{RollingUpdate: &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(int32(2))}}, "web-2"},
		{"none before it is deleted", appsv1.StatefulSetUpdateStrategy{Type: appsv1.OnDeleteStatefulSetStrategyType}, ""},
	} {
		w := newWorld(t, 1)
		w.create(web(3, func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy = row.strategy }))
		w.settle(5 * time.Second)
		w.made = nil
		w.edit(image)
		w.settle(10 * time.Second)
		var got []string
		for _, name := range []string{"web-0", "web-1", "web-2"} {
			if w.pod(name).Spec.Containers[0].Image == "busybox:2" {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != row.want {
			t.Errorf("%s: %s have the new image", row.name, got)
		}
		slices.Reverse(got)
		if !slices.Equal(w.made, got) {
			t.Errorf("%s: replaced in the order %s", row.name, w.made)
		}
		if s := w.set().Status; s.ReadyReplicas != 3 || s.UpdatedReplicas != int32(len(got)) || (s.CurrentRevision == s.UpdateRevision) != (len(got) == 3) {
			t.Errorf("%s: status %+v", row.name, s)
		}
	}
}

// TestFaultsMakeNoSecondPod lets requests fail and answers get lost, restarts the
// controller at any time, and leaves it with a view of the past.
func TestFaultsMakeNoSecondPod(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		w := newWorld(t, seed)
		w.faulty.chance = 0.3
		chaos := w.k.Stream("chaos")
		policy := parallel
		if seed%2 == 0 {
			policy = func(*appsv1.StatefulSet) {}
		}
		w.create(web(3, policy))
		for range 40 {
			w.settle(chaos.Between(100*time.Millisecond, time.Second))
			name := fmt.Sprintf("web-%d", chaos.IntN(3))
			switch p := (&corev1.Pod{}); chaos.IntN(6) {
			case 0: // another process takes over, whose watches are late
				w.c.Stop()
				w.start(late{w.server})
			case 1, 2:
				if w.Get(ctx, client.ObjectKey{Namespace: "ns", Name: name}, p) == nil {
					_ = w.Delete(ctx, p)
				}
			case 3:
				if w.Get(ctx, client.ObjectKey{Namespace: "ns", Name: name}, p) == nil && p.Status.Phase == corev1.PodRunning {
					w.becomes(name, corev1.PodFailed)
				}
			case 4:
				w.edit(func(s *appsv1.StatefulSetSpec) { s.Replicas = new(int32(chaos.IntN(5))) })
			}
		}
		w.faulty.chance = 0
		w.edit(func(s *appsv1.StatefulSetSpec) { s.Replicas = new(int32(3)) })
		w.settle(2 * time.Minute)
		if s := w.set().Status; w.names() != "web-0 web-1 web-2" || s.Replicas != 3 || s.AvailableReplicas != 3 {
			t.Errorf("seed %d: in the end there are %s, status %+v", seed, w.names(), s)
		}
	}
}

// late is a source whose events take long.
type late struct{ s *apiserver.Server }

func (l late) Watch(gvk schema.GroupVersionKind, handler func(informer.Event)) (stop func(), err error) {
	return l.s.WatchWith(gvk, apiserver.WatchOptions{Lag: apiserver.Lag{Min: time.Second, Max: 3 * time.Second}}, handler)
}

func TestRunsAreRepeatable(t *testing.T) {
	t.Parallel()
	run := func() string {
		w := newWorld(t, 7)
		w.faulty.chance = 0.2
		w.create(web(3, parallel))
		w.settle(30 * time.Second)
		return w.k.TraceHash()
	}
	if a, b := run(), run(); a != b {
		t.Errorf("traces %s and %s", a, b)
	}
}
