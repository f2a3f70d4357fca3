// Package reporttest has what tests of reports share: reports with everything in them, hostile ones, and golden files.
package reporttest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/reports"
)

var update = flag.Bool("update", false, "write the golden files")

// Millis is a time of a timeline.
func Millis(n int64) *int64 { return &n }

// Full has a fixture of every verdict, everything that can be reported about a failure, and texts that formats take for
// marks.
func Full() *reports.ConformanceReport {
	seed := uint64(7)
	return &reports.ConformanceReport{
		APIVersion: reports.APIVersion, Kind: reports.Kind,
		Implementation: reports.Implementation{Organization: "example.com", Project: "toy <&> | tools", URL: "https://example.com/toy", Version: "v1", Contact: "toy@example.com"},
		Suite:          reports.Suite{Version: "v0.1.0", Digest: "sha256:00", Fixtures: 9},
		Target:         reports.Target{Name: "fake", KubernetesVersion: "v1.36", VirtualTime: true, Capabilities: []string{"virtualTime"}, Substituted: []string{"launcher"}},
		Seed:           &seed, TraceHash: "abcdef0123456789ff", Result: reports.Failed, Binding: []string{"required"},
		Selection: &reports.Selection{Filter: "name=a|b*", Selected: 9, Of: 12},
		Reasons:   []string{"taskrun-core: a required fixture failed: fails-for-all-to-see"},
		Findings: []reports.Finding{
			{Kind: reports.ClaimedFails, Of: "retries", Profile: "taskrun-core", Message: "feature retries is claimed, but fails: fails-for-all-to-see", Fixtures: []string{"fails-for-all-to-see"}},
			{Kind: reports.ServedUnclaimed, Of: "v1", Message: "version v1 | is <served>, and not claimed"},
		},
		Profiles: []reports.Profile{
			{Name: "own.example.com/profile", Result: reports.Inconclusive, Reasons: []string{"nothing was shown"}, Missing: []string{"x", "y"}, Required: reports.Tally{Total: 1, NotRun: 1}},
			{Name: "taskrun-core", Result: reports.Failed, Reasons: []string{"a required fixture failed: fails-for-all-to-see"}, Features: []string{"retries", "timeout"},
				Required: reports.Tally{Total: 6, Pass: 1, Fail: 1, Unsupported: 1, NotOnThisTarget: 1, Excluded: 1, Error: 1}, Recommended: reports.Tally{Total: 1, Fail: 1}, Reference: reports.Tally{Total: 1, Pass: 1}},
		},
		Fixtures: []reports.Fixture{
			{Name: "not-reached", File: "own/not-reached.yaml", Requirement: "It is reached.", Profile: "own.example.com/profile", Level: "required", Component: "controller", Verdict: reports.NotRun, Reason: "the run ended first: out of time"},
			{Name: "breaks", File: "fixtures/breaks.yaml", Requirement: "It does not break.", Profile: "taskrun-core", Level: "required", Component: "launcher", Verdict: reports.Error, Reason: "the target panicked: no more 100% <cheese>"},
			{Name: "fails-as-advised", File: "fixtures/fails-as-advised.yaml", Requirement: "It follows the advice.", Profile: "taskrun-core", Level: "recommended", Component: "controller", Verdict: reports.Fail, Duration: "1s",
				Failure: &reports.Failure{At: "fixtures/fails-as-advised.yaml:9:5", Check: "spec.then[0].rejected", Message: "taskrun/x was accepted, but should have been refused", Object: "taskrun/x", Want: "(refused)", Got: "(accepted)", Seed: &seed, Replay: "plumbline run --name fails-as-advised --seed 7"}},
			{Name: "fails-for-all-to-see", File: "fixtures/a, b: c.yaml", Requirement: "A retry <b>waits</b> | for `no one`.", Profile: "taskrun-core", Level: "required", Component: "controller",
				Features: []string{"retries", "timeout"}, Proves: []string{"S004-129", "S999-001"}, Verdict: reports.Fail, Duration: "1m2.5s", TraceHash: "00ff",
				Evidence: []reports.Evidence{{Check: "spec.then[0].eventually", At: "fixtures/a, b: c.yaml:8:5", Object: "pod/p", ResourceVersion: "12", After: "5s", Saw: "phase Running"}},
				Failure: &reports.Failure{At: "fixtures/a, b: c.yaml:17:66", Check: "spec.then[1].eventually", Message: "taskrun/flaky was not as expected within 24h0m0s", Object: "taskrun/flaky", Path: "status.conditions[type=Succeeded].reason",
					Want: `"Finished"`, Got: `"100% Failed"`, Diff: "  status.conditions[type=Succeeded].reason:\n- \"Finished\"\n+ \"100% Failed\"\n  status.steps[0].exitCode:\n- 6\n+ 5",
					History: []string{"+0s taskrun/flaky: no conditions", "+5s taskrun/flaky: Succeeded=Unknown/Running"},
					Events:  []string{"+44ms Normal Scheduled pod/flaky-pod: done", "+5s Warning Failed taskrun/flaky: \"step-try\" exited with code 5"},
					Logs:    []reports.Log{{Pod: "flaky-pod", Container: "step-try", Text: "begin ```\n</pre><script>alert(1)</script>]]>\x1b[31m::error::no\ntab\tend"}, {Pod: "flaky-pod-retry1", Container: "step-try"}},
					Seed:    &seed, Replay: "plumbline run -f 'my fixtures' --name fails-for-all-to-see --seed 7"},
				Timeline: &reports.Timeline{End: 62500,
					Objects: []reports.ObjectLine{{Object: "taskrun/flaky", Transitions: []reports.Transition{{At: 4, Type: "Succeeded", Status: "Unknown", Reason: "Running"}, {At: 30000, Type: "Succeeded", Status: "True", Reason: "Succeeded"}, {At: 62500, Type: "Succeeded", Status: "False", Reason: "100% Failed"}}}},
					Pods: []reports.PodLine{
						{Name: "flaky-pod", Of: "taskrun/flaky", Attempt: 1, From: 4, To: Millis(20000), Phase: "Failed", Spans: []reports.Span{{Container: "prepare", Role: reports.RoleInit, From: 4, To: Millis(1695), Exit: Millis(0), Reason: "Completed"}, {Container: "step-try", Role: reports.RoleStep, From: 5069, To: Millis(6445), Exit: Millis(5), Reason: "Error"}}},
						{Name: "flaky-pod-retry1", Of: "taskrun/flaky", Attempt: 2, From: 21000, Phase: "Running", Spans: []reports.Span{
							{Container: "step-try", Role: reports.RoleStep, From: 22000, To: Millis(60000), Exit: Millis(0), Reason: "Completed", Work: &reports.Work{From: 30000, To: 50000}},
							{Container: "sidecar-x", Role: reports.RoleSidecar, From: 22000, To: Millis(40000), Exit: Millis(0), Reason: "Completed"}, {Container: "sidecar-x", Role: reports.RoleSidecar, From: 40000, To: Millis(40000), Exit: Millis(128), Reason: "StartError"},
							{Container: "istio", Role: reports.RoleOther, From: 22000}}}}}},
			{Name: "left-out", File: "fixtures/left-out.yaml", Requirement: "It is not left out.", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: reports.Excluded, Reason: "by ci@example.com: flaky_disk_of_ours"},
			{Name: "needs-more", File: "fixtures/needs-more.yaml", Requirement: "It has what it needs.", Profile: "taskrun-core", Level: "required", Component: "kubelet", Verdict: reports.NotOnThisTarget, Reason: "target fake does not provide realKubelet"},
			{Name: "passes", File: "fixtures/passes.yaml", Requirement: "It passes.", Profile: "taskrun-core", Level: "required", Component: "controller", Features: []string{"timeout"}, Proves: []string{"S004-129"}, Verdict: reports.Pass, Duration: "15.25s",
				Evidence: []reports.Evidence{{Check: "spec.then[0].eventually", At: "fixtures/passes.yaml:9:5", Object: "taskrun/a", ResourceVersion: "54", After: "15s", Saw: "Succeeded=True <&>"}}},
			{Name: "passes-word-by-word", File: "fixtures/passes-word-by-word.yaml", Requirement: "It says so.", Profile: "taskrun-core", Level: "reference", Component: "controller", Verdict: reports.Pass, Duration: "1h0m0s"},
			{Name: "unclaimed", File: "fixtures/unclaimed.yaml", Requirement: "It is claimed.", Profile: "taskrun-core", Level: "required", Component: "controller", Features: []string{"bundles"}, Verdict: reports.Unsupported, Reason: "feature bundles is not claimed"},
		},
		Statements: []reports.Statement{{ID: "S004-129", Source: `taskruns.md, line 703, "Retries"`, Text: "retries sets how often a failed TaskRun is retried"}},
	}
}

// Example is a small report.
func Example() *reports.ConformanceReport {
	seed := uint64(7)
	return &reports.ConformanceReport{
		APIVersion: reports.APIVersion, Kind: reports.Kind,
		Implementation: reports.Implementation{Organization: "example.com", Project: "toy", URL: "https://example.com/toy", Version: "v1", Contact: "toy@example.com"},
		Suite:          reports.Suite{Version: "v0.1.0", Digest: "sha256:00", Fixtures: 3},
		Target:         reports.Target{Name: "fake", KubernetesVersion: "v1.37.2", VirtualTime: true, Capabilities: []string{"virtualTime"}},
		Seed:           &seed, TraceHash: "abc", Result: reports.Failed, Reasons: []string{"taskrun-core: a required fixture failed: b"},
		Profiles: []reports.Profile{{Name: "taskrun-core", Result: reports.Failed, Features: []string{"timeout"}, Required: reports.Tally{Total: 2, Pass: 1, Fail: 1}, Recommended: reports.Tally{Total: 1, NotOnThisTarget: 1}}},
		Fixtures: []reports.Fixture{
			{Name: "a", File: "a.yaml", Requirement: "a is", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: reports.Pass, Duration: "15.1s",
				Evidence: []reports.Evidence{{Check: "spec.then[0].eventually", At: "a.yaml:9:5", Object: "taskrun/a", ResourceVersion: "12", After: "15s", Saw: "Succeeded=True <&>"}}},
			{Name: "b", File: "b.yaml", Requirement: "b is", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: reports.Fail, Duration: "1s",
				Failure: &reports.Failure{At: "b.yaml:9:5", Check: "spec.then[0].eventually", Message: "it is not", Logs: []reports.Log{{Pod: "p", Container: "c", Text: "x\ny"}}}},
			{Name: "c", File: "c.yaml", Requirement: "c is", Profile: "taskrun-core", Level: "recommended", Component: "launcher", Verdict: reports.NotOnThisTarget, Reason: "needs faults"},
		},
	}
}

// Sweep has a breach of every kind: a broken invariant under random faults, a failed check, and an error.
func Sweep() *reports.SweepReport {
	return &reports.SweepReport{
		APIVersion: reports.APIVersion, Kind: reports.SweepKind,
		Implementation: reports.Implementation{Project: "toy <&> | tools", Version: "v1"},
		Suite:          reports.Suite{Version: "v0.1.0", Digest: "sha256:00", Fixtures: 5},
		Target:         reports.Target{Name: "fake", VirtualTime: true},
		FirstSeed:      7, Seeds: 100, RandomFaults: true, Result: reports.Failed, Reasons: []string{"3 schedules of 400 did not pass: a | b"},
		Schedules: 301, Struck: 42, Skipped: 2,
		Fixtures: []reports.SweepFixture{
			{Name: "not-reached", File: "own/not-reached.yaml", Requirement: "It is reached.", Profile: "own.example.com/profile", Level: "required"},
			{Name: "breaks", File: "fixtures/breaks.yaml", Requirement: "It does not break.", Profile: "taskrun-core", Level: "required", Schedules: 100, Breaches: 1},
			{Name: "fails", File: "fixtures/fails.yaml", Requirement: "It <b>waits</b> | for `no one`.", Profile: "taskrun-core", Level: "required", Features: []string{"retries"}, Proves: []string{"S004-129"}, Schedules: 101, Breaches: 2},
			{Name: "passes", File: "fixtures/passes.yaml", Requirement: "It passes.", Profile: "taskrun-core", Level: "recommended", Schedules: 100},
		},
		Breaches: []reports.Breach{
			{Fixture: "breaks", Seed: 8, Verdict: reports.Error, Reason: "the target panicked: no more 100% <cheese>\n::error::no", Drawn: 1, Replay: "plumbline run --name breaks --seed 8"},
			{Fixture: "fails", Seed: 9, Verdict: reports.Fail, Drawn: 3, Faults: []string{"at 3s: the node dies"}, Strikes: []string{"+3s node/a"}, Trace: strings.Split(strings.Repeat("+1s event\n", 30)+"+2s end", "\n"),
				Violation: &reports.Violation{Rule: "final", Object: "taskrun/x", Message: "Succeeded=True became False\nand then True"}, Replay: "plumbline run --name fails --seed 9 --faults random"},
			{Fixture: "fails", Seed: 10, Verdict: reports.Fail, Drawn: 1, Replay: "plumbline run --name fails --seed 10",
				Failure: &reports.Failure{At: "fixtures/fails.yaml:17:66", Check: "spec.then[1].eventually", Message: "taskrun/x was not as expected", Object: "taskrun/x", Path: "status.x", Want: "1", Got: "```\n2", History: []string{"+0s taskrun/x: no conditions"}}},
		},
		Statements: []reports.Statement{{ID: "S004-129", Source: `taskruns.md, line 703, "Retries"`, Text: "retries sets how often a failed TaskRun is retried"}},
	}
}

// ByName returns the fixtures of a report by their names.
func ByName(r *reports.ConformanceReport) map[string]*reports.Fixture {
	out := map[string]*reports.Fixture{}
	for i := range r.Fixtures {
		out[r.Fixtures[i].Name] = &r.Fixtures[i]
	}
	return out
}

// Golden compares what was rendered with a file of testdata/golden.
func Golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", file, diff)
	}
}
