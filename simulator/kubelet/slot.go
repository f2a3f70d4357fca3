package kubelet

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// slot is one container of the spec and its current instance.
type slot struct {
	w           *worker
	spec        *corev1.Container
	init        bool // an init container
	restartable bool // a native sidecar: an init container that keeps running
	fieldPath   string
	mounts      []corev1.VolumeMountStatus

	container    Container // the current instance; nil before the first
	id           string    // its ID, "containerd://…"
	startedImage string    // the spec's image that it was started with
	imageName    string    // as the runtime calls it
	imageID      string
	exit         *ExitStatus
	killedAt     time.Time
	restarts     int32
	log          *output
	previousLog  *output

	run        *corev1.ContainerStateRunning
	terminated *corev1.ContainerStateTerminated
	previous   *corev1.ContainerStateTerminated
	waiting    *corev1.ContainerStateWaiting // why it does not run, as the last sync found

	crashes backOff // between restarts
	pulls   backOff // between pulls
	pullErr string
	fault   StartFault // of the current instance
	probes  []*probe
}

func (w *worker) slots(specs []corev1.Container, init bool) []*slot {
	out := make([]*slot, len(specs))
	backing := make([]slot, len(specs))
	for i := range specs {
		s := &backing[i]
		*s = slot{w: w, init: init, fieldPath: "spec.containers{" + specs[i].Name + "}"}
		if init {
			s.fieldPath = "spec.initContainers{" + specs[i].Name + "}"
			s.restartable = specs[i].RestartPolicy != nil && *specs[i].RestartPolicy == corev1.ContainerRestartPolicyAlways
		}
		s.adopt(&specs[i])
		out[i] = s
	}
	return out
}

func sortedByName(slots []*slot) []*slot {
	out := slices.Clone(slots)
	slices.SortFunc(out, func(a, b *slot) int { return strings.Compare(a.spec.Name, b.spec.Name) })
	return out
}

// adopt takes the container's spec from a new version of the Pod.
func (s *slot) adopt(spec *corev1.Container) {
	s.spec = spec
	if s.mounts != nil || len(spec.VolumeMounts) == 0 {
		return
	}
	s.mounts = make([]corev1.VolumeMountStatus, len(spec.VolumeMounts))
	for i, m := range spec.VolumeMounts {
		s.mounts[i] = corev1.VolumeMountStatus{Name: m.Name, MountPath: m.MountPath, ReadOnly: m.ReadOnly}
		if m.ReadOnly {
			s.mounts[i].RecursiveReadOnly = s.w.k.notRecursive
		}
	}
}

func (s *slot) running() bool { return s.run != nil && s.exit == nil }

// ended reports whether there was an instance and it has ended.
func (s *slot) ended() bool { return s.terminated != nil }

// started reports whether it runs and its startup probe, if any, has passed.
func (s *slot) started() bool { return s.running() && s.passed(startup) }

// ready reports whether it is started and its readiness probe, if any, passes.
func (s *slot) ready() bool { return s.started() && s.passed(readiness) }

// wantsStart reports whether an instance has to be started: there has been none,
// or the restart policy calls for another.
func (s *slot) wantsStart() bool {
	if s.running() {
		return false
	}
	if !s.ended() {
		return true
	}
	if s.restartable {
		return true
	}
	switch s.w.pod.Spec.RestartPolicy {
	case corev1.RestartPolicyNever:
		return false
	case corev1.RestartPolicyOnFailure:
		return s.terminated.ExitCode != 0
	default:
		return !s.init || s.terminated.ExitCode != 0
	}
}

// verdict says why a running container has to be killed, and whether it starts
// again. An empty reason means that it may go on.
func (s *slot) verdict() (restart bool, why string) {
	restart = s.restartable || s.w.pod.Spec.RestartPolicy != corev1.RestartPolicyNever
	switch {
	case s.startedImage != s.spec.Image:
		return true, "Container " + s.spec.Name + " definition changed" // whatever the restart policy
	case s.failed(liveness):
		return restart, "Container " + s.spec.Name + " failed liveness probe"
	case s.failed(startup):
		return restart, "Container " + s.spec.Name + " failed startup probe"
	}
	return false, ""
}

// start makes and starts a new instance. It reports false when that failed and is
// to be tried again.
func (w *worker) start(s *slot) (ok bool) {
	image, ok := w.ensureImage(s)
	if !ok {
		return false
	}
	s.fault = StartFault{}
	if ask := w.k.o.Faults.Start; ask != nil {
		if s.fault = ask(w.pod, s.spec.Name); s.fault.Reason != "" {
			return w.startFailed(s, s.fault.Reason, s.fault.Message)
		}
	}
	config, err := w.config(s, image)
	if err != nil {
		return w.startFailed(s, reasonConfigError, err.Error())
	}
	if !w.pause(w.k.timing.Create) {
		return true
	}
	restart := s.ended()
	if restart {
		s.restarts++
		s.previous, s.previousLog = s.terminated, s.log
		s.crashes.grow()
	}
	log := &output{limit: w.k.o.LogLimit}
	config.Log = func(_ int, b []byte) { log.write(b) }
	if see := w.k.o.OnOutput; see != nil {
		o := Output{Namespace: w.pod.Namespace, Pod: w.pod.Name, Container: s.spec.Name, Restarts: int(s.restarts)}
		config.Log = func(stream int, b []byte) {
			log.write(b)
			o.Stream, o.Data = stream, b
			see(o)
		}
	}
	s.log = log
	s.id = "containerd://" + config.ID
	s.startedImage, s.imageID, s.imageName = s.spec.Image, image.ID, image.Name
	if s.imageName == "" {
		s.imageName = s.spec.Image
	}
	w.event(s.fieldPath, corev1.EventTypeNormal, reasonCreated, messageCreated)
	if !w.pause(w.k.timing.Start) {
		s.terminated, s.run = nil, nil // it was made but never ran
		return true
	}
	c, err := w.k.o.Runtime.Start(config)
	var refused *StartError
	switch {
	case errors.As(err, &refused):
		s.run, s.exit, s.container = nil, nil, nil
		s.terminated = &corev1.ContainerStateTerminated{
			ExitCode: exitStartError, Reason: reasonStartError, Message: w.clip(refused.Message),
			StartedAt: metav1.Unix(0, 0), FinishedAt: w.stamp(), ContainerID: s.id,
		}
		w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+refused.Message)
		s.wait(reasonRunError, refused.Message)
		w.request(w.relist())
		return !s.wantsStart()
	case err != nil:
		if restart { // the old instance stays the last one
			s.restarts--
		}
		return w.startFailed(s, reasonCreateError, err.Error())
	}
	s.container, s.exit, s.terminated, s.waiting = c, nil, nil, nil
	s.run = &corev1.ContainerStateRunning{StartedAt: w.stamp()}
	w.event(s.fieldPath, corev1.EventTypeNormal, reasonStarted, messageStarted)
	s.startProbes()
	c.OnExit(func(e ExitStatus) { s.noticed(c, e) })
	w.request(w.relist())
	if k, ok := c.(OOMKiller); ok && s.fault.OOMKill {
		k.OOMKill()
	} else if s.fault.Kill {
		c.Kill()
	}
	return true
}

// noticed takes in the end of an instance, at once or later.
func (s *slot) noticed(c Container, e ExitStatus) {
	at := s.w.stamp()
	if s.fault.Late > 0 {
		s.w.k.kernel.After(s.fault.Late, s.w.actor, "exit noticed", func() { s.exited(c, e, at) })
		return
	}
	s.exited(c, e, at)
}

// startFailed notes why a container could not be made.
func (w *worker) startFailed(s *slot, reason, message string) bool {
	w.event(s.fieldPath, corev1.EventTypeWarning, reasonFailed, "Error: "+message)
	s.wait(reason, message)
	return false
}

// stamp is the present as statuses show it: whole seconds.
func (w *worker) stamp() metav1.Time { return metav1.NewTime(w.now().Truncate(time.Second)) }

// wait notes why the container does not run; the next sync reports it.
func (s *slot) wait(reason, message string) {
	if s.waiting == nil || s.waiting.Reason != reason || s.waiting.Message != message {
		s.waiting = &corev1.ContainerStateWaiting{Reason: reason, Message: message}
	}
}

// backOff notes that a container that keeps failing has to wait.
func (s *slot) backOff(wait time.Duration) {
	pod := fmt.Sprintf("%s_%s(%s)", s.w.pod.Name, s.w.pod.Namespace, s.w.pod.UID)
	if s.waiting == nil || s.waiting.Reason != reasonCrashLoopBackOff {
		s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonBackOff,
			"Back-off restarting failed container "+s.spec.Name+" in pod "+pod)
	}
	s.wait(reasonCrashLoopBackOff, fmt.Sprintf("back-off %s restarting failed container=%s pod=%s", s.crashes.delay, s.spec.Name, pod))
	s.w.request(s.w.relist())
}

// exited takes in the end of an instance.
func (s *slot) exited(c Container, e ExitStatus, at metav1.Time) {
	if s.container != c || s.exit != nil {
		return
	}
	s.exit = &e
	s.stopProbes()
	if e.Note != "" {
		s.w.event(s.fieldPath, corev1.EventTypeWarning, reasonSimulationLimit, e.Note)
	}
	reason := reasonCompleted
	if e.OOMKilled {
		reason = reasonOOMKilled
	} else if e.Code != 0 {
		reason = reasonError
	}
	started := metav1.Time{}
	if s.run != nil {
		started = s.run.StartedAt
	}
	s.terminated = &corev1.ContainerStateTerminated{
		ExitCode: int32(e.Code), Reason: reason, Message: s.message(e),
		StartedAt: started, FinishedAt: at, ContainerID: s.id,
	}
	s.container, s.run = nil, nil
	if s.w.stop != nil || !s.killedAt.IsZero() {
		s.w.co.Wake() // the worker waits for exactly this
	}
	s.w.request(s.w.relist())
}

// ranFor returns how long the last instance ran.
func (s *slot) ranFor() time.Duration {
	return s.terminated.FinishedAt.Sub(s.terminated.StartedAt.Time)
}

// release lets go of the last instance.
func (s *slot) release() {
	s.stopProbes()
	s.container, s.probes = nil, nil
}

// backOff is an exponential wait between attempts.
type backOff struct {
	delay time.Duration
	since time.Time // the failure that the wait counts from
}

// The waits of kubelets: for restarts and for pulls.
const (
	backOffFirst = 10 * time.Second
	backOffMost  = 5 * time.Minute
	backOffReset = 10 * time.Minute // a container that ran this long starts afresh
)

// grow starts or doubles the wait.
func (b *backOff) grow() {
	if b.delay == 0 {
		b.delay = backOffFirst
	} else {
		b.delay = min(2*b.delay, backOffMost)
	}
}

// remaining returns how long is still to wait.
func (b *backOff) remaining(now time.Time) time.Duration {
	return max(0, b.since.Add(b.delay).Sub(now))
}

// crashWait returns how long the last instance's end keeps the next from starting.
// The first restart is free.
func (s *slot) crashWait() time.Duration {
	if s.crashes.delay == 0 || s.ranFor() >= backOffReset && s.exit != nil {
		s.crashes = backOff{}
		return 0
	}
	s.crashes.since = s.terminated.FinishedAt.Time
	return s.crashes.remaining(s.w.now())
}
