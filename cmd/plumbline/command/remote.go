package command

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/subject"
)

// remoteFlags give a simulation what resolvers find: folders, in place of what is on the network.
type remoteFlags struct {
	repositories []string
	bundles      []string
	hub          string
}

func (r *remoteFlags) register(f *pflag.FlagSet) {
	f.StringArrayVar(&r.repositories, "repository", nil, "a folder in place of a git repository, URL=FOLDER; of a folder without git every revision is the folder as it is; may be repeated")
	f.StringArrayVar(&r.bundles, "bundle", nil, "a folder of Tasks and Pipelines in place of a Tekton bundle, REFERENCE=FOLDER; may be repeated")
	f.StringVar(&r.hub, "hub", "", "a folder in place of the hub, laid out as kind/name/version/name.yaml")
}

// world is what resolvers find: what the files describe, and the folders.
func (r *remoteFlags) world(described []fixture.Remote) (func(fixture.Remote) (subject.Remote, error), error) {
	w, err := outside.New(lacking(), described...)
	if err != nil {
		return nil, &coded{code: exitInvalid, err: err}
	}
	for _, given := range []struct {
		flag, what string
		pairs      []string
		add        func(name, folder string) error
	}{
		{"repository", "URL", r.repositories, w.AddRepository},
		{"bundle", "REFERENCE", r.bundles, w.AddBundle},
	} {
		for _, pair := range given.pairs {
			// A URL may have a "=" of its own.
			at := strings.LastIndex(pair, "=")
			if at <= 0 || at == len(pair)-1 {
				return nil, &usageError{fmt.Errorf("--%s %s: want %s=FOLDER", given.flag, pair, given.what)}
			}
			if err := given.add(pair[:at], pair[at+1:]); err != nil {
				return nil, &usageError{fmt.Errorf("--%s %s: %w", given.flag, pair, pathReason(err))}
			}
		}
	}
	if r.hub != "" {
		if err := w.SetHub(r.hub); err != nil {
			return nil, &usageError{fmt.Errorf("--hub %s: %w", r.hub, pathReason(err))}
		}
	}
	remote := w.Remote()
	return func(fixture.Remote) (subject.Remote, error) { return remote, nil }, nil
}

// lacking says which flag gives what a simulation does not have.
func lacking() outside.Missing {
	const nothing = "nothing leaves the simulation"
	give := func(flag string) func(string) error {
		return func(name string) error { return fmt.Errorf("%s: give --%s %s=FOLDER", nothing, flag, name) }
	}
	return outside.Missing{
		Repository: give("repository"), Bundle: give("bundle"), Hub: fmt.Errorf("%s: give --hub FOLDER", nothing),
		Page: func(url string) error {
			return fmt.Errorf("%s: give %s as a page, in spec.remote.pages of a fixture, or apply the Task or Pipeline and refer to it by its name", nothing, url)
		},
	}
}

// unanswered explains that a request was answered by none of the resolvers of a simulation.
func unanswered(ref map[string]any, message string) string {
	if !strings.Contains(message, "global timeout") {
		return ""
	}
	return fmt.Sprintf("a simulation has the resolvers bundles, cluster, git, http and hub, and %v is not one of them", ref["resolver"])
}
