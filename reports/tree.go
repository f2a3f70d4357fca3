package reports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// Limits of what is read: more than any document of this package has, and less than hurts.
const (
	maxDepth = 64
	maxSize  = 64 << 20
)

// nodeKind is what a node is.
type nodeKind string

const (
	kindObject nodeKind = "an object"
	kindList   nodeKind = "a list"
	kindString nodeKind = "a string"
	kindNumber nodeKind = "a number"
	kindBool   nodeKind = "true or false"
	kindNull   nodeKind = "null"
)

// node is a value of a JSON or YAML document that knows its place.
type node struct {
	line, column int
	kind         nodeKind
	text         string // of scalars
	fields       []field
	items        []*node
}

type field struct {
	line, column int
	name         string
	value        *node
}

// parse reads one document: JSON if it begins so, else YAML.
func parse(data []byte) (*node, *MistakeError) {
	if len(data) > maxSize {
		return nil, &MistakeError{Line: 1, Column: 1, Message: fmt.Sprintf("the document has %d bytes; at most %d are read", len(data), maxSize)}
	}
	if bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return parseJSON(data)
	}
	return parseYAML(data)
}

// jsonReader makes nodes of tokens.
type jsonReader struct {
	data []byte
	d    *json.Decoder
	// at is how far lines were counted; line and column are those there. A document may be one line.
	at, line, column int
}

func parseJSON(data []byte) (*node, *MistakeError) {
	r := &jsonReader{data: data, d: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.d.UseNumber()
	root, m := r.value(0)
	if m != nil {
		return nil, m
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		line, column := r.next()
		return nil, &MistakeError{Line: line, Column: column, Message: "there is more text after the document"}
	}
	return root, nil
}

// next returns the place of the next token.
func (r *jsonReader) next() (line, column int) {
	offset := int(r.d.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return r.place(offset)
}

func (r *jsonReader) place(offset int) (line, column int) {
	offset = min(max(offset, r.at), len(r.data))
	for ; r.at < offset; r.at++ {
		switch b := r.data[r.at]; {
		case b == '\n':
			r.line, r.column = r.line+1, 0
		case utf8.RuneStart(b):
			r.column++
		}
	}
	return r.line, 1 + r.column
}

func (r *jsonReader) broken(err error) *MistakeError {
	offset, text := int(r.d.InputOffset()), err.Error()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		offset, text = len(r.data), "the document ends too early"
	case errors.As(err, &syntax):
		offset = max(offset, int(syntax.Offset)-1)
	}
	line, column := r.place(offset)
	return &MistakeError{Line: line, Column: column, Message: "not JSON: " + text}
}

func (r *jsonReader) value(depth int) (*node, *MistakeError) {
	n := &node{}
	n.line, n.column = r.next()
	if depth > maxDepth {
		return nil, &MistakeError{Line: n.line, Column: n.column, Message: "nested too deeply"}
	}
	token, err := r.d.Token()
	if err != nil {
		return nil, r.broken(err)
	}
	switch x := token.(type) {
	case string:
		n.kind, n.text = kindString, x
	case json.Number:
		n.kind, n.text = kindNumber, x.String()
	case bool:
		n.kind, n.text = kindBool, fmt.Sprint(x)
	case nil:
		n.kind = kindNull
	case json.Delim:
		n.kind = kindList
		if x == '{' {
			n.kind = kindObject
		}
		for r.d.More() {
			if m := r.member(n, depth); m != nil {
				return nil, m
			}
		}
		if _, err := r.d.Token(); err != nil {
			return nil, r.broken(err)
		}
	}
	return n, nil
}

func (r *jsonReader) member(n *node, depth int) *MistakeError {
	if n.kind == kindList {
		item, m := r.value(depth + 1)
		n.items = append(n.items, item)
		return m
	}
	var f field
	f.line, f.column = r.next()
	token, err := r.d.Token()
	if err != nil {
		return r.broken(err)
	}
	f.name, _ = token.(string)
	value, m := r.value(depth + 1)
	f.value = value
	n.fields = append(n.fields, f)
	return m
}

func parseYAML(data []byte) (*node, *MistakeError) {
	d := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	if err := d.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &MistakeError{Line: 1, Column: 1, Message: "the file is empty"}
		}
		return nil, &MistakeError{Line: yamlLine(err), Column: 1, Message: "neither JSON nor YAML: " + strings.TrimPrefix(err.Error(), "yaml: ")}
	}
	var more yaml.Node
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &MistakeError{Line: max(1, more.Line), Column: max(1, more.Column), Message: "there is more text after the document"}
	}
	return fromYAML(document.Content[0], 0)
}

// yamlLine finds the line in a message of the YAML library, which has it nowhere else.
func yamlLine(err error) int {
	line := 1
	_, _ = fmt.Sscanf(strings.TrimPrefix(err.Error(), "yaml: "), "line %d:", &line)
	return line
}

func fromYAML(y *yaml.Node, depth int) (*node, *MistakeError) {
	n := &node{line: y.Line, column: y.Column, text: y.Value}
	mistake := func(text string) (*node, *MistakeError) {
		return nil, &MistakeError{Line: n.line, Column: n.column, Message: text}
	}
	if depth > maxDepth {
		return mistake("nested too deeply")
	}
	switch y.Kind {
	case yaml.MappingNode:
		n.kind = kindObject
		for i := 0; i+1 < len(y.Content); i += 2 {
			key := y.Content[i]
			value, m := fromYAML(y.Content[i+1], depth+1)
			if m != nil {
				return nil, m
			}
			n.fields = append(n.fields, field{line: key.Line, column: key.Column, name: key.Value, value: value})
		}
	case yaml.SequenceNode:
		n.kind = kindList
		for _, item := range y.Content {
			value, m := fromYAML(item, depth+1)
			if m != nil {
				return nil, m
			}
			n.items = append(n.items, value)
		}
	case yaml.ScalarNode:
		switch y.ShortTag() {
		case "!!int", "!!float":
			n.kind = kindNumber
		case "!!bool":
			n.kind = kindBool
		case "!!null":
			n.kind = kindNull
		default: // a time is a string here
			n.kind = kindString
		}
	default:
		return mistake("reports must not contain anchors or aliases")
	}
	return n, nil
}

// yaml turns the node into YAML, in the order of its fields.
func (n *node) yaml() *yaml.Node {
	switch n.kind {
	case kindObject:
		out := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range n.fields {
			out.Content = append(out.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: f.name}, f.value.yaml())
		}
		return out
	case kindList:
		out := &yaml.Node{Kind: yaml.SequenceNode}
		for _, item := range n.items {
			out.Content = append(out.Content, item.yaml())
		}
		return out
	case kindString:
		out := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: n.text}
		if strings.Contains(n.text, "\n") && !literal(n.text) || !visible.Plain(n.text) {
			out.Style = yaml.DoubleQuotedStyle
		}
		return out
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Value: n.text}
}

// literal reports whether a text of several lines can be a block: no letter is lost, none is mistaken for the indentation.
func literal(text string) bool {
	if strings.HasPrefix(text, " ") || strings.HasPrefix(text, "\n") || strings.HasPrefix(text, "\t") {
		return false
	}
	for _, c := range text {
		if c != '\n' && c != '\t' && (c < ' ' || c == 0x7f || c == 0x85 || c == 0xa0 || c == 0x2028 || c == 0x2029 || c == 0xfeff || c > 0xffff || c == utf8.RuneError) {
			return false
		}
	}
	return true
}
