package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// PullError says why an image cannot be pulled.
type PullError struct {
	// Reference is what was asked for.
	Reference string
	// Invalid says that it is no reference at all: then nothing is pulled, and it is not tried again.
	Invalid bool
	// Message is what the container runtime says.
	Message string
}

func (e *PullError) Error() string { return e.Message }

// Catalogue knows the images that can be pulled.
type Catalogue struct {
	images    map[string]*Image
	refused   map[string]string
	otherwise string
	resolve   func(reference string) (like string, err error)
}

// NewCatalogue returns a catalogue of these images.
func NewCatalogue(images ...*Image) (*Catalogue, error) {
	c := &Catalogue{images: map[string]*Image{}, refused: map[string]string{}}
	for _, i := range images {
		if err := c.Add(i); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Add puts a copy of an image into the catalogue, in place of one of the same name, and completes it: reference,
// digest, ID, platforms, root.
func (c *Catalogue) Add(given *Image) error {
	ref, err := Normalize(given.Reference)
	if err != nil {
		return err
	}
	completed := *given
	i := &completed
	i.Reference = ref
	if i.Digest == "" {
		i.Digest = digest("manifest " + ref)
	}
	if i.ID == "" {
		i.ID = digest("config " + ref)
	}
	if len(i.Platforms) == 0 {
		i.Platforms = []string{"linux/amd64"}
	}
	if i.Root == nil {
		if i.Root, err = NewRoot(Tree{}); err != nil {
			return fmt.Errorf("root of %s: %w", ref, err)
		}
	}
	c.images[ref] = i
	c.images[i.RepoDigest()] = i
	delete(c.refused, ref)
	return nil
}

// Define puts an image of that name into the catalogue that is otherwise like another one, for example to run mocks in.
func (c *Catalogue) Define(reference, like string) error {
	model, err := c.Pull(like)
	if err != nil {
		return err
	}
	i := *model
	i.Reference, i.Digest, i.ID = reference, "", ""
	return c.Add(&i)
}

// Alias gives an image of the catalogue a further name.
func (c *Catalogue) Alias(name, reference string) error {
	i, err := c.Pull(reference)
	if err != nil {
		return err
	}
	ref, err := Normalize(name)
	if err != nil {
		return err
	}
	c.images[ref] = i
	return nil
}

// Refuse makes pulling an image fail with a message; an empty one means that the registry does not have it.
func (c *Catalogue) Refuse(reference, message string) error {
	ref, err := Normalize(reference)
	if err != nil {
		return err
	}
	if message == "" {
		message = notFound(ref)
	}
	c.refused[ref] = message
	return nil
}

// Otherwise makes references that the catalogue does not know pull an image like another one, unless the name of their
// registry ends in ".invalid" (RFC 2606): such names never exist.
func (c *Catalogue) Otherwise(like string) { c.otherwise = like }

// Resolve asks for each reference that the catalogue does not know which of its images it is like; the error is what a pull
// of it fails with. It goes before Otherwise.
func (c *Catalogue) Resolve(like func(reference string) (string, error)) { c.resolve = like }

// resolved returns the image for a reference that is not in the catalogue, under its own name.
func (c *Catalogue) resolved(ref string) (*Image, error) {
	like, err := c.resolve(ref)
	if err != nil {
		return nil, err
	}
	model, ok := c.images[like]
	if !ok {
		if model, err = c.Pull(like); err != nil {
			return nil, err
		}
	}
	i := *model
	i.Reference, i.Digest, i.ID = ref, "", ""
	if _, d, found := strings.Cut(ref, "@"); found {
		i.Digest = d
	}
	if err := c.Add(&i); err != nil {
		return nil, err
	}
	return c.images[ref], nil
}

// unknown returns the image for a reference that is not in the catalogue, or nil.
func (c *Catalogue) unknown(ref string) *Image {
	host, _, _ := strings.Cut(ref, "/")
	if c.otherwise == "" || strings.HasSuffix(host, ".invalid") {
		return nil
	}
	if err := c.Define(ref, c.otherwise); err != nil {
		return nil
	}
	return c.images[ref]
}

// Has reports whether the image can be pulled.
func (c *Catalogue) Has(reference string) bool {
	_, err := c.Pull(reference)
	return err == nil
}

// Pull returns an image. The error is a *PullError.
func (c *Catalogue) Pull(reference string) (*Image, error) {
	ref, err := Normalize(reference)
	if err != nil {
		return nil, &PullError{Reference: reference, Invalid: true, Message: err.Error()}
	}
	if message, ok := c.refused[ref]; ok {
		return nil, &PullError{Reference: reference, Message: message}
	}
	i, ok := c.images[ref]
	if !ok {
		// A tag beside a digest means nothing.
		if name, d, found := strings.Cut(ref, "@"); found {
			if i, ok = c.images[name+"@"+d]; ok {
				return i, nil
			}
		}
		if c.resolve != nil {
			if i, err = c.resolved(ref); err != nil {
				return nil, &PullError{Reference: reference, Message: err.Error()}
			}
			return i, nil
		}
		if i = c.unknown(ref); i == nil {
			return nil, &PullError{Reference: reference, Message: notFound(ref)}
		}
	}
	return i, nil
}

func notFound(ref string) string {
	return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", ref, ref, ref)
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "sha256:" + hex.EncodeToString(sum[:])
}

const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Toolbox is the image with everything: bash, the utilities, and jq, which the distributions' images do not have.
const Toolbox = "plumbline.dev/toolbox:latest"

// Defaults returns the base images: busybox, alpine, debian, ubuntu, bash, jq and the toolbox. Images of one kind share their root.
func Defaults() ([]*Image, error) {
	busybox, err := NewRoot(Busybox())
	if err != nil {
		return nil, err
	}
	alpine, err := NewRoot(Distribution("NAME=\"Alpine Linux\"\nID=alpine\n", false))
	if err != nil {
		return nil, err
	}
	debian, err := NewRoot(coreutils(Distribution("NAME=\"Debian GNU/Linux\"\nID=debian\n", true)))
	if err != nil {
		return nil, err
	}
	ubuntu, err := NewRoot(coreutils(Distribution("NAME=\"Ubuntu\"\nID=ubuntu\n", true)))
	if err != nil {
		return nil, err
	}
	withBash := Distribution("NAME=\"Alpine Linux\"\nID=alpine\n", true)
	withBash.Programs["usr/local/bin/bash"] = "bash"
	withBash.Scripts = map[string]string{"usr/local/bin/docker-entrypoint.sh": bashEntrypoint}
	bash, err := NewRoot(withBash)
	if err != nil {
		return nil, err
	}
	withBash.Programs["usr/bin/jq"] = "jq"
	toolbox, err := NewRoot(withBash)
	if err != nil {
		return nil, err
	}
	return []*Image{
		{Reference: "busybox", Cmd: []string{"sh"}, Env: []string{searchPath}, Root: busybox},
		{Reference: "alpine", Cmd: []string{"/bin/sh"}, Env: []string{searchPath}, Root: alpine},
		{Reference: "debian", Cmd: []string{"bash"}, Env: []string{searchPath}, Root: debian},
		{Reference: "ubuntu", Cmd: []string{"/bin/bash"}, Env: []string{searchPath}, Root: ubuntu},
		{Reference: "bash", Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"bash"}, Env: []string{searchPath}, Root: bash},
		{Reference: Toolbox, Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"bash"}, Env: []string{searchPath}, Root: toolbox},
		{Reference: "ghcr.io/jqlang/jq", Entrypoint: []string{"jq"}, Env: []string{searchPath}, Root: toolbox},
	}, nil
}

// bashEntrypoint is the start script of the image bash: a first argument that is an option or no command goes to bash.
const bashEntrypoint = `#!/usr/bin/env bash
set -Eeuo pipefail
if [ "${1#-}" != "$1" ] || ! command -v "$1" > /dev/null; then
	set -- bash "$@"
fi
exec "$@"
`
