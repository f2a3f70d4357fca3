package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plumbline-ci/plumbline/cmd/internal/program"
)

func serve(t *testing.T, directory string) string {
	t.Helper()
	s, err := newStore(directory)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

func reference(t *testing.T, text string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(text)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestImagesSurviveARestart checks images by tag and by digest, and an index with the images it lists.
func TestImagesSurviveARestart(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	host := serve(t, directory)
	image, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(reference(t, host+"/team/image:v1"), image); err != nil {
		t.Fatal(err)
	}
	// The index is written down before the images that it names in the order of names.
	several := mutate.AppendManifests(mutate.IndexMediaType(randomIndex(t), "application/vnd.oci.image.index.v1+json"))
	if err := remote.WriteIndex(reference(t, host+"/a:0"), several); err != nil {
		t.Fatal(err)
	}
	want, err := several.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(directory, "manifests", unfinished+"1"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}

	again := serve(t, directory)
	for _, text := range []string{"/team/image:v1", "/team/image@" + digest.String()} {
		got, err := remote.Image(reference(t, again+text))
		if err != nil {
			t.Fatal(err)
		}
		if d, err := got.Digest(); err != nil || d != digest {
			t.Errorf("%s is %s, %v", text, d, err)
		}
		layers, err := got.Layers()
		if err != nil || len(layers) != 2 {
			t.Fatalf("%d layers, %v", len(layers), err)
		}
		if content, err := layers[0].Compressed(); err != nil {
			t.Error(err)
		} else if err := content.Close(); err != nil {
			t.Error(err)
		}
	}
	index, err := remote.Index(reference(t, again+"/a:0"))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := index.Digest(); err != nil || d != want {
		t.Errorf("the index is %s, not %s: %v", d, want, err)
	}
}

func randomIndex(t *testing.T) v1.ImageIndex {
	t.Helper()
	index, err := random.Index(256, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	return index
}

// TestRefusedManifestIsNotStored: otherwise the next start would fail.
func TestRefusedManifestIsNotStored(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	host := serve(t, directory)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+host+"/v2/a/manifests/v1", strings.NewReader("{"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := answer.Body.Close(); err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode < http.StatusBadRequest {
		t.Errorf("it answers %s", answer.Status)
	}
	if files, err := os.ReadDir(filepath.Join(directory, "manifests")); err != nil || len(files) > 0 {
		t.Errorf("%v is written down, %v", files, err)
	}
}

func TestBrokenDirectoryIsReported(t *testing.T) {
	t.Parallel()
	for why, text := range map[string]string{
		"no JSON":                         "{",
		"an image of an index is missing": orphan(t),
	} {
		directory := t.TempDir()
		if err := os.MkdirAll(filepath.Join(directory, "manifests"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(directory, "manifests", "m"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := newStore(directory); err == nil {
			t.Errorf("%s, and it starts", why)
		}
	}
}

// orphan is an index, written down, whose images do not exist.
func orphan(t *testing.T) string {
	t.Helper()
	index := randomIndex(t)
	body, err := index.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(written{Path: "/v2/a/manifests/v1", ContentType: "application/vnd.oci.image.index.v1+json", Body: body})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	done, cancel := context.WithCancel(t.Context())
	cancel()
	for _, row := range []struct {
		why       string
		arguments []string
		code      int
		says      string
	}{
		{"where images are kept has to be said", nil, program.ExitInvalid, "-directory is needed"},
		{"there are no arguments", []string{"-directory", t.TempDir(), "x"}, program.ExitInvalid, "takes no arguments"},
		{"a wrong flag is invalid", []string{"-xyzzy"}, program.ExitInvalid, "not defined"},
		{"help is not an error", []string{"-help"}, program.ExitOK, "-address"},
		{"the address has to be free", []string{"-directory", t.TempDir(), "-address", "256.0.0.1:0"}, program.ExitBroken, "registry: listen"},
		{"the directory has to be a directory", []string{"-directory", "/dev/null/x"}, program.ExitBroken, "not a directory"},
	} {
		var said bytes.Buffer
		if code := server().Run(t.Context(), row.arguments, &said); code != row.code || !strings.Contains(said.String(), row.says) {
			t.Errorf("%s: exit code %d, it says %s", row.why, code, &said)
		}
	}
	var said bytes.Buffer
	if code := server().Run(done, []string{"-directory", t.TempDir(), "-address", "127.0.0.1:0"}, &said); code != program.ExitOK {
		t.Errorf("ended, it exits with %d: %s", code, &said)
	}
}
