package pipelinerun

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// timeouts are the bounds of a run and of its two phases; zero means none (spec §2.15).
type timeouts struct{ pipeline, tasks, finally time.Duration }

// timeoutsOf are those of a run. What is not given follows from the others, if it can.
func timeoutsOf(spec *v1beta1.PipelineRunSpec, fallback time.Duration) timeouts {
	t := timeouts{pipeline: fallback}
	if spec.Timeout != nil {
		t.pipeline = spec.Timeout.Duration
	}
	fields := spec.Timeouts
	if fields == nil {
		return t
	}
	if fields.Pipeline != nil {
		t.pipeline = fields.Pipeline.Duration
	}
	rest := func(own, other *metav1.Duration) time.Duration {
		switch {
		case own != nil:
			return own.Duration
		case other != nil && other.Duration != 0 && t.pipeline != 0:
			return t.pipeline - other.Duration
		default:
			return 0
		}
	}
	t.tasks, t.finally = rest(fields.Tasks, fields.Finally), rest(fields.Finally, fields.Tasks)
	return t
}

// over reports whether what began at start has taken its bound. Exactly the bound is enough.
func over(start *metav1.Time, bound time.Duration, now time.Time) bool {
	return !start.IsZero() && bound > 0 && now.Sub(start.Time) >= bound
}

// end is when the bound will be taken, or zero.
func end(start *metav1.Time, bound time.Duration) time.Time {
	if start.IsZero() || bound <= 0 {
		return time.Time{}
	}
	return start.Add(bound)
}
