package refusal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// misfit is a value of a manifest that its Go type does not take, or a field that it does not have.
type misfit struct {
	at   *yaml.Node
	path string
	// field is the unknown field, of, version and known the type that lacks it, its API version, and the fields that it has.
	field, of, version string
	known              []string
	// problem says what is wrong with a value.
	problem, hint string
}

// misfits compares a document with the type that an API server decodes it into, and returns what does not fit, in the
// order of the file. Like the server's decoder, it takes a field's name in any case, and lets metadata have other fields.
func misfits(doc *source.Document, t reflect.Type) []misfit {
	w := &fitter{doc: doc}
	w.value(doc.Root, t, "")
	return w.found
}

type fitter struct {
	doc   *source.Document
	found []misfit
	depth int
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

func (w *fitter) value(n *yaml.Node, t reflect.Type, path string) {
	const deepest = 64 // types may contain themselves
	if w.depth++; w.depth > deepest {
		w.depth--
		return
	}
	defer func() { w.depth-- }()
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if n == nil || n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return
	}
	if reflect.PointerTo(t).Implements(unmarshaler) {
		w.decoded(n, t, path)
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		w.fields(n, t, path)
	case reflect.Map:
		if w.is(n, yaml.MappingNode, path, "a mapping") {
			for i := 0; i+1 < len(n.Content); i += 2 {
				w.value(n.Content[i+1], t.Elem(), source.Join(path, n.Content[i].Value))
			}
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			w.decoded(n, t, path)
			return
		}
		if w.is(n, yaml.SequenceNode, path, "a list") {
			for i, item := range n.Content {
				w.value(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
			}
		}
	case reflect.Interface:
	default:
		w.decoded(n, t, path)
	}
}

func (w *fitter) is(n *yaml.Node, kind yaml.Kind, path, want string) bool {
	if n.Kind != kind {
		w.found = append(w.found, misfit{at: n, path: path, problem: fmt.Sprintf("must be %s, got %s", want, source.Describe(n))})
	}
	return n.Kind == kind
}

// decoded tries whether a type takes a value.
func (w *fitter) decoded(n *yaml.Node, t reflect.Type, path string) {
	value, errs := w.doc.Value(n)
	if len(errs) > 0 {
		return // told before
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return
	}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(reflect.New(t).Interface()); err == nil {
		return
	}
	m := misfit{at: n, path: path}
	switch {
	case t == reflect.TypeFor[metav1.Duration]():
		m.problem, m.hint = source.Describe(n)+" is not a duration", "write a number with a unit, such as 90s, 5m or 1h30m"
	case t.Kind() == reflect.String:
		m.problem = "must be a string, got " + source.Describe(n)
		if n.Kind == yaml.ScalarNode {
			m.hint = fmt.Sprintf("put it in quotes: %q", n.Value)
		}
	case t.Kind() == reflect.Bool:
		m.problem, m.hint = "must be true or false, got "+source.Describe(n), "write true or false, without quotes"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		m.problem, m.hint = "must be a whole number, got "+source.Describe(n), "write a number, without quotes"
	default:
		m.problem = fmt.Sprintf("%s does not fit: %s", source.Describe(n), reason(raw, t))
	}
	w.found = append(w.found, m)
}

// reason is why a type does not take a value.
func reason(raw []byte, t reflect.Type) string {
	return json.Unmarshal(raw, reflect.New(t).Interface()).Error()
}

func (w *fitter) fields(n *yaml.Node, t reflect.Type, path string) {
	if !w.is(n, yaml.MappingNode, path, "a mapping") {
		return
	}
	types, names := fieldsOf(t)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		if key.ShortTag() == "!!merge" {
			continue
		}
		at := slices.Index(names, key.Value)
		if at < 0 {
			at = slices.IndexFunc(names, func(name string) bool { return strings.EqualFold(name, key.Value) })
		}
		switch {
		case at >= 0:
			w.value(n.Content[i+1], types[at], source.Join(path, key.Value))
		case t != reflect.TypeFor[metav1.ObjectMeta]():
			w.found = append(w.found, misfit{at: key, path: path, field: key.Value, of: t.Name(), version: versionOf(t), known: names})
		}
	}
}

// versionOf is the API version of a Go type, by the package that it is in.
func versionOf(t reflect.Type) string { return t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:] }

// fieldsOf lists the JSON fields of a struct, with those of the structs that it embeds.
func fieldsOf(t reflect.Type) (types []reflect.Type, names []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case name == "" && (f.Anonymous || strings.Contains(options, "inline")):
			inner := f.Type
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct {
				moreTypes, more := fieldsOf(inner)
				types, names = append(types, moreTypes...), append(names, more...)
			}
		default:
			if name == "" {
				name = f.Name
			}
			types, names = append(types, f.Type), append(names, name)
		}
	}
	return types, names
}
