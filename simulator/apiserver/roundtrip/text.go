package roundtrip

import (
	"reflect"
	"unsafe"
)

// Text returns how many bytes of text there are in the value that v points to: what
// makes an object large. What has none counts as something, too, where there may be many:
// an entry of a map as entrySize, an element of a list as elementSize. Interfaces count as
// nothing: objects of the API have none.
func (p *Plan) Text(v unsafe.Pointer) int {
	if p.text == nil {
		return 0
	}
	return p.text(v)
}

// entrySize stands for the key of a map entry, which is a qualified name at the most, and for a value without text;
// elementSize for an element without text.
const entrySize, elementSize = 320, 16

// countOf compiles the counter of a type, or returns the one that there is.
func (c *Compiler) countOf(t reflect.Type) counter {
	n, ok := c.texts[t]
	if !ok {
		n = counting{}.of(t)
		c.texts[t] = n
	}
	return n
}

// counter counts the bytes of text in a value of a Go type; nil counts none.
type counter func(p unsafe.Pointer) int

// counting compiles a counter. It holds the types that are being compiled, so that one that leads back to itself, as a
// run's status that lists earlier ones, is counted by the counter that it is going to have.
type counting map[reflect.Type]*counter

func (c counting) of(t reflect.Type) counter {
	switch t.Kind() {
	case reflect.String:
		return func(p unsafe.Pointer) int { return len(*(*string)(p)) }
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Struct:
	default:
		return nil
	}
	if made, ok := c[t]; ok {
		return func(p unsafe.Pointer) int {
			if *made == nil { // nothing but the way back to itself
				return 0
			}
			return (*made)(p)
		}
	}
	made := new(counter)
	c[t] = made
	defer delete(c, t)
	switch t.Kind() {
	case reflect.Pointer:
		*made = c.pointer(t)
	case reflect.Slice:
		*made = c.slice(t)
	case reflect.Map:
		*made = c.mapping(t)
	case reflect.Struct:
		*made = c.fields(t)
	}
	return *made
}

func (c counting) pointer(t reflect.Type) counter {
	inner := c.of(t.Elem())
	if inner == nil {
		return nil
	}
	return func(p unsafe.Pointer) int {
		if to := *(*unsafe.Pointer)(p); to != nil {
			return inner(to)
		}
		return 0
	}
}

func (c counting) slice(t reflect.Type) counter {
	if t.Elem().Kind() == reflect.Uint8 {
		return func(p unsafe.Pointer) int { return len(*(*[]byte)(p)) }
	}
	inner, size := c.of(t.Elem()), t.Elem().Size()
	if inner == nil {
		return func(p unsafe.Pointer) int { return len(*(*[]byte)(p)) * elementSize }
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

func (c counting) mapping(t reflect.Type) counter {
	text := t.Key().Kind() == reflect.String
	switch {
	case text && t.Elem().Kind() == reflect.String:
		return func(p unsafe.Pointer) int {
			n := 0
			for k, v := range *(*map[string]string)(p) {
				n += len(k) + len(v)
			}
			return n
		}
	case text && t.Elem() == reflect.TypeFor[[]byte]():
		return func(p unsafe.Pointer) int {
			n := 0
			for k, v := range *(*map[string][]byte)(p) {
				n += len(k) + len(v)
			}
			return n
		}
	}
	inner := c.of(t.Elem())
	return func(p unsafe.Pointer) int {
		m := reflect.NewAt(t, p).Elem()
		n := m.Len() * entrySize
		if inner == nil || n == 0 {
			return n
		}
		value := reflect.New(t.Elem())
		for entries := m.MapRange(); entries.Next(); {
			value.Elem().SetIterValue(entries)
			n += inner(value.UnsafePointer())
		}
		return n
	}
}

func (c counting) fields(t reflect.Type) counter {
	type part struct {
		offset uintptr
		count  counter
	}
	var parts []part
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		if count := c.of(f.Type); count != nil {
			parts = append(parts, part{f.Offset, count})
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
