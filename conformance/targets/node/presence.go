package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The Lease of a node, as kubelets keep it: a node that renews it is alive.
const (
	leaseDuration = 40 * time.Second
	leaseRenewal  = 10 * time.Second
)

// What is said about Pods whose containers have ended with this process, or with one before it.
const (
	reasonShutdown  = "Terminated"
	messageShutdown = "Pod was terminated in response to imminent node shutdown."
	reasonLost      = "NodeLost"
	messageLost     = "The simulated node that ran the Pod ended, and its containers with it."
	reasonUnknown   = "ContainerStatusUnknown"
	messageUnknown  = "The container could not be located when the pod was terminated"
	exitUnknown     = 137
)

// AlreadyThereError says that the name is taken by a node that lives.
type AlreadyThereError struct {
	Name string
	// Simulated says that it is one like this.
	Simulated bool
}

func (e *AlreadyThereError) Error() string {
	if e.Simulated {
		return fmt.Sprintf("there is a simulated node %q already, and its Lease was renewed less than %v ago: choose another name", e.Name, leaseDuration)
	}
	return fmt.Sprintf("there is a real node %q: choose another name", e.Name)
}

// takeOver makes sure that no other process is this node, and ends the Pods that a killed one has left behind.
func (n *Node) takeOver(ctx context.Context) error {
	node := &corev1.Node{}
	err := n.client.Get(ctx, client.ObjectKey{Name: n.o.Name}, node)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("looking for node %s: %w", n.o.Name, err)
	case node.Labels[LabelSimulated] == "":
		return &AlreadyThereError{Name: n.o.Name}
	}
	lease := &coordinationv1.Lease{}
	err = n.client.Get(ctx, n.leaseKey(), lease)
	switch {
	case apierrors.IsNotFound(err):
	case err != nil:
		return fmt.Errorf("looking for the Lease of node %s: %w", n.o.Name, err)
	case lease.Spec.RenewTime != nil && time.Since(lease.Spec.RenewTime.Time) < leaseDuration:
		return &AlreadyThereError{Name: n.o.Name, Simulated: true}
	}
	if err := n.renew(ctx); err != nil {
		return err
	}
	if node.UID != "" { // what it says is another's
		if err := client.IgnoreNotFound(n.client.Delete(ctx, node, client.Preconditions{UID: &node.UID})); err != nil {
			return fmt.Errorf("taking over node %s: %w", n.o.Name, err)
		}
	}
	return n.failPods(ctx, reasonLost, messageLost)
}

func (n *Node) leaseKey() client.ObjectKey {
	return client.ObjectKey{Namespace: corev1.NamespaceNodeLease, Name: n.o.Name}
}

// renew says that the node is alive.
func (n *Node) renew(ctx context.Context) error {
	key, now, seconds := n.leaseKey(), metav1.NowMicro(), int32(leaseDuration/time.Second)
	lease := &coordinationv1.Lease{}
	err := n.client.Get(ctx, key, lease)
	lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds, lease.Spec.RenewTime = &n.o.Name, &seconds, &now
	switch {
	case apierrors.IsNotFound(err):
		lease.Namespace, lease.Name = key.Namespace, key.Name
		if err = n.client.Create(ctx, lease); apierrors.IsNotFound(err) { // an API server makes this namespace a moment after it starts
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: key.Namespace}}
			if err = client.IgnoreAlreadyExists(n.client.Create(ctx, namespace)); err == nil {
				err = n.client.Create(ctx, lease)
			}
		}
	case err == nil:
		err = n.client.Update(ctx, lease)
	}
	if err != nil {
		return fmt.Errorf("renewing the Lease of node %s: %w", n.o.Name, err)
	}
	return nil
}

// beat renews the Lease until ctx ends. An API server that does not answer may come back.
func (n *Node) beat(ctx context.Context) error {
	tick := time.NewTicker(leaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := n.renew(ctx); err != nil && ctx.Err() == nil {
				n.o.Tell(err.Error())
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave says goodbye: nothing of the node goes on.
func (n *Node) leave(ctx context.Context) error {
	err := n.failPods(ctx, reasonShutdown, messageShutdown)
	meta := metav1.ObjectMeta{Name: n.o.Name}
	if failed := client.IgnoreNotFound(n.client.Delete(ctx, &corev1.Node{ObjectMeta: meta})); failed != nil {
		err = errors.Join(err, fmt.Errorf("deleting node %s: %w", n.o.Name, failed))
	}
	meta.Namespace = corev1.NamespaceNodeLease
	if failed := client.IgnoreNotFound(n.client.Delete(ctx, &coordinationv1.Lease{ObjectMeta: meta})); failed != nil {
		err = errors.Join(err, fmt.Errorf("deleting the Lease of node %s: %w", n.o.Name, failed))
	}
	return err
}

// failPods ends the node's Pods that have begun to run: their containers are gone, and are not to be run twice. Those that
// are being deleted go.
func (n *Node) failPods(ctx context.Context, reason, message string) error {
	list := &corev1.PodList{}
	if err := n.client.List(ctx, list, client.MatchingFields{"spec.nodeName": n.o.Name}); err != nil {
		return fmt.Errorf("listing the Pods of node %s: %w", n.o.Name, err)
	}
	var failed []error
	for i := range list.Items {
		pod := &list.Items[i]
		if fail(pod, reason, message, metav1.Now()) {
			if err := client.IgnoreNotFound(n.client.Status().Update(ctx, pod)); err != nil {
				failed = append(failed, fmt.Errorf("ending Pod %s/%s: %w", pod.Namespace, pod.Name, err))
			}
		}
		if pod.DeletionTimestamp != nil {
			if err := client.IgnoreNotFound(n.client.Delete(ctx, pod, client.GracePeriodSeconds(0))); err != nil {
				failed = append(failed, fmt.Errorf("deleting Pod %s/%s: %w", pod.Namespace, pod.Name, err))
			}
		}
	}
	return errors.Join(failed...)
}

// fail changes the status of a Pod whose containers are gone, and reports whether that says anything new.
func fail(pod *corev1.Pod, reason, message string, now metav1.Time) bool {
	if pod.Status.StartTime == nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
		return false
	}
	pod.Status.Phase, pod.Status.Reason, pod.Status.Message = corev1.PodFailed, reason, message
	for _, list := range [][]corev1.ContainerStatus{pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses} {
		for i := range list {
			s := &list[i]
			s.Ready, s.Started = false, new(false)
			if s.State.Terminated != nil {
				continue
			}
			ended := &corev1.ContainerStateTerminated{
				ExitCode: exitUnknown, Reason: reasonUnknown, Message: messageUnknown, FinishedAt: now, ContainerID: s.ContainerID,
			}
			if s.State.Running != nil {
				ended.StartedAt = s.State.Running.StartedAt
			}
			s.State = corev1.ContainerState{Terminated: ended}
		}
	}
	for i := range pod.Status.Conditions {
		if c := &pod.Status.Conditions[i]; c.Type == corev1.PodReady || c.Type == corev1.ContainersReady {
			c.Status, c.Reason, c.Message, c.LastTransitionTime = corev1.ConditionFalse, "PodFailed", "", now
		}
	}
	return true
}
