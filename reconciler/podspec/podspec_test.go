package podspec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// from is an input whose TaskRun embeds a Task.
func from(t testing.TB, runSpec string) Input {
	t.Helper()
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "run", UID: "uid"}}
	if err := yaml.UnmarshalStrict([]byte(runSpec), &tr.Spec); err != nil {
		t.Fatal(err)
	}
	return Input{
		TaskRun: tr, Spec: tr.Spec.TaskSpec, Bindings: tr.Spec.Workspaces, Timeout: time.Hour, Revision: "rev",
		Features: Features{AwaitSidecars: true},
		Images:   Images{Entrypoint: "entrypoint", Nop: "nop", Shell: "shell", ShellWindows: "winshell", WorkingDirInit: "wdi", SidecarLogResults: "slr"},
		Image:    func(ref string) (Image, error) { return Image{}, fmt.Errorf("no such image: %s", ref) },
	}
}

func build(t *testing.T, in Input) *corev1.Pod {
	t.Helper()
	pod, err := Build(in)
	if err != nil {
		t.Fatal(err)
	}
	return pod
}

func buildFrom(t *testing.T, runSpec string) *corev1.Pod {
	t.Helper()
	return build(t, from(t, runSpec))
}

func initContainer(pod *corev1.Pod, name string) *corev1.Container {
	for i := range pod.Spec.InitContainers {
		if pod.Spec.InitContainers[i].Name == name {
			return &pod.Spec.InitContainers[i]
		}
	}
	return nil
}

func after(args []string, flag string) string {
	for i := range args {
		if args[i] == flag && i+1 < len(args) {
			return args[i+1]
		}
	}
	return ""
}

const step = "{image: i, command: [c]}"

// TestBuildTwice: a Pod that is built again is the same Pod, and building it changes nothing it is built from.
func TestBuildTwice(t *testing.T) {
	t.Parallel()
	in := from(t, `
workspaces: [{name: w, emptyDir: {}}]
taskSpec:
  workspaces: [{name: w}]
  stepTemplate: {env: [{name: T, value: t}]}
  steps: [{image: i, script: s, env: [{name: A, value: a}]}, {image: i, script: s}]
  sidecars: [{name: s, image: i, script: s}]`)
	in.Secrets = []corev1.Secret{{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Type: corev1.SecretTypeDockercfg}}
	tr, spec := in.TaskRun.DeepCopy(), in.Spec.DeepCopy()
	first := build(t, in)
	if diff := cmp.Diff(first, build(t, in)); diff != "" {
		t.Errorf("the second Pod differs (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(tr, in.TaskRun) + cmp.Diff(spec, in.Spec); diff != "" {
		t.Errorf("the input was changed:\n%s", diff)
	}
	in.TaskRun.UID = "other"
	if a, b := first.Spec.Containers[0].VolumeMounts[0].Name, build(t, in).Spec.Containers[0].VolumeMounts[0].Name; a == b {
		t.Errorf("another run has a workspace volume of the same name %s", a)
	}
}

func TestWaitsForReady(t *testing.T) {
	t.Parallel()
	const with = "taskSpec: {steps: [" + step + "], sidecars: [{name: s, image: i}]}"
	const without = "taskSpec: {steps: [" + step + "]}"
	for _, tt := range []struct {
		reason, spec    string
		await, injected bool
		want            bool
	}{
		{"a sidecar has to be ready", with, true, false, true},
		{"unless awaiting sidecars is off", with, false, true, false},
		{"one may be injected", without, true, true, true},
		{"none, and none will be injected", without, true, false, false},
	} {
		in := from(t, tt.spec)
		in.Features.AwaitSidecars, in.Features.InjectedSidecars = tt.await, tt.injected
		in.TaskRun.Annotations = map[string]string{v1beta1.AnnotationReady: "forged"}
		pod := build(t, in)
		_, annotated := pod.Annotations[v1beta1.AnnotationReady]
		waitsForFile := after(pod.Spec.Containers[0].Args, "-wait_file") == "/tekton/downward/ready"
		if WaitsForReady(pod) != tt.want || waitsForFile != tt.want || annotated == tt.want {
			t.Errorf("%s: volume %t, argument %t, annotation %t", tt.reason, WaitsForReady(pod), waitsForFile, annotated)
		}
		if annotated && pod.Annotations[v1beta1.AnnotationReady] != "READY" {
			t.Errorf("%s: the annotation is %q", tt.reason, pod.Annotations[v1beta1.AnnotationReady])
		}
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		steps int
		want  string
	}{{1, ""}, {2, ""}, {3, "3072"}, {5, "2048"}, {11, "1024"}} { // and one init container
		pod := buildFrom(t, "taskSpec: {steps: ["+strings.Repeat(step+",", tt.steps)+"]}")
		for _, c := range pod.Spec.Containers {
			if got := after(c.Args, "-termination_budget"); got != tt.want {
				t.Errorf("%d steps: %s is told %q, want %q", tt.steps, c.Name, got, tt.want)
			}
		}
	}
}

func TestWorkingDirs(t *testing.T) {
	t.Parallel()
	pod := buildFrom(t, `
taskSpec:
  steps:
  - {image: i, command: [c], workingDir: rel/./dir}
  - {image: i, command: [c], workingDir: /workspace/b/}
  - {image: i, command: [c], workingDir: /workspace/a}
  - {image: i, command: [c], workingDir: /workspace/a}
  - {image: i, command: [c], workingDir: /workspace}
  - {image: i, command: [c], workingDir: /elsewhere}
  - {image: i, command: [c]}`)
	c := initContainer(pod, "working-dir-initializer")
	if c == nil {
		t.Fatal("no container makes the directories")
	}
	if diff := cmp.Diff([]string{"/workspace/a", "/workspace/b", "/workspace/rel/dir"}, c.Args); diff != "" {
		t.Errorf("directories to make (-want +got):\n%s", diff)
	}
	var dirs []string
	for _, c := range pod.Spec.Containers {
		dirs = append(dirs, c.WorkingDir)
	}
	if diff := cmp.Diff([]string{"/workspace/rel/dir", "/workspace/b/", "/workspace/a", "/workspace/a", "/workspace", "/elsewhere", ""}, dirs); diff != "" {
		t.Errorf("directories of the steps (-want +got):\n%s", diff)
	}
	if initContainer(buildFrom(t, "taskSpec: {steps: ["+step+"]}"), "working-dir-initializer") != nil {
		t.Error("directories are made that no step needs")
	}
}

func TestActiveDeadline(t *testing.T) {
	t.Parallel()
	for timeout, want := range map[time.Duration]int64{
		0: 2147483647, 10 * time.Second: 15, 5 * time.Second: 7, time.Hour: 5400, time.Millisecond: 1, 1 << 62: 2147483647,
	} {
		if got := *activeDeadline(timeout); got != want {
			t.Errorf("timeout %v: deadline %d, want %d", timeout, got, want)
		}
	}
}

func TestContainerNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 56) + "-" + "tail"
	for _, tt := range []struct{ got, want string }{
		{StepContainerName("a", 3), "step-a"},
		{StepContainerName("", 3), "step-unnamed-3"},
		{StepContainerName(long, 0), "step-" + strings.Repeat("x", 56) + "-t"},
		{StepContainerName(strings.Repeat("x", 57)+"-y", 0), "step-" + strings.Repeat("x", 57)},
		{SidecarContainerName("s"), "sidecar-s"},
		{SidecarContainerName(""), "sidecar"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}

func TestStepTemplate(t *testing.T) {
	t.Parallel()
	pod := buildFrom(t, `
taskSpec:
  volumes: [{name: v, emptyDir: {}}, {name: u, emptyDir: {}}]
  stepTemplate:
    image: template
    command: [t]
    args: [u]
    workingDir: /t
    env: [{name: KEEP_THIS, value: kept}, {name: SOME_KEY, value: lost}]
    envFrom: [{prefix: t}]
    volumeMounts: [{name: v, mountPath: /v, readOnly: true}, {name: v, mountPath: /w}]
    resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 2}}
    securityContext: {runAsUser: 1, runAsGroup: 1, capabilities: {drop: [ALL]}}
    imagePullPolicy: Always
  steps:
  - {name: bare}
  - name: own
    image: own
    command: [o]
    args: [p]
    workingDir: /o
    env: [{name: NEW_KEY, value: new}, {name: SOME_KEY, value: own}]
    envFrom: [{prefix: o}]
    volumeMounts: [{name: u, mountPath: /x}, {name: u, mountPath: /v}]
    resources: {requests: {cpu: 500m}}
    securityContext: {runAsUser: 2}
    imagePullPolicy: Never`)
	bare, own := pod.Spec.Containers[0], pod.Spec.Containers[1]
	if bare.Image != "template" || after(bare.Args, "-entrypoint") != "t" || bare.Args[len(bare.Args)-1] != "u" || bare.WorkingDir != "/t" ||
		*bare.SecurityContext.RunAsUser != 1 || bare.ImagePullPolicy != corev1.PullAlways || bare.Name != "step-bare" {
		t.Errorf("the bare step is %+v", bare)
	}
	if own.Image != "own" || after(own.Args, "-entrypoint") != "o" || own.Args[len(own.Args)-1] != "p" || own.WorkingDir != "/o" || own.ImagePullPolicy != corev1.PullNever {
		t.Errorf("the other step is %+v", own)
	}
	if s := own.SecurityContext; *s.RunAsUser != 2 || *s.RunAsGroup != 1 || len(s.Capabilities.Drop) != 1 {
		t.Errorf("its security context is %+v", s)
	}
	env := []corev1.EnvVar{{Name: "NEW_KEY", Value: "new"}, {Name: "KEEP_THIS", Value: "kept"}, {Name: "SOME_KEY", Value: "own"}}
	if diff := cmp.Diff(env, own.Env); diff != "" {
		t.Errorf("env (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]corev1.EnvFromSource{{Prefix: "o"}}, own.EnvFrom); diff != "" {
		t.Errorf("envFrom (-want +got):\n%s", diff)
	}
	mounts := []corev1.VolumeMount{{Name: "u", MountPath: "/x"}, {Name: "u", MountPath: "/v", ReadOnly: true}, {Name: "v", MountPath: "/w"}}
	if diff := cmp.Diff(mounts, own.VolumeMounts[:3]); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
	want := requirements(t, "{requests: {cpu: 500m, memory: 1Gi}, limits: {cpu: 2}}")
	if diff := cmp.Diff(want, own.Resources, quantities); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

func requirements(t *testing.T, text string) corev1.ResourceRequirements {
	t.Helper()
	var r corev1.ResourceRequirements
	if err := yaml.UnmarshalStrict([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRequirements: override over step over template, then the Task as a whole, then the namespace's defaults.
func TestRequirements(t *testing.T) {
	t.Parallel()
	const two = `
taskSpec:
  steps: [{name: a, image: i, command: [c], resources: {requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}}, {name: b, image: i, command: [c]}]
  sidecars: [{name: s, image: i, resources: {limits: {cpu: 1}}}]
`
	for _, tt := range []struct {
		reason, spec  string
		alpha         bool
		ranges        []string
		a, b, sidecar string
	}{
		{"as declared", two, false, nil, "{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{}", "{limits: {cpu: 1}}"},
		{"an override is of one resource, of requests or limits", two + "stepOverrides: [{name: a, resources: {requests: {cpu: 200m}, limits: {memory: 1Gi}}}]", false, nil,
			"{requests: {cpu: 200m, memory: 10Mi}, limits: {cpu: 1, memory: 1Gi}}", "{}", "{limits: {cpu: 1}}"},
		{"sidecars can be overridden", two + "sidecarOverrides: [{name: s, resources: {requests: {cpu: 5m}}}]", false, nil,
			"{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{}", "{requests: {cpu: 5m}, limits: {cpu: 1}}"},
		{"the Task's requests are shared, its limits are those of every step", two + "computeResources: {requests: {cpu: 1}, limits: {cpu: 3}}", true, nil,
			"{requests: {cpu: 500m}, limits: {cpu: 3}}", "{requests: {cpu: 500m}, limits: {cpu: 3}}", "{limits: {cpu: 1}}"},
		{"with limits alone, a step without requests gets a share of them", two + "computeResources: {limits: {cpu: 3}}", true, nil,
			"{limits: {cpu: 3}}", "{requests: {cpu: 1500m}, limits: {cpu: 3}}", "{limits: {cpu: 1}}"},
		{"with requests alone, limits are gone", two + "computeResources: {requests: {memory: 1Gi}}", true, nil,
			"{requests: {memory: 512Mi}}", "{requests: {memory: 512Mi}}", "{limits: {cpu: 1}}"},
		{"the Task's requirements have a gate", two + "computeResources: {requests: {cpu: 1}}", false, nil,
			"{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{}", "{limits: {cpu: 1}}"},
		{"a default request is shared by the steps", two, false, []string{"{type: Container, defaultRequest: {cpu: 1, memory: 100Mi, ephemeral-storage: 10Gi, example.com/x: 4}}"},
			"{requests: {cpu: 100m, memory: 10Mi, ephemeral-storage: 5Gi}, limits: {cpu: 1}}", "{requests: {cpu: 500m, memory: 50Mi, ephemeral-storage: 5Gi}}", "{limits: {cpu: 1}}"},
		{"but is not less than the minimum", two, false, []string{"{type: Container, min: {cpu: 800m}, defaultRequest: {cpu: 1}}"},
			"{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{requests: {cpu: 800m}}", "{limits: {cpu: 1}}"},
		{"the strictest of several ranges counts", two, false, []string{"{type: Container, min: {cpu: 10m}, defaultRequest: {cpu: 1}}", "{type: Container, min: {cpu: 300m}, defaultRequest: {cpu: 400m}}"},
			"{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{requests: {cpu: 300m}}", "{limits: {cpu: 1}}"},
		{"ranges of Pods are nothing to containers", two, false, []string{"{type: Pod, min: {cpu: 1}}"},
			"{requests: {cpu: 100m, memory: 10Mi}, limits: {cpu: 1}}", "{}", "{limits: {cpu: 1}}"},
	} {
		in := from(t, tt.spec)
		in.Features.Alpha = tt.alpha
		for _, text := range tt.ranges {
			var item corev1.LimitRangeItem
			if err := yaml.UnmarshalStrict([]byte(text), &item); err != nil {
				t.Fatal(err)
			}
			in.LimitRanges = append(in.LimitRanges, corev1.LimitRange{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{item}}})
		}
		pod := build(t, in)
		for i, want := range []string{tt.a, tt.b, tt.sidecar} {
			if diff := cmp.Diff(requirements(t, want), pod.Spec.Containers[i].Resources, quantities, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: %s (-want +got):\n%s", tt.reason, pod.Spec.Containers[i].Name, diff)
			}
		}
		if r := pod.Spec.InitContainers[0].Resources; r.Requests != nil {
			t.Errorf("%s: the init container requests %v", tt.reason, r.Requests)
		}
	}
}

func TestDefaultRequestIsNotAboveTheLimit(t *testing.T) {
	t.Parallel()
	in := from(t, "taskSpec: {steps: [{image: i, command: [c], resources: {limits: {cpu: 100m}}}]}")
	in.LimitRanges = []corev1.LimitRange{{Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
		Type: corev1.LimitTypeContainer, DefaultRequest: requirements(t, "{requests: {cpu: 1}}").Requests,
	}}}}}
	got := build(t, in).Spec.Containers[0].Resources
	if diff := cmp.Diff(requirements(t, "{requests: {cpu: 100m}, limits: {cpu: 100m}}"), got, quantities); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const workspaces = `
workspaces:
- {name: one, persistentVolumeClaim: {claimName: claim}, subPath: sub}
- {name: two, persistentVolumeClaim: {claimName: claim}}
- {name: three, secret: {secretName: s}}
taskSpec:
  workspaces: [{name: one}, {name: two, mountPath: /two, readOnly: true}, {name: three}, {name: opt, optional: true}]
  steps:
  - {image: i, command: [c], workspaces: [{name: three, mountPath: /mine}]}
  - {image: i, command: [c]}
  sidecars: [{name: s, image: i, volumeMounts: [{name: x, mountPath: /two/}]}, {name: u, image: i, workspaces: [{name: three}]}]
  volumes: [{name: x, emptyDir: {}}]
`

func TestWorkspaces(t *testing.T) {
	t.Parallel()
	in := from(t, workspaces)
	in.Features.Alpha = true
	pod := build(t, in)
	names := WorkspaceVolumes(in.TaskRun.UID, in.Bindings)
	if names["one"] != names["two"] || names["one"] == names["three"] || len(names["one"]) != len("ws-12345") {
		t.Errorf("volumes are %v: bindings of one claim share one", names)
	}
	one := corev1.VolumeMount{Name: names["one"], MountPath: "/workspace/one", SubPath: "sub"}
	two := corev1.VolumeMount{Name: names["one"], MountPath: "/two", ReadOnly: true}
	own := corev1.VolumeMount{Name: "x", MountPath: "/two/"}
	isolated := func(dir string) corev1.VolumeMount { return corev1.VolumeMount{Name: names["three"], MountPath: dir} }
	for i, want := range [][]corev1.VolumeMount{
		{isolated("/mine"), one, two}, {one, two}, {own, one}, {isolated("/workspace/three"), one, two},
	} {
		mounts := pod.Spec.Containers[i].VolumeMounts
		if len(mounts) < len(want) {
			t.Fatalf("%s mounts %v", pod.Spec.Containers[i].Name, mounts)
		}
		sortByPath := cmpopts.SortSlices(func(a, b corev1.VolumeMount) bool { return a.MountPath < b.MountPath })
		if diff := cmp.Diff(want, mounts[:len(want)], sortByPath); diff != "" {
			t.Errorf("%s (-want +got):\n%s", pod.Spec.Containers[i].Name, diff)
		}
	}
	claims := 0
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim != nil {
			claims++
		}
	}
	if claims != 1 {
		t.Errorf("the claim is %d volumes", claims)
	}

	in.Features.Alpha = false
	pod = build(t, in)
	if n := len(pod.Spec.Containers[3].VolumeMounts); n != 0 {
		t.Errorf("without the gate a sidecar mounts %d workspaces", n)
	}
	if !mounted(pod.Spec.Containers[1].VolumeMounts, "/workspace/three") {
		t.Error("without the gate all steps mount all workspaces")
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	in := from(t, `
workspaces:
- {name: w, volumeClaimTemplate: {metadata: {name: mine}, spec: {accessModes: [ReadWriteOnce]}}}
- {name: v, volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce]}}}
- {name: e, emptyDir: {}}
taskSpec: {steps: [`+step+`]}`)
	bound, claims := Claims(in.TaskRun, in.TaskRun.Spec.Workspaces)
	// The names are those of the reference: the first ten digits of SHA-256 of workspace and owner.
	if len(claims) != 2 || claims[0].Name != "mine-bff350b150" || !strings.HasPrefix(claims[1].Name, "pvc-") || len(claims[1].Name) != 14 {
		t.Fatalf("claims are %v", claims)
	}
	if claims[0].Namespace != "ns" || !metav1.IsControlledBy(claims[0], in.TaskRun) || claims[0].Spec.AccessModes[0] != corev1.ReadWriteOnce {
		t.Errorf("the claim is %+v", claims[0])
	}
	if bound[0].VolumeClaimTemplate != nil || bound[0].PersistentVolumeClaim.ClaimName != claims[0].Name || bound[2].EmptyDir == nil {
		t.Errorf("bindings are %+v", bound)
	}
	if in.TaskRun.Spec.Workspaces[0].VolumeClaimTemplate.Name != "mine" {
		t.Error("the TaskRun was changed")
	}
	again, _ := Claims(in.TaskRun, in.TaskRun.Spec.Workspaces)
	if diff := cmp.Diff(bound, again); diff != "" {
		t.Errorf("a second attempt has other claims:\n%s", diff)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	secret := func(name string, kind corev1.SecretType, annotations ...string) corev1.Secret {
		s := corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{}}, Type: kind, Data: map[string][]byte{}}
		for i := 0; i < len(annotations); i += 2 {
			s.Annotations[annotations[i]] = annotations[i+1]
		}
		return s
	}
	in := from(t, "taskSpec: {steps: ["+step+", "+step+"]}")
	in.Secrets = []corev1.Secret{
		secret("useless", corev1.SecretTypeOpaque),
		secret("basic", corev1.SecretTypeBasicAuth, "tekton.dev/git-1", "https://b", "tekton.dev/git-0", "https://c", "tekton.dev/docker-0", "https://a", "other", "x"),
		secret("ssh", corev1.SecretTypeSSHAuth, "tekton.dev/git-0", "host", "tekton.dev/docker-0", "ignored"),
		secret("config.json", corev1.SecretTypeDockerConfigJson),
		secret("cfg", corev1.SecretTypeDockercfg),
		secret("opaque", corev1.SecretTypeOpaque, "tekton.dev/git-0", "ignored"),
		secret("plain", corev1.SecretTypeBasicAuth),
	}
	want := []string{
		"-basic-docker=basic=https://a", "-basic-git=basic=https://b", "-basic-git=basic=https://c", "-ssh-git=ssh=host",
		"-docker-config=config.json", "-docker-cfg=cfg",
	}
	pod := build(t, in)
	for _, c := range pod.Spec.Containers {
		var got []string
		for _, a := range c.Args {
			if strings.Contains(a, "=") {
				got = append(got, a)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.Name, diff)
		}
		for _, name := range []string{"basic", "ssh", "config.json", "cfg"} {
			if !mounted(c.VolumeMounts, "/tekton/creds-secrets/"+name) {
				t.Errorf("%s does not mount secret %s", c.Name, name)
			}
		}
		if mounted(c.VolumeMounts, "/tekton/creds-secrets/plain") || !mounted(c.VolumeMounts, "/tekton/creds") {
			t.Errorf("%s mounts %v", c.Name, c.VolumeMounts)
		}
	}
	if !strings.HasPrefix(pod.Spec.Volumes[6].Name, "tekton-internal-secret-volume-config-json-") {
		t.Errorf("the volume of config.json is called %s", pod.Spec.Volumes[6].Name)
	}

	in.Features.RequireKnownHosts = true
	if _, err := Build(in); !errors.Is(err, ErrKnownHosts) {
		t.Errorf("without known hosts: %v", err)
	}
	in.Secrets[2].Data["known_hosts"] = []byte("x")
	build(t, in)

	in.Features.DisableCredentials = true
	pod = build(t, in)
	if c := pod.Spec.Containers[0]; mounted(c.VolumeMounts, "/tekton/creds") || strings.Contains(strings.Join(c.Args, " "), "=") {
		t.Errorf("credentials are disabled, yet: %v %v", c.Args, c.VolumeMounts)
	}
	for _, v := range pod.Spec.Volumes {
		if strings.Contains(v.Name, "creds") || strings.Contains(v.Name, "secret") {
			t.Errorf("credentials are disabled, yet there is volume %s", v.Name)
		}
	}
}

func TestPodTemplate(t *testing.T) {
	t.Parallel()
	in := from(t, `
serviceAccountName: robot
podTemplate:
  nodeSelector: {a: b}
  tolerations: [{key: k}]
  securityContext: {runAsUser: 1001}
  volumes: [{name: mine, emptyDir: {}}]
  env: [{name: ALLOWED, value: "1"}, {name: FORBIDDEN, value: "1"}]
  runtimeClassName: rc
  automountServiceAccountToken: false
  dnsPolicy: None
  dnsConfig: {searches: [x]}
  enableServiceLinks: false
  priorityClassName: high
  schedulerName: mine
  imagePullSecrets: [{name: pull}]
  hostAliases: [{ip: 1.2.3.4}]
  hostNetwork: true
  topologySpreadConstraints: [{topologyKey: zone}]
  affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: own}]}}
taskSpec: {steps: [{image: i, command: [c], env: [{name: OWN, value: o}]}], sidecars: [{name: s, image: i}]}`)
	in.Features.ForbiddenEnv = []string{"FORBIDDEN"}
	in.Features.Alpha = true
	in.TaskRun.Labels = map[string]string{"mine": "kept", v1beta1.LabelTaskRun: "forged"}
	in.TaskRun.Annotations = map[string]string{
		"note": "kept", v1beta1.AnnotationExecutionMode: "hermetic", v1beta1.AnnotationAffinityAssistant: "assistant",
	}
	pod := build(t, in)
	template := in.TaskRun.Spec.PodTemplate
	want := corev1.PodSpec{
		NodeSelector: template.NodeSelector, Tolerations: template.Tolerations, SecurityContext: template.SecurityContext,
		RuntimeClassName: template.RuntimeClassName, AutomountServiceAccountToken: template.AutomountServiceAccountToken,
		DNSPolicy: "None", DNSConfig: template.DNSConfig, EnableServiceLinks: template.EnableServiceLinks, PriorityClassName: "high",
		SchedulerName: "mine", ImagePullSecrets: template.ImagePullSecrets, HostAliases: template.HostAliases, HostNetwork: true,
		TopologySpreadConstraints: template.TopologySpreadConstraints,
		RestartPolicy:             corev1.RestartPolicyNever, ServiceAccountName: "robot", ActiveDeadlineSeconds: pod.Spec.ActiveDeadlineSeconds,
		Affinity: &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: "own"},
			{TopologyKey: "kubernetes.io/hostname", LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{
				"app.kubernetes.io/instance": "assistant", "app.kubernetes.io/component": "affinity-assistant",
			}}},
		}}},
	}
	if diff := cmp.Diff(want, pod.Spec, cmpopts.IgnoreFields(corev1.PodSpec{}, "Containers", "InitContainers", "Volumes")); diff != "" {
		t.Errorf("Pod (-want +got):\n%s", diff)
	}
	if last := pod.Spec.Volumes[len(pod.Spec.Volumes)-1]; last.Name != "mine" {
		t.Errorf("the last volume is %s", last.Name)
	}
	env := []corev1.EnvVar{{Name: "OWN", Value: "o"}, {Name: "ALLOWED", Value: "1"}, {Name: "TEKTON_HERMETIC", Value: "1"}}
	if diff := cmp.Diff(env, pod.Spec.Containers[0].Env); diff != "" {
		t.Errorf("env of the step (-want +got):\n%s", diff)
	}
	if pod.Spec.Containers[1].Env != nil {
		t.Errorf("env of the sidecar: %v", pod.Spec.Containers[1].Env)
	}
	if pod.Labels["mine"] != "kept" || pod.Labels[v1beta1.LabelTaskRun] != "run" || pod.Annotations["note"] != "kept" ||
		pod.Annotations[v1beta1.AnnotationRelease] != "rev" || !metav1.IsControlledBy(pod, in.TaskRun) {
		t.Errorf("metadata %+v", pod.ObjectMeta)
	}
	if in.TaskRun.Annotations[v1beta1.AnnotationRelease] != "" || len(template.Affinity.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution) != 1 {
		t.Error("the TaskRun was changed")
	}
	in.Features.Alpha = false
	if env := build(t, in).Spec.Containers[0].Env; len(env) != 2 {
		t.Errorf("hermetic execution has a gate: %v", env)
	}
}

func TestScripts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, script, want string }{
		{"without a shebang", "echo", "#!/bin/sh\nset -e\necho"},
		{"nothing is trimmed", "\n  echo\n", "#!/bin/sh\nset -e\n\n  echo\n"},
		{"with a shebang", "#!/bin/cat\nx\n", "#!/bin/cat\nx\n"},
		{"a shebang works only at the start", "\n \t#!/bin/cat\nx\n", "#!/bin/cat\nx\n"},
		{"a comment is not a shebang", "# !x", "#!/bin/sh\nset -e\n# !x"},
	} {
		if got := withHeader(tt.script); got != tt.want {
			t.Errorf("%s: %q became %q, want %q", tt.reason, tt.script, got, tt.want)
		}
	}
	pod := buildFrom(t, "taskSpec: {steps: [{image: i, command: [c]}, {image: i, script: s, args: [a]}], sidecars: [{name: plain, image: i}, {name: s, image: i, script: s, args: [b]}]}")
	plain, scripted, sidecar := pod.Spec.Containers[0], pod.Spec.Containers[1], pod.Spec.Containers[3]
	if mounted(plain.VolumeMounts, "/tekton/scripts") || !mounted(scripted.VolumeMounts, "/tekton/scripts") || !mounted(sidecar.VolumeMounts, "/tekton/scripts") {
		t.Error("scripts are mounted where there is a script")
	}
	if got := after(scripted.Args, "-entrypoint"); !strings.HasPrefix(got, "/tekton/scripts/script-1-") || scripted.Args[len(scripted.Args)-1] != "a" {
		t.Errorf("the step runs %v", scripted.Args)
	}
	if len(sidecar.Command) != 1 || !strings.HasPrefix(sidecar.Command[0], "/tekton/scripts/sidecar-script-1-") || sidecar.Args[0] != "b" || sidecar.TerminationMessagePath != "" {
		t.Errorf("the sidecar runs %v %v", sidecar.Command, sidecar.Args)
	}
	body := initContainer(pod, "place-scripts").Args[1]
	for _, c := range []string{after(scripted.Args, "-entrypoint"), sidecar.Command[0]} {
		if !strings.Contains(body, "scriptfile=\""+c+"\"\n") {
			t.Errorf("no container writes %s:\n%s", c, body)
		}
	}
}

// TestLongScriptsComeInPieces: a kernel takes no argument of 131,072 bytes or more.
func TestLongScriptsComeInPieces(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1000, 90_000, 100_000, 200_000, 700_000} {
		script := strings.Repeat("echo hello # $PATH\n", size/19)
		pod := buildFrom(t, fmt.Sprintf("taskSpec: {steps: [{image: i, script: %q}]}", script))
		args := initContainer(pod, "place-scripts").Args
		if short := len(args) == 2; short != (size < 98_000) {
			t.Errorf("%d bytes: %d arguments", size, len(args))
		}
		for _, arg := range args {
			if len(arg) >= 131072 {
				t.Errorf("%d bytes: an argument of %d", size, len(arg))
			}
		}
		if len(args) > 2 && (args[1] != `IFS=; eval "$*"` || !strings.Contains(strings.Join(args[3:], ""), base64.StdEncoding.EncodeToString([]byte(withHeader(script))))) {
			t.Errorf("%d bytes: %q and %d pieces, which do not make the script", size, args[1], len(args)-3)
		}
	}
}

func TestWindowsScripts(t *testing.T) {
	t.Parallel()
	in := from(t, `{taskSpec: {steps: [
		{image: i, script: "#!win powershell -x\necho hi", args: [a]}, {image: i, script: "#!win\ndir"}, {image: i, script: "#!win py -u\nprint()"}]}}`)
	in.Features.Alpha = true
	pod := build(t, in)
	c := initContainer(pod, "place-scripts")
	if c.Image != "winshell" || c.Command[0] != "pwsh" || c.Args[0] != "-Command" {
		t.Errorf("scripts are placed by %s %v %v", c.Image, c.Command, c.Args[0])
	}
	for i, want := range []string{"powershell -- -x FILE.ps1 a", "FILE.cmd --", "py -- -u FILE"} {
		args := pod.Spec.Containers[i].Args
		file := "/tekton/scripts/script-" + fmt.Sprint(i) + "-" + suffix("uid", fmt.Sprintf("script-%d", i))
		_, got, _ := strings.Cut(strings.Join(args, " "), "-entrypoint ")
		if got != strings.ReplaceAll(want, "FILE", file) {
			t.Errorf("step %d runs %s, want %s", i, got, want)
		}
	}
	if body := c.Args[1]; !strings.Contains(body, "@\"\necho hi\n\"@ | Out-File -FilePath /tekton/scripts/script-0-") {
		t.Errorf("scripts are written as\n%s", body)
	}
	in.Features.Alpha = false
	if got := initContainer(build(t, in), "place-scripts").Image; got != "shell" {
		t.Errorf("without the gate %s places scripts", got)
	}
}

func TestBreakpoints(t *testing.T) {
	t.Parallel()
	in := from(t, "{debug: {breakpoint: [onFailure]}, taskSpec: {steps: ["+step+"]}}")
	if args := build(t, in).Spec.Containers[0].Args; slices.Contains(args, "-breakpoint_on_failure") {
		t.Errorf("breakpoints have a gate: %v", args)
	}
	in.Features.Alpha = true
	pod := build(t, in)
	c := initContainer(pod, "place-scripts")
	if c == nil {
		t.Fatal("there are no scripts to end a breakpoint")
	}
	if n := strings.Count(c.Args[1], "touch ${tmpfile} && chmod +x ${tmpfile}\n"); n != 2 {
		t.Errorf("%d scripts can be executed", n)
	}
	for _, want := range []string{"/tekton/debug/scripts/debug-continue\"", "/tekton/debug/scripts/debug-fail-continue\"",
		"touch /tekton/run/$step/out\necho \"0\" > /tekton/run/$step/out.breakpointexit",
		"touch /tekton/run/$step/out.err\necho \"1\" > /tekton/run/$step/out.breakpointexit"} {
		if !strings.Contains(c.Args[1], want) {
			t.Errorf("the scripts lack %s:\n%s", want, c.Args[1])
		}
	}
	if !strings.Contains(strings.Join(pod.Spec.Containers[0].Args, " "), "-breakpoint_on_failure -entrypoint c --") {
		t.Errorf("the step runs %v", pod.Spec.Containers[0].Args)
	}
}

func TestImageCommands(t *testing.T) {
	t.Parallel()
	images := map[string]Image{
		"both": {Reference: "r/both@sha256:1", Platforms: map[string]ImageCommand{"linux/arm/v7": {Entrypoint: []string{"e"}, Cmd: []string{"c"}}, "linux/amd64": {Cmd: []string{"only"}}}},
	}
	in := from(t, "{podTemplate: {env: [{name: LAST, value: l}]}, taskSpec: {steps: [{image: both}, {image: both, args: [a]}, {image: known, command: [c]}, {image: both}]}}")
	in.Image = func(ref string) (Image, error) {
		if image, ok := images[ref]; ok {
			return image, nil
		}
		return Image{}, errors.New("no such image")
	}
	pod := build(t, in)
	for i, want := range []string{`{"linux/amd64":["only"],"linux/arm/v7":["e","c"]}`, `{"linux/amd64":["only"],"linux/arm/v7":["e"]}`, "", `{"linux/amd64":["only"],"linux/arm/v7":["e","c"]}`} {
		c := pod.Spec.Containers[i]
		if want == "" {
			if c.Image != "known" || len(c.Env) != 1 {
				t.Errorf("an image was looked up although its step has a command: %s %v", c.Image, c.Env)
			}
			continue
		}
		if c.Image != "r/both@sha256:1" || after(c.Args, "-entrypoint") != "" || c.Env[0].Name != "TEKTON_PLATFORM_COMMANDS" || c.Env[0].Value != want || c.Env[1].Name != "LAST" {
			t.Errorf("step %d: image %s, args %v, env %v", i, c.Image, c.Args, c.Env)
		}
	}
	in.Spec.Steps[0].Image = "nosuch"
	if _, err := Build(in); err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("an unknown image: %v", err)
	}
}

func TestLauncherArguments(t *testing.T) {
	t.Parallel()
	in := from(t, `
taskSpec:
  results: [{name: r1}, {name: r2}]
  steps:
  - {image: i, command: [c, d], args: [e], onError: stopAndFail, timeout: 90s, stdoutConfig: {path: /out}, stderrConfig: {path: /err}}`)
	in.Features.ResultsFromSidecar = true
	pod := build(t, in)
	want := strings.Fields(`-wait_file /tekton/downward/ready -wait_file_content -post_file /tekton/run/0/out -termination_path /tekton/termination
		-step_metadata_dir /tekton/run/0/status -result_from sidecar-logs -on_error stopAndFail -timeout 1m30s -stdout_path /out -stderr_path /err
		-results r1,r2 -entrypoint c -- d e`)
	if diff := cmp.Diff(want, pod.Spec.Containers[0].Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	sidecar := pod.Spec.Containers[1]
	if sidecar.Name != "sidecar-tekton-log-results" || sidecar.Image != "slr" || strings.Join(sidecar.Command, " ") != "/ko-app/sidecarlogresults -results-dir /tekton/results -result-names r1,r2" {
		t.Errorf("results are printed by %s %s %v", sidecar.Name, sidecar.Image, sidecar.Command)
	}
	if !mounted(sidecar.VolumeMounts, "/tekton/run/0") || !mounted(sidecar.VolumeMounts, "/tekton/results") || !sidecar.VolumeMounts[0].ReadOnly {
		t.Errorf("it mounts %v", sidecar.VolumeMounts)
	}
}

func TestOwnMountsWin(t *testing.T) {
	t.Parallel()
	pod := buildFrom(t, "taskSpec: {volumes: [{name: v, emptyDir: {}}], steps: [{image: i, command: [c], volumeMounts: [{name: v, mountPath: /workspace/}, {name: v, mountPath: /tekton/home}]}]}")
	seen := map[string]int{}
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		seen[strings.TrimSuffix(m.MountPath, "/")]++
	}
	if seen["/workspace"] != 1 || seen["/tekton/home"] != 1 || seen["/tekton/results"] != 1 {
		t.Errorf("mounts %v", seen)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, spec, want string }{
		{"a Task without steps", "taskSpec: {}", "No Steps specified"},
		{"onError of a param", "taskSpec: {steps: [{image: i, command: [c], onError: maybe}]}",
			`task step onError must be either "continue" or "stopAndFail" but it is set to an invalid value "maybe"`},
		{"two volumes of one name", "{podTemplate: {volumes: [{name: v}]}, taskSpec: {volumes: [{name: v}], steps: [" + step + "]}}", `multiple volumes with same name "v": [8].name`},
		{"the name of an internal volume", "taskSpec: {volumes: [{name: tekton-internal-bin}], steps: [" + step + "]}", `multiple volumes with same name "tekton-internal-bin": [7].name`},
	} {
		if _, err := Build(from(t, tt.spec)); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %v, want %s", tt.reason, err, tt.want)
		}
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Name: "run"}}
	if got := Name(tr); got != "run-pod" {
		t.Errorf("first attempt: %s", got)
	}
	tr.Status.RetriesStatus = make([]v1beta1.TaskRunStatus, 12)
	if got := Name(tr); got != "run-pod-retry12" {
		t.Errorf("thirteenth attempt: %s", got)
	}
}

func BenchmarkBuild(b *testing.B) {
	in := from(b, "taskSpec: {results: [{name: r}], steps: [{image: i, script: s}, {image: i, script: s}, {image: i, script: s}]}")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(in); err != nil {
			b.Fatal(err)
		}
	}
}
