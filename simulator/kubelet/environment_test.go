package kubelet

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestExpansion(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"A": "1", "B": "$(A)", "EMPTY": ""}
	lookup := func(n string) (string, bool) { v, ok := vars[n]; return v, ok }
	for _, row := range []struct{ reason, in, want string }{
		{"a reference", "x$(A)y", "x1y"},
		{"values are not expanded again", "$(B)", "$(A)"},
		{"an empty value is a value", "[$(EMPTY)]", "[]"},
		{"unknown names stay", "$(NOPE)", "$(NOPE)"},
		{"two dollars are one", "$$(A)", "$(A)"},
		{"three dollars", "$$$(A)", "$1"},
		{"an open reference stays", "$(A", "$(A"},
		{"a lone dollar stays", "a$", "a$"},
		{"shell variables stay", "$A ${A}", "$A ${A}"},
		{"two in a row", "$(A)$(A)", "11"},
	} {
		if got := expand(row.in, lookup); got != row.want {
			t.Errorf("%s: expand(%q) = %q, want %q", row.reason, row.in, got, row.want)
		}
	}
}

func FuzzExpansion(f *testing.F) {
	for _, s := range []string{"", "$", "$$", "$(", "$(A)", "$$(A)$(B", "a$(A)$"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		none := expand(s, func(string) (string, bool) { return "", false })
		if !strings.Contains(s, "$$") && none != s {
			t.Errorf("expand(%q) without variables = %q", s, none)
		}
	})
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	cm := &corev1.ConfigMap{Data: map[string]string{"ONE": "1", "TWO": "2"}}
	cm.Namespace, cm.Name = "ns", "m"
	s := &corev1.Secret{Data: map[string][]byte{"KEY": []byte("secret")}}
	s.Namespace, s.Name = "ns", "s"
	_ = w.api.Create(context.Background(), cm)
	_ = w.api.Create(context.Background(), s)
	p := pod("c:c")
	p.Annotations = map[string]string{"a/b": "annotated"}
	p.Labels = map[string]string{"l": "labelled"}
	ref := corev1.LocalObjectReference{Name: "m"}
	secretRef := corev1.LocalObjectReference{Name: "s"}
	may := true
	field := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	c := &p.Spec.Containers[0]
	c.Resources.Limits = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1500m"), corev1.ResourceMemory: resource.MustParse("64Mi")}
	c.EnvFrom = []corev1.EnvFromSource{
		{Prefix: "P_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: ref}},
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: secretRef}},
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "none"}, Optional: &may}},
	}
	c.Env = []corev1.EnvVar{
		{Name: "FIRST", Value: "a"}, {Name: "SECOND", Value: "$(FIRST)-$(P_ONE)-$(LATER)"}, {Name: "FIRST", Value: "b"},
		{Name: "KEYED", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: ref, Key: "TWO"}}},
		{Name: "ABSENT", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: secretRef, Key: "no", Optional: &may}}},
		{Name: "NAME", ValueFrom: field("metadata.name")}, {Name: "NS", ValueFrom: field("metadata.namespace")},
		{Name: "ANN", ValueFrom: field("metadata.annotations['a/b']")}, {Name: "LABEL", ValueFrom: field("metadata.labels['l']")},
		{Name: "NODE", ValueFrom: field("spec.nodeName")}, {Name: "SA", ValueFrom: field("spec.serviceAccountName")},
		{Name: "CPU", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.cpu"}}},
		{Name: "MEM", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory", Divisor: resource.MustParse("1Mi")}}},
		{Name: "REQ", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "requests.cpu"}}},
	}
	c.Command = []string{"run", "$(SECOND)"}
	c.Args = []string{"$(KEYED)", "$$(KEYED)", "$(UNKNOWN)"}
	w.create(p)
	w.until(func() bool { return w.shows("c=running") })
	got := w.e.configs["c"]
	var env []string
	for _, kv := range got.Env {
		if !strings.HasPrefix(kv, "KUBERNETES_") {
			env = append(env, kv)
		}
	}
	want := []string{"P_ONE=1", "P_TWO=2", "KEY=secret", "FIRST=b", "SECOND=a-1-$(LATER)", "KEYED=2", "NAME=p", "NS=ns", "ANN=annotated",
		"LABEL=labelled", "NODE=node", "SA=default", "CPU=2", "MEM=64", "REQ=0"}
	if diff := cmp.Diff(want, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"run", "a-1-$(LATER)"}, {"2", "$(KEYED)", "$(UNKNOWN)"}}, [][]string{got.Command, got.Args}); diff != "" {
		t.Errorf("command and args (-want +got):\n%s", diff)
	}
	if len(got.Env)-len(env) != 8 || got.MemoryLimit != 64<<20 || got.Hostname != "p" {
		t.Errorf("config %+v", got)
	}
}

// TestServiceVariablesAreEachContainersOwn: overriding them in one Pod leaves the
// next one alone.
func TestServiceVariablesAreEachContainersOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	cm := &corev1.ConfigMap{Data: map[string]string{"KUBERNETES_SERVICE_HOST": "elsewhere"}}
	cm.Namespace, cm.Name = "ns", "m"
	_ = w.api.Create(context.Background(), cm)
	p := pod("c:c")
	p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "m"}}}}
	w.create(p)
	q := pod("d:c")
	q.Name = "q"
	w.create(q)
	w.run(5 * second)
	for name, want := range map[string]string{"c": "elsewhere", "d": "10.96.0.1"} {
		if got := w.e.configs[name].Env[0]; got != "KUBERNETES_SERVICE_HOST="+want {
			t.Errorf("container %s sees %s", name, got)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	t.Parallel()
	yes := true
	zero := int64(0)
	for _, row := range []struct {
		reason string
		edit   func(p *corev1.Pod)
		want   string
	}{
		{"a missing secret", func(p *corev1.Pod) {
			p.Spec.Containers[0].EnvFrom = []corev1.EnvFromSource{{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: corev1.LocalObjectReference{Name: "nosuch"}}}}
		}, `secret "nosuch" not found`},
		{"a missing key", func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = []corev1.EnvVar{{Name: "A", ValueFrom: &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: "m"}, Key: "nokey"}}}}
		}, `couldn't find key nokey in ConfigMap ns/m`},
		{"root is not allowed", func(p *corev1.Pod) { p.Spec.SecurityContext = &corev1.PodSecurityContext{RunAsNonRoot: &yes} },
			`container has runAsNonRoot and image will run as root (pod: "p_ns(uid-p)", container: c)`},
		{"root by number", func(p *corev1.Pod) {
			p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{RunAsNonRoot: &yes, RunAsUser: &zero}
		}, `container's runAsUser breaks non-root policy (pod: "p_ns(uid-p)", container: c)`},
	} {
		w := newWorld(t, 1, Faults{})
		cm := &corev1.ConfigMap{}
		cm.Namespace, cm.Name = "ns", "m"
		_ = w.api.Create(context.Background(), cm)
		p := pod("c:c")
		row.edit(p)
		w.create(p)
		w.until(func() bool { return w.shows("CreateContainerConfigError") })
		if got := w.api.pod("p").Status.ContainerStatuses[0].State.Waiting.Message; got != row.want {
			t.Errorf("%s: %q, want %q", row.reason, got, row.want)
		}
	}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	cm := &corev1.ConfigMap{Data: map[string]string{"one": "1", "two": "2"}, BinaryData: map[string][]byte{"bin": {0, 1}}}
	cm.Namespace, cm.Name = "ns", "m"
	s := &corev1.Secret{Data: map[string][]byte{"key": []byte("secret")}}
	s.Namespace, s.Name = "ns", "s"
	_ = w.api.Create(context.Background(), cm)
	_ = w.api.Create(context.Background(), s)
	ref := corev1.LocalObjectReference{Name: "m"}
	open, closed := int32(0o444), int32(0o400)
	limit := resource.MustParse("1Mi")
	p := pod("c:c")
	p.Labels = map[string]string{"b": `say "x"`, "a": "1"}
	p.Spec.Volumes = []corev1.Volume{
		{Name: "memory", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: &limit}}},
		{Name: "map", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: ref}}},
		{Name: "items", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "s", DefaultMode: &open,
			Items: []corev1.KeyToPath{{Key: "key", Path: "dir/file", Mode: &closed}}}}},
		{Name: "token", VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{
			{ServiceAccountToken: &corev1.ServiceAccountTokenProjection{Path: "token"}},
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: ref, Items: []corev1.KeyToPath{{Key: "one", Path: "ca.crt"}}}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "labels", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.labels"}}}}},
		}}}},
		{Name: "host", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/x"}}},
	}
	w.create(p)
	w.until(func() bool { return w.shows("c=running") })
	type file struct {
		Data string
		Mode uint32
	}
	got := make([]map[string]file, len(w.e.volumes))
	for i, v := range w.e.volumes {
		got[i] = map[string]file{}
		for name, f := range v.files {
			if name == "token" {
				if n := strings.Count(string(f.Data), "."); n != 2 {
					t.Errorf("the token has %d dots", n)
				}
				f.Data = []byte("TOKEN")
			}
			got[i][name] = file{string(f.Data), f.Mode}
		}
	}
	want := []map[string]file{
		{},
		{"one": {"1", 0o644}, "two": {"2", 0o644}, "bin": {"\x00\x01", 0o644}},
		{"dir/file": {"secret", 0o400}},
		{"token": {"TOKEN", 0o600}, "ca.crt": {"1", 0o644}, "labels": {"a=\"1\"\nb=\"say \\\"x\\\"\"", 0o644}},
		{},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	if o := w.e.volumes[0].options; !o.Memory || o.SizeLimit != 1<<20 {
		t.Errorf("options of the emptyDir: %+v", o)
	}
}

func TestClaimsAreShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	claim := &corev1.PersistentVolumeClaim{Status: corev1.PersistentVolumeClaimStatus{Phase: corev1.ClaimBound}}
	claim.Namespace, claim.Name = "ns", "data"
	_ = w.api.Create(context.Background(), claim)
	for _, name := range []string{"p", "q"} {
		p := pod("c:c")
		p.Name = name
		p.Spec.Volumes = []corev1.Volume{{Name: "d", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
		w.create(p)
	}
	w.run(10 * second)
	if len(w.e.started) != 2 || len(w.e.volumes) != 1 {
		t.Errorf("%d containers started over %d volumes, want 2 over 1", len(w.e.started), len(w.e.volumes))
	}
}

func TestPullPolicies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		reason, image string
		policy        corev1.PullPolicy
		want          string // in the events
		state         string
	}{
		{"present", "c", corev1.PullIfNotPresent, `Normal Pulled Container image "c" already present on machine`, "c=running"},
		{"always pulls again", "c", corev1.PullAlways, `Normal Pulling Pulling image "c"`, "c=running"},
		{"absent", "remote/c", corev1.PullIfNotPresent, `Normal Pulling Pulling image "remote/c"`, "c=running"},
		{"never pulls", "remote/c", corev1.PullNever, `Warning ErrImageNeverPull Container image "remote/c" is not present with pull policy of Never`, "ErrImageNeverPull"},
		{"no reference at all", "BAD NAME", corev1.PullIfNotPresent, `Warning InspectFailed Failed to apply default image tag "BAD NAME"`, "InvalidImageName"},
		{"cannot be had", "registry.invalid/x", corev1.PullAlways, `Warning Failed Failed to pull image "registry.invalid/x": failed to pull and unpack`, "ErrImagePull"},
	} {
		w := newWorld(t, 1, Faults{})
		p := pod("c:c")
		p.Spec.Containers[0].Image, p.Spec.Containers[0].ImagePullPolicy = row.image, row.policy
		w.create(p)
		w.until(func() bool { return w.shows(row.state) })
		if !strings.Contains(strings.Join(w.api.events, "\n"), row.want) {
			t.Errorf("%s: events %q", row.reason, w.api.events)
		}
	}
}
