package mutants

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
)

// Verdict is the outcome of a mutant.
type Verdict string

// The verdicts.
const (
	// Caught: every fixture that was to notice the fault failed.
	Caught Verdict = "caught"
	// Broke: they noticed, but at least one of them by the machine breaking down under the fault (a world that never
	// comes to rest, a panic) rather than by a failed requirement.
	Broke Verdict = "broke"
	// Escaped: a fixture that was to notice the fault did not.
	Escaped Verdict = "ESCAPED"
	// TimedOut: the run did not end within its time. Something is wrong, but no fixture says what.
	TimedOut Verdict = "TIMED OUT"
	// Unbuilt: there is no run to judge, because the mutant does not compile, or the tool crashed without a report.
	Unbuilt Verdict = "NO REPORT"
)

// Outcome is what the suite said of one mutant.
type Outcome struct {
	Mutant  Mutant
	Verdict Verdict
	// Failed are the fixtures that failed, Errors those in which the machine broke down.
	Failed, Errors []string
	// Passed are those that noticed nothing.
	Passed []string
	// Missed are the fixtures that should have noticed and did not.
	Missed []string
	// Trouble is why there is no report, for TimedOut and Unbuilt.
	Trouble error
	// Took is the real time of build and run.
	Took time.Duration
}

// Noticed reports whether the suite noticed the fault where it should.
func (o Outcome) Noticed() bool { return o.Verdict == Caught || o.Verdict == Broke }

// Others counts the fixtures that noticed the fault without being named.
func (o Outcome) Others() int {
	n := 0
	for _, name := range slices.Concat(o.Failed, o.Errors) {
		if !slices.Contains(o.Mutant.CaughtBy, name) {
			n++
		}
	}
	return n
}

// Detail says in words what a person needs to know besides the verdict.
func (o Outcome) Detail() string {
	switch {
	case o.Trouble != nil:
		return o.Trouble.Error()
	case len(o.Missed) > 0:
		return fmt.Sprintf("not noticed by %s; failed: %s; broke: %s", strings.Join(o.Missed, ", "), list(o.Failed), list(o.Errors))
	}
	return ""
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// judge reads a report of the suite run on a mutant.
func judge(m Mutant, data []byte) (Outcome, error) {
	o := Outcome{Mutant: m}
	var report reports.ConformanceReport
	if err := json.Unmarshal(data, &report); err != nil {
		return o, fmt.Errorf("the report cannot be read: %w", err)
	}
	if len(report.Fixtures) == 0 {
		return o, fmt.Errorf("the report has no fixtures")
	}
	for _, f := range report.Fixtures {
		switch f.Verdict {
		case reports.Pass:
			o.Passed = append(o.Passed, f.Name)
		case reports.Fail:
			o.Failed = append(o.Failed, f.Name)
		case reports.Error:
			o.Errors = append(o.Errors, f.Name)
		}
	}
	o.Verdict = Caught
	for _, want := range m.CaughtBy {
		switch {
		case slices.Contains(o.Failed, want):
		case slices.Contains(o.Errors, want):
			o.Verdict = Broke
		default:
			o.Missed = append(o.Missed, want)
		}
	}
	if len(o.Missed) > 0 {
		o.Verdict = Escaped
	}
	return o, nil
}
