package command

import (
	"fmt"
	"io"

	"golang.org/x/term"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// progress tells how far a run is: on a terminal one line that is written again and again, elsewhere a line for each
// fixture that did not pass.
type progress struct {
	w        io.Writer
	terminal bool
	width    int // of the terminal; 0 if it is not known
	quiet    bool
	failed   int
	written  bool
}

func newProgress(w io.Writer, quiet bool) *progress {
	p := &progress{w: w, quiet: quiet}
	f, watched := terminal(w)
	if !watched {
		return p
	}
	p.w, p.terminal = f, true
	if width, _, err := term.GetSize(int(f.Fd())); err == nil {
		p.width = width
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
		line := []rune(fmt.Sprintf("%d/%d, %d failed  %s", at.Done, at.Total, p.failed, visible.Line(at.Result.Name)))
		if p.width > 0 && len(line) >= p.width {
			line = line[:p.width-1] // a line that wraps cannot be written over
		}
		fmt.Fprint(p.w, clearLine+string(line))
		p.written = true
		return
	}
	if bad {
		fmt.Fprintf(p.w, "%d/%d %s: %s\n", at.Done, at.Total, at.Result.Verdict, visible.Line(at.Result.Name))
	}
}

func (p *progress) done() {
	if p.written {
		fmt.Fprint(p.w, clearLine)
	}
}
