package roundtrip

import (
	"reflect"
	"unsafe"
)

// Text returns how many bytes of text there are in the value that v points to: what
// makes an object large. Maps of anything but text, and types that lead back to
// themselves, count as nothing.
func (p *Plan) Text(v unsafe.Pointer) int {
	if p.text == nil {
		return 0
	}
	return p.text(v)
}

// countOf compiles the counter of a type, or returns the one that there is.
func (c *Compiler) countOf(t reflect.Type) counter {
	n, ok := c.texts[t]
	if !ok {
		n = countText(t)
		c.texts[t] = n
	}
	return n
}

// counter counts the bytes of text in a value of a Go type; nil counts none.
type counter func(p unsafe.Pointer) int

// countText compiles the counter of a type.
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
