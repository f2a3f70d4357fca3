package setup

import (
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/simulator/container"
)

// Mocks returns what stands in for commands, as fixtures describe it.
func Mocks(list []fixture.Mock) (*container.Mocks, error) {
	mocks := make([]container.Mock, len(list))
	for i, m := range list {
		mocks[i] = container.Mock{
			Image: fixture.Variable(m.Image), Command: m.Command, Args: m.Args, Exit: m.Exit, Stdout: m.Stdout, Stderr: m.Stderr, Files: m.Files,
			Takes: time.Duration(m.Takes),
		}
	}
	return container.NewMocks(mocks...)
}

// Unused returns those of the mocks given that no command has used.
func Unused(given []fixture.Mock, mocks *container.Mocks) []fixture.Mock {
	var out []fixture.Mock
	for _, i := range mocks.Unused() {
		out = append(out, given[i])
	}
	return out
}
