package podspec

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/substitution"
)

// recording is one file of testdata/recorded: what was applied to a cluster with the reference, and its Pods.
type recording struct {
	runs     map[string]*v1beta1.TaskRun
	tasks    map[string]*v1beta1.Task
	accounts map[string]*corev1.ServiceAccount
	secrets  map[string]*corev1.Secret
	pods     []*corev1.Pod
}

func readRecording(t *testing.T, file string) recording {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	r := recording{
		runs: map[string]*v1beta1.TaskRun{}, tasks: map[string]*v1beta1.Task{},
		accounts: map[string]*corev1.ServiceAccount{}, secrets: map[string]*corev1.Secret{},
	}
	documents := kyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return r
		}
		if err != nil {
			t.Fatal(err)
		}
		r.add(t, document)
	}
}

func (r *recording) add(t *testing.T, document []byte) {
	t.Helper()
	var object metav1.PartialObjectMetadata
	parse(t, document, &object)
	switch object.Kind {
	case "TaskRun":
		r.runs[object.Name] = &v1beta1.TaskRun{}
		parse(t, document, r.runs[object.Name])
	case "Task":
		r.tasks[object.Name] = &v1beta1.Task{}
		parse(t, document, r.tasks[object.Name])
	case "ServiceAccount":
		r.accounts[object.Name] = &corev1.ServiceAccount{}
		parse(t, document, r.accounts[object.Name])
	case "Secret":
		secret := &corev1.Secret{}
		parse(t, document, secret)
		secret.Data = map[string][]byte{}
		for key, text := range secret.StringData {
			secret.Data[key] = []byte(text)
		}
		r.secrets[object.Name] = secret
	case "Pod":
		pod := &corev1.Pod{}
		parse(t, document, pod)
		r.pods = append(r.pods, pod)
	case "":
	default:
		t.Fatalf("a %s in a recording", object.Kind)
	}
}

// input is what Build needs to make the recorded Pod again.
func (r *recording) input(t *testing.T, pod *corev1.Pod, features Features) Input {
	t.Helper()
	tr := r.runs[pod.OwnerReferences[0].Name]
	if tr == nil {
		t.Fatalf("Pod %s belongs to TaskRun %s, which is not recorded", pod.Name, pod.OwnerReferences[0].Name)
	}
	tr = tr.DeepCopy()
	if m := regexp.MustCompile(`-pod-retry(\d)$`).FindStringSubmatch(pod.Name); m != nil {
		tr.Status.RetriesStatus = make([]v1beta1.TaskRunStatus, m[1][0]-'0')
	}
	spec := tr.Spec.TaskSpec
	taskName := tr.Name
	if spec == nil {
		taskName = tr.Spec.TaskRef.Name
		spec = &r.tasks[taskName].Spec
		tr.Labels["tekton.dev/task"] = taskName // by the reconciler, before it builds the Pod
	}
	bindings, _ := Claims(tr, tr.Spec.Workspaces)
	in := Input{
		TaskRun: tr,
		Spec: substitution.Apply(spec, substitution.Input{
			Variables: []substitution.Replacements{
				substitution.Params(spec.Params, tr.Spec.Params, features.Alpha),
				substitution.Contexts(map[string]string{
					"taskRun.name": tr.Name, "taskRun.namespace": tr.Namespace, "taskRun.uid": string(tr.UID),
					"task.name": taskName, "task.retry-count": strconv.Itoa(tr.Attempt()),
				}),
			},
			Bindings: bindings, Volumes: WorkspaceVolumes(tr.UID, bindings), IsolatedWorkspaces: features.Alpha,
			PropagatedWorkspaces: features.Alpha && tr.Spec.TaskSpec != nil,
		}),
		Bindings: bindings,
		Timeout:  tr.Spec.Timeout.Duration,
		Revision: "unknown",
		Features: features,
		Images: Images{
			Entrypoint: "docker.io/local/tekton-entrypoint:v0.43.0", Shell: "docker.io/local/busybox:1",
			WorkingDirInit: "docker.io/local/tekton-workingdirinit:v0.43.0",
		},
	}
	if account := r.accounts[tr.Spec.ServiceAccountName]; account != nil {
		for _, ref := range account.Secrets {
			in.Secrets = append(in.Secrets, *r.secrets[ref.Name])
		}
	}
	return in
}

// TestRecordedPods builds the Pods that the reference built on a real cluster from the same objects.
func TestRecordedPods(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/recorded/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recordings found: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			t.Parallel()
			features := Features{AwaitSidecars: true, InjectedSidecars: !strings.HasSuffix(file, "-noinjected.yaml")}
			features.Alpha = strings.HasSuffix(file, "-alpha.yaml")
			r := readRecording(t, file)
			if len(r.pods) == 0 {
				t.Fatal("no Pod recorded")
			}
			for _, want := range r.pods {
				got, err := Build(r.input(t, want, features))
				if err != nil {
					t.Errorf("%s: %v", want.Name, err)
					continue
				}
				normalise(want)
				normalise(got)
				exempt(got, want)
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), quantities); diff != "" {
					t.Errorf("%s differs from the recording (-recorded +built):\n%s", want.Name, diff)
				}
			}
		})
	}
}

var quantities = cmp.Comparer(func(a, b resource.Quantity) bool { return a.Cmp(b) == 0 })

// exempt takes away where we differ from the reference on purpose.
func exempt(got, want *corev1.Pod) {
	for i := range got.Spec.Containers {
		c := &got.Spec.Containers[i]
		if at := slices.Index(c.Args, "-termination_budget"); at >= 0 {
			c.Args = slices.Delete(c.Args, at, at+2) // the launcher is told its budget (TestBudget)
		}
		if strings.HasPrefix(c.WorkingDir, v1beta1.WorkspaceDir) && i < len(want.Spec.Containers) {
			if w := &want.Spec.Containers[i]; w.WorkingDir != "" && !strings.HasPrefix(w.WorkingDir, "/") {
				w.WorkingDir = c.WorkingDir // relative ones are resolved (TestWorkingDirs)
			}
		}
	}
	for _, pod := range []*corev1.Pod{got, want} {
		for i := range pod.Spec.InitContainers {
			switch c := &pod.Spec.InitContainers[i]; c.Name {
			case placeScripts: // breakpoints have scripts of our own, with the same effect
				c.Args[1], _, _ = strings.Cut(c.Args[1], "tmpfile=")
			case initWorkingDirs:
				for j, arg := range c.Args {
					if !strings.HasPrefix(arg, "/") {
						c.Args[j] = v1beta1.WorkspaceDir + "/" + arg
					}
				}
			}
		}
	}
}

// normalise takes away what the API server adds, and the parts of names that are random in the reference.
func normalise(pod *corev1.Pod) {
	pod.TypeMeta = metav1.TypeMeta{}
	s := &pod.Spec
	s.Volumes = slices.DeleteFunc(s.Volumes, func(v corev1.Volume) bool { return strings.HasPrefix(v.Name, "kube-api-access-") })
	s.Tolerations, s.DeprecatedServiceAccount, s.TerminationGracePeriodSeconds = nil, "", nil
	s.PreemptionPolicy, s.Priority, s.SchedulerName, s.EnableServiceLinks = nil, nil, "", nil
	s.DNSPolicy, s.SecurityContext = "", nil
	for i := range s.Volumes {
		v := &s.Volumes[i]
		v.Name = unrandom(v.Name)
		if v.DownwardAPI != nil {
			v.DownwardAPI.DefaultMode = nil
			v.DownwardAPI.Items[0].FieldRef.APIVersion = ""
		}
		if v.ConfigMap != nil {
			v.ConfigMap.DefaultMode = nil
		}
		if v.Secret != nil {
			v.Secret.DefaultMode = nil
		}
	}
	for _, containers := range [][]corev1.Container{s.InitContainers, s.Containers} {
		for i := range containers {
			normaliseContainer(&containers[i])
		}
	}
}

func normaliseContainer(c *corev1.Container) {
	c.VolumeMounts = slices.DeleteFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return strings.HasPrefix(m.Name, "kube-api-access-") })
	for i := range c.VolumeMounts {
		c.VolumeMounts[i].Name = unrandom(c.VolumeMounts[i].Name)
	}
	for i := range c.Args {
		c.Args[i] = unrandom(c.Args[i])
	}
	for i := range c.Command {
		c.Command[i] = unrandom(c.Command[i])
	}
	c.ImagePullPolicy = ""
	if c.TerminationMessagePath == "/dev/termination-log" {
		c.TerminationMessagePath = ""
	}
	c.TerminationMessagePolicy = ""
	for name, q := range c.Resources.Limits { // a limit is a request, too, if nothing else is
		if r := c.Resources.Requests[name]; r.Cmp(q) == 0 {
			delete(c.Resources.Requests, name)
		}
	}
	if p := c.ReadinessProbe; p != nil {
		*p = corev1.Probe{ProbeHandler: p.ProbeHandler, PeriodSeconds: p.PeriodSeconds}
	}
}

var (
	random  = regexp.MustCompile(`((?:^ws|\bvol=ws|tekton-internal-secret-volume-[a-z]+|(?:sidecar-)?script-\d+)-)[a-z0-9]{5}\b`)
	scripts = regexp.MustCompile(`(?m)^[A-Za-z0-9+/]{20,}=*$`)
)

func unrandom(s string) string {
	s = random.ReplaceAllString(s, "${1}xxxxx")
	// The names of workspace volumes also occur in scripts, which are base64.
	return scripts.ReplaceAllStringFunc(s, func(encoded string) string {
		data, err := base64.StdEncoding.DecodeString(encoded)
		text := string(data)
		if clean := random.ReplaceAllString(text, "${1}xxxxx"); err == nil && clean != text {
			return clean
		}
		return encoded
	})
}

// TestRecordingsCover fails if the recordings lose one of the features that they are there for.
func TestRecordingsCover(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	files, _ := filepath.Glob("testdata/recorded/*.yaml")
	for _, file := range files {
		for _, pod := range readRecording(t, file).pods {
			for _, c := range pod.Spec.Containers {
				for _, arg := range c.Args {
					if strings.HasPrefix(arg, "-") {
						name, _, _ := strings.Cut(arg, "=")
						seen[name] = true
					}
				}
			}
		}
	}
	for _, flag := range []string{
		"-wait_file", "-post_file", "-results", "-on_error", "-timeout", "-breakpoint_on_failure", "-basic-git", "-basic-docker", "-ssh-git",
	} {
		if !seen[flag] {
			t.Errorf("no recorded Pod has %s; seen: %v", flag, slices.Sorted(maps.Keys(seen)))
		}
	}
}

func parse(t *testing.T, document []byte, into any) {
	t.Helper()
	if err := yaml.Unmarshal(document, into); err != nil {
		t.Fatal(fmt.Errorf("%w in %s", err, document))
	}
}
