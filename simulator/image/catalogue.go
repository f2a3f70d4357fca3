package image

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// PullError says why an image cannot be pulled.
type PullError struct {
	// Reference is what was asked for.
	Reference string
	// Invalid says that it is not a reference at all: then nothing is pulled, and it is not tried again.
	Invalid bool
	// Message is what the container runtime says.
	Message string
}

func (e *PullError) Error() string { return e.Message }

// Catalogue knows the images that can be pulled.
type Catalogue struct {
	images  map[string]*Image
	given   map[string]*Image // those of them that it was made with, whatever was said of them since
	refused map[string]string
	guess   bool
	resolve func(reference string) (like string, err error)

	descriptions []Description
}

// NewCatalogue returns a catalogue of these images.
func NewCatalogue(images ...*Image) (*Catalogue, error) {
	c := &Catalogue{images: map[string]*Image{}, refused: map[string]string{}}
	for _, i := range images {
		if err := c.Add(i); err != nil {
			return nil, err
		}
	}
	c.given = maps.Clone(c.images)
	return c, nil
}

// Fork returns a catalogue of its own that begins with what this one has. The two share the images, which no catalogue
// changes.
func (c *Catalogue) Fork() *Catalogue {
	forked := *c
	forked.images, forked.refused = maps.Clone(c.images), maps.Clone(c.refused)
	forked.descriptions = slices.Clip(c.descriptions)
	return &forked
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

// Guess makes references that the catalogue does not know pull an image as their names suggest ([Guessed]), unless the name
// of their registry ends in ".invalid" (RFC 2606): such names never exist.
func (c *Catalogue) Guess() { c.guess = true }

// Resolve asks for each reference that the catalogue does not know which of its images it is like; the error is what a pull
// of it fails with. It goes before Guess.
func (c *Catalogue) Resolve(like func(reference string) (string, error)) { c.resolve = like }

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
	if i, ok := c.images[ref]; ok {
		return i, nil
	}
	_, tag, digest := Split(reference)
	name, _, _ := Split(ref)
	if digest == "" {
		_, tag, _ = Split(ref)
	}
	made, err := c.unknown(name, tag, digest)
	switch {
	case err != nil:
		return nil, &PullError{Reference: reference, Message: err.Error()}
	case made == nil:
		return nil, &PullError{Reference: reference, Message: notFound(ref)}
	}
	made.Reference, made.ID, made.Digest, made.Tag = ref, "", digest, ""
	if digest != "" {
		made.Tag = tag
	}
	if err := c.Add(made); err != nil {
		return nil, &PullError{Reference: reference, Message: err.Error()}
	}
	return c.images[ref], nil
}

// unknown makes the image for a reference that is not in the catalogue: nil if there is none.
func (c *Catalogue) unknown(name, tag, digest string) (*Image, error) {
	i := slices.IndexFunc(c.descriptions, func(d Description) bool { return d.Of.MatchesName(name, tag, digest) })
	if i >= 0 {
		return c.described(&c.descriptions[i], name, tag)
	}
	if c.resolve != nil {
		full := name + ":" + tag
		if digest != "" {
			full = name + "@" + digest
		}
		like, err := c.resolve(full)
		if err != nil {
			return nil, err
		}
		return c.model(like)
	}
	host, _, _ := strings.Cut(name, "/")
	if !c.guess || strings.HasSuffix(host, ".invalid") {
		return nil, nil
	}
	return c.guessed(name, tag)
}

// model returns a copy of an image of the catalogue.
func (c *Catalogue) model(reference string) (*Image, error) {
	ref, err := Normalize(reference)
	if err != nil {
		return nil, err
	}
	i, ok := c.given[ref]
	if !ok {
		if i, err = c.Pull(reference); err != nil {
			return nil, err
		}
	}
	made := *i
	made.Own = false
	return &made, nil
}

func notFound(ref string) string {
	return fmt.Sprintf("failed to pull and unpack image %q: failed to resolve reference %q: %s: not found", ref, ref, ref)
}

func digest(of string) string {
	sum := sha256.Sum256([]byte(of))
	return "sha256:" + hex.EncodeToString(sum[:])
}
