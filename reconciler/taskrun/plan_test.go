package taskrun

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
)

func TestTaskMetadata(t *testing.T) {
	t.Parallel()
	from := task(t, "t", "steps: [{image: i, command: [c]}]")
	from.Labels = map[string]string{"l": "task", "both": "task"}
	from.Annotations = map[string]string{"a": "task", v1beta1.AnnotationLastApplied: "{}"}
	tr := taskRun(t, "run", "taskRef: {name: t}")
	tr.Labels = map[string]string{"both": "run"}
	w := newWorld(t, from, tr)
	w.pass("run")
	labels := map[string]string{"l": "task", "both": "run", "tekton.dev/task": "t", "app.kubernetes.io/managed-by": "tekton-pipelines"}
	annotations := map[string]string{"a": "task", v1beta1.AnnotationRelease: "unknown"}
	got := w.run("run")
	if diff := cmp.Diff(labels, got.Labels) + cmp.Diff(annotations, got.Annotations); diff != "" {
		t.Errorf("the TaskRun (-want +got):\n%s", diff)
	}
	pod := w.mustPod("run-pod")
	labels["tekton.dev/taskRun"] = "run"
	if diff := cmp.Diff(labels, pod.Labels) + cmp.Diff(annotations, pod.Annotations); diff != "" {
		t.Errorf("the Pod (-want +got):\n%s", diff)
	}
	// A run keeps what it began with.
	from.Labels["late"] = "x"
	from.Spec.Steps[0].Command[0] = "changed"
	if err := w.client.Update(t.Context(), from); err != nil {
		t.Fatal(err)
	}
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.pass("run")
	if got := w.run("run"); got.Labels["late"] != "" || got.Status.TaskSpec.Steps[0].Command[0] != "c" {
		t.Errorf("labels %v, Task %+v", got.Labels, got.Status.TaskSpec)
	}
}

// TestTaskNotInCache: Task and TaskRun are applied together, and the TaskRun arrives first.
func TestTaskNotInCache(t *testing.T) {
	t.Parallel()
	w := newWorld(t, task(t, "t", "steps: [{image: i, command: [c]}]"), taskRun(t, "run", "taskRef: {name: t}"))
	w.hidden["Task/t"], w.hidden["ServiceAccount/default"] = true, true
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
}

func TestClusterTask(t *testing.T) {
	t.Parallel()
	shared := &v1beta1.ClusterTask{ObjectMeta: metav1.ObjectMeta{Name: "shared"}, Spec: task(t, "x", "steps: [{image: i, command: ['$(context.task.name)']}]").Spec}
	w := newWorld(t, taskRun(t, "run", "taskRef: {name: shared, kind: ClusterTask}"), taskRun(t, "none", "taskRef: {name: nosuch, kind: ClusterTask}"))
	if err := w.client.Create(t.Context(), shared); err != nil {
		t.Fatal(err)
	}
	w.pass("run")
	if got := w.run("run"); got.Labels[v1beta1.LabelClusterTask] != "shared" || got.Status.TaskSpec.Steps[0].Command[0] != "shared" {
		t.Errorf("labels %v, Task %+v", got.Labels, got.Status.TaskSpec)
	}
	w.pass("none")
	w.expect("none", isFalse, v1beta1.TaskRunReasonFailedResolution, `failed to get task: clustertasks.tekton.dev "nosuch" not found`)
}

// TestEarlyFailures end the run in its first pass, without a Pod.
func TestEarlyFailures(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, spec, because, message string }{
		{"a Task and its run that do not fit", "taskSpec: {params: [{name: p}], steps: [{image: i, command: [c]}]}", v1beta1.TaskRunReasonFailedValidation,
			"invalid input params for task run: missing values for these params which have no default values: [p]"},
		{"a value that makes the Task invalid", `{params: [{name: p, value: "$(params.nope)"}], taskSpec: {params: [{name: p}], steps: [{image: i, script: "$(params.p)"}]}}`,
			v1beta1.TaskRunReasonPodCreationFailed, `failed to create task run pod "run": non-existent variable in "$(params.nope)": steps[0].script. Maybe invalid TaskSpec`},
		{"a missing account", "{serviceAccountName: nosuch, taskSpec: {steps: [{image: i, command: [c]}]}}", v1beta1.TaskRunReasonPodCreationFailed,
			`failed to create task run pod "run": translating TaskSpec to Pod: serviceaccounts "nosuch" not found. Maybe invalid TaskSpec`},
		{"a missing image", "taskSpec: {steps: [{image: nosuch}]}", v1beta1.TaskRunReasonPodCreationFailed, "no such image: nosuch"},
	} {
		w := newWorld(t, taskRun(t, "run", tt.spec))
		w.pass("run")
		tr := w.expect("run", isFalse, tt.because, tt.message)
		if w.pod("run-pod") != nil || tr.Status.PodName != "" || tr.Status.TaskSpec == nil {
			t.Errorf("%s: status %+v", tt.reason, tr.Status)
		}
		if n := len(w.events); n != 3 || !strings.HasPrefix(w.events[1], "Warning Failed ") || !strings.HasPrefix(w.events[2], "Warning InternalError 1 error occurred:\n\t* ") {
			t.Errorf("%s: events %q", tt.reason, w.events)
		}
	}
}

func TestHintNamesTheTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, task(t, "t", "steps: [{image: nosuch}]"), taskRun(t, "run", "taskRef: {name: t}"))
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonPodCreationFailed, ". Maybe missing or invalid Task ns/t")
}

// TestDefaultAccountMayBeLate: a namespace has its default account soon after it was made.
func TestDefaultAccountMayBeLate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "default"}}
	if err := w.client.Delete(t.Context(), account); err != nil {
		t.Fatal(err)
	}
	if !w.again("run") {
		t.Error("the run does not wait for its account")
	}
	w.expect("run", unknown, v1beta1.TaskRunReasonStarted, "")
	w.now = w.now.Add(10 * time.Second)
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonPodCreationFailed, `serviceaccounts "default" not found`)
}

func TestImageCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {steps: [{image: busybox}]}"))
	w.images = map[string]podspec.Image{"busybox": {Reference: "busybox@sha256:1", Platforms: map[string]podspec.ImageCommand{"linux/amd64": {Cmd: []string{"sh"}}}}}
	w.pass("run")
	if c := w.mustPod("run-pod").Spec.Containers[0]; c.Image != "busybox@sha256:1" || c.Env[0].Value != `{"linux/amd64":["sh"]}` {
		t.Errorf("the step is %+v", c)
	}
}

func TestCredentialsOfTheAccount(t *testing.T) {
	t.Parallel()
	account := &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "robot"}, Secrets: []corev1.ObjectReference{{Name: "s"}, {Name: "s"}},
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Type: corev1.SecretTypeDockercfg}
	w := newWorld(t, account, secret, taskRun(t, "run", "{serviceAccountName: robot, taskSpec: {steps: [{image: i, command: [c]}]}}"))
	w.pass("run")
	if args := strings.Join(w.mustPod("run-pod").Spec.Containers[0].Args, " "); strings.Count(args, "-docker-cfg=s") != 1 {
		t.Errorf("the step runs %s", args)
	}
	w.create(taskRun(t, "missing", "{serviceAccountName: robot, taskSpec: {steps: [{image: i, command: [c]}]}}"))
	if err := w.client.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	w.pass("missing")
	if args := strings.Join(w.mustPod("missing-pod").Spec.Containers[0].Args, " "); strings.Contains(args, "-docker-cfg") {
		t.Errorf("the step runs %s", args)
	}
	if want := `Warning MissingSecret secret "s" of service account "robot" was not found; the steps run without it`; !slices.Contains(w.events, want) {
		t.Errorf("events %q, want %q", w.events, want)
	}
}

func TestKnownHosts(t *testing.T) {
	t.Parallel()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}, Secrets: []corev1.ObjectReference{{Name: "s"}}}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Type: corev1.SecretTypeSSHAuth}
	w := newWorld(t, account, secret, taskRun(t, "run", "{serviceAccountName: robot, taskSpec: {steps: [{image: i, command: [c]}]}}"))
	w.cfg.FeatureFlags.RequireGitSSHKnownHosts = true
	w.pass("run")
	w.expect("run", isFalse, v1beta1.TaskRunReasonFailedValidation, `translating TaskSpec to Pod: TaskRun validation failed. Git SSH Secret must have "known_hosts" included`)
}

func TestLimitRange(t *testing.T) {
	t.Parallel()
	limits := &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type: corev1.LimitTypeContainer, DefaultRequest: corev1.ResourceList{corev1.ResourceCPU: podQuantity("2")},
	}}}}
	w := newWorld(t, limits, taskRun(t, "run", "taskSpec: {steps: [{image: i, command: [c]}, {image: i, command: [c]}]}"))
	w.pass("run")
	if got := w.mustPod("run-pod").Spec.Containers[1].Resources.Requests.Cpu().String(); got != "1" {
		t.Errorf("a step requests %s", got)
	}
}

func TestClaimTemplates(t *testing.T) {
	t.Parallel()
	const spec = `
workspaces:
- {name: w, volumeClaimTemplate: {metadata: {name: mine}, spec: {accessModes: [ReadWriteOnce]}}}
- {name: v, volumeClaimTemplate: {metadata: {name: other}, spec: {accessModes: [ReadWriteOnce]}}}
retries: 1
taskSpec: {workspaces: [{name: w}, {name: v}], steps: [{image: i, script: "$(workspaces.w.claim)"}]}`
	w := newWorld(t, taskRun(t, "run", spec))
	w.pass("run")
	var claims corev1.PersistentVolumeClaimList
	if err := w.client.List(t.Context(), &claims); err != nil || len(claims.Items) != 2 {
		t.Fatalf("%v, claims %v", err, claims.Items)
	}
	name := claims.Items[0].Name
	if got := w.run("run").Status.TaskSpec.Steps[0].Script; got != name || !metav1.IsControlledBy(&claims.Items[0], w.run("run")) {
		t.Errorf("the variable is %q, the claim %+v", got, claims.Items[0].ObjectMeta)
	}
	w.kubelet("run-pod", all(phase(corev1.PodFailed), exit("step-unnamed-0", 1, "")))
	w.pass("run")
	w.pass("run")
	w.mustPod("run-pod-retry1")
	if err := w.client.List(t.Context(), &claims); err != nil || len(claims.Items) != 2 {
		t.Errorf("%v; a second attempt has claims %v", err, claims.Items)
	}

	for _, tt := range []struct {
		err         error
		ends, waits bool
	}{
		{apierrors.NewForbidden(v1beta1.Resource("x"), "mine", errors.New("no")), true, false},
		{apierrors.NewForbidden(v1beta1.Resource("x"), "mine", errors.New("exceeded quota: storage")), false, true},
		{apierrors.NewInternalError(errors.New("x")), false, false},
	} {
		w := newWorld(t, taskRun(t, "run", strings.Replace(spec, "retries: 1", "", 1)))
		w.fault = func(_ string, o client.Object) error {
			if _, isClaim := o.(*corev1.PersistentVolumeClaim); isClaim {
				return tt.err
			}
			return nil
		}
		if result := w.pass("run"); (result.RequeueAfter > 0) == tt.ends || tt.waits && result.RequeueAfter != time.Minute {
			t.Errorf("%v: the next pass is after %v", tt.err, result.RequeueAfter)
		}
		if tt.waits {
			w.expect("run", unknown, v1beta1.TaskRunReasonPending, "failed to create PVC mine-")
		}
		if tt.ends {
			w.expect("run", isFalse, v1beta1.TaskRunReasonCouldntCreateWorkspacePVC, "Failed to create PVC for TaskRun ns/run workspaces correctly: failed to create PVC mine-")
		}
	}
}

func TestDefaultBinding(t *testing.T) {
	t.Parallel()
	const spec = "{workspaces: [{name: own, emptyDir: {}}], taskSpec: {workspaces: [{name: own}, {name: w}, {name: opt, optional: true}], steps: [{image: i, command: ['$(workspaces.opt.bound)']}]}}"
	w := newWorld(t, taskRun(t, "run", spec), taskRun(t, "bad", spec))
	w.cfg.Defaults.TaskRunWorkspaceBinding = "{emptyDir: {medium: Memory}}"
	w.pass("run")
	pod := w.mustPod("run-pod")
	inMemory := 0
	for _, v := range pod.Spec.Volumes {
		if strings.HasPrefix(v.Name, "ws-") && v.EmptyDir.Medium == corev1.StorageMediumMemory {
			inMemory++
		}
	}
	if args := pod.Spec.Containers[0].Args; inMemory != 1 || args[len(args)-2] != "false" {
		t.Errorf("%d workspaces have the default binding, want w alone; arguments %v", inMemory, args)
	}
	if n := len(w.run("run").Spec.Workspaces); n != 1 {
		t.Errorf("the spec has %d workspaces now", n)
	}
	w.cfg.Defaults.TaskRunWorkspaceBinding = "nonsense: ["
	w.pass("bad")
	w.expect("bad", isFalse, v1beta1.TaskRunReasonFailedResolution, "failed to unmarshal nonsense: [")
}

// TestSpecChangesAreIgnored: what has begun keeps its values, even if admission lets a change through.
func TestSpecChangesAreIgnored(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "{params: [{name: p, value: old}], taskSpec: {steps: [{name: a, image: i, command: ['$(params.p)']}]}}"))
	w.pass("run")
	tr := w.run("run")
	tr.Spec.Params[0].Value = v1beta1.StringValue("new")
	if err := w.client.Update(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
	w.kubelet("run-pod", phase(corev1.PodRunning))
	w.pass("run")
	if got := w.run("run").Status.TaskSpec.Steps[0].Command[0]; got != "old" {
		t.Errorf("status.taskSpec shows %s", got)
	}
}

func TestResultsFromSidecar(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep), taskRun(t, "large", oneStep))
	w.cfg.FeatureFlags.ResultsFrom = "sidecar-logs"
	w.logs = map[string]string{
		"run-pod/sidecar-tekton-log-results":   `{"Name":"r","Value":"logged"}`,
		"large-pod/sidecar-tekton-log-results": `{"Name":"r","Value":"` + strings.Repeat("x", 4096) + `"}`,
	}
	for _, name := range []string{"run", "large"} {
		w.pass(name)
		w.kubelet(name+"-pod", all(phase(corev1.PodRunning), exit("step-a", 0, ""), exit("sidecar-tekton-log-results", 0, "")))
		w.pass(name)
	}
	tr := w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, "")
	if len(tr.Status.TaskRunResults) != 1 || tr.Status.TaskRunResults[0].Value.StringVal != "logged" {
		t.Errorf("results %+v", tr.Status.TaskRunResults)
	}
	w.expect("large", isFalse, v1beta1.TaskRunReasonResultLargerThanAllowedLimit, `TaskRun "large" failed: results exceeded size limit 4096 bytes`)
	if w.pod("large-pod") != nil {
		t.Error("the Pod whose results are too large is still there")
	}
}

// TestLogsCannotBeRead: results are not lost because a node does not answer.
func TestLogsCannotBeRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep), taskRun(t, "without", "taskSpec: {steps: [{name: a, image: i, command: [c]}]}"))
	w.cfg.FeatureFlags.ResultsFrom = "sidecar-logs"
	for _, name := range []string{"run", "without"} {
		w.pass(name)
		w.kubelet(name+"-pod", all(phase(corev1.PodRunning), exit("step-a", 0, "")))
	}
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonRunning, "") // nothing is printed yet
	w.kubelet("run-pod", exit("sidecar-tekton-log-results", 0, ""))
	if !w.again("run") {
		t.Error("the log is not asked for again")
	}
	w.expect("run", unknown, v1beta1.TaskRunReasonRunning, "")
	w.logs = map[string]string{"run-pod/sidecar-tekton-log-results": `{"Name":"r","Value":"late"}`}
	w.pass("run")
	if tr := w.expect("run", isTrue, v1beta1.TaskRunReasonSucceeded, ""); len(tr.Status.TaskRunResults) != 1 {
		t.Errorf("results %+v", tr.Status.TaskRunResults)
	}
	w.pass("without")
	w.expect("without", isTrue, v1beta1.TaskRunReasonSucceeded, "")
}

func TestRefusedResultsFailTheRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", "taskSpec: {results: [{name: r, type: array}], steps: [{name: a, image: i, command: [c]}]}"))
	w.cfg.FeatureFlags.EnableAPIFields = "alpha" // array results have a gate
	w.pass("run")
	w.kubelet("run-pod", all(phase(corev1.PodSucceeded), exit("step-a", 0, `[{"key":"r","value":"x","type":1}]`)))
	w.events = nil
	w.pass("run")
	tr := w.expect("run", isFalse, v1beta1.TaskRunReasonFailedValidation, "missmatched Types for these results, map[r:[array]]")
	if tr.Status.Steps[0].Terminated == nil || len(tr.Status.TaskRunResults) != 1 { // shown as it was written
		t.Errorf("status %+v", tr.Status)
	}
	const text = "missmatched Types for these results, map[r:[array]]"
	if diff := cmp.Diff([]string{"Warning Failed " + text, "Warning InternalError 1 error occurred:\n\t* " + text + "\n\n"}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestUnschedulable(t *testing.T) {
	t.Parallel()
	w := newWorld(t, taskRun(t, "run", oneStep))
	w.pass("run")
	w.kubelet("run-pod", func(pod *corev1.Pod) {
		pod.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: "Unschedulable", Message: "1 Insufficient cpu"}}
	})
	w.events = nil
	w.pass("run")
	w.pass("run")
	w.expect("run", unknown, v1beta1.TaskRunReasonExceededNodeResources, "TaskRun Pod exceeded available resources")
	if diff := cmp.Diff([]string{
		`Warning ExceededNodeResources Insufficient resources to schedule pod "run-pod"`,
		"Normal ExceededNodeResources TaskRun Pod exceeded available resources",
	}, w.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestAffinityIsOverwritten(t *testing.T) {
	t.Parallel()
	tr := taskRun(t, "run", "{podTemplate: {affinity: {nodeAffinity: {}}}, taskSpec: {steps: [{image: i, command: [c]}]}}")
	tr.Annotations = map[string]string{v1beta1.AnnotationAffinityAssistant: "assistant"}
	w := newWorld(t, tr)
	w.pass("run")
	if want := `Warning PodAffinityOverwrite Pod template affinity is overwritten by affinity assistant for pod "run-pod"`; w.events[1] != want {
		t.Errorf("events %q", w.events)
	}
}

func TestPropagatedWorkspaces(t *testing.T) {
	t.Parallel()
	const spec = "steps: [{image: i, command: ['$(workspaces.w.path)']}]"
	w := newWorld(t, task(t, "t", spec),
		taskRun(t, "embedded", "{workspaces: [{name: w, emptyDir: {}}], taskSpec: {"+spec+"}}"),
		taskRun(t, "referenced", "{workspaces: [{name: w, emptyDir: {}}], taskRef: {name: t}}"))
	w.cfg.FeatureFlags.EnableAPIFields = "alpha"
	w.pass("embedded")
	tr := w.expect("embedded", unknown, v1beta1.TaskRunReasonPending, "")
	if s := tr.Status.TaskSpec; s.Steps[0].Command[0] != "/workspace/w" || len(s.Workspaces) != 1 || s.Workspaces[0].Name != "w" {
		t.Errorf("the Task as it runs: %+v", s)
	}
	w.pass("referenced")
	w.expect("referenced", isFalse, v1beta1.TaskRunReasonFailedValidation, `workspace binding "w" does not match any declared workspace`)
}

// TestGates: what has a gate does not happen behind it.
func TestGates(t *testing.T) {
	t.Parallel()
	const spec = "{params: [{name: p, value: [zero, one]}], taskSpec: {params: [{name: p, type: array}], steps: [{image: i, command: ['$(params.p[1])']}]}}"
	for gate, want := range map[string]string{"stable": "$(params.p[1])", "beta": "$(params.p[1])", "alpha": "one"} {
		w := newWorld(t, taskRun(t, "run", spec))
		w.cfg.FeatureFlags.EnableAPIFields = gate
		w.pass("run")
		if got := w.run("run").Status.TaskSpec.Steps[0].Command[0]; got != want {
			t.Errorf("%s: the command is %s, want %s", gate, got, want)
		}
	}
}

// TestReadsFail: an object that cannot be read now is not taken for missing.
func TestReadsFail(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"*v1beta1.Task", "*v1.ServiceAccount", "*v1.Secret", "*v1.PersistentVolumeClaim", "*v1.Pod"} {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "robot"}, Secrets: []corev1.ObjectReference{{Name: "s"}}}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "s"}}
		w := newWorld(t, account, secret, task(t, "t", "{workspaces: [{name: w}], steps: [{image: i, command: [c]}]}"),
			taskRun(t, "run", "{serviceAccountName: robot, taskRef: {name: t}, workspaces: [{name: w, volumeClaimTemplate: {spec: {}}}]}"))
		reads := 0
		w.unread = func(o client.Object) error {
			if fmt.Sprintf("%T", o) == kind {
				reads++
				return apierrors.NewTimeoutError("slow etcd", 1)
			}
			return nil
		}
		if !w.again("run") || reads == 0 {
			t.Errorf("%s was read %d times; the pass is not repeated", kind, reads)
		}
		w.expect("run", unknown, v1beta1.TaskRunReasonStarted, "")
		w.unread = nil
		w.pass("run")
		w.expect("run", unknown, v1beta1.TaskRunReasonPending, "Pending")
	}
}
