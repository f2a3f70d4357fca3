package kubelet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/watch"
)

func TestEventsOfAPod(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"image": {takes: second}, "nop": {startError: runcErr}, "side": {onTERM: quick}}
	w.create(pod("a:image", "|", "gate:side", "step:remote/image"))
	w.e.behaviours["remote/image"] = behaviour{takes: 3 * second}
	w.until(func() bool { return w.shows("step=terminated") })
	w.edit(true, func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nop" })
	w.until(w.over)
	got := strings.Join(w.api.events, "\n")
	const pulled = "Normal Pulled Successfully pulled image \"remote/image\" in "
	if i := strings.Index(got, pulled); i < 0 {
		t.Error("no event of the pull")
	} else {
		end := strings.IndexByte(got[i:], '\n')
		got = got[:i] + "Normal Pulled DURATION" + got[i+end:]
	}
	want := `Normal Pulled Container image "image" already present on machine and can be accessed by the pod
Normal Created Container created
Normal Started Container started
Normal Pulled Container image "side" already present on machine and can be accessed by the pod
Normal Created Container created
Normal Started Container started
Normal Pulling Pulling image "remote/image"
Normal Pulled DURATION
Normal Created Container created
Normal Started Container started
Normal Killing Container gate definition changed, will be restarted
Normal Pulled Container image "nop" already present on machine and can be accessed by the pod
Warning Failed Error: ` + runcErr
	// The second "Created" of the gate raises the count of the first.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	gate := w.api.pod("p").Status.ContainerStatuses[0]
	if last := gate.LastTerminationState.Terminated; last == nil || last.Reason != "Completed" || gate.Image != "nop" || gate.State.Terminated.StartedAt.Unix() != 0 {
		t.Errorf("the swapped container's status: %+v", gate)
	}
}

func TestCrashLoop(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"bad": {takes: second, exit: ExitStatus{Code: 1}, output: "out\n"}}
	p := pod("c:bad")
	p.Spec.RestartPolicy = corev1.RestartPolicyAlways
	w.create(p)
	w.run(2 * time.Minute)
	c := w.api.pod("p").Status.ContainerStatuses[0]
	// Restarts at once, then after 10, 20, 40 seconds; the fifth start would come after 80.
	if c.RestartCount != 4 || c.State.Waiting == nil || c.State.Waiting.Reason != "CrashLoopBackOff" || c.LastTerminationState.Terminated == nil {
		t.Errorf("after two minutes: %+v", c)
	}
	if want := "back-off 1m20s restarting failed container=c pod=p_ns(uid-p)"; c.State.Waiting != nil && c.State.Waiting.Message != want {
		t.Errorf("message %q, want %q", c.State.Waiting.Message, want)
	}
	if w.api.pod("p").Status.Phase != corev1.PodRunning {
		t.Errorf("phase %s", w.api.pod("p").Status.Phase)
	}
	for _, read := range []func(string, string, string) ([]byte, error){w.kl.Logs, w.kl.PreviousLogs} {
		if b, err := read("ns", "p", "c"); err != nil || string(b) != "out\n" {
			t.Errorf("logs %q, %v", b, err)
		}
	}
}

func TestRestartOnFailure(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {takes: second, exit: ExitStatus{Code: 1}}}
	p := pod("c:c")
	p.Spec.RestartPolicy = corev1.RestartPolicyOnFailure
	w.create(p)
	w.until(func() bool { return w.shows("restarts1") })
	w.e.behaviours["c"] = behaviour{takes: second}
	w.until(w.over)
	if got := w.api.pod("p").Status.Phase; got != corev1.PodSucceeded {
		t.Errorf("phase %s", got)
	}
}

func TestMissingReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {takes: second}}
	p := pod("c:c")
	p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: "nosuch"}, Key: "k"}}}}
	w.create(p)
	w.until(func() bool { return w.shows("CreateContainerConfigError") })
	if at := w.k.Elapsed(); at < 10*second || at > 17*second {
		t.Errorf("the reason shows after %s; a kubelet tells it with its next sync, 10 to 15 s later (35)", at)
	}
	c := w.api.pod("p").Status.ContainerStatuses[0]
	if c.State.Waiting.Message != `configmap "nosuch" not found` {
		t.Errorf("message %q", c.State.Waiting.Message)
	}
	cm := &corev1.ConfigMap{Data: map[string]string{"k": "v"}}
	cm.Namespace, cm.Name = "ns", "nosuch"
	_ = w.api.Create(context.Background(), cm)
	w.until(w.over)
	if !strings.Contains(strings.Join(w.e.configs["c"].Env, " "), "A=v") {
		t.Errorf("environment %v", w.e.configs["c"].Env)
	}
}

func TestMissingVolumeSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {takes: second}}
	p := pod("c:c")
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "nosuch"}}}}
	w.create(p)
	w.run(30 * second)
	if got, want := w.api.states, []string{"Pending c=waiting:ContainerCreating"}; !cmp.Equal(got, want) {
		t.Errorf("states %q, want %q", got, want)
	}
	if want := `Warning FailedMount MountVolume.SetUp failed for volume "v" : secret "nosuch" not found`; len(w.api.events) != 1 || w.api.events[0] != want {
		t.Errorf("events %q, want %q", w.api.events, want)
	}
	s := &corev1.Secret{Data: map[string][]byte{"k": []byte("v")}}
	s.Namespace, s.Name = "ns", "nosuch"
	_ = w.api.Create(context.Background(), s)
	w.until(w.over)
}

// probed makes a container whose probe answers as its age says.
func probed(kind string, healthy func(time.Duration) bool) (behaviour, *corev1.Probe) {
	b := behaviour{onTERM: quick, probeSays: "no", probe: func(at time.Duration) int {
		if healthy(at) {
			return 0
		}
		return 1
	}}
	return b, &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{kind}}}, PeriodSeconds: 2, FailureThreshold: 3, TimeoutSeconds: 1}
}

func TestLivenessProbe(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		policy corev1.RestartPolicy
		event  string
		want   string
	}{
		{corev1.RestartPolicyAlways, "Normal Killing Container c failed liveness probe, will be restarted", "restarts1"},
		{corev1.RestartPolicyNever, "Normal Killing Container c failed liveness probe", "Succeeded"},
	} {
		w := newWorld(t, 1, Faults{})
		b, p := probed("live", func(at time.Duration) bool { return at < 10*second })
		w.e.behaviours["c"] = b
		made := pod("c:c")
		made.Spec.RestartPolicy = row.policy
		made.Spec.Containers[0].LivenessProbe = p
		w.create(made)
		w.until(func() bool { return w.shows(row.want) })
		all := strings.Join(w.api.events, "\n")
		for _, want := range []string{row.event, "Warning Unhealthy Liveness probe failed: no"} {
			if !strings.Contains(all+"\n", want+"\n") {
				t.Errorf("%s: no event %q in\n%s", row.policy, want, all)
			}
		}
		if at := w.k.Elapsed(); at < 14*second || at > 19*second {
			t.Errorf("%s: acted after %s, want three failures after the tenth second", row.policy, at)
		}
	}
}

func TestStartupProbeHoldsBackTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	b, p := probed("up", func(at time.Duration) bool { return at > 5*second })
	w.e.behaviours["c"] = b
	made := pod("c:c")
	p.FailureThreshold = 10
	made.Spec.Containers[0].StartupProbe = p
	made.Spec.Containers[0].LivenessProbe = &corev1.Probe{ProbeHandler: p.ProbeHandler, PeriodSeconds: 1, FailureThreshold: 1}
	w.create(made)
	w.until(func() bool { return w.shows("c=running+ready") })
	if at := w.k.Elapsed(); at < 5*second {
		t.Errorf("ready after %s", at)
	}
	if strings.Contains(strings.Join(w.api.events, "\n"), "Liveness") {
		t.Error("the liveness probe ran before the startup probe had passed")
	}
}

func TestProbeTimeout(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	_, p := probed("slow", nil)
	w.e.behaviours["c"] = behaviour{probe: func(time.Duration) int { return -1 }}
	made := pod("c:c")
	made.Spec.Containers[0].ReadinessProbe = p
	w.create(made)
	w.run(10 * second)
	if want := `Warning Unhealthy Readiness probe failed: command timed out: "slow" timed out after 1s`; !strings.Contains(strings.Join(w.api.events, "\n"), want) {
		t.Errorf("events %q", w.api.events)
	}
}

func TestPortProbes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	made := pod("c:c")
	made.Spec.Containers[0].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(80)}}}
	w.create(made)
	w.until(func() bool { return w.shows("c=running+ready") })
}

// downward makes a Pod that shows an annotation in a file.
func downward() *corev1.Pod {
	p := pod("c:c")
	p.Spec.Volumes = []corev1.Volume{{Name: "d", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
		Items: []corev1.DownwardAPIVolumeFile{{Path: "ready", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['tekton.dev/ready']"}}}}}}}
	return p
}

func TestDownwardAPILag(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason   string
		faults   Faults
		low, top time.Duration
	}{
		{"a sound node: about a second, as measured", Faults{}, 400 * time.Millisecond, 1600 * time.Millisecond},
		{"the recorded stall: over a minute", Faults{LostProjection: 1}, 59 * second, 91 * second},
	} {
		w := newWorld(t, 1, row.faults)
		w.create(downward())
		w.until(func() bool { return w.shows("c=running") })
		v := w.e.volumes[0]
		w.edit(false, func(p *corev1.Pod) { p.Annotations = map[string]string{"tekton.dev/ready": "READY"} })
		from := w.k.Elapsed()
		w.until(func() bool { return len(v.history) == 2 })
		if lag := w.k.Elapsed() - from; lag < row.low || lag > row.top {
			t.Errorf("%s: %s", row.reason, lag)
		}
		if diff := cmp.Diff([]string{"", "READY"}, v.history); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", row.reason, diff)
		}
	}
	// A second change helps over a lost first one.
	w := newWorld(t, 1, Faults{LostProjection: 1})
	w.create(downward())
	w.until(func() bool { return w.shows("c=running") })
	w.edit(false, func(p *corev1.Pod) { p.Annotations = map[string]string{"tekton.dev/ready": "READY"} })
	w.run(2 * second)
	w.edit(false, func(p *corev1.Pod) { p.Annotations["nonce"] = "1" })
	w.run(3 * second)
	if got := w.e.volumes[0].history; len(got) != 2 || got[1] != "READY" {
		t.Errorf("after a second change: %q", got)
	}
}

func TestContentFollowsConfigMaps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	cm := &corev1.ConfigMap{Data: map[string]string{"ready": "one"}}
	cm.Namespace, cm.Name = "ns", "m"
	_ = w.api.Create(context.Background(), cm)
	p := pod("c:c")
	p.Spec.Volumes = []corev1.Volume{{Name: "d", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "m"}}}}}
	w.create(p)
	w.until(func() bool { return w.shows("c=running") })
	next := cm.DeepCopy()
	next.Data["ready"] = "two"
	w.api.put(next, watch.Modified)
	w.run(95 * second)
	if diff := cmp.Diff([]string{"one", "two"}, w.e.volumes[0].history); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
}

func TestEmptyDirOverItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	limit := resource.MustParse("1Mi")
	p := pod("c:c")
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &limit}}}}
	w.create(p)
	w.run(40 * second)
	if w.over() {
		t.Fatal("evicted below its limit")
	}
	w.e.volumes[0].usage = 3_000_000
	w.until(w.over)
	if got := w.api.pod("p").Status; got.Reason != "Evicted" || got.Message != `Usage of EmptyDir volume "v" exceeds the limit "1Mi". ` {
		t.Errorf("status %s %q", got.Reason, got.Message)
	}
}

func TestForcedDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {onTERM: -1}}
	w.create(pod("c:c"))
	w.run(5 * second)
	w.kl.o.Node.Name = "node"
	before := w.api.writes
	w.api.put(w.api.pod("p").DeepCopy(), watch.Deleted)
	w.run(10 * second)
	if len(w.kl.workers) != 0 || len(w.kl.byName) != 0 || len(w.kl.finished) != 0 {
		t.Errorf("kept: %d workers, %d names, %d finished", len(w.kl.workers), len(w.kl.byName), len(w.kl.finished))
	}
	if w.api.writes != before {
		t.Error("status was written of a Pod that is gone")
	}
}

func TestDeletedBeforeAnythingRan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.create(pod("a:a", "|", "c:c"))
	w.run(50 * time.Millisecond)
	_ = w.api.Delete(context.Background(), w.api.pod("p"))
	w.until(func() bool { return w.api.pod("p") == nil })
	if len(w.e.started) != 0 {
		t.Errorf("started %v", w.e.started)
	}
	want := []string{"Pending a=waiting:PodInitializing c=waiting:PodInitializing", "Failed a=waiting:PodInitializing c=waiting:PodInitializing", "deleted"}
	if diff := cmp.Diff(want, w.api.states); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
}

func TestNativeSidecars(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"side": {onTERM: quick}, "init": {takes: second}, "app": {takes: 4 * second}}
	p := pod("proxy:side", "init:init", "|", "app:app")
	always := corev1.ContainerRestartPolicyAlways
	p.Spec.InitContainers[0].RestartPolicy = &always
	w.create(p)
	w.until(w.over)
	last := w.api.states[len(w.api.states)-1]
	if want := "Succeeded proxy=terminated:Completed:0 init=terminated:Completed:0+ready app=terminated:Completed:0"; last != want {
		t.Errorf("ends as %q, want %q", last, want)
	}
	if diff := cmp.Diff([]string{"proxy", "init", "app"}, w.e.started); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestPreStopHook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	hooked := 0
	w.e.behaviours = map[string]behaviour{"c": {onTERM: quick, probe: func(time.Duration) int { hooked++; return 0 }}}
	p := pod("c:c")
	p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"bye"}}}}
	w.create(p)
	w.run(5 * second)
	_ = w.api.Delete(context.Background(), w.api.pod("p"))
	w.until(func() bool { return w.api.pod("p") == nil })
	if hooked != 1 || !strings.Contains(strings.Join(w.api.states, "\n"), "Completed:0") {
		t.Errorf("hook ran %d times; states %q", hooked, w.api.states)
	}
}

func TestLostNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {takes: 10 * second}}
	w.create(pod("c:c"))
	w.run(5 * second)
	w.kl.Lose()
	w.run(time.Minute)
	if !w.shows("c=running") {
		t.Errorf("a lost node reported %q", w.api.states)
	}
	w.kl.Recover()
	w.until(w.over)
	if !w.shows("Succeeded c=terminated:Completed:0") {
		t.Errorf("states %q", w.api.states)
	}
}

func TestRejectedByTheNode(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.kl.o.Node.Admit = append(w.kl.o.Node.Admit, func(*corev1.Pod) (string, string) { return "OutOfcpu", "Node didn't have enough resource: cpu" })
	w.create(pod("c:c"))
	w.until(w.over)
	if st := w.api.pod("p").Status; st.Reason != "OutOfcpu" || st.Message != "Pod was rejected: Node didn't have enough resource: cpu" || st.Phase != corev1.PodFailed {
		t.Errorf("status %+v", st)
	}
}

func TestExecAndLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	w.e.behaviours = map[string]behaviour{"c": {takes: 10 * second, output: "hello\n", probeSays: "said", probe: func(time.Duration) int { return 3 }}}
	var missing *NoSuchContainerError
	if _, err := w.kl.Logs("ns", "p", "c"); !errors.As(err, &missing) {
		t.Errorf("logs of no Pod: %v", err)
	}
	w.create(pod("c:c"))
	w.run(5 * second)
	out, code := &bytes.Buffer{}, -1
	if err := w.kl.Exec("ns", "p", "", []string{"x"}, out, out, func(c int) { code = c }); err != nil {
		t.Fatal(err)
	}
	w.run(second)
	if code != 3 || out.String() != "said" {
		t.Errorf("exec: code %d, output %q", code, out)
	}
	w.until(w.over)
	w.run(second)
	if b, err := w.kl.Logs("ns", "p", "c"); err != nil || string(b) != "hello\n" {
		t.Errorf("logs after the end: %q, %v", b, err)
	}
	if err := w.kl.Exec("ns", "p", "c", nil, out, out, nil); !errors.As(err, &missing) {
		t.Errorf("exec after the end: %v", err)
	}
	_ = w.api.Delete(context.Background(), w.api.pod("p"))
	w.run(5 * second)
	if w.api.pod("p") != nil {
		t.Error("a finished Pod that was deleted is still there")
	}
	if _, err := w.kl.Logs("ns", "p", "c"); !errors.As(err, &missing) {
		t.Errorf("logs after the deletion: %v", err)
	}
}

func TestLogLimit(t *testing.T) {
	t.Parallel()
	o := &output{limit: 100}
	for i := range 100 {
		o.write(fmt.Appendf(nil, "%09d\n", i))
	}
	got := string(o.compact().bytes())
	if len(got) != 100 || !strings.HasSuffix(got, "000000099\n") {
		t.Errorf("kept %d bytes ending in %q", len(got), got[max(0, len(got)-10):])
	}
}

// TestSameSeedSameTrace: nothing but the seed decides.
func TestSameSeedSameTrace(t *testing.T) {
	t.Parallel()
	trace := func(seed uint64) string {
		w := newWorld(t, seed, Faults{})
		w.e.behaviours = map[string]behaviour{"2s": {takes: 2 * second}}
		w.create(pod("a:2s", "|", "x:2s", "y:2s"))
		w.until(w.over)
		return w.k.TraceHash()
	}
	first, again := trace(1), trace(1)
	if first != again {
		t.Error("two runs of one seed differ")
	}
	if first == trace(2) {
		t.Error("two seeds do not differ")
	}
}

func BenchmarkPod(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		w := newWorld(&testing.T{}, 1, Faults{})
		w.e.behaviours = map[string]behaviour{"fast": {takes: quick}, "step": {takes: 2 * second}}
		w.create(pod("a:fast", "b:fast", "|", "x:step", "y:step", "z:step"))
		w.until(w.over)
	}
}
