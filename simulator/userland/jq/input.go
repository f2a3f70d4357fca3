package jq

import (
	"errors"
	"io"
)

// What is given to a program from outside.

// Arguments makes the value of $ARGS.
func (m *Machine) Arguments(positional []any, named []Variable) any {
	o := newObject()
	for _, v := range named {
		o = m.set(o, v.Name, v.Value)
	}
	return newObject().with("positional", m.array(positional)).with("named", o)
}

// Collect makes an array of what next returns until io.EOF.
func (m *Machine) Collect(next func() (any, error)) (any, error) {
	a := newArray(nil)
	for {
		v, err := next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, err
		}
		a = m.append(a, v)
	}
}

// ParseAll reads a text of any number of values.
func (m *Machine) ParseAll(text string) (any, error) { return m.Collect(m.NewDecoder(text).Next) }

// Events are what --stream makes of a value: a path and a value for each that is not an array or object or is empty, and the
// last path again where an array or object ends.
func (m *Machine) Events(v any) []any {
	var out []any
	m.events(v, nil, &out)
	return out
}

// ClosesAlone reports whether the last bracket of a value makes two events: that of what stands before it, which is not an array or
// object, and the end of the value, which jq tells later.
func ClosesAlone(events []any) bool {
	if len(events) < 2 {
		return false
	}
	before, _ := elements(events[len(events)-2])
	if len(before) < 2 {
		return false
	}
	_, nests := elements(before[1])
	return !nests
}

func (m *Machine) events(v any, at []any, out *[]any) {
	list, ok := elements(v)
	here := func() any { return m.array(append([]any(nil), at...)) }
	if !ok || len(list) == 0 {
		*out = append(*out, m.array([]any{here(), v}))
		return
	}
	for i, x := range list {
		var key any = float64(i)
		if o, ok := v.(*Object); ok {
			key = o.Key(i)
		}
		m.work(1)
		at = append(at, key)
		m.events(x, at, out)
		if i == len(list)-1 {
			*out = append(*out, m.array([]any{here()}))
		}
		at = at[:len(at)-1]
	}
}
