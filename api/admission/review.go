package admission

import (
	"cmp"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/kinds"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Review is one request as a webhook gets it: objects as JSON.
type Review struct {
	// Version and Kind are what Object is of; the version v1beta1 may be left out.
	Version   string
	Kind      string
	Operation Operation
	Object    []byte
	// OldObject is what is stored; it is empty at creation.
	OldObject []byte
}

// Admit returns the object as it is to be stored, or a *Denied. Any other error says that what is stored cannot be read, or
// that the webhooks do not know the kind.
func (r Review) Admit(cfg *config.Config) ([]byte, error) {
	obj := kinds.API().New(r.Version, r.Kind)
	if obj == nil {
		return nil, fmt.Errorf("the webhooks do not know the kind %s of %s/%s", r.Kind, v1beta1.Group, cmp.Or(r.Version, v1beta1.Version))
	}
	if err := DecodeInto(r.Object, obj); err != nil {
		return nil, err
	}
	var old runtime.Object
	if r.Operation == Update && len(r.OldObject) > 0 {
		old = kinds.API().New(r.Version, r.Kind)
		// Not strictly: a stored object may have come from a later release.
		if err := json.Unmarshal(r.OldObject, old); err != nil {
			return nil, fmt.Errorf("cannot decode the stored %s: %w", r.Kind, err)
		}
	}
	if err := AdmitTyped(obj, old, r.Operation, cfg); err != nil {
		return nil, err
	}
	return json.Marshal(obj)
}
