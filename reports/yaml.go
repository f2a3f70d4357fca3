package reports

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"

	"github.com/plumbline-ci/plumbline/reports/visible"
)

// YAML renders the document as YAML, with its fields in the same order as the canonical JSON. Decode reads it.
type YAML struct{}

var _ Renderer = YAML{}

// Render implements Renderer.
func (YAML) Render(w io.Writer, r *ConformanceReport) error {
	data, err := Encode(r)
	if err != nil {
		return err
	}
	root, m := parseJSON(data)
	if m != nil {
		return fmt.Errorf("encoding YAML: %w", m)
	}
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := errors.Join(e.Encode(root.yaml()), e.Close()); err != nil {
		return fmt.Errorf("encoding YAML: %w", err)
	}
	_, err = w.Write(visible.YAML(b.Bytes()))
	return err
}
