package podstatus

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// pod reads the status of a Pod with steps a and b, a sidecar and a container that was injected before them.
func pod(t *testing.T, status string) *corev1.Pod {
	t.Helper()
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "run-pod"},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "proxy"}, {Name: "step-a"}, {Name: "step-b"}, {Name: "sidecar-s"}},
			Volumes:    []corev1.Volume{{Name: "tekton-internal-downward"}},
		},
	}
	if err := yaml.UnmarshalStrict([]byte(status), &p.Status); err != nil {
		t.Fatal(err)
	}
	return p
}

func observe(t *testing.T, status, spec string) Observation {
	t.Helper()
	s := &v1beta1.TaskSpec{}
	if err := yaml.UnmarshalStrict([]byte(spec), s); err != nil {
		t.Fatal(err)
	}
	return Observe(Input{
		TaskRun: &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "run"}},
		Spec:    s, Pod: pod(t, status),
	})
}

// Container statuses, in the order in which a kubelet would sort them.
const (
	running  = "state: {running: {startedAt: 2000-01-01T00:00:01Z}}"
	exited0  = "state: {terminated: {exitCode: 0, reason: Completed}}"
	exited1  = "state: {terminated: {exitCode: 1, reason: Error}}"
	exited3  = "state: {terminated: {exitCode: 3, reason: Error}}"
	oom0     = "state: {terminated: {exitCode: 0, reason: OOMKilled}}"
	oom137   = "state: {terminated: {exitCode: 137, reason: OOMKilled}}"
	lost     = "state: {terminated: {exitCode: 137, reason: ContainerStatusUnknown, message: The container could not be located when the pod was terminated}}"
	timedOut = `state: {terminated: {exitCode: 1, message: '[{"key":"Reason","value":"TimeoutExceeded","type":3}]'}}`
	tooLarge = `state: {terminated: {exitCode: 1, message: '[{"key":"Reason","value":"ResultsTooLarge","type":3},{"key":"Message","value":"r has 5000 bytes","type":3}]'}}`
)

func status(phase, a, b, sidecar, more string) string {
	text := "phase: " + phase + "\ncontainerStatuses:\n"
	for _, c := range []struct{ name, state string }{{"proxy", running}, {"sidecar-s", sidecar}, {"step-b", b}, {"step-a", a}} {
		if c.state != "" {
			text += fmt.Sprintf("- {name: %s, imageID: id-%s, image: '', restartCount: 0, ready: true, %s}\n", c.name, c.name, c.state)
		}
	}
	return text + more
}

const logs = "; for logs run: kubectl -n ns logs run-pod -c "

func TestCondition(t *testing.T) {
	t.Parallel()
	const (
		unknown = "Unknown"
		yes     = "True"
		no      = "False"
	)
	waiting := func(reason, message string) string {
		return fmt.Sprintf("state: {waiting: {reason: %s, message: %q}}", reason, message)
	}
	for _, tt := range []struct {
		reason, status        string
		want, because, saying string
	}{
		{"a Pod without a phase has begun", "{}", unknown, "Running", "Not all Steps in the Task have finished executing"},
		{"so has a running one", status("Running", exited0, running, running, ""), unknown, "Running", "Not all Steps in the Task have finished executing"},
		{"a running Pod without statuses is not over", "phase: Running", unknown, "Running", "Not all Steps in the Task have finished executing"},
		{"a step that is not reported yet is not over", status("Running", exited0, "", running, ""), unknown, "Running", "Not all Steps in the Task have finished executing"},
		{"running sidecars do not matter", status("Running", exited0, exited0, running, ""), yes, "Succeeded", "All Steps have completed executing"},
		{"a Pod that succeeded", status("Succeeded", exited0, exited0, exited0, ""), yes, "Succeeded", "All Steps have completed executing"},
		{"a sidecar's failure is not the run's", status("Failed", exited0, exited0, exited3, ""), yes, "Succeeded", "All Steps have completed executing"},
		{"the first step that failed is named", status("Running", exited3, exited1, running, ""), no, "Failed",
			`"step-a" exited with code 3 (image: "id-step-a")` + logs + "step-a\n"},
		{"a step before a sidecar", status("Failed", exited0, exited1, exited3, ""), no, "Failed", `"step-b" exited with code 1 (image: "id-step-b")` + logs + "step-b\n"},
		{"a step that ran too long", status("Failed", timedOut, exited1, running, ""), no, "Failed",
			`"step-a" exited because the step exceeded the specified timeout limit` + logs + "step-a\n"},
		{"a step whose results are too large says so", status("Failed", tooLarge, exited1, running, ""), no, "Failed",
			`"step-a" exited with code 1 (image: "id-step-a"): r has 5000 bytes` + logs + "step-a\n"},
		{"out of memory, by exit code", status("Failed", oom137, exited1, running, ""), no, "Failed", `"step-a" exited with code 137 (image: "id-step-a")` + logs + "step-a\n"},
		{"out of memory without one", status("Succeeded", oom0, exited0, running, ""), no, "Failed", "OOMKilled"},
		{"the Pod's own message", "{phase: Failed, reason: Evicted, message: out of disk}", no, "Failed", "out of disk"},
		{"an evicted Pod has failed whatever its steps did", status("Failed", exited0, exited0, exited0, "reason: Evicted\nmessage: out of disk"), no, "Failed", "out of disk"},
		{"an evicted Pod whose containers were gone before they were seen", status("Failed", lost, lost, exited0, "reason: Evicted\nmessage: out of disk"), no, "Failed", "out of disk"},
		{"an evicted Pod whose steps were asked to end", status("Failed", "state: {terminated: {exitCode: 143, reason: Error}}", exited1, exited0, "reason: Evicted\nmessage: out of disk"), no, "Failed", "out of disk"},
		{"containers that are gone without a reason", status("Failed", lost, lost, exited0, ""), no, "Failed", `"step-a" exited with code 137 (image: "id-step-a")` + logs + "step-a\n"},
		{"no reason at all", "phase: Failed", no, "Failed", "build failed for unspecified reasons."},
		{"a step that never ran", status("Failed", exited0, "", "", ""), no, "Failed", "build failed for unspecified reasons."},

		{"pending, with what a container waits for", status("Pending", waiting("ContainerCreating", "creating"), running, running, ""), unknown, "Pending",
			`build step "step-a" is pending with reason "creating"`},
		{"a reason is not a message", status("Pending", "state: {waiting: {reason: ContainerCreating}}", running, running,
			`conditions: [{type: PodScheduled, status: "True"}, {type: Ready, status: "False", message: not yet}]`), unknown, "Pending",
			`pod status "Ready":"False"; message: "not yet"`},
		{"pending, with the Pod's message", "{phase: Pending, message: soon}", unknown, "Pending", "soon"},
		{"pending without any message", "phase: Pending", unknown, "Pending", "Pending"},
		{"no room", `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes: 1 Insufficient cpu."}]}`,
			unknown, "ExceededNodeResources", "TaskRun Pod exceeded available resources"},
		{"no node for another reason", `{phase: Pending, conditions: [{type: PodScheduled, status: "False", reason: Unschedulable, message: "0/1 nodes: taints"}]}`,
			unknown, "Pending", `pod status "PodScheduled":"False"; message: "0/1 nodes: taints"`},
		{"an image that cannot be pulled", status("Pending", waiting("ErrImagePull", "no such host"), running, running, ""), unknown, "PullImageFailed",
			`build step "step-a" is pending with reason "no such host"`},
		{"for some time", status("Pending", waiting("ImagePullBackOff", "back-off"), running, running, ""), unknown, "PullImageFailed", `build step "step-a" is pending with reason "back-off"`},
		{"of a sidecar, too", status("Pending", running, running, waiting("ErrImageNeverPull", "x"), ""), unknown, "PullImageFailed", `build step "sidecar-s" is pending with reason "x"`},
		{"an invalid name", status("Pending", running, waiting("InvalidImageName", "bad"), running, ""), no, "TaskRunImagePullFailed",
			`The step "b" in TaskRun "run" failed to pull the image "id-step-b". The pod errored with the message: "bad."`},
		{"a sidecar's invalid name", status("Pending", running, running, waiting("InvalidImageName", "bad"), ""), no, "TaskRunImagePullFailed",
			`The sidecar "s" in TaskRun "run" failed to pull the image "id-sidecar-s". The pod errored with the message: "bad."`},
		{"an injected container's name is not the Task's fault", strings.Replace(status("Pending", running, running, running, ""), "name: proxy, imageID: id-proxy, image: '', restartCount: 0, ready: true, "+running,
			"name: proxy, imageID: id-proxy, image: '', restartCount: 0, ready: false, "+waiting("InvalidImageName", "bad"), 1), unknown, "PullImageFailed", `build step "proxy" is pending with reason "bad"`},
		{"an invalid configuration", status("Pending", waiting("CreateContainerConfigError", "no configmap"), running, running, ""), no, "CreateContainerConfigError",
			"Failed to create pod due to config error"},
		{"a container that cannot be created", status("Pending", waiting("CreateContainerError", "x"), running, running, ""), no, "PodCreationFailed",
			`the step "a" in TaskRun "run" failed to start. The pod errored with the message: "x."`},
		{"nor can a sidecar", status("Pending", running, running, waiting("CreateContainerError", "x"), ""), no, "PodCreationFailed",
			`the sidecar "s" in TaskRun "run" failed to start. The pod errored with the message: "x."`},
		{"nor an init container", status("Pending", "", "", "", "initContainerStatuses: [{name: prepare, imageID: '', image: '', restartCount: 0, ready: false, "+waiting("CreateContainerError", "x")+"}]"), no, "PodCreationFailed",
			`the container "prepare" in TaskRun "run" failed to start. The pod errored with the message: "x."`},
		{"an init container with an invalid configuration", status("Pending", "", "", "", "initContainerStatuses: [{name: prepare, imageID: '', image: '', restartCount: 0, ready: false, "+waiting("CreateContainerConfigError", "x")+"}]"), no, "CreateContainerConfigError",
			"Failed to create pod due to config error"},
		{"a directory of a mount that cannot be made yet", status("Pending", waiting("CreateContainerConfigError", `failed to create subPath directory for volumeMount "w" of container "step-a"`), running, running, ""), unknown, "Pending",
			`build step "step-a" is pending with reason "failed to create subPath directory for volumeMount \"w\" of container \"step-a\""`},
		{"an init container that failed", status("Failed", "", "", "", "initContainerStatuses: [{name: prepare, imageID: id-prepare, image: '', restartCount: 0, ready: false, "+exited3+"}]"), no, "Failed",
			`init container failed, "prepare" exited with code 3 (image: "id-prepare")` + logs + "prepare\n"},
		{"an image that cannot be looked into", status("Pending", waiting("ImageInspectError", "x"), running, running, ""), unknown, "PullImageFailed", `build step "step-a" is pending with reason "x"`},
		{"a registry that is away", status("Pending", waiting("RegistryUnavailable", "x"), running, running, ""), unknown, "PullImageFailed", `build step "step-a" is pending with reason "x"`},
	} {
		o := observe(t, tt.status, "{}")
		c := o.Condition
		if string(c.Status) != tt.want || c.Reason != tt.because || c.Message != tt.saying || c.Type != v1beta1.ConditionSucceeded {
			t.Errorf("%s: %s %s %q, want %s %s %q", tt.reason, c.Status, c.Reason, c.Message, tt.want, tt.because, tt.saying)
		}
		if want := tt.because == "ExceededNodeResources"; o.Unschedulable != want {
			t.Errorf("%s: Unschedulable is %t", tt.reason, o.Unschedulable)
		}
		if want := tt.because == "TaskRunImagePullFailed" || tt.because == "CreateContainerConfigError" || tt.because == "PodCreationFailed"; o.DeletePod != want {
			t.Errorf("%s: DeletePod is %t", tt.reason, o.DeletePod)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	o := observe(t, status("Running",
		`state: {terminated: {exitCode: 0, reason: Completed, startedAt: 2000-01-01T00:00:01Z, message: '[
			{"key":"StartedAt","value":"2000-01-01T00:00:07.999Z","type":3},{"key":"ExitCode","value":"11","type":3},
			{"key":"z","value":"last","type":1},{"key":"b","value":"first","type":1},{"key":"b","value":"second","type":1},
			{"key":"digest","value":"sha","resourceName":"img","type":2},{}]'}}`,
		running, running, ""), "{}")
	var names []string
	for _, s := range o.Steps {
		names = append(names, s.Name+"/"+s.ContainerName+"/"+s.ImageID)
	}
	if diff := cmp.Diff([]string{"a/step-a/id-step-a", "b/step-b/id-step-b"}, names); diff != "" {
		t.Errorf("steps, in the order of the Task (-want +got):\n%s", diff)
	}
	if len(o.Sidecars) != 1 || o.Sidecars[0].Name != "s" || o.Sidecars[0].Running == nil {
		t.Errorf("sidecars are %+v, want the declared one alone", o.Sidecars)
	}
	a := o.Steps[0].Terminated
	if a.ExitCode != 11 || a.Reason != "Completed" || a.StartedAt.UTC().Format(time.RFC3339Nano) != "2000-01-01T00:00:07Z" {
		t.Errorf("step a: %+v", a)
	}
	const message = `[{"key":"b","value":"second","type":1},{"key":"digest","value":"sha","resourceName":"img","type":2},{"key":"z","value":"last","type":1}]`
	if a.Message != message {
		t.Errorf("message of step a:\n got %s\nwant %s", a.Message, message)
	}
	if empty := observe(t, "phase: Pending", "{}"); len(empty.Steps)+len(empty.Sidecars) != 0 {
		t.Errorf("without statuses there are no states: %+v", empty)
	}
}

func TestMalformedMessages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, message, problem, kept string }{
		{"no JSON", "runc: no", "parsing message json: invalid character", "runc: no"},
		{"cut off", `[{"key":"r","va`, "parsing message json: unexpected end of JSON input", `[{"key":"r","va`},
		{"a bad time", `[{"key":"StartedAt","value":"noon","type":3}]`, `could not parse time value "noon" in StartedAt field: `, ""},
		{"a bad exit code", `[{"key":"ExitCode","value":"-1","type":3}]`, `could not parse int value "-1" in ExitCode field: `, ""},
		{"something else", `[{"x":"y"}]`, "", ""},
	} {
		o := observe(t, status("Succeeded", fmt.Sprintf("state: {terminated: {exitCode: 0, startedAt: 2000-01-01T00:00:01Z, message: %q}}", tt.message), exited0, exited0, ""), "{}")
		switch {
		case tt.problem == "" && len(o.Problems) > 0:
			t.Errorf("%s: problems %v", tt.reason, o.Problems)
		case tt.problem != "" && (len(o.Problems) != 1 || !strings.HasPrefix(o.Problems[0].Error(), tt.problem)):
			t.Errorf("%s: problems %v, want %s", tt.reason, o.Problems, tt.problem)
		}
		step := o.Steps[0].Terminated
		if step.Message != tt.kept || step.ExitCode != 0 || step.StartedAt.IsZero() || !o.Condition.IsTrue() {
			t.Errorf("%s: step %+v, condition %+v", tt.reason, step, o.Condition)
		}
	}
}

func reporting(entries string) string {
	return fmt.Sprintf("state: {terminated: {exitCode: 0, message: %q}}", entries)
}

func TestResults(t *testing.T) {
	t.Parallel()
	const spec = `
results:
- {name: absent}
- {name: z}
- {name: list, type: array}
- {name: object, type: object, properties: {k: {type: string}}}
- {name: a, type: string}
`
	first := reporting(`[{"key":"a","value":"one\n","type":1},{"key":"list","value":"[\"x\",\"y\"]","type":1},{"key":"undeclared","value":"u","type":1}]`)
	second := reporting(`[{"key":"a","value":"two","type":1},{"key":"z","value":"[\"1\"]","type":1},{"key":"object","value":"{\"k\":\"v\"}","type":1},{"key":"d","value":"s","resourceName":"i","type":2}]`)
	o := observe(t, status("Running", first, second, running, ""), spec)
	want := []v1beta1.TaskRunResult{
		{Name: "z", Type: "string", Value: v1beta1.StringValue(`["1"]`)},
		{Name: "list", Type: "array", Value: v1beta1.ArrayValue("x", "y")},
		{Name: "object", Type: "object", Value: v1beta1.ObjectValue(map[string]string{"k": "v"})},
		{Name: "a", Type: "string", Value: v1beta1.StringValue("two")},
	}
	if diff := cmp.Diff(want, o.Results); diff != "" {
		t.Errorf("results, in the order of the Task, the last value of each (-want +got):\n%s", diff)
	}
	if len(o.ResourcesResult) != 1 || o.ResourcesResult[0].Key != "d" {
		t.Errorf("resources' results: %+v", o.ResourcesResult)
	}
	for _, notYet := range []string{status("Running", first, running, running, ""), status("Failed", first, exited1, running, "")} {
		if o := observe(t, notYet, spec); o.Results != nil {
			t.Errorf("an attempt that is %s %s has results %+v", o.Condition.Status, o.Condition.Reason, o.Results)
		}
	}
}

func TestRefusedResults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, spec, value, because, message string }{
		{"text is not an array", "results: [{name: r, type: array}]", `notjson`, "TaskRunValidationFailed", "missmatched Types for these results, map[r:[array]]"},
		{"an object is not an array", "results: [{name: r, type: array}]", `{\"k\":\"v\"}`, "TaskRunValidationFailed", "missmatched Types for these results, map[r:[array]]"},
		{"a list of numbers is not an array", "results: [{name: r, type: array}]", `[1,2]`, "TaskRunValidationFailed", "missmatched Types for these results, map[r:[array]]"},
		{"an object lacks keys", "results: [{name: r, type: object, properties: {k: {}, m: {}, l: {}}}]", `{\"k\":\"v\"}`, "TaskRunValidationFailed",
			"missing keys for these results which are required in TaskResult's properties map[r:[l m]]"},
	} {
		o := observe(t, status("Succeeded", reporting(`[{"key":"r","value":"`+tt.value+`","type":1}]`), exited0, exited0, ""), tt.spec)
		if c := o.Condition; !c.IsFalse() || c.Reason != tt.because || c.Message != tt.message || o.Refused == nil || len(o.Results) != 1 {
			t.Errorf("%s: %s %s %q, want False %s %q and the result as it was written; results %v", tt.reason, c.Status, c.Reason, c.Message, tt.because, tt.message, o.Results)
		}
	}
	o := observe(t, status("Succeeded", reporting(`[{"key":"r","va`), exited0, exited0, ""), "results: [{name: r}]")
	if c := o.Condition; !c.IsFalse() || c.Reason != "Failed" || !strings.Contains(c.Message, `"step-a" are lost`) {
		t.Errorf("results that were cut off vanish: %+v", c)
	}
}

func TestParseResultLog(t *testing.T) {
	t.Parallel()
	got, err := ParseResultLog([]byte("{\"Name\":\"a\",\"Value\":\"1\\n\"}\n\n{\"Name\":\"b\",\"Value\":\"2\"}"), 30)
	if diff := cmp.Diff([]LoggedResult{{"a", "1\n"}, {"b", "2"}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := ParseResultLog([]byte(`{"Name":"a","Value":"too much"}`), 30); err == nil || err.Error() != "results exceeded size limit 30 bytes" {
		t.Errorf("a long line: %v", err)
	}
	if got, err := ParseResultLog([]byte("{\"Name\":\"a\",\"Value\":\"123\"}\r\n{}~\n")[:28], 26); err != nil || len(got) != 1 {
		t.Errorf("the end of a line does not count, a line that is just as long as it may be is read: %v, %v", got, err)
	}
	if _, err := ParseResultLog([]byte("oops\n"), 30); err == nil || !strings.HasPrefix(err.Error(), "Invalid result ") {
		t.Errorf("a bad line: %v", err)
	}
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	now := time.Date(2000, 1, 1, 0, 0, 10, 0, time.UTC)
	ready := func(since time.Duration) map[string]string {
		return map[string]string{"tekton.dev/ready": "READY", ReadySinceAnnotation: now.Add(-since).Format(time.RFC3339Nano)}
	}
	unready := strings.ReplaceAll(status("Running", running, running, running, ""), "ready: true", "ready: false")
	for _, tt := range []struct {
		reason, status string
		annotations    map[string]string
		want           Announcement
	}{
		{"everything is up", status("Running", running, running, running, ""), nil, Announcement{Value: "READY", First: true, Again: 2 * time.Second}},
		{"a sidecar that is over counts as up", status("Running", running, running, exited3, ""), nil, Announcement{Value: "READY", First: true, Again: 2 * time.Second}},
		{"steps need not be up", status("Running", "state: {waiting: {}}", "", running, ""), nil, Announcement{Value: "READY", First: true, Again: 2 * time.Second}},
		{"the Pod is not running", status("Pending", running, running, running, ""), nil, Announcement{}},
		{"a sidecar is not reported", status("Running", running, running, "", ""), nil, Announcement{}},
		{"a sidecar waits", status("Running", running, running, "state: {waiting: {}}", ""), nil, Announcement{}},
		{"sidecars run but are not ready", unready, nil, Announcement{}},
		{"the first step is over", status("Running", exited0, running, running, ""), nil, Announcement{}},
		{"just announced", status("Running", running, running, running, ""), ready(500 * time.Millisecond), Announcement{Again: 1500 * time.Millisecond}},
		{"announced two seconds ago", status("Running", running, running, running, ""), ready(2 * time.Second), Announcement{Value: "READY-2"}},
		{"announced twice", status("Running", running, running, running, ""), map[string]string{"tekton.dev/ready": "READY-2"}, Announcement{}},
		{"announced by another program", status("Running", running, running, running, ""), map[string]string{"tekton.dev/ready": "READY"}, Announcement{}},
	} {
		p := pod(t, tt.status)
		p.Annotations = tt.annotations
		if diff := cmp.Diff(tt.want, Announce(p, now)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
		p.Spec.Volumes = nil
		if got := Announce(p, now); got != (Announcement{}) {
			t.Errorf("%s: a Pod that does not wait is told %+v", tt.reason, got)
		}
	}
}

func TestSidecarsToStop(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason, status string
		images         [4]string
		want           []int
	}{
		{"sidecars and injected containers", status("Running", exited0, exited0, running, ""), [4]string{}, []int{0, 3}},
		{"not those that are over", status("Running", exited0, exited0, exited0, ""), [4]string{}, []int{0}},
		{"not those that were stopped already", status("Running", exited0, exited0, running, ""), [4]string{3: "nop"}, []int{0}},
		{"nothing once the Pod is over", status("Succeeded", exited0, exited0, running, ""), [4]string{}, nil},
		{"steps never", status("Running", running, exited0, exited0, ""), [4]string{0: "nop"}, nil},
	} {
		p := pod(t, tt.status)
		for i, image := range tt.images {
			p.Spec.Containers[i].Image = image
		}
		if diff := cmp.Diff(tt.want, ToStop(p, "nop")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.reason, diff)
		}
	}
	p := pod(t, "{phase: Running, containerStatuses: [{name: sidecar-tekton-log-results, image: '', imageID: '', ready: true, restartCount: 0, state: {running: {}}}]}")
	p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "sidecar-tekton-log-results"})
	if got := ToStop(p, "nop"); got != nil {
		t.Errorf("the sidecar that prints results would be stopped: %v", got)
	}
}

func TestStoppedSidecars(t *testing.T) {
	t.Parallel()
	const last = ", lastState: {terminated: {exitCode: 143, reason: Error, message: was, containerID: first, startedAt: 2000-01-01T00:00:01Z, finishedAt: 2000-01-01T00:00:09Z}}"
	p := pod(t, status("Running", exited0, exited0, "state: {terminated: {exitCode: 128, reason: StartError, containerID: second}}"+last, ""))
	p.Spec.Containers[3].Image = "nop"
	got := StoppedSidecars(p, "nop")
	if len(got) != 1 || got[0].Name != "s" {
		t.Fatalf("got %+v, want sidecar s and not the injected proxy", got)
	}
	want := &corev1.ContainerStateTerminated{
		ExitCode: 143, Reason: "Completed", Message: "Sidecar container successfully stopped by nop image", ContainerID: "first",
		StartedAt: metav1.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC), FinishedAt: metav1.Date(2000, 1, 1, 0, 0, 9, 0, time.UTC),
	}
	if diff := cmp.Diff(want, got[0].Terminated); diff != "" {
		t.Errorf("a stopped sidecar (-want +got):\n%s", diff)
	}
	p.Spec.Containers[3].Image = "own"
	if got := StoppedSidecars(p, "nop")[0].Terminated; got.ContainerID != "second" {
		t.Errorf("a sidecar that restarted by itself shows as stopped: %+v", got)
	}
}

func TestPullFailure(t *testing.T) {
	t.Parallel()
	backOff := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "m"}}
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "run"}}
	tr.Status.Steps = []v1beta1.StepState{{Name: "a", ContainerState: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull"}}}}
	if got := PullFailure(tr); got != "" {
		t.Errorf("a first failure to pull is final: %s", got)
	}
	tr.Status.Sidecars = []v1beta1.SidecarState{{Name: "s", ContainerState: backOff}}
	if got, want := PullFailure(tr), `The sidecar "s" in TaskRun "run" failed to pull the image "". The pod errored with the message: "m."`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	tr.Status.Steps = append(tr.Status.Steps, v1beta1.StepState{Name: "b", ContainerState: backOff})
	if got, want := PullFailure(tr), `The step "b" in TaskRun "run" failed to pull the image "". The pod errored with the message: "m."`; got != want {
		t.Errorf("steps come first: got %s, want %s", got, want)
	}
}

// TestStuck: a step that waits for a launcher that died waits for ever.
func TestStuck(t *testing.T) {
	t.Parallel()
	now := time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC)
	died := func(code int, reason, message string, ago time.Duration) string {
		return fmt.Sprintf("state: {terminated: {exitCode: %d, reason: %s, message: %q, finishedAt: %s}}", code, reason, message, now.Add(-ago).Format(time.RFC3339))
	}
	const reported = `[{"key":"StartedAt","value":"2000-01-01T00:00:05.000Z","type":3}]`
	for _, tt := range []struct {
		reason, status string
		stuck          bool
		again          time.Duration
	}{
		{"killed with its launcher", status("Running", died(137, "OOMKilled", "", 10*time.Second), running, running, ""), true, 0},
		{"it has just happened", status("Running", died(137, "OOMKilled", "", 4*time.Second), running, running, ""), false, 6 * time.Second},
		{"it could not be started", status("Running", died(128, "StartError", "no such file", time.Minute), running, running, ""), true, 0},
		{"out of memory with exit code 0", status("Running", died(0, "OOMKilled", "", time.Minute), running, running, ""), true, 0},
		{"it ended well", status("Running", died(0, "Completed", "", time.Minute), running, running, ""), false, 0},
		{"its launcher has reported", status("Running", died(1, "Error", reported, time.Minute), running, running, ""), false, 0},
		{"a step before it still runs", status("Running", running, died(128, "StartError", "no such file", time.Minute), running, ""), false, 0},
		{"no step waits", status("Running", died(137, "OOMKilled", "", time.Minute), exited1, running, ""), false, 0},
		{"no step waits for a sidecar", status("Running", running, running, died(137, "OOMKilled", "", time.Minute), ""), false, 0},
	} {
		p := pod(t, tt.status)
		stuck, message, again := Stuck(p, now)
		if stuck != tt.stuck || again != tt.again || stuck && !strings.HasPrefix(message, `"step-a" exited with code `) && message != "OOMKilled" {
			t.Errorf("%s: %t %q, again after %v", tt.reason, stuck, message, again)
		}
	}
}

// TestStuckBehindAFailure: the step that died stands between one that failed and one that waits.
func TestStuckBehindAFailure(t *testing.T) {
	t.Parallel()
	p := pod(t, status("Running", `state: {terminated: {exitCode: 3, message: '[]'}}`, "state: {terminated: {exitCode: 128, reason: StartError}}", running,
		"- {name: step-c, image: '', imageID: '', ready: true, restartCount: 0, "+running+"}\n"))
	p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "step-c"})
	if stuck, message, _ := Stuck(p, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)); !stuck || !strings.HasPrefix(message, `"step-a" exited with code 3`) {
		t.Errorf("stuck %t, %q", stuck, message)
	}
}

// TestResultsSidecarEndsFirst: what it has not printed yet would be missing, and what it could not print is.
func TestResultsSidecarEndsFirst(t *testing.T) {
	t.Parallel()
	s := &v1beta1.TaskSpec{}
	for state, want := range map[string]string{running: "Running", exited0: "Succeeded", exited1: "Failed"} {
		p := pod(t, status("Running", exited0, exited0, running, "- {name: sidecar-tekton-log-results, image: '', imageID: '', ready: true, restartCount: 0, "+state+"}\n"))
		p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "sidecar-tekton-log-results"})
		if got := Observe(Input{TaskRun: &v1beta1.TaskRun{}, Spec: s, Pod: p}).Condition.Reason; got != want {
			t.Errorf("%s: %s, want %s", state, got, want)
		}
	}
}
