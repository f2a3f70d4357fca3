package match

import (
	"fmt"
	"regexp"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// Pattern is a compiled picture of a value. The zero Pattern matches everything.
type Pattern struct {
	pos    source.Position
	kind   kind
	scalar any
	fields []field    // kindMapping, in the order of the file
	items  []*Pattern // kindList, and the arguments of operators that take a list
	ops    []operator // kindOperators
	given  bool
	// lenient makes a plain string mean "contains": see Text.
	lenient bool
}

type kind int

const (
	kindAny kind = iota
	kindScalar
	kindMapping
	kindList
	kindOperators
)

type field struct {
	name    string
	pattern *Pattern
}

type operator struct {
	name    string
	pos     source.Position
	pattern *Pattern
	items   []*Pattern
	regex   *regexp.Regexp
	texts   []string
	value   any
	length  int
}

// The operators, as they are written.
const (
	opRegex    = "$regex"
	opContains = "$contains"
	opOneOf    = "$oneOf"
	opNot      = "$not"
	opAbsent   = "$absent"
	opPresent  = "$present"
	opEqual    = "$equal"
	opExactly  = "$exactly"
	opInOrder  = "$inOrder"
	opEach     = "$each"
	opLength   = "$length"
)

// Operators returns the operators in the order they are documented.
func Operators() []string {
	return []string{opRegex, opContains, opOneOf, opNot, opAbsent, opPresent, opEqual, opExactly, opInOrder, opEach, opLength}
}

// Given reports whether the file has this pattern.
func (p *Pattern) Given() bool { return p != nil && p.given }

// Position returns where the pattern is written.
func (p *Pattern) Position() source.Position { return p.pos }

// DecodeNode compiles the pattern written at n.
func (p *Pattern) DecodeNode(d *source.Decoder, n *yaml.Node, path string) {
	*p = Pattern{pos: d.Doc.Position(n), given: true, lenient: p.lenient}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.Fail(n, path, "a pattern has no anchors and aliases", "write the value out")
		return
	}
	switch n.Kind {
	case yaml.MappingNode:
		p.mapping(d, n, path)
	case yaml.SequenceNode:
		p.kind = kindList
		p.items = compileAll(d, n, path)
	default:
		value, errs := d.Doc.Value(n)
		for _, e := range errs {
			d.Fail(n, path, e.Message, e.Hint)
		}
		if value == nil && len(errs) == 0 {
			d.Fail(n, path, "a pattern cannot be empty", "write {$absent: true} if nothing may be there, {$present: true} if anything will do")
		}
		p.kind, p.scalar = kindScalar, value
		if text, ok := value.(string); ok && p.lenient {
			p.kind = kindOperators
			p.ops = []operator{{name: opContains, pos: p.pos, texts: []string{text}}}
		}
	}
}

func compileAll(d *source.Decoder, n *yaml.Node, path string) []*Pattern {
	items := make([]*Pattern, len(n.Content))
	for i, item := range n.Content {
		items[i] = &Pattern{}
		items[i].DecodeNode(d, item, fmt.Sprintf("%s[%d]", path, i))
	}
	return items
}

func (p *Pattern) mapping(d *source.Decoder, n *yaml.Node, path string) {
	operators := 0
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.Value != "" && key.Value[0] == '$' {
			operators++
			p.operator(d, key, item, path)
			continue
		}
		sub := &Pattern{}
		sub.DecodeNode(d, item, source.Join(path, key.Value))
		p.fields = append(p.fields, field{name: key.Value, pattern: sub})
	}
	p.kind = kindMapping
	if operators > 0 {
		p.kind = kindOperators
		if len(p.fields) > 0 {
			d.Fail(n, path, "operators ($…) and fields stand side by side", "give the operators a mapping of their own, below the field they are about")
		}
		return
	}
	if status, has := p.field("status"); has && status.kind == kindScalar {
		if _, typed := p.field("type"); typed {
			if b, isBool := status.scalar.(bool); isBool {
				d.Errs.Add(&source.Error{Position: status.pos, Path: source.Join(path, "status"),
					Message: fmt.Sprintf("the status of a condition is a string, got the boolean %v", b), Hint: `quote it: "True", "False" or "Unknown"`})
			}
		}
	}
}

func (p *Pattern) field(name string) (*Pattern, bool) {
	for _, f := range p.fields {
		if f.name == name {
			return f.pattern, true
		}
	}
	return nil, false
}

func (p *Pattern) operator(d *source.Decoder, key, n *yaml.Node, path string) {
	path = source.Join(path, key.Value)
	op := operator{name: key.Value, pos: d.Doc.Position(key)}
	switch op.name {
	case opRegex:
		var text string
		d.Decode(n, &text, path)
		re, err := regexp.Compile(text)
		if err != nil {
			d.Fail(n, path, fmt.Sprintf("not a regular expression: %v", err), "write it in RE2 syntax, in single quotes")
			return
		}
		op.regex = re
	case opContains:
		if n.Kind == yaml.SequenceNode {
			d.Decode(n, &op.texts, path)
		} else {
			var text string
			d.Decode(n, &text, path)
			op.texts = []string{text}
		}
	case opAbsent, opPresent:
		var yes bool
		d.Decode(n, &yes, path)
		if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!bool" && !yes {
			d.Fail(n, path, op.name+" is true or not written", "use "+map[string]string{opAbsent: opPresent, opPresent: opAbsent}[op.name]+": true")
		}
	case opLength:
		d.Decode(n, &op.length, path)
		if op.length < 0 {
			d.Fail(n, path, "a length cannot be negative", "write 0 or more")
		}
	case opEqual:
		value, errs := d.Doc.Value(n)
		for _, e := range errs {
			d.Errs.Add(e)
		}
		op.value = value
	case opNot, opEach:
		op.pattern = &Pattern{}
		op.pattern.DecodeNode(d, n, path)
	case opOneOf, opExactly, opInOrder:
		if n.Kind != yaml.SequenceNode {
			d.Fail(n, path, "must be a list, got "+source.Describe(n), "write "+op.name+": [ … ]")
			return
		}
		if op.name == opOneOf && len(n.Content) == 0 {
			d.Fail(n, path, "nothing to choose from", "name at least one pattern")
		}
		op.items = compileAll(d, n, path)
	default:
		d.Fail(key, path, fmt.Sprintf("unknown operator %q", op.name), source.DidYouMean(op.name, Operators()))
		return
	}
	p.ops = append(p.ops, op)
}

// Text is a pattern for text: a plain string means that the text contains it.
type Text struct{ Pattern }

// DecodeNode compiles the pattern written at n.
func (t *Text) DecodeNode(d *source.Decoder, n *yaml.Node, path string) {
	t.lenient = true
	t.Pattern.DecodeNode(d, n, path)
	if t.kind == kindMapping || t.kind == kindList || (t.kind == kindScalar && t.scalar != nil) {
		d.Fail(n, path, "must be text, got "+source.Describe(n), "write a string that must be contained, or {$regex: …}")
	}
}
