package simulator_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator"
)

func TestStatefulSetLivesInACluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1})
	set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
	set.Spec.Replicas = new(int32(2))
	set.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	set.Spec.Template.Labels = set.Spec.Selector.MatchLabels
	set.Spec.Template.Spec = pod("", nil, [][]string{{"sleep=1000h"}}).Spec
	set.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
	w.create(set)
	w.until(func() bool {
		return w.Get(t.Context(), client.ObjectKeyFromObject(set), set) == nil && set.Status.AvailableReplicas == 2
	})
	first := w.pod("web-0")
	if first.Status.Phase != corev1.PodRunning || first.Spec.Hostname != "web-0" {
		t.Errorf("the first Pod: %+v", first.Status)
	}
	if err := w.Delete(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	w.until(func() bool {
		again := &corev1.Pod{}
		return w.Get(t.Context(), client.ObjectKeyFromObject(first), again) == nil && again.UID != first.UID && again.Status.Phase == corev1.PodRunning
	})
	if err := w.Delete(t.Context(), set, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	w.RunFor(2 * time.Minute)
	for i := range 2 {
		name := fmt.Sprintf("web-%d", i)
		if err := w.Get(t.Context(), client.ObjectKey{Namespace: "ns", Name: name}, &corev1.Pod{}); !apierrors.IsNotFound(err) {
			t.Errorf("%s is still there when its StatefulSet is gone: %v", name, err)
		}
	}
}
