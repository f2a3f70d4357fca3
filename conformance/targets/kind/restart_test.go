package kind_test

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/conformance"
)

// patience is for a node that starts again on a busy machine, and for what has to happen then.
const patience = 5 * time.Minute

// runs of which a node that is restarted ends the Pods: one that may be tried again, and one that may not.
const runs = `apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: again}
spec:
  retries: 1
  taskSpec:
    steps:
    - {name: work, image: busybox, script: 'if [ $(context.task.retry-count) = 0 ]; then sleep 3600; fi'}
---
apiVersion: tekton.dev/v1beta1
kind: TaskRun
metadata: {name: once}
spec:
  taskSpec:
    steps:
    - {name: work, image: busybox, script: sleep 3600}
    - {name: after, image: busybox, script: "true"}
`

// restart is what a node that loses its power and gets it back goes through: every container is gone, the control plane's
// too, and container runtime and kubelet start again. The node's own container stays, since an engine may give it
// another address when it is started again, which a cluster does not survive.
const restart = `
systemctl stop kubelet
systemctl kill --signal=KILL kubelet.slice
systemctl kill --signal=KILL containerd
systemctl stop containerd
systemctl start containerd kubelet
`

// TestARunOutlivesItsNode restarts the node while steps run. Their containers are gone, so the attempts have failed; the
// controller, which was restarted with the node, has to find that out, and to begin what may be tried again.
func TestARunOutlivesItsNode(t *testing.T) {
	target, engine := newTarget(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	c, err := target.Start(ctx, conformance.Setup{Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	namespace := fmt.Sprintf("node-restarts-%x", time.Now().UnixNano())
	if err := c.CreateNamespace(ctx, namespace); err != nil {
		t.Fatal(err)
	}
	for _, u := range parse(t, runs) {
		u.SetNamespace(namespace)
		if err := c.Client().Create(ctx, u); err != nil {
			t.Fatal(err)
		}
	}
	until(t, ctx, c.Client(), namespace, "again", "its step to run", func(u *unstructured.Unstructured) bool { return stepRuns(u) })
	until(t, ctx, c.Client(), namespace, "once", "its step to run", func(u *unstructured.Unstructured) bool { return stepRuns(u) })

	pod := &unstructured.Unstructured{}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	if err := c.Client().Get(ctx, client.ObjectKey{Namespace: namespace, Name: "once-pod"}, pod); err != nil {
		t.Fatal(err)
	}
	node, _, _ := unstructured.NestedString(pod.Object, "spec", "nodeName")
	began := time.Now()
	if out, err := exec.CommandContext(ctx, engine, "exec", node, "bash", "-c", restart).CombinedOutput(); err != nil {
		t.Fatalf("restarting node %s: %v: %s", node, err, out)
	}

	again := until(t, ctx, c.Client(), namespace, "again", "a second attempt to succeed", func(u *unstructured.Unstructured) bool { return condition(u)["status"] == "True" })
	if attempts, _, _ := unstructured.NestedSlice(again.Object, "status", "retriesStatus"); len(attempts) != 1 {
		t.Errorf("the run that may be tried again has %d attempts behind it, not one", len(attempts))
	}
	once := until(t, ctx, c.Client(), namespace, "once", "the failure to be seen", func(u *unstructured.Unstructured) bool { return condition(u)["status"] == "False" })
	if reason := condition(once)["reason"]; reason != "Failed" {
		t.Errorf("the run whose containers are gone is False for reason %v: %v", reason, condition(once)["message"])
	}
	if _, ended, _ := unstructured.NestedString(once.Object, "status", "completionTime"); !ended {
		t.Error("a run that failed with its node has no completionTime")
	}
	t.Logf("summary: the node was restarted: a run tried again succeeded and another failed, after %s", time.Since(began).Round(time.Second))
	if err := c.Client().Delete(ctx, named("v1", "Namespace", namespace)); err != nil {
		t.Error(err)
	}
}

func named(apiVersion, kind, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{}
	u.SetAPIVersion(apiVersion)
	u.SetKind(kind)
	u.SetName(name)
	return u
}

func parse(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, one := range strings.Split(text, "---\n") {
		u := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(one), &u.Object); err != nil {
			t.Fatal(err)
		}
		out = append(out, u)
	}
	return out
}

// until waits for a state of a TaskRun. What the API server says while it is being restarted is no answer.
func until(t *testing.T, ctx context.Context, c client.Client, namespace, name, what string, holds func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	u := named("tekton.dev/v1beta1", "TaskRun", name)
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		one, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		return c.Get(one, client.ObjectKey{Namespace: namespace, Name: name}, u) == nil && holds(u), nil
	})
	if err != nil {
		t.Fatalf("waiting for %s of TaskRun %s: %v; it is %v", what, name, err, u.Object["status"])
	}
	return u
}

func condition(u *unstructured.Unstructured) map[string]any {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	if len(list) != 1 {
		return nil
	}
	c, _ := list[0].(map[string]any)
	return c
}

func stepRuns(u *unstructured.Unstructured) bool {
	steps, _, _ := unstructured.NestedSlice(u.Object, "status", "steps")
	if len(steps) == 0 {
		return false
	}
	step, _ := steps[0].(map[string]any)
	_, running := step["running"]
	return running && condition(u)["reason"] == "Running"
}
