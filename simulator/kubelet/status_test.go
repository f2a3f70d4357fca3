package kubelet

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// TestConditions follows the texts that reconcilers read, as recorded in 27.
func TestConditions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, Faults{})
	w.e.behaviours = map[string]behaviour{
		"2s": {takes: 3 * second}, "gate": {onTERM: quick, probeSays: "ls: /tmp/ok: No such file or directory\n", probe: func(at time.Duration) int {
			if at < 4*second {
				return 1
			}
			return 0
		}},
		"step": {takes: 8 * second}, "nop": {takes: 3 * second, probe: func(time.Duration) int { return 0 }},
	}
	p := pod("prepare:2s", "place-scripts:2s", "|", "step-s:step", "sidecar-gate:gate", "sidecar-plain:gate")
	p.Spec.Containers[1].ReadinessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"ls"}}}, PeriodSeconds: 1, FailureThreshold: 3}
	w.create(p)

	type row map[corev1.PodConditionType]string
	var got []row
	last := ""
	types := []corev1.PodConditionType{corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled}
	w.until(func() bool {
		r := row{}
		text := ""
		for _, c := range types {
			r[c] = w.condition(c)
			text += r[c] + "|"
		}
		if text != last && r[corev1.PodReady] != "absent" {
			got = append(got, r)
			last = text
		}
		if w.shows("step-s=terminated:Completed:0") && w.api.pod("p").Spec.Containers[1].Image == "gate" {
			w.edit(true, func(p *corev1.Pod) {
				p.Spec.Containers[1].Image, p.Spec.Containers[2].Image = "nop", "nop"
			})
		}
		return w.over()
	})
	const (
		all  = "False ContainersNotReady containers with unready status: [step-s sidecar-gate sidecar-plain]"
		none = "False ContainersNotInitialized containers with incomplete status: [prepare place-scripts]"
		one  = "False ContainersNotInitialized containers with incomplete status: [place-scripts]"
		gate = "False ContainersNotReady containers with unready status: [sidecar-gate]"
		step = "False ContainersNotReady containers with unready status: [step-s]"
	)
	mk := func(start, init, ready string) row {
		return row{types[0]: start, types[1]: init, types[2]: ready, types[3]: ready, types[4]: "True"}
	}
	want := []row{
		mk("False", none, all), mk("True", none, all), mk("True", one, all), mk("True", "True", all), mk("True", "True", gate), mk("True", "True", "True"),
		mk("True", "True", step),
		// The last container ends: the conditions are final, the phase and the sandbox follow.
		mk("True", "True PodCompleted", "False PodCompleted"),
		mk("False", "True PodCompleted", "False PodCompleted"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("conditions (-want +got):\n%s", diff)
	}
}

// TestStatusFields checks what one finished container's status holds.
func TestStatusFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, Faults{})
	w.e.behaviours = map[string]behaviour{"image": {takes: 2500 * time.Millisecond, message: `[{"key":"r"}]`, exit: ExitStatus{Code: 1}}}
	p := pod("c:image")
	p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}}
	p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v", ReadOnly: true}}
	w.create(p)
	w.until(w.over)
	st := w.api.pod("p").Status
	c := st.ContainerStatuses[0]
	if !regexp.MustCompile(`^containerd://[0-9a-f]{64}$`).MatchString(c.ContainerID) {
		t.Errorf("containerID %q", c.ContainerID)
	}
	term := c.State.Terminated
	if term == nil {
		t.Fatalf("state %+v", c.State)
	}
	if got := term.FinishedAt.Sub(term.StartedAt.Time); got < 2*second || got > 3*second {
		t.Errorf("it ran %s by its status", got)
	}
	term.StartedAt, term.FinishedAt = st.StartTime.DeepCopy().Rfc3339Copy(), st.StartTime.Rfc3339Copy()
	disabled := corev1.RecursiveReadOnlyDisabled
	want := corev1.ContainerStatus{
		Name: "c", Image: "image", ImageID: "sha256:image", ContainerID: c.ContainerID, Started: new(false), Resources: &corev1.ResourceRequirements{},
		VolumeMounts: []corev1.VolumeMountStatus{{Name: "v", MountPath: "/v", ReadOnly: true, RecursiveReadOnly: &disabled}},
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1, Reason: "Error", Message: `[{"key":"r"}]`,
			ContainerID: c.ContainerID, StartedAt: term.StartedAt, FinishedAt: term.FinishedAt}},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("container status (-want +got):\n%s", diff)
	}
	if st.PodIP == "" || st.HostIP == "" || st.QOSClass != corev1.PodQOSBestEffort || st.ObservedGeneration != 1 || len(st.PodIPs) != 1 || len(st.HostIPs) != 1 {
		t.Errorf("status %+v", st)
	}
}

// TestStatusWritesAreBounded: a Pod of a TaskRun costs the API server few writes.
func TestStatusWritesAreBounded(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		w := newWorld(t, seed, Faults{})
		w.e.behaviours = map[string]behaviour{"fast": {takes: quick}, "step": {takes: 2 * second}}
		w.create(pod("a:fast", "b:fast", "|", "x:step", "y:step", "z:step"))
		w.until(w.over)
		if w.api.writes > 10 || w.api.writes < 5 {
			t.Errorf("seed %d: %d status writes:\n%s", seed, w.api.writes, strings.Join(w.api.states, "\n"))
		}
	}
}

// TestStatusSurvivesConflicts: others write to the Pod all the time, and their
// conditions are kept.
func TestStatusSurvivesConflicts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Faults{})
	w.e.behaviours = map[string]behaviour{"2s": {takes: 2 * second}}
	n := 0
	w.api.onWrite = func(p *corev1.Pod) error {
		if n++; n%2 == 1 {
			live := w.api.pod("p").DeepCopy()
			live.Annotations = map[string]string{"n": strings.Repeat("x", n)}
			if condition(live.Status.Conditions, "mine") == nil {
				live.Status.Conditions = append(live.Status.Conditions, corev1.PodCondition{Type: "mine", Status: corev1.ConditionTrue})
			}
			w.api.put(live, watch.Modified)
			return apierrors.NewConflict(schema.GroupResource{Resource: "pods"}, "p", errors.New("modified"))
		}
		return nil
	}
	w.create(pod("x:2s"))
	w.until(w.over)
	if got := w.api.pod("p").Status.Phase; got != corev1.PodSucceeded {
		t.Errorf("phase %s", got)
	}
	if got := w.condition("mine"); got != "True" {
		t.Errorf("the condition of another writer is %q", got)
	}
}

// TestFailedStatusWriteIsRepeated: a status that could not be written is written later.
func TestFailedStatusWriteIsRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2, Faults{})
	w.e.behaviours = map[string]behaviour{"2s": {takes: 2 * second}}
	fail := 4
	w.api.onWrite = func(*corev1.Pod) error {
		if fail--; fail >= 0 {
			return apierrors.NewInternalError(errors.New("etcd is away"))
		}
		return nil
	}
	w.create(pod("x:2s"))
	w.until(w.over)
	w.api.onWrite = nil

	w = newWorld(t, 2, Faults{})
	w.e.behaviours = map[string]behaviour{"2s": {takes: 2 * second}}
	w.api.onWrite = func(p *corev1.Pod) error {
		if terminal(p.Status.Phase) && w.k.Elapsed() < time.Minute {
			return apierrors.NewInternalError(errors.New("etcd is away"))
		}
		return nil
	}
	w.create(pod("x:2s"))
	w.until(w.over)
	if got := w.api.pod("p").Status.Phase; got != corev1.PodSucceeded {
		t.Errorf("phase %s after the last write had failed for a minute", got)
	}
}

// TestPhase is the table of the phase against container states.
func TestPhase(t *testing.T) {
	t.Parallel()
	run := func() *slot { return &slot{spec: &corev1.Container{}, run: &corev1.ContainerStateRunning{}} }
	end := func(code int32) *slot {
		return &slot{spec: &corev1.Container{}, terminated: &corev1.ContainerStateTerminated{ExitCode: code}}
	}
	idle := func() *slot { return &slot{spec: &corev1.Container{}} }
	for _, row := range []struct {
		reason      string
		policy      corev1.RestartPolicy
		initDone    bool
		inits, apps []*slot
		want        corev1.PodPhase
	}{
		{"nothing has started", "Never", false, nil, []*slot{idle()}, "Pending"},
		{"one of two does not run yet", "Never", true, nil, []*slot{run(), idle()}, "Pending"},
		{"both run", "Never", true, nil, []*slot{run(), run()}, "Running"},
		{"one has ended", "Never", true, nil, []*slot{run(), end(1)}, "Running"},
		{"all well", "Never", true, nil, []*slot{end(0), end(0)}, "Succeeded"},
		{"one failed", "Never", true, nil, []*slot{end(0), end(1)}, "Failed"},
		{"failed and will be restarted", "OnFailure", true, nil, []*slot{end(1)}, "Running"},
		{"ended well and stays so", "OnFailure", true, nil, []*slot{end(0)}, "Succeeded"},
		{"always is never over", "Always", true, nil, []*slot{end(0)}, "Running"},
		{"init runs", "Never", false, []*slot{run()}, []*slot{idle()}, "Pending"},
		{"init failed for good", "Never", false, []*slot{end(1)}, []*slot{idle()}, "Failed"},
		{"init failed and is tried again", "OnFailure", false, []*slot{end(1)}, []*slot{idle()}, "Pending"},
	} {
		w := &worker{pod: &corev1.Pod{Spec: corev1.PodSpec{RestartPolicy: row.policy}}, initDone: row.initDone, inits: row.inits, apps: row.apps}
		for _, s := range append(row.inits, row.apps...) {
			s.w = w
		}
		if got := w.phase(); got != row.want {
			t.Errorf("%s: phase %s, want %s", row.reason, got, row.want)
		}
	}
}

func TestTerminationMessages(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("m", 5000)
	lines := strings.Repeat("line\n", 200)
	for _, row := range []struct {
		reason     string
		containers []string
		message    string
		output     string
		fallback   bool
		code       int
		want       int
	}{
		{"one container: the file's limit", []string{"c:image"}, long, "", false, 0, 4096},
		{"eight containers share 12288 bytes (97)", []string{"c:image", "2:o", "3:o", "4:o", "5:o", "6:o", "7:o", "8:o"}, long, "", false, 0, 1536},
		{"a short message stays whole", []string{"c:image"}, "short", "", false, 0, 5},
		{"the log does not stand in by itself", []string{"c:image"}, "", lines, false, 1, 0},
		{"the log stands in: 80 lines", []string{"c:image"}, "", lines, true, 1, 400},
		{"the log stands in: 2048 bytes", []string{"c:image"}, "", long, true, 1, 2048},
		{"not after success", []string{"c:image"}, "", lines, true, 0, 0},
		{"not beside a message", []string{"c:image"}, "short", lines, true, 1, 5},
	} {
		w := newWorld(t, 1, Faults{})
		w.e.behaviours = map[string]behaviour{"image": {takes: second, message: row.message, output: row.output, exit: ExitStatus{Code: row.code}}, "o": {takes: second}}
		p := pod(row.containers...)
		if row.fallback {
			p.Spec.Containers[0].TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
		}
		w.create(p)
		w.until(w.over)
		for _, c := range w.api.pod("p").Status.ContainerStatuses {
			if c.Name == "c" && len(c.State.Terminated.Message) != row.want {
				t.Errorf("%s: %d bytes, want %d", row.reason, len(c.State.Terminated.Message), row.want)
			}
		}
	}
}
