package conformance_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
)

// TestClaimsAreComparedWithVerdicts: a claimed feature that fails is a finding, and so is an unclaimed one that works.
func TestClaimsAreComparedWithVerdicts(t *testing.T) {
	t.Parallel()
	const refused = "then: [{rejected: {on: taskrun/both}}]"
	fix := func(specs ...string) (list []*fixture.Fixture) {
		for i, spec := range specs {
			manifests := quick
			if strings.Contains(spec, "taskrun/both") {
				manifests = both
			}
			list = append(list, load(t, fmt.Sprintf("f%d", i), spec, manifests))
		}
		return list
	}
	for _, tt := range []struct {
		reason   string
		fixtures []*fixture.Fixture
		claims   conformance.Claims
		idle     bool // what is not claimed is not tried
		served   []string
		only     []string // fixtures; nil means all
		verdicts string   // with what it came to when it was tried
		findings []string
		result   reports.Result
	}{
		{reason: "nothing differs", fixtures: fix(passes), verdicts: "pass", result: reports.Passed},
		{reason: "a mandatory feature fails", fixtures: fix("features: [timeout]\n"+fails, passes), verdicts: "fail pass",
			findings: []string{"claimed-feature-fails timeout f0: feature timeout is mandatory and not listed as lacking, but fails: f0"}, result: reports.Failed},
		{reason: "a claimed feature fails", fixtures: fix("features: [debug]\n"+fails, "features: [debug]\n"+passes), claims: conformance.Claims{Features: []string{"debug"}},
			verdicts: "fail pass", findings: []string{"claimed-feature-fails debug f0: feature debug is claimed, but fails: f0"}, result: reports.Failed},
		{reason: "a recommended fixture is not a finding", fixtures: fix("features: [timeout]\nlevel: recommended\n"+fails, passes), verdicts: "fail pass", result: reports.Passed},
		{reason: "a feature that is not claimed works", fixtures: fix("features: [debug]\n"+passes, passes), verdicts: "unsupported(pass) pass",
			findings: []string{"unclaimed-feature-works debug f0: feature debug is not claimed, but works: f0"}, result: reports.Passed},
		{reason: "a feature that is not claimed and does not work", fixtures: fix("features: [debug]\n"+fails, "features: [debug]\n"+passes, passes),
			verdicts: "unsupported(fail) unsupported(pass) pass", result: reports.Passed},
		{reason: "a mandatory feature that is lacking works, and the result is partial", fixtures: fix("features: [timeout]\n"+passes, passes),
			claims: conformance.Claims{Lacks: []string{"timeout"}}, verdicts: "unsupported(pass) pass",
			findings: []string{"unclaimed-feature-works timeout f0: feature timeout is not claimed, but works: f0"}, result: reports.Partial},
		{reason: "unclaimed features are tried only on request", fixtures: fix("features: [debug]\n"+passes, passes), idle: true, verdicts: "unsupported pass", result: reports.Passed},
		{reason: "a feature is not found to work when only some of its fixtures ran", fixtures: fix("features: [debug]\n"+passes, "features: [debug]\n"+passes, passes),
			only: []string{"f0", "f2"}, verdicts: "unsupported(pass)  pass", result: reports.Passed},
		{reason: "fixtures that are left out and could not be tried are not missed", fixtures: fix("features: [debug]\n"+passes, "features: [debug]\nneeds: [realKubelet]\n"+passes, passes),
			only: []string{"f0", "f2"}, verdicts: "unsupported(pass)  pass",
			findings: []string{"unclaimed-feature-works debug f0: feature debug is not claimed, but works: f0"}, result: reports.Passed},
		{reason: "with two unclaimed features we cannot tell which one works", fixtures: fix("features: [debug, events]\n"+passes, passes), verdicts: "unsupported(pass) pass", result: reports.Passed},
		{reason: "refusing everything does not show a feature", fixtures: fix("features: [gates]\n"+refused, passes), verdicts: "unsupported(pass) pass", result: reports.Passed},
		{reason: "a profile that is not claimed is not tried", fixtures: fix("profile: pipelinerun\nfeatures: [pipeline]\n"+passes, passes),
			claims: conformance.Claims{Profiles: []string{"taskrun-core"}}, verdicts: "unsupported pass", result: reports.Passed},
		{reason: "features that the target does not provide are not tried", fixtures: fix("features: [debug]\nneeds: [realKubelet]\n"+passes, passes), verdicts: "unsupported pass", result: reports.Passed},
		{reason: "nothing that was tried makes a pass", fixtures: fix("features: [debug]\n" + passes), verdicts: "unsupported(pass)",
			findings: []string{"unclaimed-feature-works debug f0: feature debug is not claimed, but works: f0"}, result: reports.Inconclusive},
		{reason: "a known miss still fails", fixtures: fix("proves: [S004-176]\n"+fails, passes),
			claims: conformance.Claims{Misses: []conformance.Miss{{Statement: "S004-176", Why: "it is slow"}}}, verdicts: "fail pass",
			findings: []string{"known-miss S004-176 f0: statement S004-176 is missed, as expected: it is slow"}, result: reports.Failed},
		{reason: "a known miss that passes is found", fixtures: fix("proves: [S004-176]\n" + passes),
			claims: conformance.Claims{Misses: []conformance.Miss{{Statement: "S004-176", Why: "it is slow"}}}, verdicts: "pass",
			findings: []string{"known-miss-passes S004-176 f0: statement S004-176 is listed as missed (it is slow), but its fixtures pass"}, result: reports.Passed},
		{reason: "a miss that only one fixture shows", fixtures: fix("proves: [S004-176]\n"+passes, "proves: [S004-176]\n"+fails),
			claims: conformance.Claims{Misses: []conformance.Miss{{Statement: "S004-176", Fixtures: []string{"f0"}, Why: "so"}}}, verdicts: "pass fail",
			findings: []string{"known-miss-passes S004-176 f0: statement S004-176 is listed as missed (so), but its fixtures pass"}, result: reports.Failed},
		{reason: "a miss that no fixture shows says nothing", fixtures: fix("proves: [S004-176]\n" + passes),
			claims: conformance.Claims{Misses: []conformance.Miss{{Statement: "S004-176", Fixtures: []string{}, Why: "so"}}}, verdicts: "pass", result: reports.Passed},
		{reason: "a statement that is excluded leaves its fixtures out", fixtures: fix("proves: [S004-176]\n"+fails, passes),
			claims: conformance.Claims{Exclusions: []conformance.Exclusion{{Statement: "S004-176", By: "me", Why: "so"}}}, verdicts: "excluded pass", result: reports.Partial},
		{reason: "a version that is not claimed", fixtures: fix(passes), claims: conformance.Claims{Served: map[string][]string{"taskruns": {"v1"}}}, verdicts: "unsupported", result: reports.Partial},
		{reason: "a version that is claimed", fixtures: fix(passes), claims: conformance.Claims{Served: map[string][]string{"taskruns": {"v1", "v1beta1"}, "tasks": {"v1"}}}, verdicts: "pass", result: reports.Passed},
		{reason: "a kind that is not served", fixtures: fix(passes), served: []string{"Task"}, verdicts: "unsupported", result: reports.Partial},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			caps := virtual()
			if tt.served != nil {
				caps.Served = func(k schema.GroupVersionKind) bool { return slices.Contains(tt.served, k.Kind) }
			}
			report, err := conformance.Judge(context.Background(), conformance.Options{
				Target: &double.Target{Caps: caps, Script: double.Toy(double.Faults{})}, Fixtures: tt.fixtures, Claims: tt.claims, TryUnclaimed: !tt.idle,
				Filter: conformance.Filter{Names: tt.only},
			})
			if err != nil {
				t.Fatal(err)
			}
			verdicts := make([]string, len(tt.fixtures))
			for _, f := range report.Fixtures {
				at := slices.IndexFunc(tt.fixtures, func(x *fixture.Fixture) bool { return x.Name() == f.Name })
				verdicts[at] = string(f.Verdict)
				if f.Tried != "" {
					verdicts[at] += "(" + string(f.Tried) + ")"
				}
			}
			var findings []string
			for _, f := range report.Findings {
				findings = append(findings, fmt.Sprintf("%s %s %s: %s", f.Kind, f.Of, strings.Join(f.Fixtures, ","), f.Message))
			}
			if got := strings.Join(verdicts, " "); got != tt.verdicts {
				t.Errorf("verdicts %q, want %q: %+v", got, tt.verdicts, report.Fixtures)
			}
			if diff := cmp.Diff(tt.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if report.Result != tt.result {
				t.Errorf("result %s, want %s: %q", report.Result, tt.result, report.Reasons)
			}
			data, err := reports.Encode(report)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := reports.Decode(data); err != nil || !slices.EqualFunc(again.Findings, report.Findings, func(a, b reports.Finding) bool { return a.Message == b.Message }) {
				t.Errorf("the report is not read back: %v", err)
			}
		})
	}
}
