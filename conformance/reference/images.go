package reference

import (
	"context"
	"fmt"
	"slices"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Images of the reference, by the names that its Pods show.
const (
	imageEntrypoint        = "plumbline.dev/entrypoint:v0.1.0"
	imageNop               = "plumbline.dev/nop:v0.1.0"
	imageWorkingDirInit    = "plumbline.dev/workingdirinit:v0.1.0"
	imageSidecarLogResults = "plumbline.dev/sidecarlogresults:v0.1.0"
	imageShell             = "plumbline.dev/shell:v0.1.0"
)

// Images returns the names of the reference's container images, which Catalogue has.
func Images() reconciler.Images {
	return reconciler.Images{
		Entrypoint: imageEntrypoint, Nop: imageNop, WorkingDirInit: imageWorkingDirInit, SidecarLogResults: imageSidecarLogResults, Shell: imageShell,
	}
}

// Catalogue returns what every cluster can pull: the simulator's images and the reference's.
func Catalogue() ([]*image.Image, error) {
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
		list = append(list, &image.Image{Reference: own.reference, Entrypoint: []string{own.path}, Root: root, Own: true})
	}
	// The image that writes scripts is busybox under a name of its own, so that nothing said of busybox changes it.
	shell := *list[slices.IndexFunc(list, func(i *image.Image) bool { return i.Reference == "busybox" })]
	shell.Reference, shell.Own = imageShell, true
	list = append(list, &shell)
	return list, nil
}

// Registry answers what the images of a catalogue run by themselves, for steps that do not say (POD-70).
func Registry(c *image.Catalogue) reconciler.ImageLookup {
	return reconciler.ImageLookupFunc(func(_ context.Context, reference string, _ reconciler.ImageAccess) (reconciler.Image, error) {
		i, err := c.Pull(reference)
		if err != nil {
			return reconciler.Image{}, err
		}
		out := reconciler.Image{Reference: i.RepoDigest(), Platforms: map[string]podspec.ImageCommand{}}
		for _, p := range i.Platforms {
			out.Platforms[p] = podspec.ImageCommand{Entrypoint: i.Entrypoint, Cmd: i.Cmd}
		}
		return out, nil
	})
}
