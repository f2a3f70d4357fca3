// Package failure describes one failure in words: in full, in a line, or as an annotation has room for.
package failure

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// Account writes a failure in full, indented by two.
func Account(b *bytes.Buffer, f *reports.Fixture, proven []reports.Statement) {
	x := f.Failure
	fmt.Fprintf(b, "  %s: %s: %s\n", x.At, x.Check, plain.Hang(x.Message))
	for _, s := range proven {
		fmt.Fprintf(b, "  source  %s (%s): %s\n", s.ID, s.Source, s.Text)
	}
	if x.Object != "" {
		fmt.Fprintf(b, "  object  %s\n", x.Object)
	}
	if x.Path != "" {
		fmt.Fprintf(b, "  path    %s\n", x.Path)
	}
	if x.Want != "" || x.Got != "" {
		fmt.Fprintf(b, "  want    %s\n", plain.Hang(x.Want))
		fmt.Fprintf(b, "  got     %s\n", plain.Hang(x.Got))
	}
	plain.Block(b, "diff (-want +got)", x.Diff)
	plain.Block(b, "history", strings.Join(x.History, "\n"))
	plain.Block(b, "events", strings.Join(x.Events, "\n"))
	for _, l := range x.Logs {
		plain.Block(b, "log of "+l.Pod+" "+l.Container, cmp.Or(l.Text, "(nothing)"))
	}
	if len(x.Missing) > 0 {
		var lines []string
		for _, m := range x.Missing {
			lines = append(lines, m.String())
		}
		plain.Block(b, "missing commands", strings.Join(lines, "\n"))
		plain.Block(b, "mocks for the fixture's spec", Mocks(x.Missing))
	}
	if x.Seed != nil {
		fmt.Fprintf(b, "  seed    %d\n", *x.Seed)
	}
	if x.Replay != "" {
		fmt.Fprintf(b, "  replay  %s\n", x.Replay)
	}
}

// Headline describes a failure in one line.
func Headline(x *reports.Failure) string {
	text := x.Message
	if x.Path != "" {
		text += ": " + x.Path
	}
	if x.Want != "" || x.Got != "" {
		text += fmt.Sprintf(": want %s, got %s", plain.Short(x.Want), plain.Short(x.Got))
	}
	return text
}

// Pointed returns what matters about a failure, the most important first: an annotation has little room.
func Pointed(f *reports.Fixture, proven []reports.Statement) []string {
	x := f.Failure
	lines := []string{f.Requirement}
	if x.Path != "" {
		lines = append(lines, strings.TrimSpace(x.Object+" "+x.Path))
	}
	if x.Want != "" || x.Got != "" {
		lines = append(lines, "want "+plain.Short(x.Want), "got "+plain.Short(x.Got))
	}
	lines = append(lines, plain.Short(x.Message))
	if x.Replay != "" {
		lines = append(lines, "replay: "+x.Replay)
	}
	for _, s := range proven {
		lines = append(lines, fmt.Sprintf("%s (%s): %s", s.ID, s.Source, s.Text))
	}
	return lines
}
