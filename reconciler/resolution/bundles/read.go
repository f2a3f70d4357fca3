package bundles

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// maxLayer is how large a layer may be, packed or not: an object with what a tar archive has around it.
const maxLayer = resolver.MaxData + 64<<10

// bundle is one whose manifest has been read.
type bundle struct {
	ref      name.Reference
	image    v1.Image
	manifest *v1.Manifest
}

// open reads the manifest of a bundle. Its errors are those of the registry, or say that the reference cannot be parsed.
func open(ctx context.Context, r Registry, reference string, keys authn.Keychain) (bundle, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return bundle{}, fmt.Errorf("%s is an unparseable image reference: %w", reference, err)
	}
	image, err := r.Image(ctx, ref, keys)
	if err != nil {
		return bundle{}, err
	}
	return bundle{ref: ref, image: image}, nil
}

// inspect reads the manifest.
func (b *bundle) inspect() error {
	m, err := b.image.Manifest()
	if err != nil {
		return fmt.Errorf("could not parse image manifest: %w", err)
	}
	b.manifest = m
	return nil
}

// find is the first layer with an object of a kind and name.
func (b *bundle) find(kind, name string) (v1.Descriptor, error) {
	for _, l := range b.manifest.Layers {
		if l.Annotations[AnnotationKind] == kind && l.Annotations[AnnotationName] == name {
			return l, nil
		}
	}
	return v1.Descriptor{}, fmt.Errorf("could not find object in image with kind: %s and name: %s", kind, name)
}

// object is the text of the object in a layer.
func (b *bundle) object(d v1.Descriptor) ([]byte, error) {
	text, err := b.text(d)
	if err != nil {
		return nil, fmt.Errorf("could not read image layers: %s:%s: %w", b.ref, d.Digest, err)
	}
	return text, nil
}

func (b *bundle) text(d v1.Descriptor) ([]byte, error) {
	// What is declared too large is not fetched. What is larger than declared is cut off.
	if d.Size > maxLayer {
		return nil, fmt.Errorf("it has %d bytes, where %d are allowed", d.Size, maxLayer)
	}
	layer, err := b.image.LayerByDigest(d.Digest)
	if err != nil {
		return nil, err
	}
	unpacked, err := layer.Uncompressed()
	if err != nil {
		return nil, err
	}
	data, err := outbound.ReadAll(unpacked, maxLayer)
	if err := errors.Join(err, unpacked.Close()); err != nil {
		return nil, err
	}
	text, archive, err := entry(data)
	switch {
	case err != nil:
		return nil, err
	case !archive:
		text = data
	}
	if len(text) > resolver.MaxData {
		return nil, fmt.Errorf("the object has more than %d bytes", resolver.MaxData)
	}
	return text, nil
}

// entry is the content of the one entry of an archive. Data that do not begin like an archive are none.
func entry(data []byte) (text []byte, archive bool, err error) {
	r := tar.NewReader(bytes.NewReader(data))
	for {
		h, err := r.Next()
		switch {
		case err == nil && h.Typeflag == tar.TypeXGlobalHeader:
		case errors.Is(err, io.EOF) && text != nil:
			return text, true, nil
		case text == nil && err != nil:
			return nil, false, nil //nolint:nilerr // it is no archive
		case err != nil:
			return nil, true, err
		case text != nil:
			return nil, true, errors.New("it has more than one object")
		default:
			// The size that the header declares may be any number: a sparse file is as large as it says.
			if text, err = outbound.ReadAll(r, resolver.MaxData); err != nil {
				return nil, true, err
			}
		}
	}
}
