package manager

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	apiconfig "github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
)

func newClient(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme, err := Scheme()
	if err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func configMap(namespace, name, key, value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{key: value}}
}

func TestConfigurationIsTakenOverUnlessItIsBad(t *testing.T) {
	t.Parallel()
	var told []string
	log := funcr.New(func(_, args string) { told = append(told, args) }, funcr.Options{})
	store := apiconfig.NewStore()
	minutes := func(want int) {
		t.Helper()
		if got := store.Now().Defaults.TimeoutMinutes; got != want {
			t.Errorf("the timeout is %d minutes, want %d", got, want)
		}
	}
	c := newClient(t, configMap("system", apiconfig.DefaultsName, apiconfig.KeyTimeoutMinutes, "5"))
	if err := load(t.Context(), c, "system", store, log); err != nil {
		t.Fatal(err)
	}
	minutes(5)
	take(configMap("system", apiconfig.DefaultsName, apiconfig.KeyTimeoutMinutes, "6"), "system", store, log)
	minutes(6)
	if len(told) > 0 {
		t.Errorf("it complains of what is good: %q", told)
	}
	take(configMap("system", apiconfig.DefaultsName, apiconfig.KeyTimeoutMinutes, "soon"), "system", store, log)
	minutes(6)
	if len(told) != 1 || !strings.Contains(told[0], apiconfig.DefaultsName) {
		t.Errorf("of what is bad it tells %q", told)
	}
	take(configMap("system", apiconfig.FeatureFlagsName, apiconfig.KeyEnableAPIFields, apiconfig.AlphaAPIFields), "system", store, log)
	if !store.Now().FeatureFlags.Alpha() {
		t.Error("one bad ConfigMap holds up the other")
	}
	take(configMap("elsewhere", apiconfig.DefaultsName, apiconfig.KeyTimeoutMinutes, "7"), "system", store, log)
	take("no ConfigMap", "system", store, log)
	minutes(6)
	take(configMap("system", apiconfig.DefaultsName, "nothing", "we know"), "system", store, log)
	minutes(60)
}

// scrape is what Prometheus sees of our metrics, without the buckets.
func scrape(t *testing.T, from prometheus.Gatherer) []string {
	t.Helper()
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(from, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	var out []string
	for line := range strings.Lines(answer.Body.String()) {
		if !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return out
}

func taskRun(name, task string, status corev1.ConditionStatus, reason string, took time.Duration) *v1beta1.TaskRun {
	start := metav1.NewTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	tr := &v1beta1.TaskRun{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: types.UID(name), CreationTimestamp: start}}
	if task != "" {
		tr.Spec.TaskRef = &v1beta1.TaskRef{Name: task}
	}
	if status != "" {
		tr.Status.StartTime = &start
		tr.Status.SetCondition(v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason}, start)
	}
	if took > 0 {
		tr.Status.CompletionTime = &metav1.Time{Time: start.Add(took)}
	}
	return tr
}

func TestMetricsUnderNamesThatPeopleKnow(t *testing.T) {
	t.Parallel()
	running := taskRun("r", "t", corev1.ConditionUnknown, "Running", 0)
	c := newClient(t, running, taskRun("fresh", "", "", "", 0), taskRun("over", "t", corev1.ConditionTrue, "Succeeded", time.Second))
	controller := taskrun.Controller()
	m := newRuns(&controller, c, c.Scheme())
	registry := prometheus.NewRegistry()
	if err := registry.Register(m); err != nil {
		t.Fatal(err)
	}
	done := taskRun("r", "t", corev1.ConditionTrue, "Succeeded", 90*time.Second)
	m.changed(running, done)
	if got := scrape(t, registry); got != nil {
		t.Errorf("who does not lead tells %q", got)
	}
	m.leads.Store(true)
	m.changed(running, running)                                                                               // goes on
	m.changed(running, done)                                                                                  // ends
	m.changed(done, done)                                                                                     // is over
	m.changed(running, taskRun("other", "t", corev1.ConditionTrue, "Succeeded", time.Second))                 // is another one
	m.changed(running, taskRun("r", "", corev1.ConditionFalse, "Failed", 10*time.Second))                     // a Task of its own
	m.changed(running, taskRun("r", "t", corev1.ConditionFalse, v1beta1.TaskRunReasonCancelled, time.Second)) // a user's wish
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", UID: "p", Labels: map[string]string{v1beta1.LabelTaskRun: "r"}}}
	placed := pod.DeepCopy()
	placed.Spec.NodeName = "node"
	placed.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(running.CreationTimestamp.Add(3 * time.Second))}}
	m.placed(pod, pod)
	m.placed(pod, placed)
	m.placed(placed, placed)
	want := []string{
		`tekton_pipelines_controller_running_taskruns_count 2`,
		`tekton_pipelines_controller_taskrun_count{status="cancelled"} 1`,
		`tekton_pipelines_controller_taskrun_count{status="failed"} 1`,
		`tekton_pipelines_controller_taskrun_count{status="success"} 1`,
		`tekton_pipelines_controller_taskrun_duration_seconds_sum{namespace="n",status="cancelled",task="t"} 1`,
		`tekton_pipelines_controller_taskrun_duration_seconds_count{namespace="n",status="cancelled",task="t"} 1`,
		`tekton_pipelines_controller_taskrun_duration_seconds_sum{namespace="n",status="failed",task="anonymous"} 10`,
		`tekton_pipelines_controller_taskrun_duration_seconds_count{namespace="n",status="failed",task="anonymous"} 1`,
		`tekton_pipelines_controller_taskrun_duration_seconds_sum{namespace="n",status="success",task="t"} 90`,
		`tekton_pipelines_controller_taskrun_duration_seconds_count{namespace="n",status="success",task="t"} 1`,
		`tekton_pipelines_controller_taskruns_pod_latency_seconds_sum{namespace="n"} 3`,
		`tekton_pipelines_controller_taskruns_pod_latency_seconds_count{namespace="n"} 1`,
	}
	if diff := cmp.Diff(want, scrape(t, registry)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
}

// counting counts reconciles.
func TestFlags(t *testing.T) {
	t.Parallel()
	needed := []string{"-entrypoint-image=e", "-nop-image=n", "-workingdirinit-image=w", "-shell-image=s"}
	for _, row := range []struct {
		reason string
		args   []string
		want   string // the message
	}{
		{"Pods need images", needed[1:], "controller: -entrypoint-image is needed: Pods are made of it\n"},
		{"all of them", nil, "controller: -entrypoint-image is needed: Pods are made of it; -nop-image is needed: Pods are made of it; " +
			"-workingdirinit-image is needed: Pods are made of it; -shell-image is needed: Pods are made of it\n"},
		{"no arguments", append(slices.Clone(needed), "x"), "controller: it takes no argument, got \"x\"\n"},
		{"a level that there is not", append(slices.Clone(needed), "-log-level=loud"), "controller: -log-level: slog: level string \"loud\": unknown name\n"},
		{"a format that there is not", append(slices.Clone(needed), "-log-format=xml"), "controller: -log-format is json or text, not \"xml\"\n"},
	} {
		var told bytes.Buffer
		if code := Main(t.Context(), row.args, &told); code != exitUsage || told.String() != row.want {
			t.Errorf("%s: exit code %d, %q", row.reason, code, told.String())
		}
	}
	var told bytes.Buffer
	if code := Main(t.Context(), []string{"-help"}, &told); code != exitOK || !strings.Contains(told.String(), "-threads-per-controller") {
		t.Errorf("exit code %d, %s", code, told.String())
	}
	s, err := ParseFlags(append(needed, "-namespace=system", "-namespaces=a, b,", "-webhook-hosts=10.0.0.1"), &told)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b"}, s.Tenants); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"tekton-pipelines-webhook.system.svc", "tekton-pipelines-webhook.system.svc.cluster.local", "tekton-pipelines-webhook.system", "tekton-pipelines-webhook", "10.0.0.1",
	}, s.Webhook.Hosts); diff != "" {
		t.Error(diff)
	}
}

func TestLogsAreStructured(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"json": `"level":"INFO","msg":"hello","a":1}`, "text": `level=INFO msg=hello a=1`} {
		var out bytes.Buffer
		log, err := (&Settings{LogLevel: "info", LogFormat: format}).logger(&out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info("hello", "a", 1)
		log.V(1).Info("whispered")
		if got := strings.TrimSpace(out.String()); !strings.HasSuffix(got, want) || strings.Contains(got, "\n") {
			t.Errorf("%s: %s", format, got)
		}
	}
}
