// Package kubelet is the simulated node: it runs the Pods that are bound to it.
//
// Each Pod has a worker, a coroutine of the kernel, that brings the Pod from
// admission to its end in passes ("syncs"), as the real kubelet's pod worker
// does. A sync writes the status it finds, then acts: sets up volumes and the
// sandbox, runs init containers one after the other, starts containers, kills
// those whose definition changed or whose probes failed, restarts what the
// restart policy says. What it learns while acting (a pull that failed, a missing
// configMap) shows in the status that the next sync writes. A sync happens when
// something calls for one: the API's Pod changed, a probe's verdict changed, a
// back-off or the active deadline ran out, or a container started or exited,
// which the kubelet notices at its next look at the runtime (the "relist", about
// once a second). When nothing is due, nothing ticks.
//
// Containers, volumes and images are reached through the small interfaces of
// runtime.go, the API through a controller-runtime client and a watch. All
// durations are drawn from a stream of the kernel per Pod, within the ranges of
// [Timing], so Pods do not disturb each other's randomness.
//
// Known limits: cgroups are not modelled (limits of CPU never slow a container;
// memory ends it only when the runtime says so), images are never collected, one
// Pod's failed pulls do not hold back another's, ephemeral containers are
// ignored, and HTTP, TCP and gRPC probes succeed as soon as the container runs
// unless the runtime's container can answer for its ports.
package kubelet

import (
	"context"
	"fmt"
	"io"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
	"github.com/plumbline-ci/plumbline/simulator/recorder"
)

// Options configure a Kubelet. Kernel, Client, Source, Runtime and Images are
// needed.
type Options struct {
	Kernel  *kernel.Kernel
	Client  client.Client
	Source  Source
	Runtime Runtime
	Images  Images
	Node    Node
	Timing  *Timing // nil means DefaultTiming
	Faults  Faults

	// Claims are the volumes of PersistentVolumeClaims, by UID, which the nodes of a
	// cluster share; nil means that there is one node.
	Claims map[types.UID]Volume

	// OnOutput, if set, sees all output of containers as it is written. It must not
	// keep data.
	OnOutput func(o Output)
	// LogLimit is how many bytes of output are kept per container; of more, the
	// oldest are dropped. Zero means 1 MiB.
	LogLimit int
}

// Kubelet runs the Pods of one node.
type Kubelet struct {
	o        Options
	timing   Timing
	kernel   *kernel.Kernel
	actor    string
	events   *recorder.Recorder
	workers  map[types.UID]*worker
	finished map[types.UID]*finished
	byName   map[types.NamespacedName]types.UID
	storage  map[string]Volume // hostPath, by path
	images   map[string]bool   // references pulled to this node
	nextIP   int
	lost     bool
	down     bool    // the process, and so lost as well
	held     []Event // what the API said while the node was lost
	content  contentWatch
	stop     []func()

	// Parts of statuses that never change. Sharing them keeps equal statuses
	// quick to compare; they are not modified.
	yes, no                   *bool
	notRecursive              *corev1.RecursiveReadOnlyMode
	hostIPs                   []corev1.HostIP
	podInitializing, creating *corev1.ContainerStateWaiting
}

// New returns a Kubelet. Start makes it work.
func New(o Options) *Kubelet {
	k := &Kubelet{
		o: o, kernel: o.Kernel, timing: DefaultTiming(),
		actor:    "kubelet/" + o.Node.Name,
		workers:  map[types.UID]*worker{},
		finished: map[types.UID]*finished{},
		byName:   map[types.NamespacedName]types.UID{},
		storage:  map[string]Volume{},
		images:   map[string]bool{},
		nextIP:   2,
		yes:      new(true), no: new(false), notRecursive: new(corev1.RecursiveReadOnlyDisabled),
		podInitializing: &corev1.ContainerStateWaiting{Reason: reasonPodInitializing},
		creating:        &corev1.ContainerStateWaiting{Reason: reasonCreating},
	}
	if o.Timing != nil {
		k.timing = *o.Timing
	}
	if k.o.Claims == nil {
		k.o.Claims = map[types.UID]Volume{}
	}
	if k.o.LogLimit == 0 {
		k.o.LogLimit = 1 << 20
	}
	k.o.Node = o.Node.withDefaults()
	k.hostIPs = []corev1.HostIP{{IP: k.o.Node.Address}}
	k.events = recorder.New(recorder.Options{Clock: o.Kernel, Client: o.Client, Component: "kubelet", Host: o.Node.Name})
	return k
}

// Start registers the node and begins to watch Pods.
func (k *Kubelet) Start() error {
	if err := k.register(); err != nil {
		return err
	}
	stop, err := k.o.Source.Watch(corev1.SchemeGroupVersion.WithKind("Pod"), k.observe)
	if err != nil {
		return fmt.Errorf("watching Pods: %w", err)
	}
	k.stop = append(k.stop, stop)
	return nil
}

// Stop ends all watches. Pods are left as they are.
func (k *Kubelet) Stop() {
	for _, stop := range k.stop {
		stop()
	}
	k.stop = nil
}

// observe takes one change of a Pod from the API.
func (k *Kubelet) observe(e Event) {
	pod, ok := e.Object.(*corev1.Pod)
	if !ok || pod.Spec.NodeName != k.o.Node.Name {
		return
	}
	if k.lost {
		k.held = append(k.held, e)
		return
	}
	w := k.workers[pod.UID]
	switch {
	case e.Type == watch.Deleted:
		if w != nil {
			w.vanish()
		}
		k.forget(pod)
	case w != nil:
		w.update(pod)
	case k.finished[pod.UID] != nil:
		k.finished[pod.UID].update(k, pod)
	case terminal(pod.Status.Phase):
		// It ended before this kubelet began: there is nothing to run.
	default:
		k.adopt(pod)
	}
}

func (k *Kubelet) adopt(pod *corev1.Pod) {
	w := newWorker(k, pod)
	k.workers[pod.UID] = w
	k.byName[client.ObjectKeyFromObject(pod)] = pod.UID
	w.co = k.kernel.Go(w.actor, w.run)
}

// forget drops what is kept of a Pod that the API no longer has. A worker that
// still ends its containers goes on by itself.
func (k *Kubelet) forget(pod *corev1.Pod) {
	delete(k.finished, pod.UID)
	name := client.ObjectKeyFromObject(pod)
	if k.byName[name] == pod.UID && k.workers[pod.UID] == nil {
		delete(k.byName, name)
	}
}

// finished is what is kept of a Pod that has ended but still exists in the API.
type finished struct {
	logs map[string]*output
	done bool // its deletion has been scheduled
}

// update completes the deletion of a Pod that had ended before.
func (f *finished) update(k *Kubelet, pod *corev1.Pod) {
	if pod.DeletionTimestamp == nil || f.done {
		return
	}
	f.done = true
	lag := k.kernel.Stream(k.actor+"/delete/"+string(pod.UID)).Between(k.timing.Stop.Low, k.timing.Stop.High)
	k.kernel.After(lag, k.actor, "delete", func() { k.remove(pod) })
}

// remove takes a Pod that has ended out of the API.
func (k *Kubelet) remove(pod *corev1.Pod) {
	if k.lost {
		k.kernel.After(k.timing.Retry.Low, k.actor, "delete", func() { k.remove(pod) })
		return
	}
	uid, zero := pod.UID, int64(0)
	err := k.o.Client.Delete(context.Background(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}},
		&client.DeleteOptions{GracePeriodSeconds: &zero, Preconditions: &metav1.Preconditions{UID: &uid}})
	if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
		k.kernel.After(k.timing.Retry.Low, k.actor, "delete", func() { k.remove(pod) })
	}
}

// NoSuchContainerError says that the node runs no such container.
type NoSuchContainerError struct{ Namespace, Pod, Container string }

func (e *NoSuchContainerError) Error() string {
	if e.Container == "" {
		return fmt.Sprintf("pod %s/%s is not on this node", e.Namespace, e.Pod)
	}
	return fmt.Sprintf("container %q in pod %s/%s has not been started", e.Container, e.Namespace, e.Pod)
}

// Logs returns what the current or last instance of a container has written.
func (k *Kubelet) Logs(namespace, pod, container string) ([]byte, error) {
	return k.logs(namespace, pod, container, false)
}

// PreviousLogs returns what the instance before the last has written.
func (k *Kubelet) PreviousLogs(namespace, pod, container string) ([]byte, error) {
	return k.logs(namespace, pod, container, true)
}

func (k *Kubelet) logs(namespace, pod, container string, previous bool) ([]byte, error) {
	uid, ok := k.byName[types.NamespacedName{Namespace: namespace, Name: pod}]
	if !ok {
		return nil, &NoSuchContainerError{Namespace: namespace, Pod: pod}
	}
	var out *output
	if w := k.workers[uid]; w != nil {
		if s := w.slot(container); s != nil {
			if out = s.log; previous {
				out = s.previousLog
			}
		}
	} else if f := k.finished[uid]; f != nil {
		if previous {
			container = previousPrefix + container
		}
		out = f.logs[container]
	}
	if out == nil {
		return nil, &NoSuchContainerError{Namespace: namespace, Pod: pod, Container: container}
	}
	return out.bytes(), nil
}

// Runs reports whether a Pod is on the node.
func (k *Kubelet) Runs(namespace, pod string) bool { return k.worker(namespace, pod) != nil }

// Knows reports whether a Pod is on the node, or was.
func (k *Kubelet) Knows(namespace, pod string) bool {
	_, ok := k.byName[types.NamespacedName{Namespace: namespace, Name: pod}]
	return ok
}

// Exec runs a command in a running container; done gets its exit code.
func (k *Kubelet) Exec(namespace, pod, container string, argv []string, stdout, stderr io.Writer, done func(code int)) error {
	s := k.running(namespace, pod, container)
	if s == nil {
		return &NoSuchContainerError{Namespace: namespace, Pod: pod, Container: container}
	}
	return s.container.Exec(argv, stdout, stderr, done)
}

// ExecInput is Exec for a command with standard input. If the container does not take one, the input is discarded.
func (k *Kubelet) ExecInput(namespace, pod, container string, argv []string, stdout, stderr io.Writer, done func(code int)) (io.WriteCloser, error) {
	s := k.running(namespace, pod, container)
	if s == nil {
		return nil, &NoSuchContainerError{Namespace: namespace, Pod: pod, Container: container}
	}
	if r, ok := s.container.(Reader); ok {
		return r.ExecInput(argv, stdout, stderr, done)
	}
	return unread{io.Discard}, s.container.Exec(argv, stdout, stderr, done)
}

// unread is an input that is discarded.
type unread struct{ io.Writer }

func (unread) Close() error { return nil }

// running finds a container that runs now; an empty name means the Pod's first.
func (k *Kubelet) running(namespace, pod, container string) *slot {
	w := k.worker(namespace, pod)
	if w == nil {
		return nil
	}
	if container == "" {
		container = w.apps[0].spec.Name
	}
	if s := w.slot(container); s != nil && s.running() {
		return s
	}
	return nil
}

func (k *Kubelet) worker(namespace, pod string) *worker {
	return k.workers[k.byName[types.NamespacedName{Namespace: namespace, Name: pod}]]
}

// address returns the next free Pod IP of the node.
func (k *Kubelet) address() string {
	n := k.nextIP
	k.nextIP++
	return k.o.Node.PodNetwork + strconv.Itoa(n/254%254) + "." + strconv.Itoa(n%254+1)
}

func terminal(p corev1.PodPhase) bool { return p == corev1.PodSucceeded || p == corev1.PodFailed }
