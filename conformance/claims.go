package conformance

import (
	"hash/crc32"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/policy"
)

// Claims are what an implementation says about itself. The zero Claims claim the
// mandatory features of taskrun-core.
type Claims struct {
	// Profiles are the profiles it conforms to; nil means taskrun-core, and the private profiles of the fixtures that are run.
	// A profile that is claimed, and of which no required fixture was executed, is inconclusive.
	Profiles []string
	// Features are what it has beyond the mandatory features.
	Features []string
	// Lacks are mandatory features that it does not have: it can be partial at best.
	Lacks []string
	// Served are the versions of tekton.dev in which kinds are served, by plural: taskruns. A kind that it does not have is
	// served in whatever version fixtures use.
	Served map[string][]string
	// Exclusions are fixtures left out on purpose.
	Exclusions []Exclusion
	// Misses are statements that it is known to miss. They excuse nothing; the report says which failures were expected.
	Misses []Miss
	// CustomTask says how to ask it for custom tasks, if it is a controller of such. Fixtures of the profile custom-task are about it.
	CustomTask *fixture.CustomTask
	// Reference says that this is the reference, bound to fixtures of level reference too.
	Reference bool
}

// Exclusion leaves one fixture out, or all that prove a statement.
type Exclusion struct {
	// Fixture is its name.
	Fixture string
	// Statement is an id, as S004-176.
	Statement string
	// By and Why say who decided so, and for what reason. Both must be given.
	By, Why string
}

// Miss is a statement that an implementation is known to miss.
type Miss struct {
	// Statement is its id, as S004-176.
	Statement string
	// Fixtures are the fixtures that show it; nil means all that prove it.
	Fixtures []string
	// Why says what it does instead.
	Why string
}

// plan returns the claims as verdicts are reached by them.
func (c Claims) plan() verdict.Claims {
	out := verdict.Claims{Profiles: c.Profiles, Features: c.Features, Lacks: c.Lacks, Served: c.Served, Reference: c.Reference}
	for _, x := range c.Exclusions {
		out.Exclusions = append(out.Exclusions, verdict.Exclusion(x))
	}
	for _, m := range c.Misses {
		out.Misses = append(out.Misses, verdict.Miss(m))
	}
	return out
}

// Filter selects fixtures; each field that is given must hold.
type Filter struct {
	// Names are patterns as of path.Match. The name of a file with a matrix selects all of its cases.
	Names []string
	// Labels are metadata.labels.
	Labels map[string]string
	// Profiles, Features and Levels: the fixture has one of them.
	Profiles, Features, Levels []string
	// Policy is the name of a policy, of package policy: the fixture judges a field of it, and the run is judged by it alone.
	Policy string
	// Brief lets one case of each file with a matrix through, of those that the other fields select. Which one depends on the
	// name of the file, so that a run tries all kinds of values, and every run the same. It leaves out what needs a
	// configuration that few of them need: one after the other, each has an installation configured anew.
	Brief bool
}

// String renders the filter for messages: name=timeout-*,level=required.
func (f Filter) String() string {
	var parts []string
	add := func(key string, values []string) {
		if len(values) > 0 {
			parts = append(parts, key+"="+strings.Join(values, "|"))
		}
	}
	add("name", f.Names)
	add("profile", f.Profiles)
	add("feature", f.Features)
	add("level", f.Levels)
	if f.Policy != "" {
		add("policy", []string{f.Policy})
	}
	for _, k := range slices.Sorted(maps.Keys(f.Labels)) {
		parts = append(parts, k+"="+f.Labels[k])
	}
	if f.Brief {
		parts = append(parts, "brief")
	}
	return strings.Join(parts, ",")
}

// Select returns the fixtures of a list that the filter lets through, in their order.
func (f Filter) Select(list []*fixture.Fixture) []*fixture.Fixture {
	var out []*fixture.Fixture
	cases := map[string]int{} // of each file that is let through
	file := func(x *fixture.Fixture) string { return x.File + "\x00" + x.Metadata.Name }
	for _, x := range list {
		if f.Selects(x) {
			out = append(out, x)
			cases[file(x)]++
		}
	}
	if !f.Brief {
		return out
	}
	seen := map[string]int{}
	out = slices.DeleteFunc(out, func(x *fixture.Fixture) bool {
		key := file(x)
		at := seen[key]
		seen[key]++
		return at != int(crc32.ChecksumIEEE([]byte(x.Metadata.Name))%uint32(cases[key]))
	})
	needed := map[string]int{}
	for _, x := range out {
		needed[configKey(x)]++
	}
	return slices.DeleteFunc(out, func(x *fixture.Fixture) bool { return len(x.Spec.Config) > 0 && needed[configKey(x)] < fewConfigured })
}

// fewConfigured is how many fixtures have to share a configuration for a brief run to try it.
const fewConfigured = 5

// Selects reports whether the filter lets a fixture through, were it alone.
func (f Filter) Selects(x *fixture.Fixture) bool {
	oneOf := func(wanted []string, has ...string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(has, func(h string) bool { return slices.Contains(wanted, h) })
	}
	for k, v := range f.Labels {
		if x.Metadata.Labels[k] != v {
			return false
		}
	}
	if f.Policy != "" {
		p, known := policy.Named(f.Policy)
		if !known || !p.Selects(x) {
			return false
		}
	}
	named := len(f.Names) == 0 || slices.ContainsFunc(f.Names, func(pattern string) bool {
		ok, err := path.Match(pattern, x.Name())
		return err == nil && ok || x.Called(pattern)
	})
	return named && oneOf(f.Profiles, x.Spec.Profile) && oneOf(f.Features, x.Spec.Features...) && oneOf(f.Levels, x.Spec.Level)
}
