package images

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// annotationName is by which name containerd keeps an image of an archive.
const annotationName = "io.containerd.image.name"

// WriteArchive writes images into one file, of both formats at once, as docker save does: manifest.json is read by docker
// load, index.json by containerd, which keeps the digest then. Names need a tag or get latest.
func WriteArchive(w io.Writer, list ...Image) error {
	a := &archive{tar: tar.NewWriter(w), written: map[string]bool{}}
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	var manifest tarball.Manifest
	for _, i := range list {
		tag, err := name.NewTag(i.Name)
		if err != nil {
			return fmt.Errorf("image %s: %w", i.Name, err)
		}
		described, listed, err := a.add(i)
		if err != nil {
			return fmt.Errorf("image %s: %w", i.Name, err)
		}
		described.Annotations = map[string]string{annotationName: tag.Name()}
		listed.RepoTags = []string{tag.Name()}
		index.Manifests = append(index.Manifests, described)
		manifest = append(manifest, listed)
	}
	if err := errors.Join(
		a.json("index.json", index), a.json("manifest.json", manifest),
		a.file("oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`)),
	); err != nil {
		return err
	}
	return a.tar.Close()
}

// archive is one while it is written.
type archive struct {
	tar     *tar.Writer
	written map[string]bool
}

// add writes the parts of an image.
func (a *archive) add(i Image) (v1.Descriptor, tarball.Descriptor, error) {
	var listed tarball.Descriptor
	layers, err := i.Layers()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	for _, l := range layers {
		digest, err := l.Digest()
		if err != nil {
			return v1.Descriptor{}, listed, err
		}
		listed.Layers = append(listed.Layers, blob(digest))
		if a.written[blob(digest)] {
			continue
		}
		content, err := compressed(l)
		if err == nil {
			err = a.file(blob(digest), content)
		}
		if err != nil {
			return v1.Descriptor{}, listed, err
		}
	}
	config, err := i.RawConfigFile()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	configDigest, err := i.ConfigName()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	listed.Config = blob(configDigest)
	manifest, err := i.RawManifest()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	digest, err := i.Digest()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	mediaType, err := i.MediaType()
	if err != nil {
		return v1.Descriptor{}, listed, err
	}
	described := v1.Descriptor{MediaType: mediaType, Digest: digest, Size: int64(len(manifest))}
	return described, listed, errors.Join(a.file(listed.Config, config), a.file(blob(digest), manifest))
}

func compressed(l v1.Layer) ([]byte, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(r)
	return content, errors.Join(err, r.Close())
}

// blob is where something is in an archive.
func blob(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

// file writes a file unless it was already written.
func (a *archive) file(path string, content []byte) error {
	if a.written[path] {
		return nil
	}
	a.written[path] = true
	if err := a.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(content)), ModTime: epoch(), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := a.tar.Write(content)
	return err
}

func (a *archive) json(path string, value any) error {
	content, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return a.file(path, content)
}

// ReadArchive reads the images of a file of docker save or WriteArchive, those of these names, or all if none is given.
// They read the file as they are used.
func ReadArchive(path string, names ...string) ([]Image, error) {
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	manifest, err := tarball.LoadManifest(open)
	if err != nil {
		return nil, fmt.Errorf("%s is not an archive of images: %w", path, err)
	}
	var out []Image
	for _, d := range manifest {
		for _, tagged := range d.RepoTags {
			if len(names) > 0 && !slices.Contains(names, tagged) {
				continue
			}
			tag, err := name.NewTag(tagged)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", path, err)
			}
			i, err := tarball.Image(open, &tag)
			if err != nil {
				return nil, fmt.Errorf("%s: image %s: %w", path, tagged, err)
			}
			out = append(out, Image{Name: tagged, Image: i})
		}
	}
	for _, n := range names {
		if !slices.ContainsFunc(out, func(i Image) bool { return i.Name == n }) {
			return nil, fmt.Errorf("%s has no image %s", path, n)
		}
	}
	return out, nil
}

// Archive is WriteArchive into memory.
func Archive(list ...Image) ([]byte, error) {
	var out bytes.Buffer
	err := WriteArchive(&out, list...)
	return out.Bytes(), err
}
