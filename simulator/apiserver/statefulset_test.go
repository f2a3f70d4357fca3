package apiserver_test

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func statefulSet(edit ...func(*appsv1.StatefulSet)) *appsv1.StatefulSet {
	s := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "web"}}
	s.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	s.Spec.Template.Labels = map[string]string{"app": "web"}
	s.Spec.Template.Spec.Containers = []corev1.Container{{Name: "c", Image: "busybox"}}
	for _, e := range edit {
		e(s)
	}
	return s
}

func TestStatefulSetDefaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := statefulSet(func(s *appsv1.StatefulSet) { s.Status.Replicas = 7 })
	w.create(s)
	if *s.Spec.Replicas != 1 || s.Spec.PodManagementPolicy != appsv1.OrderedReadyPodManagement || *s.Spec.RevisionHistoryLimit != 10 ||
		s.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType || *s.Spec.UpdateStrategy.RollingUpdate.Partition != 0 ||
		s.Spec.PersistentVolumeClaimRetentionPolicy.WhenDeleted != appsv1.RetainPersistentVolumeClaimRetentionPolicyType {
		t.Errorf("defaults of the set: %+v", s.Spec)
	}
	if spec := &s.Spec.Template.Spec; spec.RestartPolicy != corev1.RestartPolicyAlways || spec.Containers[0].ImagePullPolicy != corev1.PullAlways {
		t.Errorf("defaults of the template: %+v", spec)
	}
	if s.Status.Replicas != 0 || s.Generation != 1 {
		t.Errorf("status %+v, generation %d", s.Status, s.Generation)
	}
}

func TestStatefulSetValidation(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		edit func(*appsv1.StatefulSet)
		want string // part of the message; empty means that the set is accepted
	}{
		{func(*appsv1.StatefulSet) {}, ""},
		{func(s *appsv1.StatefulSet) { // the volume of a claim is not in the template
			s.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data"}}
		}, ""},
		{func(s *appsv1.StatefulSet) { s.Spec.Selector = nil }, "spec.selector: Required value"},
		{func(s *appsv1.StatefulSet) { s.Spec.Selector = &metav1.LabelSelector{} }, "empty selector is invalid for statefulset"},
		{func(s *appsv1.StatefulSet) { s.Spec.Template.Labels["app"] = "other" }, "spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: `selector` does not match template `labels`"},
		{func(s *appsv1.StatefulSet) { s.Spec.Replicas = new(int32(-1)) }, "spec.replicas: Invalid value: -1"},
		{func(s *appsv1.StatefulSet) { s.Spec.PodManagementPolicy = "Random" }, `spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`},
		{func(s *appsv1.StatefulSet) { s.Spec.UpdateStrategy.Type = "Never" }, "must be 'RollingUpdate' or 'OnDelete'"},
		{func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyNever }, `spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"`},
		{func(s *appsv1.StatefulSet) { s.Spec.Template.Spec.ActiveDeadlineSeconds = new(int64(1)) }, "activeDeadlineSeconds in StatefulSet is not Supported"},
	} {
		w := newWorld(t)
		err := w.c.Create(ctx, statefulSet(row.edit))
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("got %v, want %q", err, row.want)
		}
	}
}

func TestStatefulSetUpdates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := statefulSet()
	w.create(s)
	s.Spec.Replicas = new(int32(3))
	if err := w.c.Update(ctx, s); err != nil || s.Generation != 2 {
		t.Fatalf("scaling: generation %d, %v", s.Generation, err)
	}
	s.Status.Replicas = 2
	if err := w.c.Status().Update(ctx, s); err != nil || s.Generation != 2 || s.Status.Replicas != 2 {
		t.Fatalf("status: generation %d, %+v, %v", s.Generation, s.Status, err)
	}
	s.Spec.ServiceName = "other"
	if err := w.c.Update(ctx, s); err == nil || !strings.Contains(err.Error(), "spec: Forbidden: updates to statefulset spec for fields other than 'replicas'") {
		t.Errorf("another service: %v", err)
	}
}
