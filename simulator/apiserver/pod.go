package apiserver

import (
	"fmt"
	"maps"

	"github.com/plumbline-ci/plumbline/simulator/apiserver/pods"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// podFields are what Pods can be selected by.
var podFields = []string{"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"}

// podAtRest reports whether all containers have ended.
func podAtRest(obj client.Object) bool {
	pod, ok := obj.(*corev1.Pod)
	return ok && (pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed)
}

func podStrategy() strategy {
	return strategy{
		name:            validation.NameIsDNSSubdomain,
		generation:      generationOfSpec,
		statusTakesMeta: true,
		apply: func(obj client.Object) {
			if pod, ok := obj.(*corev1.Pod); ok {
				pods.Default(pod)
			}
		},
		created: func(_ *Server, obj client.Object) {
			if pod, ok := obj.(*corev1.Pod); ok {
				pod.Status = corev1.PodStatus{Phase: corev1.PodPending, QOSClass: pods.QOS(&pod.Spec)}
			}
		},
		validate: func(obj client.Object) field.ErrorList {
			if pod, ok := obj.(*corev1.Pod); ok {
				return pods.Validate(pod)
			}
			return nil
		},
		validateUpdate: func(obj, old client.Object) field.ErrorList {
			if pod, ok := obj.(*corev1.Pod); ok {
				return pods.ValidateUpdate(pod, old.(*corev1.Pod))
			}
			return nil
		},
		validateStatus: func(obj, old client.Object) field.ErrorList {
			if pod, ok := obj.(*corev1.Pod); ok {
				return pods.ValidateStatusUpdate(pod, old.(*corev1.Pod))
			}
			return nil
		},
		grace: podGrace,
		posts: map[string]func(*Server, *Call, *resource, client.ObjectKey, client.Object, writeOptions) error{
			SubresourceBinding:  bindPod,
			SubresourceEviction: evictPod,
		},
		committed: func(s *Server, _ *resource, ch Change) { s.podChanged(ch) },
		fields:    podFields,
		field:     podField,
	}
}

func podField(obj client.Object, name string) string {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return ""
	}
	switch name {
	case "spec.nodeName":
		return pod.Spec.NodeName
	case "spec.restartPolicy":
		return string(pod.Spec.RestartPolicy)
	case "spec.schedulerName":
		return pod.Spec.SchedulerName
	case "spec.serviceAccountName":
		return pod.Spec.ServiceAccountName
	case "spec.hostNetwork":
		return fmt.Sprint(pod.Spec.HostNetwork)
	case "status.phase":
		return string(pod.Status.Phase)
	case "status.podIP", "status.podIPs":
		return pod.Status.PodIP
	case "status.nominatedNodeName":
		return pod.Status.NominatedNodeName
	}
	return ""
}

// podGrace is how long a Pod gets to stop: what was asked for, else what it says
// itself, and nothing if there is nothing to stop.
func podGrace(obj client.Object, asked *int64) int64 {
	pod, ok := obj.(*corev1.Pod)
	if !ok {
		return 0
	}
	grace := int64(0)
	switch {
	case asked != nil:
		grace = *asked
	case pod.Spec.TerminationGracePeriodSeconds != nil:
		grace = *pod.Spec.TerminationGracePeriodSeconds
	}
	if pod.Spec.NodeName == "" || pods.Terminal(pod) {
		return 0
	}
	if grace < 0 {
		return 1
	}
	return grace
}

// bindPod serves pods/binding: it is how a scheduler places a Pod.
func bindPod(s *Server, c *Call, r *resource, key client.ObjectKey, body client.Object, o writeOptions) error {
	b := &corev1.Binding{}
	if err := bodyInto(body, b); err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("binding takes a Binding: %v", err))
	}
	if b.Target.Kind != "" && b.Target.Kind != "Node" {
		return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Binding").GroupKind(), key.Name, field.ErrorList{
			field.NotSupported(field.NewPath("target", "kind"), b.Target.Kind, []string{"Node", "<empty>"}),
		})
	}
	if b.Target.Name == "" {
		return apierrors.NewInvalid(corev1.SchemeGroupVersion.WithKind("Binding").GroupKind(), key.Name, field.ErrorList{
			field.Required(field.NewPath("target", "name"), ""),
		})
	}
	e := r.table.get(key)
	if e == nil {
		return r.notFound(key.Name)
	}
	pod, ok := e.object().(*corev1.Pod)
	if !ok {
		return noSubresource()
	}
	conflict := func(text string) error {
		gr := r.gr
		gr.Resource += "/" + SubresourceBinding
		return apierrors.NewConflict(gr, key.Name, fmt.Errorf("%s", text))
	}
	switch {
	case b.UID != "" && b.UID != pod.UID:
		return r.storageConflict(path(key), key.Name, b.UID, pod.UID)
	case pod.DeletionTimestamp != nil:
		return conflict(fmt.Sprintf("pod %s is being deleted, cannot be assigned to a host", pod.Name))
	case pod.Spec.NodeName != "":
		return conflict(fmt.Sprintf("pod %s is already assigned to node %q", pod.Name, pod.Spec.NodeName))
	case len(pod.Spec.SchedulingGates) > 0:
		return conflict(fmt.Sprintf("pod %s has non-empty .spec.schedulingGates", pod.Name))
	}
	if o.dryRun {
		return nil
	}
	s.edit(c, r, key, func(obj client.Object) {
		p := obj.(*corev1.Pod)
		p.Spec.NodeName = b.Target.Name
		if len(b.Annotations) > 0 {
			p.Annotations = maps.Clone(p.Annotations)
			if p.Annotations == nil {
				p.Annotations = map[string]string{}
			}
			maps.Copy(p.Annotations, b.Annotations)
		}
		p.Status.Conditions = withCondition(p.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: s.now(),
		})
	})
	return nil
}

// withCondition returns a new list with the condition replaced or added.
func withCondition(list []corev1.PodCondition, c corev1.PodCondition) []corev1.PodCondition {
	out := make([]corev1.PodCondition, 0, len(list)+1)
	found := false
	for _, o := range list {
		if o.Type == c.Type {
			found = true
			if o.Status == c.Status {
				c.LastTransitionTime = o.LastTransitionTime
			}
			o = c
		}
		out = append(out, o)
	}
	if !found {
		out = append(out, c)
	}
	return out
}
