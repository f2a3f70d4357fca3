// Package harmless makes whole documents harmless to print: package visible does it for single texts.
package harmless

import (
	"io"
	"reflect"
	"strings"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// Copy returns a copy of a document for people, in which every text is harmless to print: a line, or several lines where
// the field's tag says print:"lines". Documents for programs keep their texts.
func Copy[T any](document *T) *T {
	out := *document
	show(reflect.ValueOf(&out).Elem(), visible.Line)
	return &out
}

// show makes the texts of a value visible. What the value refers to is copied first.
func show(v reflect.Value, as func(string) string) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(as(strings.TrimRight(v.String(), "\n")))
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Type().Field(i)
			if !field.IsExported() {
				continue
			}
			as := visible.Line
			if field.Tag.Get("print") == "lines" {
				as = visible.Text
			}
			show(v.Field(i), as)
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		list := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(list, v)
		for i := range list.Len() {
			show(list.Index(i), as)
		}
		v.Set(list)
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		value := reflect.New(v.Type().Elem())
		value.Elem().Set(v.Elem())
		show(value.Elem(), as)
		v.Set(value)
	}
}

// Write writes what was rendered for people, without orders to the runner of a CI job.
func Write(w io.Writer, rendered []byte) error {
	_, err := w.Write(visible.Commands(rendered))
	return err
}
