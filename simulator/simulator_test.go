package simulator_test

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
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

const testImage = "test.example/tool:1"

// tool is the one program of the tests' image: its arguments say what it does.
func tool(p *container.Process) int {
	for i := 1; i < len(p.Args); i++ {
		verb, value, _ := strings.Cut(p.Args[i], "=")
		switch verb {
		case "sleep":
			d, err := time.ParseDuration(value)
			if err != nil {
				return 2
			}
			p.Sleep(d)
		case "say":
			fmt.Fprintln(p.Stdout(), value)
		case "write":
			name, text, _ := strings.Cut(value, ":")
			if err := p.WriteFile(name, []byte(text), 0o644); err != nil {
				fmt.Fprintln(p.Stderr(), err)
				return 1
			}
		case "cat":
			b, err := p.ReadFile(value)
			if err != nil {
				fmt.Fprintln(p.Stderr(), err)
				return 1
			}
			fmt.Fprint(p.Stdout(), string(b))
		case "exit":
			return len(value)
		}
	}
	return 0
}

type world struct {
	*testing.T
	*simulator.Cluster
	client.WithWatch
	ctx context.Context
}

func newWorld(t testing.TB, o simulator.Options) *world {
	t.Helper()
	root, err := image.NewRoot(image.Tree{Programs: map[string]string{"bin/tool": "tool"}})
	if err != nil {
		t.Fatal(err)
	}
	if o.Images, err = image.NewCatalogue(&image.Image{Reference: testImage, Root: root, Entrypoint: []string{"/bin/tool"}}); err != nil {
		t.Fatal(err)
	}
	o.Programs = map[string]container.Program{"tool": tool}
	_, bench := t.(*testing.B)
	o.API.VerifyShared = !bench
	c, err := simulator.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if bench {
			return
		}
		for _, err := range c.Server().VerifyShared() {
			t.Error(err)
		}
	})
	if err := c.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	w := &world{Cluster: c, WithWatch: c.Client("test"), ctx: context.Background()}
	w.T, _ = t.(*testing.T)
	return w
}

func pod(name string, inits, apps [][]string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever}}
	p.Spec.Volumes = []corev1.Volume{{Name: "shared", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	mounts := []corev1.VolumeMount{{Name: "shared", MountPath: "/shared"}}
	for i, args := range inits {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{Name: fmt.Sprintf("init-%d", i), Image: testImage, Args: args, VolumeMounts: mounts})
	}
	for i, args := range apps {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: fmt.Sprintf("app-%d", i), Image: testImage, Args: args, VolumeMounts: mounts})
	}
	return p
}

func (w *world) create(o client.Object) {
	w.Helper()
	if err := w.Create(w.ctx, o); err != nil {
		w.Fatal(err)
	}
}

func (w *world) pod(name string) *corev1.Pod {
	p := &corev1.Pod{}
	if err := w.Get(w.ctx, client.ObjectKey{Namespace: "ns", Name: name}, p); err != nil {
		if !apierrors.IsNotFound(err) {
			w.Fatal(err)
		}
		return nil
	}
	return p
}

// until runs the cluster until what holds, at most an hour.
func (w *world) until(what func() bool) {
	w.Helper()
	err := w.Kernel().RunWhile(func() bool { return !what() }, w.Kernel().Now().Add(time.Hour), 0)
	if err != nil || !what() {
		w.Fatalf("it never came: %v", err)
	}
}

func (w *world) ended(name string) func() bool {
	return func() bool {
		p := w.pod(name)
		return p != nil && (p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed)
	}
}

func TestPodRunsToItsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	p := pod("p", [][]string{{"write=/shared/a:one"}, {"cat=/shared/a", "write=/shared/b:two"}},
		[][]string{{"cat=/shared/b", "sleep=2s", "say= done"}, {"write=/dev/termination-log:message", "sleep=1s", "exit=111"}})
	w.create(p)
	w.until(w.ended("p"))
	got := w.pod("p").Status
	if got.Phase != corev1.PodFailed {
		t.Errorf("phase %s: %+v", got.Phase, got)
	}
	for name, want := range map[string]string{"init-0": "", "init-1": "one", "app-0": "two done\n"} {
		if b, err := w.Logs("ns", "p", name); err != nil || string(b) != want {
			t.Errorf("log of %s: %q, %v; want %q", name, b, err, want)
		}
	}
	if s := got.ContainerStatuses[1].State.Terminated; s == nil || s.Message != "message" || s.ExitCode != 3 || s.Reason != "Error" {
		t.Errorf("app-1 ended as %+v", got.ContainerStatuses[1].State)
	}
	events := &corev1.EventList{}
	if err := w.List(w.ctx, events, client.InNamespace("ns")); err != nil {
		t.Fatal(err)
	}
	count := map[string]int32{}
	for _, e := range events.Items {
		count[e.Reason] += e.Count
	}
	for reason, want := range map[string]int32{"Scheduled": 1, "Pulled": 4, "Created": 4, "Started": 4} {
		if count[reason] != want {
			t.Errorf("%d events %s, want %d", count[reason], reason, want)
		}
	}
}

func TestCommandsThatCannotBeStarted(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason string
		edit   func(*corev1.Container)
		want   string
	}{
		{"no such program (27)", func(c *corev1.Container) { c.Command = []string{"sh"} },
			`failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown`},
		{"relative working directory (47)", func(c *corev1.Container) { c.WorkingDir = "rel" },
			`failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: Cwd must be an absolute path: unknown`},
	} {
		w := newWorld(t, simulator.Options{Seed: 1})
		p := pod("p", nil, [][]string{{"sleep=1s"}})
		row.edit(&p.Spec.Containers[0])
		w.create(p)
		w.until(w.ended("p"))
		s := w.pod("p").Status.ContainerStatuses[0].State.Terminated
		if s == nil || s.ExitCode != 128 || s.Reason != "StartError" || s.Message != row.want {
			t.Errorf("%s: %+v", row.reason, s)
		}
	}
}

func TestFilesFromTheAPI(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	w.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "m"}, Data: map[string]string{"k": "from the map"}})
	p := pod("p", nil, [][]string{{"cat=/map/k", "cat=/one", "cat=/down/name", "cat=/var/run/token/ns", "write=/map/k:x"}})
	p.Spec.Volumes = append(p.Spec.Volumes,
		corev1.Volume{Name: "m", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "m"}}}},
		corev1.Volume{Name: "d", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
			Items: []corev1.DownwardAPIVolumeFile{{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}}},
		corev1.Volume{Name: "t", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "ns", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.namespace"}}}}}}}}},
	)
	c := &p.Spec.Containers[0]
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "m", MountPath: "/map"}, corev1.VolumeMount{Name: "m", MountPath: "/one", SubPath: "k"},
		corev1.VolumeMount{Name: "d", MountPath: "/down"}, corev1.VolumeMount{Name: "t", MountPath: "/var/run/token"})
	w.create(p)
	w.until(w.ended("p"))
	b, err := w.Logs("ns", "p", "app-0")
	if want := "from the mapfrom the mappnsopen /map/k: read-only file system\n"; err != nil || string(b) != want {
		t.Errorf("log %q, %v; want %q", b, err, want)
	}
}

func TestClaimsOutliveTheirPods(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "data"}}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	w.create(claim)
	for _, row := range [][]string{{"p", "write=/shared/sub/f:kept"}, {"q", "cat=/shared/sub/f"}} {
		p := pod(row[0], nil, [][]string{{row[1]}})
		p.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
		if row[0] == "p" { // the subdirectory is made by mounting it
			p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, corev1.VolumeMount{Name: "shared", MountPath: "/sub", SubPath: "sub"})
		}
		w.create(p)
		w.until(w.ended(row[0]))
	}
	if b, err := w.Logs("ns", "q", "app-0"); err != nil || string(b) != "kept" {
		t.Errorf("the second Pod read %q, %v", b, err)
	}
}

func TestExecIntoAPod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	w.create(pod("p", nil, [][]string{{"sleep=1m"}}))
	w.until(func() bool { p := w.pod("p"); return p.Status.Phase == corev1.PodRunning })
	var out strings.Builder
	code := -1
	if err := w.Exec("ns", "p", "app-0", []string{"tool", "say=hello", "exit=11"}, &out, &out, func(c int) { code = c }); err != nil {
		t.Fatal(err)
	}
	w.RunFor(time.Second)
	if code != 2 || out.String() != "hello\n" {
		t.Errorf("code %d, output %q", code, out.String())
	}
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	owner := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "owner"}}
	w.create(owner)
	p := pod("p", nil, [][]string{{"sleep=1h"}})
	p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "owner", UID: owner.UID}}
	w.create(p)
	w.until(func() bool { return w.pod("p").Status.Phase == corev1.PodRunning })
	if err := w.Delete(w.ctx, owner); err != nil {
		t.Fatal(err)
	}
	from := w.Kernel().Now()
	w.until(func() bool { return w.pod("p") == nil })
	// Process 1 is deaf to SIGTERM unless it handles it: it is killed after 30 s.
	if took := w.Kernel().Now().Sub(from); took < 30*time.Second || took > 33*time.Second {
		t.Errorf("the Pod went %s after its owner", took)
	}
}

func TestNamespaceDeletionTakesPodsAlong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	w.create(pod("p", nil, [][]string{{"sleep=1h"}}))
	w.until(func() bool { return w.pod("p").Status.Phase == corev1.PodRunning })
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}}
	if err := w.Delete(w.ctx, ns); err != nil {
		t.Fatal(err)
	}
	w.until(func() bool { return apierrors.IsNotFound(w.Get(w.ctx, client.ObjectKeyFromObject(ns), ns)) })
}

func TestLostNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	w.create(pod("p", nil, [][]string{{"sleep=20s"}}))
	w.create(pod("q", nil, [][]string{{"sleep=2h"}}))
	w.until(func() bool {
		return w.pod("p").Status.Phase == corev1.PodRunning && w.pod("q").Status.Phase == corev1.PodRunning
	})
	w.LoseNode()
	ready := func(name string) string {
		for _, c := range w.pod(name).Status.Conditions {
			if c.Type == corev1.PodReady {
				return string(c.Status)
			}
		}
		return ""
	}
	w.RunFor(time.Minute)
	node := &corev1.Node{}
	if err := w.Get(w.ctx, client.ObjectKey{Name: simulator.DefaultNode}, node); err != nil {
		t.Fatal(err)
	}
	if c := node.Status.Conditions[0]; c.Status != corev1.ConditionUnknown || c.Reason != "NodeStatusUnknown" || len(node.Spec.Taints) != 2 {
		t.Errorf("node %+v with taints %v", c, node.Spec.Taints)
	}
	if w.pod("p").Status.Phase != corev1.PodRunning || ready("p") != "False" || w.pod("p").DeletionTimestamp != nil {
		t.Errorf("after a minute: phase %s, ready %s", w.pod("p").Status.Phase, ready("p"))
	}
	w.RunFor(5 * time.Minute)
	if w.pod("q").DeletionTimestamp == nil || w.pod("q").Status.Phase != corev1.PodRunning {
		t.Error("after six minutes the Pod is to be marked for deletion and no more")
	}
	w.RecoverNode()
	w.RunFor(time.Minute)
	if p, q := w.pod("p"), w.pod("q"); p != nil || q != nil {
		t.Errorf("the node is back, and still there are %v %v", p != nil, q != nil)
	}
	if err := w.Get(w.ctx, client.ObjectKey{Name: simulator.DefaultNode}, node); err != nil || len(node.Spec.Taints) != 0 || node.Status.Conditions[0].Status != corev1.ConditionTrue {
		t.Errorf("the node that is back: %+v %v", node.Status.Conditions, err)
	}
}

func TestImagesThatHaveToBePulled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1, PullImages: true})
	w.create(pod("p", nil, [][]string{{"say=x"}}))
	w.until(w.ended("p"))
	missing := pod("q", nil, [][]string{{"say=x"}})
	missing.Spec.Containers[0].Image = "test.example/none"
	w.create(missing)
	invalid := pod("r", nil, [][]string{{"say=x"}})
	invalid.Spec.Containers[0].Image = "Not/Valid"
	w.create(invalid)
	w.RunFor(25 * time.Second)
	for name, want := range map[string]string{
		"q": `ErrImagePull failed to pull and unpack image "test.example/none:latest": failed to resolve reference "test.example/none:latest": test.example/none:latest: not found`,
		"r": `InvalidImageName Failed to apply default image tag "Not/Valid": couldn't parse image name "Not/Valid": invalid reference format: repository name must be lowercase`,
	} {
		if s := w.pod(name).Status.ContainerStatuses[0].State.Waiting; s == nil || s.Reason+" "+s.Message != want {
			t.Errorf("%s waits as %+v, want %s", name, s, want)
		}
	}
	events := &corev1.EventList{}
	if err := w.List(w.ctx, events, client.InNamespace("ns")); err != nil {
		t.Fatal(err)
	}
	pulled := false
	for _, e := range events.Items {
		pulled = pulled || e.InvolvedObject.Name == "p" && strings.HasPrefix(e.Message, `Successfully pulled image "test.example/tool:1" in `)
	}
	if !pulled {
		t.Error("no event of the pull")
	}
}

// TestSameSeedSameWorld: a seed decides everything, down to names and the trace.
func TestSameSeedSameWorld(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (string, string) {
		w := newWorld(t, simulator.Options{Seed: seed})
		for i := range 5 {
			w.create(pod(fmt.Sprintf("p%d", i), [][]string{{"say=a"}}, [][]string{{"sleep=1s"}, {"sleep=2s"}}))
		}
		w.RunFor(time.Minute)
		p := w.pod("p3")
		return w.Kernel().TraceHash(), string(p.UID) + p.Status.ContainerStatuses[0].ContainerID + p.ResourceVersion
	}
	a, x := run(7)
	b, y := run(7)
	if a != b || x != y {
		t.Error("two worlds of one seed differ")
	}
	if c, z := run(8); c == a || z == x {
		t.Error("two seeds make the same world")
	}
}

// TestQuietClusterHasNoPendingEvents: no component ticks for its own sake.
func TestQuietClusterHasNoPendingEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	w.create(pod("p", nil, [][]string{{"sleep=1s"}}))
	w.until(w.ended("p"))
	w.RunFor(2 * time.Minute)
	if n := w.Kernel().Pending(); n != 0 {
		t.Errorf("%d events are pending in a cluster where all is done", n)
	}
}

func BenchmarkPods(b *testing.B) {
	w := newWorld(b, simulator.Options{Seed: 1})
	b.ReportAllocs()
	done := 0
	w.Server().Observe(func(ch apiserver.Change) {
		p, ok := ch.New.(*corev1.Pod)
		old, was := ch.Old().(*corev1.Pod)
		if ok && p.Status.Phase == corev1.PodSucceeded && was && old.Status.Phase != corev1.PodSucceeded {
			done++
		}
	})
	b.ResetTimer()
	for i := range b.N {
		p := pod(fmt.Sprintf("p%d", i), [][]string{{"say=a"}, {"say=b"}}, [][]string{{"sleep=1s"}, {"sleep=2s"}, {"sleep=3s"}})
		if err := w.Create(w.ctx, p); err != nil {
			b.Fatal(err)
		}
		for done <= i && w.Kernel().Step() {
		}
	}
}
