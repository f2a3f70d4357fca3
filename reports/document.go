package reports

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// EncodeDocument returns the bytes of any document of this version in the form that Encode gives a report.
func EncodeDocument(document any) ([]byte, error) { return encode(document, "document") }

// EncodeYAML returns a report as YAML, with its fields in the same order as Encode. Read reads it.
func EncodeYAML(r *ConformanceReport) ([]byte, error) {
	data, err := Encode(r)
	if err != nil {
		return nil, err
	}
	doc, errs := source.ParseOne("", data, source.Limits{Size: len(data), Values: len(data), Depth: limits.Depth})
	if err := errs.Err(); err != nil {
		return nil, fmt.Errorf("encoding YAML: %w", err)
	}
	style(doc.Root)
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(doc.Root), e.Close()); err != nil {
		return nil, fmt.Errorf("encoding YAML: %w", err)
	}
	return visible.YAML(b.Bytes()), nil
}

// style quotes the texts that would not come back as they are.
func style(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!str" && (strings.Contains(n.Value, "\n") && !literal(n.Value) || !visible.Plain(n.Value)) {
		n.Style = yaml.DoubleQuotedStyle
	}
	for _, below := range n.Content {
		style(below)
	}
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
