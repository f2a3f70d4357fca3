package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
	"github.com/plumbline-ci/plumbline/reconciler/pullsecrets"
)

// Registry asks registries about images, with the pull secrets that a kubelet would use: those of the Pod, then those of
// its service account. Credential helpers of clouds are not asked. It keeps nothing: a tag may move.
type Registry struct {
	// Reader reads service accounts and their secrets.
	Reader client.Reader
	// Options are further ones of how to reach registries.
	Options []remote.Option
}

var _ reconciler.ImageLookup = (*Registry)(nil)

// ImageConfig implements reconciler.ImageLookup.
func (r *Registry) ImageConfig(ctx context.Context, reference string, access reconciler.ImageAccess) (podspec.Image, error) {
	ref, err := name.ParseReference(reference, name.WeakValidation)
	if err != nil {
		return podspec.Image{}, err
	}
	get := func(key client.ObjectKey, into client.Object) error { return r.Reader.Get(ctx, key, into) }
	keys, err := pullsecrets.Read(get, access.Namespace, access.ServiceAccount, access.PullSecrets...)
	if err != nil {
		return podspec.Image{}, err
	}
	options := append([]remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keys)}, r.Options...)
	found, err := remote.Get(ref, options...)
	if err != nil {
		return podspec.Image{}, err
	}
	out := podspec.Image{Reference: ref.Context().Digest(found.Digest.String()).String(), Platforms: map[string]podspec.ImageCommand{}}
	switch {
	case found.MediaType.IsImage():
		image, err := found.Image()
		if err != nil {
			return podspec.Image{}, err
		}
		platform, command, err := commandOf(image)
		out.Platforms[platform] = command
		return out, err
	case !found.MediaType.IsIndex():
		return podspec.Image{}, errors.New("unsupported media type for image reference") // POD-76
	}
	index, err := found.ImageIndex()
	if err != nil {
		return podspec.Image{}, err
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		return podspec.Image{}, err
	}
	digests := map[string]v1.Hash{}
	for _, m := range manifest.Manifests {
		// What is for no platform is about an image: a signature, a bill of materials.
		if !m.MediaType.IsImage() || m.Platform != nil && m.Platform.OS == "unknown" {
			continue
		}
		image, err := index.Image(m.Digest)
		if err != nil {
			return podspec.Image{}, err
		}
		platform, command, err := commandOf(image)
		if err != nil {
			return podspec.Image{}, err
		}
		if first, ok := digests[platform]; ok && first != m.Digest {
			return podspec.Image{}, fmt.Errorf("duplicate unique image found for platform: %s: found %s and %s", platform, first, m.Digest) // POD-76
		}
		digests[platform], out.Platforms[platform] = m.Digest, command
	}
	return out, nil
}

// commandOf says what an image runs, and on which platform.
func commandOf(image v1.Image) (platform string, command podspec.ImageCommand, err error) {
	file, err := image.ConfigFile()
	if err != nil {
		return "", podspec.ImageCommand{}, err
	}
	platform = file.OS + "/" + file.Architecture
	if file.Variant != "" {
		platform += "/" + file.Variant
	}
	return platform, podspec.ImageCommand{Entrypoint: file.Config.Entrypoint, Cmd: file.Config.Cmd}, nil
}
