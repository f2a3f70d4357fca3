package apiserver

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	kjson "sigs.k8s.io/json"
)

// textPatch is the patch that stops sidecars, and others like it: it replaces texts that are there, such as the image of a
// container, maybe on condition that other texts are what they were.
type textPatch []textOperation

type textOperation struct {
	Op    string  `json:"op"`
	Path  string  `json:"path"`
	Value *string `json:"value"`
}

// textsOf recognises a JSON patch that only tests and replaces texts. It needs no JSON of the object. Whatever is out of
// the ordinary is left to the general way.
func textsOf(kind types.PatchType, data []byte) textPatch {
	if kind != types.JSONPatchType {
		return nil
	}
	var p textPatch
	if strict, err := kjson.UnmarshalStrict(data, &p); err != nil || len(strict) > 0 || len(p) > maxPatchOperations {
		return nil
	}
	for _, op := range p {
		if op.Op != "test" && op.Op != "replace" || op.Value == nil || *op.Value == "" || strings.Contains(op.Path, "~") {
			return nil
		}
	}
	return p
}

// apply returns the patched object, which shares with old what was not on the way to a text; and the top-level fields that
// were patched. It reports false if a text is not there or not as it should be: the general way knows what to say.
func (p textPatch) apply(r *resource, old client.Object) (obj client.Object, fields []string, ok bool) {
	obj = r.shape.shallow(old)
	for _, op := range p {
		steps := strings.Split(op.Path, "/")
		if len(steps) < 3 || steps[0] != "" || steps[1] == "metadata" {
			return nil, nil, false
		}
		text, ok := follow(reflect.ValueOf(obj).Elem(), steps[1:], op.Op == "replace")
		switch {
		case !ok || text.String() == "":
			return nil, nil, false
		case op.Op == "replace":
			text.SetString(*op.Value)
		case text.String() != *op.Value:
			return nil, nil, false
		}
		if !slices.Contains(fields, steps[1]) {
			fields = append(fields, steps[1])
		}
	}
	return obj, fields, true
}

// follow finds the text that a path of JSON leads to. If it is going to be written, what is on the way is copied first.
func follow(v reflect.Value, steps []string, write bool) (text reflect.Value, ok bool) {
	for _, step := range steps {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			if write {
				own := reflect.New(v.Type().Elem())
				own.Elem().Set(v.Elem())
				v.Set(own)
			}
			v = v.Elem()
		}
		switch v.Kind() {
		case reflect.Struct:
			if v, ok = fieldNamed(v, step); !ok {
				return v, false
			}
		case reflect.Slice:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= v.Len() || strconv.Itoa(i) != step {
				return v, false
			}
			if write {
				own := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
				reflect.Copy(own, v)
				v.Set(own)
			}
			v = v.Index(i)
		default:
			return v, false
		}
	}
	return v, v.Kind() == reflect.String
}

// fieldNamed returns the field of a struct that has a name in JSON. Those of embedded structs are not looked for.
func fieldNamed(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name && name != "" && f.IsExported() {
			return v.Field(i), true
		}
	}
	return v, false
}
