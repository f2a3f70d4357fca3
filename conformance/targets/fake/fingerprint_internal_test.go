package fake

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestFingerprintsSeeEveryChange changes an object in one place after the other.
func TestFingerprintsSeeEveryChange(t *testing.T) {
	t.Parallel()
	make := func() *corev1.Pod {
		one, started := int64(1), metav1.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "p", Labels: map[string]string{"a": "b", "c": "d"}, DeletionGracePeriodSeconds: &one},
			Spec: corev1.PodSpec{
				Containers: []corev1.Container{{
					Name: "one", Args: []string{}, Command: []string{"a", "b"},
					Resources: corev1.ResourceRequirements{Limits: corev1.ResourceList{"cpu": resource.MustParse("1")}},
				}},
			},
			Status: corev1.PodStatus{StartTime: &started, ContainerStatuses: []corev1.ContainerStatus{{Ready: true}}},
		}
	}
	prints := newFingerprints()
	want := prints.of(make())
	for range 10 { // maps are walked in any order
		if prints.of(make()) != want {
			t.Fatal("equal objects have different fingerprints")
		}
	}
	for reason, change := range map[string]func(*corev1.Pod){
		"a name":                         func(p *corev1.Pod) { p.Name = "q" },
		"a value of a label":             func(p *corev1.Pod) { p.Labels["a"] = "x" },
		"the values of two labels":       func(p *corev1.Pod) { p.Labels["a"], p.Labels["c"] = "d", "b" },
		"a label more":                   func(p *corev1.Pod) { p.Labels["e"] = "" },
		"the value behind a pointer":     func(p *corev1.Pod) { *p.DeletionGracePeriodSeconds = 2 },
		"a pointer that is gone":         func(p *corev1.Pod) { p.DeletionGracePeriodSeconds = nil },
		"where one word ends":            func(p *corev1.Pod) { p.Spec.Containers[0].Command = []string{"ab", ""} },
		"a list that is empty, not nil":  func(p *corev1.Pod) { p.Spec.Containers[0].Args = nil },
		"a container more":               func(p *corev1.Pod) { p.Spec.Containers = append(p.Spec.Containers, corev1.Container{}) },
		"a quantity":                     func(p *corev1.Pod) { p.Spec.Containers[0].Resources.Limits["cpu"] = resource.MustParse("2") },
		"a time":                         func(p *corev1.Pod) { p.Status.StartTime.Time = p.Status.StartTime.Add(time.Second) },
		"what is true":                   func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = false },
		"a field of one of two the same": func(p *corev1.Pod) { p.Spec.Hostname, p.Spec.Subdomain = p.Spec.Subdomain, "x" },
	} {
		pod := make()
		change(pod)
		if prints.of(pod) == want {
			t.Errorf("%s: the change goes unseen", reason)
		}
	}
}
