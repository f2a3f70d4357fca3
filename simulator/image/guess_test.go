package image_test

import (
	"slices"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/image"
)

func TestImageNamesSuggestADistribution(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, repository, tag, like string }{
		{"a distribution at any tag", "docker.io/library/alpine", "3.19", "alpine"},
		{"a language", "docker.io/library/python", "3.12", "debian"},
		{"its variant by the tag", "docker.io/library/python", "3.12-alpine3.19", "alpine"},
		{"a release's name in the tag", "registry.example.com/x", "1-slim-bookworm", "debian"},
		{"a mirror of a distribution", "registry.example.com/mirror/fedora", "40", "ubi"},
		{"a word with its version", "registry.example.com/team/ubi9-minimal", "", "ubi"},
		{"no word of its own", "registry.example.com/cubist", "1", "toolbox"},
		{"Red Hat's registry", "registry.access.redhat.com/ubi9/python-311", "1", "ubi"},
		{"no shell", "gcr.io/distroless/static", "nonroot", "distroless"},
		{"a shell to debug with", "gcr.io/kaniko-project/executor", "v1.9.0-debug", "busybox"},
		{"anything else", "registry.example.com/tools/builder", "1", "toolbox"},
	} {
		if got := image.Guessed(tt.repository, tt.tag).Like; got != tt.like {
			t.Errorf("%s: %s:%s is like %s, want %s", tt.reason, tt.repository, tt.tag, got, tt.like)
		}
	}
}

func TestDescriptionsChangeImages(t *testing.T) {
	t.Parallel()
	defaults, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	own := &image.Image{Reference: "example.com/own", Own: true}
	c, err := image.NewCatalogue(append(defaults, own)...)
	if err != nil {
		t.Fatal(err)
	}
	of := func(text string) image.Pattern {
		p, err := image.ParsePattern(text)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if err := c.Describe(
		image.Description{Of: of("busybox"), User: "1000"},
		image.Description{Of: of("example.com/app"), Like: "debian", Entrypoint: []string{"/app"}, Env: []string{"A=b"}, Shell: image.ShellNone, Programs: []string{"python3"}},
		image.Description{Of: of("*"), WorkingDir: "/all"},
	); err != nil {
		t.Fatal(err)
	}
	c.Guess()
	pull := func(reference string) *image.Image {
		i, err := c.Pull(reference)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	if i := pull("busybox"); i.User != "1000" || i.WorkingDir != "" || !slices.Equal(i.Cmd, []string{"sh"}) {
		t.Errorf("a known image, described: %+v", i)
	}
	if i := pull("example.com/app:2"); !slices.Equal(i.Entrypoint, []string{"/app"}) || i.Cmd != nil || i.UserUnknown || i.Env[len(i.Env)-1] != "A=b" {
		t.Errorf("an image like another: %+v", i)
	}
	if i := pull("example.com/other"); i.WorkingDir != "/all" || !i.UserUnknown || !slices.Equal(i.Entrypoint, []string{image.UnknownEntrypoint}) {
		t.Errorf("what is not said of an image is guessed: %+v", i)
	}
	if i := pull("example.com/own"); i.WorkingDir != "" || !i.Own {
		t.Errorf("the cluster's own image was changed: %+v", i)
	}
	if i := pull("debian"); len(i.Entrypoint) != 0 || i.WorkingDir != "/all" {
		t.Errorf("the model of another: %+v", i)
	}
}
