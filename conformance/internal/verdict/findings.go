package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// Findings are where claims and results differ. all are the fixtures of the suite; tried says of a fixture whether it is run
// although a feature of it is not claimed.
func Findings(all []*fixture.Fixture, claims Claims, tried func(*fixture.Fixture) bool, results []reports.Fixture) []reports.Finding {
	v := &view{all, claims, tried}
	return append(v.featureFindings(results), v.missFindings(results)...)
}

// view is what results are compared with.
type view struct {
	all    []*fixture.Fixture
	claims Claims
	tried  func(*fixture.Fixture) bool
}

// seen is what fixtures say of one feature.
type seen struct {
	profile, feature      string
	failed, worked, broke []string
}

// featureFindings compares features with their fixtures.
func (v *view) featureFindings(results []reports.Fixture) []reports.Finding {
	var all []*seen
	at := func(profile, feature string) *seen {
		for _, s := range all {
			if s.profile == profile && s.feature == feature {
				return s
			}
		}
		s := &seen{profile: profile, feature: feature}
		all = append(all, s)
		return s
	}
	for i := range results {
		f := &results[i]
		if !v.claims.Binds(f.Level) {
			continue
		}
		var missing []string
		for _, feature := range f.Features {
			if claimed, _ := v.claims.Feature(f.Profile, feature); !claimed {
				missing = append(missing, feature)
				continue
			}
			// The first feature is what the fixture is about, the others what it uses, too.
			if f.Verdict == reports.Fail && feature == f.Features[0] {
				s := at(f.Profile, feature)
				s.failed = append(s.failed, f.Name)
			}
		}
		// With two unclaimed features we cannot tell which one was exercised.
		if len(missing) != 1 {
			continue
		}
		s := at(f.Profile, missing[0])
		switch {
		case f.Tried == reports.Fail:
			s.broke = append(s.broke, f.Name)
		case f.Tried == reports.Pass && v.shows(f.Name):
			s.worked = append(s.worked, f.Name)
		}
	}
	var out []reports.Finding
	for _, s := range all {
		switch {
		case len(s.failed) > 0:
			out = append(out, reports.Finding{Kind: reports.ClaimedFails, Of: s.feature, Profile: s.profile, Fixtures: s.failed,
				Message: fmt.Sprintf("feature %s is %s, but fails: %s", s.feature, v.why(s), some(s.failed))})
		case len(s.worked) > 0 && len(s.broke) == 0 && v.whole(s, results):
			out = append(out, reports.Finding{Kind: reports.UnclaimedWorks, Of: s.feature, Profile: s.profile, Fixtures: s.worked,
				Message: fmt.Sprintf("feature %s is not claimed, but works: %s", s.feature, some(s.worked))})
		}
	}
	slices.SortStableFunc(out, func(a, b reports.Finding) int {
		return strings.Compare(string(a.Kind)+" "+a.Profile+" "+a.Of, string(b.Kind)+" "+b.Profile+" "+b.Of)
	})
	return out
}

// whole reports whether all fixtures were run by which a feature can be tried. Only some of them do not show that it works.
func (v *view) whole(s *seen, results []reports.Fixture) bool {
	for _, f := range v.all {
		if f.Spec.Profile != s.profile || !v.claims.Binds(f.Spec.Level) || !slices.Equal(v.claims.unclaimed(f), []string{s.feature}) || !v.tried(f) {
			continue
		}
		if !slices.ContainsFunc(results, func(x reports.Fixture) bool { return x.Name == f.Name() }) {
			return false
		}
	}
	return true
}

// why reports whether a feature is claimed or mandatory.
func (v *view) why(s *seen) string {
	if slices.Contains(v.claims.Features, s.feature) {
		return "claimed"
	}
	return "mandatory and not listed as lacking"
}

// shows reports whether a fixture shows more than that something is refused: what refuses everything passes those.
func (v *view) shows(name string) bool {
	for _, f := range v.all {
		if f.Name() == name {
			return !f.OnlyRefusals()
		}
	}
	return false
}

// missFindings compares what is said to be missed with what is.
func (v *view) missFindings(results []reports.Fixture) []reports.Finding {
	var out []reports.Finding
	for _, m := range v.claims.Misses {
		var failed, passed []string
		for i := range results {
			f := &results[i]
			if !slices.ContainsFunc(v.all, func(x *fixture.Fixture) bool { return x.Name() == f.Name && m.Of(x) }) {
				continue
			}
			switch f.Verdict {
			case reports.Fail:
				failed = append(failed, f.Name)
			case reports.Pass:
				passed = append(passed, f.Name)
			}
		}
		switch {
		case len(failed) > 0:
			out = append(out, reports.Finding{Kind: reports.KnownMiss, Of: m.Statement, Fixtures: failed,
				Message: fmt.Sprintf("statement %s is missed, as expected: %s", m.Statement, m.Why)})
		case len(passed) > 0:
			out = append(out, reports.Finding{Kind: reports.KnownMissPasses, Of: m.Statement, Fixtures: passed,
				Message: fmt.Sprintf("statement %s is listed as missed (%s), but its fixtures pass", m.Statement, m.Why)})
		}
	}
	return out
}
