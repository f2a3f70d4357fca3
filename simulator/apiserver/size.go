package apiserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// How large things may be: a request, and what is stored of it, which is etcd's limit.
const (
	maxRequest = 3 << 20
	maxStored  = 3 << 19
	// maxUnweighed is how much text a part of an object may have without the object
	// being weighed. An object has three parts; one of them, metadata, has its own limit.
	maxUnweighed = maxStored / 3
)

var errTooLarge = errors.New("etcdserver: request is too large")

// checkRequest refuses a body that is too long to be read.
func checkRequest(length int) error {
	if length <= maxRequest {
		return nil
	}
	return apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", maxRequest))
}

// fits refuses an object that is too large to be stored. Of its parts only those are
// looked at that a write has changed, and only an object with much text in one of
// them is really weighed.
func (r *resource) fits(obj client.Object, rest, status bool) error {
	if r.shape.text(obj, rest, status) <= maxUnweighed {
		return nil
	}
	weight := 0
	if p, ok := obj.(interface{ Size() int }); ok {
		weight = p.Size()
	} else if data, err := json.Marshal(obj); err == nil {
		weight = len(data)
	}
	if weight <= maxStored {
		return nil
	}
	if err := checkRequest(weight); err != nil {
		return err
	}
	return internal(errTooLarge)
}

// text implements shape: how many bytes of text the largest of some parts has.
func (sh *typedShape) text(obj client.Object, rest, status bool) int {
	most := 0
	p := address(obj)
	if rest {
		for i := range sh.rest {
			most = max(most, sh.rest[i].text.of(unsafe.Add(p, sh.rest[i].offset)))
		}
	}
	if status && sh.status != nil {
		most = max(most, sh.status.text.of(unsafe.Add(p, sh.status.offset)))
	}
	return most
}

func (looseShape) text(obj client.Object, rest, status bool) int {
	most := 0
	for k, v := range content(obj) {
		if rest && isRest(k) || status && k == "status" {
			most = max(most, textOf(v))
		}
	}
	return most
}

func textOf(v any) int {
	n := 0
	switch x := v.(type) {
	case string:
		return len(x)
	case map[string]any:
		for k, v := range x {
			n += len(k) + textOf(v)
		}
	case []any:
		for _, v := range x {
			n += textOf(v)
		}
	}
	return n
}

// counter counts the bytes of text in a value of a Go type; nil counts none.
type counter func(p unsafe.Pointer) int

func (c counter) of(p unsafe.Pointer) int {
	if c == nil {
		return 0
	}
	return c(p)
}

// countText compiles the counter of a type. Maps of anything but text, and types that
// lead back to themselves, count as nothing.
func countText(t reflect.Type, within ...reflect.Type) counter {
	for _, w := range within {
		if w == t {
			return nil
		}
	}
	within = append(within[:len(within):len(within)], t)
	switch t.Kind() {
	case reflect.String:
		return func(p unsafe.Pointer) int { return len(*(*string)(p)) }
	case reflect.Pointer:
		inner := countText(t.Elem(), within...)
		if inner == nil {
			return nil
		}
		return func(p unsafe.Pointer) int {
			if to := *(*unsafe.Pointer)(p); to != nil {
				return inner(to)
			}
			return 0
		}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return func(p unsafe.Pointer) int { return len(*(*[]byte)(p)) }
		}
		return countElements(t.Elem(), within)
	case reflect.Map:
		return countMap(t)
	case reflect.Struct:
		return countFields(t, within)
	}
	return nil
}

func countElements(t reflect.Type, within []reflect.Type) counter {
	inner, size := countText(t, within...), t.Size()
	if inner == nil {
		return nil
	}
	return func(p unsafe.Pointer) int {
		list := *(*[]byte)(p) // the header of any slice: its length counts elements
		n, at := 0, unsafe.Pointer(unsafe.SliceData(list))
		for i := range len(list) {
			n += inner(unsafe.Add(at, uintptr(i)*size))
		}
		return n
	}
}

func countMap(t reflect.Type) counter {
	if t.Key().Kind() != reflect.String {
		return nil
	}
	switch {
	case t.Elem().Kind() == reflect.String:
		return func(p unsafe.Pointer) int {
			n := 0
			for k, v := range *(*map[string]string)(p) {
				n += len(k) + len(v)
			}
			return n
		}
	case t.Elem() == reflect.TypeFor[[]byte]():
		return func(p unsafe.Pointer) int {
			n := 0
			for k, v := range *(*map[string][]byte)(p) {
				n += len(k) + len(v)
			}
			return n
		}
	}
	return nil
}

func countFields(t reflect.Type, within []reflect.Type) counter {
	type part struct {
		offset uintptr
		count  counter
	}
	var parts []part
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		if c := countText(f.Type, within...); c != nil {
			parts = append(parts, part{f.Offset, c})
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return func(p unsafe.Pointer) int {
		n := 0
		for i := range parts {
			n += parts[i].count(unsafe.Add(p, parts[i].offset))
		}
		return n
	}
}
