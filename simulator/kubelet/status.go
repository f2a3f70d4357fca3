package kubelet

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// report writes the status as it is and returns the phase that the containers
// call for, which is held back from the API until they have been cleaned up.
func (w *worker) report() corev1.PodPhase {
	st := w.status()
	phase := st.Phase
	if terminal(phase) {
		st.Phase = corev1.PodPending
		if w.hasStatus {
			st.Phase = w.written.Phase
		}
	}
	w.write(st)
	return phase
}

// status generates the Pod's status from the containers'.
func (w *worker) status() corev1.PodStatus {
	st := corev1.PodStatus{
		ObservedGeneration: w.pod.Generation,
		QOSClass:           w.base.Status.QOSClass,
		StartTime:          &w.startTime,
		HostIP:             w.k.o.Node.Address,
		HostIPs:            w.k.hostIPs,
		NominatedNodeName:  w.base.Status.NominatedNodeName,
	}
	if w.ip != "" {
		st.PodIP, st.PodIPs = w.ip, []corev1.PodIP{{IP: w.ip}}
	}
	if len(w.inits) > 0 {
		st.InitContainerStatuses = make([]corev1.ContainerStatus, len(w.inits))
		for i, s := range w.inits {
			s.status(&st.InitContainerStatuses[i])
		}
	}
	st.ContainerStatuses = make([]corev1.ContainerStatus, len(w.byName))
	for i, s := range w.byName {
		s.status(&st.ContainerStatuses[i])
	}
	st.Phase = w.phase()
	if w.outcome != nil {
		st.Phase, st.Reason, st.Message = w.outcome.phase, w.outcome.reason, w.outcome.message
	}
	st.Conditions = w.conditions(st.Phase)
	return st
}

// status fills in the status of one container. It allocates nothing, so that
// equal statuses are found equal quickly.
func (s *slot) status(out *corev1.ContainerStatus) {
	*out = corev1.ContainerStatus{
		Name: s.spec.Name, Image: s.spec.Image, ImageID: s.imageID, ContainerID: s.id,
		RestartCount: s.restarts, VolumeMounts: s.mounts, Started: s.w.k.no,
	}
	if s.imageName != "" {
		out.Image = s.imageName
	}
	if s.previous != nil {
		out.LastTerminationState.Terminated = s.previous
	}
	if s.id != "" {
		out.Resources = &s.spec.Resources
		if len(s.spec.Resources.Requests) > 0 {
			out.AllocatedResources = s.spec.Resources.Requests
		}
	}
	switch {
	case s.running():
		out.State.Running = s.run
		if s.started() {
			out.Started = s.w.k.yes
			out.Ready = !s.init || s.restartable
			out.Ready = out.Ready && s.ready()
		}
	case s.ended():
		out.State.Terminated = s.terminated
		out.Ready = s.init && !s.restartable && s.terminated.ExitCode == 0
		if s.waiting != nil && s.wantsStart() && s.w.stop == nil {
			out.State = corev1.ContainerState{Waiting: s.waiting}
			out.LastTerminationState.Terminated = s.terminated
		}
	case s.waiting != nil:
		out.State.Waiting = s.waiting
	default:
		out.State.Waiting = s.w.idleState()
	}
}

// idleState is the state of a container whose turn has not come.
func (w *worker) idleState() *corev1.ContainerStateWaiting {
	if len(w.inits) > 0 {
		return w.k.podInitializing
	}
	return w.k.creating
}

// phase follows from the containers' states.
func (w *worker) phase() corev1.PodPhase {
	never := w.pod.Spec.RestartPolicy == corev1.RestartPolicyNever
	pending := false
	for _, s := range w.inits {
		switch {
		case s.restartable:
			pending = pending || (!w.initDone && !s.started())
		case s.ended() && s.exit0():
		case s.ended() && never:
			return corev1.PodFailed
		default:
			pending = pending || !w.initDone
		}
	}
	var running, waiting, stopped, succeeded int
	for _, s := range w.apps {
		switch {
		case s.running():
			running++
		case s.ended():
			stopped++
			if s.exit0() {
				succeeded++
			}
		default:
			waiting++
		}
	}
	switch {
	case pending || waiting > 0:
		return corev1.PodPending
	case running > 0:
		return corev1.PodRunning
	case w.pod.Spec.RestartPolicy == corev1.RestartPolicyAlways || w.pod.Spec.RestartPolicy == "":
		return corev1.PodRunning
	case stopped == succeeded:
		return corev1.PodSucceeded
	case never:
		return corev1.PodFailed
	default:
		return corev1.PodRunning
	}
}

func (s *slot) exit0() bool { return s.terminated.ExitCode == 0 }

// conditions judges the Pod as a whole. The order is the recorded one.
func (w *worker) conditions(phase corev1.PodPhase) []corev1.PodCondition {
	out := make([]corev1.PodCondition, 0, 5+len(w.pod.Spec.ReadinessGates))
	add := func(t corev1.PodConditionType, ok bool, reason, message string) {
		c := corev1.PodCondition{Type: t, Status: corev1.ConditionFalse, Reason: reason, Message: message, ObservedGeneration: w.pod.Generation}
		if ok {
			c.Status = corev1.ConditionTrue
		}
		c.LastTransitionTime = w.since(t, c.Status)
		out = append(out, c)
	}
	add(corev1.PodReadyToStartContainers, w.sandbox, "", "")

	reason, message := "", ""
	if phase == corev1.PodSucceeded {
		reason = reasonPodCompleted
	} else if names := w.incomplete(); names != "" {
		reason, message = reasonNotInitialized, "containers with incomplete status: ["+names+"]"
	}
	add(corev1.PodInitialized, message == "", reason, message)

	reason, message = "", ""
	switch phase {
	case corev1.PodSucceeded:
		reason = reasonPodCompleted
	case corev1.PodFailed:
		reason = reasonPodFailed
	default:
		if names := w.unready(); names != "" {
			reason, message = reasonNotReady, "containers with unready status: ["+names+"]"
		}
	}
	ready := reason == ""
	gateReason, gateMessage := reason, message
	if ready {
		if gateMessage = w.closedGates(); gateMessage != "" {
			gateReason = reasonGatesNotReady
		}
	}
	add(corev1.PodReady, gateReason == "", gateReason, gateMessage)
	add(corev1.ContainersReady, ready, reason, message)
	add(corev1.PodScheduled, true, "", "")
	return out
}

// since returns when a condition took its status.
func (w *worker) since(t corev1.PodConditionType, status corev1.ConditionStatus) metav1.Time {
	for _, list := range [][]corev1.PodCondition{w.written.Conditions, w.base.Status.Conditions} {
		for i := range list {
			if list[i].Type == t {
				if list[i].Status == status {
					return list[i].LastTransitionTime
				}
				return w.stamp()
			}
		}
	}
	return w.stamp()
}

// incomplete names the init containers that have not done their part.
func (w *worker) incomplete() string {
	if w.initDone {
		return ""
	}
	return names(w.inits, func(s *slot) bool {
		if s.restartable {
			return !s.started()
		}
		return !s.ended() || !s.exit0()
	})
}

// unready names the containers that are not ready.
func (w *worker) unready() string {
	sidecars := names(w.inits, func(s *slot) bool { return s.restartable && !s.ready() })
	apps := names(w.apps, func(s *slot) bool { return !s.ready() })
	if sidecars != "" && apps != "" {
		return sidecars + " " + apps
	}
	return sidecars + apps
}

func names(slots []*slot, which func(*slot) bool) string {
	length := 0
	for _, s := range slots {
		if which(s) {
			length += len(s.spec.Name) + len(" ")
		}
	}
	var b strings.Builder
	b.Grow(length)
	for _, s := range slots {
		if which(s) {
			if b.Len() > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(s.spec.Name)
		}
	}
	return b.String()
}

// closedGates says which readiness gates are not open.
func (w *worker) closedGates() string {
	var closed []string
	for _, gate := range w.pod.Spec.ReadinessGates {
		switch c := condition(w.pod.Status.Conditions, gate.ConditionType); {
		case c == nil:
			closed = append(closed, `corresponding condition of pod readiness gate "`+string(gate.ConditionType)+`" does not exist.`)
		case c.Status != corev1.ConditionTrue:
			closed = append(closed, `the status of pod readiness gate "`+string(gate.ConditionType)+`" is not "True", but `+string(c.Status))
		}
	}
	return strings.Join(closed, ", ")
}

func condition(list []corev1.PodCondition, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range list {
		if list[i].Type == t {
			return &list[i]
		}
	}
	return nil
}

// foreign returns the conditions that others have set; they are kept.
func (w *worker) foreign() []corev1.PodCondition {
	var out []corev1.PodCondition
	for _, c := range w.base.Status.Conditions {
		switch c.Type {
		case corev1.PodReadyToStartContainers, corev1.PodInitialized, corev1.PodReady, corev1.ContainersReady, corev1.PodScheduled:
		default:
			out = append(out, c)
		}
	}
	return out
}

// attempts is how often a status write is tried over a conflict.
const attempts = 5

// write stores a status, if it says anything new. It reports whether the status
// is stored, or can no longer be stored anywhere. A write that fails is made good
// by a later sync.
func (w *worker) write(st corev1.PodStatus) (done bool) {
	if w.gone || w.hasStatus && reflect.DeepEqual(&st, &w.written) {
		return true
	}
	if w.k.lost {
		return false
	}
	for range attempts {
		p := *w.base // the parts are shared; only the status is replaced
		p.Status = st
		if others := w.foreign(); len(others) > 0 {
			p.Status.Conditions = append(slices.Clip(st.Conditions), others...)
		}
		err := w.k.o.Client.Status().Update(context.Background(), &p)
		switch {
		case err == nil:
			w.base, w.written, w.hasStatus = &p, st, true
			return true
		case apierrors.IsNotFound(err):
			return true // the watch will say so
		case apierrors.IsConflict(err):
			live := w.live()
			if live == nil {
				return true
			}
			w.base = live
			continue
		}
		break
	}
	w.request(w.now().Add(rewrite))
	return false
}

// rewrite is the wait after a status that could not be written.
const rewrite = time.Second

// conclude writes a status that must not be lost.
func (w *worker) conclude(st corev1.PodStatus) {
	for !w.write(st) {
		w.settle(Range{rewrite, rewrite})
		w.online()
	}
}
