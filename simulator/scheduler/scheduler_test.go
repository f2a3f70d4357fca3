package scheduler_test

import (
	"context"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/scheduler"
)

type world struct {
	*testing.T
	k *kernel.Kernel
	s *scheduler.Scheduler
	client.Client
}

var ctx = context.Background()

func newWorld(t *testing.T, seed uint64, nodes ...*corev1.Node) *world {
	t.Helper()
	k := kernel.New(kernel.Options{Seed: seed})
	server := apiserver.New(apiserver.Options{Kernel: k})
	w := &world{T: t, k: k, Client: server.Client("test")}
	for _, name := range []string{"ns", "other"} {
		if err := server.CreateNamespace(name, map[string]string{"team": name}); err != nil {
			t.Fatal(err)
		}
	}
	w.s = scheduler.New(scheduler.Options{Kernel: k, Client: server.Client("scheduler"), Source: server})
	if err := w.s.Start(); err != nil {
		t.Fatal(err)
	}
	if err := scheduler.NewVolumeBinder(k, server.Client("binder")).Start(server); err != nil {
		t.Fatal(err)
	}
	for _, n := range nodes {
		w.create(n)
	}
	w.run(time.Second)
	return w
}

func (w *world) create(o client.Object) {
	w.Helper()
	if err := w.Create(ctx, o); err != nil {
		w.Fatal(err)
	}
}

func (w *world) run(d time.Duration) { w.k.RunUntil(w.k.Now().Add(d)) }

func (w *world) pod(name string) *corev1.Pod {
	w.Helper()
	p := &corev1.Pod{}
	if err := w.Get(ctx, client.ObjectKey{Namespace: "ns", Name: name}, p); err != nil {
		w.Fatal(err)
	}
	return p
}

func (w *world) condition(name string) (status, reason, message string) {
	for _, c := range w.pod(name).Status.Conditions {
		if c.Type == corev1.PodScheduled {
			return string(c.Status), c.Reason, c.Message
		}
	}
	return "absent", "", ""
}

func (w *world) events(reason string) []string {
	list := &corev1.EventList{}
	if err := w.List(ctx, list, client.InNamespace("ns")); err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, e := range list.Items {
		if e.Reason == reason {
			out = append(out, e.Message)
		}
	}
	return out
}

func node(name string, edit ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name, "size": "4"}}}
	n.Status.Allocatable = resources("4", "8Gi")
	n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("10")
	for _, e := range edit {
		e(n)
	}
	return n
}

func resources(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func pod(name string, edit ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "busybox"}}}}
	for _, e := range edit {
		e(p)
	}
	return p
}

func asks(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Requests = resources(cpu, memory) }
}

func affinity(key string, op corev1.NodeSelectorOperator, values ...string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: op, Values: values}}}}}}}
	}
}

const unhelpful = " no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."

func TestPlacement(t *testing.T) {
	t.Parallel()
	tainted := func(n *corev1.Node) {
		n.Spec.Taints = []corev1.Taint{{Key: "dedicated", Value: "x", Effect: corev1.TaintEffectNoSchedule}}
	}
	selects := func(k, v string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{k: v} }
	}
	for _, row := range []struct {
		reason string
		node   *corev1.Node
		pod    *corev1.Pod
		want   string // the message against it; empty means it is placed
	}{
		{"nothing against it", node("n"), pod("p"), ""},
		{"no nodes", nil, pod("p"), "no nodes available to schedule pods"},
		{"node selector (33)", node("n"), pod("p", selects("no", "such")), "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." + unhelpful},
		{"node selector that fits", node("n"), pod("p", selects("size", "4")), ""},
		{"affinity In", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpIn, "2", "4")), ""},
		{"affinity NotIn", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpNotIn, "4")), "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." + unhelpful},
		{"affinity Gt", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpGt, "3")), ""},
		{"affinity Lt", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpLt, "3")), "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." + unhelpful},
		{"affinity Exists", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpExists)), ""},
		{"affinity DoesNotExist", node("n"), pod("p", affinity("size", corev1.NodeSelectorOpDoesNotExist)), "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector." + unhelpful},
		{"a taint", node("n", tainted), pod("p"), "0/1 nodes are available: 1 node(s) had untolerated taint(s)." + unhelpful},
		{"a tolerated taint", node("n", tainted), pod("p", func(p *corev1.Pod) {
			p.Spec.Tolerations = []corev1.Toleration{{Key: "dedicated", Operator: corev1.TolerationOpEqual, Value: "x", Effect: corev1.TaintEffectNoSchedule}}
		}), ""},
		{"cordoned", node("n", func(n *corev1.Node) { n.Spec.Unschedulable = true }), pod("p"), "0/1 nodes are available: 1 node(s) were unschedulable." + unhelpful},
		{"more CPU than the node has", node("n"), pod("p", asks("5", "1Gi")), "0/1 nodes are available: 1 Insufficient cpu." + unhelpful},
		{"too much of everything", node("n"), pod("p", asks("5", "10Gi")), "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory." + unhelpful},
		{"a missing claim", node("n"), pod("p", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}}}
		}), `0/1 nodes are available: persistentvolumeclaim "c" not found.` + unhelpful},
	} {
		var nodes []*corev1.Node
		if row.node != nil {
			nodes = append(nodes, row.node)
		}
		w := newWorld(t, 1, nodes...)
		w.create(row.pod)
		w.run(time.Second)
		status, reason, message := w.condition("p")
		if row.want == "" {
			if got := w.pod("p").Spec.NodeName; got != "n" || status != "True" {
				t.Errorf("%s: on node %q, PodScheduled %s %s", row.reason, got, status, message)
			}
			if got := w.events("Scheduled"); len(got) != 1 || got[0] != "Successfully assigned ns/p to n" {
				t.Errorf("%s: events %q", row.reason, got)
			}
			continue
		}
		if status != "False" || reason != "Unschedulable" || message != row.want {
			t.Errorf("%s: PodScheduled %s %s\n got %q\nwant %q", row.reason, status, reason, message, row.want)
		}
		if got := w.events("FailedScheduling"); len(got) != 1 || got[0] != row.want {
			t.Errorf("%s: events %q", row.reason, got)
		}
	}
}

func TestPodsWaitForRoom(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("n"))
	w.create(pod("first", asks("3", "1Gi")))
	w.run(time.Second)
	w.create(pod("second", asks("3", "1Gi")))
	w.run(time.Second)
	want := "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
	if _, _, message := w.condition("second"); message != want {
		t.Errorf("message %q, want %q", message, want)
	}
	first := w.pod("first")
	first.Status.Phase = corev1.PodSucceeded
	if err := w.Status().Update(ctx, first); err != nil {
		t.Fatal(err)
	}
	w.run(15 * time.Second)
	if got := w.pod("second").Spec.NodeName; got != "n" {
		t.Errorf("after the first has ended the second is on node %q", got)
	}
	if status, _, message := w.condition("second"); status != "True" || message != "" {
		t.Errorf("PodScheduled %s %q", status, message)
	}
}

func TestPendingPodIsScheduledOnANewNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.create(pod("p"))
	w.run(time.Second)
	w.create(node("late"))
	w.run(15 * time.Second)
	if got := w.pod("p").Spec.NodeName; got != "late" {
		t.Errorf("on node %q", got)
	}
}

func TestLeastLoadedNodeIsChosen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("a"), node("b"))
	for _, name := range []string{"p", "q", "r", "s"} {
		w.create(pod(name, asks("1", "1Gi")))
		w.run(time.Second)
	}
	count := map[string]int{}
	for _, name := range []string{"p", "q", "r", "s"} {
		count[w.pod(name).Spec.NodeName]++
	}
	if count["a"] != 2 || count["b"] != 2 {
		t.Errorf("distribution %v, want two each", count)
	}
}

func TestTooManyPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("n", func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("1") }))
	w.create(pod("p"))
	w.run(time.Second)
	w.create(pod("q"))
	w.run(time.Second)
	if _, _, message := w.condition("q"); !strings.Contains(message, "1 Too many pods.") {
		t.Errorf("message %q", message)
	}
}

func TestClaimsAreBoundAndWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("n"))
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c"}}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	w.create(pod("p", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}}}
	}))
	w.run(time.Second)
	w.create(claim)
	w.run(15 * time.Second)
	if err := w.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil || claim.Status.Phase != corev1.ClaimBound || claim.Spec.VolumeName == "" {
		t.Errorf("claim %+v, %v", claim.Status, err)
	}
	if got := w.pod("p").Spec.NodeName; got != "n" {
		t.Errorf("the Pod is on node %q", got)
	}
	none := scheduler.NoStorage
	idle := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "idle"}}
	idle.Spec = claim.Spec
	idle.Spec.VolumeName, idle.Spec.StorageClassName = "", &none
	w.create(idle)
	w.run(15 * time.Second)
	if err := w.Get(ctx, client.ObjectKeyFromObject(idle), idle); err != nil || idle.Status.Phase == corev1.ClaimBound {
		t.Errorf("a claim without storage: %+v, %v", idle.Status, err)
	}
}

func TestClaimsMayWaitForTheirFirstConsumer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("n"))
	class := scheduler.WaitingStorage
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "c"}}
	claim.Spec.StorageClassName = &class
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	w.create(claim)
	w.run(time.Minute)
	if err := w.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil || claim.Status.Phase == corev1.ClaimBound {
		t.Fatalf("without a consumer: %+v, %v", claim.Status, err)
	}
	w.create(pod("p", func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "c"}}}}
	}))
	w.run(30 * time.Second)
	if err := w.Get(ctx, client.ObjectKeyFromObject(claim), claim); err != nil || claim.Status.Phase != corev1.ClaimBound ||
		claim.Annotations["volume.kubernetes.io/selected-node"] != "n" {
		t.Errorf("with a consumer: %+v %v, %v", claim.Status, claim.Annotations, err)
	}
	if got := w.pod("p").Spec.NodeName; got != "n" {
		t.Errorf("the Pod is on node %q", got)
	}
}

func TestAdmissionOfPodsThatWereNotScheduled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("n"))
	admit := w.s.Admission("n")
	w.create(pod("first", asks("3", "1Gi")))
	w.run(time.Second)
	for _, row := range []struct {
		reason        string
		pod           *corev1.Pod
		want, message string
	}{
		{"room enough", pod("x", asks("1", "1Gi")), "", ""},
		{"no room", pod("x", asks("2", "1Gi")), "OutOfcpu", "Node didn't have enough resource: cpu, requested: 2000, used: 3000, capacity: 4000"},
		{"another node is wanted", pod("x", affinity("no", corev1.NodeSelectorOpExists)), "NodeAffinity", "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
		{"its own booking does not count against it", w.pod("first"), "", ""},
	} {
		if reason, message := admit(row.pod); reason != row.want || message != row.message {
			t.Errorf("%s: %q %q, want %q %q", row.reason, reason, message, row.want, row.message)
		}
	}
}
