package apiserver_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestPodsAreStoredAsARealServerStoresThem takes from a recorded Pod everything
// that a server adds, creates what is left, and wants the recorded Pod back.
func TestPodsAreStoredAsARealServerStoresThem(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/recorded/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no recorded Pods", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			var recorded corev1.Pod
			if err := yaml.UnmarshalStrict(data, &recorded); err != nil {
				t.Fatal(err)
			}
			w := newWorld(t)
			if err := w.CreateNamespace(recorded.Namespace, nil); err != nil {
				t.Fatal(err)
			}
			if name := recorded.Spec.ServiceAccountName; name != apiserver.DefaultServiceAccount {
				w.create(&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: recorded.Namespace, Name: name}})
			}
			pod := recorded.DeepCopy()
			undefault(pod)
			if cmp.Equal(pod.Spec, recorded.Spec) {
				t.Fatal("nothing was taken away")
			}
			w.create(pod)
			// What differs from run to run.
			token := func(p *corev1.Pod) {
				for i := range p.Spec.Volumes {
					if strings.HasPrefix(p.Spec.Volumes[i].Name, apiserver.TokenVolumePrefix) {
						p.Spec.Volumes[i].Name = "token"
					}
				}
				each(p, func(c *corev1.Container) {
					for i := range c.VolumeMounts {
						if strings.HasPrefix(c.VolumeMounts[i].Name, apiserver.TokenVolumePrefix) {
							c.VolumeMounts[i].Name = "token"
						}
					}
				})
				p.UID, p.ResourceVersion, p.CreationTimestamp, p.Status = "", "", metav1.Time{}, corev1.PodStatus{}
			}
			token(pod)
			token(&recorded)
			if d := cmp.Diff(&recorded, pod); d != "" {
				t.Errorf("(-recorded +ours):\n%s", d)
			}
		})
	}
}

func each(p *corev1.Pod, fn func(*corev1.Container)) {
	for i := range p.Spec.InitContainers {
		fn(&p.Spec.InitContainers[i])
	}
	for i := range p.Spec.Containers {
		fn(&p.Spec.Containers[i])
	}
}

// undefault takes away what a server adds to a Pod.
func undefault(p *corev1.Pod) {
	p.UID, p.ResourceVersion, p.CreationTimestamp, p.Generation = "", "", metav1.Time{}, 0
	s := &p.Spec
	s.DNSPolicy, s.EnableServiceLinks, s.PreemptionPolicy, s.Priority, s.SchedulerName = "", nil, nil, nil, ""
	s.SecurityContext, s.DeprecatedServiceAccount, s.TerminationGracePeriodSeconds, s.Tolerations = nil, "", nil, nil
	if s.ServiceAccountName == apiserver.DefaultServiceAccount {
		s.ServiceAccountName = ""
	}
	isToken := func(name string) bool { return strings.HasPrefix(name, apiserver.TokenVolumePrefix) }
	s.Volumes = slices.DeleteFunc(s.Volumes, func(v corev1.Volume) bool { return isToken(v.Name) })
	for i := range s.Volumes {
		v := &s.Volumes[i]
		if d := v.DownwardAPI; d != nil {
			d.DefaultMode = nil
			for j := range d.Items {
				d.Items[j].FieldRef.APIVersion = ""
			}
		}
		if v.Secret != nil {
			v.Secret.DefaultMode = nil
		}
	}
	each(p, func(c *corev1.Container) {
		c.VolumeMounts = slices.DeleteFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return isToken(m.Name) })
		if c.TerminationMessagePath == corev1.TerminationMessagePathDefault {
			c.TerminationMessagePath = ""
		}
		c.TerminationMessagePolicy, c.ImagePullPolicy = "", ""
		if r := c.ReadinessProbe; r != nil {
			r.FailureThreshold, r.SuccessThreshold, r.TimeoutSeconds = 0, 0, 0
		}
	})
}

func TestPodValidation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := resource.MustParse
	for _, test := range []struct {
		reason string
		edit   func(*corev1.Pod)
		want   string // after `Pod "p" is invalid: `
	}{
		{"no containers", func(p *corev1.Pod) { p.Spec.Containers = nil }, `spec.containers: Required value`},
		{"container without a name", func(p *corev1.Pod) { p.Spec.Containers[0].Name = "" }, `spec.containers[0].name: Required value`},
		{"a name with an underscore", func(p *corev1.Pod) { p.Spec.Containers[0].Name = "a_b" },
			`spec.containers[0].name: Invalid value: "a_b": a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')`},
		{"a name of 64 characters", func(p *corev1.Pod) { p.Spec.Containers[0].Name = strings.Repeat("a", 64) },
			`spec.containers[0].name: Invalid value: "` + strings.Repeat("a", 64) + `": must be no more than 63 characters`},
		{"a name twice", func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, p.Spec.Containers[0]) },
			`spec.containers[1].name: Duplicate value: "main"`},
		{"a name twice, once as init container", func(p *corev1.Pod) { p.Spec.InitContainers = p.Spec.Containers },
			`spec.initContainers[0].name: Duplicate value: "main"`},
		{"no image", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "" }, `spec.containers[0].image: Required value`},
		{"an image with a space before it", func(p *corev1.Pod) { p.Spec.Containers[0].Image = " x" },
			`spec.containers[0].image: Invalid value: " x": must not have leading or trailing whitespace`},
		{"a mount of no volume", func(p *corev1.Pod) {
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}}
		}, `spec.containers[0].volumeMounts[0].name: Not found: "v"`},
		{"two mounts in one place", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v"}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v"}, {Name: "v", MountPath: "/v"}}
		}, `spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/v": must be unique`},
		{"a subPath that leads out", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v"}}
			p.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "v", MountPath: "/v", SubPath: "a/../../b"}}
		}, `spec.containers[0].volumeMounts[0].subPath: Invalid value: "a/../../b": must not contain '..'`},
		{"a volume twice", func(p *corev1.Pod) { p.Spec.Volumes = []corev1.Volume{{Name: "v"}, {Name: "v"}} },
			`spec.volumes[1].name: Duplicate value: "v"`},
		{"a volume of two types", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{
				EmptyDir: &corev1.EmptyDirVolumeSource{}, Secret: &corev1.SecretVolumeSource{SecretName: "s"}}}}
		}, `spec.volumes[0]: Forbidden: may not specify more than 1 volume type`},
		{"a secret volume of no secret", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{}}}}
		}, `spec.volumes[0].secret.secretName: Required value`},
		{"a variable without a name", func(p *corev1.Pod) { p.Spec.Containers[0].Env = []corev1.EnvVar{{Value: "x"}} },
			`spec.containers[0].env[0].name: Required value`},
		{"a variable from a field that does not exist", func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "spec.nope"}}}}
		}, `spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.nope": error converting fieldPath: field label not supported: spec.nope`},
		{"a request above its limit", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources = corev1.ResourceRequirements{
				Requests: corev1.ResourceList{"cpu": q("2")}, Limits: corev1.ResourceList{"cpu": q("1")}}
		}, `spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1`},
		{"a resource that does not exist", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": q("-1")}}
		}, ``},
		{"an unknown restart policy", func(p *corev1.Pod) { p.Spec.RestartPolicy = "Sometimes" },
			`spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"`},
		{"a deadline of zero", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = new(int64) },
			`spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive`},
		{"a probe of nothing", func(p *corev1.Pod) { p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{} },
			`spec.containers[0].readinessProbe: Required value: must specify a handler type`},
		{"a probe of an init container", func(p *corev1.Pod) {
			c := p.Spec.Containers[0]
			c.Name, c.LivenessProbe = "init", &corev1.Probe{}
			p.Spec.InitContainers = []corev1.Container{c}
		}, `spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers without restartPolicy=Always`},
		{"several mistakes", func(p *corev1.Pod) { p.Spec.Containers[0].Name, p.Spec.Containers[0].Image = "", "" },
			`[spec.containers[0].name: Required value, spec.containers[0].image: Required value]`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			pod := simplePod("p")
			test.edit(pod)
			want := `Pod "p" is invalid: ` + test.want
			if test.want == "" {
				want = ""
			}
			refused(t, w.c.Create(ctx, pod), 422, metav1.StatusReasonInvalid, want)
		})
	}
}

func TestPodDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := simplePod("p")
	c := &pod.Spec.Containers[0]
	c.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1000m")}
	c.Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}
	c.Ports = []corev1.ContainerPort{{ContainerPort: 80}}
	pod.Spec.Volumes = []corev1.Volume{{Name: "v"}}
	w.create(pod)
	c = &pod.Spec.Containers[0]
	if got := c.Resources.Requests["cpu"]; got.String() != "1" {
		t.Errorf("a limit is the default of the request: %s", got.String())
	}
	if c.Env[0].ValueFrom.FieldRef.APIVersion != "v1" || c.Ports[0].Protocol != corev1.ProtocolTCP || pod.Spec.Volumes[0].EmptyDir == nil {
		t.Errorf("defaults are missing: %+v", c)
	}
	if pod.Status.QOSClass != corev1.PodQOSBurstable {
		t.Errorf("quality of service %s", pod.Status.QOSClass)
	}
	for image, want := range map[string]corev1.PullPolicy{
		"busybox": corev1.PullAlways, "busybox:latest": corev1.PullAlways, "busybox:1": corev1.PullIfNotPresent, "r:5000/busybox": corev1.PullAlways,
		"r:5000/busybox:1": corev1.PullIfNotPresent, "busybox@sha256:" + strings.Repeat("0", 64): corev1.PullIfNotPresent,
	} {
		p := simplePod("")
		p.GenerateName = "p-"
		p.Spec.Containers[0].Image = image
		w.create(p)
		if got := p.Spec.Containers[0].ImagePullPolicy; got != want {
			t.Errorf("pull policy of %s: %s, want %s", image, got, want)
		}
	}
}

func TestPodUpdatesMayChangeLittle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ten, five := int64(10), int64(5)
	for _, test := range []struct {
		reason string
		edit   func(*corev1.Pod)
		want   string // a part of the refusal; empty means it is allowed
	}{
		{"an image", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "nop" }, ""},
		{"a shorter deadline", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = &five }, ""},
		{"one more toleration", func(p *corev1.Pod) {
			p.Spec.Tolerations = append(p.Spec.Tolerations, corev1.Toleration{Key: "k", Operator: corev1.TolerationOpExists})
		}, ""},
		{"a label", func(p *corev1.Pod) { p.Labels = map[string]string{"a": "b"} }, ""},
		{"an empty image", func(p *corev1.Pod) { p.Spec.Containers[0].Image = "" }, `spec.containers[0].image: Required value`},
		{"arguments", func(p *corev1.Pod) { p.Spec.Containers[0].Args = []string{"x"} },
			"spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"},
		{"one more container", func(p *corev1.Pod) {
			p.Spec.Containers = append(p.Spec.Containers, corev1.Container{Name: "b", Image: "b"})
		}, "spec.containers: Forbidden: pod updates may not add or remove containers"},
		{"a removed deadline", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = nil }, "must not update from a positive integer to nil value"},
		{"fewer tolerations", func(p *corev1.Pod) { p.Spec.Tolerations = nil }, "existing toleration can not be modified except its tolerationSeconds"},
		{"the node", func(p *corev1.Pod) { p.Spec.NodeName = "n" }, "spec: Forbidden"},
	} {
		t.Run(test.reason, func(t *testing.T) {
			pod := simplePod("")
			pod.GenerateName = "p-"
			pod.Spec.ActiveDeadlineSeconds = &ten
			w.create(pod)
			test.edit(pod)
			err := w.c.Update(ctx, pod)
			switch {
			case test.want == "" && err != nil:
				t.Error(err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("error %v\nwant it to contain %s", err, test.want)
			}
		})
	}
}

func TestEndedContainersDoNotComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := simplePod("p")
	pod.Spec.RestartPolicy = corev1.RestartPolicyNever
	w.create(pod)
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 1}}}}
	w.updateStatus(pod)
	pod.Status.ContainerStatuses[0].State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	refused(t, w.c.Status().Update(ctx, pod), 422, metav1.StatusReasonInvalid,
		`Pod "p" is invalid: status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state`)
}

// bound returns a Pod that is on a node.
func (w *world) bound(name string) *corev1.Pod {
	w.t.Helper()
	pod := simplePod(name)
	w.create(pod)
	if err := w.c.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: "node"}}); err != nil {
		w.t.Fatal(err)
	}
	w.get(pod)
	return pod
}

func TestBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := w.bound("p")
	if pod.Spec.NodeName != "node" || pod.Generation != 1 || len(pod.Status.Conditions) != 1 || pod.Status.Conditions[0].Type != corev1.PodScheduled {
		t.Errorf("bound: %+v", pod)
	}
	err := w.c.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Name: "other"}})
	refused(t, err, 409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "node"`)
	w.delete(pod)
	err = w.c.SubResource("binding").Create(ctx, pod, &corev1.Binding{Target: corev1.ObjectReference{Name: "other"}})
	refused(t, err, 409, metav1.StatusReasonConflict, `Operation cannot be fulfilled on pods/binding "p": pod p is being deleted, cannot be assigned to a host`)
}

func TestPodDeletionWaitsForTheGracePeriod(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reason string
		pod    func(w *world) *corev1.Pod
		opts   []client.DeleteOption
		grace  int64 // -1: gone at once
	}{
		{"not on a node", func(w *world) *corev1.Pod { p := simplePod("p"); w.create(p); return p }, nil, -1},
		{"on a node", func(w *world) *corev1.Pod { return w.bound("p") }, nil, 30},
		{"on a node, with a grace period of its own", func(w *world) *corev1.Pod { return w.bound("p") }, []client.DeleteOption{client.GracePeriodSeconds(5)}, 5},
		{"on a node, at once", func(w *world) *corev1.Pod { return w.bound("p") }, []client.DeleteOption{client.GracePeriodSeconds(0)}, -1},
		{"ended", func(w *world) *corev1.Pod {
			p := w.bound("p")
			p.Status.Phase = corev1.PodSucceeded
			w.updateStatus(p)
			return p
		}, nil, -1},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			pod := test.pod(w)
			w.run(10*time.Second + 500*time.Millisecond)
			w.delete(pod, test.opts...)
			if gone := w.gone(pod); gone != (test.grace < 0) {
				t.Fatalf("gone: %v", gone)
			} else if gone {
				return
			}
			want := w.k.Now().Truncate(time.Second).Add(time.Duration(test.grace) * time.Second)
			if !pod.DeletionTimestamp.Time.Equal(want) || *pod.DeletionGracePeriodSeconds != test.grace || pod.Generation != 2 {
				t.Errorf("deletion at %v (want %v), grace %d, generation %d", pod.DeletionTimestamp, want, *pod.DeletionGracePeriodSeconds, pod.Generation)
			}
		})
	}
}

func TestGracePeriodsOnlyGetShorter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := w.bound("p")
	w.delete(pod)
	w.get(pod)
	first := pod.DeletionTimestamp.Time
	w.delete(pod, client.GracePeriodSeconds(60))
	w.get(pod)
	if *pod.DeletionGracePeriodSeconds != 30 {
		t.Errorf("a longer grace period was accepted: %d", *pod.DeletionGracePeriodSeconds)
	}
	w.delete(pod, client.GracePeriodSeconds(10))
	w.get(pod)
	if *pod.DeletionGracePeriodSeconds != 10 || !pod.DeletionTimestamp.Time.Equal(first.Add(-20*time.Second)) {
		t.Errorf("grace %d, until %v", *pod.DeletionGracePeriodSeconds, pod.DeletionTimestamp)
	}
	// This is how a kubelet ends it.
	w.delete(pod, client.GracePeriodSeconds(0), client.Preconditions{UID: &pod.UID})
	if !w.gone(pod) {
		t.Error("still there after a deletion with grace 0")
	}
}

func TestFinalizersHoldPodsBeyondTheirGracePeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := w.bound("p")
	pod.Finalizers = []string{"example.com/hold"}
	w.update(pod)
	w.delete(pod, client.GracePeriodSeconds(0))
	w.get(pod)
	pod.Finalizers = nil
	w.update(pod)
	if !w.gone(pod) {
		t.Error("still there without finalizers")
	}
}

func TestEviction(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pod := w.bound("p")
	grace := int64(3)
	if err := w.c.SubResource("eviction").Create(ctx, pod, &policyv1.Eviction{DeleteOptions: &metav1.DeleteOptions{GracePeriodSeconds: &grace}}); err != nil {
		t.Fatal(err)
	}
	w.get(pod)
	if pod.DeletionTimestamp == nil || *pod.DeletionGracePeriodSeconds != 3 {
		t.Errorf("after an eviction: %v", pod.ObjectMeta)
	}
}

func TestAdmissionOfPods(t *testing.T) {
	t.Parallel()
	restricted := map[string]string{"pod-security.kubernetes.io/enforce": "restricted"}
	for _, test := range []struct {
		reason string
		labels map[string]string
		before []client.Object
		edit   func(*corev1.Pod)
		want   string // refusal; empty means admitted
	}{
		{reason: "an account that does not exist", edit: func(p *corev1.Pod) { p.Spec.ServiceAccountName = "none" },
			want: `pods "p" is forbidden: error looking up service account adm/none: serviceaccount "none" not found`},
		{reason: "a generated name, and an account that does not exist", edit: func(p *corev1.Pod) {
			p.Name, p.GenerateName, p.Spec.ServiceAccountName = "", "p-", "none"
		}, want: `pods "p-" is forbidden: error looking up service account adm/none: serviceaccount "none" not found`},
		{reason: "a priority class that does not exist", edit: func(p *corev1.Pod) { p.Spec.PriorityClassName = "none" },
			want: `pods "p" is forbidden: no PriorityClass with name none was found`},
		{reason: "a namespace of restricted Pods, as recorded from a real server", labels: restricted, edit: func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Name: "prepare", Image: "a"}, {Name: "place-scripts", Image: "a"}}
			p.Spec.Containers[0].Name = "step-a"
		}, want: `pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (containers "prepare", "place-scripts", "step-a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (containers "prepare", "place-scripts", "step-a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or containers "prepare", "place-scripts", "step-a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or containers "prepare", "place-scripts", "step-a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`},
		{reason: "a Pod that is restricted enough", labels: restricted, edit: func(p *corev1.Pod) {
			yes, no := true, false
			p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
		}},
		{reason: "a namespace without privileges", labels: map[string]string{"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/enforce-version": "v1.30"},
			edit: func(p *corev1.Pod) {
				yes := true
				p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{Privileged: &yes}
				p.Spec.HostPID = true
				p.Spec.Volumes = []corev1.Volume{{Name: "h", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
			}, want: `pods "p" is forbidden: violates PodSecurity "baseline:v1.30": host namespaces (hostPID=true), hostPath volumes (volume "h"), privileged (container "main" must not set securityContext.privileged=true)`},
		{reason: "a check that is younger than the version of the label", labels: map[string]string{"pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/enforce-version": "v1.30"},
			edit: func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe = hostProbe() }},
		{reason: "the same check in the latest version", labels: map[string]string{"pod-security.kubernetes.io/enforce": "baseline"},
			edit: func(p *corev1.Pod) { p.Spec.Containers[0].LivenessProbe = hostProbe() },
			want: `pods "p" is forbidden: violates PodSecurity "baseline:latest": probe or lifecycle host (container "main" uses probe or lifecycle host "10.0.0.1")`},
		{reason: "an unknown level counts as restricted", labels: map[string]string{"pod-security.kubernetes.io/enforce": "baselin"}, edit: func(p *corev1.Pod) { p.Spec.HostPID = true },
			want: `pods "p" is forbidden: violates PodSecurity "restricted:latest": host namespaces (hostPID=true), allowPrivilegeEscalation != false (container "main" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")`},
		{reason: "an invalid Pod is invalid before it is insecure", labels: restricted, edit: func(p *corev1.Pod) { p.Spec.Containers[0].Image = "" },
			want: `Pod "p" is invalid: spec.containers[0].image: Required value`},
		{reason: "the number of Pods is exceeded", before: []client.Object{quotaOf("pods", "0")},
			want: `pods "p" is forbidden: exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0`},
		{reason: "cpu is exceeded", before: []client.Object{quotaOf("requests.cpu", "1500m")}, edit: func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse("2")}
		}, want: `pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=2, used: requests.cpu=0, limited: requests.cpu=1500m`},
		{reason: "cpu must be specified", before: []client.Object{quotaOf("limits.cpu", "1")},
			want: `pods "p" is forbidden: failed quota: q: must specify limits.cpu for: main`},
		{reason: "a limit above the maximum", before: []client.Object{limitsOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Max: corev1.ResourceList{"cpu": resource.MustParse("1")}})},
			edit: func(p *corev1.Pod) {
				p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("2")}
			}, want: `pods "p" is forbidden: [maximum cpu usage per Container is 1, but limit is 2, maximum cpu usage per Container is 1, but request is 2]`},
	} {
		t.Run(test.reason, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.CreateNamespace("adm", test.labels); err != nil {
				t.Fatal(err)
			}
			for _, o := range test.before {
				o.SetNamespace("adm")
				w.create(o)
			}
			pod := simplePod("p")
			pod.Namespace = "adm"
			if test.edit != nil {
				test.edit(pod)
			}
			err := w.c.Create(ctx, pod)
			switch {
			case test.want == "":
				if err != nil {
					t.Error(err)
				}
			case strings.Contains(test.want, "is invalid"):
				refused(t, err, 422, metav1.StatusReasonInvalid, test.want)
			default:
				refused(t, err, 403, metav1.StatusReasonForbidden, test.want)
			}
		})
	}
}

func quotaOf(name corev1.ResourceName, value string) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q"}, Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{name: resource.MustParse(value)}}}
}

func limitsOf(items ...corev1.LimitRangeItem) *corev1.LimitRange {
	return &corev1.LimitRange{ObjectMeta: metav1.ObjectMeta{Name: "l"}, Spec: corev1.LimitRangeSpec{Limits: items}}
}

func TestQuotasCountPodsUntilTheyEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := quotaOf("pods", "1")
	q.Namespace = "ns"
	w.create(q)
	used := func(want string) {
		t.Helper()
		w.get(q)
		if n := q.Status.Used["pods"]; n.String() != want {
			t.Errorf("used %s, want %s", n.String(), want)
		}
	}
	used("0")
	first := w.bound("first")
	used("1")
	refused(t, w.c.Create(ctx, simplePod("second")), 403, metav1.StatusReasonForbidden,
		`pods "second" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1`)
	first.Status.Phase = corev1.PodSucceeded
	w.updateStatus(first)
	used("0")
	w.create(simplePod("second"))
	used("1")
}

func TestQuotasCountClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	q := quotaOf("requests.storage", "1Gi")
	q.Namespace = "ns"
	w.create(q)
	used := func(want string) {
		t.Helper()
		w.get(q)
		if n := q.Status.Used["requests.storage"]; n.String() != want {
			t.Errorf("used %s, want %s", n.String(), want)
		}
	}
	used("0")
	claim := func(name, size string) *corev1.PersistentVolumeClaim {
		return &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ns"}, Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{"storage": resource.MustParse(size)}},
		}}
	}
	first := claim("first", "600Mi")
	w.create(first)
	used("600Mi")
	refused(t, w.c.Create(ctx, claim("second", "600Mi")), 403, metav1.StatusReasonForbidden,
		`persistentvolumeclaims "second" is forbidden: exceeded quota: q, requested: requests.storage=600Mi, used: requests.storage=600Mi, limited: requests.storage=1Gi`)
	if err := w.c.Delete(ctx, first); err != nil {
		t.Fatal(err)
	}
	used("0")
	w.create(claim("second", "600Mi"))
	used("600Mi")
}

func TestLimitRangesGiveDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	l := limitsOf(corev1.LimitRangeItem{Type: corev1.LimitTypeContainer, Default: corev1.ResourceList{"cpu": resource.MustParse("1")}, DefaultRequest: corev1.ResourceList{"cpu": resource.MustParse("500m")}})
	l.Namespace = "ns"
	w.create(l)
	pod := simplePod("p")
	w.create(pod)
	r := pod.Spec.Containers[0].Resources
	if r.Requests.Cpu().String() != "500m" || r.Limits.Cpu().String() != "1" {
		t.Errorf("resources %+v", r)
	}
	if got, want := pod.Annotations["kubernetes.io/limit-ranger"], "LimitRanger plugin set: cpu request for container main; cpu limit for container main"; got != want {
		t.Errorf("annotation %q, want %q", got, want)
	}
}

func TestServiceAccounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	no := false
	w.create(&corev1.ServiceAccount{
		ObjectMeta:                   metav1.ObjectMeta{Namespace: "ns", Name: "quiet"},
		AutomountServiceAccountToken: &no, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "registry"}},
	})
	pod := simplePod("p")
	pod.Spec.ServiceAccountName = "quiet"
	w.create(pod)
	if len(pod.Spec.Volumes) != 0 || len(pod.Spec.Containers[0].VolumeMounts) != 0 {
		t.Error("a token was mounted")
	}
	if len(pod.Spec.ImagePullSecrets) != 1 || pod.Spec.ImagePullSecrets[0].Name != "registry" {
		t.Errorf("pull secrets %v", pod.Spec.ImagePullSecrets)
	}
	own := simplePod("own")
	own.Spec.Volumes = []corev1.Volume{{Name: "mine"}}
	own.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "mine", MountPath: apiserver.TokenMountPath}}
	w.create(own)
	if len(own.Spec.Volumes) != 1 {
		t.Error("a token volume was added that no container mounts")
	}
}

func TestPriorities(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	never := corev1.PreemptNever
	w.create(&schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "high"}, Value: 7, PreemptionPolicy: &never})
	pod := simplePod("p")
	pod.Spec.PriorityClassName = "high"
	w.create(pod)
	if *pod.Spec.Priority != 7 || *pod.Spec.PreemptionPolicy != corev1.PreemptNever {
		t.Errorf("priority %d, %s", *pod.Spec.Priority, *pod.Spec.PreemptionPolicy)
	}
}

func TestNamespacesEndInTwoSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "ns"}}
	w.delete(ns)
	w.get(ns)
	if ns.Status.Phase != corev1.NamespaceTerminating || ns.DeletionTimestamp == nil || ns.Labels["kubernetes.io/metadata.name"] != "ns" {
		t.Fatalf("after the deletion: %+v", ns)
	}
	refused(t, w.c.Create(ctx, simpleConfigMap("late")), 403, metav1.StatusReasonForbidden,
		`configmaps "late" is forbidden: unable to create new content in namespace ns because it is being terminated`)
	ns.Spec.Finalizers = nil
	if err := w.c.SubResource(apiserver.SubresourceFinalize).Update(ctx, ns); err != nil {
		t.Fatal(err)
	}
	if !w.gone(ns) {
		t.Error("a namespace without finalizers is still there")
	}
}

// hostProbe is a probe with its own host, which the standards refuse since v1.34.
func hostProbe() *corev1.Probe {
	return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Host: "10.0.0.1", Port: intstr.FromInt32(80)}}}
}
