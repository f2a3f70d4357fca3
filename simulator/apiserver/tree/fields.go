package tree

import (
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// structField is a field as JSON knows it.
type structField struct {
	name  string
	index []int
	form  *form
	// empty and zero are what omitempty and omitzero ask, if a field has them.
	empty, zero func(reflect.Value) bool
}

// omits reports whether a field is left out.
func (f *structField) omits(v reflect.Value) bool {
	return f.empty != nil && f.empty(v) || f.zero != nil && f.zero(v)
}

// fields lists the fields of a struct and of the structs that it embeds. It reports false where finding the field of a
// name takes more than that.
func (d *discovery) fields(t reflect.Type, above []int, names map[string]bool) (list []structField, ok bool) {
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		name, options, _ := strings.Cut(tag, ",")
		inlined := name == "" && (f.Anonymous || slices.Contains(strings.Split(options, ","), "inline"))
		if tag == "-" || !f.IsExported() && !inlined {
			continue
		}
		index := append(slices.Clone(above), f.Index...)
		if inlined {
			if f.Type.Kind() != reflect.Struct || value.TypeReflectEntryOf(f.Type).CanConvertToUnstructured() {
				return nil, false
			}
			below, ok := d.fields(f.Type, index, names)
			if !ok {
				return nil, false
			}
			list = append(list, below...)
			continue
		}
		if name == "" {
			name = f.Name
		}
		if names[name] {
			return nil, false
		}
		names[name] = true
		row := structField{name: name, index: index, form: d.form(f.Type)}
		for _, option := range strings.Split(options, ",") {
			switch option {
			case "omitempty":
				row.empty = emptiness(f.Type)
			case "omitzero":
				row.zero = value.OmitZeroFunc(f.Type)
			}
		}
		list = append(list, row)
	}
	return list, true
}

// emptiness returns how JSON finds a value of a type empty; nil means never.
func emptiness(t reflect.Type) func(reflect.Value) bool {
	switch t.Kind() {
	case reflect.Array, reflect.String, reflect.Map, reflect.Slice:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	case reflect.Float32, reflect.Float64:
		return func(v reflect.Value) bool { return v.Float() == 0 } // the negative one too
	case reflect.Struct:
		return nil
	}
	return reflect.Value.IsZero
}
