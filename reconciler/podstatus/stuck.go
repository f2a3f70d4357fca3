package podstatus

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// stuckPatience is how long the Steps behind one that failed may take to notice.
const stuckPatience = 10 * time.Second

// Stuck reports whether the attempt can never end by itself: a Step failed without a word of its launcher, killed together
// with it for want of memory, say, or because it could not even be started. Then the file that the following Steps wait for
// was not posted. The message says what failed. If it is too early to tell, again is when to look again.
func Stuck(pod *corev1.Pod, now time.Time) (stuck bool, message string, again time.Duration) {
	if complete(pod) {
		return false, "", 0
	}
	var o Observation
	reports := readContainers(pod, &o)
	for _, s := range statuses(pod) {
		t := s.State.Terminated
		switch {
		case !isStep(s.Name):
			continue
		case t == nil:
			return false, "", 0 // it runs, or its turn has not come: there will be an event
		case t.ExitCode == 0 && t.Reason != reasonOOMKilled:
			continue
		}
		if _, err := termination.Decode([]byte(t.Message)); err == nil {
			continue // its launcher has seen it fail, and told the next
		}
		if left := t.FinishedAt.Add(stuckPatience).Sub(now); left > 0 {
			return false, "", left
		}
		return true, failureMessage(pod, reports), 0
	}
	return false, "", 0
}
