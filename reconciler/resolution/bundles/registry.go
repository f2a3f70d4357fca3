package bundles

import (
	"context"
	"errors"
	"net/http"

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
	transport http.RoundTripper
	// Options are further ones of how to reach registries.
	Options []remote.Option
}

// NewRemote returns the registries that a network has.
func NewRemote(n outbound.Network) Remote { return Remote{transport: n.Transport(maxAnswer)} }

// maxAnswer is how large an answer of a registry may be. Layers have a limit of their own.
const maxAnswer = 4 << 20

// Image implements Registry.
func (r Remote) Image(ctx context.Context, ref name.Reference, keys authn.Keychain) (v1.Image, error) {
	options := append([]remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keys), remote.WithTransport(r.transport)}, r.Options...)
	return remote.Image(ref, options...)
}

// Images are images that the program has, by their references.
type Images struct {
	byName map[string]v1.Image
	logins map[string]string
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

// Guard has a repository ask for a login, user:password.
func (i *Images) Guard(reference, login string) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	if i.logins == nil {
		i.logins = map[string]string{}
	}
	i.logins[ref.Context().Name()] = login
	return nil
}

// Image implements Registry.
func (i *Images) Image(_ context.Context, ref name.Reference, keys authn.Keychain) (v1.Image, error) {
	image, ok := i.byName[ref.Name()]
	if !ok {
		return nil, i.Missing(ref.String())
	}
	if login := i.logins[ref.Context().Name()]; login != "" {
		given, err := keys.Resolve(ref.Context())
		if err != nil {
			return nil, err
		}
		config, err := given.Authorization()
		if err != nil {
			return nil, err
		}
		if config.Username+":"+config.Password != login {
			return nil, errors.New("UNAUTHORIZED: authentication required")
		}
	}
	return image, nil
}
