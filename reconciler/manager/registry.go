package manager

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
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
	keys, err := r.keys(ctx, access)
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

// keys are the pull secrets. One that does not exist is not a mistake yet: the kubelet ignores it, too.
func (r *Registry) keys(ctx context.Context, access reconciler.ImageAccess) (keychain, error) {
	names := access.PullSecrets
	var account corev1.ServiceAccount
	err := r.Reader.Get(ctx, client.ObjectKey{Namespace: access.Namespace, Name: access.ServiceAccount}, &account)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	for _, s := range account.ImagePullSecrets {
		names = append(names, s.Name)
	}
	var keys keychain
	for _, n := range names {
		var secret corev1.Secret
		err := r.Reader.Get(ctx, client.ObjectKey{Namespace: access.Namespace, Name: n}, &secret)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		some, err := credentials(&secret)
		if err != nil {
			return nil, fmt.Errorf("reading the pull secret %s/%s: %w", access.Namespace, n, err)
		}
		keys = append(keys, some)
	}
	return keys, nil
}

// keychain are the registries that each pull secret knows, in the order in which they are asked.
type keychain []map[string]login

// login is one entry of a pull secret.
type login struct {
	Username      string `json:"username,omitempty"`
	Password      string `json:"password,omitempty"`
	Auth          string `json:"auth,omitempty"`
	IdentityToken string `json:"identitytoken,omitempty"`
	RegistryToken string `json:"registrytoken,omitempty"`
}

// credentials reads both formats of pull secrets; others have none.
func credentials(s *corev1.Secret) (map[string]login, error) {
	switch s.Type {
	case corev1.SecretTypeDockerConfigJson:
		var file struct{ Auths map[string]login }
		err := json.Unmarshal(s.Data[corev1.DockerConfigJsonKey], &file)
		return file.Auths, err
	case corev1.SecretTypeDockercfg:
		var auths map[string]login
		err := json.Unmarshal(s.Data[corev1.DockerConfigKey], &auths)
		return auths, err
	}
	return nil, nil
}

// Resolve implements authn.Keychain: of several entries that fit, the most exact counts.
func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	for _, secret := range k {
		best, found := login{}, -1
		//plumbline:unordered the longest wins, and no two of one length fit the same place
		for place, l := range secret {
			if n := fits(place, target); n > found {
				best, found = l, n
			}
		}
		if found >= 0 {
			return best.authenticator()
		}
	}
	return authn.Anonymous, nil
}

// fits is how exactly an entry names a place in a registry: the longer the more; -1 if it does not.
func fits(place string, target authn.Resource) int {
	place = strings.TrimPrefix(strings.TrimPrefix(place, "https://"), "http://")
	place = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(place, "/"), "/v1"), "/v2")
	if place == "docker.io" {
		place = name.DefaultRegistry
	}
	if whole := target.String(); whole == place || strings.HasPrefix(whole, place+"/") {
		return len(place)
	}
	return -1
}

func (l login) authenticator() (authn.Authenticator, error) {
	if l.Auth != "" && l.Username == "" {
		text, err := base64.StdEncoding.DecodeString(l.Auth)
		if err != nil {
			return nil, fmt.Errorf("reading a pull secret: %w", err)
		}
		user, password, ok := strings.Cut(string(text), ":")
		if !ok {
			return nil, fmt.Errorf("reading a pull secret: auth is not user:password")
		}
		l.Username, l.Password = user, password
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: l.Username, Password: l.Password, IdentityToken: l.IdentityToken, RegistryToken: l.RegistryToken,
	}), nil
}
