package verdict

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// Place is a target, as far as it decides which fixtures apply; conformance.Capabilities says what the fields mean.
type Place struct {
	Name string
	// Has are the needs of fixtures that the target meets.
	Has    []string
	Images bool
	// Tenancies are the ways in which the target can have the implementation bound.
	Tenancies    []string
	Isolated     bool
	Configurable func(configMap, key string) bool
	Served       func(schema.GroupVersionKind) bool
	Substituted  []string
}

// Plan reports whether a fixture applies; if not, why not.
func Plan(f *fixture.Fixture, claims Claims, c Place) (reports.Verdict, string) {
	target := c.Name
	for _, x := range claims.Exclusions {
		if x.Of(f) {
			return reports.Excluded, fmt.Sprintf("by %s: %s", x.By, x.Why)
		}
	}
	if !claims.Profile(f.Spec.Profile) {
		return reports.Unsupported, fmt.Sprintf("profile %s is not claimed", f.Spec.Profile)
	}
	for _, name := range f.Spec.Features {
		if claimed, _ := claims.Feature(f.Spec.Profile, name); !claimed {
			return reports.Unsupported, fmt.Sprintf("feature %s is not claimed", name)
		}
	}
	for _, name := range f.Spec.Without {
		if claimed, _ := claims.Feature(f.Spec.Profile, name); claimed {
			return reports.Unsupported, fmt.Sprintf("is about implementations without the feature %s, which is claimed", name)
		}
	}
	if len(f.Unknown) > 0 {
		return reports.Unsupported, fmt.Sprintf("customTask of the subject does not say what to ask for: %s", strings.Join(f.Unknown, ", "))
	}
	for _, m := range f.Manifests {
		group, version := m.GroupVersion()
		if group != fixture.GroupTekton {
			continue
		}
		if !claims.Serves(m.Kind, version) {
			return reports.Unsupported, fmt.Sprintf("%s in %s is not claimed", m.Kind, m.APIVersion)
		}
		if c.Served != nil && !c.Served(schema.GroupVersionKind{Group: group, Version: version, Kind: m.Kind}) {
			return reports.Unsupported, fmt.Sprintf("%s in %s is not served by target %s", m.Kind, m.APIVersion, target)
		}
	}
	for _, need := range f.Spec.Needs {
		if !slices.Contains(c.Has, need) {
			return reports.NotOnThisTarget, fmt.Sprintf("target %s does not provide %s", target, need)
		}
	}
	if x := f.Spec.Tenancy; x != "" && !slices.Contains(c.Tenancies, x) {
		return reports.NotOnThisTarget, fmt.Sprintf("is about an implementation with tenancy %s, which target %s does not have", x, target)
	}
	if len(f.Spec.Images) > 0 && slices.Contains(c.Has, fixture.NeedsMocks) && !c.Images {
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
