package roundtrip

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	kjson "sigs.k8s.io/json"
)

// known returns the node of a type whose JSON form is known without looking.
func known(t reflect.Type) *node {
	switch t {
	case reflect.TypeFor[metav1.Time]():
		return &node{
			settle: func(p unsafe.Pointer) {
				u := (*metav1.Time)(p)
				switch {
				case u.IsZero():
					u.Time = time.Time{}
				case u.Nanosecond() != 0 || u.Location() != time.UTC:
					u.Time = u.UTC().Truncate(time.Second)
				}
			},
			equal: func(a, b unsafe.Pointer) bool { return (*metav1.Time)(a).Time.Equal((*metav1.Time)(b).Time) },
			null:  func(p unsafe.Pointer) bool { return (*metav1.Time)(p).IsZero() },
		}
	case reflect.TypeFor[metav1.MicroTime]():
		return &node{
			settle: func(p unsafe.Pointer) {
				u := (*metav1.MicroTime)(p)
				if u.IsZero() {
					u.Time = time.Time{}
				} else {
					u.Time = u.UTC().Truncate(time.Microsecond)
				}
			},
			equal: func(a, b unsafe.Pointer) bool {
				return (*metav1.MicroTime)(a).Time.Equal((*metav1.MicroTime)(b).Time)
			},
			null: func(p unsafe.Pointer) bool { return (*metav1.MicroTime)(p).IsZero() },
		}
	case reflect.TypeFor[metav1.Duration]():
		return &node{equal: sameBytes[metav1.Duration]}
	case reflect.TypeFor[resource.Quantity]():
		return &node{
			settle: func(p unsafe.Pointer) {
				q := (*resource.Quantity)(p)
				*q = canonical(q)
			},
			equal: func(a, b unsafe.Pointer) bool {
				return sameQuantity((*resource.Quantity)(a), (*resource.Quantity)(b))
			},
		}
	case reflect.TypeFor[intstr.IntOrString]():
		return &node{
			settle: func(p unsafe.Pointer) {
				v := (*intstr.IntOrString)(p)
				switch v.Type {
				case intstr.Int:
					v.StrVal = ""
				case intstr.String:
					v.IntVal = 0
					settleString(unsafe.Pointer(&v.StrVal))
				default:
					panic(unencodable{fmt.Errorf("impossible IntOrString.Type %d", v.Type)})
				}
			},
			equal: sameBytes[intstr.IntOrString],
		}
	case reflect.TypeFor[runtime.RawExtension]():
		n := viaJSON(t)
		n.equal = func(a, b unsafe.Pointer) bool {
			return bytes.Equal((*runtime.RawExtension)(a).Raw, (*runtime.RawExtension)(b).Raw)
		}
		return n
	}
	return nil
}

// viaJSON sends a value through real JSON.
func viaJSON(t reflect.Type) *node {
	n := &node{
		settle: func(p unsafe.Pointer) {
			v := reflect.NewAt(t, p)
			data, err := json.Marshal(v.Interface())
			if err != nil {
				panic(unencodable{err})
			}
			fresh := reflect.New(t)
			if err := kjson.UnmarshalCaseSensitivePreserveInts(data, fresh.Interface()); err != nil {
				panic(unencodable{err})
			}
			v.Elem().Set(fresh.Elem())
		},
		equal: func(a, b unsafe.Pointer) bool {
			return reflect.DeepEqual(reflect.NewAt(t, a).Interface(), reflect.NewAt(t, b).Interface())
		},
		null: func(p unsafe.Pointer) bool {
			data, err := json.Marshal(reflect.NewAt(t, p).Interface())
			return err == nil && string(data) == "null"
		},
		addressed: pointerEncoded(t),
	}
	n.merge = func(p, base unsafe.Pointer) {
		if n.equal(p, base) {
			reflect.NewAt(t, p).Elem().Set(reflect.NewAt(t, base).Elem())
		} else {
			n.settle(p)
		}
	}
	return n
}

// pointerEncoded reports whether only the pointer type has an encoder, so that
// JSON uses it for addressable values alone.
func pointerEncoded(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(marshalerType) && !t.Implements(marshalerType) ||
		p.Implements(textMarshalerType) && !t.Implements(textMarshalerType)
}

func anyNode() *node {
	return &node{
		settle: func(p unsafe.Pointer) {
			v := (*any)(p)
			settled, err := Value(*v)
			if err != nil {
				panic(unencodable{err})
			}
			*v = settled
		},
		equal: func(a, b unsafe.Pointer) bool { return EqualValues(*(*any)(a), *(*any)(b)) },
		null:  func(p unsafe.Pointer) bool { return *(*any)(p) == nil },
	}
}

// canonical returns a quantity as its text is read back.
func canonical(q *resource.Quantity) resource.Quantity {
	parsed, err := resource.ParseQuantity(q.String())
	if err != nil {
		panic(unencodable{err})
	}
	return parsed
}

func sameQuantity(x, y *resource.Quantity) bool { return x.Format == y.Format && x.Cmp(*y) == 0 }

// settleQuantities and equalQuantities handle every map of a kind of string to
// quantities, such as a ResourceList.
func settleQuantities(p unsafe.Pointer) {
	m := (*map[string]resource.Quantity)(p)
	if *m == nil {
		return
	}
	fresh := make(map[string]resource.Quantity, len(*m))
	//plumbline:unordered one map is made of another
	for k, v := range *m {
		settleString(unsafe.Pointer(&k))
		fresh[k] = canonical(&v)
	}
	*m = fresh
}

func equalQuantities(a, b unsafe.Pointer) bool {
	x, y := *(*map[string]resource.Quantity)(a), *(*map[string]resource.Quantity)(b)
	if len(x) != len(y) || (x == nil) != (y == nil) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || !sameQuantity(&v, &w) {
			return false
		}
	}
	return true
}

// settleString replaces what is not UTF-8, as a JSON encoder does, byte by byte.
func settleString(p unsafe.Pointer) {
	s := (*string)(p)
	if !utf8.ValidString(*s) {
		*s = string([]rune(*s))
	}
}

func settleStrings(p unsafe.Pointer) {
	s := (*[]string)(p)
	if *s == nil {
		return
	}
	*s = append(make([]string, 0, len(*s)), *s...)
	for i := range *s {
		settleString(unsafe.Pointer(&(*s)[i]))
	}
}

func equalStrings(a, b unsafe.Pointer) bool {
	x, y := *(*[]string)(a), *(*[]string)(b)
	if len(x) != len(y) || (x == nil) != (y == nil) {
		return false
	}
	for i := range x {
		if x[i] != y[i] {
			return false
		}
	}
	return true
}

func settleStringMap(p unsafe.Pointer) {
	m := (*map[string]string)(p)
	if *m == nil {
		return
	}
	fresh := make(map[string]string, len(*m))
	//plumbline:unordered one map is made of another
	for k, v := range *m {
		settleString(unsafe.Pointer(&k))
		settleString(unsafe.Pointer(&v))
		fresh[k] = v
	}
	*m = fresh
}

func equalStringMap(a, b unsafe.Pointer) bool {
	x, y := *(*map[string]string)(a), *(*map[string]string)(b)
	if len(x) != len(y) || (x == nil) != (y == nil) {
		return false
	}
	for k, v := range x {
		if w, ok := y[k]; !ok || v != w {
			return false
		}
	}
	return true
}
