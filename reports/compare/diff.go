// Package compare finds the differences between reports, and writes them for people and for CI.
//
// [Diff] compares two reports fixture by fixture, [NewGate] says what got worse since a baseline, and [NewTable] puts any number
// of reports side by side. Each result is a document with a method Render, which takes one of the [Formats], or for a [Table]
// one of the [TableFormats]. A file of explanations, read by [ReadExplained], makes known differences acceptable.
package compare

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
)

// differenceKind is the kind of a Difference as a document.
const differenceKind = "ReportDifference"

// Difference lists what differs between two reports, fixture by fixture.
type Difference struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// A and B are the two runs.
	A Side `json:"a"`
	B Side `json:"b"`
	// Same is how many fixtures have one verdict in both.
	Same int `json:"same"`
	// Unexplained is how many changes have no explanation.
	Unexplained int `json:"unexplained"`
	// Changes are sorted by profile and name.
	Changes []Change `json:"changes"`
	// Renamed are fixtures that have another name in B.
	Renamed []Rename `json:"renamed,omitempty"`
	// Profiles are those with another result.
	Profiles []ProfileChange `json:"profiles,omitempty"`
	// Stale are explanations of what is not different.
	Stale []Explanation `json:"stale,omitempty"`
}

// Side identifies one of two runs.
type Side struct {
	Implementation string         `json:"implementation"`
	Version        string         `json:"version,omitempty"`
	Target         string         `json:"target"`
	Suite          string         `json:"suite"`
	Digest         string         `json:"digest"`
	Date           string         `json:"date,omitempty"`
	Seed           *uint64        `json:"seed,omitempty"`
	Result         reports.Result `json:"result"`
	Fixtures       int            `json:"fixtures"`
}

// ChangeKind says how a fixture's result changed.
type ChangeKind string

// The kinds of changes.
const (
	// NewlyFailing: it fails in B and did not in A.
	NewlyFailing ChangeKind = "newly-failing"
	// NewlyPassing: it passes in B and did not in A.
	NewlyPassing ChangeKind = "newly-passing"
	// Changed: another verdict that is neither.
	Changed ChangeKind = "changed"
	OnlyInA ChangeKind = "only-in-a"
	OnlyInB ChangeKind = "only-in-b"
)

// changeKinds lists all kinds of changes, the worst first.
func changeKinds() []ChangeKind {
	return []ChangeKind{NewlyFailing, OnlyInA, Changed, OnlyInB, NewlyPassing}
}

// Change is a fixture whose verdicts differ.
type Change struct {
	Fixture string `json:"fixture"`
	// Was is its name in A, if it is another one.
	Was         string     `json:"was,omitempty"`
	Profile     string     `json:"profile"`
	Level       string     `json:"level"`
	File        string     `json:"file"`
	Requirement string     `json:"requirement"`
	Change      ChangeKind `json:"change"`
	// A and B are the verdicts, empty where a report does not have the fixture.
	A reports.Verdict `json:"a,omitempty"`
	B reports.Verdict `json:"b,omitempty"`
	// Why explains the change.
	Why string `json:"why,omitempty"`
	// Reason is B's for a verdict that is neither pass nor fail.
	Reason string `json:"reason,omitempty" print:"lines"`
	// Failure and Proves are B's, if it fails there.
	Failure *reports.Failure    `json:"failure,omitempty"`
	Proves  []reports.Statement `json:"proves,omitempty"`
}

// Rename is a fixture of two names: one that is gone, and one that is new and requires the same in the same words.
type Rename struct {
	A string `json:"a"`
	B string `json:"b"`
}

// ProfileChange is a profile whose results differ. A result is empty where a report does not have the profile.
type ProfileChange struct {
	Profile string         `json:"profile"`
	A       reports.Result `json:"a,omitempty"`
	B       reports.Result `json:"b,omitempty"`
	// Reasons say why B is not a pass.
	Reasons []string `json:"reasons,omitempty"`
}

// DiffOptions say what counts as different.
type DiffOptions struct {
	// Judged looks only at fixtures that passed or failed in both: for runs on targets of different abilities.
	Judged bool
	// Explained are changes that are known and accepted.
	Explained []Explanation
}

// Diff compares two reports.
func Diff(a, b *reports.ConformanceReport, o DiffOptions) *Difference {
	d := &Difference{APIVersion: reports.APIVersion, Kind: differenceKind, A: side(a), B: side(b), Changes: []Change{}}
	before := byName(a)
	after := byName(b)
	d.Renamed = renamed(a, b, before, after)
	gone := map[string]bool{}
	for _, r := range d.Renamed {
		before[r.B], gone[r.A] = before[r.A], true
	}
	for i := range a.Fixtures {
		if f := &a.Fixtures[i]; after[f.Name] == nil && !gone[f.Name] && !o.Judged {
			d.Changes = append(d.Changes, change(f, nil, b))
		}
	}
	judged := func(v reports.Verdict) bool { return v == reports.Pass || v == reports.Fail }
	for i := range b.Fixtures {
		f := &b.Fixtures[i]
		was := before[f.Name]
		switch {
		case o.Judged && (was == nil || !judged(was.Verdict) || !judged(f.Verdict)):
		case was != nil && was.Verdict == f.Verdict:
			d.Same++
		default:
			d.Changes = append(d.Changes, change(was, f, b))
		}
	}
	slices.SortFunc(d.Changes, func(x, y Change) int {
		return strings.Compare(x.Profile+"\x00"+x.Fixture, y.Profile+"\x00"+y.Fixture)
	})
	d.explain(o.Explained)
	d.Profiles = profileChanges(a, b)
	for _, p := range d.Profiles {
		if !slices.ContainsFunc(d.Changes, func(c Change) bool { return c.Profile == p.Profile }) && !o.Judged {
			d.Unexplained++ // no fixture tells why
		}
	}
	return d
}

// explain finds an explanation for each change, and a change for each explanation.
func (d *Difference) explain(known []Explanation) {
	used := make([]bool, len(known))
	for i := range d.Changes {
		c := &d.Changes[i]
		for n, x := range known {
			if (x.Fixture == c.Fixture || x.Fixture == c.Was) && (x.A == "" || x.A == c.A) && (x.B == "" || x.B == c.B) {
				c.Why, used[n] = x.Why, true
				break
			}
		}
		if c.Why == "" {
			d.Unexplained++
		}
	}
	for n, x := range known {
		if !used[n] {
			d.Stale = append(d.Stale, x)
		}
	}
}

// renamed pairs fixtures of A that B does not have with those that only B has, by their requirement and profile. A text
// that stands for several on one side pairs nothing.
func renamed(a, b *reports.ConformanceReport, before, after map[string]*reports.Fixture) []Rename {
	alone := func(r *reports.ConformanceReport, other map[string]*reports.Fixture) map[string]*reports.Fixture {
		out := map[string]*reports.Fixture{}
		for i := range r.Fixtures {
			f := &r.Fixtures[i]
			key := f.Profile + "\x00" + f.Requirement
			if other[f.Name] != nil || f.Requirement == "" {
				continue
			}
			if _, twice := out[key]; twice {
				f = nil
			}
			out[key] = f
		}
		return out
	}
	now := alone(b, before)
	var out []Rename
	for key, was := range alone(a, after) {
		if is := now[key]; was != nil && is != nil {
			out = append(out, Rename{A: was.Name, B: is.Name})
		}
	}
	slices.SortFunc(out, func(x, y Rename) int { return strings.Compare(x.A, y.A) })
	return out
}

func byName(r *reports.ConformanceReport) map[string]*reports.Fixture {
	out := map[string]*reports.Fixture{}
	for i := range r.Fixtures {
		out[r.Fixtures[i].Name] = &r.Fixtures[i]
	}
	return out
}

func side(r *reports.ConformanceReport) Side {
	return Side{Implementation: r.Implementation.Project, Version: r.Implementation.Version, Target: r.Target.Name, Suite: r.Suite.Version,
		Digest: r.Suite.Digest, Date: r.Date, Seed: r.Seed, Result: r.Result, Fixtures: len(r.Fixtures)}
}

// String renders "toy v1 on fake, suite v0.1.0: failed, 3 fixtures".
func (s Side) String() string {
	return s.about() + ": " + string(s.Result) + ", " + plural(s.Fixtures, "fixture")
}

// about is String without what it came to.
func (s Side) about() string {
	text := strings.TrimSpace(s.Implementation+" "+s.Version) + " on " + s.Target + ", suite " + s.Suite
	if s.Date != "" {
		text += ", " + s.Date
	}
	return text
}

// change describes a fixture of two reports, of which one may not have it; b is the second.
func change(was, is *reports.Fixture, b *reports.ConformanceReport) Change {
	f := is
	if f == nil {
		f = was
	}
	c := Change{Fixture: f.Name, Profile: f.Profile, Level: f.Level, File: f.File, Requirement: f.Requirement, Change: Changed}
	if was != nil {
		c.A = was.Verdict
		if was.Name != f.Name {
			c.Was = was.Name
		}
	}
	if is == nil {
		c.Change = OnlyInA
		return c
	}
	c.B, c.Reason, c.Failure = is.Verdict, is.Reason, is.Failure
	if is.Failure != nil {
		c.Proves = b.Proven(is)
	}
	switch {
	case was == nil:
		c.Change = OnlyInB
	case is.Verdict == reports.Fail:
		c.Change = NewlyFailing
	case is.Verdict == reports.Pass:
		c.Change = NewlyPassing
	}
	return c
}

func profileChanges(a, b *reports.ConformanceReport) []ProfileChange {
	find := func(r *reports.ConformanceReport, name string) (p reports.Profile) {
		if i := slices.IndexFunc(r.Profiles, func(p reports.Profile) bool { return p.Name == name }); i >= 0 {
			p = r.Profiles[i]
		}
		return p
	}
	var names []string
	for _, p := range slices.Concat(a.Profiles, b.Profiles) {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	var out []ProfileChange
	for _, name := range slices.Compact(names) {
		if x, y := find(a, name), find(b, name); x.Result != y.Result {
			out = append(out, ProfileChange{Profile: name, A: x.Result, B: y.Result, Reasons: y.Reasons})
		}
	}
	return out
}
