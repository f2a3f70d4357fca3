package substitution

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// literal are the string fields in which no variable is replaced, and why. A field stands for all below it.
var literal = map[string]string{
	"Env[].Name":                       "the documents do not list it (§8.4)",
	"Env[].ValueFrom.FieldRef":         "the documents do not list it: it names a field of the Pod",
	"Env[].ValueFrom.ResourceFieldRef": "the documents do not list it: it names a field of the container",
	"Env[].ValueFrom.FileKeyRef":       "later than the documents",
	"Lifecycle":                        "deprecated, and not listed",
	"LivenessProbe":                    "deprecated, and not listed",
	"Ports":                            "deprecated, and not listed",
	"ReadinessProbe":                   "deprecated, and not listed",
	"Resources":                        "quantities have no variables, and the documents do not list names of claims",
	"SecurityContext":                  "the documents do not list it",
	"StartupProbe":                     "deprecated, and not listed",
	"TerminationMessagePath":           "deprecated, and not listed",
	"TerminationMessagePolicy":         "deprecated, and not listed",
	"VolumeDevices":                    "the documents do not list it",
	"VolumeMounts[].BindMountOptions":  "later than the documents",
	"VolumeMounts[].MountPropagation":  "the documents do not list it",
	"VolumeMounts[].RecursiveReadOnly": "later than the documents",
	"VolumeMounts[].SubPathExpr":       "it has variables of Kubernetes, $(VAR), which are expanded later",
	"Workspaces":                       "it says which workspaces a container gets, before their paths are known",
}

// TestEveryStringFieldIsReplacedOrListed goes by reflection through Step, StepTemplate and Sidecar, so that a field that is
// added to them, or to the types of Kubernetes in them, cannot be forgotten here.
func TestEveryStringFieldIsReplacedOrListed(t *testing.T) {
	t.Parallel()
	const before, after = "$(params.p)", "text"
	used := map[string]bool{}
	for name, part := range map[string]struct {
		made    any
		replace func(of any)
	}{
		"Step":    {&v1beta1.Step{}, func(of any) { visitStep(of.(*v1beta1.Step), rewriter{only("params.p", after)}) }},
		"Sidecar": {&v1beta1.Sidecar{}, func(of any) { visitSidecar(of.(*v1beta1.Sidecar), rewriter{only("params.p", after)}) }},
		"StepTemplate": {&v1beta1.StepTemplate{}, func(of any) {
			rewrite(&v1beta1.TaskSpec{StepTemplate: of.(*v1beta1.StepTemplate)}, only("params.p", after))
		}},
	} {
		fill(reflect.ValueOf(part.made).Elem(), before)
		part.replace(part.made)
		texts := map[string]string{}
		collect(reflect.ValueOf(part.made).Elem(), "", texts)
		if len(texts) < 30 {
			t.Errorf("%s has only %d texts", name, len(texts))
		}
		for _, path := range slices.Sorted(maps.Keys(texts)) {
			why, listed := reason(path, used)
			switch got := texts[path]; {
			case got == before && !listed:
				t.Errorf("%s.%s keeps its variable: visit it in fields.go, or list it with a reason", name, path)
			case got == after && listed:
				t.Errorf("%s.%s is replaced, although it is listed: %s", name, path, why)
			case got != before && got != after:
				t.Errorf("%s.%s is %q", name, path, got)
			}
		}
	}
	for path := range literal {
		if !used[path] {
			t.Errorf("%s is listed, and is no field", path)
		}
	}
}

// only is one variable.
func only(name, value string) Replacements {
	r := newReplacements()
	r.texts[name] = value
	return r
}

// reason returns why a field is not replaced, if it or a field that it is part of is listed.
func reason(path string, used map[string]bool) (why string, listed bool) {
	for of := path; of != ""; {
		if why, listed = literal[of]; listed {
			used[of] = true
			return why, true
		}
		of = of[:max(strings.LastIndexAny(of, ".["), 0)]
	}
	return "", false
}

// fill gives every string below v the same text: one element in each list and map, and something behind each pointer.
func fill(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), text)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), text)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		key.SetString("key")
		fill(value, text)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if opaque(v.Type()) {
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), text)
		}
	}
}

// collect notes the strings below v by their paths.
func collect(v reflect.Value, path string, into map[string]string) {
	switch v.Kind() {
	case reflect.String:
		into[path] = v.String()
	case reflect.Pointer:
		if !v.IsNil() {
			collect(v.Elem(), path, into)
		}
	case reflect.Slice:
		for i := range v.Len() {
			collect(v.Index(i), path+"[]", into)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			collect(v.MapIndex(key), fmt.Sprintf("%s[%s]", path, key), into)
		}
	case reflect.Struct:
		if opaque(v.Type()) {
			return
		}
		for i := range v.NumField() {
			f := v.Type().Field(i)
			at := path
			if !f.Anonymous {
				at = strings.TrimPrefix(path+"."+f.Name, ".")
			}
			collect(v.Field(i), at, into)
		}
	}
}

// opaque reports whether a type is one value, though it is a structure.
func opaque(t reflect.Type) bool {
	return t == reflect.TypeFor[resource.Quantity]() || t == reflect.TypeFor[metav1.Duration]()
}
