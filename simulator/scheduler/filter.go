package scheduler

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// find returns the best node for a Pod, or says why there is none.
func (s *Scheduler) find(pod *corev1.Pod) (best *node, message string) {
	total := 0
	for _, name := range s.names {
		if s.nodes[name].known {
			total++
		}
	}
	if total == 0 {
		return nil, messageNoNodes
	}
	needs, why := s.needs(pod)
	if why != "" {
		return nil, explain(total, []string{why}, map[string]int{messageNotHelpful: total})
	}
	asks, relations := requests(pod), s.relate(pod)
	reasons, preemption := map[string]int{}, map[string]int{}
	var fit []*node
	for _, name := range s.names {
		n := s.nodes[name]
		if !n.known {
			continue
		}
		why, helpless := n.refuses(pod, asks, s.o.Boundless)
		if len(why) == 0 && !s.o.Boundless {
			why, helpless = first(n.Node, needs.refuses, relations.refuses)
		}
		if len(why) > 0 {
			for _, r := range why {
				reasons[r]++
			}
			if helpless {
				preemption[messageNotHelpful]++
			} else {
				preemption[messageNoVictims]++
			}
			continue
		}
		fit = append(fit, n)
	}
	if len(fit) == 0 {
		return nil, explain(total, counted(reasons), preemption)
	}
	return s.choose(fit, asks, relations), ""
}

// first asks one after the other what is against a node, until one knows something.
func first(n *corev1.Node, ask ...func(*corev1.Node) (why string, helpless bool)) (why []string, helpless bool) {
	for _, refuses := range ask {
		if reason, helpless := refuses(n); reason != "" {
			return []string{reason}, helpless
		}
	}
	return nil, false
}

// weightOfWishes is how much more wishes count than free resources, if both go from 0 to 2.
const weightOfWishes = 2

// choose returns the best of some nodes: by free resources and by how well wishes about other Pods are fulfilled, from
// not at all to best of all, as kube-scheduler weighs them. Chance decides among equals.
func (s *Scheduler) choose(fit []*node, asks amounts, r *relations) *node {
	least, most := int64(0), int64(0)
	likings := make([]int64, len(fit))
	for i, n := range fit {
		likings[i] = r.liking(n.Node)
		if i == 0 {
			least, most = likings[i], likings[i]
		}
		least, most = min(least, likings[i]), max(most, likings[i])
	}
	var candidates []*node
	score := 0.0
	for i, n := range fit {
		have := n.freedom(asks)
		if most > least {
			have += weightOfWishes * 2 * float64(likings[i]-least) / float64(most-least)
		}
		switch {
		case len(candidates) == 0 || have > score:
			score, candidates = have, append(candidates[:0], n)
		case have == score:
			candidates = append(candidates, n)
		}
	}
	if len(candidates) == 1 {
		return candidates[0]
	}
	return candidates[s.stream.IntN(len(candidates))]
}

// counted prints reasons with how many nodes have them, as kube-scheduler sorts
// them: by their text.
func counted(reasons map[string]int) []string {
	out := make([]string, 0, len(reasons))
	for r, n := range reasons {
		out = append(out, strconv.Itoa(n)+" "+r)
	}
	slices.Sort(out)
	return out
}

func explain(total int, reasons []string, preemption map[string]int) string {
	available := fmt.Sprintf("0/%d nodes are available: ", total)
	return available + strings.Join(reasons, ", ") + ". " + messageDeallocate + available + strings.Join(counted(preemption), ", ")
}

// refuses says why the node does not take a Pod. helpless means that fewer other
// Pods would not help. A boundless node has whatever the Pod asks for.
func (n *node) refuses(pod *corev1.Pod, asks amounts, boundless bool) (why []string, helpless bool) {
	switch {
	case n.Spec.Unschedulable && !tolerates(pod, &corev1.Taint{Key: taintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}):
		return []string{messageUnschedulable}, true
	case !toleratesNode(pod, n.Node):
		return []string{messageTaint}, true
	case boundless:
		return nil, false
	case !selects(pod, n.Node):
		return []string{messageAffinity}, true
	}
	if most, ok := n.Status.Allocatable[corev1.ResourcePods]; ok && int64(n.pods+1) > most.Value() {
		why = append(why, messageTooMany)
	}
	for _, name := range asks.names() {
		if asks[name] > n.free[name]-n.used[name] {
			why = append(why, messageInsufficient+string(name))
			helpless = helpless || asks[name] > n.free[name]
		}
	}
	return why, helpless
}

// freedom is the share of CPU and memory that would be left.
func (n *node) freedom(asks amounts) float64 {
	share := 0.0
	for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
		if n.free[name] > 0 {
			share += float64(n.free[name]-n.used[name]-asks[name]) / float64(n.free[name])
		}
	}
	return share
}

func toleratesNode(pod *corev1.Pod, n *corev1.Node) bool {
	for i := range n.Spec.Taints {
		t := &n.Spec.Taints[i]
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !tolerates(pod, t) {
			return false
		}
	}
	return true
}

func tolerates(pod *corev1.Pod, taint *corev1.Taint) bool {
	for i := range pod.Spec.Tolerations {
		t := &pod.Spec.Tolerations[i]
		if t.Effect != "" && t.Effect != taint.Effect || t.Key != "" && t.Key != taint.Key {
			continue
		}
		switch t.Operator {
		case "", corev1.TolerationOpEqual:
			if t.Value == taint.Value && t.Key != "" {
				return true
			}
		case corev1.TolerationOpExists:
			return true
		}
	}
	return false
}

// selects reports whether the Pod's node selector and required node affinity
// choose the node.
func selects(pod *corev1.Pod, n *corev1.Node) bool {
	for key, value := range pod.Spec.NodeSelector {
		if have, ok := n.Labels[key]; !ok || have != value {
			return false
		}
	}
	a := pod.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return true
	}
	return chooses(a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution, n)
}

// chooses reports whether one of a selector's terms fits the node.
func chooses(selector *corev1.NodeSelector, n *corev1.Node) bool {
	for _, term := range selector.NodeSelectorTerms {
		if len(term.MatchExpressions)+len(term.MatchFields) == 0 {
			continue // an empty term chooses nothing
		}
		if matches(term.MatchExpressions, n.Labels) && matches(term.MatchFields, map[string]string{"metadata.name": n.Name}) {
			return true
		}
	}
	return false
}

func matches(requirements []corev1.NodeSelectorRequirement, labels map[string]string) bool {
	for _, r := range requirements {
		have, ok := labels[r.Key]
		fits := false
		switch r.Operator {
		case corev1.NodeSelectorOpIn:
			fits = ok && slices.Contains(r.Values, have)
		case corev1.NodeSelectorOpNotIn:
			fits = !ok || !slices.Contains(r.Values, have)
		case corev1.NodeSelectorOpExists:
			fits = ok
		case corev1.NodeSelectorOpDoesNotExist:
			fits = !ok
		case corev1.NodeSelectorOpGt, corev1.NodeSelectorOpLt:
			if ok && len(r.Values) == 1 {
				x, errX := strconv.ParseInt(have, 10, 64)
				y, errY := strconv.ParseInt(r.Values[0], 10, 64)
				fits = errX == nil && errY == nil && (r.Operator == corev1.NodeSelectorOpGt && x > y || r.Operator == corev1.NodeSelectorOpLt && x < y)
			}
		}
		if !fits {
			return false
		}
	}
	return true
}
