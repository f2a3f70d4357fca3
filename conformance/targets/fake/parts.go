package fake

import (
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
	"github.com/plumbline-ci/plumbline/simulator/apiserver"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// What follows is for targets that run the same simulated node before another API server.

// Programs are what runs in the containers of the reference's images.
func Programs() map[string]container.Program { return programs() }

// Images are the reference's container images, which Pullable has.
func Images() taskrun.Images { return imagesOfReference() }

// Kinds are the API's kinds.
func Kinds() []apiserver.Kind { return served() }

// Pullable are the images of a cluster on which none is described. It guesses none.
func (t *Target) Pullable() (*image.Catalogue, error) { return t.pullable(nil) }

// StandIns are what stands in for commands.
func StandIns(list []fixture.Mock) (*container.Mocks, error) { return mocksOf(list) }

// Registry answers for the images of a catalogue.
func Registry(c *image.Catalogue) taskrun.ImageLookup { return registry{c} }

// Unused are those of the mocks given that no command has used.
func Unused(given []fixture.Mock, mocks *container.Mocks) []fixture.Mock { return unused(given, mocks) }

// Admit puts the API's webhooks, under the default configuration, into the options of a simulated API server.
func Admit(o *apiserver.Options) error {
	s, err := newSettings(nil)
	if err != nil {
		return err
	}
	o.Admission = append(o.Admission, &webhooks{settings: s}, configWebhook{})
	o.Intercept = append(o.Intercept, decode)
	o.Converter = conversion{}
	return nil
}

// Controllers are all reconcilers of a subject.
func Controllers(s *Subject) []Controller { return s.controllers() }
