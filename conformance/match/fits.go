package match

import "strings"

// This file decides whether a value matches, and nothing more: a condition is asked about every version of an object, and
// only the last answer is explained. Match says why a value does not fit; a fuzz test holds the two together.

// Fits reports whether Match finds no difference.
func (p *Pattern) Fits(value any) bool { return p.fits(value, value != nil) }

// Fits reports whether Match finds no difference.
func (e *Expression) Fits(self any, objects map[string]any) bool {
	if e.program == nil {
		return false
	}
	out, _, err := e.program.Eval(map[string]any{variableSelf: self, variableObjects: objects})
	return err == nil && out.Value() == true
}

func (p *Pattern) fits(v any, present bool) bool {
	switch p.kind {
	case kindOperators:
		for i := range p.ops {
			if !p.ops[i].fits(v, present) {
				return false
			}
		}
	case kindMapping:
		m, ok := v.(map[string]any)
		if !ok && (present || len(p.fields) == 0) {
			return false
		}
		for i := range p.fields {
			item, has := m[p.fields[i].name]
			if !p.fields[i].pattern.fits(item, has && item != nil) {
				return false
			}
		}
	case kindList:
		return fitList(p.items, v, present)
	case kindScalar:
		return present && equal(p.scalar, v)
	}
	return true
}

// fitList reports whether each pattern has an item of its own.
func fitList(patterns []*Pattern, v any, present bool) bool {
	list, ok := v.([]any)
	if !ok && (present || len(patterns) > 0) {
		return false
	}
	var few [32]bool
	taken := few[:]
	if len(list) > len(few) {
		taken = make([]bool, len(list))
	}
	// Mostly the first item that fits will do; if not, the patterns have to make room for each other.
	settled := true
	for _, p := range patterns {
		fits, free := false, false
		for j, item := range list {
			if (fits && taken[j]) || !p.fits(item, item != nil) {
				continue
			}
			fits = true
			if !taken[j] {
				taken[j], free = true, true
				break
			}
		}
		if !fits {
			return false
		}
		settled = settled && free
	}
	if settled {
		return true
	}
	for _, j := range assign(patterns, list) {
		if j < 0 {
			return false
		}
	}
	return true
}

func (op *operator) fits(v any, present bool) bool {
	switch op.name {
	case opAbsent:
		return !present
	case opPresent:
		return present
	case opNot:
		return !op.pattern.fits(v, present)
	case opOneOf:
		for _, p := range op.items {
			if p.fits(v, present) {
				return true
			}
		}
		return false
	case opEqual:
		return equal(op.value, v)
	case opRegex:
		text, ok := v.(string)
		return ok && op.regex.MatchString(text)
	case opContains:
		text, ok := v.(string)
		for _, want := range op.texts {
			if !ok || !strings.Contains(text, want) {
				return false
			}
		}
		return true
	case opLength:
		n, ok := length(v)
		return ok && n == op.length
	}
	return op.fitsItems(v, present)
}

// fitsItems is for the operators about lists.
func (op *operator) fitsItems(v any, present bool) bool {
	list, ok := v.([]any)
	if !ok && (present || len(op.items) > 0 || op.name == opEach) {
		return false
	}
	switch op.name {
	case opEach:
		for _, item := range list {
			if !op.pattern.fits(item, item != nil) {
				return false
			}
		}
	case opExactly:
		return len(list) == len(op.items) && fitList(op.items, v, present)
	case opInOrder:
		next := 0
		for _, p := range op.items {
			for next < len(list) && !p.fits(list[next], list[next] != nil) {
				next++
			}
			if next == len(list) {
				return false
			}
			next++
		}
	}
	return true
}
