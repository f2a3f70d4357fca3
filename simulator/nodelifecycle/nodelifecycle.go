// Package nodelifecycle is what a cluster does about a node that no longer reports:
// the node becomes NotReady and tainted, its Pods become not ready, and those that
// do not tolerate that for long enough are marked for deletion.
//
// Nodes send no heartbeats here, so nothing ticks in a sound cluster. The code that
// cuts a node off says so ([Controller.Lost], [Controller.Recovered]); from there on
// the times are a real cluster's.
package nodelifecycle

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

const actor = "node-controller"

// GracePeriod is how long a node may be silent.
const GracePeriod = 50 * time.Second

// What is said about a node that is silent, and about its Pods.
const (
	reasonUnknown       = "NodeStatusUnknown"
	messageUnknown      = "Kubelet stopped posting node status."
	reasonReady         = "KubeletReady"
	messageReady        = "kubelet is posting ready status"
	reasonNotReady      = "NodeNotReady"
	messageNotReady     = "Node is not ready"
	reasonEviction      = "TaintManagerEviction"
	reasonDisruption    = "DeletionByTaintManager"
	messageDisruption   = "Taint manager: deleting due to NoExecute taint"
	eventMessagePrefix  = "Marking for deletion Pod "
	retry               = time.Second
	evictionLagLow      = 5 * time.Millisecond
	evictionLagHigh     = 50 * time.Millisecond
	whatEvict, whatMark = "evict", "mark" // in the trace
)

// Options configure a Controller. All fields are needed.
type Options struct {
	Kernel *kernel.Kernel
	Client client.Client
}

// Controller looks after nodes.
type Controller struct {
	o      Options
	stream *kernel.Stream
	events *recorder.Recorder
	silent map[string]*kernel.Event
	dead   map[string]bool
}

// New returns a Controller.
func New(o Options) *Controller {
	return &Controller{
		o: o, stream: o.Kernel.Stream(actor), silent: map[string]*kernel.Event{}, dead: map[string]bool{},
		events: recorder.New(recorder.Options{Clock: o.Kernel, Client: o.Client, Component: actor}),
	}
}

// Lost says that a node no longer reports from now on.
func (c *Controller) Lost(node string) {
	if c.silent[node].Scheduled() || c.dead[node] {
		return
	}
	c.silent[node] = c.o.Kernel.After(GracePeriod, actor, whatMark, func() { c.bury(node) })
}

// Ready says that a new node is fit for Pods.
func (c *Controller) Ready(node string) {
	c.mark(node, corev1.ConditionTrue, reasonReady, messageReady)
}

// Recovered says that the node reports again.
func (c *Controller) Recovered(node string) {
	c.silent[node].Cancel()
	delete(c.silent, node)
	if !c.dead[node] {
		return
	}
	delete(c.dead, node)
	c.mark(node, corev1.ConditionTrue, reasonReady, messageReady)
}

// bury declares a node dead.
func (c *Controller) bury(node string) {
	c.dead[node] = true
	c.mark(node, corev1.ConditionUnknown, reasonUnknown, messageUnknown)
	pods := &corev1.PodList{}
	if err := c.o.Client.List(context.Background(), pods); err != nil {
		c.o.Kernel.After(retry, actor, whatMark, func() { c.bury(node) })
		return
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if pod.Spec.NodeName != node || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue
		}
		c.unready(pod)
		if wait, forever := tolerated(pod); !forever {
			uid := pod.UID
			wait += c.stream.Between(evictionLagLow, evictionLagHigh)
			c.o.Kernel.After(wait, actor, whatEvict, func() { c.evict(node, client.ObjectKeyFromObject(pod), string(uid)) })
		}
	}
}

// mark sets the node's condition and taints.
func (c *Controller) mark(name string, ready corev1.ConditionStatus, reason, message string) {
	if err := c.tryMark(name, ready, reason, message); err != nil && !apierrors.IsNotFound(err) {
		c.o.Kernel.After(retry, actor, whatMark, func() {
			if c.dead[name] == (ready != corev1.ConditionTrue) { // still so
				c.mark(name, ready, reason, message)
			}
		})
	}
}

func (c *Controller) tryMark(name string, ready corev1.ConditionStatus, reason, message string) error {
	ctx := context.Background()
	node := &corev1.Node{}
	if err := c.o.Client.Get(ctx, client.ObjectKey{Name: name}, node); err != nil {
		return err
	}
	node.Spec.Taints = slices.DeleteFunc(node.Spec.Taints, func(t corev1.Taint) bool {
		return t.Key == corev1.TaintNodeUnreachable || t.Key == corev1.TaintNodeNotReady
	})
	if ready != corev1.ConditionTrue {
		now := c.stamp()
		node.Spec.Taints = append(node.Spec.Taints,
			corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoSchedule, TimeAdded: &now},
			corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoExecute, TimeAdded: &now})
	}
	if err := c.o.Client.Update(ctx, node); err != nil {
		return err
	}
	for i := range node.Status.Conditions {
		if n := &node.Status.Conditions[i]; n.Type == corev1.NodeReady {
			n.Status, n.Reason, n.Message, n.LastTransitionTime = ready, reason, message, c.stamp()
		}
	}
	return c.o.Client.Status().Update(ctx, node)
}

func (c *Controller) stamp() metav1.Time {
	return metav1.NewTime(c.o.Kernel.Now().Truncate(time.Second))
}

// unready takes the Pod's readiness away.
func (c *Controller) unready(pod *corev1.Pod) {
	changed := false
	for i := range pod.Status.Conditions {
		if p := &pod.Status.Conditions[i]; p.Type == corev1.PodReady && p.Status == corev1.ConditionTrue {
			p.Status, p.LastTransitionTime, changed = corev1.ConditionFalse, c.stamp(), true
		}
	}
	if changed && c.o.Client.Status().Update(context.Background(), pod) == nil {
		c.events.Event(pod, corev1.EventTypeWarning, reasonNotReady, messageNotReady)
	}
}

// tolerated returns how long the Pod bears an unreachable node.
func tolerated(pod *corev1.Pod) (wait time.Duration, forever bool) {
	found := false
	for _, t := range pod.Spec.Tolerations {
		if t.Key != "" && t.Key != corev1.TaintNodeUnreachable || t.Effect != "" && t.Effect != corev1.TaintEffectNoExecute {
			continue
		}
		if t.TolerationSeconds == nil {
			return 0, true
		}
		d := time.Duration(max(*t.TolerationSeconds, 0)) * time.Second
		if !found || d < wait {
			wait, found = d, true
		}
	}
	return wait, false
}

// evict marks a Pod for deletion. Its kubelet completes that, if it ever comes
// back.
func (c *Controller) evict(node string, key client.ObjectKey, uid string) {
	if !c.dead[node] {
		return
	}
	ctx := context.Background()
	pod := &corev1.Pod{}
	if err := c.o.Client.Get(ctx, key, pod); err != nil || string(pod.UID) != uid || pod.DeletionTimestamp != nil {
		return
	}
	c.events.Event(pod, corev1.EventTypeNormal, reasonEviction, eventMessagePrefix+key.String())
	pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
		Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue, Reason: reasonDisruption, Message: messageDisruption,
		LastTransitionTime: c.stamp(), ObservedGeneration: pod.Generation,
	})
	// Without the condition the deletion means the same.
	_ = c.o.Client.Status().Update(ctx, pod)
	if err := c.o.Client.Delete(ctx, pod, client.Preconditions{UID: &pod.UID}); err != nil && !apierrors.IsNotFound(err) {
		c.o.Kernel.After(retry, actor, whatEvict, func() { c.evict(node, key, uid) })
	}
}
