package fake

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"reflect"
	"time"
)

// fingerprints tell whether an object was changed in place, without a copy of it to compare with. All values that an
// object leads to count, as for reflect.DeepEqual. A change goes unseen once in 2^64 times.
type fingerprints struct{ seed maphash.Seed }

func newFingerprints() fingerprints { return fingerprints{maphash.MakeSeed()} }

// of returns the fingerprint of what a pointer leads to. It is of use within one process alone.
func (f fingerprints) of(object any) uint64 {
	var h maphash.Hash
	h.SetSeed(f.seed)
	f.add(&h, reflect.ValueOf(object))
	return h.Sum64()
}

func (f fingerprints) add(h *maphash.Hash, v reflect.Value) {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			number(h, 1)
		} else {
			number(h, 0)
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		number(h, uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		number(h, v.Uint())
	case reflect.Float32, reflect.Float64:
		number(h, math.Float64bits(v.Float()))
	case reflect.String:
		number(h, uint64(v.Len()))
		_, _ = h.WriteString(v.String())
	case reflect.Pointer, reflect.Interface:
		if !present(h, v) {
			return
		}
		if v.Type() == reflect.TypeFor[*time.Location]() {
			number(h, uint64(v.Pointer())) // which is not the object's
			return
		}
		f.add(h, v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			f.add(h, v.Field(i))
		}
	case reflect.Array, reflect.Slice:
		if v.Kind() == reflect.Slice && !present(h, v) {
			return
		}
		number(h, uint64(v.Len()))
		for i := range v.Len() {
			f.add(h, v.Index(i))
		}
	case reflect.Map:
		if !present(h, v) {
			return
		}
		number(h, uint64(v.Len()))
		var sum uint64                 // in any order
		if texts, ok := texts(v); ok { // without a copy of each
			for key, value := range texts {
				var one maphash.Hash
				one.SetSeed(f.seed)
				number(&one, uint64(len(key)))
				_, _ = one.WriteString(key)
				_, _ = one.WriteString(value)
				sum += one.Sum64()
			}
			number(h, sum)
			return
		}
		for entries := v.MapRange(); entries.Next(); {
			var one maphash.Hash
			one.SetSeed(f.seed)
			f.add(&one, entries.Key())
			f.add(&one, entries.Value())
			sum += one.Sum64()
		}
		number(h, sum)
	}
}

func texts(v reflect.Value) (map[string]string, bool) {
	if !v.CanInterface() {
		return nil, false
	}
	m, ok := v.Interface().(map[string]string)
	return m, ok
}

func present(h *maphash.Hash, v reflect.Value) bool {
	if v.IsNil() {
		number(h, 0)
		return false
	}
	number(h, 1)
	return true
}

func number(h *maphash.Hash, n uint64) {
	var bytes [8]byte
	binary.LittleEndian.PutUint64(bytes[:], n)
	_, _ = h.Write(bytes[:])
}
