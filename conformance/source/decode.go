package source

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// Decoder fills Go values from one document and collects what is wrong.
//
// A struct field is bound to a YAML field by its `yaml` tag. The `fixture` tag
// adds rules: "required" (the field must be there and not empty) and
// "enum=a|b|c". A field of type [Position] named Pos gets the place of the
// struct's mapping. A type that implements [NodeDecoder] decodes itself.
//
// Documents that a program wrote are bound by the `json` tags of their types, see JSON.
type Decoder struct {
	Doc  *Document
	Errs *Errors
	// Places, if not nil, is filled with where each decoded field was written.
	Places map[string]Position
	// JSON binds fields by their json tags. As encoding/json does, it takes null for a pointer or a list that is not there.
	JSON bool
	// Unknown is the hint for an unknown field; if it is empty, the hint is the nearest name.
	Unknown string
	// MayLack are paths of required fields that this document may leave out.
	MayLack map[string]bool
}

// NodeDecoder is a value with a notation of its own.
type NodeDecoder interface {
	// DecodeNode fills the receiver from n; path names the field for messages.
	DecodeNode(d *Decoder, n *yaml.Node, path string)
}

// Duration is a time span written as Go writes it: 15s, 1h30m.
type Duration time.Duration

// Union is implemented by structs of which exactly one field is given: the verbs.
type Union interface {
	// Noun names what the fields are, for messages: "a verb".
	Noun() string
}

// Fail adds an error at n.
func (d *Decoder) Fail(n *yaml.Node, path, message, hint string) {
	d.Errs.Add(&Error{Position: d.Doc.Position(n), Path: path, Message: message, Hint: hint})
}

// Decode fills v, a pointer, from n.
func (d *Decoder) Decode(n *yaml.Node, v any, path string) {
	d.decode(n, reflect.ValueOf(v).Elem(), path)
}

var (
	positionType = reflect.TypeFor[Position]()
	durationType = reflect.TypeFor[Duration]()
)

func (d *Decoder) decode(n *yaml.Node, v reflect.Value, path string) {
	if _, told := d.Places[path]; d.Places != nil && !told {
		d.Places[path] = d.Doc.Position(n)
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.Fail(n, path, "anchors and aliases are not read here", "write the value out")
		return
	}
	if d.JSON && n.ShortTag() == "!!null" && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Slice) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		d.decode(n, v.Elem(), path)
		return
	}
	if v.CanAddr() {
		if self, ok := v.Addr().Interface().(NodeDecoder); ok {
			self.DecodeNode(d, n, path)
			return
		}
	}
	if v.Type() == durationType {
		v.SetInt(int64(d.duration(n, path)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.structure(n, v, path)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			d.Fail(n, path, "must be a list, got "+Describe(n), "put it into [ ] or start each item with \"- \"")
			return
		}
		out := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
		for i, item := range n.Content {
			d.decode(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i))
		}
		v.Set(out)
	case reflect.Map:
		if n.Kind != yaml.MappingNode {
			d.Fail(n, path, "must be a mapping, got "+Describe(n), "write key: value")
			return
		}
		out := reflect.MakeMap(v.Type())
		for i := 0; i+1 < len(n.Content); i += 2 {
			item := reflect.New(v.Type().Elem()).Elem()
			d.decode(n.Content[i+1], item, Join(path, n.Content[i].Value))
			out.SetMapIndex(reflect.ValueOf(n.Content[i].Value), item)
		}
		v.Set(out)
	case reflect.String:
		v.SetString(d.text(n, path))
	case reflect.Int, reflect.Int64:
		if d.whole(n, path) {
			var number int64
			d.fits(n.Decode(&number), n, path)
			v.SetInt(number)
		}
	case reflect.Uint64:
		if d.whole(n, path) {
			var number uint64
			d.fits(n.Decode(&number), n, path)
			v.SetUint(number)
		}
	case reflect.Bool:
		var b bool
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" || n.Decode(&b) != nil {
			d.Fail(n, path, "must be true or false, got "+Describe(n), "write true or false without quotes")
			return
		}
		v.SetBool(b)
	}
}

// whole reports whether a value is a whole number, and refuses it if not.
func (d *Decoder) whole(n *yaml.Node, path string) bool {
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!int" {
		return true
	}
	d.Fail(n, path, "must be a whole number, got "+Describe(n), "write it without quotes")
	return false
}

func (d *Decoder) fits(err error, n *yaml.Node, path string) {
	switch {
	case err == nil:
	case strings.HasPrefix(n.Value, "-"):
		d.Fail(n, path, n.Value+" is too small", "use a larger number")
	default:
		d.Fail(n, path, n.Value+" is too large", "use a smaller number")
	}
}

func (d *Decoder) text(n *yaml.Node, path string) string {
	if n.Kind == yaml.ScalarNode {
		switch n.ShortTag() {
		case "!!str", "!!timestamp", mergeTag: // "<<" merges as a key only
			return n.Value
		case "!!int", "!!float", "!!bool":
			d.Fail(n, path, "must be a string, got "+Describe(n), "quote it: "+strconv.Quote(n.Value))
			return ""
		}
	}
	d.Fail(n, path, "must be a string, got "+Describe(n), "write one line of text")
	return ""
}

func (d *Decoder) duration(n *yaml.Node, path string) time.Duration {
	if n.Kind == yaml.ScalarNode {
		t, err := time.ParseDuration(n.Value)
		switch {
		case err == nil && t < 0:
			d.Fail(n, path, fmt.Sprintf("a duration cannot be negative, got %q", n.Value), "write how long, as 15s")
			return 0
		case err == nil:
			return t
		}
	}
	d.Fail(n, path, "must be a duration, got "+Describe(n), "write a number with its unit, as 15s or 1h30m")
	return 0
}

// Field describes one field of a struct that Decoder fills.
type Field struct {
	Index    []int // for reflect.Value.FieldByIndex
	Name     string
	Type     reflect.Type
	Required bool
	Enum     []string
	Doc      string
}

// Fields lists the YAML fields of struct type t, in the order of the struct; those
// of an embedded struct stand where it is embedded. The list is shared: it is not to be changed.
func Fields(t reflect.Type) []Field { return fieldsBy(t, "yaml") }

// bound is what fieldsBy is asked for.
type bound struct {
	of  reflect.Type
	tag string
}

// known has the fields by what they are bound to: an entry for each type of the program that is decoded.
var known sync.Map // of []Field by bound

// fieldsBy is Fields by another tag.
func fieldsBy(t reflect.Type, tag string) []Field {
	key := bound{t, tag}
	if fields, ok := known.Load(key); ok {
		return fields.([]Field)
	}
	fields := findFields(t, tag)
	known.Store(key, fields)
	return fields
}

func findFields(t reflect.Type, tag string) []Field {
	var fields []Field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			for _, inner := range fieldsBy(f.Type, tag) {
				inner.Index = append([]int{i}, inner.Index...)
				fields = append(fields, inner)
			}
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get(tag), ",")
		if name == "" || name == "-" {
			continue
		}
		field := Field{Index: []int{i}, Name: name, Type: f.Type, Doc: f.Tag.Get("doc")}
		for rule := range strings.SplitSeq(f.Tag.Get("fixture"), ",") {
			switch {
			case rule == "required":
				field.Required = true
			case strings.HasPrefix(rule, "enum="):
				field.Enum = strings.Split(strings.TrimPrefix(rule, "enum="), "|")
			}
		}
		fields = append(fields, field)
	}
	return fields
}

// fieldsOf is what a document may have for a struct.
func (d *Decoder) fieldsOf(t reflect.Type) []Field {
	if d.JSON {
		return fieldsBy(t, "json")
	}
	return fieldsBy(t, "yaml")
}

func (d *Decoder) structure(n *yaml.Node, v reflect.Value, path string) {
	if f := v.FieldByName("Pos"); f.IsValid() && f.Type() == positionType {
		f.Set(reflect.ValueOf(d.Doc.Position(n)))
	}
	fields := d.fieldsOf(v.Type())
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	union, isUnion := v.Interface().(Union)
	if n.Kind != yaml.MappingNode {
		hint := "its fields are: " + list(names)
		if isUnion {
			hint = "write " + union.Noun() + " and what it is about, one of: " + list(names)
		}
		d.Fail(n, path, "must be a mapping, got "+Describe(n), hint)
		return
	}
	given := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, item := n.Content[i], n.Content[i+1]
		at := -1
		for j, f := range fields {
			if f.Name == key.Value {
				at = j
			}
		}
		if at < 0 {
			given["?"] = true
			what := "unknown field"
			if isUnion {
				_, noun, _ := strings.Cut(union.Noun(), " ")
				what = "unknown " + noun
			}
			hint := d.Unknown
			if hint == "" {
				hint = DidYouMean(key.Value, names)
			}
			d.Fail(key, path, fmt.Sprintf("%s %q", what, key.Value), hint)
			given[Nearest(key.Value, names)] = true // misspelt is not missing
			continue
		}
		f := fields[at]
		given[f.Name] = true
		if isUnion && len(given) > 1 && !given["?"] {
			d.Fail(key, path, fmt.Sprintf("%s stands alone, %q is a second one", union.Noun(), key.Value), "start a new list item with \"- \"")
		}
		d.decode(item, v.FieldByIndex(f.Index), Join(path, f.Name))
		d.rules(item, v.FieldByIndex(f.Index), f, Join(path, f.Name))
	}
	if isUnion && len(given) == 0 {
		d.Fail(n, path, "needs "+union.Noun(), "use one of: "+list(names))
	}
	for _, f := range fields {
		if f.Required && !given[f.Name] && !d.MayLack[Join(path, f.Name)] {
			hint := "add " + f.Name
			if f.Doc != "" {
				hint += ": " + f.Doc
			}
			d.Fail(n, path, fmt.Sprintf("%q is missing", f.Name), hint)
		}
	}
}

func (d *Decoder) rules(n *yaml.Node, v reflect.Value, f Field, path string) {
	if f.Required && v.Kind() == reflect.String && n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && strings.TrimSpace(n.Value) == "" {
		d.Fail(n, path, "is empty", f.Doc)
	}
	if len(f.Enum) == 0 {
		return
	}
	check := func(n *yaml.Node, path string) {
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
			return // already refused as no string
		}
		for _, e := range f.Enum {
			if e == n.Value {
				return
			}
		}
		hint := "use one of: " + list(f.Enum)
		if len(f.Enum) == 1 {
			hint = "write " + f.Enum[0]
		} else if near := Nearest(n.Value, f.Enum); near != "" {
			hint = fmt.Sprintf("did you mean %q? one of: %s", near, list(f.Enum))
		}
		d.Fail(n, path, fmt.Sprintf("unknown value %q", n.Value), hint)
	}
	if n.Kind == yaml.SequenceNode {
		for i, item := range n.Content {
			check(item, fmt.Sprintf("%s[%d]", path, i))
		}
		return
	}
	check(n, path)
}
