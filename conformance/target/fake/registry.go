package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
	"github.com/plumbline-ci/plumbline/simulator/container"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Images of the reference, by the names that its Pods show.
const (
	imageEntrypoint        = "plumbline.dev/entrypoint:v0.1.0"
	imageNop               = "plumbline.dev/nop:v0.1.0"
	imageWorkingDirInit    = "plumbline.dev/workingdirinit:v0.1.0"
	imageSidecarLogResults = "plumbline.dev/sidecarlogresults:v0.1.0"
	imageShell             = "busybox:latest"
)

// generic is the image that images of mocks, and unknown ones where they are allowed, are like.
const generic = image.Toolbox

func imagesOfReference() taskrun.Images {
	return taskrun.Images{
		Entrypoint: imageEntrypoint, Nop: imageNop, WorkingDirInit: imageWorkingDirInit, SidecarLogResults: imageSidecarLogResults, Shell: imageShell,
	}
}

// catalogue is what every cluster can pull: the simulator's images and the reference's.
func catalogue() ([]*image.Image, error) {
	list, err := image.Defaults()
	if err != nil {
		return nil, fmt.Errorf("the built-in images: %w", err)
	}
	for _, own := range []struct{ reference, path, program string }{
		{imageEntrypoint, "/ko-app/entrypoint", programEntrypoint},
		{imageNop, "/ko-app/nop", programNop},
		{imageWorkingDirInit, "/ko-app/workingdirinit", programWorkingDirInit},
		{imageSidecarLogResults, "/ko-app/sidecarlogresults", programSidecarLogResults},
	} {
		root, err := image.NewRoot(image.Only(own.path, own.program))
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", own.reference, err)
		}
		root.Freeze()
		list = append(list, &image.Image{Reference: own.reference, Entrypoint: []string{own.path}, Root: root})
	}
	return list, nil
}

// pullable is the catalogue of one cluster.
func (t *Target) pullable(mocks []fixture.Mock) (*image.Catalogue, error) {
	c, err := image.NewCatalogue(t.images...)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.o.Aliases)) {
		if err := c.Alias(name, t.o.Aliases[name]); err != nil {
			return nil, err
		}
	}
	if err := mocked(mocks, c); err != nil {
		return nil, err
	}
	if t.o.AnyImage {
		c.Otherwise(generic)
	}
	return c, nil
}

// mocked has the images of mocks pulled, if there are none of the name.
func mocked(mocks []fixture.Mock, c *image.Catalogue) error {
	for _, m := range mocks {
		if !c.Has(m.Image) {
			if err := c.Define(m.Image, generic); err != nil {
				return fmt.Errorf("the mock of image %q: %w", m.Image, err)
			}
		}
	}
	return nil
}

func mocksOf(list []fixture.Mock) (*container.Mocks, error) {
	mocks := make([]container.Mock, len(list))
	for i, m := range list {
		mocks[i] = container.Mock{
			Image: m.Image, Command: m.Command, Exit: m.Exit, Stdout: m.Stdout, Stderr: m.Stderr, Files: m.Files, Takes: time.Duration(m.Takes),
		}
	}
	return container.NewMocks(mocks...)
}

// registry answers what an image runs by itself, for steps that do not say (POD-70).
type registry struct{ catalogue *image.Catalogue }

// ImageConfig implements taskrun.ImageLookup.
func (r registry) ImageConfig(_ context.Context, reference string, _ taskrun.ImageAccess) (podspec.Image, error) {
	i, err := r.catalogue.Pull(reference)
	if err != nil {
		return podspec.Image{}, err
	}
	out := podspec.Image{Reference: i.RepoDigest(), Platforms: map[string]podspec.ImageCommand{}}
	for _, p := range i.Platforms {
		out.Platforms[p] = podspec.ImageCommand{Entrypoint: i.Entrypoint, Cmd: i.Cmd}
	}
	return out, nil
}
