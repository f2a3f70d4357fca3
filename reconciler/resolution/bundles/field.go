package bundles

import (
	"context"
	"time"

	"github.com/plumbline-ci/plumbline/reconciler/pullsecrets"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
)

// fieldTimeout is how long the bundle of a field may take.
const fieldTimeout = time.Minute

// Field fetches what the field bundle of a reference names.
type Field struct{ Registry Registry }

var _ resolver.Bundles = Field{}

// Object implements resolver.Bundles.
func (f Field) Object(ctx context.Context, r resolver.BundleRequest) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fieldTimeout)
	defer cancel()
	keys, err := pullsecrets.Read(r.Cluster, r.Namespace, r.ServiceAccount)
	if err != nil {
		return nil, err
	}
	found, err := open(ctx, f.Registry, r.Bundle, keys)
	if err != nil {
		return nil, err
	}
	if err := found.inspect(); err != nil {
		return nil, err
	}
	if wrong := check(found.manifest); wrong != nil {
		return nil, wrong.ofField(r.Bundle)
	}
	layer, err := found.find(singular(r.Kind), r.Name)
	if err != nil {
		return nil, err
	}
	return found.object(layer)
}
