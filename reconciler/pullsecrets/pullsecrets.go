// Package pullsecrets reads the credentials for registries that a service account and a Pod give, as a kubelet reads them.
// Credential helpers of clouds are not used.
package pullsecrets

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Read returns the credentials in the named Secrets of a namespace, and then in those that a service account names. A
// service account or a Secret that does not exist is not an error: the kubelet ignores it, too.
func Read(get func(key client.ObjectKey, into client.Object) error, namespace, account string, named ...string) (Keychain, error) {
	var a corev1.ServiceAccount
	if err := get(client.ObjectKey{Namespace: namespace, Name: account}, &a); client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	names := slices.Clone(named)
	for _, s := range a.ImagePullSecrets {
		names = append(names, s.Name)
	}
	var keys Keychain
	for _, n := range names {
		var secret corev1.Secret
		err := get(client.ObjectKey{Namespace: namespace, Name: n}, &secret)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		some, err := credentials(&secret)
		if err != nil {
			return nil, fmt.Errorf("reading the pull secret %s/%s: %w", namespace, n, err)
		}
		keys = append(keys, some)
	}
	return keys, nil
}

// Keychain is what each pull secret has for registries, in the order in which the secrets are tried.
type Keychain []map[string]login

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
func (k Keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
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
