package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// severity orders results: the worst of a run's profiles is the run's.
func severity(r reports.Result) int {
	return slices.Index([]reports.Result{reports.Passed, reports.Inconclusive, reports.Partial, reports.Incomplete, reports.Errored, reports.Failed}, r)
}

// Worse returns the worse of two results.
func Worse(a, b reports.Result) reports.Result {
	if severity(b) > severity(a) {
		return b
	}
	return a
}

// Conclude judges a run by the rule: it passes only if every required fixture that
// this target can meet, for all mandatory and claimed features, was executed and
// passed, and something was. Reasons say in words what stands against it.
func Conclude(results []reports.Fixture, claims Claims, filter string) (reports.Result, []string, []reports.Profile) {
	byProfile := map[string][]reports.Fixture{}
	for _, f := range results {
		byProfile[f.Profile] = append(byProfile[f.Profile], f)
	}
	if len(results) == 0 {
		reason := "the suite has no fixtures: nothing was run"
		if filter != "" {
			reason = "no fixture is selected by " + filter + ": nothing was run"
		}
		return reports.Inconclusive, []string{reason}, nil
	}
	var (
		profiles []reports.Profile
		reasons  []string
		result   = reports.Passed
	)
	names := slices.Sorted(maps.Keys(byProfile))
	for _, name := range claims.judged(names, filter) {
		p := concludeProfile(name, byProfile[name], claims, results)
		profiles = append(profiles, p)
		result = Worse(result, p.Result)
		for _, reason := range p.Reasons {
			reasons = append(reasons, name+": "+reason)
		}
	}
	if len(profiles) == 0 {
		return reports.Inconclusive, []string{"none of the profiles " + strings.Join(names, ", ") + " is claimed: nothing was run"}, nil
	}
	return result, reasons, profiles
}

// judged are the profiles that a run is about, in the order of their names: those that are claimed. A selection of fixtures
// is about the profiles that it selects from. present are the profiles of the fixtures in the run.
func (c Claims) judged(present []string, filter string) []string {
	out := slices.DeleteFunc(slices.Clone(present), func(name string) bool { return !c.Profile(name) })
	if filter == "" {
		out = append(out, c.Profiles...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func concludeProfile(name string, results []reports.Fixture, claims Claims, all []reports.Fixture) reports.Profile {
	p := reports.Profile{Name: name, Result: reports.Passed}
	by := map[reports.Verdict][]string{} // of what counts
	var open []string                    // fixtures whose requirement nothing has judged
	binding, passed := 0, 0
	for _, f := range results {
		switch f.Level {
		case fixture.Required:
			p.Required.Add(f.Verdict)
		case fixture.Recommended:
			p.Recommended.Add(f.Verdict)
		default:
			p.Reference.Add(f.Verdict)
		}
		for _, feature := range f.Features {
			if has, _ := claims.Feature(name, feature); has && !slices.Contains(p.Features, feature) {
				p.Features = append(p.Features, feature)
			}
		}
		binds := claims.Binds(f.Level)
		if !binds && f.Verdict != reports.Error {
			continue // of these only a broken machine counts
		}
		if binds {
			binding++
		}
		if f.Verdict == reports.Pass {
			passed++
		}
		if f.Verdict == reports.Unsupported && !counts(f, claims) {
			continue
		}
		if len(f.Unstruck) > 0 {
			if !judgedElsewhere(f, all) {
				open = append(open, f.Name)
			}
			continue
		}
		by[f.Verdict] = append(by[f.Verdict], f.Name)
	}
	slices.Sort(p.Features)
	against := func(r reports.Result, format string, args ...any) {
		p.Result = Worse(p.Result, r)
		p.Reasons = append(p.Reasons, fmt.Sprintf(format, args...))
	}
	told := func(v reports.Verdict, r reports.Result, one, many string) {
		if n := len(by[v]); n == 1 {
			against(r, "%s: %s", one, by[v][0])
		} else if n > 1 {
			against(r, "%d %s: %s", n, many, some(by[v]))
		}
	}
	own := fixture.Private(name) // its owner gives its fixtures no levels
	if own {
		told(reports.Fail, reports.Failed, "a fixture failed", "fixtures failed")
	} else {
		told(reports.Fail, reports.Failed, "a required fixture failed", "required fixtures failed")
	}
	told(reports.Error, reports.Errored, "a fixture broke and was not judged", "fixtures broke and were not judged")
	told(reports.NotRun, reports.Incomplete, "a required fixture was not run", "required fixtures were not run")
	if n := len(open); n == 1 {
		against(reports.Partial, "a requirement was not judged, since the fault of its fixture could not strike: %s", open[0])
	} else if n > 1 {
		against(reports.Partial, "%d requirements were not judged, since the faults of their fixtures could not strike: %s", n, some(open))
	}
	told(reports.Excluded, reports.Partial, "a required fixture is excluded", "required fixtures are excluded")
	told(reports.Unsupported, reports.Partial, "a required fixture is unsupported", "required fixtures are unsupported")
	if profile, ok := fixture.ProfileNamed(name); ok {
		for _, f := range profile.Features {
			if has, mandatory := claims.Feature(name, f.Name); mandatory && !has {
				p.Missing = append(p.Missing, f.Name)
			}
		}
	}
	if len(p.Missing) > 0 {
		against(reports.Partial, "mandatory features are not claimed: %s", strings.Join(p.Missing, ", "))
	}
	if passed == 0 {
		switch {
		case len(results) == 0:
			against(reports.Inconclusive, "the suite has no fixture of this profile: nothing is shown")
		case own && len(by[reports.Fail]) > 0: // that has been said
		case binding == 0:
			against(reports.Inconclusive, "no required fixture was selected: nothing is shown")
		case p.Required.NotOnThisTarget == p.Required.Total:
			against(reports.Inconclusive, "this target can run no required fixture: nothing is shown")
		default:
			against(reports.Inconclusive, "no required fixture was executed and passed: nothing is shown")
		}
	}
	return p
}

// judgedElsewhere reports whether other fixtures were judged on every statement that a fixture proves.
func judgedElsewhere(f reports.Fixture, all []reports.Fixture) bool {
	for _, id := range f.Proves {
		if !slices.ContainsFunc(all, func(x reports.Fixture) bool {
			return (x.Verdict == reports.Pass || x.Verdict == reports.Fail) && slices.Contains(x.Proves, id)
		}) {
			return false
		}
	}
	return len(f.Proves) > 0
}

// What the reason of a fixture begins with that was not run, or not to its end, because the run ended.
const (
	EndedBefore    = "the run ended first: "
	EndedMeanwhile = "the run ended during this fixture: "
)

// Cut counts the fixtures that were not run because the run ended, and says why it did.
func Cut(results []reports.Fixture) (n int, why string) {
	for _, f := range results {
		for _, prefix := range []string{EndedBefore, EndedMeanwhile} {
			if rest, ok := strings.CutPrefix(f.Reason, prefix); ok && f.Verdict == reports.NotRun {
				n++
				why = rest
			}
		}
	}
	return n, why
}

// counts reports whether an unsupported fixture stands against a pass: a feature left
// to choice and not claimed does not, nor does one that is claimed where the fixture is
// about those without it; a mandatory one, and configuration that may not be touched, do.
func counts(f reports.Fixture, claims Claims) bool {
	if !claims.Profile(f.Profile) {
		return false
	}
	for _, feature := range f.Features {
		if claimed, mandatory := claims.Feature(f.Profile, feature); !claimed && !mandatory {
			return false
		}
	}
	return !slices.ContainsFunc(f.Without, func(name string) bool { claimed, _ := claims.Feature(f.Profile, name); return claimed })
}

// some lists the first names.
func some(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
}
