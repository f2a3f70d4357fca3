package match

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Match compares a value; an empty answer means that it matches.
func (p *Pattern) Match(value any) []Mismatch { return p.match("", value, value != nil) }

// keys are the fields that name an item of a list, the most telling first.
func keys() []string {
	return []string{"name", "type", "container", "mountPath", "key", "uid", "ip", "path"}
}

// key returns the field by which an item that is like p is looked up, and its value.
func (p *Pattern) key() (name string, value any, ok bool) {
	if p.kind != kindMapping {
		return "", nil, false
	}
	for _, k := range keys() {
		if f, has := p.field(k); has && f.kind == kindScalar {
			return k, f.scalar, true
		}
	}
	return "", nil, false
}

func (p *Pattern) differs(path, want, got string) []Mismatch {
	return []Mismatch{{Pos: p.pos, Path: path, Want: want, Got: got}}
}

func (p *Pattern) match(path string, v any, present bool) []Mismatch {
	switch p.kind {
	case kindOperators:
		var out []Mismatch
		for _, op := range p.ops {
			out = append(out, op.match(path, v, present)...)
		}
		return out
	case kindMapping:
		return p.matchMapping(path, v, present)
	case kindList:
		return p.matchList(path, v, present)
	case kindScalar:
		if !present {
			return p.differs(path, Show(p.scalar), nothing)
		}
		if !equal(p.scalar, v) {
			got := Show(v)
			if w, g := word(p.scalar), word(v); w != g {
				return p.differs(path, fmt.Sprintf("%s (%s)", Show(p.scalar), w), fmt.Sprintf("%s (%s)", got, g))
			}
			return p.differs(path, Show(p.scalar), got)
		}
	}
	return nil
}

func (p *Pattern) matchMapping(path string, v any, present bool) []Mismatch {
	m, ok := v.(map[string]any)
	if !ok {
		// A mapping of nothing but absences is content with nothing at all.
		if present || len(p.fields) == 0 {
			return p.differs(path, "(a mapping)", got(v, present))
		}
	}
	var out []Mismatch
	for _, f := range p.fields {
		item, has := m[f.name]
		out = append(out, f.pattern.match(join(path, f.name), item, has && item != nil)...)
	}
	return out
}

func (p *Pattern) matchList(path string, v any, present bool) []Mismatch {
	list, ok := v.([]any)
	if !ok && (present || len(p.items) > 0) {
		return p.differs(path, "(a list of "+describe(p.items)+")", got(v, present))
	}
	chosen := assign(p.items, list)
	used := map[int]bool{}
	for _, j := range chosen {
		if j >= 0 {
			used[j] = true
		}
	}
	var out []Mismatch
	for i, item := range p.items {
		if chosen[i] >= 0 {
			continue
		}
		out = append(out, item.explain(path, i, list, used)...)
	}
	return out
}

// explain says why no item of list is what p wants: the difference to the item of
// the same key, or to the only one left, or what it has instead.
func (p *Pattern) explain(path string, index int, list []any, used map[int]bool) []Mismatch {
	if name, value, ok := p.key(); ok {
		where := fmt.Sprintf("%s[%s=%v]", path, name, value)
		best := []Mismatch(nil)
		for j, item := range list {
			m, isMap := item.(map[string]any)
			if !isMap || !equal(value, m[name]) || used[j] {
				continue
			}
			if diff := p.match(where, item, true); best == nil || len(diff) < len(best) {
				best = diff
			}
		}
		if best != nil {
			return best
		}
		return p.differs(where, "(an item with this "+name+")", "(items with "+name+" "+valuesOf(list, name)+")")
	}
	left := []any{}
	for j, item := range list {
		if !used[j] {
			left = append(left, item)
		}
	}
	where := fmt.Sprintf("%s[%d]", path, index)
	if len(left) == 1 {
		return p.match(where, left[0], true)
	}
	return p.differs(where, p.describe(), "(none such among "+Show(list)+")")
}

// assign gives each pattern an item of its own, or -1. It finds an assignment for
// all if there is one (augmenting paths), so that the order of the file and of the
// object never decides.
func assign(patterns []*Pattern, list []any) []int {
	fits := make([][]bool, len(patterns))
	for i, p := range patterns {
		fits[i] = make([]bool, len(list))
		for j, item := range list {
			fits[i][j] = p.fits(item, item != nil)
		}
	}
	owner := make([]int, len(list))
	for j := range owner {
		owner[j] = -1
	}
	var try func(i int, seen []bool) bool
	try = func(i int, seen []bool) bool {
		for j := range list {
			if !fits[i][j] || seen[j] {
				continue
			}
			seen[j] = true
			if owner[j] < 0 || try(owner[j], seen) {
				owner[j] = i
				return true
			}
		}
		return false
	}
	for i := range patterns {
		try(i, make([]bool, len(list)))
	}
	chosen := make([]int, len(patterns))
	for i := range chosen {
		chosen[i] = slices.Index(owner, i)
	}
	return chosen
}

func (op operator) match(path string, v any, present bool) []Mismatch {
	differs := func(want, got string) []Mismatch {
		return []Mismatch{{Pos: op.pos, Path: path, Want: want, Got: got}}
	}
	switch op.name {
	case opAbsent:
		if present {
			return differs(nothing, Show(v))
		}
	case opPresent:
		if !present {
			return differs("(something)", nothing)
		}
	case opNot:
		if op.pattern.fits(v, present) {
			return differs("(anything but "+op.pattern.describe()+")", got(v, present))
		}
	case opOneOf:
		for _, p := range op.items {
			if p.fits(v, present) {
				return nil
			}
		}
		return differs("(one of "+describe(op.items)+")", got(v, present))
	case opEqual:
		if !equal(op.value, v) {
			return differs("(exactly) "+Show(op.value), got(v, present))
		}
	case opRegex:
		text, ok := v.(string)
		if !ok || !op.regex.MatchString(text) {
			return differs("(a string matching /"+op.regex.String()+"/)", got(v, present))
		}
	case opContains:
		text, ok := v.(string)
		for _, want := range op.texts {
			if !ok || !strings.Contains(text, want) {
				return differs("(a string containing "+Show(want)+")", got(v, present))
			}
		}
	case opLength:
		if n, ok := length(v); !ok || n != op.length {
			if ok {
				return differs(fmt.Sprintf("(length %d)", op.length), fmt.Sprintf("(length %d) %s", n, Show(v)))
			}
			return differs(fmt.Sprintf("(length %d)", op.length), got(v, present))
		}
	default:
		return op.matchItems(path, v, present)
	}
	return nil
}

// matchItems is for the operators about lists.
func (op operator) matchItems(path string, v any, present bool) []Mismatch {
	list, ok := v.([]any)
	if !ok && (present || len(op.items) > 0 || op.name == opEach) {
		return []Mismatch{{Pos: op.pos, Path: path, Want: "(a list)", Got: got(v, present)}}
	}
	switch op.name {
	case opEach:
		var out []Mismatch
		for i, item := range list {
			out = append(out, op.pattern.match(fmt.Sprintf("%s[%d]", path, i), item, item != nil)...)
		}
		return out
	case opExactly:
		whole := &Pattern{pos: op.pos, kind: kindList, items: op.items}
		if out := whole.matchList(path, v, present); out != nil {
			return out
		}
		if len(list) != len(op.items) {
			return []Mismatch{{Pos: op.pos, Path: path, Want: "(only " + describe(op.items) + ")", Got: fmt.Sprintf("(%d items) %s", len(list), Show(v))}}
		}
	case opInOrder:
		next := 0
		for i, p := range op.items {
			for next < len(list) && !p.fits(list[next], list[next] != nil) {
				next++
			}
			if next == len(list) {
				whole := &Pattern{pos: p.pos, kind: kindList, items: op.items[i : i+1]}
				if out := whole.matchList(path, v, present); out != nil {
					return out
				}
				return []Mismatch{{Pos: p.pos, Path: path, Want: "(in this order: " + describe(op.items) + ")", Got: "(another order) " + Show(v)}}
			}
			next++
		}
	}
	return nil
}

func join(path, name string) string {
	if strings.ContainsAny(name, "./") {
		return path + "[" + name + "]"
	}
	if path == "" {
		return name
	}
	return path + "." + name
}

func got(v any, present bool) string {
	if !present {
		return nothing
	}
	return Show(v)
}

func length(v any) (int, bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case []any:
		return len(v), true
	case map[string]any:
		return len(v), true
	case string:
		return len(v), true
	}
	return 0, false
}

func word(v any) string {
	switch v.(type) {
	case string:
		return "string"
	case bool:
		return "boolean"
	case int64, float64, int, int32:
		return "number"
	case []any:
		return "list"
	case map[string]any:
		return "mapping"
	}
	return "nothing"
}

// number reads the numbers that decoders and hand-written objects contain.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	}
	return 0, false
}

func equal(a, b any) bool {
	if x, ok := a.(int64); ok {
		if y, ok := b.(int64); ok {
			return x == y
		}
	}
	if x, ok := number(a); ok {
		y, ok := number(b)
		return ok && x == y
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) {
			return false
		}
		for k, v := range a {
			w, has := b[k]
			if !has || !equal(v, w) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	return reflect.DeepEqual(a, b)
}

func valuesOf(list []any, name string) string {
	found := map[string]bool{}
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			if v, has := m[name]; has {
				found[fmt.Sprint(v)] = true
			}
		}
	}
	if len(found) == 0 {
		return "(none)"
	}
	return strings.Join(slices.Sorted(maps.Keys(found)), ", ")
}

// describe renders a pattern in words short enough for a message.
func (p *Pattern) describe() string {
	switch p.kind {
	case kindScalar:
		return Show(p.scalar)
	case kindMapping:
		parts := make([]string, len(p.fields))
		for i, f := range p.fields {
			parts[i] = f.name + ": " + f.pattern.describe()
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case kindList:
		return "[" + describe(p.items) + "]"
	case kindOperators:
		parts := make([]string, len(p.ops))
		for i, op := range p.ops {
			parts[i] = op.describe()
		}
		return strings.Join(parts, " and ")
	}
	return "anything"
}

func (op operator) describe() string {
	switch op.name {
	case opRegex:
		return "/" + op.regex.String() + "/"
	case opContains:
		return "containing " + Show(op.texts)
	case opLength:
		return fmt.Sprintf("of length %d", op.length)
	case opEqual:
		return Show(op.value)
	case opNot:
		return "not " + op.pattern.describe()
	case opEach:
		return "each " + op.pattern.describe()
	case opAbsent, opPresent:
		return strings.TrimPrefix(op.name, "$")
	}
	return strings.TrimPrefix(op.name, "$") + " " + describe(op.items)
}

func describe(items []*Pattern) string {
	parts := make([]string, len(items))
	for i, p := range items {
		parts[i] = p.describe()
	}
	text := strings.Join(parts, ", ")
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "…"
	}
	return text
}
