package verdict

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// Claims are what an implementation says about itself; conformance.Claims says what the fields mean.
type Claims struct {
	Profiles   []string
	Features   []string
	Lacks      []string
	Served     map[string][]string
	Exclusions []Exclusion
	Misses     []Miss
	Reference  bool
}

// Exclusion leaves one fixture out, or all that prove a statement.
type Exclusion struct{ Fixture, Statement, By, Why string }

// Miss is a statement that an implementation is known to miss.
type Miss struct {
	Statement string
	Fixtures  []string
	Why       string
}

// Of says whether a fixture is left out, or shows what is missed.
func (x Exclusion) Of(f *fixture.Fixture) bool {
	return f.Called(x.Fixture) || x.Statement != "" && proves(f, x.Statement)
}

func (m Miss) Of(f *fixture.Fixture) bool {
	return slices.ContainsFunc(m.Fixtures, f.Called) || m.Fixtures == nil && proves(f, m.Statement)
}

func proves(f *fixture.Fixture, id string) bool {
	return slices.ContainsFunc(f.Spec.Proves, func(s fixture.Statement) bool { return s.ID == id })
}

// Profile says whether a profile is claimed.
func (c Claims) Profile(name string) bool {
	if c.Profiles == nil {
		return name == fixture.ProfileTaskRunCore || fixture.Private(name)
	}
	return slices.Contains(c.Profiles, name)
}

// Serves says whether a kind is claimed to be served in a version.
func (c Claims) Serves(kind, version string) bool {
	versions, listed := c.Served[fixture.Plural(kind)]
	return !listed || slices.Contains(versions, version)
}

// Feature says whether a feature of a profile is claimed, and whether it is mandatory.
func (c Claims) Feature(profile, name string) (claimed, mandatory bool) {
	if p, ok := fixture.ProfileNamed(profile); ok {
		mandatory = p.Requires(name)
	}
	claimed = (mandatory || slices.Contains(c.Features, name)) && !slices.Contains(c.Lacks, name)
	return claimed, mandatory
}

// Validate returns an error for claims that say nothing about the fixtures of the suite.
func (c Claims) Validate(known []*fixture.Fixture) error {
	for _, x := range c.Exclusions {
		what := x.Fixture + x.Statement
		if x.Fixture != "" && x.Statement != "" || what == "" || x.By == "" || x.Why == "" {
			return fmt.Errorf("the exclusion of %q is incomplete: give fixture or statement, by and why", what)
		}
		if !slices.ContainsFunc(known, x.Of) {
			return fmt.Errorf("the exclusion of %q matches no fixture of the suite, and no statement that one proves", what)
		}
	}
	for _, m := range c.Misses {
		for _, name := range m.Fixtures {
			if !slices.ContainsFunc(known, func(f *fixture.Fixture) bool { return f.Called(name) }) {
				return fmt.Errorf("statement %s is listed as missed by %q, which is not a fixture of the suite", m.Statement, name)
			}
		}
	}
	return nil
}

// Binds says whether failures of fixtures of a level count.
func (c Claims) Binds(level string) bool {
	return level == fixture.Required || level == fixture.Reference && c.Reference
}

// Binding lists the levels whose failures count.
func (c Claims) Binding() []string {
	if c.Reference {
		return []string{fixture.Reference, fixture.Required}
	}
	return []string{fixture.Required}
}

// unclaimed returns a fixture's features that are not claimed, of a profile that is.
func (c Claims) unclaimed(f *fixture.Fixture) []string {
	if !c.Profile(f.Spec.Profile) {
		return nil
	}
	var out []string
	for _, name := range f.Spec.Features {
		if claimed, _ := c.Feature(f.Spec.Profile, name); !claimed {
			out = append(out, name)
		}
	}
	return out
}

// with returns the claims that would make a fixture apply.
func (c Claims) with(f *fixture.Fixture) Claims {
	c.Features = slices.Concat(c.Features, f.Spec.Features)
	c.Lacks = slices.DeleteFunc(slices.Clone(c.Lacks), func(name string) bool { return slices.Contains(f.Spec.Features, name) })
	return c
}

// Tries says whether a fixture applies to an implementation that claims all of its features, of which this one does not.
func (c Claims) Tries(f *fixture.Fixture, at Place) bool {
	if len(c.unclaimed(f)) == 0 {
		return false
	}
	why, _ := Plan(f, c.with(f), at)
	return why == ""
}

// Tried turns the result of a fixture that was only tried into one that does not count. A machine that broke is not
// reported, since the fixture did not have to run.
func (c Claims) Tried(f reports.Fixture) reports.Fixture {
	f.Tried = f.Verdict
	f.Unstruck = nil
	f.Verdict = reports.Unsupported
	var names []string
	for _, name := range f.Features {
		if claimed, _ := c.Feature(f.Profile, name); !claimed {
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
