package image_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/plumbline-ci/plumbline/simulator/image"
)

func TestNormalize(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("a", 64)
	for in, want := range map[string]string{
		"busybox":                   "docker.io/library/busybox:latest",
		"docker.io/library/busybox": "docker.io/library/busybox:latest",
		"busybox:1.36":              "docker.io/library/busybox:1.36",
		"docker.io/local/busybox:1": "docker.io/local/busybox:1",
		"index.docker.io/busybox":   "docker.io/library/busybox:latest",
		"gcr.io/a/b":                "gcr.io/a/b:latest",
		"localhost/x":               "localhost/x:latest",
		"host:5000/x:y":             "host:5000/x:y",
		"a/b__c/d-e.f":              "docker.io/a/b__c/d-e.f:latest",
		"busybox@" + digest:         "docker.io/library/busybox@" + digest,
		"busybox:1@" + digest:       "docker.io/library/busybox@" + digest,
		"Upper":                     "",
		"":                          "",
		"a//b":                      "",
		"a:":                        "",
		"a:-x":                      "",
		"a@sha256:short":            "",
		"a_-b":                      "",
		"registry.invalid/none:1":   "registry.invalid/none:1",
		"$(params.image)":           "",
		"a b":                       "",
	} {
		got, err := image.Normalize(in)
		if got != want || (err != nil) != (want == "") {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestCatalogue(t *testing.T) {
	t.Parallel()
	list, err := image.Defaults()
	if err != nil {
		t.Fatal(err)
	}
	c, err := image.NewCatalogue(list...)
	if err != nil {
		t.Fatal(err)
	}
	one, err := c.Pull("busybox")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Pull(one.RepoDigest()); again != one || err != nil {
		t.Errorf("by digest %s: %v, %v", one.RepoDigest(), again, err)
	}
	if err := c.Alias("docker.io/local/busybox:1", "busybox"); err != nil {
		t.Fatal(err)
	}
	if aliased, err := c.Pull("docker.io/local/busybox:1"); aliased != one || err != nil {
		t.Errorf("by alias: %v, %v", aliased, err)
	}
	if err := c.Define("gcr.io/my/tool:v1", "busybox"); err != nil {
		t.Fatal(err)
	}
	if tool, err := c.Pull("gcr.io/my/tool:v1"); err != nil || tool.Digest == one.Digest || tool.Root != one.Root {
		t.Errorf("defined like busybox: %+v, %v", tool, err)
	}
	rows := []struct {
		ref     string
		invalid bool
		text    string
	}{
		{"registry.invalid/none:1", false, `failed to resolve reference "registry.invalid/none:1"`},
		{"Not An Image", true, "couldn't parse image name"},
		{"alpine", false, "denied"},
	}
	if err := c.Refuse("alpine", "denied"); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		_, err := c.Pull(r.ref)
		var pull *image.PullError
		if !errors.As(err, &pull) || pull.Invalid != r.invalid || !strings.Contains(pull.Message, r.text) {
			t.Errorf("%s: %v", r.ref, err)
		}
	}
}

func TestExecutable(t *testing.T) {
	t.Parallel()
	if name, ok := image.ProgramOf(image.Executable("entrypoint")); name != "entrypoint" || !ok {
		t.Errorf("got %q %v", name, ok)
	}
	unterminated := bytes.TrimSuffix(image.Executable("entrypoint"), []byte("\n"))
	for _, content := range []string{"", "#!/bin/sh\n", "\x7fELF", string(unterminated), string(unterminated[:64]) + "\n"} {
		if name, ok := image.ProgramOf([]byte(content)); ok {
			t.Errorf("%q runs %q", content, name)
		}
	}
}

func TestReferencesMayBeResolved(t *testing.T) {
	t.Parallel()
	c, err := image.NewCatalogue(&image.Image{Reference: "busybox", Cmd: []string{"sh"}})
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("ab", 32)
	c.Resolve(func(reference string) (string, error) {
		if strings.HasPrefix(reference, "registry.example.com/shell") {
			return "busybox", nil
		}
		return "", errors.New("there is no image " + reference)
	})
	for _, tt := range []struct{ reason, reference, name, id, err string }{
		{"an image of the catalogue is not resolved", "busybox", "docker.io/library/busybox:latest", "", ""},
		{"a tag keeps its own name", "registry.example.com/shell:v1", "registry.example.com/shell:v1", "", ""},
		{"a digest is the image's", "registry.example.com/shell:v1@" + digest, "registry.example.com/shell@" + digest, "registry.example.com/shell@" + digest, ""},
		{"an unresolved image has a reason", "registry.example.com/other", "", "", "there is no image registry.example.com/other:latest"},
	} {
		for range 2 { // the second time it is known
			i, err := c.Pull(tt.reference)
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("%s: error %v, want %s", tt.reason, err, tt.err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", tt.reason, err)
				continue
			}
			if i.Reference != tt.name || i.Cmd[0] != "sh" {
				t.Errorf("%s: it is %s", tt.reason, i.Reference)
			}
			if got := i.RepoDigest(); tt.id != "" && got != tt.id {
				t.Errorf("%s: its ID is %s", tt.reason, got)
			}
		}
	}
}
