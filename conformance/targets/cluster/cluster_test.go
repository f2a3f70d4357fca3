package cluster_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/internal/controlplane"
	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/reconciler/manager"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// patience is for a machine that is busy with other things.
const patience = 3 * time.Minute

// house is a user's cluster: a control plane with a simulated node, into which the reference was installed.
type house struct {
	plane *envtest.ControlPlane
	admin client.WithWatch
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{plane: controlplane.Start(t, envtest.StartEmpty)}
	scheme, err := manager.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	if h.admin, err = client.NewWithWatch(h.plane.Config, client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return h
}

// furnish installs the reference and runs it, with a node.
func (h *house) furnish(t *testing.T) {
	t.Helper()
	webhooks, health := freeAddress(t), freeAddress(t)
	objects, err := kindconfig.Objects(kindconfig.Options{Images: kindconfig.PublishedAs("example.com", "test"), WebhookURL: "https://" + webhooks})
	if err != nil {
		t.Fatal(err)
	}
	if err := kindconfig.Apply(t.Context(), h.admin, objects, func(*unstructured.Unstructured) {}); err != nil {
		t.Fatal(err)
	}
	host, port, err := net.SplitHostPort(webhooks)
	if err != nil {
		t.Fatal(err)
	}
	images := reference.Images()
	settings, err := manager.ParseFlags([]string{
		"-metrics-address=0", "-health-address=" + health, "-leader-elect=false", "-webhook-address=" + host, "-webhook-port=" + port, "-webhook-hosts=" + host,
		"-entrypoint-image=" + images.Entrypoint, "-nop-image=" + images.Nop, "-workingdirinit-image=" + images.WorkingDirInit, "-shell-image=" + images.Shell,
	}, &bytes.Buffer{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		if err := manager.Run(ctx, h.plane.Config, settings.Options); err != nil {
			t.Errorf("the controller ended: %v", err)
		}
	})
	n, err := node.Start(ctx, node.Options{Config: h.plane.Config, Endpoint: &node.Endpoint{}})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if n != nil {
			if err := n.Stop(); err != nil {
				t.Error(err)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the controller is ready", func() error {
		answer, err := http.Get("http://" + health + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			return fmt.Errorf("it is not: %s", answer.Status)
		}
		return nil
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func eventually(t *testing.T, what string, f func() error) {
	t.Helper()
	var last error
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		last = f()
		return last == nil, nil
	}); err != nil {
		t.Fatalf("%s: %v (%v)", what, err, last)
	}
}

// configuration may be changed, but for one key.
func configuration() *conformance.SubjectConfiguration {
	return &conformance.SubjectConfiguration{Namespace: kindconfig.Namespace, Changes: []conformance.SubjectConfigChange{
		{Of: "feature-flags", Keys: []string{"*"}},
		{Of: "config-defaults", Keys: []string{"default-managed-by-label-value"}},
	}}
}

// TestTheReferenceAsInstalled judges the reference as a foreign implementation: through the API server alone.
func TestTheReferenceAsInstalled(t *testing.T) {
	h := newHouse(t)
	t.Run("nothing is installed", func(t *testing.T) {
		_, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config})
		if want := new(cluster.NotInstalledError); !errors.As(err, &want) {
			t.Errorf("got %v", err)
		}
	})
	h.furnish(t)
	before := h.configMaps(t)
	t.Run("fixtures", func(t *testing.T) { h.fixtures(t) })
	if diff := cmp.Diff(before, h.configMaps(t)); diff != "" {
		t.Errorf("the configuration is not what it was (-want +got):\n%s", diff)
	}
	t.Run("containers", func(t *testing.T) { h.containers(t) })
	t.Run("interrupted", func(t *testing.T) { h.interrupted(t) })
	if diff := cmp.Diff(before, h.configMaps(t)); diff != "" {
		t.Errorf("after an interrupt the configuration is not what it was (-want +got):\n%s", diff)
	}
	t.Run("the API server is restarted", func(t *testing.T) { h.restarted(t) })
	t.Run("killed", func(t *testing.T) { h.killed(t) })
	if diff := cmp.Diff(before, h.configMaps(t)); diff != "" {
		t.Errorf("after a run that was killed, and another one, the configuration is not what it was (-want +got):\n%s", diff)
	}
}

// configMaps are the configuration, without what the API server adds.
func (h *house) configMaps(t *testing.T) map[string]corev1.ConfigMap {
	t.Helper()
	out := map[string]corev1.ConfigMap{}
	for _, name := range []string{"feature-flags", "config-defaults"} {
		m := corev1.ConfigMap{}
		if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: kindconfig.Namespace, Name: name}, &m); err != nil {
			t.Fatal(err)
		}
		m.ResourceVersion, m.ManagedFields = "", nil
		if len(m.Annotations) == 0 {
			m.Annotations = nil
		}
		out[name] = m
	}
	return out
}

// fixtures are judged under three configurations, with images that are called otherwise here.
func (h *house) fixtures(t *testing.T) {
	target, err := cluster.New(t.Context(), cluster.Options{
		Config: h.plane.Config, Configuration: configuration(), Images: map[string]string{"alpine": "docker.io/library/alpine"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t, target)
	claims := reference.Claims()
	claims.Served = map[string][]string{"taskruns": {"v1beta1", "v2"}}
	claims.Features = slices.DeleteFunc(claims.Features, func(f string) bool { return f == "overrides" })
	report, err := conformance.Judge(t.Context(), conformance.Options{
		Target: target, Implementation: reference.Implementation(), Claims: claims, Date: time.Now(), TryUnclaimed: true, NamespacePrefix: "house-",
		Filter: conformance.Filter{Names: []string{
			"single-step-succeeds", "timeout-fails-the-run", "taskref-and-taskspec-refused", "managed-by-label", "object-params", "out-of-memory",
			"default-timeout-is-configurable", "timeout-of-an-hour", "compute-resources-of-the-run", "v1-timeout", "step-runs-in-its-image", "overrides-*", "shares-are-whole", "gated-fields-refused", "gate-is-read-in-any-case", "gate-wording",
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"single-step-succeeds":            "pass",
		"timeout-fails-the-run":           "pass",
		"taskref-and-taskspec-refused":    "pass",
		"managed-by-label":                "pass",
		"object-params":                   "pass",
		"step-runs-in-its-image":          "pass",
		"out-of-memory":                   "not-on-this-target: target cluster does not provide realKubelet",
		"timeout-of-an-hour":              "not-on-this-target: target cluster does not provide virtualTime",
		"default-timeout-is-configurable": "unsupported: needs key default-timeout-minutes of config-defaults, which may not be set on target cluster",
		"compute-resources-of-the-run":    "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"overrides-need-a-name":           "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"overrides-replace-resources":     "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"overrides-take-only-resources":   "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"shares-are-whole":                "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"gated-fields-refused":            "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"gate-wording":                    "unsupported: feature overrides is not claimed; it was tried, and the fixture passes",
		"gate-is-read-in-any-case":        "unsupported: feature overrides is not claimed",
		"v1-timeout":                      "unsupported: TaskRun in tekton.dev/v1 is not claimed",
	}
	got := map[string]string{}
	for _, f := range report.Fixtures {
		got[f.Name] = string(f.Verdict)
		if f.Reason != "" {
			got[f.Name] += ": " + f.Reason
		}
		if f.Failure != nil {
			t.Errorf("%s", render.Explain(&f))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	var findings []string
	for _, f := range report.Findings {
		findings = append(findings, string(f.Kind)+" "+f.Of)
	}
	if diff := cmp.Diff([]string{"claimed-version-not-served taskruns.tekton.dev/v2", "unclaimed-version-served taskruns.tekton.dev/v1"}, findings); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if report.Result != reports.Partial {
		t.Errorf("the result is %s: %q", report.Result, report.Reasons)
	}
	var left corev1.NamespaceList
	if err := h.admin.List(t.Context(), &left, client.MatchingLabels{"app.kubernetes.io/managed-by": "plumbline"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range left.Items {
		if n.DeletionTimestamp == nil || !strings.HasPrefix(n.Name, "house-") {
			t.Errorf("namespace %s is left", n.Name)
		}
	}
}

// containers are reached through the API server.
func (h *house) containers(t *testing.T) {
	target, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config})
	if err != nil {
		t.Fatal(err)
	}
	c, err := target.Start(t.Context(), conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const namespace = "containers"
	if err := c.CreateNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	if _, err := target.Start(t.Context(), conformance.Setup{}); err == nil {
		t.Error("two configurations are in force at a time")
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "talks", Namespace: namespace}, Spec: corev1.PodSpec{
		RestartPolicy: corev1.RestartPolicyNever,
		Containers:    []corev1.Container{{Name: "main", Image: "busybox", Command: []string{"sh", "-c", "echo one; sleep 600"}}},
	}}
	if err := h.admin.Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the container talks", func() error {
		text, err := c.Logs(t.Context(), namespace, "talks", "main")
		if err == nil && text != "one\n" {
			err = fmt.Errorf("its log is %q", text)
		}
		return err
	})
	out, errs, code, err := c.Exec(t.Context(), namespace, "talks", "main", []string{"sh", "-c", "echo out; echo err >&2; exit 3"})
	if out != "out\n" || errs != "err\n" || code != 3 || err != nil {
		t.Errorf("a command ends with %q, %q, %d, %v", out, errs, code, err)
	}
	if _, _, code, err = c.Exec(t.Context(), namespace, "talks", "main", []string{"true"}); code != 0 || err != nil {
		t.Errorf("true ends with %d, %v", code, err)
	}
	if _, err := c.Logs(t.Context(), namespace, "nosuch", "main"); err == nil {
		t.Error("a Pod that does not exist has a log")
	}
	if _, _, _, err := c.Exec(t.Context(), namespace, "nosuch", "main", []string{"true"}); err == nil {
		t.Error("a command runs in a Pod that does not exist")
	}
}

// interrupted ends a run in the middle of a changed configuration.
func (h *house) interrupted(t *testing.T) {
	target, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config, Configuration: configuration()})
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t, target)
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan *reports.ConformanceReport, 1)
	go func() {
		report, err := conformance.Judge(ctx, conformance.Options{
			Target: target, Claims: reference.Claims(), Date: time.Now(), Filter: conformance.Filter{Names: []string{"managed-by-label"}},
		})
		if err != nil {
			t.Error(err)
		}
		ended <- report
	}()
	eventually(t, "the configuration is changed", func() error {
		if value := h.configMaps(t)["config-defaults"].Data["default-managed-by-label-value"]; value != "the-house" {
			return fmt.Errorf("it is %q", value)
		}
		return nil
	})
	interrupt()
	report := <-ended
	if report == nil || report.Result != reports.Incomplete {
		t.Errorf("the report of a run that was interrupted: %+v", report)
	}
}

// restarted restarts the API server in the middle of two fixtures: what is seen to come about passes, and what must never
// be is not said to be well if something may not have been seen.
func (h *house) restarted(t *testing.T) {
	target, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config})
	if err != nil {
		t.Fatal(err)
	}
	const (
		spec = "apiVersion: plumbline.dev/v1alpha1\nkind: Fixture\nmetadata: {name: %s}\nspec:\n  requirement: it is waited for\n  profile: taskrun-core\n  level: required\n" +
			"  component: controller\n  then: [%s]\n---\napiVersion: tekton.dev/v1beta1\nkind: TaskRun\nmetadata: {name: r}\nspec: {taskSpec: {steps: [{name: s, image: busybox, script: sleep 15}]}}\n"
		succeeds = "{eventually: {on: taskrun/r, match: {status: {conditions: [{type: Succeeded, status: 'True'}]}}}}"
		never    = "{never: {on: taskrun/r, match: {status: {podName: other}}, for: 20s}}"
	)
	var list []*fixture.Fixture
	for name, then := range map[string]string{"comes-about": succeeds, "never": never} {
		f, err := fixture.Load(name+".yaml", fmt.Appendf(nil, spec, name, then))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	ended := make(chan *reports.ConformanceReport, 1)
	go func() {
		report, err := conformance.Judge(t.Context(), conformance.Options{Target: target, Claims: reference.Claims(), Date: time.Now(), Fixtures: list, NamespacePrefix: "again-"})
		if err != nil {
			t.Error(err)
		}
		ended <- report
	}()
	eventually(t, "both steps run", func() error {
		var pods corev1.PodList
		if err := h.admin.List(t.Context(), &pods); err != nil {
			return err
		}
		running := 0
		for i := range pods.Items {
			if p := &pods.Items[i]; strings.HasPrefix(p.Namespace, "again-") && p.Status.Phase == corev1.PodRunning {
				running++
			}
		}
		if running != len(list) {
			return fmt.Errorf("%d do", running)
		}
		return nil
	})
	if err := h.plane.RestartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	report := <-ended
	if report == nil {
		t.FailNow()
	}
	for _, f := range report.Fixtures {
		gaps := slices.ContainsFunc(f.Evidence, func(e reports.Evidence) bool { return e.Check == "watch" })
		t.Logf("%s: %s %s, with a gap among the evidence: %t", f.Name, f.Verdict, f.Reason, gaps)
		switch {
		case f.Verdict == reports.Pass && (f.Name == "comes-about" || !gaps):
		case f.Verdict == reports.Error && f.Name == "never" && strings.Contains(f.Reason, "the watch missed versions"):
		default:
			t.Errorf("%s: %s %s\n%s", f.Name, f.Verdict, f.Reason, render.Explain(&f))
		}
	}
}

// killed leaves a changed configuration behind, as who is killed does, and judges under the one that was there.
func (h *house) killed(t *testing.T) {
	target, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config, Configuration: configuration()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := target.Start(t.Context(), conformance.Setup{Config: fixture.Config{"feature-flags": {"enable-api-fields": "alpha"}}}); err != nil {
		t.Fatal(err)
	}
	if value := h.configMaps(t)["feature-flags"].Data["enable-api-fields"]; value != "alpha" {
		t.Fatalf("the configuration is not changed: %q", value)
	}
	next, err := cluster.New(t.Context(), cluster.Options{Config: h.plane.Config, Configuration: configuration()})
	if err != nil {
		t.Fatal(err)
	}
	defer leave(t, next)
	if used := new(cluster.InUseError); !errors.As(next.Hold(t.Context(), kindconfig.Namespace), &used) || used.Heard.IsZero() {
		t.Errorf("a second run beside the first one: %v", used)
	}
	// As time would do.
	lease := &coordinationv1.Lease{}
	if err := h.admin.Get(t.Context(), client.ObjectKey{Namespace: kindconfig.Namespace, Name: "plumbline-run"}, lease); err != nil {
		t.Fatal(err)
	}
	lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now().Add(-time.Minute)}
	if err := h.admin.Update(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	c, err := next.Start(t.Context(), conformance.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func leave(t *testing.T, target *cluster.Target) {
	t.Helper()
	if err := target.Close(); err != nil {
		t.Error(err)
	}
}

// TestImagesAreMapped goes there and back.
func TestImagesAreMapped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason        string
		images        map[string]string
		fixture, here string
	}{
		{"a name", map[string]string{"busybox": "example.com/bb"}, "busybox", "example.com/bb"},
		{"an image without a mapping stays", map[string]string{"busybox": "example.com/bb"}, "alpine", "alpine"},
		{"a name without a tag stands for all", map[string]string{"busybox": "example.com/bb"}, "busybox:1.36", "example.com/bb:1.36"},
		{"a port is not a tag", map[string]string{"localhost:5000/a": "example.com/a"}, "localhost:5000/a", "example.com/a"},
		{"a digest is kept", map[string]string{"busybox": "example.com/bb"}, "busybox@sha256:00", "example.com/bb@sha256:00"},
		{"of two, the one that is meant", map[string]string{"busybox": "e.com/a", "alpine": "e.com/ab"}, "alpine", "e.com/ab"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			here, back, err := cluster.MapImage(tt.images, tt.fixture)
			if err != nil || here != tt.here || back != tt.fixture {
				t.Errorf("%s is %s here (want %s), and back %s: %v", tt.fixture, here, tt.here, back, err)
			}
		})
	}
	if _, _, err := cluster.MapImage(map[string]string{"busybox": "x", "alpine": "x"}, "x"); err == nil {
		t.Error("two images are mapped to one")
	}
}

// TestSimulatedNodesAreNotReal: a simulated kubelet proves nothing about kubelets.
func TestSimulatedNodesAreNotReal(t *testing.T) {
	t.Parallel()
	of := func(version string, ready corev1.ConditionStatus, labels map[string]string) corev1.Node {
		return corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Status: corev1.NodeStatus{
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}}, NodeInfo: corev1.NodeSystemInfo{KubeletVersion: version},
		}}
	}
	real, down := of("v1.36.3", corev1.ConditionTrue, nil), of("v1.36.3", corev1.ConditionFalse, nil)
	nameless := of("", corev1.ConditionTrue, nil)
	ours := of("v1.36.3", corev1.ConditionTrue, map[string]string{node.LabelSimulated: "true"})
	kwok := of("v1.36.3", corev1.ConditionTrue, map[string]string{"type": "kwok"})
	for reason, tt := range map[string]struct {
		nodes []corev1.Node
		want  bool
	}{
		"no node":                        {nil, false},
		"a kubelet":                      {[]corev1.Node{real}, true},
		"a kubelet that is not ready":    {[]corev1.Node{down}, false},
		"one of two is down":             {[]corev1.Node{real, down}, true},
		"a kubelet without a version":    {[]corev1.Node{nameless}, false},
		"one of two is simulated":        {[]corev1.Node{real, ours}, false},
		"our simulation":                 {[]corev1.Node{ours}, false},
		"another program's simulation":   {[]corev1.Node{kwok}, false},
		"a node that has nothing to say": {[]corev1.Node{{}}, false},
	} {
		if got := cluster.RealNodes(tt.nodes); got != tt.want {
			t.Errorf("%s: got %t, want %t", reason, got, tt.want)
		}
	}
}
