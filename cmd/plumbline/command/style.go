package command

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/plumbline-ci/plumbline/reports"
)

// terminal returns the file behind w if a person watches it.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// coloured says whether what goes to w may be coloured (https://no-color.org).
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

// styled gives a text renderer colours, if w can show them.
func styled(r reports.Renderer, w io.Writer) reports.Renderer {
	if t, ok := r.(reports.Text); ok && coloured(w) {
		t.Style = colour
		return t
	}
	return r
}
