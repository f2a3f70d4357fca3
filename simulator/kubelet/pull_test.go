package kubelet

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// TestPullsBackOff holds the waits between pulls that fail against what a kubelet promises: 10 seconds, doubled up to
// five minutes. A wait is over at the first sync after it, and a Pod in trouble is synced every 10 to 15 seconds. The
// second attempt does not show: the sync that reports the first has no more to wait.
func TestPullsBackOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1, Faults{})
	p := pod("c:c")
	p.Spec.Containers[0].Image, p.Spec.Containers[0].ImagePullPolicy = "registry.invalid/x", corev1.PullAlways
	w.create(p)
	var attempts []time.Duration
	failing := false
	for at := time.Duration(0); len(attempts) < 7 && at < time.Hour; at += 100 * time.Millisecond {
		w.run(100 * time.Millisecond)
		now := w.shows("ErrImagePull")
		if now && !failing {
			attempts = append(attempts, at)
		}
		failing = now
	}
	const slack = 30 * time.Second
	for i, seconds := range []int64{10 + 20, 40, 80, 160, 300, 300} {
		least := time.Duration(seconds * int64(time.Second))
		if i+1 >= len(attempts) {
			t.Fatalf("only %d attempts: %v", len(attempts), attempts)
		}
		if gap := attempts[i+1] - attempts[i]; gap < least || gap > least+slack {
			t.Errorf("attempt %d comes %s after the one before, want %s to %s", i+2, gap, least, least+slack)
		}
	}
}
