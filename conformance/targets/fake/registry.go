package fake

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
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
	imageShell             = "plumbline.dev/shell:v0.1.0"
)

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
		list = append(list, &image.Image{Reference: own.reference, Entrypoint: []string{own.path}, Root: root, Own: true})
	}
	// The image that writes scripts is busybox under a name of its own, so that nothing said of busybox changes it.
	shell := *list[slices.IndexFunc(list, func(i *image.Image) bool { return i.Reference == "busybox" })]
	shell.Reference, shell.Own = imageShell, true
	list = append(list, &shell)
	return list, nil
}

// pullable is the catalogue of one cluster, without images that it would have to guess.
func (t *Target) pullable(described []fixture.Image) (*image.Catalogue, error) {
	c, err := image.NewCatalogue(t.images...)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(t.o.Aliases)) {
		if err := c.Alias(name, t.o.Aliases[name]); err != nil {
			return nil, err
		}
	}
	list, err := descriptions(described)
	if err != nil {
		return nil, err
	}
	return c, c.Describe(list...)
}

// descriptions are the images of fixtures as the simulator takes them. What a variable becomes can be any text.
func descriptions(list []fixture.Image) ([]image.Description, error) {
	out := make([]image.Description, len(list))
	for i := range list {
		m := &list[i]
		of, err := image.ParsePattern(fixture.Variable(m.Image))
		if err == nil && m.Folder != "" && m.Brought == nil {
			err = fmt.Errorf("the folder %s has not been read", m.Folder)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Pos, err)
		}
		d := image.Description{
			Of: of, Like: m.Like, Entrypoint: m.Entrypoint, Cmd: m.Command, User: m.User, WorkingDir: m.WorkingDir, Shell: m.Shell, Programs: m.Interpreters,
		}
		for _, name := range slices.Sorted(maps.Keys(m.Env)) {
			d.Env = append(d.Env, name+"="+m.Env[name])
		}
		for _, f := range m.Brought {
			d.Files = append(d.Files, image.File{Path: f.Path, Content: []byte(f.Content), Executable: f.Executable})
		}
		for _, name := range slices.Sorted(maps.Keys(m.Files)) {
			content := m.Files[name]
			d.Files = append(d.Files, image.File{Path: name, Content: []byte(content), Executable: strings.HasPrefix(content, "#!")})
		}
		out[i] = d
	}
	return out, nil
}

func mocksOf(list []fixture.Mock) (*container.Mocks, error) {
	mocks := make([]container.Mock, len(list))
	for i, m := range list {
		mocks[i] = container.Mock{
			Image: fixture.Variable(m.Image), Command: m.Command, Args: m.Args, Exit: m.Exit, Stdout: m.Stdout, Stderr: m.Stderr, Files: m.Files,
			Takes: time.Duration(m.Takes),
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
