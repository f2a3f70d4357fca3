package validation

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// origin is where a Task or a Pipeline comes from: what a reference to it says.
type origin struct {
	name, bundle string
	v1beta1.ResolverRef
}

func originOf(r *v1beta1.TaskRef) origin {
	return origin{name: r.Name, bundle: r.Bundle, ResolverRef: r.ResolverRef}
}

// origin checks V-05 to V-12 of the reference at p.
func (c *checker) origin(p string, ref origin) {
	if ref.Resolver != "" {
		c.beta("2.6/resolver")
	}
	if len(ref.Params) > 0 {
		c.beta("2.6/params")
	}
	c.oneSource(p, ref)
	if ref.name == "" && ref.Resolver == "" && len(ref.Params) == 0 {
		c.refuse("V-05", p)
	}
	if ref.bundle != "" {
		if !c.cfg.FeatureFlags.EnableTektonOCIBundles {
			c.refuse("V-11")
		}
		if reason := badImageReference(ref.bundle); reason != "" {
			c.refuse("V-12", p, reason)
		}
	}
}

// oneSource checks V-06 to V-10: what a resolver is asked for is not named besides, and only a resolver has params.
func (c *checker) oneSource(p string, ref origin) {
	if ref.Resolver != "" {
		if ref.name != "" {
			c.refuse("V-06", p)
		}
		if ref.bundle != "" {
			c.refuse("V-07", p)
		}
	}
	if len(ref.Params) == 0 {
		return
	}
	if ref.name != "" {
		c.refuse("V-08/name", p)
	}
	if ref.bundle != "" {
		c.refuse("V-08/bundle", p)
	}
	if ref.Resolver == "" {
		c.refuse("V-09", p)
	}
	for _, name := range duplicates(paramNames(ref.Params)) {
		c.refuse("V-10", p, name)
	}
	c.objectGate(ref.Params)
}

// imageReference is the grammar of an image reference: [host[:port]/]path[:tag][@digest] (the distribution
// specification's reference grammar).
var imageReference = regexp.MustCompile(`^((?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?/)?` +
	`([a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`)

// The bounds of the length of a repository's name. What is before the first slash is of it unless it has a dot or a port.
const (
	minRepository = 2
	maxRepository = 255
)

// badImageReference says why text is not an image reference, or returns nothing.
func badImageReference(text string) string {
	if m := imageReference.FindStringSubmatch(text); m != nil && !strings.Contains(text, "//") {
		repository := m[2]
		if !strings.ContainsAny(m[1], ".:") {
			repository = m[1] + m[2]
		}
		if n := utf8.RuneCountInString(repository); minRepository <= n && n <= maxRepository {
			return ""
		}
	}
	return "could not parse reference: " + text
}
