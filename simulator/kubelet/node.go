package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Node describes the machine. Only Name is needed.
type Node struct {
	Name        string
	Labels      map[string]string // added to the well-known ones
	Taints      []corev1.Taint
	Allocatable corev1.ResourceList // nil means 8 CPUs, 32 GiB of memory, 100 GiB of storage, 110 Pods
	Address     string              // empty means 172.18.0.2
	PodNetwork  string              // the first two bytes of Pod addresses with a dot at the end; empty means 10.244.
	Service     string              // the address of the API server's service; empty means 10.96.0.1
	Port        int32               // of the kubelet's own API, if it has one
	Version     string              // of the kubelet, if it says so
	Annotations map[string]string

	// Admit are checks that a Pod has to pass on the node; each may name a reason
	// and a message against it.
	Admit []func(*corev1.Pod) (reason, message string)

	services []string
}

func (n Node) withDefaults() Node {
	if n.Allocatable == nil {
		n.Allocatable = corev1.ResourceList{
			corev1.ResourceCPU:              resource.MustParse("8"),
			corev1.ResourceMemory:           resource.MustParse("32Gi"),
			corev1.ResourceEphemeralStorage: resource.MustParse("100Gi"),
			corev1.ResourcePods:             resource.MustParse("110"),
		}
	}
	if n.Address == "" {
		n.Address = "172.18.0.2"
	}
	if n.PodNetwork == "" {
		n.PodNetwork = "10.244."
	}
	if n.Service == "" {
		n.Service = "10.96.0.1"
	}
	n.services = serviceEnvironment(n.Service, "443")
	return n
}

// register creates the Node object, or takes over one of that name.
func (k *Kubelet) register() error {
	n := k.o.Node
	labels := map[string]string{
		corev1.LabelHostname:    n.Name,
		corev1.LabelOSStable:    "linux",
		corev1.LabelArchStable:  "amd64",
		"beta.kubernetes.io/os": "linux", "beta.kubernetes.io/arch": "amd64",
	}
	for key, value := range n.Labels {
		labels[key] = value
	}
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: n.Name, Labels: labels, Annotations: n.Annotations},
		Spec:       corev1.NodeSpec{PodCIDR: n.PodNetwork + "0.0/24", Taints: n.Taints},
	}
	status := corev1.NodeStatus{
		Capacity: n.Allocatable, Allocatable: n.Allocatable,
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: n.Address}},
		Conditions:      []corev1.NodeCondition{k.readyCondition(corev1.ConditionTrue, "KubeletReady", "kubelet is posting ready status")},
		NodeInfo:        corev1.NodeSystemInfo{OperatingSystem: "linux", Architecture: "amd64", ContainerRuntimeVersion: "containerd://1.7", KubeletVersion: n.Version},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: n.Port}},
	}
	if n.Port == 0 { // where it is called at, its name must lead to it, and here it leads nowhere
		status.Addresses = append(status.Addresses, corev1.NodeAddress{Type: corev1.NodeHostName, Address: n.Name})
	}
	ctx := context.Background()
	if err := k.o.Client.Create(ctx, node); apierrors.IsAlreadyExists(err) {
		if err := k.o.Client.Get(ctx, types.NamespacedName{Name: n.Name}, node); err != nil {
			return fmt.Errorf("reading node %s: %w", n.Name, err)
		}
	} else if err != nil {
		return fmt.Errorf("registering node %s: %w", n.Name, err)
	}
	node.Status = status
	if err := k.o.Client.Status().Update(ctx, node); err != nil {
		return fmt.Errorf("reporting the status of node %s: %w", n.Name, err)
	}
	return nil
}

func (k *Kubelet) readyCondition(s corev1.ConditionStatus, reason, message string) corev1.NodeCondition {
	now := metav1.NewTime(k.kernel.Now().Truncate(time.Second))
	return corev1.NodeCondition{
		Type: corev1.NodeReady, Status: s, Reason: reason, Message: message, LastHeartbeatTime: now, LastTransitionTime: now,
	}
}

// Lose cuts the node off: what its containers do is no longer reported, and what
// the API wants of them is not heard, until Recover. The containers themselves
// run on. The Node object is left to the controller that watches over nodes.
func (k *Kubelet) Lose() { k.lost = true }

// Away reports whether the node is cut off or its kubelet down.
func (k *Kubelet) Away() bool { return k.lost }

// Down ends the kubelet's process until Up. Containers run on, but nothing is
// started, stopped or reported.
func (k *Kubelet) Down() { k.lost, k.down = true, true }

// Up starts the kubelet again. It finds its containers, forgets how long it wanted
// to wait before it tries again what had failed, and writes all projected files.
func (k *Kubelet) Up() {
	k.down = false
	for _, name := range k.Pods() {
		k.worker(name.Namespace, name.Name).each(func(s *slot) { s.crashes, s.pulls = backOff{}, backOff{} })
		k.Refresh(name)
	}
	k.Recover()
}

// Recover ends what Lose began.
func (k *Kubelet) Recover() {
	k.lost = false
	held := k.held
	k.held = nil
	for _, e := range held {
		k.observe(e)
	}
	for _, name := range k.Pods() {
		w := k.worker(name.Namespace, name.Name)
		w.co.Wake()
		w.react()
	}
}
