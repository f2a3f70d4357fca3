package admission

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/plumbline-ci/plumbline/api/config"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
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

// Admit returns the object as it is to be stored, or a *Denied. Kinds that the webhooks are not registered for are
// returned as they are. Any other error says that what is stored cannot be read.
func (r Review) Admit(cfg *config.Config) ([]byte, error) {
	obj := NewObject(r.Version, r.Kind)
	if obj == nil {
		return r.Object, nil
	}
	if err := DecodeInto(r.Object, obj); err != nil {
		return nil, err
	}
	var old runtime.Object
	if r.Operation == Update && len(r.OldObject) > 0 {
		old = NewObject(r.Version, r.Kind)
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

// NewObject is an empty object of one of the API's kinds, or nil. An empty version is v1beta1.
func NewObject(version, kind string) runtime.Object {
	switch version + " " + kind {
	case v1beta1.Version + " " + v1beta1.KindTaskRun, " " + v1beta1.KindTaskRun:
		return &v1beta1.TaskRun{}
	case v1beta1.Version + " " + v1beta1.KindTask, " " + v1beta1.KindTask:
		return &v1beta1.Task{}
	case v1beta1.Version + " " + v1beta1.KindClusterTask, " " + v1beta1.KindClusterTask:
		return &v1beta1.ClusterTask{}
	case v1.Version + " " + v1.KindTaskRun:
		return &v1.TaskRun{}
	case v1.Version + " " + v1.KindTask:
		return &v1.Task{}
	}
	return nil
}
