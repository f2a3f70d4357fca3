package reports

import (
	"bytes"
	"errors"
	"fmt"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// EncodeDocument returns the bytes of any document of this version in the form that Encode gives a report.
func EncodeDocument(document any) ([]byte, error) { return encode(document, "document") }

// ReadDocument reads a document of another kind as strictly as Read reads a report. check, which may be nil, finds what
// the types cannot: it returns a mistake with its Path, which ReadDocument gives its line and column. The error is a *MistakeError.
func ReadDocument(file string, data []byte, kind string, into any, check func() *MistakeError) error {
	root, m := read(data, kind, into)
	if m == nil && check != nil {
		if m = check(); m != nil {
			m.Line, m.Column = root.find(m.Path)
		}
	}
	if m != nil {
		m.File = file
		return m
	}
	return nil
}

// EncodeYAML returns a report as YAML, with its fields in the same order as Encode. Read reads it.
func EncodeYAML(r *ConformanceReport) ([]byte, error) {
	data, err := Encode(r)
	if err != nil {
		return nil, err
	}
	root, m := parseJSON(data)
	if m != nil {
		return nil, fmt.Errorf("encoding YAML: %w", m)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(root.yaml()), e.Close()); err != nil {
		return nil, fmt.Errorf("encoding YAML: %w", err)
	}
	return visible.YAML(b.Bytes()), nil
}
