package remote

import (
	"context"
	"errors"

	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// BundleRequest is what the deprecated field bundle of a reference asks for.
type BundleRequest = resolver.BundleRequest

// errNoBundles says why a bundle cannot be had although there may be one.
var errNoBundles = errors.New("bundles cannot be fetched here: apply what is in it to the cluster and refer to it by its name")

// Bundled is the text of an object of a bundle, from whatever fetches bundles, which may be nil.
func Bundled(ctx context.Context, from resolver.Bundles, r BundleRequest) ([]byte, error) {
	if from == nil {
		return nil, errNoBundles
	}
	return from.Object(ctx, r)
}
