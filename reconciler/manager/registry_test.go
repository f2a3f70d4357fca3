package manager

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/podspec"
)

// image is one that runs a command on a platform.
func image(t *testing.T, architecture, variant string, entrypoint, cmd []string) v1.Image {
	t.Helper()
	i, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{OS: "linux", Architecture: architecture, Variant: variant, Config: v1.Config{Entrypoint: entrypoint, Cmd: cmd}})
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// guarded is a registry that wants a user with a password, and its host.
func guarded(t *testing.T, user, password string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); user != "" && (!ok || u != user || p != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func push(t *testing.T, reference string, what any, options ...remote.Option) string {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	var digest v1.Hash
	switch o := what.(type) {
	case v1.Image:
		if err = remote.Write(ref, o, options...); err == nil {
			digest, err = o.Digest()
		}
	case v1.ImageIndex:
		if err = remote.WriteIndex(ref, o, options...); err == nil {
			digest, err = o.Digest()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return ref.Context().String() + "@" + digest.String()
}

// attestation is what a builder puts beside an image of an index.
func attestation(t *testing.T, of string) mutate.IndexAddendum {
	t.Helper()
	return mutate.IndexAddendum{
		Add: mutate.Annotations(image(t, "unknown", "", nil, nil), map[string]string{"of": of}).(v1.Image),
		Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}, Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"},
		},
	}
}

func digest(t *testing.T, i v1.Image) v1.Hash {
	t.Helper()
	h, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestRegistriesAreAskedForCommands(t *testing.T) {
	t.Parallel()
	host := guarded(t, "", "")
	one := push(t, host+"/one:v1", image(t, "amd64", "", []string{"/bin/e"}, []string{"c"}))
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: image(t, "amd64", "", []string{"/amd"}, nil), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: image(t, "arm", "v7", nil, []string{"/arm"}), Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}}},
		// What a builder says of each of the two: no image to run, and of the same platform.
		attestation(t, "amd64"), attestation(t, "arm"),
	)
	several := push(t, host+"/several:v1", index)
	r := &Registry{Reader: newClient(t)}
	for _, row := range []struct {
		reference string
		want      podspec.Image
	}{
		{host + "/one:v1", podspec.Image{Reference: one, Platforms: map[string]podspec.ImageCommand{"linux/amd64": {Entrypoint: []string{"/bin/e"}, Cmd: []string{"c"}}}}},
		{one, podspec.Image{Reference: one, Platforms: map[string]podspec.ImageCommand{"linux/amd64": {Entrypoint: []string{"/bin/e"}, Cmd: []string{"c"}}}}},
		{host + "/several:v1", podspec.Image{Reference: several, Platforms: map[string]podspec.ImageCommand{"linux/amd64": {Entrypoint: []string{"/amd"}}, "linux/arm/v7": {Cmd: []string{"/arm"}}}}},
	} {
		got, err := r.ImageConfig(t.Context(), row.reference, reconciler.ImageAccess{Namespace: "n", ServiceAccount: "default"})
		if diff := cmp.Diff(row.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", row.reference, err, diff)
		}
	}
	platform := &v1.Platform{OS: "linux", Architecture: "amd64"}
	first, second := image(t, "amd64", "", []string{"/one"}, nil), image(t, "amd64", "", []string{"/two"}, nil)
	push(t, host+"/twice:v1", mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: first, Descriptor: v1.Descriptor{Platform: platform}},
		mutate.IndexAddendum{Add: second, Descriptor: v1.Descriptor{Platform: platform}}))
	push(t, host+"/same:v1", mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: first, Descriptor: v1.Descriptor{Platform: platform}},
		mutate.IndexAddendum{Add: first, Descriptor: v1.Descriptor{Platform: platform}}))
	if _, err := r.ImageConfig(t.Context(), host+"/same:v1", reconciler.ImageAccess{}); err != nil {
		t.Errorf("an image that an index has twice: %v", err)
	}
	for bad, says := range map[string]string{
		host + "/none:v1": "NAME_UNKNOWN", "Not A Reference": "could not parse reference",
		host + "/twice:v1": fmt.Sprintf("duplicate unique image found for platform: linux/amd64: found %s and %s", digest(t, first), digest(t, second)),
	} {
		if _, err := r.ImageConfig(t.Context(), bad, reconciler.ImageAccess{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", bad, err, says)
		}
	}
}

func pullSecret(name, registry, login string) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name}, Type: corev1.SecretTypeDockerConfigJson,
		Data: map[string][]byte{corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{%q:%s}}`, registry, login)},
	}
}

func TestPullSecretsOpenRegistries(t *testing.T) {
	t.Parallel()
	host := guarded(t, "u", "p")
	push(t, host+"/team/private:v1", image(t, "amd64", "", []string{"/bin/e"}, nil), remote.WithAuth(&authn.Basic{Username: "u", Password: "p"}))
	auth := `{"auth":"` + base64.StdEncoding.EncodeToString([]byte("u:p")) + `"}`
	old := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "old"}, Type: corev1.SecretTypeDockercfg,
		Data: map[string][]byte{corev1.DockerConfigKey: fmt.Appendf(nil, `{"http://%s/v2/":{"username":"u","password":"p"}}`, host)}}
	objects := []client.Object{
		old, pullSecret("good", host, auth), pullSecret("exact", host+"/team", auth), pullSecret("other", host+"/elsewhere", auth),
		pullSecret("wrong", host, `{"username":"u","password":"x"}`), pullSecret("bad", host, `{"auth":"!"}`),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "opaque"}},
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "puller"}, ImagePullSecrets: []corev1.LocalObjectReference{{Name: "missing"}, {Name: "good"}}},
	}
	r := &Registry{Reader: newClient(t, objects...)}
	for _, row := range []struct {
		reason  string
		account string
		secrets []string
		want    string // what the error says; empty: there is none
	}{
		{"without a key", "default", nil, "401"},
		{"the Pod's", "default", []string{"good"}, ""},
		{"the service account's", "puller", nil, ""},
		{"of the old format", "default", []string{"old"}, ""},
		{"for a part of the registry", "default", []string{"exact"}, ""},
		{"for another part", "default", []string{"other"}, "401"},
		{"one that does not fit before one that does", "default", []string{"opaque", "other", "exact"}, ""},
		{"a wrong one", "default", []string{"wrong"}, "401"},
		{"one that cannot be read", "default", []string{"bad"}, "reading a pull secret"},
		{"the Pod's come first", "puller", []string{"wrong"}, "401"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			got, err := r.ImageConfig(t.Context(), host+"/team/private:v1", reconciler.ImageAccess{Namespace: "n", ServiceAccount: row.account, PullSecrets: row.secrets})
			if row.want == "" {
				if err != nil || len(got.Platforms) != 1 {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("the error is %v, want one that says %s", err, row.want)
			}
		})
	}
}
