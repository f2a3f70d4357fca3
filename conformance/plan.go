package conformance

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
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
	// APIVersions are the versions of tekton.dev in which TaskRuns are served; nil means whatever fixtures use.
	APIVersions []string
	// Exclusions are fixtures left out on purpose.
	Exclusions []Exclusion
	// Misses are statements that it is known to miss. They excuse nothing; the report says which failures were expected.
	Misses []Miss
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

// of says whether a fixture is left out, or shows what is missed.
func (x Exclusion) of(f *fixture.Fixture) bool {
	return x.Fixture == f.Name() || x.Statement != "" && proves(f, x.Statement)
}

func (m Miss) of(f *fixture.Fixture) bool {
	return slices.Contains(m.Fixtures, f.Name()) || m.Fixtures == nil && proves(f, m.Statement)
}

func proves(f *fixture.Fixture, id string) bool {
	return slices.ContainsFunc(f.Spec.Proves, func(s fixture.Statement) bool { return s.ID == id })
}

func (c Claims) profile(name string) bool {
	if c.Profiles == nil {
		return name == fixture.ProfileTaskRunCore || fixture.Private(name)
	}
	return slices.Contains(c.Profiles, name)
}

// feature says whether a feature of a profile is claimed, and whether it is mandatory.
func (c Claims) feature(profile, name string) (claimed, mandatory bool) {
	if p, ok := fixture.ProfileNamed(profile); ok {
		mandatory = slices.Contains(p.Mandatory(), name)
	}
	claimed = (mandatory || slices.Contains(c.Features, name)) && !slices.Contains(c.Lacks, name)
	return claimed, mandatory
}

// validate refuses claims that say nothing.
func (c Claims) validate(known []*fixture.Fixture) error {
	for _, x := range c.Exclusions {
		what := x.Fixture + x.Statement
		if x.Fixture != "" && x.Statement != "" || what == "" || x.By == "" || x.Why == "" {
			return fmt.Errorf("the exclusion of %q is incomplete: give fixture or statement, by and why", what)
		}
		if !slices.ContainsFunc(known, x.of) {
			return fmt.Errorf("the exclusion of %q matches no fixture of the suite, and no statement that one proves", what)
		}
	}
	for _, m := range c.Misses {
		for _, name := range m.Fixtures {
			if !slices.ContainsFunc(known, func(f *fixture.Fixture) bool { return f.Name() == name }) {
				return fmt.Errorf("statement %s is listed as missed by %q, which is not a fixture of the suite", m.Statement, name)
			}
		}
	}
	return nil
}

// Filter selects fixtures; each field that is given must hold.
type Filter struct {
	// Names are patterns as of path.Match.
	Names []string
	// Labels are metadata.labels.
	Labels map[string]string
	// Profiles, Features and Levels: the fixture has one of them.
	Profiles, Features, Levels []string
}

func (f Filter) empty() bool { return f.String() == "" }

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
	for _, k := range slices.Sorted(maps.Keys(f.Labels)) {
		parts = append(parts, k+"="+f.Labels[k])
	}
	return strings.Join(parts, ",")
}

// Selects says whether the filter lets a fixture through.
func (f Filter) Selects(x *fixture.Fixture) bool {
	oneOf := func(wanted []string, has ...string) bool {
		return len(wanted) == 0 || slices.ContainsFunc(has, func(h string) bool { return slices.Contains(wanted, h) })
	}
	for k, v := range f.Labels {
		if x.Metadata.Labels[k] != v {
			return false
		}
	}
	named := len(f.Names) == 0 || slices.ContainsFunc(f.Names, func(pattern string) bool {
		ok, err := path.Match(pattern, x.Name())
		return err == nil && ok || pattern == x.Name()
	})
	return named && oneOf(f.Profiles, x.Spec.Profile) && oneOf(f.Features, x.Spec.Features...) && oneOf(f.Levels, x.Spec.Level)
}

// plan says whether a fixture applies; if not, why not.
func plan(f *fixture.Fixture, claims Claims, c Capabilities, target string) (reports.Verdict, string) {
	for _, x := range claims.Exclusions {
		if x.of(f) {
			return reports.Excluded, fmt.Sprintf("by %s: %s", x.By, x.Why)
		}
	}
	if !claims.profile(f.Spec.Profile) {
		return reports.Unsupported, fmt.Sprintf("profile %s is not claimed", f.Spec.Profile)
	}
	for _, name := range f.Spec.Features {
		if claimed, _ := claims.feature(f.Spec.Profile, name); !claimed {
			return reports.Unsupported, fmt.Sprintf("feature %s is not claimed", name)
		}
	}
	for _, m := range f.Manifests {
		group, version := m.GroupVersion()
		if group != fixture.GroupTekton {
			continue
		}
		if isRun := m.Kind == kindTaskRun; isRun && claims.APIVersions != nil && !slices.Contains(claims.APIVersions, version) {
			return reports.Unsupported, fmt.Sprintf("%s in %s is not claimed", m.Kind, m.APIVersion)
		}
		if c.Served != nil && !c.Served(schema.GroupVersionKind{Group: group, Version: version, Kind: m.Kind}) {
			return reports.Unsupported, fmt.Sprintf("%s in %s is not served by target %s", m.Kind, m.APIVersion, target)
		}
	}
	has := map[string]bool{
		fixture.NeedsVirtualTime: c.VirtualTime, fixture.NeedsMocks: c.Mocks,
		fixture.NeedsRealKubelet: c.RealKubelet, fixture.NeedsFaults: c.Faults, fixture.NeedsInjector: c.Injector,
	}
	for _, need := range f.Spec.Needs {
		if !has[need] {
			return reports.NotOnThisTarget, fmt.Sprintf("target %s does not provide %s", target, need)
		}
	}
	if len(f.Spec.Images) > 0 && c.Mocks && !c.Images {
		return reports.NotOnThisTarget, fmt.Sprintf("describes images, but target %s goes only by their names", target)
	}
	if named := f.Namespaces(""); len(named) > 0 && !c.Isolated {
		return reports.NotOnThisTarget, fmt.Sprintf("its manifests use the namespace %s, but fixtures share target %s", strings.Join(named, ", "), target)
	}
	if slices.Contains(c.Substituted, f.Spec.Component) {
		return reports.NotOnThisTarget, fmt.Sprintf("is about the %s, which on target %s is not the implementation's own", f.Spec.Component, target)
	}
	for _, name := range slices.Sorted(maps.Keys(f.Spec.Config)) {
		for _, key := range slices.Sorted(maps.Keys(f.Spec.Config[name])) {
			if c.Configurable != nil && c.Configurable(name, key) {
				continue
			}
			if value, gate := f.Spec.Gates[key]; gate && name == fixture.ConfigFeatureFlags {
				return reports.Unsupported, fmt.Sprintf("needs the gate %s at %s, which may not be set on target %s", key, value, target)
			}
			return reports.Unsupported, fmt.Sprintf("needs key %s of %s, which may not be set on target %s", key, name, target)
		}
	}
	return "", ""
}

// kindTaskRun is the kind whose versions are claimed.
const kindTaskRun = "TaskRun"

// capabilityNames lists what a target has, for the report.
func capabilityNames(c Capabilities) []string {
	var names []string
	for _, x := range []struct {
		has  bool
		name string
	}{{c.Faults, fixture.NeedsFaults}, {c.Injector, fixture.NeedsInjector}, {c.Mocks, fixture.NeedsMocks}, {c.RealKubelet, fixture.NeedsRealKubelet}, {c.VirtualTime, fixture.NeedsVirtualTime}} {
		if x.has {
			names = append(names, x.name)
		}
	}
	return names
}
