package command

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// terminal returns the file behind w if a person watches it.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := behind(w).(*os.File)
	return f, ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// coloured reports whether what goes to w may be coloured (https://no-color.org).
func coloured(w io.Writer) bool {
	_, watched := terminal(w)
	return watched && os.Getenv("NO_COLOR") == ""
}

const (
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	red    = "\x1b[31m"
	plain  = "\x1b[0m"
)

// colour marks up a verdict or a result.
func colour(word, text string) string {
	switch word {
	case string(reports.Pass), string(reports.Passed):
		return green + text + plain
	case string(reports.Fail), string(reports.Failed), string(reports.Error):
		return red + text + plain
	}
	return yellow + text + plain
}

// behind returns what stands behind a writer that makes text visible: for what is harmless already and has colours,
// annotations or a line that is written over.
func behind(w io.Writer) io.Writer {
	if v, ok := w.(*visible.Writer); ok {
		return v.Unwrap()
	}
	return w
}

// renderTo writes a report to w, with colours if w can show them. Renderers make the texts of a report harmless themselves.
func renderTo(r render.Renderer, w io.Writer, report *reports.ConformanceReport) error {
	if t, ok := r.(render.Text); ok && coloured(w) {
		t.Style = colour
		r = t
	}
	return r.Render(behind(w), report)
}
