package reports

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func ms(n int64) *int64 { return &n }

// full has a fixture of every verdict, everything that can be told of a failure, and texts that formats take for marks.
func full() *ConformanceReport {
	seed := uint64(7)
	return &ConformanceReport{
		APIVersion: APIVersion, Kind: Kind,
		Implementation: Implementation{Organization: "example.com", Project: "toy <&> | tools", URL: "https://example.com/toy", Version: "v1", Contact: "toy@example.com"},
		Suite:          Suite{Version: "v0.1.0", Digest: "sha256:00", Fixtures: 9},
		Target:         Target{Name: "fake", KubernetesVersion: "v1.36", VirtualTime: true, Capabilities: []string{"virtualTime"}, Substituted: []string{"launcher"}},
		Seed:           &seed, TraceHash: "abcdef0123456789ff", Result: Failed, Binding: []string{"required"},
		Selection: &Selection{Filter: "name=a|b*", Selected: 9, Of: 12},
		Reasons:   []string{"taskrun-core: a required fixture failed: fails-for-all-to-see"},
		Findings: []Finding{
			{Kind: ClaimedFails, Of: "retries", Profile: "taskrun-core", Message: "feature retries is claimed, but fails: fails-for-all-to-see", Fixtures: []string{"fails-for-all-to-see"}},
			{Kind: ServedUnclaimed, Of: "v1", Message: "version v1 | is <served>, and not claimed"},
		},
		Profiles: []Profile{
			{Name: "own.example.com/profile", Result: Inconclusive, Reasons: []string{"nothing was shown"}, Missing: []string{"x", "y"}, Required: Tally{Total: 1, NotRun: 1}},
			{Name: "taskrun-core", Result: Failed, Reasons: []string{"a required fixture failed: fails-for-all-to-see"}, Features: []string{"retries", "timeout"},
				Required: Tally{Total: 6, Pass: 1, Fail: 1, Unsupported: 1, NotOnThisTarget: 1, Excluded: 1, Error: 1}, Recommended: Tally{Total: 1, Fail: 1}, Reference: Tally{Total: 1, Pass: 1}},
		},
		Fixtures: []Fixture{
			{Name: "not-reached", File: "own/not-reached.yaml", Requirement: "It is reached.", Profile: "own.example.com/profile", Level: "required", Component: "controller", Verdict: NotRun, Reason: "the run ended first: out of time"},
			{Name: "breaks", File: "fixtures/breaks.yaml", Requirement: "It does not break.", Profile: "taskrun-core", Level: "required", Component: "launcher", Verdict: Error, Reason: "the target panicked: no more 100% <cheese>"},
			{Name: "fails-as-advised", File: "fixtures/fails-as-advised.yaml", Requirement: "It follows the advice.", Profile: "taskrun-core", Level: "recommended", Component: "controller", Verdict: Fail, Duration: "1s",
				Failure: &Failure{At: "fixtures/fails-as-advised.yaml:9:5", Check: "spec.then[0].rejected", Message: "taskrun/x was accepted, but should have been refused", Object: "taskrun/x", Want: "(refused)", Got: "(accepted)", Seed: &seed, Replay: "plumbline run --name fails-as-advised --seed 7"}},
			{Name: "fails-for-all-to-see", File: "fixtures/a, b: c.yaml", Requirement: "A retry <b>waits</b> | for `no one`.", Profile: "taskrun-core", Level: "required", Component: "controller",
				Features: []string{"retries", "timeout"}, Proves: []string{"S004-129", "S999-001"}, Verdict: Fail, Duration: "1m2.5s", TraceHash: "00ff",
				Evidence: []Evidence{{Check: "spec.then[0].eventually", At: "fixtures/a, b: c.yaml:8:5", Object: "pod/p", ResourceVersion: "12", After: "5s", Saw: "phase Running"}},
				Failure: &Failure{At: "fixtures/a, b: c.yaml:17:66", Check: "spec.then[1].eventually", Message: "taskrun/flaky was not as expected within 24h0m0s", Object: "taskrun/flaky", Path: "status.conditions[type=Succeeded].reason",
					Want: `"Finished"`, Got: `"100% Failed"`, Diff: "  status.conditions[type=Succeeded].reason:\n- \"Finished\"\n+ \"100% Failed\"\n  status.steps[0].exitCode:\n- 6\n+ 5",
					History: []string{"+0s taskrun/flaky: no conditions", "+5s taskrun/flaky: Succeeded=Unknown/Running"},
					Events:  []string{"+44ms Normal Scheduled pod/flaky-pod: done", "+5s Warning Failed taskrun/flaky: \"step-try\" exited with code 5"},
					Logs:    []Log{{Pod: "flaky-pod", Container: "step-try", Text: "begin ```\n</pre><script>alert(1)</script>]]>\x1b[31m::error::no\ntab\tend"}, {Pod: "flaky-pod-retry1", Container: "step-try"}},
					Seed:    &seed, Replay: "plumbline run -f 'my fixtures' --name fails-for-all-to-see --seed 7"},
				Timeline: &Timeline{End: 62500,
					Objects: []ObjectLine{{Object: "taskrun/flaky", Transitions: []Transition{{At: 4, Type: "Succeeded", Status: "Unknown", Reason: "Running"}, {At: 30000, Type: "Succeeded", Status: "True", Reason: "Succeeded"}, {At: 62500, Type: "Succeeded", Status: "False", Reason: "100% Failed"}}}},
					Pods: []PodLine{
						{Name: "flaky-pod", Of: "taskrun/flaky", Attempt: 1, From: 4, To: ms(20000), Phase: "Failed", Spans: []Span{{Container: "prepare", Role: RoleInit, From: 4, To: ms(1695), Exit: ms(0), Reason: "Completed"}, {Container: "step-try", Role: RoleStep, From: 5069, To: ms(6445), Exit: ms(5), Reason: "Error"}}},
						{Name: "flaky-pod-retry1", Of: "taskrun/flaky", Attempt: 2, From: 21000, Phase: "Running", Spans: []Span{
							{Container: "step-try", Role: RoleStep, From: 22000, To: ms(60000), Exit: ms(0), Reason: "Completed", Work: &Work{From: 30000, To: 50000}},
							{Container: "sidecar-x", Role: RoleSidecar, From: 22000, To: ms(40000), Exit: ms(0), Reason: "Completed"}, {Container: "sidecar-x", Role: RoleSidecar, From: 40000, To: ms(40000), Exit: ms(128), Reason: "StartError"},
							{Container: "istio", Role: RoleOther, From: 22000}}}}}},
			{Name: "left-out", File: "fixtures/left-out.yaml", Requirement: "It is not left out.", Profile: "taskrun-core", Level: "required", Component: "controller", Verdict: Excluded, Reason: "by ci@example.com: flaky_disk_of_ours"},
			{Name: "needs-more", File: "fixtures/needs-more.yaml", Requirement: "It has what it needs.", Profile: "taskrun-core", Level: "required", Component: "kubelet", Verdict: NotOnThisTarget, Reason: "target fake does not provide realKubelet"},
			{Name: "passes", File: "fixtures/passes.yaml", Requirement: "It passes.", Profile: "taskrun-core", Level: "required", Component: "controller", Features: []string{"timeout"}, Proves: []string{"S004-129"}, Verdict: Pass, Duration: "15.25s",
				Evidence: []Evidence{{Check: "spec.then[0].eventually", At: "fixtures/passes.yaml:9:5", Object: "taskrun/a", ResourceVersion: "54", After: "15s", Saw: "Succeeded=True <&>"}}},
			{Name: "passes-word-by-word", File: "fixtures/passes-word-by-word.yaml", Requirement: "It says so.", Profile: "taskrun-core", Level: "reference", Component: "controller", Verdict: Pass, Duration: "1h0m0s"},
			{Name: "unclaimed", File: "fixtures/unclaimed.yaml", Requirement: "It is claimed.", Profile: "taskrun-core", Level: "required", Component: "controller", Features: []string{"bundles"}, Verdict: Unsupported, Reason: "feature bundles is not claimed"},
		},
		Statements: []Statement{{ID: "S004-129", Source: `taskruns.md, line 703, "Retries"`, Text: "retries sets how often a failed TaskRun is retried"}},
	}
}

func golden(t *testing.T, name string, got []byte) {
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

func rendered(t *testing.T, format string, r *ConformanceReport) []byte {
	t.Helper()
	renderer, err := RendererFor(format)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := renderer.Render(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRenderings(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		name := map[string]string{FormatTable: "table.txt", FormatWide: "wide.txt", FormatJSON: "report.json", FormatYAML: "report.yaml", FormatName: "name.txt",
			FormatJUnit: "junit.xml", FormatMarkdown: "markdown.md", FormatGitHub: "github.txt", FormatHTML: "page.html"}[format]
		if name == "" {
			t.Fatalf("format %s has no golden file", format)
		}
		golden(t, name, rendered(t, format, full()))
	}
}

// TestTables puts three targets side by side, in every form.
func TestTables(t *testing.T) {
	t.Parallel()
	fake, envtest, kind := full(), full(), full()
	for _, x := range []struct {
		r       *ConformanceReport
		name    string
		took    string
		virtual bool
	}{{fake, "fake", "", true}, {envtest, "envtest", "1m3.5s", false}, {kind, "kind", "5m12s", false}} {
		x.r.Target.Name, x.r.Took, x.r.Target.VirtualTime = x.name, x.took, x.virtual
	}
	kind.Suite.Digest = "sha256:01"
	pass := byName(envtest)["fails-for-all-to-see"]
	pass.Verdict, pass.Failure, pass.Reason = Pass, nil, ""
	needs := byName(kind)["needs-more"]
	needs.Verdict, needs.Failure = Fail, &Failure{At: "needs-more.yaml:3:1", Check: "spec.then[0]", Message: "it has <b>not</b> | what it needs", Want: "1", Got: "2"}
	met := byName(envtest)["needs-more"]
	met.Verdict, met.Reason = Pass, ""
	kind.Fixtures = append(kind.Fixtures, Fixture{Name: "only-on-kind", File: "k.yaml", Requirement: "A kubelet is real.", Profile: "taskrun-core", Level: "required", Verdict: Pass, Duration: "3s"})
	explained := []Explanation{{Fixture: "needs-more", B: Fail, Why: "what it needs | is late"}, {Fixture: "passes", Why: "never"}}
	list := []Named{{Report: fake}, {Report: envtest}, {Name: "kind v1.36", Report: kind}}
	for name, table := range map[string]*Table{
		"side-by-side":           NewTable(list, TableOptions{Explained: explained}),
		"side-by-side-differing": NewTable(list, TableOptions{Differing: true}),
	} {
		for _, format := range TableFormats() {
			var b bytes.Buffer
			if err := table.Render(&b, format); err != nil {
				t.Fatal(err)
			}
			golden(t, name+map[string]string{FormatTable: ".txt", FormatJSON: ".json", FormatMarkdown: ".md", FormatGitHub: ".github.txt", FormatHTML: ".html"}[format], b.Bytes())
		}
		var page bytes.Buffer
		if err := table.Render(&page, FormatHTML); err != nil {
			t.Fatal(err)
		}
		for _, not := range []string{"ZgotmplZ", "src=", "<link", "@import", "url(", "fetch(", "<b>not", "<b>waits"} {
			if strings.Contains(page.String(), not) {
				t.Errorf("the page has %q", not)
			}
		}
		if err := table.Render(&bytes.Buffer{}, FormatJUnit); err == nil {
			t.Error("it is rendered in a format that it does not have")
		}
	}
}

func TestComparisons(t *testing.T) {
	t.Parallel()
	before, after := full(), full()
	before.Result, before.Implementation.Version, before.Reasons = Partial, "v0", nil
	set := func(r *ConformanceReport, name string, v Verdict) {
		f := byName(r)[name]
		f.Verdict, f.Failure, f.Reason = v, nil, ""
	}
	set(before, "fails-for-all-to-see", Pass)
	set(before, "passes", Error)
	set(before, "unclaimed", Pass)
	before.Fixtures = append(before.Fixtures, Fixture{Name: "was-there", File: "was-there.yaml", Requirement: "It stays.", Profile: "taskrun-core", Level: "required", Verdict: Pass})
	after.Fixtures = append(after.Fixtures, Fixture{Name: "is-new", File: "is-new.yaml", Requirement: "It is new.", Profile: "taskrun-core", Level: "required", Verdict: Fail, Failure: &Failure{At: "is-new.yaml:1:2", Check: "c", Message: "m"}})
	before.Profiles[1].Result = Partial
	before.Fixtures = append(before.Fixtures, Fixture{Name: "old-name", File: "old-name.yaml", Requirement: "Names are names.", Profile: "taskrun-core", Level: "required", Verdict: Pass})
	after.Fixtures = append(after.Fixtures, Fixture{Name: "new-name", File: "new-name.yaml", Requirement: "Names are names.", Profile: "taskrun-core", Level: "required", Verdict: Pass})
	before.Profiles[1].Features = []string{"bundles", "retries", "timeout"}
	explained := []Explanation{{Fixture: "unclaimed", B: Unsupported, Why: "bundles are gone | for good"}, {Fixture: "passes", A: Fail, Why: "never"}}
	for _, x := range []struct {
		name string
		c    Comparison
	}{
		{"diff", Diff(before, after, DiffOptions{Explained: explained})},
		{"gate", NewGate(before, after)},
	} {
		for _, format := range ComparisonFormats() {
			var b bytes.Buffer
			if err := x.c.Render(&b, format); err != nil {
				t.Fatal(err)
			}
			golden(t, x.name+map[string]string{FormatTable: ".txt", FormatJSON: ".json", FormatMarkdown: ".md", FormatGitHub: ".github.txt"}[format], b.Bytes())
		}
		if err := x.c.Render(&bytes.Buffer{}, FormatHTML); err == nil {
			t.Errorf("%s is rendered in a format that it does not have", x.name)
		}
	}
}
