package kubelet

import (
	"context"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// worker brings one Pod from admission to its end. Its coroutine is the only one
// to act; everything else leaves a note (due, stop, a slot's state) and wakes it.
type worker struct {
	k      *Kubelet
	actor  string
	co     *kernel.Coroutine
	stream *kernel.Stream

	pod  *corev1.Pod // as the watch has shown it last; shared, never modified
	base *corev1.Pod // the newest version known, which status is written onto
	gone bool        // the API no longer has it

	inits, apps []*slot // in the order of the spec
	byName      []*slot // apps by name, the order of statuses
	initDone    bool    // init containers are done
	volumes     map[string]Volume
	mounted     bool
	projections []*projection
	sandbox     bool
	ip          string
	hostname    string
	startTime   metav1.Time

	due      time.Time // the next sync; zero when none is called for
	idle     bool      // the coroutine waits for the next sync
	relistAt time.Time
	lastSync time.Time

	written   corev1.PodStatus // as written last
	hasStatus bool
	outcome   *outcome // overrides phase, reason and message
	stop      *stop    // set once: end the Pod
	deadline  *kernel.Event
	mountWait time.Duration // back-off of volume set-up
}

// stop says why and how a running Pod is to be ended.
type stop struct {
	grace   time.Duration
	outcome *outcome
	evicted bool
	since   time.Time
}

// outcome is the phase that the kubelet itself decides on.
type outcome struct {
	phase           corev1.PodPhase
	reason, message string
}

func newWorker(k *Kubelet, pod *corev1.Pod) *worker {
	w := &worker{
		k: k, pod: pod, base: pod,
		actor:     k.actor + "/" + pod.Namespace + "/" + pod.Name,
		stream:    k.kernel.Stream("kubelet/" + string(pod.UID)),
		startTime: metav1.NewTime(k.kernel.Now().Truncate(time.Second)),
		hostname:  hostname(pod),
	}
	w.inits = w.slots(pod.Spec.InitContainers, true)
	w.apps = w.slots(pod.Spec.Containers, false)
	w.byName = sortedByName(w.apps)
	return w
}

// hostname is the Pod's name, cut to what a host name may have.
func hostname(pod *corev1.Pod) string {
	name := pod.Spec.Hostname
	if name == "" {
		name = pod.Name
	}
	if len(name) > 63 {
		name = name[:63]
		for len(name) > 0 && (name[len(name)-1] == '-' || name[len(name)-1] == '.') {
			name = name[:len(name)-1]
		}
	}
	return name
}

func (w *worker) now() time.Time { return w.k.kernel.Now() }

func (w *worker) draw(r Range) time.Duration { return w.stream.Between(r.Low, r.High) }

// slot finds a container by its name.
func (w *worker) slot(name string) *slot {
	for _, s := range w.apps {
		if s.spec.Name == name {
			return s
		}
	}
	for _, s := range w.inits {
		if s.spec.Name == name {
			return s
		}
	}
	return nil
}

// each calls f for every container, init containers first.
func (w *worker) each(f func(*slot)) {
	for _, s := range w.inits {
		f(s)
	}
	for _, s := range w.apps {
		f(s)
	}
}

// run is the coroutine: one sync after the other, then the end of the Pod.
func (w *worker) run(co *kernel.Coroutine) {
	w.co = co // the first slice may run before Go has returned
	if w.pod.DeletionTimestamp != nil && w.stop == nil {
		w.requestStop(&stop{grace: w.grace()})
	}
	if reason, message := w.admit(); reason != "" {
		w.reject(reason, message)
		return
	}
	w.armDeadline()
	w.due = w.now()
	for w.awaitSync() {
		if w.sync() {
			w.finish()
			return
		}
		w.lastSync = w.now()
	}
	w.terminate()
	w.finish()
}

// awaitSync waits until a sync is due. It reports false when the Pod is to end.
func (w *worker) awaitSync() bool {
	w.idle = true
	defer func() { w.idle = false }()
	for w.stop == nil {
		if w.due.IsZero() || w.k.down {
			w.co.Park()
			continue
		}
		if left := w.due.Sub(w.now()); left > 0 {
			w.co.ParkFor(left)
			continue
		}
		w.due = time.Time{}
		return true
	}
	return false
}

// request calls for a sync at t, or earlier if one is due earlier.
func (w *worker) request(t time.Time) {
	if !w.due.IsZero() && !t.Before(w.due) {
		return
	}
	w.due = t
	if w.idle {
		w.co.Wake()
	}
}

// relist returns when the kubelet looks at the runtime the next time.
func (w *worker) relist() time.Time {
	if now := w.now(); !w.relistAt.After(now) {
		w.relistAt = now.Add(w.draw(w.k.timing.Relist))
	}
	return w.relistAt
}

// react calls for a sync because of news from elsewhere: at once, but not before
// the runtime has been looked at since the last sync.
func (w *worker) react() {
	if w.now().Sub(w.lastSync) < w.k.timing.Relist.High {
		w.request(w.relist())
		return
	}
	w.request(w.now())
}

// pause lets d pass, as an operation of the node takes time. It returns early,
// and reports false, when the Pod is to end.
func (w *worker) pause(r Range) bool {
	until := w.now().Add(w.draw(r))
	for w.stop == nil {
		left := until.Sub(w.now())
		if left <= 0 {
			return true
		}
		w.co.ParkFor(left)
	}
	return false
}

// update takes in a new version of the Pod.
func (w *worker) update(pod *corev1.Pod) {
	old := w.pod
	w.pod = pod
	if newer(pod, w.base) {
		w.base = pod
	}
	if pod.DeletionTimestamp != nil {
		if w.stop == nil {
			w.requestStop(&stop{grace: w.grace()})
		} else if g := w.grace(); g < w.stop.grace {
			w.stop.grace = g
			w.co.Wake()
		}
		return
	}
	if pod.Generation == old.Generation && pod.Generation != 0 {
		w.refreshProjections(old)
		return
	}
	for i, s := range w.apps {
		s.adopt(&pod.Spec.Containers[i])
		if s.running() && s.startedImage != s.spec.Image {
			w.react()
		}
	}
	for i, s := range w.inits {
		s.adopt(&pod.Spec.InitContainers[i])
	}
	if !sameDeadline(old, pod) {
		w.armDeadline()
	}
	w.refreshProjections(old)
}

// newer reports whether a's version is later than b's. Versions of one server are
// numbers that grow.
func newer(a, b *corev1.Pod) bool {
	x, errX := strconv.ParseUint(a.ResourceVersion, 10, 64)
	y, errY := strconv.ParseUint(b.ResourceVersion, 10, 64)
	return errX != nil || errY != nil || x > y
}

// vanish ends a Pod that the API has forgotten: its status is no longer written.
func (w *worker) vanish() {
	w.gone = true
	const quick = 2 * time.Second // what a forced deletion leaves a container
	if w.stop == nil {
		w.requestStop(&stop{grace: quick})
	} else if w.stop.grace > quick {
		w.stop.grace = quick
		w.co.Wake()
	}
}

func (w *worker) requestStop(s *stop) {
	if w.stop != nil {
		return
	}
	s.since = w.now()
	w.stop = s
	if w.co != nil {
		w.co.Wake()
	}
}

// grace is how long containers have between SIGTERM and SIGKILL.
func (w *worker) grace() time.Duration {
	seconds := int64(corev1.DefaultTerminationGracePeriodSeconds)
	if g := w.pod.Spec.TerminationGracePeriodSeconds; g != nil {
		seconds = *g
	}
	if g := w.pod.DeletionGracePeriodSeconds; g != nil {
		seconds = *g
	}
	return time.Duration(seconds) * time.Second
}

func sameDeadline(a, b *corev1.Pod) bool {
	x, y := a.Spec.ActiveDeadlineSeconds, b.Spec.ActiveDeadlineSeconds
	return (x == nil) == (y == nil) && (x == nil || *x == *y)
}

// armDeadline sets the alarm for spec.activeDeadlineSeconds.
func (w *worker) armDeadline() {
	w.deadline.Cancel()
	if w.pod.Spec.ActiveDeadlineSeconds == nil {
		return
	}
	at := w.startTime.Add(time.Duration(*w.pod.Spec.ActiveDeadlineSeconds) * time.Second)
	w.deadline = w.k.kernel.At(at, w.actor, "deadline", func() {
		w.event("", corev1.EventTypeNormal, reasonDeadlineExceeded, messageDeadlineExceeded)
		w.requestStop(&stop{grace: w.grace(), outcome: &outcome{corev1.PodFailed, reasonDeadlineExceeded, messageDeadlineExceeded}})
	})
}

// event records an event about the Pod, or about a part of it.
func (w *worker) event(fieldPath, eventtype, reason, message string) {
	if w.gone || w.k.lost {
		return
	}
	w.k.events.Record(corev1.ObjectReference{
		APIVersion: "v1", Kind: "Pod", Namespace: w.pod.Namespace, Name: w.pod.Name, UID: w.pod.UID,
		ResourceVersion: w.pod.ResourceVersion, FieldPath: fieldPath,
	}, eventtype, reason, message)
}

// admit checks that the node can take the Pod. It returns why not.
func (w *worker) admit() (reason, message string) {
	for _, p := range w.k.o.Node.Admit {
		if reason, message := p(w.pod); reason != "" {
			return reason, message
		}
	}
	return "", ""
}

// reject fails a Pod that the node does not take.
func (w *worker) reject(reason, message string) {
	message = "Pod was rejected: " + message
	w.event("", corev1.EventTypeWarning, reason, message)
	w.conclude(corev1.PodStatus{
		Phase: corev1.PodFailed, Reason: reason, Message: message, StartTime: &w.startTime,
		ObservedGeneration: w.pod.Generation, QOSClass: w.pod.Status.QOSClass,
	})
	w.finish()
}

// finish drops what is kept of the Pod but its logs.
func (w *worker) finish() {
	w.deadline.Cancel()
	k := w.k
	delete(k.workers, w.pod.UID)
	name := client.ObjectKeyFromObject(w.pod)
	w.each(func(s *slot) { s.release() })
	k.unfollow(w)
	w.volumes, w.projections = nil, nil
	if w.gone {
		if k.byName[name] == w.pod.UID {
			delete(k.byName, name)
		}
		return
	}
	f := &finished{logs: map[string]*output{}}
	w.each(func(s *slot) {
		if s.log != nil {
			f.logs[s.spec.Name] = s.log.compact()
		}
		if s.previousLog != nil {
			f.logs[previousPrefix+s.spec.Name] = s.previousLog.compact()
		}
	})
	k.finished[w.pod.UID] = f
	if w.pod.DeletionTimestamp != nil {
		f.update(k, w.pod)
	}
}

// online waits until the node has its connection back.
func (w *worker) online() {
	for w.k.lost {
		w.co.Park()
	}
}

// live reads the Pod past all caches. It returns nil when it is gone.
func (w *worker) live() *corev1.Pod {
	pod := &corev1.Pod{}
	name := types.NamespacedName{Namespace: w.pod.Namespace, Name: w.pod.Name}
	if err := w.k.o.Client.Get(context.Background(), name, pod); err != nil || pod.UID != w.pod.UID {
		return nil
	}
	return pod
}
