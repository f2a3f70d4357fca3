package pipelinerun

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func TestTimeoutsOf(t *testing.T) {
	t.Parallel()
	d := func(minutes int) *metav1.Duration {
		return &metav1.Duration{Duration: time.Duration(minutes) * time.Minute}
	}
	m := func(minutes int) time.Duration { return time.Duration(minutes) * time.Minute }
	for _, tt := range []struct {
		reason string
		spec   v1beta1.PipelineRunSpec
		want   timeouts
	}{
		{"the configured default", v1beta1.PipelineRunSpec{}, timeouts{pipeline: m(60)}},
		{"the deprecated field", v1beta1.PipelineRunSpec{Timeout: d(5)}, timeouts{pipeline: m(5)}},
		{"none at all", v1beta1.PipelineRunSpec{Timeout: d(0)}, timeouts{}},
		{"what is left is for the final tasks", v1beta1.PipelineRunSpec{Timeouts: &v1beta1.TimeoutFields{Pipeline: d(10), Tasks: d(7)}}, timeouts{m(10), m(7), m(3)}},
		{"what is left is for the tasks", v1beta1.PipelineRunSpec{Timeouts: &v1beta1.TimeoutFields{Pipeline: d(10), Finally: d(7)}}, timeouts{m(10), m(3), m(7)}},
		{"the default is shared out, too", v1beta1.PipelineRunSpec{Timeouts: &v1beta1.TimeoutFields{Tasks: d(50)}}, timeouts{m(60), m(50), m(10)}},
		{"of no bound nothing is left over", v1beta1.PipelineRunSpec{Timeouts: &v1beta1.TimeoutFields{Pipeline: d(0), Finally: d(7)}}, timeouts{0, 0, m(7)}},
	} {
		if got := timeoutsOf(&tt.spec, time.Hour); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.reason, got, tt.want)
		}
	}
}

func TestOver(t *testing.T) {
	t.Parallel()
	start := metav1.NewTime(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC))
	for _, tt := range []struct {
		start *metav1.Time
		bound time.Duration
		after time.Duration
		want  bool
	}{
		{&start, time.Minute, time.Minute, true}, {&start, time.Minute, time.Minute - 1, false}, {&start, 0, time.Hour, false}, {nil, time.Minute, time.Hour, false},
	} {
		if got := over(tt.start, tt.bound, start.Add(tt.after)); got != tt.want {
			t.Errorf("%v of %v is over: %v", tt.after, tt.bound, got)
		}
	}
}
