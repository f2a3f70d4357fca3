package fake

import (
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator"
)

// Lacks says before a run which commands the containers of a fixture would not find when they start. Nothing is run.
type Lacks struct{ options simulator.Options }

// Lacks returns the answer for a cluster with these images and mocks.
func (t *Target) Lacks(images []fixture.Image, mocks []fixture.Mock) (*Lacks, error) {
	pullable, err := t.images.Pullable(images)
	if err != nil {
		return nil, err
	}
	pullable.Guess()
	standIns, err := setup.Mocks(mocks)
	if err != nil {
		return nil, err
	}
	return &Lacks{simulator.Options{Images: pullable, Programs: reference.Programs(), Mocks: standIns}}, nil
}

// Of returns the commands that one container would lack. The error is an *image.PullError where its image cannot be
// pulled, else it says why the container could not start.
func (l *Lacks) Of(c simulator.Command) ([]reports.MissingCommand, error) {
	list, err := simulator.Lacks(l.options, c)
	if err != nil {
		return nil, err
	}
	out := make([]reports.MissingCommand, len(list))
	for i, m := range list {
		out[i] = reported(m)
	}
	return out, nil
}
