package awk

import (
	"math"
	"strconv"
	"strings"
)

// value is a number or a string. One that came from outside is an input: a number when it looks like one.
type value struct {
	kind kind
	n    float64
	s    string
}

type kind uint8

const (
	unset kind = iota
	isNumber
	isString
	isInput
)

func num(n float64) value  { return value{kind: isNumber, n: n} }
func str(s string) value   { return value{kind: isString, s: s} }
func input(s string) value { return value{kind: isInput, s: s} }
func truth(b bool) value {
	if b {
		return num(1)
	}
	return num(0)
}

// number returns the value as a number.
func (v value) number() float64 {
	if v.kind == isString || v.kind == isInput {
		n, _ := numberPrefix(strings.TrimLeft(v.s, " \t\n\r\f\v"))
		return n
	}
	return v.n
}

// numeric reports whether the value compares as a number.
func (v value) numeric() bool {
	return v.kind == isNumber || v.kind == unset || v.kind == isInput && looksNumeric(v.s)
}

// truth reports whether the value is true.
func (v value) truth() bool {
	switch v.kind {
	case isNumber:
		return v.n != 0
	case isString:
		return v.s != ""
	case isInput:
		if looksNumeric(v.s) {
			return v.number() != 0
		}
		return v.s != ""
	}
	return false
}

// text returns the value as a string; numbers that are not integers by a format.
func (v value) text(format string) string {
	if v.kind == isNumber {
		return formatNumber(v.n, format)
	}
	return v.s
}

func formatNumber(n float64, format string) string {
	if n == math.Trunc(n) && math.Abs(n) < 1<<63 {
		return strconv.FormatInt(int64(n), 10)
	}
	if math.IsNaN(n) || math.IsInf(n, 0) {
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(n, 'g', -1, 64), "+"))
	}
	if format == "%.6g" {
		return strconv.FormatFloat(n, 'g', 6, 64)
	}
	return sprintf(format, []value{num(n)}, format, true, modest)
}

// modest is the room of a number that becomes a string by CONVFMT or OFMT.
func modest(n int) {
	if n > 1<<16 {
		panic(&RunError{0, "CONVFMT or OFMT makes more than 65536 bytes of a number"})
	}
}

func looksNumeric(s string) bool {
	s = strings.Trim(s, " \t\n\r\f\v")
	if s == "" {
		return false
	}
	_, used := numberPrefix(s)
	return used == len(s)
}

// numberPrefix reads the number that the text begins with, as strtod does for decimal ones. As in busybox, 0x11 and 017
// are hexadecimal and octal.
func numberPrefix(s string) (n float64, used int) {
	if len(s) > 1 && s[0] == '0' && (digit(s[1]) || s[1]|0x20 == 'x') {
		if n, used, ok := based(s); ok {
			return n, used
		}
	}
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	start := i
	whole := i
	for i < len(s) && digit(s[i]) {
		i++
	}
	digits := i - whole
	plain := true
	if i < len(s) && s[i] == '.' {
		from := i + 1
		j := from
		for j < len(s) && digit(s[j]) {
			j++
		}
		if digits > 0 || j > from {
			digits += j - from
			i, plain = j, false
		}
	}
	if digits == 0 {
		return 0, 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if j < len(s) && digit(s[j]) {
			for j < len(s) && digit(s[j]) {
				j++
			}
			i, plain = j, false
		}
	}
	if plain && i-start < 16 { // short integers, the usual case
		v := int64(0)
		for _, c := range []byte(s[start:i]) {
			v = v*10 + int64(c-'0')
		}
		if s[0] == '-' {
			return -float64(v), i
		}
		return float64(v), i
	}
	n, _ = strconv.ParseFloat(s[:i], 64)
	return n, i
}

// based reads an octal or hexadecimal integer. What goes on as a decimal number is none.
func based(s string) (n float64, used int, ok bool) {
	base, from := 8, 1
	if s[1]|0x20 == 'x' {
		base, from = 16, 2
	}
	end := from
	for end < len(s) {
		if c := s[end]; !(c >= '0' && c <= '7' || base == 16 && (digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f')) {
			break
		}
		end++
	}
	if end == from || base == 8 && end < len(s) && (digit(s[end]) || s[end] == '.') {
		return 0, 0, false
	}
	u, err := strconv.ParseUint(s[from:end], base, 64)
	return float64(u), end, err == nil
}

// array is an associative array that knows two orders of its elements: the one in which they came, and that of
// BusyBox's awk, which goes through the buckets of a hash table, where what came last stands first.
type array struct {
	index map[string]int
	list  []item
	live  int
	heads []int32 // of the buckets: the place in list, from 1 on
	grown int     // how often the table was made larger
}

type item struct {
	key  string
	v    value
	next int32 // in its bucket, as in heads
	gone bool
}

// buckets are the sizes of BusyBox's table. It gets the next one when there are more than eight elements for each
// bucket.
var buckets = [...]int{61, 251, 1021, 4093, 16381, 65521}

// bucket returns the place of a key in the table.
func (a *array) bucket(key string) *int32 {
	if a.heads == nil {
		a.heads = make([]int32, buckets[0])
	}
	h := uint32(0)
	for i := range len(key) {
		h = h*63 + uint32(key[i])
	}
	return &a.heads[h%uint32(len(a.heads))]
}

// enter puts the element at a place of the list into the table.
func (a *array) enter(i int) {
	head := a.bucket(a.list[i].key)
	a.list[i].next, *head = *head, int32(i+1)
}

// widen makes the table larger if it is too small for the elements.
func (a *array) widen() {
	if len(a.heads) == 0 || a.live <= 8*len(a.heads) || a.grown+1 == len(buckets) {
		return
	}
	a.grown++
	old := a.heads
	a.heads = make([]int32, buckets[a.grown])
	for _, at := range old {
		for at != 0 {
			i := at - 1
			at = a.list[i].next
			a.enter(int(i))
		}
	}
}

// leave takes the element at a place of the list out of the table.
func (a *array) leave(i int) {
	at := a.bucket(a.list[i].key)
	for *at != int32(i+1) {
		at = &a.list[*at-1].next
	}
	*at = a.list[i].next
}

func newArray() *array { return &array{index: map[string]int{}} }

func (a *array) get(key string) (value, bool) {
	if i, ok := a.index[key]; ok {
		return a.list[i].v, true
	}
	return value{}, false
}

func (a *array) set(key string, v value) {
	if i, ok := a.index[key]; ok {
		a.list[i].v = v
		return
	}
	a.live++
	a.widen()
	a.index[key] = len(a.list)
	a.list = append(a.list, item{key: key, v: v})
	a.enter(len(a.list) - 1)
}

func (a *array) remove(key string) {
	i, ok := a.index[key]
	if !ok {
		return
	}
	delete(a.index, key)
	a.leave(i)
	a.list[i] = item{gone: true}
	a.live--
	if len(a.list) > 32 && a.live < len(a.list)/2 {
		a.compact()
	}
}

// compact makes the list as long as there are elements.
func (a *array) compact() {
	moved := make([]int32, len(a.list)+1)
	kept := a.list[:0]
	for i, it := range a.list {
		if !it.gone {
			a.index[it.key] = len(kept)
			kept = append(kept, it)
			moved[i+1] = int32(len(kept))
		}
	}
	clear(a.list[len(kept):])
	a.list = kept
	for i := range kept {
		kept[i].next = moved[kept[i].next]
	}
	for i, at := range a.heads {
		a.heads[i] = moved[at]
	}
}

func (a *array) clear() {
	clear(a.index)
	clear(a.heads)
	a.list, a.live = nil, 0
}

// keys returns the keys in one of the orders.
func (a *array) keys(busybox bool) []string {
	out := make([]string, 0, a.live)
	if busybox {
		for _, at := range a.heads {
			for ; at != 0; at = a.list[at-1].next {
				out = append(out, a.list[at-1].key)
			}
		}
		return out
	}
	for _, it := range a.list {
		if !it.gone {
			out = append(out, it.key)
		}
	}
	return out
}

// cell is a variable: a scalar or an array. One that was passed to a function before it was either remembers where it
// came from, so that it becomes an array there, too.
type cell struct {
	v  value
	a  *array
	up *cell
}

func (c *cell) array() *array {
	if c.a == nil {
		if c.up != nil && c.v.kind == unset {
			c.a = c.up.array()
		} else {
			c.a = newArray()
		}
	}
	return c.a
}
