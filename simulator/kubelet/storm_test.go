package kubelet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// storm makes a Pod of arbitrary shape and does arbitrary things to it.
type storm struct {
	*world
	r       *kernel.Stream
	deleted bool
	phase   corev1.PodPhase
}

func (s *storm) shape() *corev1.Pod {
	images := []string{"fast", "slow", "bad", "side", "deaf", "none", "remote/fast", "registry.invalid/x", "not valid"}
	var containers []string
	for i := range s.r.IntN(3) {
		containers = append(containers, fmt.Sprintf("i%d:%s", i, images[s.r.IntN(len(images))]))
	}
	if len(containers) > 0 {
		containers = append(containers, "|")
	}
	for i := range 1 + s.r.IntN(3) {
		containers = append(containers, fmt.Sprintf("c%d:%s", i, images[s.r.IntN(len(images))]))
	}
	p := pod(containers...)
	p.Spec.RestartPolicy = []corev1.RestartPolicy{corev1.RestartPolicyNever, corev1.RestartPolicyNever, corev1.RestartPolicyOnFailure, corev1.RestartPolicyAlways}[s.r.IntN(4)]
	if len(p.Spec.InitContainers) > 0 && s.r.Chance(0.2) {
		always := corev1.ContainerRestartPolicyAlways
		p.Spec.InitContainers[0].RestartPolicy = &always
	}
	for i := range p.Spec.Containers {
		p.Spec.Containers[i].Name = fmt.Sprintf("c%d", i)
		if s.r.Chance(0.2) {
			p.Spec.Containers[i].LivenessProbe = &corev1.Probe{PeriodSeconds: 2, FailureThreshold: 2, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"x"}}}}
		}
	}
	if s.r.Chance(0.3) {
		d := int64(1 + s.r.IntN(30))
		p.Spec.ActiveDeadlineSeconds = &d
	}
	return p
}

func (s *storm) act() {
	p := s.api.pod("p")
	if p == nil {
		return
	}
	switch s.r.IntN(8) {
	case 0:
		_ = s.api.Delete(context.Background(), p)
		s.deleted = true
	case 1:
		s.edit(true, func(p *corev1.Pod) { p.Spec.Containers[0].Image = "fast" })
	case 2:
		s.edit(false, func(p *corev1.Pod) { p.Annotations = map[string]string{"x": fmt.Sprint(s.r.IntN(100))} })
	case 3:
		s.kl.Evict("ns", "p", "pressure")
	case 4:
		s.kl.OOMKill("ns", "p", "c0")
	case 5:
		s.kl.Lose()
		s.run(time.Duration(s.r.IntN(20)) * second)
		s.kl.Recover()
	case 6:
		if s.deleted {
			s.api.put(p.DeepCopy(), watch.Deleted)
		}
	}
}

// TestStorm does arbitrary things to arbitrary Pods: what has ended stays ended, a
// deleted Pod goes, and nothing of it is kept.
func TestStorm(t *testing.T) {
	t.Parallel()
	seeds := uint64(400)
	if testing.Short() {
		seeds = 40
	}
	for seed := range seeds {
		w := newWorld(t, seed, Faults{LostProjection: 0.1})
		s := &storm{world: w, r: w.k.Stream("storm")}
		w.e.behaviours = map[string]behaviour{
			"fast": {takes: quick}, "slow": {takes: 8 * second, onTERM: quick, termExit: 2}, "bad": {takes: second, exit: ExitStatus{Code: 1}},
			"side": {onTERM: quick}, "deaf": {onTERM: -1}, "none": {startError: runcErr}, "remote/fast": {takes: quick},
		}
		for name, b := range w.e.behaviours {
			b.probe = func(at time.Duration) int { return int(at/second) / 7 % 2 }
			w.e.behaviours[name] = b
		}
		w.api.onWrite = func(p *corev1.Pod) error {
			if s.r.Chance(0.1) {
				return apierrors.NewInternalError(errors.New("not now"))
			}
			if terminal(s.phase) && p.Status.Phase != s.phase {
				t.Errorf("seed %d: the phase went from %s to %s", seed, s.phase, p.Status.Phase)
			}
			if len(p.Status.ContainerStatuses) != 0 && len(p.Status.ContainerStatuses) != len(p.Spec.Containers) {
				t.Errorf("seed %d: %d container statuses of %d", seed, len(p.Status.ContainerStatuses), len(p.Spec.Containers))
			}
			s.phase = p.Status.Phase
			return nil
		}
		w.create(s.shape())
		for range s.r.IntN(6) {
			w.run(time.Duration(s.r.IntN(9000)) * time.Millisecond)
			s.act()
		}
		if p := w.api.pod("p"); p != nil && !s.deleted {
			_ = w.api.Delete(context.Background(), p)
		}
		w.run(3 * time.Minute)
		if w.api.pod("p") != nil {
			t.Fatalf("seed %d: the Pod has not gone; states %q", seed, w.api.states)
		}
		if n := len(w.kl.workers) + len(w.kl.finished) + len(w.kl.byName) + len(w.kl.content.followers); n != 0 {
			t.Fatalf("seed %d: %d things are kept of a Pod that is gone; states %q", seed, n, w.api.states)
		}
		if n := w.k.Pending(); n > 1 { // a deaf container of the fake may still have its own end coming
			t.Errorf("seed %d: %d events are pending", seed, n)
		}
	}
}
