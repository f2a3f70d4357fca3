package render

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/reporttest"
)

func rendered(t *testing.T, format string, r *reports.ConformanceReport) []byte {
	t.Helper()
	renderer, err := RendererFor(format)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := renderer.Render(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRenderings(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		name := map[string]string{FormatTable: "table.txt", FormatWide: "wide.txt", FormatJSON: "report.json", FormatYAML: "report.yaml", FormatName: "name.txt",
			FormatJUnit: "junit.xml", FormatMarkdown: "markdown.md", FormatGitHub: "github.txt", FormatHTML: "page.html"}[format]
		if name == "" {
			t.Fatalf("format %s has no golden file", format)
		}
		reporttest.Golden(t, name, rendered(t, format, reporttest.Full()))
	}
}

func TestEveryFormatHasARenderer(t *testing.T) {
	t.Parallel()
	for _, format := range Formats() {
		r, err := RendererFor(format)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := r.Render(&b, reporttest.Example()); err != nil || b.Len() == 0 {
			t.Errorf("%s: %v, %d bytes", format, err, b.Len())
		}
	}
	if _, err := RendererFor("xls"); err == nil || !strings.Contains(err.Error(), "json") {
		t.Errorf("an unknown format is told the known ones, got %v", err)
	}
}

func TestStyleKeepsTheTableLayout(t *testing.T) {
	t.Parallel()
	var plain, styled bytes.Buffer
	if err := (Text{}).Render(&plain, reporttest.Example()); err != nil {
		t.Fatal(err)
	}
	marks := 0
	if err := (Text{Style: func(word, text string) string { marks++; return "\x1b[1m" + text + "\x1b[0m" }}).Render(&styled, reporttest.Example()); err != nil {
		t.Fatal(err)
	}
	if got := strings.NewReplacer("\x1b[1m", "", "\x1b[0m", "").Replace(styled.String()); got != plain.String() || marks == 0 {
		t.Errorf("without its marks the styled table differs:\n%s", cmp.Diff(plain.String(), got))
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Error("the plain table has colours")
	}
	lines := strings.Split(strings.TrimSpace(plain.String()), "\n")
	if last := lines[len(lines)-1]; last != "FAILED: 1 of 3 passed, 1 failed, 1 not on this target" {
		t.Errorf("the last line is not a verdict: %q", last)
	}
}
