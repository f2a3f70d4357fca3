package roundtrip

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"slices"
	"time"
	"unsafe"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/json"
)

// Packing writes settled values of one type as few bytes and reads them back. Fields that are zero take a bit each, numbers
// and times a few bytes, UUIDs sixteen. It is a form for memory alone: it has no version and never leaves the process.
type Packing struct {
	t reflect.Type
	c *codec
}

// Packing returns how to pack values of t. It fails for types that JSON cannot carry and for structs of more fields than
// a mask has bits.
func (c *Compiler) Packing(t reflect.Type) (*Packing, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, err := c.codecOf(t)
	if err != nil {
		return nil, fmt.Errorf("packing of %s: %w", t, err)
	}
	return &Packing{t, p}, nil
}

// Packer is the memory that packing needs besides its result, to be used again.
type Packer struct {
	Bytes []byte // what has been packed
	keys  []string
}

// Pack appends the value that v points to. The value is only read.
func (p *Packing) Pack(to *Packer, v unsafe.Pointer) { p.c.write(to, v) }

// Unpack returns a pointer to a new value: the one that text was packed from. Its strings share text's memory.
func (p *Packing) Unpack(text string) reflect.Value {
	v := reflect.New(p.t)
	p.c.read(&unpacker{text}, v.UnsafePointer())
	return v
}

// unpacker is what is left to read. Packed bytes come from this process alone, so that reading cannot fail.
type unpacker struct{ text string }

func (u *unpacker) take(n int) string {
	s := u.text[:n]
	u.text = u.text[n:]
	return s
}

func (u *unpacker) uint() uint64 {
	var n uint64
	for shift := 0; ; shift += 7 {
		b := u.text[0]
		u.text = u.text[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
	}
}

func (u *unpacker) int() int64 {
	n := u.uint()
	return int64(n>>1) ^ -int64(n&1)
}

func (p *Packer) uint(n uint64) { p.Bytes = binary.AppendUvarint(p.Bytes, n) }

func (p *Packer) int(n int64) { p.Bytes = binary.AppendVarint(p.Bytes, n) }

// codec packs values of one type. read gets a pointer to a zero value.
type codec struct {
	write func(to *Packer, p unsafe.Pointer)
	read  func(from *unpacker, p unsafe.Pointer)
	// zero reports whether a value is packed as nothing: it has only bytes that are zero.
	zero func(p unsafe.Pointer) bool
}

func (c *Compiler) codecOf(t reflect.Type) (*codec, error) {
	if k, ok := c.codecs[t]; ok {
		return k, nil
	}
	k := &codec{} // a type that contains itself meets this one and calls it when it is finished
	c.codecs[t] = k
	if err := c.buildCodec(k, t); err != nil {
		delete(c.codecs, t)
		return nil, err
	}
	k.zero = zeroMemory(t.Size())
	return k, nil
}

func (c *Compiler) buildCodec(k *codec, t reflect.Type) error {
	switch t {
	case reflect.TypeFor[metav1.Time]():
		packTime(k, time.Second)
		return nil
	case reflect.TypeFor[metav1.MicroTime]():
		packTime(k, time.Microsecond)
		return nil
	case reflect.TypeFor[resource.Quantity]():
		packQuantity(k)
		return nil
	case reflect.TypeFor[runtime.RawExtension]():
		k.write = func(to *Packer, p unsafe.Pointer) { to.bytes((*runtime.RawExtension)(p).Raw) }
		k.read = func(from *unpacker, p unsafe.Pointer) { (*runtime.RawExtension)(p).Raw = from.bytes() }
		return nil
	case reflect.TypeFor[metav1.Duration](), reflect.TypeFor[intstr.IntOrString]():
		// All they hold is in their fields.
	default:
		if custom(t) || t.Kind() == reflect.Interface {
			packJSON(k, t)
			return nil
		}
	}
	switch t.Kind() {
	case reflect.Bool, reflect.Uint8:
		packByte(k)
	case reflect.Int8:
		packInt[int8](k)
	case reflect.Int16:
		packInt[int16](k)
	case reflect.Int32:
		packInt[int32](k)
	case reflect.Int, reflect.Int64:
		packInt[int64](k)
	case reflect.Uint16:
		packUint[uint16](k)
	case reflect.Uint32:
		packUint[uint32](k)
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		packUint[uint64](k)
	case reflect.Float32, reflect.Float64:
		packFloat(k, t)
	case reflect.String:
		k.write = func(to *Packer, p unsafe.Pointer) { to.string(*(*string)(p)) }
		k.read = func(from *unpacker, p unsafe.Pointer) { *(*string)(p) = from.string() }
	case reflect.Pointer:
		return c.packPointer(k, t)
	case reflect.Slice:
		return c.packSlice(k, t)
	case reflect.Array:
		return c.packArray(k, t)
	case reflect.Map:
		return c.packMap(k, t)
	case reflect.Struct:
		return c.packStruct(k, t)
	default:
		return fmt.Errorf("a %s cannot be packed", t.Kind())
	}
	return nil
}

// zeroMemory returns a function that reports whether so many bytes are all zero.
func zeroMemory(size uintptr) func(unsafe.Pointer) bool {
	if size == unsafe.Sizeof("") {
		return func(p unsafe.Pointer) bool { return *(*[2]uint64)(p) == [2]uint64{} }
	}
	return func(p unsafe.Pointer) bool {
		for i := uintptr(0); i+8 <= size; i += 8 {
			if *(*uint64)(unsafe.Add(p, i)) != 0 {
				return false
			}
		}
		for i := size &^ 7; i < size; i++ {
			if *(*byte)(unsafe.Add(p, i)) != 0 {
				return false
			}
		}
		return true
	}
}

func packByte(k *codec) {
	k.write = func(to *Packer, p unsafe.Pointer) { to.Bytes = append(to.Bytes, *(*byte)(p)) }
	k.read = func(from *unpacker, p unsafe.Pointer) { *(*byte)(p) = from.take(1)[0] }
}

func packInt[T int8 | int16 | int32 | int64](k *codec) {
	k.write = func(to *Packer, p unsafe.Pointer) { to.int(int64(*(*T)(p))) }
	k.read = func(from *unpacker, p unsafe.Pointer) { *(*T)(p) = T(from.int()) }
}

func packUint[T uint16 | uint32 | uint64](k *codec) {
	k.write = func(to *Packer, p unsafe.Pointer) { to.uint(uint64(*(*T)(p))) }
	k.read = func(from *unpacker, p unsafe.Pointer) { *(*T)(p) = T(from.uint()) }
}

func packFloat(k *codec, t reflect.Type) {
	if t.Kind() == reflect.Float32 {
		k.write = func(to *Packer, p unsafe.Pointer) { to.uint(uint64(math.Float32bits(*(*float32)(p)))) }
		k.read = func(from *unpacker, p unsafe.Pointer) { *(*float32)(p) = math.Float32frombits(uint32(from.uint())) }
		return
	}
	k.write = func(to *Packer, p unsafe.Pointer) { to.uint(math.Float64bits(*(*float64)(p))) }
	k.read = func(from *unpacker, p unsafe.Pointer) { *(*float64)(p) = math.Float64frombits(from.uint()) }
}

// packTime packs settled times, which are whole units in UTC. metav1.Time and metav1.MicroTime hold nothing but a
// time.Time.
func packTime(k *codec, unit time.Duration) {
	k.write = func(to *Packer, p unsafe.Pointer) {
		t := *(*time.Time)(p)
		to.int(t.Unix())
		if unit != time.Second {
			to.uint(uint64(t.Nanosecond()) / uint64(unit))
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		seconds, rest := from.int(), int64(0)
		if unit != time.Second {
			rest = int64(from.uint()) * int64(unit)
		}
		*(*time.Time)(p) = time.Unix(seconds, rest).UTC()
	}
}

func packQuantity(k *codec) {
	k.write = func(to *Packer, p unsafe.Pointer) {
		q := *(*resource.Quantity)(p) // String would note the text in the quantity itself
		to.string(q.String())
	}
	k.read = func(from *unpacker, p unsafe.Pointer) { *(*resource.Quantity)(p) = resource.MustParse(from.string()) }
}

// packJSON packs what only its own code can encode.
func packJSON(k *codec, t reflect.Type) {
	k.write = func(to *Packer, p unsafe.Pointer) {
		data, err := json.Marshal(reflect.NewAt(t, p).Interface())
		if err != nil {
			panic(unencodable{err})
		}
		to.bytes(data)
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		if err := json.Unmarshal(from.bytes(), reflect.NewAt(t, p).Interface()); err != nil {
			panic(unencodable{err})
		}
	}
}

// A text begins with twice its length, one more if it is a UUID, of which only the digits follow.
const uuidLength = 36

func (p *Packer) string(s string) {
	if id, ok := parseUUID(s); ok {
		p.uint(uuidLength<<1 | 1)
		p.Bytes = append(p.Bytes, id[:]...)
		return
	}
	p.uint(uint64(len(s)) << 1)
	p.Bytes = append(p.Bytes, s...)
}

func (u *unpacker) string() string {
	n := u.uint()
	if n&1 == 0 {
		return u.take(int(n >> 1))
	}
	return formatUUID(u.take(16))
}

// parseUUID reads a UUID in the one spelling that formatUUID writes.
func parseUUID(s string) (id [16]byte, ok bool) {
	if len(s) != uuidLength || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	n := 0
	for i := 0; i < uuidLength; i += 2 {
		if s[i] == '-' {
			i++
		}
		high, low := hexDigit(s[i]), hexDigit(s[i+1])
		if high > 15 || low > 15 {
			return id, false
		}
		id[n] = high<<4 | low
		n++
	}
	return id, true
}

func hexDigit(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 16
}

func formatUUID(id string) string {
	var digits [32]byte
	hex.Encode(digits[:], []byte(id))
	var s [uuidLength]byte
	at := 0
	for _, part := range [][]byte{digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]} {
		if at > 0 {
			s[at] = '-'
			at++
		}
		at += copy(s[at:], part)
	}
	return string(s[:])
}

// bytes packs nil and empty differently, as it does for slices and maps: the length comes as one more.
func (p *Packer) bytes(b []byte) {
	if b == nil {
		p.uint(0)
		return
	}
	p.uint(uint64(len(b)) + 1)
	p.Bytes = append(p.Bytes, b...)
}

func (u *unpacker) bytes() []byte {
	n := u.uint()
	if n == 0 {
		return nil
	}
	return append(make([]byte, 0, n-1), u.take(int(n-1))...)
}

func (c *Compiler) packPointer(k *codec, t reflect.Type) error {
	elem := t.Elem()
	e, err := c.codecOf(elem)
	if err != nil {
		return err
	}
	k.write = func(to *Packer, p unsafe.Pointer) {
		q := *(*unsafe.Pointer)(p)
		if q == nil {
			to.Bytes = append(to.Bytes, 0)
			return
		}
		to.Bytes = append(to.Bytes, 1)
		e.write(to, q)
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		if from.take(1)[0] == 0 {
			return
		}
		q := reflect.New(elem).UnsafePointer()
		e.read(from, q)
		*(*unsafe.Pointer)(p) = q
	}
	return nil
}

func (c *Compiler) packSlice(k *codec, t reflect.Type) error {
	elem := t.Elem()
	if elem.Kind() == reflect.Uint8 && !custom(elem) {
		k.write = func(to *Packer, p unsafe.Pointer) { to.bytes(*(*[]byte)(p)) }
		k.read = func(from *unpacker, p unsafe.Pointer) { *(*[]byte)(p) = from.bytes() }
		return nil
	}
	e, err := c.codecOf(elem)
	if err != nil {
		return err
	}
	size, backing := elem.Size(), backingOf(elem)
	k.write = func(to *Packer, p unsafe.Pointer) {
		h := (*sliceHeader)(p)
		if h.data == nil {
			to.uint(0)
			return
		}
		to.uint(uint64(h.len) + 1)
		for i := range h.len {
			e.write(to, unsafe.Add(h.data, uintptr(i)*size))
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		n := int(from.uint()) - 1
		if n < 0 {
			return
		}
		data := backing(n)
		for i := range n {
			e.read(from, unsafe.Add(data, uintptr(i)*size))
		}
		*(*sliceHeader)(p) = sliceHeader{data, n, n}
	}
	return nil
}

func (c *Compiler) packArray(k *codec, t reflect.Type) error {
	e, err := c.codecOf(t.Elem())
	if err != nil {
		return err
	}
	size, n := t.Elem().Size(), t.Len()
	k.write = func(to *Packer, p unsafe.Pointer) {
		for i := range n {
			e.write(to, unsafe.Add(p, uintptr(i)*size))
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		for i := range n {
			e.read(from, unsafe.Add(p, uintptr(i)*size))
		}
	}
	return nil
}

func (c *Compiler) packMap(k *codec, t reflect.Type) error {
	if t == reflect.TypeFor[map[string]string]() {
		packStringMap(k)
		return nil
	}
	elem := t.Elem()
	en, err := c.compile(elem)
	if err != nil {
		return err
	}
	if t.Key().Kind() != reflect.String || custom(t.Key()) || en.addressed {
		packJSON(k, t)
		return nil
	}
	e, err := c.codecOf(elem)
	if err != nil {
		return err
	}
	k.write = func(to *Packer, p unsafe.Pointer) {
		m := reflect.NewAt(t, p).Elem()
		if m.IsNil() {
			to.uint(0)
			return
		}
		to.uint(uint64(m.Len()) + 1)
		keys := m.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return compareText(a.String(), b.String()) })
		v := reflect.New(elem)
		for _, key := range keys {
			to.string(key.String())
			v.Elem().Set(m.MapIndex(key))
			e.write(to, v.UnsafePointer())
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		n := int(from.uint()) - 1
		if n < 0 {
			return
		}
		m, key := reflect.MakeMapWithSize(t, n), reflect.New(t.Key()).Elem()
		for range n {
			key.SetString(from.string())
			v := reflect.New(elem)
			e.read(from, v.UnsafePointer())
			m.SetMapIndex(key, v.Elem())
		}
		reflect.NewAt(t, p).Elem().Set(m)
	}
	return nil
}

func packStringMap(k *codec) {
	k.write = func(to *Packer, p unsafe.Pointer) {
		m := *(*map[string]string)(p)
		if m == nil {
			to.uint(0)
			return
		}
		to.uint(uint64(len(m)) + 1)
		keys := to.keys[:0]
		for key := range m {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		to.keys = keys
		for _, key := range to.keys {
			to.string(key)
			to.string(m[key])
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		n := int(from.uint()) - 1
		if n < 0 {
			return
		}
		m := make(map[string]string, n)
		for range n {
			key := from.string()
			m[key] = from.string()
		}
		*(*map[string]string)(p) = m
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// maxFields is how many bits the mask of a struct has.
const maxFields = 64

var errManyFields = errors.New("too many fields")

// packStruct packs a mask that says which fields are not zero, and those fields. What is not exported is zero in a
// settled value.
func (c *Compiler) packStruct(k *codec, t reflect.Type) error {
	type field struct {
		offset uintptr
		*codec
	}
	var fields []field
	for f := range t.Fields() {
		if f.Tag.Get("json") == "-" || !f.IsExported() && (!f.Anonymous || f.Type.Kind() != reflect.Struct) {
			continue
		}
		fk, err := c.codecOf(f.Type)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		fields = append(fields, field{f.Offset, fk})
	}
	if len(fields) > maxFields {
		return errManyFields
	}
	k.write = func(to *Packer, p unsafe.Pointer) {
		var mask uint64
		for i := range fields {
			if !fields[i].zero(unsafe.Add(p, fields[i].offset)) {
				mask |= 1 << i
			}
		}
		to.uint(mask)
		for ; mask != 0; mask &= mask - 1 {
			f := &fields[bits.TrailingZeros64(mask)]
			f.write(to, unsafe.Add(p, f.offset))
		}
	}
	k.read = func(from *unpacker, p unsafe.Pointer) {
		for mask := from.uint(); mask != 0; mask &= mask - 1 {
			f := &fields[bits.TrailingZeros64(mask)]
			f.read(from, unsafe.Add(p, f.offset))
		}
	}
	return nil
}
