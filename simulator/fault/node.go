package fault

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/kubelet"
)

// evictionMessage is what a kubelet says that has run out of memory.
const evictionMessage = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 64Mi. "

// pullMessage is what a node says that cannot reach a registry.
const pullMessage = `failed to pull and unpack image %q: failed to resolve reference %q: failed to do request: Head: dial tcp 192.0.2.1:443: connect: connection refused`

// Node returns the hooks of the node: the points downward-api and pull.
func (in *Injector) Node() kubelet.Faults {
	var hooks kubelet.Faults
	if in.has(DownwardAPI) {
		hooks.Projection = in.projection
	}
	if in.has(Pull) {
		hooks.Pull = in.pull
	}
	if in.has(Container) {
		hooks.Start = in.start
	}
	return hooks
}

// projection is how much later than usual the files of a Pod are refreshed.
func (in *Injector) projection(pod *corev1.Pod) time.Duration {
	if f := in.first(DownwardAPI, func(f *armed) bool { return f.Name == "" || f.Name == pod.Name }); f != nil {
		in.strike(f, pod.Namespace+"/"+pod.Name)
		return f.delay()
	}
	return 0
}

// pull is why an image cannot be pulled, or nil.
func (in *Injector) pull(reference string) error {
	if f := in.first(Pull, func(f *armed) bool { return f.Image == "" || f.Image == reference }); f != nil {
		in.strike(f, reference)
		return fmt.Errorf(pullMessage, reference, reference)
	}
	return nil
}

// start is what goes wrong with a container that is to start. What strikes one that runs, observe sees to, but for init
// containers: most of them are over before anything is seen of them.
func (in *Injector) start(pod *corev1.Pod, container string) kubelet.StartFault {
	init := slices.ContainsFunc(pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == container })
	f := in.first(Container, func(f *armed) bool {
		switch f.What {
		case OOMKilled, Killed:
			return init && f.Name == container
		case Rerun:
			return init && (f.Name == "" || f.Name == container)
		}
		return f.Name == "" || f.Name == container
	})
	if f == nil {
		return kubelet.StartFault{}
	}
	in.strike(f, pod.Namespace+"/"+pod.Name+" "+container)
	switch f.What {
	case OOMKilled:
		return kubelet.StartFault{OOMKill: true}
	case Killed:
		return kubelet.StartFault{Kill: true}
	case Rerun:
		return kubelet.StartFault{Again: true}
	case Unnoticed:
		return kubelet.StartFault{Late: f.delay()}
	case NotReady:
		return kubelet.StartFault{Reason: f.What, Message: `failed to sync configmap cache: timed out waiting for the condition`}
	case NoSubPath:
		return kubelet.StartFault{Reason: NotReady, Message: fmt.Sprintf("failed to create subPath directory for volumeMount %q of container %q", "data", container)}
	}
	return kubelet.StartFault{Reason: f.What, Message: `failed to reserve container name: name is reserved for another container`}
}

// first counts an occurrence for every fault of the point that is about it, and
// returns the first that hits it.
func (in *Injector) first(p Point, about func(*armed) bool) *armed {
	if !in.active {
		return nil
	}
	var hit *armed
	for _, f := range in.faults {
		if f.Point == p && about(f) && in.occurs(f) && hit == nil {
			hit = f
		}
	}
	return hit
}

// observe waits for Pods and containers that begin to run.
func (in *Injector) observe(ch apiserver.Change) {
	if !in.active || ch.Type != watch.Modified {
		return
	}
	pod, ok := ch.New.(*corev1.Pod)
	if !ok {
		return
	}
	old, ok := ch.Old().(*corev1.Pod)
	if !ok {
		return
	}
	began := pod.Status.Phase == corev1.PodRunning && old.Status.Phase != corev1.PodRunning
	for _, f := range in.faults {
		switch f.Point {
		case Pod, Node, Kubelet:
			if !f.timed() && began && (f.Name == "" || f.Name == pod.Name) {
				in.later(f, pod, "")
			}
		case Container:
			if f.What != OOMKilled && f.What != Killed {
				continue
			}
			for i := range pod.Status.ContainerStatuses {
				s := &pod.Status.ContainerStatuses[i]
				if s.State.Running != nil && (f.Name == "" || f.Name == s.Name) && !ran(old, s) {
					in.later(f, pod, s.Name)
				}
			}
		}
	}
}

// ran reports whether the same instance of the container was seen running before.
func ran(pod *corev1.Pod, s *corev1.ContainerStatus) bool {
	for i := range pod.Status.ContainerStatuses {
		if o := &pod.Status.ContainerStatuses[i]; o.Name == s.Name {
			return o.State.Running != nil && o.ContainerID == s.ContainerID
		}
	}
	return false
}

// later has the fault strike some time after an occurrence that it hits, and not
// before its time.
func (in *Injector) later(f *armed, pod *corev1.Pod, container string) {
	f.seen++
	first := max(f.Nth, 1)
	if f.seen < first || f.seen >= first+f.Times {
		return
	}
	wait := max(f.After-in.kernel.Now().Sub(in.begun), 0)
	if f.Point == Pod || f.Point == Container {
		wait = max(wait, f.Delay)
	}
	name, uid := client.ObjectKeyFromObject(pod), pod.UID
	in.kernel.After(wait, actor, string(f.Point)+" "+f.What, func() { in.hit(f, name, uid, container) })
}

// hit strikes a Pod, a container of it, or the node under it. If there is nothing
// left to hit, the next occurrence counts in its stead.
func (in *Injector) hit(f *armed, name types.NamespacedName, uid types.UID, container string) {
	if !in.active {
		return
	}
	k := in.cluster.Kubelet()
	struck := true
	switch {
	case f.Point == Node || f.Point == Kubelet:
		in.away(f, name.String())
		return
	case k.Away():
		struck = false
	case f.What == OOMKilled:
		struck = k.OOMKill(name.Namespace, name.Name, container)
	case f.What == Killed:
		struck = k.KillContainer(name.Namespace, name.Name, container)
	case f.What == Evicted:
		struck = k.Evict(name.Namespace, name.Name, evictionMessage)
	case f.What == Deleted:
		pod := &corev1.Pod{}
		pod.Namespace, pod.Name = name.Namespace, name.Name
		err := in.cluster.Client(actor).Delete(context.Background(), pod, client.Preconditions{UID: &uid})
		struck = err == nil || !apierrors.IsNotFound(err) && !apierrors.IsConflict(err)
	}
	if !struck {
		f.seen--
		return
	}
	on := name.String()
	if container != "" {
		on += " " + container
	}
	in.strike(f, on)
}
