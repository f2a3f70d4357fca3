package simulator_test

import (
	"fmt"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
	"github.com/plumbline-ci/plumbline/simulator/scheduler"
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

func TestSeveralNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Options{Seed: 1, MoreNodes: []kubelet.Node{{Name: "node-2"}, {Name: "node-3"}}})
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "data"}}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	w.create(claim)
	nodes, addresses := map[string]bool{}, map[string]bool{}
	for i, args := range [][]string{{"write=/shared/f:kept", "sleep=1h"}, {"cat=/shared/f", "sleep=1h"}, {"cat=/shared/f", "sleep=1h"}} {
		p := pod(fmt.Sprintf("p%d", i), nil, [][]string{args})
		p.Labels = map[string]string{"app": "spread"}
		p.Spec.Volumes[0].VolumeSource = corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
			{TopologyKey: corev1.LabelHostname, LabelSelector: &metav1.LabelSelector{MatchLabels: p.Labels}}}}}
		w.create(p)
		w.until(func() bool { return w.pod(p.Name).Status.Phase == corev1.PodRunning })
		w.RunFor(time.Second)
		p = w.pod(p.Name)
		nodes[p.Spec.NodeName], addresses[p.Status.PodIP] = true, true
		b, err := w.Logs("ns", p.Name, "app-0")
		if want := args[0] == "cat=/shared/f"; err != nil || (string(b) == "kept") != want {
			t.Errorf("%s on %s printed %q, %v", p.Name, p.Spec.NodeName, b, err)
		}
	}
	if len(nodes) != 3 || len(addresses) != 3 {
		t.Errorf("Pods on nodes %v with addresses %v", nodes, addresses)
	}
}

// TestPodsFollowTheirStatefulSet has Pods demand the company of a StatefulSet's Pod, and
// that Pod the node of a claim: all are on one node of three.
func TestPodsFollowTheirStatefulSet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		w := newWorld(t, simulator.Options{Seed: seed, MoreNodes: []kubelet.Node{{Name: "node-2"}, {Name: "node-3"}}})
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "data"}}
		claim.Spec.StorageClassName = new(scheduler.WaitingStorage)
		claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce}
		claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
		w.create(claim)
		volume := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}
		set := &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "keeper"}}
		set.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"app": "keeper"}}
		set.Spec.Template.Labels = set.Spec.Selector.MatchLabels
		set.Spec.Template.Spec = pod("", nil, [][]string{{"sleep=1000h"}}).Spec
		set.Spec.Template.Spec.RestartPolicy = corev1.RestartPolicyAlways
		set.Spec.Template.Spec.Volumes[0].VolumeSource = volume
		var names []string
		for i := range 3 { // they come before what they want to be near
			p := pod(fmt.Sprintf("p%d", i), nil, [][]string{{"sleep=1h"}})
			p.Spec.Volumes[0].VolumeSource = volume
			p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
				{TopologyKey: corev1.LabelHostname, LabelSelector: set.Spec.Selector}}}}
			w.create(p)
			names = append(names, p.Name)
		}
		w.RunFor(3 * time.Second)
		w.create(set)
		w.until(func() bool { return w.pod("keeper-0") != nil && w.pod("keeper-0").Status.Phase == corev1.PodRunning })
		for _, name := range names {
			w.until(func() bool { return w.pod(name).Status.Phase == corev1.PodRunning })
			if got, want := w.pod(name).Spec.NodeName, w.pod("keeper-0").Spec.NodeName; got != want {
				t.Errorf("seed %d: %s is on %s, the StatefulSet's Pod on %s", seed, name, got, want)
			}
		}
	}
}
