package reports

import (
	"bytes"
	"fmt"
	"io"
)

// Renderer writes a report in one format.
type Renderer interface {
	Render(w io.Writer, r *ConformanceReport) error
}

// The formats.
const (
	FormatTable    = "table"
	FormatWide     = "wide"
	FormatJSON     = "json"
	FormatYAML     = "yaml"
	FormatName     = "name"
	FormatJUnit    = "junit"
	FormatMarkdown = "markdown"
	FormatGitHub   = "github"
	FormatHTML     = "html"
)

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
		return JSON{}, nil
	case FormatYAML:
		return YAML{}, nil
	case FormatName:
		return Names{}, nil
	case FormatJUnit:
		return JUnit{}, nil
	case FormatMarkdown:
		return Markdown{}, nil
	case FormatGitHub:
		return GitHub{}, nil
	case FormatHTML:
		return HTML{}, nil
	}
	return nil, fmt.Errorf("unknown format %q; use one of %v", format, Formats())
}

// JSON renders the canonical bytes.
type JSON struct{}

var (
	_ Renderer = JSON{}
	_ Renderer = Names{}
	_ Renderer = Text{}
)

// Render implements Renderer.
func (JSON) Render(w io.Writer, r *ConformanceReport) error {
	data, err := Encode(r)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// Names renders one fixture name a line.
type Names struct{}

// Render implements Renderer.
func (Names) Render(w io.Writer, r *ConformanceReport) error {
	var b bytes.Buffer
	for _, f := range shown(r).Fixtures {
		fmt.Fprintln(&b, f.Name)
	}
	return write(w, b.Bytes())
}
