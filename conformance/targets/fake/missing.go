package fake

import (
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/container"
)

const (
	// maxMissing bounds how many missing commands one cluster remembers.
	maxMissing = 1000
	// maxWords and maxWord bound what a mock for a missing command repeats of its arguments. A mock matches by the
	// beginning of a command line.
	maxWords = 12
	maxWord  = 120
)

var _ conformance.CommandFinder = (*Cluster)(nil)

// missed remembers a command that a container does not have. The reference stops sidecars by giving them an image of its own,
// which has none of their commands.
func (c *Cluster) missed(m simulator.MissingCommand) {
	if len(c.missing) < maxMissing && !slices.Contains(ownImages(), m.Image) {
		c.missing = append(c.missing, m)
	}
}

// MissingCommands implements conformance.CommandFinder.
func (c *Cluster) MissingCommands(namespace string) []reports.MissingCommand {
	var out []reports.MissingCommand
	for _, m := range c.missing {
		if namespace != "" && m.Namespace != namespace {
			continue
		}
		missing := reported(m.MissingCommand)
		missing.Namespace, missing.Pod, missing.Container = m.Namespace, m.Pod, m.Container
		out = append(out, missing)
	}
	return out
}

// reported is a missing command as reports tell it.
func reported(m container.MissingCommand) reports.MissingCommand {
	missing := reports.MissingCommand{Image: familiar(m.Image), Command: matching(m.Args), Interpreter: m.Script != "", Present: m.Present, Stubbed: m.Stubbed}
	if m.Entrypoint {
		missing.Command, missing.Args = nil, missing.Command
	}
	if m.Near != nil {
		missing.Near = m.Near.Why
	}
	return missing
}

// ownImages are the images of the reference in which no user's command runs.
func ownImages() []string {
	i := reference.Images()
	return []string{i.Entrypoint, i.Nop, i.WorkingDirInit, i.SidecarLogResults}
}

// matching is a command line as a mock would name it. Scripts of steps have names that no other run repeats.
func matching(args []string) []string {
	out := slices.Clone(args[:min(len(args), maxWords)])
	for i, word := range out {
		if i > 0 && (strings.HasPrefix(word, v1beta1.ScriptsDir+"/") || len(word) > maxWord || strings.Contains(word, "\n")) {
			out[i] = "*"
		}
	}
	for len(out) > 1 && out[len(out)-1] == "*" {
		out = out[:len(out)-1]
	}
	return out
}

// familiar is an image's name without what a reference may leave out.
func familiar(reference string) string {
	name := strings.TrimPrefix(reference, "docker.io/")
	name = strings.TrimPrefix(name, "library/")
	return strings.TrimSuffix(name, ":latest")
}
