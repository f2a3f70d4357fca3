package node

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

func TestLogQueries(t *testing.T) {
	t.Parallel()
	now := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		reason, query string
		want          logQuery
		err           string
	}{
		{"nothing asked is everything", "", logQuery{tail: -1, limit: -1}, ""},
		{"all at once", "follow=true&previous=1&timestamps=true&tailLines=5&limitBytes=6", logQuery{follow: true, previous: true, timestamps: true, tail: 5, limit: 6}, ""},
		{"no lines are some", "tailLines=0", logQuery{tail: 0, limit: -1}, ""},
		{"seconds count back from now", "sinceSeconds=60", logQuery{tail: -1, limit: -1, since: now.Add(-time.Minute)}, ""},
		{"a time is itself", "sinceTime=2024-01-01T00:00:00Z", logQuery{tail: -1, limit: -1, since: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}, ""},
		{"one stream", "stream=Stderr", logQuery{tail: -1, limit: -1, stream: 2}, ""},
		{"both streams", "stream=All", logQuery{tail: -1, limit: -1}, ""},
		{"no truth value", "follow=perhaps", logQuery{}, "follow"},
		{"no number", "tailLines=many", logQuery{}, "tailLines"},
		{"a number that is too small", "limitBytes=0", logQuery{}, "limitBytes"},
		{"no time", "sinceTime=yesterday", logQuery{}, "sinceTime"},
		{"no stream", "stream=third", logQuery{}, "stream"},
	} {
		values, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		got, err := parseLogQuery(values, now)
		switch {
		case tt.err != "":
			if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("%s: error %v", tt.reason, err)
			}
		case err != nil:
			t.Errorf("%s: %v", tt.reason, err)
		default:
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(logQuery{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
			}
		}
	}
}

func TestJournalKeepsLines(t *testing.T) {
	t.Parallel()
	j := newJournal()
	write := func(restarts, stream int, text string) {
		j.write(kubelet.Output{Namespace: "ns", Pod: "p", Container: "c", Restarts: restarts, Stream: stream, Data: []byte(text)})
	}
	write(0, 1, "first instance\n")
	write(1, 1, "a")
	write(1, 1, "b\nc")
	write(1, 2, "x\n")
	key := logKey{container: "c"}
	key.pod.Namespace, key.pod.Name = "ns", "p"
	run := j.run(key, false)
	text := func(lines []line) (out []string) {
		for _, l := range lines {
			out = append(out, string(l.data))
		}
		return out
	}
	lines, place := j.since(run, 0, false)
	if diff := cmp.Diff([]string{"ab\n", "c", "x\n"}, text(lines)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	write(1, 1, "rest")
	if lines, _ = j.since(run, place, true); len(lines) != 0 {
		t.Errorf("a line that is not complete is shown to who follows: %q", text(lines))
	}
	if lines, _ = j.since(run, place, false); len(lines) != 1 {
		t.Errorf("the last line is not shown in the end: %q", text(lines))
	}
	j.pods[key.pod] = &corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "c", RestartCount: 1}}}}
	if before := j.run(key, true); before == nil || string(before.lines[0].data) != "first instance\n" {
		t.Error("the instance before is not found")
	}
	write(1, 1, strings.Repeat(strings.Repeat("x", 999)+"\n", 2*keptOutput/1000))
	if run.size > keptOutput || len(run.lines) == 0 {
		t.Errorf("%d bytes are kept", run.size)
	}
	if lines, next := j.since(run, place, false); len(lines) != len(run.lines) || next != run.dropped+len(run.lines) {
		t.Errorf("who is behind gets %d of %d lines", len(lines), len(run.lines))
	}
}

func TestImagesAreResolved(t *testing.T) {
	t.Parallel()
	images := Images{}
	for _, pair := range [][2]string{
		{"registry.example.com/shell", "busybox"}, {"alpine", "registry.example.com/one:v1"}, {"registry.example.com/launcher", "plumbline.dev/entrypoint:v0.1.0"},
	} {
		if err := images.Add(pair[0], pair[1]); err != nil {
			t.Fatal(err)
		}
	}
	digest := "@sha256:" + strings.Repeat("a", 64)
	for _, tt := range []struct{ reason, image, want string }{
		{"a name without a tag is all tags", "registry.example.com/shell:v3", "busybox"},
		{"and all digests", "registry.example.com/shell" + digest, "busybox"},
		{"a tag is that tag", "registry.example.com/one:v1", "alpine"},
		{"and no other", "registry.example.com/one:v2", ""},
		{"a longer name is another", "registry.example.com/shell/more:v3", ""},
	} {
		got, err := images.like(tt.image)
		var unmapped *UnmappedError
		if got != tt.want || tt.want == "" != errors.As(err, &unmapped) {
			t.Errorf("%s: %q, %v", tt.reason, got, err)
		}
	}
	if diff := cmp.Diff([]string{"registry.example.com/launcher"}, images.Substituted()); diff != "" {
		t.Errorf("substituted (-want +got):\n%s", diff)
	}
	var unknown *UnknownProgramError
	if err := images.Add("registry.example.com/a", "registry.example.com/b"); !errors.As(err, &unknown) {
		t.Errorf("two unknown names: %v", err)
	}
	images.Default = "busybox"
	if got, err := images.like("registry.example.com/any:v1"); got != "busybox" || err != nil {
		t.Errorf("any other image is %q, %v", got, err)
	}
	if got, err := images.like("registry.invalid/any:v1"); err == nil || !strings.HasSuffix(err.Error(), "not found") {
		t.Errorf("an image that cannot exist is %q, %v", got, err)
	}
	var read Images
	if err := read.Read([]byte("kind: Subject\nimages: {busybox: registry.example.com/shell, registry.example.com/two: ubuntu}\n")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"registry.example.com/shell": "busybox", "registry.example.com/two": "ubuntu"}, read.Like); diff != "" {
		t.Errorf("of a file (-want +got):\n%s", diff)
	}
	if err := read.Read([]byte("kind: Subject\n")); err == nil {
		t.Error("a file without images is taken")
	}
}

// paper is what a terminal writes to.
type paper struct {
	strings.Builder
	closed bool
}

func (p *paper) Close() error { p.closed = true; return nil }

func TestTerminalPassesOnWholeLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, typed, read, shown string
		closed                     bool
	}{
		{"a line is handed on when it ends", "ls\rpw", "ls\n", "ls\r\npw", false},
		{"a key that deletes", "lx\x7fs\r", "ls\n", "lx\b \bs\r\n", false},
		{"there is nothing to delete", "\x7f\r", "\n", "\r\n", false},
		{"Ctrl-C drops the line", "rm\x03ls\r", "ls\n", "rm^C\r\nls\r\n", false},
		{"Ctrl-D ends the input", "ls\r\x04ignored", "ls\n", "ls\r\n", true},
		{"within a line it hands that on", "ls\x04", "ls", "ls", false},
	} {
		in, out := &paper{}, &paper{}
		k := &keyboard{screen: out, in: in}
		if _, err := k.Write([]byte(tt.typed)); err != nil {
			t.Fatal(err)
		}
		if in.String() != tt.read || out.String() != tt.shown || in.closed != tt.closed {
			t.Errorf("%s: read %q, shown %q, closed %v", tt.reason, in.String(), out.String(), in.closed)
		}
	}
	out := &paper{}
	if _, err := (screen{out}).Write([]byte("a\nb")); err != nil || out.String() != "a\r\nb" {
		t.Errorf("a command shows %q, %v", out.String(), err)
	}
}

func TestSleepsAreShortened(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"10": "1.000000", "1.5m": "0.150000m", "infinity": "infinity", "-1": "-1", "": ""} {
		if got := shorter(in, 10); got != want {
			t.Errorf("sleep %q becomes %q, want %q", in, got, want)
		}
	}
}

func TestPodsOfANodeThatWentAreFailed(t *testing.T) {
	t.Parallel()
	now := metav1.NewTime(time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC))
	ran := &corev1.Pod{Status: corev1.PodStatus{
		Phase: corev1.PodRunning, StartTime: &now,
		Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}, {Type: corev1.PodScheduled, Status: corev1.ConditionTrue}},
		ContainerStatuses: []corev1.ContainerStatus{
			{Name: "done", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}},
			{Name: "runs", Ready: true, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}},
		},
	}}
	if !fail(ran, reasonLost, messageLost, now) || ran.Status.Phase != corev1.PodFailed {
		t.Fatal("a Pod that ran is not failed")
	}
	if done, runs := ran.Status.ContainerStatuses[0].State.Terminated, ran.Status.ContainerStatuses[1].State.Terminated; done.Reason != "Completed" || runs.Reason != reasonUnknown || runs.ExitCode != exitUnknown {
		t.Errorf("its containers ended as %+v and %+v", done, runs)
	}
	if ran.Status.Conditions[0].Status != corev1.ConditionFalse || ran.Status.Conditions[1].Status != corev1.ConditionTrue {
		t.Errorf("its conditions are %+v", ran.Status.Conditions)
	}
	for reason, pod := range map[string]*corev1.Pod{
		"that has not begun": {Status: corev1.PodStatus{Phase: corev1.PodPending}},
		"that had ended":     ran,
		"that had succeeded": {Status: corev1.PodStatus{Phase: corev1.PodSucceeded, StartTime: &now}},
	} {
		if fail(pod, reasonShutdown, messageShutdown, now) {
			t.Errorf("a Pod %s is failed", reason)
		}
	}
}
