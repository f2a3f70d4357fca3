package command

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/reports"
)

// progress tells how far a run is: on a terminal one line that is written again and again, elsewhere a line for each
// fixture that did not pass.
type progress struct {
	w        io.Writer
	terminal bool
	quiet    bool
	failed   int
	written  bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet}
	if f, ok := w.(*os.File); ok {
		p.terminal = term.IsTerminal(int(f.Fd()))
	}
	return p
}

const clearLine = "\r\x1b[K"

func (p *progress) fixture(at conformance.Progress) {
	if p.quiet {
		return
	}
	bad := at.Result.Verdict == reports.Fail || at.Result.Verdict == reports.Error
	if bad {
		p.failed++
	}
	if p.terminal {
		fmt.Fprintf(p.w, clearLine+"%d/%d, %d failed  %s", at.Done, at.Total, p.failed, at.Result.Name)
		p.written = true
		return
	}
	if bad {
		fmt.Fprintf(p.w, "%d/%d %s: %s\n", at.Done, at.Total, at.Result.Verdict, at.Result.Name)
	}
}

func (p *progress) done() {
	if p.written {
		fmt.Fprint(p.w, clearLine)
	}
}
