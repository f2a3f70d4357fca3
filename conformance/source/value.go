package source

import (
	"fmt"
	"math"
	"strconv"

	"gopkg.in/yaml.v3"
)

// Value returns n as JSON values: map[string]any, []any, string, int64, float64,
// bool and nil, read as kubectl reads a manifest (so an unquoted yes is true).
// Aliases and merge keys are written out. The document must have passed [Parse].
func (d *Document) Value(n *yaml.Node) (any, Errors) {
	var errs Errors
	v := valuer{doc: d, errs: &errs}
	return v.value(n, "", 0), errs
}

type valuer struct {
	doc  *Document
	errs *Errors
}

func (v *valuer) fail(n *yaml.Node, path, message, hint string) {
	v.errs.Add(&Error{Position: v.doc.Position(n), Path: path, Message: message, Hint: hint})
}

func (v *valuer) value(n *yaml.Node, path string, depth int) any {
	if depth > 2*written.Depth {
		return nil // refused by Parse
	}
	switch n.Kind {
	case yaml.AliasNode:
		if n.Alias == nil {
			return nil
		}
		return v.value(n.Alias, path, depth+1)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = v.value(item, fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
		return list
	case yaml.MappingNode:
		out := map[string]any{}
		v.fill(out, n, path, depth)
		return out
	default:
		return v.scalar(n, path)
	}
}

// fill adds the fields of mapping n; those already there win, as a merge key's
// own mapping wins over what it merges.
func (v *valuer) fill(out map[string]any, n *yaml.Node, path string, depth int) {
	var merges []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		if key.ShortTag() == mergeTag {
			merges = append(merges, item)
			continue
		}
		if _, ok := out[key.Value]; !ok {
			out[key.Value] = v.value(item, Join(path, key.Value), depth+1)
		}
	}
	for _, m := range merges {
		v.merge(out, m, path, depth+1)
	}
}

func (v *valuer) merge(out map[string]any, n *yaml.Node, path string, depth int) {
	if depth > 2*written.Depth {
		return
	}
	switch {
	case n.Kind == yaml.AliasNode && n.Alias != nil:
		v.merge(out, n.Alias, path, depth+1)
	case n.Kind == yaml.MappingNode:
		v.fill(out, n, path, depth)
	case n.Kind == yaml.SequenceNode:
		for _, item := range n.Content {
			v.merge(out, item, path, depth+1)
		}
	default:
		v.fail(n, path, "<< needs a mapping", "merge an alias of a mapping, or write the fields out")
	}
}

func (v *valuer) scalar(n *yaml.Node, path string) any {
	switch tag := n.ShortTag(); tag {
	case "!!null":
		return nil
	case "!!str":
		if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle|yaml.TaggedStyle) == 0 {
			switch n.Value {
			case "yes", "Yes", "YES", "on", "On", "ON":
				return true
			case "no", "No", "NO", "off", "Off", "OFF":
				return false
			}
		}
		return n.Value
	case "!!timestamp", mergeTag: // "<<" merges as a key only
		return n.Value
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			v.fail(n, path, fmt.Sprintf("%q is not a boolean", n.Value), "write true or false")
		}
		return b
	case "!!int":
		var i int64
		if err := n.Decode(&i); err == nil {
			return i
		}
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
		v.fail(n, path, fmt.Sprintf("%q is not a number that fits", n.Value), "quote it if it is text")
		return nil
	case "!!float":
		var f float64
		if err := n.Decode(&f); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			v.fail(n, path, fmt.Sprintf("%q is not a number that JSON has", n.Value), "quote it if it is text")
			return nil
		}
		return f
	default:
		v.fail(n, path, fmt.Sprintf("the YAML tag %s has no meaning here", tag), "write the value without a tag")
		return nil
	}
}

// Join appends a field name to a path.
func Join(path, field string) string {
	if path == "" {
		return field
	}
	return path + "." + field
}
