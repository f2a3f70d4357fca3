package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/internal/setup"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// Images say which image of the catalogue stands in for an image of the cluster. A name without a tag is all tags and
// digests of it.
type Images struct {
	// Like are the catalogue's images by the cluster's names for them.
	Like map[string]string
	// Default stands in for all others; empty means that they cannot be pulled.
	Default string
}

// neverExists ends the names of registries that nothing may exist in (RFC 2606).
const neverExists = ".invalid"

// UnmappedError is what a pull of an image fails with that nothing stands in for.
type UnmappedError struct{ Image string }

func (e *UnmappedError) Error() string {
	return fmt.Sprintf("image %s is not real on this node: say which program stands in for it, as --image %s=busybox, or --default-image %s for all such images",
		e.Image, repository(e.Image), image.Toolbox)
}

// UnknownProgramError says that an image of the catalogue was meant, and is none.
type UnknownProgramError struct{ Name string }

func (e *UnknownProgramError) Error() string {
	return fmt.Sprintf("%s is not an image of the catalogue, which has %s", e.Name, strings.Join(Catalogue(), ", "))
}

// Catalogue lists the images that can stand in for others.
func Catalogue() []string {
	own := reference.Images()
	return []string{"busybox", "alpine", "bash", "debian", "ubuntu", "ghcr.io/jqlang/jq", image.Toolbox, own.Entrypoint, own.Nop, own.WorkingDirInit, own.SidecarLogResults}
}

// Read adds what a file says below the key images, of a subject file or of one with nothing else. One side of each pair is
// an image of the catalogue and the other the cluster's name for it, in either order.
func (i *Images) Read(data []byte) error {
	var file struct {
		Images map[string]string `json:"images"`
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return fmt.Errorf("reading images: %w", err)
	}
	if len(file.Images) == 0 {
		return errors.New("it has no images: write images: {registry.example.com/tools/shell: busybox}")
	}
	for _, a := range slices.Sorted(maps.Keys(file.Images)) {
		if err := i.Add(a, file.Images[a]); err != nil {
			return err
		}
	}
	return nil
}

// Add has one image stand in for another. One of the names is an image of the catalogue; if both are, the second stands in
// for the first. The error is an *UnknownProgramError.
func (i *Images) Add(name, like string) error {
	switch {
	case inCatalogue(like):
	case inCatalogue(name):
		name, like = like, name
	default:
		return &UnknownProgramError{Name: like}
	}
	if _, err := image.Normalize(name); err != nil {
		return err
	}
	if i.Like == nil {
		i.Like = map[string]string{}
	}
	i.Like[name] = like
	return nil
}

// Check reports whether all stand-ins exist. The error is an *UnknownProgramError.
func (i *Images) Check() error {
	for _, name := range slices.Sorted(maps.Keys(i.Like)) {
		if !inCatalogue(i.Like[name]) {
			return &UnknownProgramError{Name: i.Like[name]}
		}
	}
	if i.Default != "" && !inCatalogue(i.Default) {
		return &UnknownProgramError{Name: i.Default}
	}
	return nil
}

// Substituted are the images of the cluster that the reference's launcher stands in for, sorted: where there are any,
// nothing that is seen of the launcher is the implementation's own.
func (i *Images) Substituted() []string {
	launcher := reference.Images().Entrypoint
	var out []string
	for _, name := range slices.Sorted(maps.Keys(i.Like)) {
		if same(i.Like[name], launcher) && !same(name, launcher) {
			out = append(out, name)
		}
	}
	return out
}

// like resolves a full reference.
func (i *Images) like(full string) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(i.Like)) {
		if same(name, full) {
			return i.Like[name], nil
		}
	}
	for _, name := range slices.Sorted(maps.Keys(i.Like)) {
		if name == repository(name) && same(repository(full), name) {
			return i.Like[name], nil
		}
	}
	if host, _, _ := strings.Cut(full, "/"); strings.HasSuffix(host, neverExists) {
		return "", fmt.Errorf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", full, full, full)
	}
	if i.Default != "" {
		return i.Default, nil
	}
	return "", &UnmappedError{Image: full}
}

// catalogue is what the node can pull.
func (n *Node) catalogue() (*image.Catalogue, error) {
	if err := n.o.Images.Check(); err != nil {
		return nil, err
	}
	images, err := setup.NewImages(nil)
	if err != nil {
		return nil, err
	}
	c, err := images.Pullable(nil)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(n.o.Images.Like)) {
		if c.Has(name) { // it is in the catalogue, and something else stands in for it
			if err := c.Define(name, n.o.Images.Like[name]); err != nil {
				return nil, err
			}
		}
	}
	c.Resolve(n.o.Images.like)
	return c, nil
}

func inCatalogue(name string) bool {
	return slices.ContainsFunc(Catalogue(), func(known string) bool { return same(known, name) })
}

// same reports whether two texts name one image.
func same(a, b string) bool {
	x, err := image.Normalize(a)
	if err != nil {
		return false
	}
	y, err := image.Normalize(b)
	return err == nil && x == y
}

// repository is a reference without its tag and digest.
func repository(reference string) string {
	name, _, _ := strings.Cut(reference, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}
