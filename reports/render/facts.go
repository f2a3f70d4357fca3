package render

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
)

// fact is something about the run as a whole.
type fact struct{ name, value string }

// facts that are hashes.
const (
	factDigest = "suite digest"
	factTrace  = "trace"
)

// facts lists what identifies a run.
func facts(r *reports.ConformanceReport) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("implementation", r.Implementation.Project)
	add("implementation version", r.Implementation.Version)
	add("organization", r.Implementation.Organization)
	add("url", r.Implementation.URL)
	add("contact", r.Implementation.Contact)
	add("suite", r.Suite.Version)
	add(factDigest, r.Suite.Digest)
	add("target", r.Target.Name)
	add("kubernetes", r.Target.KubernetesVersion)
	add("substituted", strings.Join(r.Target.Substituted, ", "))
	add("date", r.Date)
	add("took", r.Took)
	if r.Seed != nil {
		add("seed", strconv.FormatUint(*r.Seed, 10))
	}
	add(factTrace, r.TraceHash)
	if r.Policy != nil {
		add("policy", fmt.Sprintf("%s (%s)", r.Policy, r.Policy.Result))
	}
	if r.Selection != nil {
		add("selection", fmt.Sprintf("%s: %d of %d fixtures", r.Selection.Filter, r.Selection.Selected, r.Selection.Of))
	}
	return out
}

// about names a run: implementation, version, target.
func about(r *reports.ConformanceReport) string {
	text := r.Implementation.Project
	if r.Implementation.Version != "" {
		text += " " + r.Implementation.Version
	}
	return strings.TrimSpace(text) + " on " + r.Target.Name
}
