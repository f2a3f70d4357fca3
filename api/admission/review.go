package admission

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Review is one request as a webhook gets it: objects as JSON.
type Review struct {
	// Kind is the kind of v1beta1 that Object is of.
	Kind      string
	Operation Operation
	Object    []byte
	// OldObject is what is stored; it is empty at creation.
	OldObject []byte
}

// Admit returns the object as it is to be stored, or a *Denied. Kinds that the webhooks are not registered for are
// returned as they are. Any other error says that what is stored cannot be read.
func (r Review) Admit(cfg *config.Config) ([]byte, error) {
	obj := newObject(r.Kind)
	if obj == nil {
		return r.Object, nil
	}
	if err := DecodeInto(r.Object, obj); err != nil {
		return nil, err
	}
	var old runtime.Object
	if r.Operation == Update && len(r.OldObject) > 0 {
		old = newObject(r.Kind)
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

func newObject(kind string) runtime.Object {
	switch kind {
	case v1beta1.KindTaskRun:
		return &v1beta1.TaskRun{}
	case v1beta1.KindTask:
		return &v1beta1.Task{}
	case v1beta1.KindClusterTask:
		return &v1beta1.ClusterTask{}
	}
	return nil
}
