// Package setup turns what a fixture asks of a cluster into parts of the simulator: images that it describes, and mocks.
package setup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Images are those that every cluster of a target can pull. They are safe for concurrent use.
type Images struct {
	// base is the catalogue without what fixtures describe. It is not changed: clusters get forks.
	base func() (*image.Catalogue, error)
}

// NewImages returns the simulator's images and the reference's. The aliases are further names of them: name to reference.
func NewImages(aliases map[string]string) (*Images, error) {
	list, err := reference.Catalogue()
	if err != nil {
		return nil, err
	}
	return &Images{sync.OnceValues(func() (*image.Catalogue, error) { return catalogue(list, aliases) })}, nil
}

func catalogue(list []*image.Image, aliases map[string]string) (*image.Catalogue, error) {
	c, err := image.NewCatalogue(list...)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		if err := c.Alias(name, aliases[name]); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Pullable returns the catalogue of one cluster, with the images that a fixture describes. It guesses none.
func (i *Images) Pullable(described []fixture.Image) (*image.Catalogue, error) {
	base, err := i.base()
	if err != nil {
		return nil, err
	}
	list, err := descriptions(described)
	if err != nil {
		return nil, err
	}
	c := base.Fork()
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
