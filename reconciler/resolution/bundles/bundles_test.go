package bundles

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver/resolvertest"
)

const (
	lint  = "apiVersion: tekton.dev/v1beta1\nkind: Task\nmetadata: {name: lint}\n"
	build = "apiVersion: tekton.dev/v1beta1\nkind: Pipeline\nmetadata: {name: build}\n"
)

// server is a registry that lets only a user with a password in, if user is not empty, and its host.
func server(t *testing.T, user, password string) string {
	t.Helper()
	inner := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if u, p, ok := r.BasicAuth(); user != "" && r.Method == http.MethodGet && (!ok || u != user || p != password) {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

// push puts an image into a registry and returns its digest.
func push(t *testing.T, reference string, image v1.Image, options ...remote.Option) v1.Hash {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image, options...); err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func bundleOf(t *testing.T, objects ...string) v1.Image {
	t.Helper()
	var list []Object
	for _, o := range objects {
		list = append(list, Object{Text: []byte(o)})
	}
	image, err := Image(list...)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// layer is a layer with annotations, given as kind, name and apiVersion; "-" leaves one out.
func layer(data []byte, kind, name, apiVersion string) mutate.Addendum {
	a := map[string]string{}
	for key, value := range map[string]string{AnnotationKind: kind, AnnotationName: name, AnnotationAPIVersion: apiVersion} {
		if value != "-" {
			a[key] = value
		}
	}
	return mutate.Addendum{Layer: static.NewLayer(data, types.OCIUncompressedLayer), Annotations: a}
}

func imageOf(t *testing.T, layers ...mutate.Addendum) v1.Image {
	t.Helper()
	image, err := mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layers...)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

// objects is a cluster's store.
type objects []client.Object

func (o objects) get(key client.ObjectKey, into client.Object) error {
	for _, one := range o {
		if client.ObjectKeyFromObject(one) != key {
			continue
		}
		switch into := into.(type) {
		case *corev1.Secret:
			if s, ok := one.(*corev1.Secret); ok {
				*into = *s
				return nil
			}
		case *corev1.ServiceAccount:
			if a, ok := one.(*corev1.ServiceAccount); ok {
				*into = *a
				return nil
			}
		}
	}
	return apierrors.NewNotFound(schema.GroupResource{}, key.Name)
}

// request is one in the namespace ns, with params as name=value.
func request(cluster objects, params ...string) resolver.Request {
	r := resolvertest.Request(Resolver{}.Defaults(), params...)
	r.Cluster = cluster.get
	return r
}

// never is a registry that is not to be asked.
type never struct{ Registry }

func remotely(host string) Resolver {
	r := NewRemote(resolvertest.Local(host))
	r.Options = []remote.Option{remote.WithRetryBackoff(remote.Backoff{Steps: 1})}
	return Resolver{Registry: r}
}

func TestParams(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		params []string
		config map[string]string
		want   string
	}{
		{reason: "what is needed", params: []string{"bundle=registry.example/b", "name=lint"}, config: Resolver{}.Defaults()},
		{reason: "no bundle", params: []string{"name=lint"}, config: Resolver{}.Defaults(), want: `parameter "bundle" required`},
		{reason: "an empty bundle", params: []string{"bundle=", "name=lint"}, config: Resolver{}.Defaults(), want: `parameter "bundle" required`},
		{reason: "no name", params: []string{"bundle=b"}, config: Resolver{}.Defaults(), want: `parameter "name" required`},
		{reason: "not a reference", params: []string{"bundle=UPPER:x:y", "name=lint"}, config: Resolver{}.Defaults(), want: "invalid bundle reference: could not parse reference: UPPER:x:y"},
		{reason: "no default account", params: []string{"bundle=b", "name=lint"}, config: map[string]string{"default-kind": "task"},
			want: "default Service Account was not set during installation of the bundle resolver"},
		{reason: "an account instead of the default", params: []string{"bundle=b", "name=lint", "serviceAccount=a"}, config: map[string]string{"default-kind": "task"}},
		{reason: "no default kind", params: []string{"bundle=b", "name=lint"}, config: map[string]string{"default-service-account": "default"},
			want: "default resource Kind  was not set during installation of the bundle resolver"},
		{reason: "a kind instead of the default", params: []string{"bundle=b", "name=lint", "kind=pipeline"}, config: map[string]string{"default-service-account": "default"}},
	} {
		r := request(nil, tt.params...)
		r.Config = tt.config
		got := ""
		if err := (Resolver{}).Validate(t.Context(), r); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.reason, got, tt.want)
		}
		if tt.want != "" {
			_, err := (Resolver{Registry: never{}}).Resolve(t.Context(), r)
			resolvertest.WantError(t, tt.reason+", resolved", err, tt.want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	host := server(t, "", "")
	repository := host + "/catalog/tasks"
	digest := push(t, repository+":v1", bundleOf(t, lint, build))
	push(t, repository+":latest", bundleOf(t, strings.Replace(lint, "lint", "newer", 1)))
	raw := imageOf(t, layer([]byte(lint), "task", "lint", "tekton.dev/v1"))
	push(t, repository+":raw", raw)

	for _, tt := range []struct {
		reason string
		params []string
		want   string
		err    string
	}{
		{reason: "by tag", params: []string{"bundle=" + repository + ":v1", "name=lint"}, want: lint},
		{reason: "by digest", params: []string{"bundle=" + repository + "@" + digest.String(), "name=lint"}, want: lint},
		{reason: "the latest", params: []string{"bundle=" + repository, "name=newer"}, want: strings.Replace(lint, "lint", "newer", 1)},
		{reason: "of another kind", params: []string{"bundle=" + repository + ":v1", "name=build", "kind=pipeline"}, want: build},
		{reason: "not packed as an archive", params: []string{"bundle=" + repository + ":raw", "name=lint"}, want: lint},
		{reason: "a name of another kind", params: []string{"bundle=" + repository + ":v1", "name=build"}, err: "could not find object in image with kind: task and name: build"},
		{reason: "a kind is taken word for word", params: []string{"bundle=" + repository + ":v1", "name=lint", "kind=Task"}, err: "could not find object in image with kind: Task and name: lint"},
		{reason: "no such tag", params: []string{"bundle=" + repository + ":v9", "name=lint"}, err: "cannot retrieve the oci image: GET http://" + host + "/v2/catalog/tasks/manifests/v9: MANIFEST_UNKNOWN: Unknown manifest"},
	} {
		got, err := remotely(host).Resolve(t.Context(), request(nil, tt.params...))
		if tt.err != "" {
			if err == nil || err.Error() != tt.err {
				t.Errorf("%s: %v, want %q", tt.reason, err, tt.err)
			}
			continue
		}
		if err != nil || string(got.Data) != tt.want {
			t.Errorf("%s: %q, %v", tt.reason, got.Data, err)
		}
	}

	got, err := remotely(host).Resolve(t.Context(), request(nil, "bundle="+repository+":v1", "name=build", "kind=pipeline"))
	want := resolver.Resource{
		Data: []byte(build),
		Annotations: map[string]string{
			"resolution.tekton.dev/dev.tekton.image.kind":       "pipeline",
			"resolution.tekton.dev/dev.tekton.image.name":       "build",
			"resolution.tekton.dev/dev.tekton.image.apiVersion": "tekton.dev/v1beta1",
		},
		Source: &v1beta1.ConfigSource{URI: repository, Digest: map[string]string{"sha256": digest.Hex}, EntryPoint: "build"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("the whole result: %v (-want +got)\n%s", err, diff)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	host := server(t, "u", "p")
	push(t, host+"/b:v1", bundleOf(t, lint))
	login := func(name, password string) *corev1.Secret {
		file, _ := json.Marshal(map[string]any{"auths": map[string]any{host: map[string]string{"username": "u", "password": password}}})
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}, Type: corev1.SecretTypeDockerConfigJson, Data: map[string][]byte{corev1.DockerConfigJsonKey: file}}
	}
	account := func(namespace, name string, secrets ...string) *corev1.ServiceAccount {
		a := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		for _, s := range secrets {
			a.ImagePullSecrets = append(a.ImagePullSecrets, corev1.LocalObjectReference{Name: s})
		}
		return a
	}
	broken := login("broken", "p")
	broken.Data[corev1.DockerConfigJsonKey] = []byte("{")
	for _, tt := range []struct {
		reason  string
		cluster objects
		account string
		err     string
	}{
		{reason: "of the account", cluster: objects{account("ns", "robot", "key"), login("key", "p")}, account: "robot"},
		{reason: "of the default account", cluster: objects{account("ns", "default", "key"), login("key", "p")}},
		{reason: "a secret that does not exist is passed over", cluster: objects{account("ns", "robot", "nosuch", "key"), login("key", "p")}, account: "robot"},
		{reason: "no account", account: "robot", err: "401"},
		{reason: "an account of another namespace", cluster: objects{account("other", "robot", "key"), login("key", "p")}, account: "robot", err: "401"},
		{reason: "an account without secrets", cluster: objects{account("ns", "robot"), login("key", "p")}, account: "robot", err: "401"},
		{reason: "a wrong password", cluster: objects{account("ns", "robot", "key"), login("key", "q")}, account: "robot", err: "401"},
		{reason: "a secret that cannot be read", cluster: objects{account("ns", "robot", "broken"), broken}, account: "robot", err: "reading the pull secret ns/broken"},
	} {
		params := []string{"bundle=" + host + "/b:v1", "name=lint"}
		if tt.account != "" {
			params = append(params, "serviceAccount="+tt.account)
		}
		got, err := remotely(host).Resolve(t.Context(), request(tt.cluster, params...))
		if tt.err == "" && (err != nil || string(got.Data) != lint) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: %q, %v, want %q", tt.reason, got.Data, err, tt.err)
		}
		of := tt.account
		if of == "" {
			of = "default"
		}
		text, err := Field(remotely(host)).Object(t.Context(), resolver.BundleRequest{Bundle: host + "/b:v1", Kind: "task", Name: "lint", Namespace: "ns", ServiceAccount: of, Cluster: tt.cluster.get})
		if tt.err == "" && (err != nil || string(text) != lint) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s, of the field: %q, %v, want %q", tt.reason, text, err, tt.err)
		}
	}
}

// TestContract has what is wrong with a bundle, in the words of the field and of the resolver. <ref> is its reference and <d0> the digest of its first layer.
func TestContract(t *testing.T) {
	t.Parallel()
	many := func(n int) (out []mutate.Addendum) {
		for i := range n {
			out = append(out, layer([]byte(lint+fmt.Sprintf("# %d\n", i)), "task", fmt.Sprintf("t%d", i), "v1"))
		}
		return out
	}
	two := func() []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, n := range []string{"a", "b"} {
			_ = w.WriteHeader(&tar.Header{Name: n, Size: int64(len(lint)), Mode: 0o600})
			_, _ = io.WriteString(w, lint)
		}
		_ = w.Close()
		return b.Bytes()
	}()
	good := layer([]byte(lint), "task", "t0", "v1")
	for _, tt := range []struct {
		reason          string
		layers          []mutate.Addendum
		field, resolver string
	}{
		{reason: "as many objects as are allowed", layers: many(20)},
		{reason: "one more", layers: many(21), field: "bundle <ref> contained more than the maximum 20 allow objects",
			resolver: "invalid tekton bundle <ref>, error: contained more than the maximum 20 allow objects"},
		{reason: "no apiVersion", layers: []mutate.Addendum{layer([]byte("x"), "-", "-", "-")},
			field:    "invalid tekton bundle: <ref>:<d0> does not contain a dev.tekton.image.apiVersion annotation",
			resolver: "invalid tekton bundle <ref>, error: the layer 0 does not contain a dev.tekton.image.apiVersion annotation"},
		{reason: "no name", layers: []mutate.Addendum{layer([]byte("x"), "-", "-", "v1")},
			field:    "invalid tekton bundle: <ref>:<d0> does not contain a dev.tekton.image.name annotation",
			resolver: "invalid tekton bundle <ref>, error: the layer 0 does not contain a dev.tekton.image.name annotation"},
		{reason: "no kind", layers: []mutate.Addendum{layer([]byte("x"), "-", "t0", "v1")},
			field:    "invalid tekton bundle: <ref>:<d0> does not contain a dev.tekton.image.kind annotation",
			resolver: "invalid tekton bundle <ref>, error: the layer 0 does not contain a dev.tekton.image.kind annotation"},
		{reason: "a kind with a capital", layers: []mutate.Addendum{layer([]byte("x"), "Task", "t0", "v1")},
			field:    "invalid tekton bundle: dev.tekton.image.kind annotation for <ref>:<d0> must be lowercased and singular, found Task",
			resolver: "invalid tekton bundle <ref>, error: the layer 0 the annotation dev.tekton.image.kind must be lowercased and singular, found Task"},
		{reason: "a plural", layers: []mutate.Addendum{layer([]byte("x"), "tasks", "t0", "v1")},
			field:    "invalid tekton bundle: dev.tekton.image.kind annotation for <ref>:<d0> must be lowercased and singular, found tasks",
			resolver: "invalid tekton bundle <ref>, error: the layer 0 the annotation dev.tekton.image.kind must be lowercased and singular, found tasks"},
		{reason: "a layer that is not asked for is wrong", layers: []mutate.Addendum{good, layer([]byte("x"), "task", "other", "-")},
			field:    "invalid tekton bundle: <ref>:<d1> does not contain a dev.tekton.image.apiVersion annotation",
			resolver: "invalid tekton bundle <ref>, error: the layer 1 does not contain a dev.tekton.image.apiVersion annotation"},
		{reason: "nothing of the name", layers: []mutate.Addendum{layer([]byte(lint), "task", "other", "v1")},
			field:    "could not find object in image with kind: task and name: t0",
			resolver: "could not find object in image with kind: task and name: t0"},
		{reason: "an empty bundle", field: "could not find object in image with kind: task and name: t0", resolver: "could not find object in image with kind: task and name: t0"},
		{reason: "two objects in one layer", layers: []mutate.Addendum{layer(two, "task", "t0", "v1")},
			field: "could not read image layers: <ref>:<d0>: it has more than one object", resolver: "could not read image layers: <ref>:<d0>: it has more than one object"},
	} {
		images := &Images{}
		const ref = "registry.example/b:v1"
		if err := images.Add(ref, imageOf(t, tt.layers...)); err != nil {
			t.Fatal(err)
		}
		fill := strings.NewReplacer("<ref>", ref, "<d0>", digestOf(t, tt.layers, 0), "<d1>", digestOf(t, tt.layers, 1))
		_, err := (Field{Registry: images}).Object(t.Context(), resolver.BundleRequest{Bundle: ref, Kind: "Task", Name: "t0", Cluster: objects{}.get})
		resolvertest.WantError(t, tt.reason+", of the field", err, fill.Replace(tt.field))
		_, err = (Resolver{Registry: images}).Resolve(t.Context(), request(nil, "bundle="+ref, "name=t0"))
		resolvertest.WantError(t, tt.reason, err, fill.Replace(tt.resolver))
	}
	_, err := (Field{Registry: never{}}).Object(t.Context(), resolver.BundleRequest{Bundle: "UPPER:x:y", Cluster: objects{}.get})
	resolvertest.WantError(t, "not a reference", err, "UPPER:x:y is an unparseable image reference: could not parse reference: UPPER:x:y")
}

func digestOf(t *testing.T, layers []mutate.Addendum, i int) string {
	t.Helper()
	if i >= len(layers) {
		return ""
	}
	d, err := layers[i].Layer.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestKindsOfTheField(t *testing.T) {
	t.Parallel()
	images := &Images{}
	if err := images.Add("b", bundleOf(t, lint, build, "apiVersion: tekton.dev/v1beta1\nkind: ClusterTask\nmetadata: {name: lint}\n")); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ kind, name, want string }{
		{"Task", "lint", "kind: Task\n"}, {"task", "lint", "kind: Task\n"}, {"Tasks", "lint", "kind: Task\n"}, {"ClusterTask", "lint", "kind: ClusterTask\n"}, {"pipeline", "build", "kind: Pipeline\n"},
	} {
		got, err := (Field{Registry: images}).Object(t.Context(), resolver.BundleRequest{Bundle: "b", Kind: tt.kind, Name: tt.name, Cluster: objects{}.get})
		if err != nil || !strings.Contains(string(got), tt.want) {
			t.Errorf("%s: %q, %v", tt.kind, got, err)
		}
	}
}

func TestImagesOfTheProgram(t *testing.T) {
	t.Parallel()
	image, err := Folder(fstest.MapFS{
		"a.yaml":    {Data: []byte("---\n" + lint + "---\n" + build)},
		"b.yml":     {Data: []byte(strings.Replace(lint, "lint", "test", 1))},
		"README.md": {Data: []byte("x")},
	})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	images := &Images{Missing: func(ref string) error { return errors.New("no " + ref) }}
	if err := images.Add("registry.example/b", image); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ params, want, err string }{
		{params: "bundle=registry.example/b name=lint", want: lint},
		{params: "bundle=registry.example/b:latest name=build kind=pipeline", want: build},
		{params: "bundle=registry.example/b@" + digest.String() + " name=test", want: strings.Replace(lint, "lint", "test", 1)},
		{params: "bundle=registry.example/b:v2 name=lint", err: "cannot retrieve the oci image: no registry.example/b:v2"},
	} {
		got, err := (Resolver{Registry: images}).Resolve(t.Context(), request(nil, strings.Fields(tt.params)...))
		resolvertest.WantError(t, tt.params, err, tt.err)
		if string(got.Data) != tt.want {
			t.Errorf("%s: %q, want %q", tt.params, got.Data, tt.want)
		}
	}
	for reason, folder := range map[string]fstest.MapFS{
		"no file":           {},
		"not YAML":          {"a.yaml": {Data: []byte("{")}},
		"not an object":     {"a.yaml": {Data: []byte("a: 1")}},
		"an object unnamed": {"a.yaml": {Data: []byte("apiVersion: v1\nkind: Task")}},
	} {
		if _, err := Folder(folder); err == nil {
			t.Errorf("%s: a bundle is made", reason)
		}
	}
}

func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	t.Cleanup(s.Close)
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := remotely(s.URL).Resolve(ctx, request(nil, "bundle="+strings.TrimPrefix(s.URL, "http://")+"/b", "name=lint"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
