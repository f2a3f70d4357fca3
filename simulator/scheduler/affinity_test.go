package scheduler_test

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/scheduler"
)

const hostname = "kubernetes.io/hostname"

func labelled(app string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{"app": app} }
}

func term(app, key string) corev1.PodAffinityTerm {
	return corev1.PodAffinityTerm{TopologyKey: key, LabelSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}
}

func social(p *corev1.Pod) *corev1.Affinity {
	if p.Spec.Affinity == nil {
		p.Spec.Affinity = &corev1.Affinity{}
	}
	return p.Spec.Affinity
}

func near(terms ...corev1.PodAffinityTerm) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		social(p).PodAffinity = &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}
	}
}

func far(terms ...corev1.PodAffinityTerm) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		social(p).PodAntiAffinity = &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms}
	}
}

func rather(weight int32, t corev1.PodAffinityTerm) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		social(p).PodAffinity = &corev1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: weight, PodAffinityTerm: t}}}
	}
}

func ratherNot(weight int32, t corev1.PodAffinityTerm) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		social(p).PodAntiAffinity = &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{Weight: weight, PodAffinityTerm: t}}}
	}
}

func in(namespace string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Namespace = namespace }
}

func on(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{hostname: name} }
}

func zone(name string) func(*corev1.Node) {
	return func(n *corev1.Node) { n.Labels["zone"] = name }
}

func unless(reason, preemption string) string {
	return "0/3 nodes are available: " + reason + ". no new claims to deallocate, preemption: 0/3 nodes are available: " + preemption
}

// TestRelationsOfPods has one Pod on node a, of three nodes. a and b are in zone x.
func TestRelationsOfPods(t *testing.T) {
	t.Parallel()
	const helpless, victims = "3 Preemption is not helpful for scheduling.", "3 No preemption victims found for incoming pod."
	everywhere := term("one", hostname)
	everywhere.NamespaceSelector = &metav1.LabelSelector{}
	named := term("one", hostname)
	named.Namespaces = []string{"ns"}
	byLabel := term("one", hostname)
	byLabel.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": "other"}}
	nobody := corev1.PodAffinityTerm{TopologyKey: hostname}
	for _, row := range []struct {
		reason string
		first  *corev1.Pod
		pod    *corev1.Pod
		want   string // the nodes that may be chosen, or the message
	}{
		{"affinity on a node", pod("one", labelled("one")), pod("p", near(term("one", hostname))), "a"},
		{"affinity in a zone", pod("one", labelled("one")), pod("p", near(term("one", "zone")), asks("1", "1Gi")), "a b"},
		{"affinity to nothing", pod("one", labelled("one")), pod("p", near(term("two", hostname))), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"affinity to one on a full node", pod("one", labelled("one"), asks("4", "1Gi")), pod("p", near(term("one", hostname)), asks("1", "1Gi")),
			unless("1 Insufficient cpu, 2 node(s) didn't match pod affinity rules", "1 No preemption victims found for incoming pod., 2 Preemption is not helpful for scheduling.")},
		{"affinity without a selector", pod("one", labelled("one")), pod("p", near(nobody)), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"affinity to itself, as there is no other", pod("one", labelled("one")), pod("p", labelled("two"), near(term("two", hostname))), "a b c"},
		{"affinity to itself and to another", pod("one", labelled("one")), pod("p", labelled("one"), near(term("one", hostname))), "a"},
		{"affinity over a label that no node has", pod("one", labelled("one")), pod("p", near(term("one", "rack"))), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"affinity to two, of which one is missing", pod("one", labelled("one")), pod("p", near(term("one", hostname), term("two", hostname))), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"affinity within a namespace", pod("one", labelled("one")), pod("p", in("other"), near(term("one", hostname))), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"affinity to a named namespace", pod("one", labelled("one")), pod("p", in("other"), near(named)), "a"},
		{"affinity to all namespaces", pod("one", labelled("one")), pod("p", in("other"), near(everywhere)), "a"},
		{"affinity to some namespaces", pod("one", in("other"), labelled("one")), pod("p", near(byLabel)), "a"},
		{"affinity to namespaces that are not meant", pod("one", labelled("one")), pod("p", in("other"), near(byLabel)), unless("3 node(s) didn't match pod affinity rules", helpless)},
		{"anti-affinity on a node", pod("one", labelled("one")), pod("p", far(term("one", hostname))), "b c"},
		{"anti-affinity in a zone", pod("one", labelled("one")), pod("p", far(term("one", "zone"))), "c"},
		{"anti-affinity everywhere", pod("one", labelled("one")), pod("p", far(term("one", "world"))), unless("3 node(s) didn't match pod anti-affinity rules", victims)},
		{"anti-affinity of the other", pod("one", far(term("two", "zone"))), pod("p", labelled("two")), "c"},
		{"anti-affinity of the other everywhere", pod("one", far(term("two", "world"))), pod("p", labelled("two")), unless("3 node(s) didn't satisfy existing pods anti-affinity rules", victims)},
		{"a wish to be near", pod("one", labelled("one"), asks("3", "6Gi")), pod("p", rather(100, term("one", hostname))), "a"},
		{"a wish to be far", pod("one", labelled("one")), pod("p", ratherNot(1, term("one", "zone"))), "c"},
		{"a wish of the other", pod("one", asks("3", "6Gi"), rather(1, term("two", hostname))), pod("p", labelled("two")), "a"},
		{"what the other demands", pod("one", labelled("two"), asks("3", "6Gi"), near(term("two", hostname))), pod("p", labelled("two")), "a"},
		{"a wish that cannot be fulfilled", pod("one", labelled("one")), pod("p", rather(100, term("two", hostname)), asks("1", "1Gi")), "a b c"},
	} {
		world := func(n *corev1.Node) { n.Labels["world"] = "one" }
		chosen := map[string]bool{}
		for seed := range uint64(12) {
			w := newWorld(t, seed, node("a", zone("x"), world), node("b", zone("x"), world), node("c", zone("y"), world))
			first, second := row.first.DeepCopy(), row.pod.DeepCopy()
			on("a")(first)
			w.create(first)
			w.run(time.Second)
			w.create(second)
			w.run(time.Second)
			if err := w.Get(ctx, client.ObjectKeyFromObject(second), second); err != nil {
				t.Fatal(err)
			}
			got := second.Spec.NodeName
			if got == "" && len(second.Status.Conditions) > 0 {
				got = second.Status.Conditions[0].Message
			}
			chosen[got] = true
		}
		got := ""
		for _, name := range []string{"a", "b", "c"} {
			if chosen[name] {
				got += " " + name
				delete(chosen, name)
			}
		}
		for message := range chosen {
			got += " " + message
		}
		if got != " "+row.want {
			t.Errorf("%s:\n got%s\nwant %s", row.reason, got, row.want)
		}
	}
}

func TestPodWaitsForTheOneItWantsToBeNear(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("a"), node("b"))
	w.create(pod("p", near(term("one", hostname))))
	w.run(5 * time.Second)
	w.create(pod("one", labelled("one"), on("b")))
	w.run(15 * time.Second)
	if got := w.pod("p").Spec.NodeName; got != "b" {
		t.Errorf("on node %q", got)
	}
	w.create(pod("q", far(term("one", hostname)), on("b")))
	w.run(5 * time.Second)
	if got := w.pod("q").Spec.NodeName; got != "" {
		t.Errorf("beside the one it wants to be far from, on node %q", got)
	}
	if err := w.Delete(ctx, w.pod("one"), client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	w.run(15 * time.Second)
	if got := w.pod("q").Spec.NodeName; got != "b" {
		t.Errorf("when the other is gone, on node %q", got)
	}
}

func claim(name, class string, mode corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	c := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
	if class != "" {
		c.Spec.StorageClassName = &class
	}
	c.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{mode}
	c.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	return c
}

func uses(claims ...string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for i, name := range claims {
			p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: fmt.Sprintf("v%d", i), VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: name}}})
		}
	}
}

func TestClaimsTiePodsToNodes(t *testing.T) {
	t.Parallel()
	const conflict = "0/2 nodes are available: 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had volume node affinity conflict." +
		" no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
	const exclusive = "0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode." +
		" no new claims to deallocate, preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
	for _, row := range []struct {
		reason string
		claim  *corev1.PersistentVolumeClaim
		second *corev1.Pod
		want   string // the node, or the message
	}{
		{"local and ReadWriteOnce, no other wish", claim("c", scheduler.WaitingStorage, corev1.ReadWriteOnce), pod("q", uses("c")), "b"},
		{"local and ReadWriteOnce, elsewhere", claim("c", scheduler.WaitingStorage, corev1.ReadWriteOnce), pod("q", uses("c"), on("a")), conflict},
		{"local and ReadWriteMany", claim("c", scheduler.WaitingStorage, corev1.ReadWriteMany), pod("q", uses("c"), on("a")), "a"},
		{"not local", claim("c", "", corev1.ReadWriteOnce), pod("q", uses("c"), on("a")), "a"},
		{"for one Pod", claim("c", "", corev1.ReadWriteOncePod), pod("q", uses("c")), exclusive},
	} {
		w := newWorld(t, 1, node("a"), node("b"))
		w.create(row.claim)
		w.create(pod("p", uses("c"), on("b"), asks("2", "2Gi")))
		w.run(10 * time.Second)
		if got := w.pod("p").Spec.NodeName; got != "b" {
			t.Fatalf("%s: the first Pod is on %q", row.reason, got)
		}
		w.create(row.second)
		w.run(time.Second)
		got := w.pod("q").Spec.NodeName
		if got == "" {
			_, _, got = w.condition("q")
		}
		if got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.reason, got, row.want)
		}
		if row.want != exclusive {
			continue
		}
		if err := w.Delete(ctx, w.pod("p"), client.GracePeriodSeconds(0)); err != nil {
			t.Fatal(err)
		}
		w.run(15 * time.Second)
		if got := w.pod("q").Spec.NodeName; got == "" {
			t.Errorf("%s: the second Pod has no node when the first is gone", row.reason)
		}
	}
}

func TestTwoClaimsOnTwoNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("a"), node("b"))
	for _, name := range []string{"a", "b"} {
		w.create(claim("on-"+name, scheduler.WaitingStorage, corev1.ReadWriteOnce))
		w.create(pod("p-"+name, uses("on-"+name), on(name)))
	}
	w.run(10 * time.Second)
	w.create(pod("q", uses("on-a", "on-b")))
	w.run(time.Second)
	want := "0/2 nodes are available: 2 node(s) had volume node affinity conflict." +
		" no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
	if _, _, message := w.condition("q"); message != want {
		t.Errorf("message %q, want %q", message, want)
	}
}

func TestVolumesMayHaveTheirOwnNodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, node("a"), node("b"))
	c := claim("c", "", corev1.ReadWriteOnce)
	w.create(c)
	w.run(time.Second)
	if err := w.Get(ctx, client.ObjectKeyFromObject(c), c); err != nil {
		t.Fatal(err)
	}
	v := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: c.Spec.VolumeName}}
	v.Spec.NodeAffinity = &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{
		{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: hostname, Operator: corev1.NodeSelectorOpIn, Values: []string{"b"}}}}}}}
	w.create(v)
	w.create(pod("p", uses("c")))
	w.run(time.Second)
	if got := w.pod("p").Spec.NodeName; got != "b" {
		t.Errorf("on node %q", got)
	}
}
