package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// T is what [Run] needs of a test; *testing.T is a T[*testing.T].
type T[Self any] interface {
	Name() string
	Context() context.Context
	Run(name string, f func(t Self)) bool
	Helper()
	Parallel()
	Log(args ...any)
	Error(args ...any)
	Fatal(args ...any)
	Skip(args ...any)
}

// Run runs the selected fixtures as a Go test and returns the report.
//
// Each fixture is a subtest, named by its profile and itself, so that
//
//	go test -run 'TestConformance/taskrun-core/timeout-fails-the-run'
//
// runs one of them. On a target whose clusters may live side by side they are parallel
// (on real time they mostly wait, so that -parallel 32 helps). A
// required fixture that fails fails its subtest, with the requirement, the place in
// the file, what was wanted and what was there, and the command that shows it again.
// One that does not apply, or does not bind, is skipped with its reason.
//
// At the end the run as a whole is judged by the engine's rule: fewer features than
// the mandatory ones fail the test, unless Options.Partial says that this is what is
// wanted, and so does a run in which nothing was shown. When -run has selected only
// some of the fixtures there is no such verdict.
func Run[Test T[Test]](t Test, o Options) *reports.ConformanceReport {
	t.Helper()
	places := map[string]string{} // profiles by fixture
	if o.Replay == nil {
		o.Replay = func(name string, _ uint64) string {
			path := append(strings.Split(t.Name(), "/"), places[name], name)
			return "go test -run '^" + strings.Join(path, "$/^") + "$'"
		}
	}
	r, err := NewRunner(o)
	if err != nil {
		t.Fatal(err)
	}
	run := &testRun{runner: r, results: make([]reports.Fixture, len(r.selected))}
	var profiles []string
	for _, f := range r.selected {
		places[f.Name()] = f.Spec.Profile
		if !slices.Contains(profiles, f.Spec.Profile) {
			profiles = append(profiles, f.Spec.Profile)
		}
	}
	parallel := (r.caps.Isolated || r.caps.SideBySide) && o.Parallel != 1
	for _, profile := range profiles {
		t.Run(profile, func(t Test) {
			t.Helper()
			for i, f := range r.selected {
				if f.Spec.Profile != profile {
					continue
				}
				t.Run(f.Name(), func(t Test) {
					t.Helper()
					if parallel {
						t.Parallel()
					}
					began := time.Now()
					result := r.RunOne(t.Context(), f)
					run.finish(i, result, time.Since(began))
					tell(t, r, f, &result)
				})
			}
		})
	}
	report, all := run.report()
	conclusion(t, report, o, all)
	return report
}

// testRun collects the results of subtests.
type testRun struct {
	runner *Runner

	mu      sync.Mutex
	results []reports.Fixture
	done    int
}

func (x *testRun) finish(i int, result reports.Fixture, took time.Duration) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.results[i] = result
	x.done++
	if progress := x.runner.o.Progress; progress != nil {
		progress(Progress{Done: x.done, Total: len(x.results), Result: result, Took: took})
	}
}

// report is about the subtests that were run; all reports whether that is every one.
func (x *testRun) report() (report *reports.ConformanceReport, all bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	run := slices.DeleteFunc(slices.Clone(x.results), func(f reports.Fixture) bool { return f.Name == "" })
	return x.runner.Report(run), len(run) == len(x.results)
}

// tell makes a result the subtest's.
func tell[Test T[Test]](t Test, r *Runner, f *fixture.Fixture, result *reports.Fixture) {
	t.Helper()
	switch {
	case result.Verdict == reports.Pass:
	case result.Skipped():
		t.Skip(fmt.Sprintf("%s: %s", result.Verdict, result.Reason))
	case result.Verdict == reports.Fail && !r.claims.Binds(result.Level):
		t.Skip(fmt.Sprintf("level %s does not bind this implementation; it fails:\n%s", result.Level, r.Explain(f, result)))
	default:
		t.Error("\n" + r.Explain(f, result))
	}
}

// conclusion tells the verdict on the run.
func conclusion[Test T[Test]](t Test, report *reports.ConformanceReport, o Options, all bool) {
	t.Helper()
	if len(report.Fixtures) == 0 && !all {
		t.Error("no fixture is selected by -run: nothing was run")
		return
	}
	if text := render.Summary(report); text != "" {
		t.Log("\n" + text)
	}
	t.Log("\n" + summary(report, o.Claims.plan()))
	switch {
	case !all:
		t.Log(fmt.Sprintf("%d of %d fixtures were selected: no verdict", len(report.Fixtures), report.Suite.Fixtures))
	case report.Result == reports.Passed:
	case report.Result == reports.Partial && o.Partial && slices.ContainsFunc(report.Profiles, shows):
		t.Log("partial, as requested: " + strings.Join(report.Reasons, "; "))
	default:
		t.Error(fmt.Sprintf("%s: %s", report.Result, strings.Join(report.Reasons, "; ")))
	}
}

// shows reports whether something that is required was executed and passed.
func shows(p reports.Profile) bool { return p.Required.Pass > 0 }

// summary has a line for each level of each profile, and the features that were judged and that were not.
func summary(report *reports.ConformanceReport, claims verdict.Claims) string {
	var b strings.Builder
	for _, p := range report.Profiles {
		fmt.Fprintf(&b, "%s: %s\n", p.Name, p.Result)
		for _, level := range []struct {
			name  string
			tally reports.Tally
		}{{fixture.Required, p.Required}, {fixture.Recommended, p.Recommended}, {fixture.Reference, p.Reference}} {
			if level.tally.Total > 0 {
				fmt.Fprintf(&b, "  %-12s %s\n", level.name, level.tally)
			}
		}
		var unclaimed []string
		if profile, ok := fixture.ProfileNamed(p.Name); ok {
			for _, f := range profile.Features {
				if claimed, _ := claims.Feature(p.Name, f.Name); !claimed {
					unclaimed = append(unclaimed, f.Name)
				}
			}
		}
		fmt.Fprintf(&b, "  %-12s %s\n", "claimed", strings.Join(p.Features, ", "))
		if len(unclaimed) > 0 {
			fmt.Fprintf(&b, "  %-12s %s\n", "not claimed", strings.Join(unclaimed, ", "))
		}
	}
	return strings.TrimRight(b.String(), "\n")
}
