package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parseJSON reads one document of JSON into the nodes that YAML has.
func parseJSON(file string, data []byte, limits Limits) ([]*Document, Errors) {
	if len(data) > limits.Size {
		return nil, tooLarge(file, limits)
	}
	r := &jsonReader{file: file, data: data, limits: limits, tokens: json.NewDecoder(bytes.NewReader(data)), line: 1}
	r.tokens.UseNumber()
	root, err := r.value(0)
	if err == nil {
		more := r.fail("there is more text after the document", "give a file with one document")
		if _, end := r.tokens.Token(); !errors.Is(end, io.EOF) {
			err = more
		}
	}
	if err != nil {
		return nil, Errors{err}
	}
	return []*Document{{File: file, Root: root}}, nil
}

// jsonReader makes nodes of tokens.
type jsonReader struct {
	file   string
	data   []byte
	limits Limits
	tokens *json.Decoder
	values int
	// at is how far lines were counted; line and column are those there. A document may be one line of a megabyte.
	at, line, column int
}

// next returns the place of the next token.
func (r *jsonReader) next() Position {
	offset := int(r.tokens.InputOffset())
	for offset < len(r.data) && strings.IndexByte(" \t\r\n,:", r.data[offset]) >= 0 {
		offset++
	}
	return r.place(offset)
}

func (r *jsonReader) place(offset int) Position {
	offset = min(max(offset, r.at), len(r.data))
	for ; r.at < offset; r.at++ {
		switch b := r.data[r.at]; {
		case b == '\n':
			r.line, r.column = r.line+1, 0
		case utf8.RuneStart(b):
			r.column++
		}
	}
	return Position{File: r.file, Line: r.line, Column: 1 + r.column}
}

// fail is an error at the next token.
func (r *jsonReader) fail(message, hint string) *Error {
	return &Error{Position: r.next(), Message: message, Hint: hint}
}

// broken says where and why the text is not JSON.
func (r *jsonReader) broken(err error) *Error {
	offset, text := int(r.tokens.InputOffset()), err.Error()
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		offset, text = len(r.data), "the document ends too early"
	case errors.As(err, &syntax):
		offset = max(offset, int(syntax.Offset)-1)
	}
	return &Error{Position: r.place(offset), Message: "not valid JSON: " + text, Hint: "check the quotes, commas and brackets here"}
}

func (r *jsonReader) value(depth int) (*yaml.Node, *Error) {
	if depth > r.limits.Depth {
		return nil, r.fail(fmt.Sprintf("values nest deeper than %d", r.limits.Depth), "flatten the document")
	}
	if r.values++; r.values > r.limits.Values {
		return nil, r.fail(fmt.Sprintf("the document has more than %d values", r.limits.Values), "split it")
	}
	at := r.next()
	n := &yaml.Node{Kind: yaml.ScalarNode, Line: at.Line, Column: at.Column}
	token, err := r.tokens.Token()
	if err != nil {
		return nil, r.broken(err)
	}
	switch x := token.(type) {
	case string:
		n.Tag, n.Value = "!!str", x
	case json.Number:
		n.Tag, n.Value = "!!float", x.String()
		if strings.Trim(n.Value, "-0123456789") == "" {
			n.Tag = "!!int"
		}
	case bool:
		n.Tag, n.Value = "!!bool", strconv.FormatBool(x)
	case nil:
		n.Tag, n.Value = "!!null", "null"
	case json.Delim:
		n.Kind, n.Tag = yaml.SequenceNode, "!!seq"
		if x == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for r.tokens.More() {
			if err := r.member(n, depth); err != nil {
				return nil, err
			}
		}
		if _, err := r.tokens.Token(); err != nil {
			return nil, r.broken(err)
		}
	}
	return n, nil
}

// member adds the next item of a list, or the next field of an object.
func (r *jsonReader) member(n *yaml.Node, depth int) *Error {
	if n.Kind == yaml.MappingNode {
		at := r.next()
		token, err := r.tokens.Token()
		if err != nil {
			return r.broken(err)
		}
		name, _ := token.(string)
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name, Line: at.Line, Column: at.Column})
	}
	value, err := r.value(depth + 1)
	n.Content = append(n.Content, value)
	return err
}
