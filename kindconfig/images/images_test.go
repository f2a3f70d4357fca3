package images_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// contents are the files of an image: content of files, target of links, and "dir" of directories.
func contents(t *testing.T, image v1.Image) map[string]string {
	t.Helper()
	out := map[string]string{}
	layers := mutate.Extract(image)
	defer layers.Close()
	r := tar.NewReader(layers)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch header.Typeflag {
		case tar.TypeDir:
			out[header.Name] = "dir"
		case tar.TypeSymlink:
			out[header.Name] = "-> " + header.Linkname
		default:
			out[header.Name] = string(content)
		}
	}
}

func config(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func digest(t *testing.T, image v1.Image) string {
	t.Helper()
	d, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// module is a module that is called as ours, with one program.
func module(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod":           "module " + images.Module + "\n\ngo 1.26\n",
		"cmd/nop/main.go":  "package main\n\nfunc main() { println(\"nothing\") }\n",
		"cmd/bad/main.go":  "package main\n\nfunc main() { no }\n",
		"authorities.file": "trust",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestBuildsAreReproducible builds one program twice, in different folders, into the same image.
func TestBuildsAreReproducible(t *testing.T) {
	t.Parallel()
	programs, err := images.Select(images.Nop)
	if err != nil {
		t.Fatal(err)
	}
	var digests []string
	for range 2 {
		built, err := images.Builder{Directory: module(t)}.Build(t.Context(), programs...)
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest(t, built[0]))
		file := config(t, built[0])
		if file.OS != "linux" || !slices.Equal(file.Config.Entrypoint, []string{"/ko-app/nop"}) || file.Config.User != "65532:65532" {
			t.Errorf("it is for %s and runs %v as %s", file.OS, file.Config.Entrypoint, file.Config.User)
		}
		if binary := contents(t, built[0])["ko-app/nop"]; !strings.HasPrefix(binary, "\x7fELF") {
			t.Errorf("the program is not an ELF file: %.20q", binary)
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("two builds, two images: %v", digests)
	}
	other, err := images.Builder{Architecture: "arm64", Directory: module(t)}.Build(t.Context(), programs...)
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, other[0]) == digests[0] && config(t, other[0]).Architecture != "arm64" {
		t.Error("another architecture is not another image")
	}
}

func TestFailedBuildsAreExplained(t *testing.T) {
	t.Parallel()
	programs, err := images.Select(images.Nop)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := t.TempDir()
	_, err = images.Builder{Directory: elsewhere}.Build(t.Context(), programs...)
	var none *images.NoSourceError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), elsewhere) || !strings.Contains(err.Error(), "run it in a checkout") {
		t.Errorf("outside of a module it says %v", err)
	}
	bad := images.Program{Name: "bad", Package: images.Module + "/cmd/bad"}
	if _, err = (images.Builder{Directory: module(t)}).Build(t.Context(), bad); err == nil || !strings.Contains(err.Error(), "main.go:3:15: undefined: no") {
		t.Errorf("of a mistake it says %v", err)
	}
	if _, err := images.Select("xyzzy"); err == nil {
		t.Error("there is a program xyzzy")
	}
}

// TestOnlyTheControllerHasAuthorities: the other programs do not talk to servers.
func TestOnlyTheControllerHasAuthorities(t *testing.T) {
	t.Parallel()
	b := images.Builder{Authorities: filepath.Join(module(t), "authorities.file")}
	for _, p := range images.Programs() {
		image, err := b.Image(p, []byte("binary of "+p.Name))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]string{"ko-app": "dir", "ko-app/" + p.Name: "binary of " + p.Name, "tmp": "dir"}
		if p.Name == images.Controller {
			want["etc"], want["etc/ssl"], want["etc/ssl/certs"], want["etc/ssl/certs/ca-certificates.crt"] = "dir", "dir", "dir", "trust"
		}
		got := map[string]string{}
		for name, content := range contents(t, image) {
			got[strings.TrimSuffix(name, "/")] = content
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
	b.Authorities += ".none"
	if _, err := b.Image(images.Program{Name: "x", Authorities: true}, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without the file it says %v", err)
	}
}

// TestAnArchiveKeepsDigests, for both of those who read it.
func TestAnArchiveKeepsDigests(t *testing.T) {
	t.Parallel()
	var list []images.Image
	for i, called := range []string{"example.com/one:v1", "example.com/two:v2", "example.com/one-again:v1"} {
		image, err := images.Busybox([]byte{byte(i % 2)}, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, images.Image{Name: called, Image: image})
	}
	content, err := images.Archive(list...)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := images.Archive(list...); err != nil || !bytes.Equal(content, again) {
		t.Errorf("written twice, it is two files: %v", err)
	}
	file := filepath.Join(t.TempDir(), "images.tar")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	read, err := images.ReadArchive(file)
	if err != nil {
		t.Fatal(err)
	}
	got, want := map[string]string{}, map[string]string{}
	for _, i := range read {
		got[i.Name] = digest(t, i)
	}
	for _, i := range list {
		want[i.Name] = digest(t, i)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by manifest.json (-written +read):\n%s", diff)
	}

	var index v1.IndexManifest
	r := tar.NewReader(bytes.NewReader(content))
	parts := map[string][]byte{}
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := parts[header.Name]; twice {
			t.Errorf("%s is in it twice", header.Name)
		}
		if parts[header.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(parts["index.json"], &index); err != nil {
		t.Fatal(err)
	}
	got = map[string]string{}
	for _, m := range index.Manifests {
		got[m.Annotations["io.containerd.image.name"]] = m.Digest.String()
		if len(parts["blobs/sha256/"+m.Digest.Hex]) != int(m.Size) {
			t.Errorf("the manifest %s is not in it", m.Digest)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("by index.json (-written +read):\n%s", diff)
	}

	if some, err := images.ReadArchive(file, "example.com/two:v2"); err != nil || len(some) != 1 || some[0].Name != "example.com/two:v2" {
		t.Errorf("one of them: %v, %v", some, err)
	}
	if _, err := images.ReadArchive(file, "example.com/three:v3"); err == nil || !strings.Contains(err.Error(), "has no image example.com/three:v3") {
		t.Errorf("one that does not exist: %v", err)
	}
	if _, err := images.ReadArchive(filepath.Join(module(t), "go.mod")); err == nil || !strings.Contains(err.Error(), "is not an archive of images") {
		t.Errorf("another file: %v", err)
	}
}

func TestReferencesByDigest(t *testing.T) {
	t.Parallel()
	image, err := images.Busybox(nil, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	for called, want := range map[string]string{"nop": "nop", "team/nop:v1": "team/nop", "nop@sha256:0": "nop"} {
		got, err := images.ByDigest("10.0.0.1:5000", images.Image{Name: called, Image: image})
		if err != nil || got != "10.0.0.1:5000/"+want+"@"+digest(t, image) {
			t.Errorf("%s: %s, %v", called, got, err)
		}
	}
	if _, err := images.ByDigest("", images.Image{Name: "UPPER", Image: image}); err == nil {
		t.Error("an invalid name is accepted")
	}
}

// TestBusyboxAndAlpineHaveDifferentDigests, although their files are much the same.
func TestBusyboxAndAlpineHaveDifferentDigests(t *testing.T) {
	t.Parallel()
	busybox, err := images.Busybox([]byte("shell"), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	alpine, err := images.Alpine([]byte("shell"), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, busybox) == digest(t, alpine) {
		t.Error("one digest")
	}
	for _, image := range []v1.Image{busybox, alpine} {
		files := contents(t, image)
		if files["bin/busybox"] != "shell" || files["bin/sh"] != "-> busybox" || files["bin/["] != "-> busybox" || files["usr/bin/env"] != "-> /bin/busybox" {
			t.Errorf("there is no shell: %v", files)
		}
		if c := config(t, image).Config; len(c.Entrypoint) > 0 || len(c.Cmd) != 1 || c.User != "" {
			t.Errorf("it runs %v %v as %q", c.Entrypoint, c.Cmd, c.User)
		}
	}
}

// unpacked is a Debian of two packages.
func unpacked(t *testing.T) io.ReadSeeker {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"},
		{Name: "./usr/bin/bash", Typeflag: tar.TypeReg, Mode: 0o755, Uname: "the shell"},
		{Name: "./usr/bin/rbash", Typeflag: tar.TypeLink, Linkname: "./usr/bin/bash"},
		{Name: "./usr/bin/perl", Typeflag: tar.TypeReg, Mode: 0o755, Uname: "not wanted"},
		{Name: "./usr/share/doc/bash/README", Typeflag: tar.TypeReg, Uname: "not wanted"},
		{Name: "./var/lib/dpkg/info/bash.list", Typeflag: tar.TypeReg, Uname: "/.\n/bin\n/bin/bash\n/usr\n/usr/bin\n/usr/bin/rbash\n/usr/share/doc/bash/README\n"},
		{Name: "./var/lib/dpkg/info/perl:amd64.list", Typeflag: tar.TypeReg, Uname: "/usr/bin/perl\n"},
	} {
		content := f.Uname
		f.Uname, f.Size = "", int64(len(content))
		if err := w.WriteHeader(&f); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.NewReader(out.Bytes())
}

func TestDebianImageOfSomePackages(t *testing.T) {
	t.Parallel()
	root := unpacked(t)
	image, err := images.Debian(root, "amd64", "bash")
	if err != nil {
		t.Fatal(err)
	}
	got := contents(t, image)
	for name, content := range got {
		if content == "dir" {
			delete(got, name)
		}
	}
	want := map[string]string{"bin": "-> usr/bin", "usr/bin/bash": "the shell", "usr/bin/rbash": "the shell"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if _, err := images.Debian(root, "amd64", "bash", "ruby"); err == nil || !strings.Contains(err.Error(), "no package ruby") {
		t.Errorf("of a package that does not exist it says %v", err)
	}
	if content, err := images.ReadFile(root, "/usr/bin/bash"); err != nil || string(content) != "the shell" {
		t.Errorf("one file: %q, %v", content, err)
	}
	if _, err := images.ReadFile(root, "/usr/bin/zsh"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that does not exist: %v", err)
	}
}

// TestCopyFetchesWhatIsNamed, and gives it another name.
func TestCopyFetchesWhatIsNamed(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New())
	t.Cleanup(server.Close)
	from := strings.TrimPrefix(server.URL, "http://") + "/library/busybox:1"
	image, err := images.Busybox([]byte("shell"), "amd64")
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	got, err := images.Copy(t.Context(), from, images.BusyboxName, "amd64")
	if err != nil || got.Name != images.BusyboxName || digest(t, got) != digest(t, image) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := images.Copy(t.Context(), from+"2", images.BusyboxName, "amd64"); err == nil || !strings.Contains(err.Error(), "fetching image "+from+"2") {
		t.Errorf("of one that does not exist it says %v", err)
	}
}
