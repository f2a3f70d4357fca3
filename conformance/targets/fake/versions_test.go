package fake_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TestAClientOfV1 uses the Go types of tekton.dev/v1 for everything that a client does.
func TestAClientOfV1(t *testing.T) {
	t.Parallel()
	c := cluster(t)
	ctx := t.Context()
	tr := &v1.TaskRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "r"},
		Spec: v1.TaskRunSpec{TaskSpec: &v1.TaskSpec{
			Results: []v1.TaskResult{{Name: "word"}},
			Steps:   []v1.Step{{Name: "s", Image: "busybox", Script: "printf hello > $(results.word.path)"}},
		}},
	}
	if err := c.Client().Create(ctx, tr); err != nil {
		t.Fatal(err)
	}
	if tr.Spec.TaskSpec.Results[0].Type != v1beta1.ResultsTypeString || tr.UID == "" || tr.APIVersion != "tekton.dev/v1" {
		t.Errorf("the answer is %+v", tr)
	}
	pass(t, c, time.Minute)
	list := &v1.TaskRunList{}
	if err := c.Client().List(ctx, list, client.InNamespace("ns")); err != nil || len(list.Items) != 1 {
		t.Fatalf("%d TaskRuns, %v", len(list.Items), err)
	}
	got := &list.Items[0]
	if !got.Status.Succeeded().IsTrue() || len(got.Status.Results) != 1 || got.Status.Results[0].Value.StringVal != "hello" {
		t.Errorf("it ended as %+v", got.Status)
	}
	old := &v1beta1.TaskRun{}
	if err := c.Client().Get(ctx, client.ObjectKeyFromObject(got), old); err != nil || len(old.Status.TaskRunResults) != 1 {
		t.Errorf("in v1beta1: %+v, %v", old.Status.TaskRunResults, err)
	}
	if old.ResourceVersion != got.ResourceVersion {
		t.Errorf("resourceVersions %s and %s", old.ResourceVersion, got.ResourceVersion)
	}
	if err := c.Client().Delete(ctx, got); err != nil {
		t.Fatal(err)
	}
	pass(t, c, time.Minute)
	pods := &corev1.PodList{}
	if err := c.Client().List(ctx, pods, client.InNamespace("ns")); err != nil || len(pods.Items) != 0 {
		t.Errorf("%d Pods are left: %v", len(pods.Items), err)
	}
}
