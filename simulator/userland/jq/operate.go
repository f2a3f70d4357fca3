package jq

import (
	"math"
	"strings"
)

func (m *Machine) unsuited(l, r any, what string) error {
	return failure("%s (%s) and %s (%s) cannot be %s", kind(l), m.brief(l, 15), kind(r), m.brief(r, 15), what)
}

func add(m *Machine, l, r any) (any, error) {
	if l == nil {
		return r, nil
	}
	if r == nil {
		return l, nil
	}
	switch l := l.(type) {
	case float64:
		if r, ok := r.(float64); ok {
			return l + r, nil
		}
	case string:
		if r, ok := r.(string); ok {
			m.reserve(int64(len(l) + len(r)))
			m.work((len(l) + len(r)) / 256)
			return l + r, nil
		}
	case *Array:
		if r, ok := r.(*Array); ok {
			return m.concat(l, r), nil
		}
	case *Object:
		if r, ok := r.(*Object); ok {
			if l.Len() == 0 {
				return r, nil
			}
			for i, v := range r.items {
				l = m.set(l, r.Key(i), v)
			}
			return l, nil
		}
	}
	return nil, m.unsuited(l, r, "added")
}

func (m *Machine) concat(l, r *Array) *Array {
	if len(l.items) == 0 {
		return r
	}
	if len(r.items) <= 4 || len(r.items) < len(l.items)/4 {
		for _, v := range r.items {
			l = m.append(l, v)
		}
		return l
	}
	n := len(l.items) + len(r.items)
	m.reserve(int64(n) * cellSize)
	m.work(n / 16)
	items := make([]any, 0, n)
	return m.array(append(append(items, l.items...), r.items...))
}

func subtract(m *Machine, l, r any) (any, error) {
	switch l := l.(type) {
	case float64:
		if r, ok := r.(float64); ok {
			return l - r, nil
		}
	case *Array:
		if r, ok := r.(*Array); ok {
			out := newArray(nil)
			for _, v := range l.items {
				if !m.has(r, v) {
					out = m.append(out, v)
				}
			}
			return out, nil
		}
	}
	return nil, m.unsuited(l, r, "subtracted")
}

func (m *Machine) has(a *Array, v any) bool {
	for _, x := range a.items {
		if m.compare(x, v) == 0 {
			return true
		}
	}
	return false
}

func multiply(m *Machine, l, r any) (any, error) {
	switch x := l.(type) {
	case float64:
		switch y := r.(type) {
		case float64:
			return x * y, nil
		case string:
			return m.repeat(y, x), nil
		}
	case string:
		if y, ok := r.(float64); ok {
			return m.repeat(x, y), nil
		}
	case *Object:
		if y, ok := r.(*Object); ok {
			return m.merge(x, y), nil
		}
	}
	return nil, m.unsuited(l, r, "multiplied")
}

// repeat repeats a string: n-1 more times, as long as that is more than nothing.
func (m *Machine) repeat(s string, n float64) any {
	if !(n > 0) {
		return nil
	}
	times := math.Max(1, math.Floor(n))
	if size := times * float64(len(s)); size > 1<<50 {
		m.reserve(1 << 50)
	} else {
		m.reserve(int64(size))
		m.work(int(size / 256))
	}
	return strings.Repeat(s, int(times))
}

// merge puts r into l, objects in them likewise.
func (m *Machine) merge(l, r *Object) *Object {
	for i, v := range r.items {
		key := r.Key(i)
		if inner, ok := v.(*Object); ok {
			if old, _ := l.Get(key); old != nil {
				if o, ok := old.(*Object); ok {
					v = m.merge(o, inner)
				}
			}
		}
		l = m.set(l, key, v)
	}
	return l
}

func divide(m *Machine, l, r any) (any, error) {
	switch x := l.(type) {
	case float64:
		if y, ok := r.(float64); ok {
			if y == 0 {
				return nil, m.unsuited(l, r, "divided because the divisor is zero")
			}
			return x / y, nil
		}
	case string:
		if y, ok := r.(string); ok {
			return m.split(x, y), nil
		}
	}
	return nil, m.unsuited(l, r, "divided")
}

func (m *Machine) split(s, by string) any {
	out := newArray(nil)
	if s == "" {
		return out
	}
	if by == "" {
		for _, r := range s {
			out = m.append(out, string(r))
		}
		return out
	}
	for part := range strings.SplitSeq(s, by) {
		m.work(1 + len(part)/256)
		out = m.append(out, part)
	}
	return out
}

func modulo(m *Machine, l, r any) (any, error) {
	x, ok := l.(float64)
	y, also := r.(float64)
	if !ok || !also {
		return nil, m.unsuited(l, r, "divided")
	}
	a, b := whole(x), whole(y)
	if b == 0 {
		return nil, m.unsuited(l, r, "divided (remainder) because the divisor is zero")
	}
	if b < 0 {
		b = -b
	}
	if b <= 0 { // the smallest number has no opposite
		return float64(a), nil
	}
	return float64(a % b), nil
}

// whole is a number as an integer of C.
func whole(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func comparison(is func(int) bool) func(*Machine, any, any) (any, error) {
	return func(m *Machine, l, r any) (any, error) { return is(m.compare(l, r)), nil }
}

func equal(m *Machine, l, r any) (any, error)    { return m.compare(l, r) == 0, nil }
func notEqual(m *Machine, l, r any) (any, error) { return m.compare(l, r) != 0, nil }
