// Package bundles finds Tasks and Pipelines in Tekton bundles: images each of whose layers is one object, described by
// annotations of the layer in the image's manifest.
//
//	contract.go   what a bundle is, and what is wrong with one
//	read.go       opens a bundle and reads one of its objects, within limits
//	registry.go   where images come from: registries, or the program itself
//	resolver.go   the resolver "bundles"
//	field.go      the deprecated field bundle of references
//	folder.go     makes a bundle of a folder
//
// The resolver and the field know the same mistakes, and have different words for them.
package bundles

import (
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// Annotations of each layer.
const (
	AnnotationName       = "dev.tekton.image.name"
	AnnotationKind       = "dev.tekton.image.kind"
	AnnotationAPIVersion = "dev.tekton.image.apiVersion"
)

// MaxObjects is how many objects, which is layers, a bundle may have.
const MaxObjects = 20

// breach is how a bundle breaks the contract.
type breach struct {
	// objects is the number of objects if there are too many.
	objects int
	// layer and digest are the layer that is wrong otherwise. It lacks annotation, or else its kind is not spelled as it should be.
	layer      int
	digest     string
	annotation string
	kind       string
}

// check returns the first breach of the contract, or nil. Every layer counts, not only the one that is wanted.
func check(m *v1.Manifest) *breach {
	if n := len(m.Layers); n > MaxObjects {
		return &breach{objects: n}
	}
	for i, l := range m.Layers {
		at := breach{layer: i, digest: l.Digest.String()}
		for _, a := range []string{AnnotationAPIVersion, AnnotationName, AnnotationKind} {
			if _, ok := l.Annotations[a]; !ok {
				at.annotation = a
				return &at
			}
		}
		if kind := l.Annotations[AnnotationKind]; kind != singular(kind) {
			at.kind = kind
			return &at
		}
	}
	return nil
}

// singular is a kind as annotations spell it.
func singular(kind string) string { return strings.TrimSuffix(strings.ToLower(kind), "s") }

// ofField is the breach in the words of the field bundle.
func (b *breach) ofField(ref string) error {
	switch {
	case b.objects > 0:
		return fmt.Errorf("bundle %s contained more than the maximum %d allow objects", ref, MaxObjects)
	case b.annotation != "":
		return fmt.Errorf("invalid tekton bundle: %s:%s does not contain a %s annotation", ref, b.digest, b.annotation)
	default:
		return fmt.Errorf("invalid tekton bundle: %s annotation for %s:%s must be lowercased and singular, found %s", AnnotationKind, ref, b.digest, b.kind)
	}
}

// ofResolver is the breach in the words of the resolver.
func (b *breach) ofResolver(ref string) error {
	var what string
	switch {
	case b.objects > 0:
		what = fmt.Sprintf("contained more than the maximum %d allow objects", MaxObjects)
	case b.annotation != "":
		what = fmt.Sprintf("the layer %d does not contain a %s annotation", b.layer, b.annotation)
	default:
		what = fmt.Sprintf("the layer %d the annotation %s must be lowercased and singular, found %s", b.layer, AnnotationKind, b.kind)
	}
	return fmt.Errorf("invalid tekton bundle %s, error: %s", ref, what)
}
