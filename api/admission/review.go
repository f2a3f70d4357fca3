package admission

import (
	"cmp"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Review is one request as a webhook gets it: objects as JSON.
type Review struct {
	// Group, Version and Kind are what Object is of; the group tekton.dev and the version v1beta1 may be left out.
	Group     string
	Version   string
	Kind      string
	Operation Operation
	Object    []byte
	// OldObject is what is stored; it is empty at creation.
	OldObject []byte
}

// Admit is Rules.Review for the kinds of the API.
func (r Review) Admit(cfg *config.Config) ([]byte, error) { return API().Review(r, cfg) }

// Review returns the object of a review as it is to be stored, or a *Denied. Any other error says that what is stored cannot
// be read, or that the webhooks do not know the kind.
func (r Rules) Review(review Review, cfg *config.Config) ([]byte, error) {
	gvk := v1beta1.GroupVersion.WithKind(review.Kind)
	gvk.Group, gvk.Version = cmp.Or(review.Group, gvk.Group), cmp.Or(review.Version, gvk.Version)
	obj, err := r.Decode(gvk, review.Object)
	if err != nil {
		return nil, err
	}
	var old runtime.Object
	if review.Operation == Update && len(review.OldObject) > 0 {
		old = r.Kinds.Find(gvk)
		// Not strictly: a stored object may have come from a later release.
		if err := json.Unmarshal(review.OldObject, old); err != nil {
			return nil, fmt.Errorf("cannot decode the stored %s: %w", review.Kind, err)
		}
	}
	if err := r.admitTyped(obj, old, review.Operation, cfg); err != nil {
		return nil, err
	}
	return json.Marshal(obj)
}
