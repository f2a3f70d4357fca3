// Package formats names the formats of all documents, and writes those documents that have the same few forms: comparisons
// and sweeps.
package formats

import (
	"bytes"
	"fmt"
	"io"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
)

// The formats.
const (
	Table    = "table"
	Wide     = "wide"
	JSON     = "json"
	YAML     = "yaml"
	Name     = "name"
	JUnit    = "junit"
	Markdown = "markdown"
	GitHub   = "github"
	HTML     = "html"
)

// Forms are a document, and the functions that write it for people.
type Forms struct {
	Document                any
	Table, Markdown, GitHub func(*bytes.Buffer)
}

// Write writes a document in one of the forms. known are the formats that its kind has.
func Write(w io.Writer, format string, known []string, f Forms) error {
	var b bytes.Buffer
	switch format {
	case Table, "":
		f.Table(&b)
		return harmless.Write(w, b.Bytes())
	case Markdown:
		f.Markdown(&b)
		return harmless.Write(w, b.Bytes())
	case GitHub:
		f.GitHub(&b)
	case JSON:
		data, err := reports.EncodeDocument(f.Document)
		if err != nil {
			return err
		}
		b.Write(data)
	default:
		return fmt.Errorf("unknown format %q; use one of %v", format, known)
	}
	_, err := w.Write(b.Bytes())
	return err
}
