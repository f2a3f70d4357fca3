package utility

import (
	"maps"
	"math/big"
	"reflect"
	"slices"

	"github.com/itchyny/gojq"
)

// A jq program that doubles a value thirty times is short and its result is not. So that such a program meets the
// memory limit of its container and not that of the machine, everything in it that makes a value larger than its parts
// is followed by a function that measures the result. The clock becomes the container's in the same pass.

// The functions that a program is given.
const (
	jqHeld = "__held"
	jqNow  = "__now"
)

// held measures a value, each part once.
func (w *jqWorld) held(v any, _ []any) any {
	size := w.size(v)
	w.p.Allocate(size)
	w.p.Allocate(-size)
	return v
}

// maxSizes is how many sizes are remembered.
const maxSizes = 1 << 16

func (w *jqWorld) size(v any) int64 {
	const most = int64(1) << 50 // sums of it stay far from the end
	var total int64
	switch v := v.(type) {
	case string:
		return 16 + int64(len(v))
	case *big.Int:
		return int64(v.BitLen())
	case []any:
		if cap(v) == 0 {
			return 16
		}
		at := reflect.ValueOf(v).Pointer() + uintptr(len(v))<<48
		if n, ok := w.sizes[at]; ok {
			return n
		}
		for _, x := range v {
			total = min(total+16+w.size(x), most)
		}
		w.remember(at, total, len(v))
	case map[string]any:
		at := reflect.ValueOf(v).Pointer()
		if n, ok := w.sizes[at]; ok {
			return n
		}
		for _, key := range sortedKeys(v) {
			total = min(total+32+int64(len(key))+w.size(v[key]), most)
		}
		w.remember(at, total, len(v))
	default:
		return 16
	}
	return total
}

func (w *jqWorld) remember(at uintptr, size int64, parts int) {
	if len(w.sizes) >= maxSizes {
		clear(w.sizes)
	}
	w.sizes[at] = size
	w.steps += parts / 16
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// measured is the program that a value goes through.
func measured() *gojq.Query {
	return &gojq.Query{Term: &gojq.Term{Type: gojq.TermTypeFunc, Func: &gojq.Func{Name: jqHeld}}}
}

// query rewrites a program in place.
func (w *jqWorld) query(q *gojq.Query) {
	if q == nil {
		return
	}
	for _, f := range q.FuncDefs {
		w.query(f.Body)
	}
	w.term(q.Term)
	w.query(q.Left)
	w.query(q.Right)
	w.patterns(q.Patterns)
	switch q.Op {
	case gojq.OpAdd, gojq.OpMul, gojq.OpUpdateAdd, gojq.OpUpdateMul:
		inner := *q
		inner.FuncDefs, inner.Imports, inner.Meta = nil, nil, nil
		q.Left, q.Op, q.Right = &inner, gojq.OpPipe, measured()
	}
}

func (w *jqWorld) term(t *gojq.Term) {
	if t == nil {
		return
	}
	w.index(t.Index)
	w.text(t.Str)
	grows := false
	switch {
	case t.Func != nil:
		for _, a := range t.Func.Args {
			w.query(a)
		}
		switch t.Func.Name {
		case "now":
			t.Func.Name = jqNow
		case "localtime":
			t.Func.Name = "gmtime"
		case "strflocaltime":
			t.Func.Name = "strftime"
		case "add", "join", "tojson", "tostring", "implode", "flatten", "combinations", "transpose", "ascii", "gsub", "sub", "splits", "todate":
			grows = true
		}
	case t.Object != nil:
		grows = true
		for _, kv := range t.Object.KeyVals {
			w.text(kv.KeyString)
			w.query(kv.KeyQuery)
			w.query(kv.Val)
		}
	case t.Array != nil:
		grows = true
		w.query(t.Array.Query)
	case t.Unary != nil:
		w.term(t.Unary.Term)
	case t.If != nil:
		w.query(t.If.Cond)
		w.query(t.If.Then)
		for _, e := range t.If.Elif {
			w.query(e.Cond)
			w.query(e.Then)
		}
		w.query(t.If.Else)
	case t.Try != nil:
		w.query(t.Try.Body)
		w.query(t.Try.Catch)
	case t.Reduce != nil:
		w.query(t.Reduce.Query)
		w.patterns(t.Reduce.Patterns)
		w.query(t.Reduce.Start)
		w.query(t.Reduce.Update)
	case t.Foreach != nil:
		w.query(t.Foreach.Query)
		w.patterns(t.Foreach.Patterns)
		w.query(t.Foreach.Start)
		w.query(t.Foreach.Update)
		w.query(t.Foreach.Extract)
	case t.Label != nil:
		w.query(t.Label.Body)
	case t.Query != nil:
		w.query(t.Query)
	}
	for _, s := range t.SuffixList {
		w.index(s.Index)
	}
	grows = grows || t.Format != "" || t.Str != nil && len(t.Str.Queries) > 0
	if grows {
		inner := *t
		inner.SuffixList = nil
		*t = gojq.Term{Type: gojq.TermTypeQuery, SuffixList: t.SuffixList,
			Query: &gojq.Query{Left: &gojq.Query{Term: &inner}, Op: gojq.OpPipe, Right: measured()}}
	}
}

func (w *jqWorld) text(s *gojq.String) {
	if s != nil {
		for _, q := range s.Queries {
			w.query(q)
		}
	}
}

func (w *jqWorld) index(i *gojq.Index) {
	if i != nil {
		w.text(i.Str)
		w.query(i.Start)
		w.query(i.End)
	}
}

func (w *jqWorld) patterns(list []*gojq.Pattern) {
	for _, p := range list {
		w.pattern(p)
	}
}

func (w *jqWorld) pattern(p *gojq.Pattern) {
	if p == nil {
		return
	}
	w.patterns(p.Array)
	for _, o := range p.Object {
		w.text(o.KeyString)
		w.query(o.KeyQuery)
		w.pattern(o.Val)
	}
}
