package fake_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// cluster is a cluster of the reference with the namespace ns.
func cluster(t *testing.T) *fake.Cluster {
	t.Helper()
	target, err := fake.New(fake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := target.Cluster(conformance.Setup{Name: t.Name(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := c.CreateNamespace(t.Context(), "ns"); err != nil {
		t.Fatal(err)
	}
	return c
}

// configure sets a key of a ConfigMap and lets the news get round.
func configure(t *testing.T, c *fake.Cluster, configMap, key, value string) error {
	t.Helper()
	m := &corev1.ConfigMap{}
	if err := c.Client().Get(t.Context(), client.ObjectKey{Namespace: config.Namespace, Name: configMap}, m); err != nil {
		t.Fatal(err)
	}
	m.Data = map[string]string{key: value}
	err := c.Client().Update(t.Context(), m)
	pass(t, c, time.Second)
	return err
}

func pass(t *testing.T, c *fake.Cluster, d time.Duration) {
	t.Helper()
	if err := c.WaitUntil(t.Context(), c.Now().Add(d), func() bool { return false }); !errors.Is(err, conformance.ErrDeadline) {
		t.Fatal(err)
	}
}

// sleeper is a run of a step that sleeps.
func sleeper(name, seconds string) *v1beta1.TaskRun {
	return &v1beta1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name},
		Spec:       v1beta1.TaskRunSpec{TaskSpec: &v1beta1.TaskSpec{Steps: []v1beta1.Step{{Name: "s", Image: "busybox", Script: "sleep " + seconds}}}},
	}
}

// TestConfigurationChangesWhileTheClusterRuns: what comes after a change is under it, what was there before is not.
func TestConfigurationChangesWhileTheClusterRuns(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	create := func(name string) *v1beta1.TaskRun {
		t.Helper()
		tr := sleeper(name, "1")
		if err := c.Client().Create(t.Context(), tr); err != nil {
			t.Fatal(err)
		}
		return tr
	}
	timeout := func(reason string, tr *v1beta1.TaskRun, want time.Duration) {
		t.Helper()
		if tr.Spec.Timeout == nil || tr.Spec.Timeout.Duration != want {
			t.Errorf("%s: timeout %v, want %v", reason, tr.Spec.Timeout, want)
		}
	}
	before := create("before")
	timeout("built in", before, time.Hour)
	if err := configure(t, c, "config-defaults", "default-timeout-minutes", "5"); err != nil {
		t.Fatal(err)
	}
	timeout("after the change", create("after"), 5*time.Minute)
	if err := c.Client().Get(context.Background(), client.ObjectKeyFromObject(before), before); err != nil {
		t.Fatal(err)
	}
	timeout("what was there before", before, time.Hour)

	const refused = `admission webhook "config.webhook.pipeline.tekton.dev" denied the request: validation failed: failed parsing tracing config "default-timeout-minutes"`
	if err := configure(t, c, "config-defaults", "default-timeout-minutes", "soon"); err == nil || err.Error() != refused {
		t.Errorf("a value that is not a number: %v, want %s", err, refused)
	}
	timeout("after a change that was refused", create("refused"), 5*time.Minute)

	// feature-flags is not checked when it is written: a bad value is stored but does not take effect.
	gated := sleeper("gated", "1")
	gated.Spec.Debug = &v1beta1.TaskRunDebug{Breakpoint: []string{v1beta1.BreakpointOnFailure}}
	tryGated := func(reason string, want bool) {
		t.Helper()
		tr := gated.DeepCopy()
		err := c.Client().Create(t.Context(), tr, client.DryRunAll)
		if want != (err == nil) || err != nil && !strings.Contains(err.Error(), "debug requires") {
			t.Errorf("%s: %v", reason, err)
		}
	}
	tryGated("stable", false)
	for _, row := range []struct {
		value string
		alpha bool
	}{{"alpha", true}, {"gamma", true}, {"stable", false}, {"gamma", false}} {
		if err := configure(t, c, "feature-flags", "enable-api-fields", row.value); err != nil {
			t.Fatal(err)
		}
		tryGated("enable-api-fields: "+row.value, row.alpha)
	}
	timeout("the other ConfigMap goes on", create("last"), 5*time.Minute)
}

// TestARunningRunIsReconciledUnderTheNewConfiguration: the controller follows, too.
func TestARunningRunIsReconciledUnderTheNewConfiguration(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	run := func(name string, want bool) {
		t.Helper()
		if err := c.Client().Create(t.Context(), sleeper(name, "1")); err != nil {
			t.Fatal(err)
		}
		pass(t, c, 30*time.Second)
		pod := &corev1.Pod{}
		if err := c.Client().Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: name + "-pod"}, pod); err != nil {
			t.Fatal(err)
		}
		waits := strings.Contains(strings.Join(pod.Spec.Containers[0].Args, " "), "-wait_file /tekton/downward/ready")
		if waits != want {
			t.Errorf("%s: the first step waits for readiness = %v, want %v", name, waits, want)
		}
	}
	run("one", true)
	if err := configure(t, c, "feature-flags", "await-sidecar-readiness", "false"); err != nil {
		t.Fatal(err)
	}
	run("two", false)
}
