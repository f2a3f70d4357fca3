package conformance_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/internal/double"
)

// TestLostVersionsAreReported: a watch that lost versions must not turn what it did not see into a pass or a failure.
func TestLostVersionsAreReported(t *testing.T) {
	t.Parallel()
	const (
		never    = "then: [{never: {on: taskrun/quick, match: {status: {podName: other}}, for: 5s}}]"
		sequence = "then: [{sequence: {on: taskrun/quick, steps: [{match: {status: {conditions: [{reason: Running}]}}}, {match: {status: {conditions: [{reason: Succeeded}]}}}]}}]"
		lost     = "versions were lost"
	)
	for _, tt := range []struct {
		reason, spec string
		kind         string // of what versions are lost
		want         string // the verdict, its reason, and what is said to have been seen of the watch
	}{
		{"nothing is lost", passes, "", "pass: []"},
		{"a check that already matched still passes", passes, "TaskRun", "pass: [taskrun 500ms versions were lost]"},
		{"never cannot be shown", never, "TaskRun", "error: the checks held, but the watch missed versions: versions were lost []"},
		{"an order cannot be shown", sequence, "TaskRun", "error: the checks held, but the watch missed versions: versions were lost []"},
		{"a failure may come from the gap", fails, "TaskRun",
			`error: a check failed, but the watch missed versions: versions were lost; f.yaml:9:82: taskrun/quick is over (Succeeded=True/Succeeded), and is not as expected []`},
		{"of a kind that only explains it is among the evidence, too", passes, "Event", "pass: [event 500ms versions were lost]"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			toy := double.Toy(double.Faults{})
			report, err := conformance.Judge(context.Background(), conformance.Options{
				Fixtures: []*fixture.Fixture{load(t, "f", tt.spec, quick)},
				Target: &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
					toy(c)
					c.After(500*time.Millisecond, func() { c.Lose(tt.kind, lost) })
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			f := report.Fixtures[0]
			var seen []string
			for _, e := range f.Evidence {
				if e.Check == "watch" {
					seen = append(seen, e.Object+" "+e.After+" "+e.Saw)
				}
			}
			if got := fmt.Sprintf("%s:%s %v", f.Verdict, space(f.Reason), seen); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// space sets a text off, if there is one.
func space(text string) string {
	if text == "" {
		return ""
	}
	return " " + text
}
