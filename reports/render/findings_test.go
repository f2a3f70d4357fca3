package render_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// TestFindingsAreRendered renders a report with a finding in every format.
func TestFindingsAreRendered(t *testing.T) {
	t.Parallel()
	const message = "feature debug is not claimed, but works: breakpoint"
	r := &reports.ConformanceReport{
		APIVersion: reports.APIVersion, Kind: reports.Kind, Result: reports.Passed,
		Target:   reports.Target{Name: "cluster", Substituted: []string{"launcher"}},
		Findings: []reports.Finding{{Kind: reports.UnclaimedWorks, Of: "debug", Message: message}},
		Profiles: []reports.Profile{}, Fixtures: []reports.Fixture{},
	}
	for _, format := range []string{"table", "wide", "json", "yaml", "markdown", "html", "github", "junit"} {
		renderer, err := render.RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := renderer.Render(&b, r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), message) {
			t.Errorf("%s does not report the finding:\n%s", format, b.String())
		}
	}
	for _, wrong := range []string{`"kind": "unclaimed-feature-works"`, `"findings"`} {
		data, err := reports.Encode(r)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Replace(string(data), wrong, strings.Replace(wrong, "f", "x", 1), 1)
		if _, err := reports.Decode([]byte(text)); err == nil {
			t.Errorf("a report without %s is read", wrong)
		}
	}
}
