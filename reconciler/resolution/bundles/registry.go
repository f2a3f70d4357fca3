package bundles

import (
	"context"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/outbound"
)

// Registry has images.
type Registry interface {
	Image(ctx context.Context, ref name.Reference, keys authn.Keychain) (v1.Image, error)
}

// Remote are the registries that the network reaches. Registries with private addresses, and those named localhost or
// ….local, are asked over HTTP, others over HTTPS.
type Remote struct {
	// Options are further ones of how to reach registries.
	Options []remote.Option
}

// maxAnswer is how large an answer of a registry may be. Layers have a limit of their own.
const maxAnswer = 4 << 20

var transport = outbound.Transport(maxAnswer)

// Image implements Registry.
func (r Remote) Image(ctx context.Context, ref name.Reference, keys authn.Keychain) (v1.Image, error) {
	options := append([]remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keys), remote.WithTransport(transport)}, r.Options...)
	return remote.Image(ref, options...)
}

// Images are images that the program has, by their references.
type Images struct {
	byName map[string]v1.Image
	// Missing is the error for an image that it does not have.
	Missing func(ref string) error
}

// Add gives it an image.
func (i *Images) Add(reference string, image v1.Image) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	digest, err := image.Digest()
	if err != nil {
		return err
	}
	if i.byName == nil {
		i.byName = map[string]v1.Image{}
	}
	i.byName[ref.Name()] = image
	i.byName[ref.Context().Digest(digest.String()).Name()] = image
	return nil
}

// Image implements Registry.
func (i *Images) Image(_ context.Context, ref name.Reference, _ authn.Keychain) (v1.Image, error) {
	if image, ok := i.byName[ref.Name()]; ok {
		return image, nil
	}
	return nil, i.Missing(ref.String())
}
