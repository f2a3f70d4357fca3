package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/reports"
)

func TestCauses(t *testing.T) {
	t.Parallel()
	failure := func(x reports.Failure) reports.Fixture {
		return reports.Fixture{Verdict: reports.Fail, Level: "required", Failure: &x}
	}
	broken := func(reason string) reports.Fixture {
		return reports.Fixture{Verdict: reports.Error, Level: "required", Reason: reason}
	}
	for _, tt := range []struct {
		reason string
		a, b   reports.Fixture
		one    bool
	}{
		{"the same field, wanted and seen alike, of different objects",
			failure(reports.Failure{Message: "taskrun/a was not as expected within 24h0m0s", Path: "status.x", Want: "1", Got: `"2"`}),
			failure(reports.Failure{Message: "taskrun/b was not as expected within 1m0s", Path: "status.x", Want: "1", Got: `"2"`}), true},
		{"another value was wanted",
			failure(reports.Failure{Path: "status.x", Want: `"Failed"`, Got: `"Running"`}), failure(reports.Failure{Path: "status.x", Want: `"Succeeded"`, Got: `"Running"`}), false},
		{"another field", failure(reports.Failure{Path: "status.x", Want: "1", Got: "2"}), failure(reports.Failure{Path: "status.y", Want: "1", Got: "2"}), false},
		{"one panic, in two fixtures", broken("the target panicked: runtime error: index out of range [3]\nstack a"), broken("starting target fake: the target panicked: runtime error: index out of range [7]\nstack b"), true},
		{"two panics", broken("the target panicked: no more cheese"), broken("the target panicked: nil map"), false},
		{"one error, of two names and times", broken("creating namespace a-00ff00ff: timeout after 10s"), broken("creating namespace a-11ee11ee: timeout after 12.5s"), true},
		{"never there", failure(reports.Failure{Message: "pod/a was never seen, so it cannot be gone", Want: "(there, then gone)", Got: "(never there)"}),
			failure(reports.Failure{Message: "pod/b-1 was never seen, so it cannot be gone", Want: "(there, then gone)", Got: "(never there)"}), true},
	} {
		tt.a.Name, tt.b.Name = "a", "b"
		got := causes(&reports.ConformanceReport{Fixtures: []reports.Fixture{tt.a, tt.b}})
		if one := len(got) == 1; one != tt.one {
			t.Errorf("%s: %d causes: %+v", tt.reason, len(got), got)
		}
	}
}

func TestMostFrequentCauseComesFirst(t *testing.T) {
	t.Parallel()
	r := &reports.ConformanceReport{Fixtures: []reports.Fixture{
		{Name: "advice", Level: "recommended", Verdict: reports.Fail, Failure: &reports.Failure{Path: "p", Want: "1", Got: "2"}},
		{Name: "advice-2", Level: "recommended", Verdict: reports.Fail, Failure: &reports.Failure{Path: "p", Want: "1", Got: "2"}},
		{Name: "rare", Level: "required", Verdict: reports.Fail, Failure: &reports.Failure{Path: "q", Want: "1", Got: "2"}},
		{Name: "often", Level: "required", Verdict: reports.Fail, Failure: &reports.Failure{Path: "r", Want: "1", Got: "2"}},
		{Name: "often-2", Level: "required", Verdict: reports.Fail, Failure: &reports.Failure{Path: "r", Want: "1", Got: "2"}},
		{Name: "passes", Level: "required", Verdict: reports.Pass},
	}}
	want := []cause{
		{What: "r: want 1, got 2", Fixtures: []string{"often", "often-2"}, Counts: true},
		{What: "q: want 1, got 2", Fixtures: []string{"rare"}, Counts: true},
		{What: "p: want 1, got 2", Fixtures: []string{"advice", "advice-2"}},
	}
	if diff := cmp.Diff(want, causes(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestScoreboard(t *testing.T) {
	t.Parallel()
	fixture := func(v reports.Verdict, level string, features ...string) reports.Fixture {
		return reports.Fixture{Name: "x", Profile: "p", Level: level, Verdict: v, Features: features}
	}
	r := &reports.ConformanceReport{
		Profiles: []reports.Profile{{Name: "p", Features: []string{"good", "bad", "worse", "idle", "advice"}}},
		Fixtures: []reports.Fixture{
			fixture(reports.Pass, "required", "good", "bad", "worse"), fixture(reports.Fail, "required", "bad", "worse"), fixture(reports.Fail, "required", "worse"),
			fixture(reports.NotOnThisTarget, "required", "idle"), fixture(reports.Unsupported, "required", "lacking"), fixture(reports.Pass, "required", "good"),
			fixture(reports.Fail, "recommended", "good", "advice"),
		},
	}
	want := []score{
		{"worse", featureFailed, 1, 2, 3}, {"bad", featureFailed, 1, 1, 2}, {"good", featurePassed, 2, 0, 2},
		{"idle", featureNotJudged, 0, 0, 1}, {"lacking", featureNotClaimed, 0, 0, 1},
	}
	if diff := cmp.Diff(want, scoreboard(r)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := scores(scoreboard(r)), "2 failed, 1 passed, 1 not judged, 1 not claimed"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	r.Profiles = append(r.Profiles, reports.Profile{Name: "q"})
	if got, want := scoreboard(r)[0].String(), "p/worse (2 of 3 failed)"; got != want {
		t.Errorf("of two profiles: %q, want %q", got, want)
	}
	if Summary(&reports.ConformanceReport{Fixtures: r.Fixtures[:1]}) != "" {
		t.Error("a run in which all pass has a summary of failures")
	}
}
