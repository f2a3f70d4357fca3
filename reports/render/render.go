// Package render writes reports for people and for CI: as a table, JSON, YAML, names, JUnit XML, Markdown, annotations for
// GitHub, and as a page in HTML.
//
// [RendererFor] returns the renderer of a format. [Text] and [JUnit] have options. [Sweep] writes a SweepReport, [Explain] tells
// of one fixture, and [Summary] says what the failures of a run have in common. Texts in a report were written by others:
// every format for people shows them in a form that no terminal, browser or CI job obeys.
//
// Comparisons of reports have their own formats, in package compare.
package render

import (
	"bytes"
	"fmt"
	"io"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/formats"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
)

// The formats.
const (
	FormatTable    = formats.Table
	FormatWide     = formats.Wide
	FormatJSON     = formats.JSON
	FormatYAML     = formats.YAML
	FormatName     = formats.Name
	FormatJUnit    = formats.JUnit
	FormatMarkdown = formats.Markdown
	FormatGitHub   = formats.GitHub
	FormatHTML     = formats.HTML
)

// Renderer writes a report in one format.
type Renderer interface {
	Render(w io.Writer, r *reports.ConformanceReport) error
}

// Formats lists the formats that RendererFor knows.
func Formats() []string {
	return []string{FormatTable, FormatWide, FormatJSON, FormatYAML, FormatName, FormatJUnit, FormatMarkdown, FormatGitHub, FormatHTML}
}

// RendererFor returns the renderer of a format.
func RendererFor(format string) (Renderer, error) {
	switch format {
	case FormatTable, "":
		return Text{}, nil
	case FormatWide:
		return Text{Wide: true}, nil
	case FormatJSON:
		return renderFunc(writeJSON), nil
	case FormatYAML:
		return renderFunc(writeYAML), nil
	case FormatName:
		return renderFunc(writeNames), nil
	case FormatJUnit:
		return JUnit{}, nil
	case FormatMarkdown:
		return renderFunc(writeMarkdown), nil
	case FormatGitHub:
		return renderFunc(writeGitHub), nil
	case FormatHTML:
		return renderFunc(writeHTML), nil
	}
	return nil, fmt.Errorf("unknown format %q; use one of %v", format, Formats())
}

// renderFunc is a Renderer without options.
type renderFunc func(w io.Writer, r *reports.ConformanceReport) error

// Render implements Renderer.
func (f renderFunc) Render(w io.Writer, r *reports.ConformanceReport) error { return f(w, r) }

var (
	_ Renderer = Text{}
	_ Renderer = JUnit{}
)

// writeJSON writes the canonical bytes.
func writeJSON(w io.Writer, r *reports.ConformanceReport) error {
	data, err := reports.Encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// writeYAML writes the document as YAML.
func writeYAML(w io.Writer, r *reports.ConformanceReport) error {
	data, err := reports.EncodeYAML(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// writeNames writes one fixture name a line.
func writeNames(w io.Writer, r *reports.ConformanceReport) error {
	var b bytes.Buffer
	for _, f := range harmless.Copy(r).Fixtures {
		fmt.Fprintln(&b, f.Name)
	}
	return harmless.Write(w, b.Bytes())
}
