package admission

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/config"
	"github.com/plumbline-ci/plumbline/api/conversion"
	"github.com/plumbline-ci/plumbline/api/defaulting"
	v1 "github.com/plumbline-ci/plumbline/api/v1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Convert is the conversion webhook: an object of one of the API's kinds in the other version (spec §1.11). in is only
// read; what is returned shares nothing with it.
//
// What the writer left open is filled in on the way, with the built-in defaults, whatever is configured: a webhook for
// conversion is not asked under a configuration. An object that is being deleted stays as it is.
func Convert(in runtime.Object, to schema.GroupVersion) (runtime.Object, error) {
	out, err := convert(in.DeepCopyObject(), to)
	if err != nil {
		return nil, err
	}
	cfg := config.Default()
	switch o := out.(type) {
	case *v1beta1.TaskRun:
		if o.DeletionTimestamp == nil {
			defaulting.TaskRun(o, cfg)
		}
	case *v1.TaskRun:
		if o.DeletionTimestamp == nil {
			defaulting.TaskRunV1(o, cfg)
		}
	case *v1beta1.Task:
		if o.DeletionTimestamp == nil {
			defaulting.TaskSpec(&o.Spec)
		}
	case *v1.Task:
		if o.DeletionTimestamp == nil {
			defaulting.TaskV1(o)
		}
	}
	return out, nil
}

func convert(in runtime.Object, to schema.GroupVersion) (runtime.Object, error) {
	switch o := in.(type) {
	case *v1beta1.TaskRun:
		if to == v1.GroupVersion {
			return asObject(conversion.TaskRunToV1(o))
		}
	case *v1.TaskRun:
		if to == v1beta1.GroupVersion {
			return asObject(conversion.TaskRunFromV1(o))
		}
	case *v1beta1.Task:
		if to == v1.GroupVersion {
			return asObject(conversion.TaskToV1(o))
		}
	case *v1.Task:
		if to == v1beta1.GroupVersion {
			return asObject(conversion.TaskFromV1(o))
		}
	}
	return nil, fmt.Errorf("unknown version, got: %T", in)
}

func asObject[T runtime.Object](o T, err error) (runtime.Object, error) {
	if err != nil {
		return nil, err
	}
	return o, nil
}

// ConvertJSON is Convert for objects as a webhook gets them. An object that is in the version already is returned as it
// is.
func ConvertJSON(raw []byte, to string) ([]byte, error) {
	var of struct{ APIVersion, Kind string }
	if err := json.Unmarshal(raw, &of); err != nil {
		return nil, err
	}
	if of.APIVersion == to {
		return raw, nil
	}
	gv, err := schema.ParseGroupVersion(to)
	if err != nil {
		return nil, err
	}
	from, err := schema.ParseGroupVersion(of.APIVersion)
	if err != nil {
		return nil, err
	}
	in := NewObject(from.Version, of.Kind)
	if from.Group != v1beta1.Group || in == nil {
		return nil, fmt.Errorf("unknown version, got: %s %s", of.APIVersion, of.Kind)
	}
	if err := json.Unmarshal(raw, in); err != nil {
		return nil, err
	}
	out, err := Convert(in, gv)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
