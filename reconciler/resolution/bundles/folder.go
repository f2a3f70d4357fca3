package bundles

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Folder makes a bundle of the objects in the YAML files of a folder, in the order of the files' names.
func Folder(folder fs.FS) (v1.Image, error) {
	names, err := fs.Glob(folder, "*.y*ml")
	if err != nil {
		return nil, err
	}
	var objects []Object
	for _, n := range names {
		if ext := path.Ext(n); ext != ".yaml" && ext != ".yml" {
			continue
		}
		data, err := fs.ReadFile(folder, n)
		if err != nil {
			return nil, err
		}
		for document := range strings.SplitSeq("\n"+string(data), "\n---") {
			if text := strings.TrimSpace(document); text != "" {
				objects = append(objects, Object{Text: []byte(text + "\n")})
			}
		}
	}
	if len(objects) == 0 {
		return nil, errors.New("no object: want Tasks and Pipelines in files *.yaml")
	}
	return Image(objects...)
}

// Object is an object of a bundle, as YAML or JSON.
type Object struct {
	Text []byte
	// Annotations are those of its layer. Without any they are derived from the object.
	Annotations map[string]string
}

// Image makes a bundle of objects.
func Image(objects ...Object) (v1.Image, error) {
	var layers []mutate.Addendum
	for i, o := range objects {
		if o.Annotations == nil {
			annotations, err := annotationsOf(o.Text)
			if err != nil {
				return nil, fmt.Errorf("object %d: %w", i+1, err)
			}
			o.Annotations = annotations
		}
		archive, err := pack("object", o.Text)
		if err != nil {
			return nil, err
		}
		layers = append(layers, mutate.Addendum{Layer: static.NewLayer(archive, types.OCIUncompressedLayer), Annotations: o.Annotations})
	}
	return mutate.Append(mutate.MediaType(empty.Image, types.OCIManifestSchema1), layers...)
}

// annotationsOf are those that an object's layer has to have.
func annotationsOf(text []byte) (map[string]string, error) {
	var o metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(text, &o); err != nil {
		return nil, err
	}
	if o.Kind == "" || o.APIVersion == "" || o.Name == "" {
		return nil, errors.New("want apiVersion, kind and metadata.name")
	}
	return map[string]string{AnnotationName: o.Name, AnnotationKind: singular(o.Kind), AnnotationAPIVersion: o.APIVersion}, nil
}

// pack is an archive with one file.
func pack(name string, text []byte) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}
