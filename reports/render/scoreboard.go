package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
)

// standing is how a feature has done.
type standing string

// The standings, the worst first.
const (
	featureFailed     standing = "failed"
	featurePassed     standing = "passed"
	featureNotJudged  standing = "not judged"
	featureNotClaimed standing = "not claimed"
)

// noFeature stands for the features of a fixture that names none.
const noFeature = "(no feature)"

func standings() []standing {
	return []standing{featureFailed, featurePassed, featureNotJudged, featureNotClaimed}
}

// score is what the fixtures of a feature came to.
type score struct {
	Feature  string
	Standing standing
	// Passed, Failed and Total count fixtures whose failures count.
	Passed, Failed, Total int
}

// String renders "retries (2 of 3 failed)", "timeout (4)", "bundles".
func (s score) String() string {
	switch s.Standing {
	case featureFailed:
		return fmt.Sprintf("%s (%d of %d failed)", s.Feature, s.Failed, s.Passed+s.Failed)
	case featurePassed:
		return fmt.Sprintf("%s (%d)", s.Feature, s.Passed)
	}
	return s.Feature
}

// scoreboard returns the score of every feature that a fixture of the run uses, the worst first. Where there are several
// profiles a feature's name begins with its profile's. It is empty if no fixture names a feature.
func scoreboard(r *reports.ConformanceReport) []score {
	claimed := map[[2]string]bool{}
	for _, p := range r.Profiles {
		for _, f := range p.Features {
			claimed[[2]string{p.Name, f}] = true
		}
	}
	found := map[[2]string]*score{}
	if !slices.ContainsFunc(r.Fixtures, func(f reports.Fixture) bool { return len(f.Features) > 0 }) {
		return nil
	}
	for i := range r.Fixtures {
		f := &r.Fixtures[i]
		if !r.Binds(f) {
			continue
		}
		features := f.Features
		if len(features) == 0 {
			features = []string{noFeature}
		}
		for _, feature := range features {
			key := [2]string{f.Profile, feature}
			s := found[key]
			if s == nil {
				s = &score{Feature: feature}
				if len(r.Profiles) > 1 {
					s.Feature = f.Profile + "/" + feature
				}
				found[key] = s
			}
			s.Total++
			switch f.Verdict {
			case reports.Pass:
				s.Passed++
			case reports.Fail:
				s.Failed++
			}
		}
	}
	var out []score
	for key, s := range found {
		switch {
		case s.Failed > 0:
			s.Standing = featureFailed
		case !claimed[key] && key[1] != noFeature:
			s.Standing = featureNotClaimed
		case s.Passed > 0:
			s.Standing = featurePassed
		default:
			s.Standing = featureNotJudged
		}
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b score) int {
		return cmp.Or(
			cmp.Compare(slices.Index(standings(), a.Standing), slices.Index(standings(), b.Standing)),
			cmp.Compare(b.Failed, a.Failed),
			strings.Compare(a.Feature, b.Feature))
	})
	return out
}

// ofStanding returns the scores of one standing, in words.
func ofStanding(list []score, of standing) []string {
	var out []string
	for _, s := range list {
		if s.Standing == of {
			out = append(out, s.String())
		}
	}
	return out
}

// scores counts the features of each standing: "1 failed, 12 passed, 3 not claimed".
func scores(list []score) string {
	var parts []string
	for _, of := range standings() {
		if n := len(ofStanding(list, of)); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, of))
		}
	}
	return strings.Join(parts, ", ")
}
