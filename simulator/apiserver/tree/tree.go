// Package tree turns Go objects into trees: what decoding their JSON into an empty interface gives, made of nil, bool,
// int64, float64, string, []any and map[string]any.
//
// It does what runtime.DefaultUnstructuredConverter does, and can do it for one version of an object after the other: the
// tree of a version then shares with the tree of the version before every part that did not change. Versions of a stored
// object share their memory the same way, so most of an object is recognised by its address. A status update of a Pod costs a few dozen
// allocations instead of six hundred.
//
// # Who owns what
//
// [Converter.Tree] returns a new tree, which the caller may change. The tree that [Converter.Next] returns shares
// with the one that it was given, so neither may be changed from then on.
//
// # Limits
//
// Objects must not change while they are converted, and in Next not between the conversions either. Structs that embed
// pointers, or fields that shadow others, are left to the converter of package runtime as a whole.
package tree

import (
	"fmt"
	"reflect"
	"sync"

	"k8s.io/apimachinery/pkg/runtime"
)

// Converter converts objects and remembers their types. It is safe for concurrent use, and best shared.
type Converter struct {
	mu    sync.RWMutex
	forms map[reflect.Type]*form
}

// NewConverter returns a converter that knows no types yet.
func NewConverter() *Converter { return &Converter{forms: map[reflect.Type]*form{}} }

// Tree returns the tree of an object, a pointer to a struct.
func (c *Converter) Tree(object any) (map[string]any, error) {
	return c.convert(reflect.ValueOf(object), reflect.Value{}, nil)
}

// Next returns the tree of an object that follows on base, whose tree was returned before. It shares with that tree what
// did not change. Objects of different types share nothing.
func (c *Converter) Next(object, base any, before map[string]any) (map[string]any, error) {
	v, b := reflect.ValueOf(object), reflect.ValueOf(base)
	if b.Kind() != reflect.Pointer || b.IsNil() || v.Type() != b.Type() {
		return c.Tree(object)
	}
	return c.convert(v, b.Elem(), before)
}

func (c *Converter) convert(v, base reflect.Value, before map[string]any) (tree map[string]any, err error) {
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("a %s is no pointer to a struct", v.Type())
	}
	defer func() {
		if r := recover(); r != nil {
			refused, ok := r.(unencodable)
			if !ok {
				panic(r)
			}
			err = refused.error
		}
	}()
	made, _ := c.form(v.Type().Elem()).tree(v.Elem(), base, before)
	tree, ok := made.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("a %s is not encoded as an object", v.Type())
	}
	return tree, nil
}

// unencodable carries an error out of a walk.
type unencodable struct{ error }

// form is how values of one type are converted.
type form struct {
	// tree converts v. If base is valid, before is its tree, and the second answer reports that v has the same one. Without
	// a base, before is nil.
	tree converting
}

// form returns the form of a type.
func (c *Converter) form(t reflect.Type) *form {
	c.mu.RLock()
	f := c.forms[t]
	c.mu.RUnlock()
	if f != nil {
		return f
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Forms become known all at once, so that no conversion meets an incomplete one.
	found := discovery{known: c.forms, fresh: map[reflect.Type]*form{}, converter: c}
	f = found.form(t)
	//plumbline:unordered one map is added to another
	for t, fresh := range found.fresh {
		c.forms[t] = fresh
	}
	return f
}

// viaRuntime leaves a struct to the converter of package runtime.
func viaRuntime(v, _ reflect.Value, _ any) (any, bool) {
	pointer := reflect.New(v.Type())
	pointer.Elem().Set(v)
	made, err := runtime.DefaultUnstructuredConverter.ToUnstructured(pointer.Interface())
	if err != nil {
		panic(unencodable{err})
	}
	return made, false
}
