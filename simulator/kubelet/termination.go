package kubelet

import (
	"io"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// windDown ends a Pod whose containers have done their work: what still runs
// (native sidecars) is stopped, the sandbox goes, and the phase becomes final.
func (w *worker) windDown() {
	w.deadline.Cancel()
	w.stopSidecars(func() time.Time { return w.now().Add(w.grace()) })
	w.settle(w.k.timing.Relist)
	w.online()
	w.sandbox = false
	w.conclude(w.final())
}

// terminate ends a Pod that is deleted, out of time or evicted.
func (w *worker) terminate() {
	w.deadline.Cancel()
	var ran []*slot
	for _, s := range w.apps {
		if s.running() {
			ran = append(ran, s)
		}
	}
	deadline := func() time.Time { return w.stop.since.Add(w.stop.grace) }
	w.endContainers(w.apps, "Stopping container ", deadline)
	w.stopSidecars(deadline)
	w.endContainers(w.inits, "Stopping container ", deadline)
	w.settle(w.k.timing.Stop)
	w.online()
	if w.stop.evicted {
		w.reportEviction(ran)
	}
	w.sandbox = false
	w.outcome = w.stop.outcome
	w.conclude(w.final())
	if w.pod.DeletionTimestamp != nil {
		w.settle(w.k.timing.Teardown)
	}
}

// stopSidecars stops native sidecars, the last one first.
func (w *worker) stopSidecars(deadline func() time.Time) {
	until := deadline()
	for i := len(w.inits) - 1; i >= 0; i-- {
		if s := w.inits[i]; s.restartable {
			w.endContainers([]*slot{s}, "Stopping container ", func() time.Time { return until })
		}
	}
}

// settle lets time pass, whatever happens meanwhile.
func (w *worker) settle(r Range) {
	until := w.now().Add(w.draw(r))
	for left := until.Sub(w.now()); left > 0; left = until.Sub(w.now()) {
		w.co.ParkFor(left)
	}
}

// endContainers asks the running ones of slots to end, and kills those that have
// not by the deadline, which may move. announce begins the event about each.
func (w *worker) endContainers(slots []*slot, announce string, deadline func() time.Time) {
	var live []*slot
	for _, s := range slots {
		if s.running() {
			live = append(live, s)
		}
	}
	for _, s := range live {
		s.killedAt = w.now()
		if announce != "" {
			w.event(s.fieldPath, corev1.EventTypeNormal, reasonKilling, announce+s.spec.Name)
		}
		s.stopProbes()
		s.askToEnd()
	}
	killed := false
	for {
		running := false
		for _, s := range live {
			running = running || s.running()
		}
		if !running {
			break
		}
		left := deadline().Sub(w.now())
		switch {
		case killed:
			w.co.Park()
		case left > 0:
			w.co.ParkFor(left)
		default:
			killed = true
			for _, s := range live {
				if s.running() {
					s.container.Kill()
				}
			}
		}
	}
	for _, s := range live {
		s.killedAt = time.Time{}
	}
}

// askToEnd runs the preStop hook, if there is one, and then sends SIGTERM.
func (s *slot) askToEnd() {
	c := s.container
	term := func() {
		if s.container == c && s.running() {
			c.Terminate()
		}
	}
	if s.spec.Lifecycle == nil || s.spec.Lifecycle.PreStop == nil {
		term()
		return
	}
	switch hook := s.spec.Lifecycle.PreStop; {
	case hook.Exec != nil:
		err := c.Exec(hook.Exec.Command, io.Discard, io.Discard, func(code int) {
			if code != 0 {
				s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailedPreStopHook, "PreStopHook failed")
			}
			term()
		})
		if err != nil {
			s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailedPreStopHook, "PreStopHook failed")
			term()
		}
	case hook.Sleep != nil:
		s.w.k.kernel.After(time.Duration(hook.Sleep.Seconds)*time.Second, s.w.actor, "preStop sleep", term)
	default:
		term()
	}
}

// final is the status of a Pod that will no longer change. Containers of a Pod
// past its init containers whose end was not seen are taken for lost.
func (w *worker) final() corev1.PodStatus {
	st := w.status()
	if w.initDone {
		for i := range st.ContainerStatuses {
			lose(&st.ContainerStatuses[i], w.k.no)
		}
	}
	last := -1 // the last init container that anything is known of
	for i := range st.InitContainerStatuses {
		if s := st.InitContainerStatuses[i]; s.State.Waiting == nil || s.LastTerminationState.Terminated != nil {
			last = i
		}
	}
	if w.initDone {
		last = len(st.InitContainerStatuses) - 1
	}
	for i := range last + 1 {
		lose(&st.InitContainerStatuses[i], w.k.no)
	}
	if !terminal(st.Phase) {
		st.Phase = corev1.PodFailed
	}
	return st
}

func lose(s *corev1.ContainerStatus, stopped *bool) {
	if s.State.Terminated != nil {
		return
	}
	s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		ExitCode: exitUnknown, Reason: reasonStatusUnknown, Message: messageLocatedTerm,
	}}
	s.Ready, s.Started = false, stopped
}

// Evict ends a Pod at once, as the kubelet does under pressure. It reports
// whether the Pod runs here.
func (k *Kubelet) Evict(namespace, pod, message string) bool {
	w := k.worker(namespace, pod)
	if w == nil {
		return false
	}
	w.evict(message)
	return true
}

func (w *worker) evict(message string) {
	w.event("", corev1.EventTypeWarning, reasonEvicted, message)
	w.requestStop(&stop{grace: time.Second, evicted: true, outcome: &outcome{corev1.PodFailed, reasonEvicted, message}})
}

// reportEviction writes what is seen of an evicted Pod between its end and its
// final status: the containers that ran have been removed already, so they look as if
// they were to be created again. Those that had ended before keep their record.
func (w *worker) reportEviction(ran []*slot) {
	for _, s := range ran {
		if !s.ended() {
			continue
		}
		s.previous = &corev1.ContainerStateTerminated{ExitCode: exitUnknown, Reason: reasonStatusUnknown, Message: messageLocatedDelete}
		s.restarts++
		s.terminated, s.run, s.waiting, s.id, s.imageID, s.startedImage, s.imageName = nil, nil, nil, "", "", "", ""
	}
	w.outcome = w.stop.outcome
	w.sandbox = false
	w.write(w.status())
	w.settle(w.k.timing.Stop)
}

// KillContainer ends a container by SIGKILL, as a process of the node may do. It reports
// whether the container runs here.
func (k *Kubelet) KillContainer(namespace, pod, container string) bool {
	s := k.running(namespace, pod, container)
	if s == nil {
		return false
	}
	s.container.Kill()
	return true
}

// OOMKill ends a container as if it had used more memory than it may. It reports
// whether the container runs here and can be ended so.
func (k *Kubelet) OOMKill(namespace, pod, container string) bool {
	s := k.running(namespace, pod, container)
	if s == nil {
		return false
	}
	victim, ok := s.container.(OOMKiller)
	if ok {
		victim.OOMKill()
	}
	return ok
}

// Pods returns the names of the Pods that the node runs.
func (k *Kubelet) Pods() []types.NamespacedName {
	var out []types.NamespacedName
	for name, uid := range k.byName {
		if k.workers[uid] != nil {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, func(a, b types.NamespacedName) int { return strings.Compare(a.String(), b.String()) })
	return out
}
