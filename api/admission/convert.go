package admission

import (
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/plumbline-ci/plumbline/api/config"
)

// Convert is Rules.Convert for the kinds of the API.
func Convert(in runtime.Object, to schema.GroupVersion) (runtime.Object, error) {
	return API().Convert(in, to)
}

// Convert is the conversion webhook: an object of one of the API's kinds in the other version (spec §1.11). in is only
// read; what is returned shares nothing with it.
//
// What the writer left open is filled in on the way, with the built-in defaults, whatever is configured: a webhook for
// conversion is not asked under a configuration. An object that is being deleted stays as it is.
func (r Rules) Convert(in runtime.Object, to schema.GroupVersion) (runtime.Object, error) {
	kind, from, ok := r.Kinds.Of(in)
	if !ok || from.Name == to.Version || to.Group != kind.APIGroup() || kind.Version(to.Version) == nil {
		return nil, fmt.Errorf("unknown version, got: %T", in)
	}
	out, into := in.DeepCopyObject(), kind.Version(to.Version)
	for _, turn := range []func(runtime.Object) (runtime.Object, error){from.ToStorage, into.FromStorage} {
		if turn == nil {
			continue
		}
		var err error
		if out, err = turn(out); err != nil {
			return nil, err
		}
	}
	into.Fill(out, config.Default())
	return out, nil
}

// ConvertJSON is Rules.ConvertJSON for the kinds of the API.
func ConvertJSON(raw []byte, to string) ([]byte, error) { return API().ConvertJSON(raw, to) }

// ConvertJSON is Convert for objects as a webhook gets them. An object that is in the version already is returned as it
// is.
func (r Rules) ConvertJSON(raw []byte, to string) ([]byte, error) {
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
	in := r.Kinds.Find(from.WithKind(of.Kind))
	if in == nil {
		return nil, fmt.Errorf("unknown version, got: %s %s", of.APIVersion, of.Kind)
	}
	if err := json.Unmarshal(raw, in); err != nil {
		return nil, err
	}
	out, err := r.Convert(in, gv)
	if err != nil {
		return nil, err
	}
	return json.Marshal(out)
}
