package scheduler

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// What is said about nodes that the Pod's claims rule out.
const (
	messageExclusive      = "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
	messageVolumeConflict = "node(s) had volume node affinity conflict"
)

// needs are the PersistentVolumeClaims of a Pod, as they stand.
type needs struct {
	waiting []*corev1.PersistentVolumeClaim // for the Pod to have a node
	nodes   []string                        // that claims are tied to
	volumes []*corev1.NodeSelector          // of the PersistentVolumes that have one
	taken   bool                            // a claim is for one Pod alone, and another has it
}

// needs looks at the Pod's claims. why says what is wrong with them, whatever the node.
func (s *Scheduler) needs(pod *corev1.Pod) (n needs, why string) {
	for _, v := range pod.Spec.Volumes {
		if v.PersistentVolumeClaim == nil {
			continue
		}
		claim := &corev1.PersistentVolumeClaim{}
		name := v.PersistentVolumeClaim.ClaimName
		err := s.o.Client.Get(context.Background(), client.ObjectKey{Namespace: pod.Namespace, Name: name}, claim)
		switch {
		case apierrors.IsNotFound(err):
			return n, fmt.Sprintf("persistentvolumeclaim %q not found", name)
		case err != nil:
			return n, err.Error()
		case claim.DeletionTimestamp != nil:
			return n, fmt.Sprintf("persistentvolumeclaim %q is being deleted", name)
		case claim.Status.Phase == corev1.ClaimBound:
			if selector := s.volumeOf(claim); selector != nil {
				n.volumes = append(n.volumes, selector)
			}
		case waits(claim):
			n.waiting = append(n.waiting, claim)
		default:
			return n, messageUnboundClaims
		}
		if node := tiedTo(claim); node != "" {
			n.nodes = append(n.nodes, node)
		}
		if slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteOncePod) {
			n.taken = n.taken || s.used(pod, name)
		}
	}
	return n, ""
}

// tiedTo is the node that has the volume of a claim: the one of its first consumer, unless many nodes may use it.
func tiedTo(claim *corev1.PersistentVolumeClaim) string {
	modes := claim.Spec.AccessModes
	if !waits(claim) || slices.Contains(modes, corev1.ReadWriteMany) || slices.Contains(modes, corev1.ReadOnlyMany) {
		return ""
	}
	return claim.Annotations[annotationNode]
}

// volumeOf returns which nodes can reach the volume of a claim; nil means all, or that there is no PersistentVolume.
func (s *Scheduler) volumeOf(claim *corev1.PersistentVolumeClaim) *corev1.NodeSelector {
	v := &corev1.PersistentVolume{}
	if s.o.Client.Get(context.Background(), client.ObjectKey{Name: claim.Spec.VolumeName}, v) != nil || v.Spec.NodeAffinity == nil {
		return nil
	}
	return v.Spec.NodeAffinity.Required
}

// used reports whether another Pod that has a node uses the claim.
func (s *Scheduler) used(pod *corev1.Pod, claim string) bool {
	//plumbline:unordered whether there is one
	for uid, p := range s.placed {
		if uid == pod.UID || p.pod.Namespace != pod.Namespace {
			continue
		}
		for _, v := range p.pod.Spec.Volumes {
			if v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == claim {
				return true
			}
		}
	}
	return false
}

// refuses says what is against a node. helpless means that fewer other Pods would not help.
func (n *needs) refuses(on *corev1.Node) (why string, helpless bool) {
	if n.taken {
		return messageExclusive, false
	}
	for _, name := range n.nodes {
		if name != on.Name {
			return messageVolumeConflict, true
		}
	}
	for _, selector := range n.volumes {
		if !chooses(selector, on) {
			return messageVolumeConflict, true
		}
	}
	return "", false
}

// provision tells the binder of claims that wait which node they are for. It
// reports whether there are any: then the Pod waits for them.
func (s *Scheduler) provision(pod *corev1.Pod, node string) bool {
	n, _ := s.needs(pod)
	for _, claim := range n.waiting {
		if claim.Annotations[annotationNode] != "" {
			continue
		}
		if claim.Annotations == nil {
			claim.Annotations = map[string]string{}
		}
		claim.Annotations[annotationNode] = node
		// A conflict is met again by the next attempt.
		_ = s.o.Client.Update(context.Background(), claim)
	}
	return len(n.waiting) > 0
}
