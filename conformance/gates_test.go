package conformance_test

import (
	"context"
	"testing"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

func TestAGateThatCannotBeSetIsNamed(t *testing.T) {
	t.Parallel()
	report, err := conformance.Judge(context.Background(), conformance.Options{
		Target: &double.Target{Caps: conformance.Capabilities{Configurable: func(_, key string) bool { return key != "enable-api-fields" }}, Script: double.Toy(double.Faults{})},
		Date:   time.Unix(1_700_000_000, 0),
		Fixtures: []*fixture.Fixture{
			load(t, "alpha", "gates: {enable-api-fields: alpha}\n"+passes, quick),
			load(t, "another", "gates: {enable-tekton-oci-bundles: \"true\"}\n"+passes, quick),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := report.Fixtures[0]; got.Verdict != reports.Unsupported || got.Reason != "needs the gate enable-api-fields at alpha, which may not be set on target double" {
		t.Errorf("a gate that cannot be set: %s (%s)", got.Verdict, got.Reason)
	}
	if got := report.Fixtures[1]; got.Verdict != reports.Pass {
		t.Errorf("a gate that can be set: %s (%s)", got.Verdict, got.Reason)
	}
}

func TestAllowedRefusalIsJudgedByTheChecksAfterIt(t *testing.T) {
	t.Parallel()
	const (
		allowed = "when: [{apply: taskrun/quick}, {apply: {on: taskrun/both, refusal: allowed}}]\n"
		stays   = "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{status: \"True\"}]}}}}]"
	)
	for _, tt := range []struct {
		reason string
		spec   string
		faults double.Faults
		want   reports.Verdict
	}{
		{"refused, and what must be seen is seen", allowed + stays, double.Faults{}, reports.Pass},
		{"accepted, and what must be seen is seen", allowed + stays, double.Faults{Admit: true}, reports.Pass},
		{"accepted, and what must not be seen is seen", allowed + "then: [{never: {on: taskrun/both, for: 1h}}]", double.Faults{Admit: true}, reports.Fail},
		{"refused without permission", "when: [{apply: taskrun/quick}, {apply: taskrun/both}]\n" + stays, double.Faults{}, reports.Fail},
	} {
		report, err := conformance.Judge(context.Background(), conformance.Options{
			Target: &double.Target{Script: double.Toy(tt.faults)}, Date: time.Unix(1_700_000_000, 0),
			Fixtures: []*fixture.Fixture{load(t, "either", tt.spec, quick+both)},
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Fixtures[0]; got.Verdict != tt.want {
			t.Errorf("%s: %s (%s) %+v", tt.reason, got.Verdict, got.Reason, got.Failure)
		}
	}
}
