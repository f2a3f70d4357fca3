package kubelet

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// sync is one pass: write what is, then act. It reports whether the Pod is over.
func (w *worker) sync() (over bool) {
	phase := w.report()
	if terminal(phase) {
		// The containers are done. The phase follows when the sandbox is gone.
		w.windDown()
		return true
	}
	if w.gone {
		return false
	}
	if !w.prepare() {
		return false
	}
	if !w.act() && w.stop == nil {
		w.request(w.now().Add(w.draw(w.k.timing.Retry)))
	}
	return false
}

// prepare sets up volumes and the sandbox. It reports whether they are there.
func (w *worker) prepare() bool {
	if !w.mounted {
		if !w.pause(w.k.timing.Mount) {
			return false
		}
		if !w.mount() {
			w.mountWait = min(max(2*w.mountWait, 500*time.Millisecond), 122*time.Second)
			w.request(w.now().Add(w.mountWait))
			return false
		}
		w.mounted = true
		w.watchUsage()
	}
	if !w.sandbox {
		if !w.pause(w.k.timing.Sandbox) {
			return false
		}
		w.sandbox = true
		if w.pod.Spec.HostNetwork {
			w.ip = w.k.o.Node.Address
		} else {
			w.ip = w.k.address()
		}
		w.report()
	}
	return true
}

// act starts, restarts and kills containers. It reports false when something
// failed that is tried again later.
func (w *worker) act() (ok bool) {
	if !w.initDone {
		done, ok := w.runInits()
		if !done {
			return ok
		}
		w.initDone = true
	}
	ok = true
	for _, s := range w.inits {
		if s.restartable && !s.running() && w.stop == nil {
			ok = w.revive(s) && ok
		}
	}
	for _, s := range w.apps {
		if w.stop != nil {
			return true
		}
		if s.running() {
			restart, why := s.verdict()
			if why == "" {
				continue
			}
			if !w.replace(s, restart, why) {
				return true
			}
			if !restart {
				continue
			}
			ok = w.start(s) && ok
			continue
		}
		if s.wantsStart() {
			ok = w.revive(s) && ok
		}
	}
	return ok
}

// runInits runs the next init container. done says that all have succeeded.
func (w *worker) runInits() (done, ok bool) {
	for _, s := range w.inits {
		switch {
		case s.restartable:
			if s.running() {
				if !s.started() {
					return false, true // its startup probe has not passed yet
				}
				continue
			}
			if !w.revive(s) {
				return false, false
			}
			if !s.started() {
				return false, true
			}
		case s.running():
			return false, true
		case s.ended() && s.exit0() && s.fault.Again:
			return false, w.revive(s)
		case s.ended() && s.exit0():
			// next
		case s.ended() && w.pod.Spec.RestartPolicy == corev1.RestartPolicyNever:
			return false, true
		default:
			return false, w.revive(s)
		}
	}
	return true, true
}

// revive starts a container that does not run, unless it has to wait first.
func (w *worker) revive(s *slot) (ok bool) {
	if s.ended() {
		if wait := s.crashWait(); wait > 0 {
			s.backOff(wait)
			w.request(w.now().Add(wait))
			return true
		}
	}
	return w.start(s)
}

// replace kills a running container so that it can be started again.
func (w *worker) replace(s *slot, restart bool, why string) bool {
	if restart {
		why += ", will be restarted"
	}
	w.event(s.fieldPath, corev1.EventTypeNormal, reasonKilling, why)
	w.endContainers([]*slot{s}, "", func() time.Time {
		if w.stop != nil {
			return w.stop.since.Add(w.stop.grace)
		}
		return s.killedAt.Add(w.grace())
	})
	return w.stop == nil
}
