package conformance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// unclaimed are a fixture's features that are not claimed, of a profile that is.
func (c Claims) unclaimed(f *fixture.Fixture) []string {
	if !c.profile(f.Spec.Profile) {
		return nil
	}
	var out []string
	for _, name := range f.Spec.Features {
		if claimed, _ := c.feature(f.Spec.Profile, name); !claimed {
			out = append(out, name)
		}
	}
	return out
}

// with are the claims that would make a fixture apply.
func (c Claims) with(f *fixture.Fixture) Claims {
	c.Features = slices.Concat(c.Features, f.Spec.Features)
	c.Lacks = slices.DeleteFunc(slices.Clone(c.Lacks), func(name string) bool { return slices.Contains(f.Spec.Features, name) })
	return c
}

// unsupported turns the result of a fixture that was only tried into one that does not count. A machine that broke is not
// reported, since the fixture did not have to run.
func (c Claims) unsupported(f reports.Fixture) reports.Fixture {
	f.Tried = f.Verdict
	f.Unstruck = nil
	f.Verdict = reports.Unsupported
	var names []string
	for _, name := range f.Features {
		if claimed, _ := c.feature(f.Profile, name); !claimed {
			names = append(names, name)
		}
	}
	reason := fmt.Sprintf("feature %s is not claimed; it was tried", strings.Join(names, ", "))
	switch {
	case f.Tried == reports.Pass:
		reason += ", and the fixture passes"
	case f.Failure != nil:
		reason += ", and the fixture fails: " + f.Failure.At + ": " + f.Failure.Message
	case f.Reason != "":
		reason += ": " + f.Reason
	}
	f.Reason, f.Evidence, f.Failure = reason, nil, nil
	return f
}

// findings are where claims and what was seen differ.
func (r *Runner) findings(results []reports.Fixture) []reports.Finding {
	var out []reports.Finding
	if prober, ok := r.o.Target.(Prober); ok {
		out = append(out, prober.Probe(r.o.Claims)...)
	}
	out = append(out, r.featureFindings(results)...)
	return append(out, r.missFindings(results)...)
}

// seen is what fixtures say of one feature.
type seen struct {
	profile, feature      string
	failed, worked, broke []string
}

// featureFindings compares features with their fixtures.
func (r *Runner) featureFindings(results []reports.Fixture) []reports.Finding {
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
		if !binding(f.Level, r.o.Claims) {
			continue
		}
		var missing []string
		for _, feature := range f.Features {
			if claimed, _ := r.o.Claims.feature(f.Profile, feature); !claimed {
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
		case f.Tried == reports.Pass && r.shows(f.Name):
			s.worked = append(s.worked, f.Name)
		}
	}
	var out []reports.Finding
	for _, s := range all {
		switch {
		case len(s.failed) > 0:
			out = append(out, reports.Finding{Kind: reports.ClaimedFails, Of: s.feature, Profile: s.profile, Fixtures: s.failed,
				Message: fmt.Sprintf("feature %s is %s, but fails: %s", s.feature, r.why(s), some(s.failed))})
		case len(s.worked) > 0 && len(s.broke) == 0 && r.whole(s, results):
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
func (r *Runner) whole(s *seen, results []reports.Fixture) bool {
	for _, f := range r.all {
		if f.Spec.Profile != s.profile || !binding(f.Spec.Level, r.o.Claims) || !slices.Equal(r.o.Claims.unclaimed(f), []string{s.feature}) || !r.tried(f) {
			continue
		}
		if !slices.ContainsFunc(results, func(x reports.Fixture) bool { return x.Name == f.Name() }) {
			return false
		}
	}
	return true
}

// why says whether a feature is claimed or mandatory.
func (r *Runner) why(s *seen) string {
	if slices.Contains(r.o.Claims.Features, s.feature) {
		return "claimed"
	}
	return "mandatory and not listed as lacking"
}

// shows says whether a fixture shows more than that something is refused: what refuses everything passes those.
func (r *Runner) shows(name string) bool {
	for _, f := range r.all {
		if f.Name() == name {
			return slices.ContainsFunc(f.Spec.Then, func(c fixture.Check) bool { return c.Rejected == nil })
		}
	}
	return false
}

// missFindings compares what is said to be missed with what is.
func (r *Runner) missFindings(results []reports.Fixture) []reports.Finding {
	var out []reports.Finding
	for _, m := range r.o.Claims.Misses {
		var failed, passed []string
		for i := range results {
			f := &results[i]
			if !slices.ContainsFunc(r.all, func(x *fixture.Fixture) bool { return x.Name() == f.Name && m.of(x) }) {
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
