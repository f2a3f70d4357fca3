package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	fakediscovery "k8s.io/client-go/discovery/fake"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/plumbline-ci/plumbline/kindconfig"
)

// clock is a time that goes on by a second each time that it is asked for.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(time.Second)
	return c.at
}

// played is a cluster whose TaskRuns are over as soon as they are created: with Succeeded of this status.
func played(t *testing.T, status string, logs func(container string) string) *there {
	t.Helper()
	resource := schema.GroupVersionResource{Group: group, Version: "v1", Resource: "taskruns"}
	dyn := dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{resource: "TaskRunList"})
	dyn.PrependReactor("create", "taskruns", func(a clienttesting.Action) (bool, runtime.Object, error) {
		u := a.(clienttesting.CreateAction).GetObject().(*unstructured.Unstructured)
		steps, _, _ := unstructured.NestedSlice(u.Object, "spec", "taskSpec", "steps")
		var states []any
		for _, s := range steps {
			states = append(states, map[string]any{"container": "step-" + s.(map[string]any)["name"].(string)})
		}
		u.Object["status"] = map[string]any{"podName": u.GetName() + "-pod", "steps": states,
			"conditions": []any{map[string]any{"type": "Succeeded", "status": status, "reason": "R", "message": "m"}}}
		return false, nil, nil // the tracker keeps it so
	})
	return &there{clientset: fake.NewClientset(), dynamic: dyn, resource: resource, namespace: "n",
		logs: func(_ context.Context, _, container string) (string, error) { return logs(container), nil }}
}

func measure(t *testing.T, c *there, o options) (all []figure, told []string, err error) {
	t.Helper()
	b, err := newBench(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	defer b.stop()
	b.now = (&clock{at: time.Unix(1_700_000_000, 0)}).now
	b.tell = func(text string) { told = append(told, text) }
	all, err = b.all(t.Context())
	return all, told, err
}

// TestFigures measures a cluster whose steps print times that are 2 ms apart.
func TestFigures(t *testing.T) {
	t.Parallel()
	c := played(t, "True", func(container string) string {
		var n int64
		if _, err := fmt.Sscanf(container, "step-s%d", &n); err != nil {
			t.Error(err)
		}
		return fmt.Sprintf("%d\n", 1_700_000_000_000_000_000+n*2_000_000)
	})
	all, _, err := measure(t, c, options{image: "i", count: 3, atOnce: 4, rounds: 2, timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, f := range all {
		count[f.Name]++
		if strings.HasPrefix(f.Name, "HandOff") && f.Took != 2*time.Millisecond {
			t.Errorf("a hand-off of %v", f.Took)
		}
		if strings.HasPrefix(f.Name, "TaskRun/") && (f.Took <= 0 || f.More[0].Name != "pod-ns/op" || f.More[0].Value <= 0) {
			t.Errorf("%v", f)
		}
	}
	want := map[string]int{"TaskRun/steps=1": 3, "TaskRun/steps=5": 3, "TaskRun/steps=10": 3, "HandOff/steps=5": 12, "HandOff/steps=10": 27,
		"AtOnce/taskruns=4/each": 8, "AtOnce/taskruns=4/all": 2}
	if fmt.Sprint(count) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", count, want)
	}
}

func TestDateWithoutNanosecondsIsReported(t *testing.T) {
	t.Parallel()
	c := played(t, "True", func(string) string { return "1700000000N\n" })
	all, told, err := measure(t, c, options{image: "i", count: 1, timeout: time.Minute, rounds: 1})
	if err != nil || len(all) != len(lengths) {
		t.Errorf("got %v, %v", all, err)
	}
	if !slices.ContainsFunc(told, func(s string) bool {
		return strings.Contains(s, `printed "1700000000N", which is not a time in nanoseconds`)
	}) {
		t.Errorf("it is not reported: %q", told)
	}
}

func TestAFailureEndsTheMeasurement(t *testing.T) {
	t.Parallel()
	c := played(t, "False", func(string) string { return "" })
	if _, _, err := measure(t, c, options{image: "i", count: 1, timeout: time.Minute, rounds: 1}); err == nil || err.Error() != "TaskRun run-1 has not succeeded: R: m" {
		t.Errorf("got %v", err)
	}
	c = played(t, "Unknown", func(string) string { return "" })
	if _, _, err := measure(t, c, options{image: "i", count: 1, timeout: time.Nanosecond, rounds: 1}); err == nil || !strings.Contains(err.Error(), "TaskRun run-1 is not over: context deadline exceeded") {
		t.Errorf("got %v", err)
	}
}

func TestTimesAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"1700000000000000001\n": true, "1700000000": false, "1700000000N": false, "": false, "170000000000000000%": false} {
		if at, ok := timeOf(text); ok != want || ok && at.UnixNano() != 1700000000000000001 {
			t.Errorf("%q: %v, %t", text, at, ok)
		}
	}
}

// Lines are what benchstat takes: a name, a count, pairs of a value and a unit.
func TestLinesAreForBenchstat(t *testing.T) {
	t.Parallel()
	got := figure{Name: "AtOnce/taskruns=50/all", Took: 1500 * time.Millisecond, More: []unit{{"taskruns/s", 33.25}}}.String()
	if want := "BenchmarkAtOnce/taskruns=50/all 1 1500000000 ns/op 33.25 taskruns/s"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var b bytes.Buffer
	printFacts(&b, []fact{{"kubernetes", "v1.36"}})
	if b.String() != "kubernetes: v1.36\n" {
		t.Errorf("got %q", b.String())
	}
}

func TestOverview(t *testing.T) {
	t.Parallel()
	var list []figure
	for _, d := range []time.Duration{4 * time.Second, time.Second, 3 * time.Second, 2 * time.Second} {
		list = append(list, figure{Name: "A", Took: d})
	}
	list = append(list, figure{Name: "B", Took: 1234567, More: []unit{{"taskruns/s", 2.5}}})
	var b bytes.Buffer
	overview(&b, list)
	var got []string
	for line := range strings.Lines(b.String()) {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	if want := []string{"", "WHAT N MEDIAN LEAST 90 % MOST", "A 4 2.5s 1s 4s 4s", "B 1 1.2ms 1.2ms 1.2ms 1.2ms 2.50 taskruns/s"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Reset()
	if overview(&b, nil); b.Len() > 0 {
		t.Errorf("the overview of nothing is %q", b.String())
	}
}

func TestServedVersionIsFound(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		served []string
		want   string
	}{
		{"both", []string{"tekton.dev/v1", "tekton.dev/v1beta1"}, "tekton.dev/v1"},
		{"the old one", []string{"tekton.dev/v1beta1"}, "tekton.dev/v1beta1"},
		{"none", nil, ""},
	} {
		clientset := fake.NewClientset()
		discovery := clientset.Discovery().(*fakediscovery.FakeDiscovery)
		for _, gv := range tt.served {
			discovery.Resources = append(discovery.Resources, &metav1.APIResourceList{GroupVersion: gv, APIResources: []metav1.APIResource{{Name: "taskruns"}}})
		}
		c := &there{clientset: clientset}
		err := c.discover()
		if got := c.resource.GroupVersion().String(); (tt.want == "") != (err != nil) || tt.want != "" && got != tt.want {
			t.Errorf("%s: got %s, %v", tt.reason, got, err)
		}
	}
}

// TestMeasurementNamespaceBecomesATenant opens and closes the namespace of a measurement.
func TestMeasurementNamespaceBecomesATenant(t *testing.T) {
	t.Parallel()
	for _, tenants := range []bool{true, false} {
		clientset := fake.NewClientset()
		clientset.PrependReactor("create", "namespaces", func(a clienttesting.Action) (bool, runtime.Object, error) {
			a.(clienttesting.CreateAction).GetObject().(metav1.Object).SetName("bench-x") // the fake makes no names
			return false, nil, nil
		})
		if tenants {
			role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: kindconfig.RoleTenantAccess}}
			if _, err := clientset.RbacV1().ClusterRoles().Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		c := &there{clientset: clientset}
		if err := c.open(t.Context()); err != nil || c.namespace != "bench-x" {
			t.Fatalf("%q, %v", c.namespace, err)
		}
		bound, err := clientset.RbacV1().RoleBindings(c.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil || (len(bound.Items) == 1) != tenants {
			t.Errorf("with tenants %t: %d bindings, %v", tenants, len(bound.Items), err)
		}
		if err := c.close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestMistakesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"x"}, {"-count", "0"}, {"-at-once", "-1"}, {"-nope"}, {"-kubeconfig", "nowhere"}} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
