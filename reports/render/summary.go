package render

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/harmless"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// Summary describes a run in which something failed or broke: how each feature did, and what the failures have in common.
// For other runs it is empty.
func Summary(r *reports.ConformanceReport) string {
	var b bytes.Buffer
	summary(&b, harmless.Copy(r))
	return strings.TrimRight(string(visible.Commands(b.Bytes())), "\n")
}

func summary(b *bytes.Buffer, r *reports.ConformanceReport) {
	list := causes(r)
	if len(list) == 0 {
		return
	}
	if board := scoreboard(r); len(board) > 0 {
		fmt.Fprintf(b, "features: %s\n", scores(board))
		for _, of := range standings() {
			if names := ofStanding(board, of); len(names) > 0 {
				fmt.Fprintf(b, "  %-11s  %s\n", of, strings.Join(names, ", "))
			}
		}
		fmt.Fprintln(b)
	}
	fmt.Fprintln(b, "failures by cause")
	for _, c := range list {
		uncounted := ""
		if !c.Counts {
			uncounted = " (does not count)"
		}
		fmt.Fprintf(b, "  %d × %s%s\n      %s\n", len(c.Fixtures), c.What, uncounted, someNames(c.Fixtures))
	}
	fmt.Fprintln(b)
}
