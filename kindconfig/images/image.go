package images

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// searchPath is where programs are looked for in images of distributions.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// epoch is when everything in an image was made.
func epoch() time.Time { return time.Unix(0, 0).UTC() }

// File is one in an image.
type File struct {
	// Content is what it has; it is not looked at where Link is set.
	Content []byte
	// Link is what a symbolic link points to.
	Link string
	// Mode has the permissions, and os.ModeDir of a directory.
	Mode os.FileMode
}

// Files are what an image consists of, by absolute path. Directories above them need not be named.
type Files map[string]File

// New is an image of one layer. The platform is put into the configuration.
func New(files Files, architecture string, config v1.Config) (v1.Image, error) {
	content, err := files.tar()
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return nil, fmt.Errorf("packing a layer: %w", err)
	}
	image, err := mutate.ConfigFile(empty.Image, &v1.ConfigFile{
		OS: "linux", Architecture: architecture, Created: v1.Time{Time: epoch()}, Config: config,
		RootFS: v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
	})
	if err != nil {
		return nil, fmt.Errorf("making an image: %w", err)
	}
	return mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: epoch()}}})
}

// tar is a layer of the files: sorted, each directory before what is in it, owned by root.
func (f Files) tar() ([]byte, error) {
	all := maps.Clone(f)
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if !path.IsAbs(name) || path.Clean(name) != name {
			return nil, fmt.Errorf("%s is no clean absolute path", name)
		}
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			if _, ok := all[dir]; !ok {
				all[dir] = File{Mode: os.ModeDir | 0o755}
			}
		}
	}
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		file := all[name]
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: strings.TrimPrefix(name, "/"), Mode: mode(file.Mode), Size: int64(len(file.Content)),
			ModTime: epoch(), Format: tar.FormatPAX,
		}
		switch {
		case file.Mode.IsDir():
			header.Typeflag, header.Name, header.Size = tar.TypeDir, header.Name+"/", 0
		case file.Link != "":
			header.Typeflag, header.Linkname, header.Size, header.Mode = tar.TypeSymlink, file.Link, 0, 0o777
		}
		if err := w.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := w.Write(file.Content); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sticky is the bit of /tmp in a tar file.
const sticky = 0o1000

func mode(m os.FileMode) int64 {
	bits := int64(m.Perm())
	if m&os.ModeSticky != 0 {
		bits |= sticky
	}
	return bits
}

// temporary is /tmp.
func temporary() File { return File{Mode: os.ModeDir | os.ModeSticky | 0o777} }
