package quota_test

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/quota"
)

func TestWrongQuotaStatusIsCorrected(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	k := kernel.New(kernel.Options{})
	s := apiserver.New(apiserver.Options{Kernel: k})
	c := s.Client("test")
	if err := quota.New(quota.Options{Kernel: k, Client: s.Client("quota"), Source: s}).Start(); err != nil {
		t.Fatal(err)
	}
	if err := s.CreateNamespace("ns", nil); err != nil {
		t.Fatal(err)
	}
	q := &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "q", Namespace: "ns"}, Spec: corev1.ResourceQuotaSpec{
		Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("3")},
	}}
	if err := c.Create(ctx, q); err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Namespace: "ns"}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "x"}}}}
	if err := c.Create(ctx, pod); err != nil {
		t.Fatal(err)
	}
	// The simulated server counts by itself after writes of all but the quota controller, so the lie is told under its name.
	lie := client.RawPatch("application/merge-patch+json", []byte(`{"status":{"used":{"pods":"2"}}}`))
	if err := s.Client("resourcequota-controller").Status().Patch(ctx, q, lie); err != nil {
		t.Fatal(err)
	}
	k.RunUntil(k.Now().Add(time.Minute))
	if err := c.Get(ctx, client.ObjectKeyFromObject(q), q); err != nil {
		t.Fatal(err)
	}
	if used := q.Status.Used[corev1.ResourcePods]; used.Value() != 1 {
		t.Errorf("used: %s Pods, want 1", used.String())
	}
}
