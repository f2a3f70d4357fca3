package render

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

func TestSweeps(t *testing.T) {
	t.Parallel()
	took := map[string]time.Duration{"fails": 1500 * time.Millisecond}
	for _, format := range SweepFormats() {
		var b bytes.Buffer
		if err := Sweep(&b, reporttest.Sweep(), format, took); err != nil {
			t.Fatal(err)
		}
		reporttest.Golden(t, "sweep"+map[string]string{FormatTable: ".txt", FormatJSON: ".json", FormatJUnit: ".xml", FormatMarkdown: ".md", FormatGitHub: ".github.txt"}[format], b.Bytes())
	}
	if err := Sweep(&bytes.Buffer{}, reporttest.Sweep(), FormatHTML, nil); err == nil || !strings.Contains(err.Error(), FormatJUnit) {
		t.Errorf("a format that a sweep does not have: got %v, want the list of its formats", err)
	}
}

func TestVerdictOnASweep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		change func(*reports.SweepReport)
		want   string
	}{
		{"breaches", func(*reports.SweepReport) {}, "FAILED: 301 schedules, 4 fixtures under the seeds 7 to 106: 3 did not pass, and the sweep ended there"},
		{"no breach under random faults", func(s *reports.SweepReport) { s.Result, s.Breaches = reports.Passed, nil }, "PASSED: 301 schedules, 4 fixtures under the seeds 7 to 106: 42 faults struck; all invariants held, and every run ended properly"},
		{"no random faults", func(s *reports.SweepReport) { s.Result, s.Breaches, s.RandomFaults = reports.Passed, nil, false }, "PASSED: 301 schedules, 4 fixtures under the seeds 7 to 106: every fixture met its expectations"},
		{"a sweep that was cut short", func(s *reports.SweepReport) { s.Result, s.Breaches = reports.Incomplete, nil }, "INCOMPLETE: 301 schedules, 4 fixtures under the seeds 7 to 106: everything that was run passed"},
		{"no fixture", func(s *reports.SweepReport) {
			s.Result, s.Breaches, s.Fixtures, s.Schedules = reports.Inconclusive, nil, nil, 0
		}, "INCONCLUSIVE: 0 schedules, 0 fixtures under the seeds 7 to 106: no fixture applies"},
	} {
		report := reporttest.Sweep()
		tt.change(report)
		if got := (sweep{report}).verdict(); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.reason, got, tt.want)
		}
	}
}
