package scheduler

import (
	"context"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What is said about nodes that Pods attract or repel each other from.
const (
	messagePodAffinity     = "node(s) didn't match pod affinity rules"
	messagePodAntiAffinity = "node(s) didn't match pod anti-affinity rules"
	messageExistingPods    = "node(s) didn't satisfy existing pods anti-affinity rules"
)

// domain is a set of nodes: those with this value of a label.
type domain struct{ key, value string }

// domains count Pods, or add up weights, by where the Pods are.
type domains map[domain]int64

// add counts what is on a node.
func (d domains) add(n *corev1.Node, key string, weight int64) {
	if value, ok := n.Labels[key]; ok {
		d[domain{key, value}] += weight
	}
}

// at is the count where a node is. There is no count if the node lacks the label.
func (d domains) at(n *corev1.Node, key string) (count int64, ok bool) {
	value, ok := n.Labels[key]
	return d[domain{key, value}], ok
}

// relations are what the Pods that have a node mean to one that has none.
type relations struct {
	near, far []corev1.PodAffinityTerm // what the Pod demands
	friends   domains                  // Pods that satisfy all of near
	alone     bool                     // there are no such Pods, but the Pod itself is one
	strangers []domains                // Pods that are meant by each of far
	hostile   domains                  // Pods that do not want this one near them
	wishes    domains                  // weights of what is preferred
}

// relate finds a Pod's relations; nil if it has none.
func (s *Scheduler) relate(pod *corev1.Pod) *relations {
	if !social(pod) && s.social == 0 {
		return nil
	}
	r := &relations{near: nearTerms(pod), far: farTerms(pod), friends: domains{}, hostile: domains{}, wishes: domains{}}
	r.strangers = make([]domains, len(r.far))
	for i := range r.far {
		r.strangers[i] = domains{}
	}
	m := &meaning{client: s.o.Client}
	found := false
	//plumbline:unordered everything is added up
	for _, p := range s.placed {
		n := s.nodes[p.node]
		if n == nil || !n.known {
			continue
		}
		if len(r.near) > 0 && m.all(r.near, pod, p.pod) {
			found = true
			for i := range r.near {
				r.friends.add(n.Node, r.near[i].TopologyKey, 1)
			}
		}
		for i := range r.far {
			if m.means(&r.far[i], pod, p.pod) {
				r.strangers[i].add(n.Node, r.far[i].TopologyKey, 1)
			}
		}
		for _, term := range farTerms(p.pod) {
			if m.means(&term, p.pod, pod) {
				r.hostile.add(n.Node, term.TopologyKey, 1)
			}
		}
		r.wish(m, n.Node, pod, p.pod)
		r.wish(m, n.Node, p.pod, pod)
		for _, term := range nearTerms(p.pod) { // what others demand of their neighbours is a wish of theirs, too
			if m.means(&term, p.pod, pod) {
				r.wishes.add(n.Node, term.TopologyKey, 1)
			}
		}
	}
	r.alone = !found && m.all(r.near, pod, pod)
	return r
}

// wish adds up what one Pod would like of another. n is the node of the one that has a node.
func (r *relations) wish(m *meaning, n *corev1.Node, of, about *corev1.Pod) {
	a := of.Spec.Affinity
	if a == nil {
		return
	}
	add := func(terms []corev1.WeightedPodAffinityTerm, sign int64) {
		for i := range terms {
			if t := &terms[i].PodAffinityTerm; m.means(t, of, about) {
				r.wishes.add(n, t.TopologyKey, sign*int64(terms[i].Weight))
			}
		}
	}
	if a.PodAffinity != nil {
		add(a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution, 1)
	}
	if a.PodAntiAffinity != nil {
		add(a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, -1)
	}
}

// refuses says what is against a node. helpless means that fewer other Pods would not help.
func (r *relations) refuses(n *corev1.Node) (why string, helpless bool) {
	if r == nil {
		return "", false
	}
	for i := range r.near {
		count, ok := r.friends.at(n, r.near[i].TopologyKey)
		if !ok || count == 0 && !r.alone {
			return messagePodAffinity, true
		}
	}
	for i := range r.far {
		if count, _ := r.strangers[i].at(n, r.far[i].TopologyKey); count > 0 {
			return messagePodAntiAffinity, false
		}
	}
	//plumbline:unordered whether there is one
	for d := range r.hostile {
		if value, ok := n.Labels[d.key]; ok && value == d.value {
			return messageExistingPods, false
		}
	}
	return "", false
}

// liking is the sum of the wishes that a node fulfils.
func (r *relations) liking(n *corev1.Node) int64 {
	sum := int64(0)
	if r == nil {
		return sum
	}
	//plumbline:unordered they are added up
	for d, weight := range r.wishes {
		if value, ok := n.Labels[d.key]; ok && value == d.value {
			sum += weight
		}
	}
	return sum
}

// meaning decides which Pods a term means. It remembers the labels of namespaces.
type meaning struct {
	client     client.Client
	namespaces map[string]labels.Set
}

// all reports whether every one of some terms means a Pod.
func (m *meaning) all(terms []corev1.PodAffinityTerm, of, about *corev1.Pod) bool {
	for i := range terms {
		if !m.means(&terms[i], of, about) {
			return false
		}
	}
	return true
}

// means reports whether a term of one Pod is about another.
func (m *meaning) means(t *corev1.PodAffinityTerm, of, about *corev1.Pod) bool {
	selector, err := metav1.LabelSelectorAsSelector(t.LabelSelector) // of nil: nothing
	if err != nil || !selector.Matches(labels.Set(about.Labels)) {
		return false
	}
	if len(t.Namespaces) == 0 && t.NamespaceSelector == nil {
		return of.Namespace == about.Namespace
	}
	if slices.Contains(t.Namespaces, about.Namespace) {
		return true
	}
	spaces, err := metav1.LabelSelectorAsSelector(t.NamespaceSelector)
	return err == nil && (spaces.Empty() || t.NamespaceSelector != nil && spaces.Matches(m.labels(about.Namespace)))
}

func (m *meaning) labels(namespace string) labels.Set {
	set, ok := m.namespaces[namespace]
	if !ok {
		n := &corev1.Namespace{}
		if m.client.Get(context.Background(), client.ObjectKey{Name: namespace}, n) == nil {
			set = n.Labels
		}
		if m.namespaces == nil {
			m.namespaces = map[string]labels.Set{}
		}
		m.namespaces[namespace] = set
	}
	return set
}

// social reports whether a Pod says anything about other Pods.
func social(pod *corev1.Pod) bool {
	a := pod.Spec.Affinity
	return a != nil && (a.PodAffinity != nil || a.PodAntiAffinity != nil)
}

func nearTerms(pod *corev1.Pod) []corev1.PodAffinityTerm {
	if a := pod.Spec.Affinity; a != nil && a.PodAffinity != nil {
		return a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	return nil
}

func farTerms(pod *corev1.Pod) []corev1.PodAffinityTerm {
	if a := pod.Spec.Affinity; a != nil && a.PodAntiAffinity != nil {
		return a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
	}
	return nil
}
