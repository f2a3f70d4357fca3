package tree

import (
	"encoding/base64"
	"fmt"
	"maps"
	"math"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// discovery finds out the forms of a type and of all types below it.
type discovery struct {
	known, fresh map[reflect.Type]*form
	converter    *Converter
}

func (d *discovery) form(t reflect.Type) *form {
	if f := d.known[t]; f != nil {
		return f
	}
	if f := d.fresh[t]; f != nil {
		return f // maybe of a type that contains itself, and complete when it is used
	}
	f := &form{}
	d.fresh[t] = f
	f.tree = d.build(t)
	return f
}

type converting = func(v, base reflect.Value, before any) (any, bool)

func (d *discovery) build(t reflect.Type) converting {
	if t == reflect.TypeFor[metav1.Time]() {
		return ofTime
	}
	if value.TypeReflectEntryOf(t).CanConvertToUnstructured() {
		return ofItself
	}
	switch t.Kind() {
	case reflect.String:
		return scalar(reflect.Value.String)
	case reflect.Bool:
		return scalar(reflect.Value.Bool)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return scalar(reflect.Value.Int)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return scalar(unsigned)
	case reflect.Float32, reflect.Float64:
		return scalar(reflect.Value.Float)
	case reflect.Pointer:
		return pointer(d.form(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return ofBytes
		}
		return slice(d.form(t.Elem()))
	case reflect.Map:
		if t == reflect.TypeFor[map[string]string]() {
			return ofTexts
		}
		if t.Key().Kind() == reflect.String {
			return mapping(d.form(t.Elem()))
		}
	case reflect.Struct:
		return d.structure(t)
	case reflect.Interface:
		return d.dynamic
	}
	return func(reflect.Value, reflect.Value, any) (any, bool) {
		panic(unencodable{fmt.Errorf("a %s has no form without its type", t)})
	}
}

func unsigned(v reflect.Value) int64 {
	if v.Uint() > math.MaxInt64 {
		panic(unencodable{fmt.Errorf("unsigned value %d does not fit into int64 (overflow)", v.Uint())})
	}
	return int64(v.Uint())
}

// scalar takes a value over as it is.
func scalar[T comparable](read func(reflect.Value) T) converting {
	return func(v, base reflect.Value, before any) (any, bool) {
		x := read(v)
		if base.IsValid() && x == read(base) {
			return before, true
		}
		return x, false
	}
}

// ofTime spares times that did not change their way through text, and others the way through an interface.
func ofTime(v, base reflect.Value, before any) (any, bool) {
	if !v.CanAddr() {
		return ofItself(v, base, before)
	}
	now, _ := v.Addr().Interface().(*metav1.Time)
	if base.IsValid() && base.CanAddr() {
		if then, _ := base.Addr().Interface().(*metav1.Time); now.Equal(then) {
			return before, true
		}
	}
	if now.IsZero() {
		return nil, false
	}
	var text [len(time.RFC3339)]byte
	return string(now.UTC().AppendFormat(text[:0], time.RFC3339)), false
}

// ofItself asks a value that knows its own encoding.
func ofItself(v, _ reflect.Value, _ any) (any, bool) {
	made, err := value.TypeReflectEntryOf(v.Type()).ToUnstructured(v)
	if err != nil {
		panic(unencodable{err})
	}
	return made, false
}

func ofBytes(v, _ reflect.Value, _ any) (any, bool) {
	if v.IsNil() {
		return nil, false
	}
	return base64.StdEncoding.EncodeToString(v.Bytes()), false
}

func pointer(to *form) converting {
	return func(v, base reflect.Value, before any) (any, bool) {
		switch {
		case v.IsNil():
			return nil, base.IsValid() && base.IsNil()
		case !base.IsValid() || base.IsNil():
			return to.tree(v.Elem(), reflect.Value{}, nil)
		case v.UnsafePointer() == base.UnsafePointer():
			return before, true
		}
		return to.tree(v.Elem(), base.Elem(), before)
	}
}

func slice(of *form) converting {
	return func(v, base reflect.Value, before any) (any, bool) {
		if v.IsNil() {
			return nil, base.IsValid() && base.IsNil()
		}
		was, _ := before.([]any)
		n := v.Len()
		same := base.IsValid() && !base.IsNil() && len(was) == n
		if same && v.UnsafePointer() == base.UnsafePointer() {
			return before, true
		}
		var list []any // as long as nothing differs it is not needed
		differ := func(i int) {
			if list == nil {
				list = make([]any, n)
				copy(list, was[:min(i, len(was))])
			}
		}
		if !same {
			differ(len(was))
		}
		for i := range n {
			var item any
			var kept bool
			if i < len(was) {
				item, kept = of.tree(v.Index(i), base.Index(i), was[i])
			} else {
				item, kept = of.tree(v.Index(i), reflect.Value{}, nil)
			}
			if !kept {
				differ(i)
			}
			if list != nil {
				list[i] = item
			}
		}
		if list == nil {
			return before, true
		}
		return list, false
	}
}

// ofTexts is mapping for labels and the like, without a copy of each key.
func ofTexts(v, base reflect.Value, before any) (any, bool) {
	if v.IsNil() {
		return nil, base.IsValid() && base.IsNil()
	}
	var then map[string]string
	if base.IsValid() {
		then, _ = base.Interface().(map[string]string)
	}
	now, _ := v.Interface().(map[string]string)
	if then != nil && maps.Equal(now, then) {
		return before, true
	}
	was, _ := before.(map[string]any)
	made := make(map[string]any, len(now))
	//plumbline:unordered one map is made of another
	for k, text := range now {
		if x, ok := then[k]; ok && x == text {
			made[k] = was[k]
		} else {
			made[k] = text
		}
	}
	return made, false
}

func mapping(of *form) converting {
	return func(v, base reflect.Value, before any) (any, bool) {
		if v.IsNil() {
			return nil, base.IsValid() && base.IsNil()
		}
		was, _ := before.(map[string]any)
		same := base.IsValid() && !base.IsNil() && len(was) == v.Len()
		if same && v.UnsafePointer() == base.UnsafePointer() {
			return before, true
		}
		made := make(map[string]any, v.Len())
		for entries := v.MapRange(); entries.Next(); {
			var item any
			var kept bool
			if then := known(base, entries.Key()); then.IsValid() {
				item, kept = of.tree(entries.Value(), then, was[entries.Key().String()])
			} else {
				item, kept = of.tree(entries.Value(), reflect.Value{}, nil)
			}
			made[entries.Key().String()] = item
			same = same && kept
		}
		if same {
			return before, true
		}
		return made, false
	}
}

// known looks an entry up in a map that may not be there.
func known(m, key reflect.Value) reflect.Value {
	if !m.IsValid() {
		return reflect.Value{}
	}
	return m.MapIndex(key)
}

// dynamic converts what an interface holds.
func (d *discovery) dynamic(v, base reflect.Value, before any) (any, bool) {
	if v.IsNil() {
		return nil, base.IsValid() && base.IsNil()
	}
	inner := v.Elem()
	if base.IsValid() && !base.IsNil() && base.Elem().Type() == inner.Type() {
		return d.converter.form(inner.Type()).tree(inner, base.Elem(), before)
	}
	return d.converter.form(inner.Type()).tree(inner, reflect.Value{}, nil)
}

// structure converts a struct, whose embedded structs are part of it.
func (d *discovery) structure(t reflect.Type) converting {
	fields, ok := d.fields(t, nil, map[string]bool{})
	if !ok {
		return viaRuntime
	}
	return func(v, base reflect.Value, before any) (any, bool) {
		was, _ := before.(map[string]any)
		if !base.IsValid() {
			return whole(fields, v), false
		}
		changed := false // made is only needed then
		made := was
		change := func() {
			if !changed {
				made, changed = maps.Clone(was), true
			}
		}
		for i := range fields {
			f := &fields[i]
			now, then := v.FieldByIndex(f.index), base.FieldByIndex(f.index)
			shown, had := !f.omits(now), !f.omits(then)
			switch {
			case shown && had:
				if item, kept := f.form.tree(now, then, was[f.name]); !kept {
					change()
					made[f.name] = item
				}
			case shown:
				item, _ := f.form.tree(now, reflect.Value{}, nil)
				change()
				made[f.name] = item
			case had:
				change()
				delete(made, f.name)
			}
		}
		return made, !changed
	}
}

// whole converts a struct that nothing is known of.
func whole(fields []structField, v reflect.Value) map[string]any {
	n := 0
	for i := range fields {
		if !fields[i].omits(v.FieldByIndex(fields[i].index)) {
			n++
		}
	}
	made := make(map[string]any, n)
	for i := range fields {
		f := &fields[i]
		if now := v.FieldByIndex(f.index); !f.omits(now) {
			made[f.name], _ = f.form.tree(now, reflect.Value{}, nil)
		}
	}
	return made
}
