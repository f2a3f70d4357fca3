package conformance_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/internal/double"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

var update = flag.Bool("update", false, "write the golden files")

const (
	passes = "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{status: \"True\"}]}}}}]"
	fails  = "then: [{eventually: {on: taskrun/quick, match: {status: {conditions: [{status: Maybe}]}}}}]"
)

func TestARunPassesOnlyIfEverythingRequiredPassed(t *testing.T) {
	t.Parallel()
	fix := func(specs ...string) []*fixture.Fixture {
		list := []*fixture.Fixture{}
		for i, spec := range specs {
			list = append(list, load(t, fmt.Sprintf("f%d", i), spec, quick))
		}
		return list
	}
	toy := double.Toy(double.Faults{})
	for _, tt := range []struct {
		reason   string
		fixtures []*fixture.Fixture
		options  func(*conformance.Options)
		script   double.Script
		startErr error
		verdicts string
		result   reports.Result
		says     string
	}{
		{reason: "everything passed", fixtures: fix(passes, passes), verdicts: "pass pass", result: reports.Passed},
		{reason: "one failed", fixtures: fix(passes, fails), verdicts: "pass fail", result: reports.Failed, says: "a required fixture failed: f1"},
		{reason: "an empty set does not pass", fixtures: fix(), result: reports.Inconclusive, says: "nothing was run"},
		{reason: "a filter that selects nothing does not pass", fixtures: fix(passes), options: func(o *conformance.Options) { o.Filter.Names = []string{"nosuch*"} },
			result: reports.Inconclusive, says: "no fixture is selected by name=nosuch*"},
		{reason: "an all-unsupported run does not pass", fixtures: fix("features: [debug]\n"+passes, "features: [bundles]\n"+passes), verdicts: "unsupported unsupported",
			result: reports.Inconclusive, says: "no required fixture was executed and passed: nothing is shown"},
		{reason: "a target that can run no fixture does not pass", fixtures: fix("needs: [realKubelet]\n" + passes), verdicts: "not-on-this-target",
			result: reports.Inconclusive, says: "this target can run no required fixture"},
		{reason: "fixtures that the target cannot run do not prevent a pass", fixtures: fix("needs: [realKubelet]\n"+passes, passes), verdicts: "not-on-this-target pass", result: reports.Passed},
		{reason: "a target that panics does not pass", fixtures: fix(passes, passes), script: func(c *double.Cluster) { c.After(0, func() { panic("out of cheese") }) },
			verdicts: "error error", result: reports.Errored, says: "2 fixtures broke and were not judged: f0, f1"},
		{reason: "an implementation that breaks as a whole fails, and the suite goes on", fixtures: fix(passes, passes), script: func(c *double.Cluster) {
			c.After(0, func() { panic(conformance.Crash("the reconciler", "out of cheese", nil)) })
		}, verdicts: "fail fail", result: reports.Failed, says: "2 required fixtures failed: f0, f1"},
		{reason: "so does one that cannot be started", fixtures: fix(passes), startErr: &conformance.ImplementationError{Err: errors.New("no cheese")},
			verdicts: "fail", result: reports.Failed, says: "a required fixture failed: f0"},
		{reason: "a target that panics while it starts does not pass", fixtures: fix(passes), script: func(*double.Cluster) { panic("out of cheese") },
			verdicts: "error", result: reports.Errored, says: "a fixture broke and was not judged"},
		{reason: "a target that does not start does not pass", fixtures: fix(passes), startErr: errors.New("no such cluster"),
			verdicts: "error", result: reports.Errored, says: "a fixture broke and was not judged"},
		{reason: "a machine that broke in a recommended fixture does not pass", fixtures: fix(passes, "level: recommended\nwhen: [{apply: taskrun/quick}, {once: {on: pod/quick-pod}}, {exec: {on: pod/quick-pod, command: [x]}}]\nthen: [{eventually: {on: taskrun/quick}}]"),
			verdicts: "pass error", result: reports.Errored, says: "a fixture broke and was not judged: f1"},
		{reason: "an optional feature that is not claimed does not prevent a pass", fixtures: fix("features: [debug]\n"+passes, passes), verdicts: "unsupported pass", result: reports.Passed},
		{reason: "a claimed feature binds", fixtures: fix("features: [debug]\n"+fails, passes), options: func(o *conformance.Options) { o.Claims.Features = []string{"debug"} },
			verdicts: "fail pass", result: reports.Failed, says: "f0"},
		{reason: "a mandatory feature that is lacking makes it partial", fixtures: fix("features: [timeout]\n"+passes, passes), options: func(o *conformance.Options) { o.Claims.Lacks = []string{"timeout"} },
			verdicts: "unsupported pass", result: reports.Partial, says: "mandatory features are not claimed: timeout"},
		{reason: "a mandatory feature that is lacking makes it partial without a fixture too", fixtures: fix(passes), options: func(o *conformance.Options) { o.Claims.Lacks = []string{"timeout"} },
			verdicts: "pass", result: reports.Partial, says: "timeout"},
		{reason: "an exclusion makes it partial, with its reason", fixtures: fix(passes, fails), options: func(o *conformance.Options) {
			o.Claims.Exclusions = []conformance.Exclusion{{Fixture: "f1", By: "ci", Why: "flaky disk"}}
		}, verdicts: "pass excluded", result: reports.Partial, says: "a required fixture is excluded: f1"},
		{reason: "configuration that may not be touched makes it partial", fixtures: fix("config: {config-defaults: {default-timeout-minutes: \"1\"}}\n"+passes, passes), verdicts: "unsupported pass",
			result: reports.Partial, says: "a required fixture is unsupported: f0"},
		{reason: "recommended and reference fixtures never fail a foreign implementation", fixtures: fix("level: recommended\n"+fails, "level: reference\n"+fails, passes), verdicts: "fail fail pass", result: reports.Passed},
		{reason: "nor do they make a pass on their own", fixtures: fix("level: recommended\n" + passes), verdicts: "pass", result: reports.Inconclusive, says: "no required fixture was selected"},
		{reason: "the reference is held to its own wording", fixtures: fix("level: reference\n"+fails, passes), options: func(o *conformance.Options) { o.Claims.Reference = true },
			verdicts: "fail pass", result: reports.Failed, says: "f0"},
		{reason: "a profile that is not claimed says nothing", fixtures: fix("profile: pipelinerun\n"+fails, passes), options: func(o *conformance.Options) { o.Claims.Profiles = []string{"taskrun-core"} },
			verdicts: "unsupported pass", result: reports.Passed},
		{reason: "a claimed profile without fixtures does not pass", fixtures: fix(passes), options: func(o *conformance.Options) { o.Claims.Profiles = []string{"pipelinerun", "taskrun-core"} },
			verdicts: "pass", result: reports.Inconclusive, says: "pipelinerun: the suite has no fixture of this profile: nothing is shown"},
		{reason: "a claimed profile of which nothing is executed does not pass", fixtures: fix("profile: pipelinerun\nneeds: [realKubelet]\n"+passes, passes), options: func(o *conformance.Options) {
			o.Claims.Profiles = []string{"pipelinerun", "taskrun-core"}
		}, verdicts: "not-on-this-target pass", result: reports.Inconclusive, says: "pipelinerun: this target can run no required fixture"},
		{reason: "a selection says nothing about other profiles", fixtures: fix(passes, passes), options: func(o *conformance.Options) {
			o.Claims.Profiles, o.Filter.Names = []string{"pipelinerun", "taskrun-core"}, []string{"f0"}
		}, verdicts: "pass", result: reports.Passed},
		{reason: "without a named profile, taskrun-core is claimed", fixtures: fix("profile: pipelinerun\n"+fails, passes), verdicts: "unsupported pass", result: reports.Passed},
		{reason: "and private profiles", fixtures: fix("profile: example.com/own\n"+fails, passes), verdicts: "fail pass", result: reports.Failed, says: "example.com/own: a fixture failed: f0"},
		{reason: "a run without any claimed profile does not pass", fixtures: fix(passes), options: func(o *conformance.Options) { o.Claims.Profiles = []string{"pipelinerun"} },
			verdicts: "unsupported", result: reports.Inconclusive, says: "pipelinerun: the suite has no fixture of this profile"},
		{reason: "a selection may pass, and says that it is one", fixtures: fix(passes, fails), options: func(o *conformance.Options) { o.Filter.Names = []string{"f0"} }, verdicts: "pass", result: reports.Passed},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			script := tt.script
			if script == nil {
				script = toy
			}
			o := conformance.Options{Target: &double.Target{Caps: virtual(), Script: script, StartErr: tt.startErr}, Fixtures: tt.fixtures}
			if tt.options != nil {
				tt.options(&o)
			}
			report, err := conformance.Judge(context.Background(), o)
			if err != nil {
				t.Fatal(err)
			}
			var verdicts []string
			// Profiles come in the order of their names; the table counts on f0, f1, …
			for i := range tt.fixtures {
				for _, f := range report.Fixtures {
					if f.Name == fmt.Sprintf("f%d", i) {
						verdicts = append(verdicts, string(f.Verdict))
						if f.Verdict != reports.Pass && f.Verdict != reports.Fail && f.Reason == "" {
							t.Errorf("%s is %s without a reason", f.Name, f.Verdict)
						}
					}
				}
			}
			if got := strings.Join(verdicts, " "); got != tt.verdicts {
				t.Errorf("verdicts %q, want %q: %+v", got, tt.verdicts, report.Fixtures)
			}
			if report.Result != tt.result {
				t.Errorf("result %s, want %s: %q", report.Result, tt.result, report.Reasons)
			}
			if (report.Result == reports.Passed) != (len(report.Reasons) == 0) {
				t.Errorf("result %s with reasons %q", report.Result, report.Reasons)
			}
			if !strings.Contains(strings.Join(report.Reasons, "\n"), tt.says) {
				t.Errorf("reasons %q, want %q", report.Reasons, tt.says)
			}
			if (report.Selection != nil) != (o.Filter.String() != "") {
				t.Errorf("selection %+v", report.Selection)
			}
		})
	}
}

func TestInterruptedRunIsIncomplete(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(context.Background())
	list := []*fixture.Fixture{load(t, "f0", passes, quick), load(t, "f1", passes, quick), load(t, "f2", passes, quick)}
	toy, n := double.Toy(double.Faults{}), 0
	report, err := conformance.Judge(ctx, conformance.Options{Fixtures: list, Target: &double.Target{Caps: virtual(), Script: func(c *double.Cluster) {
		toy(c)
		if n++; n == 2 {
			c.After(time.Second, func() { cancel(errors.New("out of time")) })
		}
	}}})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{string(report.Result), report.Reasons[0]}
	for _, f := range report.Fixtures {
		got = append(got, string(f.Verdict)+" "+f.Reason)
	}
	want := []string{"incomplete", "the run was cut short, and 2 of 3 fixtures were not run: out of time", "pass ", "not-run the run ended during this fixture: out of time", "not-run the run ended first: out of time"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A run that ended early is never passed, even if all that was not run is only recommended.
func TestRunThatEndedEarlyDoesNotPass(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(context.Background())
	list := []*fixture.Fixture{load(t, "f0", passes, quick), load(t, "f1", "level: recommended\n"+passes, quick)}
	report, err := conformance.Judge(ctx, conformance.Options{Fixtures: list, Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})}, Parallel: 1,
		Progress: func(conformance.Progress) { cancel(errors.New("interrupted")) }})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"the run was cut short, and 1 of 2 fixtures were not run: interrupted"}; report.Result != reports.Incomplete || !cmp.Equal(report.Reasons, want) {
		t.Errorf("%s: %q, want %s: %q", report.Result, report.Reasons, reports.Incomplete, want)
	}
}

func TestIncompleteExclusionsAreRefused(t *testing.T) {
	t.Parallel()
	list := []*fixture.Fixture{load(t, "f0", passes, quick)}
	for _, x := range []conformance.Exclusion{
		{Fixture: "f0", By: "me"}, {Fixture: "f0", Why: "so"}, {Fixture: "nosuch", By: "me", Why: "so"},
		{Statement: "S004-176", By: "me", Why: "so"}, {Fixture: "f0", Statement: "S004-176", By: "me", Why: "so"},
	} {
		_, err := conformance.Judge(context.Background(), conformance.Options{Target: &double.Target{}, Fixtures: list, Claims: conformance.Claims{Exclusions: []conformance.Exclusion{x}}})
		if err == nil {
			t.Errorf("exclusion %+v is accepted", x)
		}
	}
	if _, err := conformance.Judge(context.Background(), conformance.Options{Fixtures: list}); err == nil || err.Error() != "no target to run on" {
		t.Errorf("without a target: %v", err)
	}
}

func TestFixturesFromAUsersFolder(t *testing.T) {
	t.Parallel()
	good := load(t, "mine", passes, quick).Source
	run := func(fs fstest.MapFS) (*reports.ConformanceReport, error) {
		return conformance.Judge(context.Background(), conformance.Options{Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})}, FS: fs, FSName: "dir"})
	}
	report, err := run(fstest.MapFS{"a/b.yaml": {Data: good}, "README.md": {Data: []byte("#")}})
	if err != nil || report.Result != reports.Passed || report.Fixtures[0].File != "dir/a/b.yaml" {
		t.Errorf("a folder with one fixture: %+v, %v", report, err)
	}
	if report, err = run(fstest.MapFS{"README.md": {Data: []byte("#")}}); err != nil || report.Result != reports.Inconclusive {
		t.Errorf("a folder without fixtures: %+v, %v", report, err)
	}
	var errs source.Errors
	if _, err = run(fstest.MapFS{"a.yaml": {Data: good}, "b.yaml": {Data: good}}); !errors.As(err, &errs) || !strings.Contains(err.Error(), `dir/b.yaml:3:11: metadata.name: the name "mine" is taken by dir/a.yaml:3:11`) {
		t.Errorf("a name given twice: %v", err)
	}
}

func TestASharedClusterIsStartedOncePerConfiguration(t *testing.T) {
	t.Parallel()
	target := &double.Target{Caps: conformance.Capabilities{Mocks: true, Parallel: 1, Configurable: func(m, k string) bool { return m == "feature-flags" && k == "enable-api-fields" }}, Script: double.Toy(double.Faults{})}
	alpha := "config: {feature-flags: {enable-api-fields: alpha}}\n"
	named := func(name string) string { return strings.ReplaceAll(quick, "quick", name) }
	spec := func(name string) string { return strings.ReplaceAll(passes, "quick", name) }
	report, err := conformance.Judge(context.Background(), conformance.Options{Target: target, Date: time.Unix(1_700_000_000, 0), Fixtures: []*fixture.Fixture{
		load(t, "f0", spec("a"), named("a")),
		load(t, "f1", alpha+spec("b"), named("b")),
		load(t, "f2", spec("c"), named("c")),
		load(t, "f3", alpha+spec("d"), named("d")),
		load(t, "f4", "needs: [mocks]\nmocks: [{image: busybox}]\n"+spec("e"), named("e")),
		load(t, "f5", "config: {config-defaults: {default-timeout-minutes: \"1\"}}\n"+spec("g"), named("g")),
	}})
	if err != nil {
		t.Fatal(err)
	}
	var starts []string
	for _, s := range target.Started {
		starts = append(starts, fmt.Sprintf("%s %v %d", s.Name, s.Config, len(s.Mocks)))
	}
	if diff := cmp.Diff([]string{"f1 map[feature-flags:map[enable-api-fields:alpha]] 0", "f0 map[] 0", "f4 map[] 1"}, starts); diff != "" {
		t.Errorf("starts (-want +got):\n%s", diff)
	}
	var verdicts []reports.Verdict
	for _, f := range report.Fixtures {
		verdicts = append(verdicts, f.Verdict)
	}
	if diff := cmp.Diff([]reports.Verdict{"pass", "pass", "pass", "pass", "pass", "unsupported"}, verdicts); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if reason := report.Fixtures[5].Reason; !strings.Contains(reason, "default-timeout-minutes of config-defaults") {
		t.Errorf("the reason names no key: %q", reason)
	}
	if report.Date != "2023-11-14T22:13:20Z" || report.Seed != nil {
		t.Errorf("a run on real time has a date and no seed, got %q %v", report.Date, report.Seed)
	}
}

func mixed(t *testing.T) []*fixture.Fixture {
	return []*fixture.Fixture{
		load(t, "slow-is-cut", "proves: [S004-176]\nfeatures: [timeout]\nthen: [{eventually: {on: taskrun/slow, match: {status: {conditions: [{type: Succeeded, status: \"False\", reason: TaskRunTimeout}]}}, cel: [has(self.status.completionTime)]}}, {eventually: {gone: pod/slow-pod}}]", slow),
		load(t, "both-is-refused", "component: admission\nthen: [{rejected: {on: taskrun/both, field: spec.taskRef}}]", both),
		load(t, "quick-fails", "then:\n- eventually:\n    on: taskrun/quick\n    match:\n      status:\n        conditions:\n        - {type: Succeeded, status: \"False\", reason: Failed}\n    cel: [self.status.podName == 'other']", quick),
		load(t, "debugged", "features: [debug]\n"+passes, quick),
		load(t, "on-a-kubelet", "needs: [realKubelet]\n"+passes, quick),
		load(t, "advice", "level: recommended\n"+passes, quick),
	}
}

func TestParallelismDoesNotChangeTheReport(t *testing.T) {
	t.Parallel()
	var first []byte
	for i, parallel := range []int{1, 4, 2, 4} {
		caps := virtual()
		caps.Parallel = 4
		var progress []int
		report, err := conformance.Judge(context.Background(), conformance.Options{
			Target: racing{&double.Target{Caps: caps}}, Fixtures: mixed(t), Seed: 7, Parallel: parallel, Date: time.Unix(int64(i), 0),
			Implementation: reports.Implementation{Organization: "example.com", Project: "toy", Version: "v1"},
			Progress:       func(p conformance.Progress) { progress = append(progress, p.Done) },
		})
		if err != nil {
			t.Fatal(err)
		}
		data, err := reports.Encode(report)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = data
		}
		if diff := cmp.Diff(string(first), string(data)); diff != "" {
			t.Errorf("run %d with parallel %d differs:\n%s", i, parallel, diff)
		}
		if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6}, progress); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
		back, err := reports.Decode(data)
		if err != nil {
			t.Fatalf("the report cannot be read back: %v", err)
		}
		if diff := cmp.Diff(report, back); diff != "" {
			t.Errorf("read back (-want +got):\n%s", diff)
		}
	}
}

// racing is a double that several goroutines may start.
type racing struct{ *double.Target }

func (r racing) Start(ctx context.Context, s conformance.Setup) (conformance.Cluster, error) {
	return (&double.Target{Script: double.Toy(double.Faults{})}).Start(ctx, s)
}

func TestReportsMatchTheGoldenFiles(t *testing.T) {
	t.Parallel()
	report, err := conformance.Judge(context.Background(), conformance.Options{
		Target: &double.Target{Caps: virtual(), Script: double.Toy(double.Faults{})}, Fixtures: mixed(t), Seed: 7,
		Implementation: reports.Implementation{Project: "toy", Version: "v1"},
		Claims:         conformance.Claims{Lacks: []string{"retries"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for file, format := range map[string]string{"report.txt": render.FormatTable, "report-wide.txt": render.FormatWide, "report.json": render.FormatJSON} {
		r, err := render.RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.Render(&b, report); err != nil {
			t.Fatal(err)
		}
		golden(t, file, b.Bytes())
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", "golden", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; go test -update writes it):\n%s", path, diff)
	}
}
