package render_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// Every format that has more than names says by which policy a run was judged, and names a field that failed.
func TestReportsNameTheirPolicy(t *testing.T) {
	t.Parallel()
	r := &reports.ConformanceReport{
		APIVersion: reports.APIVersion, Kind: reports.Kind, Implementation: reports.Implementation{Project: "some"},
		Result: reports.Failed, Profiles: []reports.Profile{},
		Selection: &reports.Selection{Filter: "policy=some-spec", Selected: 2, Of: 9},
		Policy: &reports.Policy{Name: "some-spec", Title: "Some specification", Result: reports.Failed, Fields: []reports.PolicyField{
			{Field: "Step.image", Verdict: reports.Pass, Fixtures: []string{"works"}},
			{Field: "Step.args", Verdict: reports.Fail, Fixtures: []string{"works", "breaks"}},
		}},
		Fixtures: []reports.Fixture{
			{Name: "breaks", Profile: "p", Level: "required", Verdict: reports.Fail, Failure: &reports.Failure{Message: "no"}},
			{Name: "works", Profile: "p", Level: "required", Verdict: reports.Pass},
		},
	}
	for _, format := range render.Formats() {
		if format == render.FormatName {
			continue
		}
		renderer, err := render.RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := renderer.Render(&b, r); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		for _, want := range []string{"some-spec", "Step.args"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not have %q:\n%s", format, want, text)
			}
		}
		if strings.Contains(text, "does not judge a profile") {
			t.Errorf("%s speaks of profiles:\n%s", format, text)
		}
		if format != render.FormatJSON && format != render.FormatYAML && !strings.Contains(text, "1 of 2 fields passed") {
			t.Errorf("%s does not count the fields:\n%s", format, text)
		}
	}
	data, err := reports.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	back, err := reports.Decode(data)
	if err != nil || back.Policy == nil || len(back.Policy.Fields) != 2 {
		t.Errorf("read back: %v, %+v", err, back)
	}
	if _, err := reports.Decode([]byte(strings.Replace(string(data), `"verdict": "fail",`, `"verdict": "bad",`, 1))); err == nil || !strings.Contains(err.Error(), "policy.fields[1].verdict") {
		t.Errorf("an unknown verdict: %v", err)
	}
}
