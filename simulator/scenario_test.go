package simulator_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/image"
	"github.com/plumbline-ci/plumbline/simulator/informer"
)

// scenario is a Pod with real scripts, as the recordings have them.
func scenario(scripts ...string) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "p"}, Spec: corev1.PodSpec{RestartPolicy: corev1.RestartPolicyNever}}
	for i, s := range scripts {
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: string(rune('a' + i)), Image: "busybox", Command: []string{"sh", "-c", s}})
	}
	return p
}

func newScenario(t *testing.T, seed uint64) *world {
	t.Helper()
	images, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	catalogue, err := image.NewCatalogue(images...)
	if err != nil {
		t.Fatal(err)
	}
	empty, err := image.NewRoot(image.Tree{Programs: map[string]string{"nop": "true"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := catalogue.Add(&image.Image{Reference: "nop", Root: empty, Entrypoint: []string{"/nop"}}); err != nil {
		t.Fatal(err)
	}
	c, err := simulator.New(simulator.Options{Seed: seed, Images: catalogue})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	return &world{T: t, Cluster: c, WithWatch: c.Client("test"), ctx: t.Context()}
}

func (w *world) swap(name string, containers ...int) {
	w.Helper()
	p := w.pod(name)
	for _, i := range containers {
		p.Spec.Containers[i].Image = "nop"
	}
	if err := w.Update(w.ctx, p); err != nil {
		w.Fatal(err)
	}
}

// ends tells how every container of the Pod has ended, in short.
func ends(p *corev1.Pod) []string {
	out := []string{string(p.Status.Phase)}
	for _, s := range p.Status.ContainerStatuses {
		line := s.Name
		if t := s.State.Terminated; t != nil {
			line += " " + t.Reason + " " + strings.Repeat("!", int(s.RestartCount)) + time.Duration(t.ExitCode).String()
		}
		if t := s.LastTerminationState.Terminated; t != nil {
			line += " after " + t.Reason
		}
		out = append(out, strings.TrimSuffix(line, "ns"))
	}
	return out
}

// TestSidecarsAreSwapped is recording 27: readiness that comes with time, the swap
// for an image without a shell, and the Pod's end.
func TestSidecarsAreSwapped(t *testing.T) {
	t.Parallel()
	w := newScenario(t, 1)
	p := scenario(`trap 'exit 0' TERM; sleep 3; touch /tmp/ok; while true; do sleep 1; done`, `trap 'exit 0' TERM; while true; do sleep 1; done`, `sleep 6; echo hi`)
	p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"ls", "/tmp/ok"}}}, PeriodSeconds: 1}
	w.create(p)
	w.until(func() bool {
		s := w.pod("p").Status.ContainerStatuses
		return len(s) == 3 && s[2].State.Terminated != nil
	})
	if s := w.pod("p").Status.ContainerStatuses; !s[0].Ready || !s[1].Ready {
		t.Errorf("the sidecars are not ready: %+v", s)
	}
	w.swap("p", 0, 1)
	w.until(w.ended("p"))
	want := []string{"Failed", "a StartError !128ns after Completed", "b StartError !128ns after Completed", "c Completed 0s"}
	for i := range want {
		want[i] = strings.TrimSuffix(want[i], "ns")
	}
	if diff := cmp.Diff(want, ends(w.pod("p"))); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	events := &corev1.EventList{}
	if err := w.List(w.ctx, events, client.InNamespace("ns")); err != nil {
		t.Fatal(err)
	}
	unhealthy := int32(0)
	for _, e := range events.Items {
		if e.Reason == "Unhealthy" && e.Message == "Readiness probe failed: ls: /tmp/ok: No such file or directory\n" {
			unhealthy = e.Count
		}
	}
	if unhealthy < 2 || unhealthy > 5 {
		t.Errorf("the probe failed %d times, recorded were five in three seconds", unhealthy)
	}
}

// TestTrapsOfADeletedPod is recording 43, in which one script handles SIGTERM.
func TestTrapsOfADeletedPod(t *testing.T) {
	t.Parallel()
	w := newScenario(t, 1)
	w.create(scenario(`trap 'exit 7' TERM; i=0; while [ $i -lt 100 ]; do sleep 0.2; i=$((i+1)); done`))
	w.until(func() bool { return w.pod("p").Status.Phase == corev1.PodRunning })
	w.RunFor(time.Second)
	var last *corev1.Pod
	stop, err := w.Server().Watch(corev1.SchemeGroupVersion.WithKind("Pod"), func(e informer.Event) {
		if pod, ok := e.Object.(*corev1.Pod); ok {
			last = pod
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	if err := w.Delete(w.ctx, w.pod("p")); err != nil {
		t.Fatal(err)
	}
	from := w.Kernel().Now()
	w.until(func() bool { return w.pod("p") == nil })
	w.RunFor(time.Second)
	if took := w.Kernel().Now().Sub(from); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	if diff := cmp.Diff([]string{"Failed", "a Error 7"}, ends(last)); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

// TestEmptyDirOverItsLimit is recording 83.
func TestEmptyDirOverItsLimit(t *testing.T) {
	t.Parallel()
	w := newScenario(t, 1)
	p := scenario(`head -c 3000000 /dev/zero > /v/x; sleep 300`)
	limit := resource.MustParse("1Mi")
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}
	w.create(p)
	w.until(w.ended("p"))
	w.RunFor(5 * time.Second)
	st := w.pod("p").Status
	got, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&st.ContainerStatuses[0])
	if err != nil {
		t.Fatal(err)
	}
	delete(got, "volumeMounts")
	unknown := func(message string) map[string]any {
		return map[string]any{"terminated": map[string]any{"exitCode": int64(137), "startedAt": nil, "finishedAt": nil, "message": message, "reason": "ContainerStatusUnknown"}}
	}
	want := map[string]any{
		"name": "a", "image": "busybox", "imageID": "", "ready": false, "started": false, "restartCount": int64(1),
		"lastState": unknown("The container could not be located when the pod was deleted.  The container used to be Running"),
		"state":     unknown("The container could not be located when the pod was terminated"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("container status (-want +got):\n%s", diff)
	}
	if st.Phase != corev1.PodFailed || st.Reason != "Evicted" || st.Message != `Usage of EmptyDir volume "v" exceeds the limit "1Mi". ` {
		t.Errorf("status %s %s %q", st.Phase, st.Reason, st.Message)
	}
}

// TestOutOfMemory is recording 57, with the exit code of cgroup v2.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	w := newScenario(t, 1)
	p := scenario(`x=a; while :; do x=$x$x$x$x; done`)
	p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("4Mi")}
	w.create(p)
	w.until(w.ended("p"))
	if diff := cmp.Diff([]string{"Failed", "a OOMKilled 137"}, ends(w.pod("p"))); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}
