package compare

import (
	"bytes"
	"fmt"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/annotation"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// annotateChange writes a workflow command for a change.
func annotateChange(b *bytes.Buffer, level string, c *Change) {
	x, y := c.verdicts()
	at, lines := c.File, []string{fmt.Sprintf("%s: %s, was %s", c.Change, y, x)}
	if c.Failure != nil {
		at = c.Failure.At
		lines = append(lines, failure.Pointed(&reports.Fixture{Requirement: c.Requirement, Failure: c.Failure}, c.Proves)...)
	} else if c.Reason != "" {
		lines = append(lines, c.Reason)
	}
	annotation.Write(b, level, at, c.name()+" ("+c.Level+")", lines...)
}

func (d *Difference) github(b *bytes.Buffer) {
	for i := range d.Changes {
		if d.Changes[i].Why == "" {
			annotateChange(b, "warning", &d.Changes[i])
		}
	}
	level := "notice"
	if d.Unexplained > 0 {
		level = "error"
	}
	annotation.Write(b, level, "", "reports", d.verdict())
}

func (g *Gate) github(b *bytes.Buffer) {
	for i := range g.Worse {
		annotateChange(b, "error", &g.Worse[i])
	}
	for i := range g.New {
		annotateChange(b, "warning", &g.New[i])
	}
	level := "notice"
	if !g.Passed {
		level = "error"
	}
	profiles := g.whole()
	for _, p := range g.Profiles {
		profiles = append(profiles, p.Profile+": "+plain.Dash(string(p.B))+", was "+plain.Dash(string(p.A)))
	}
	if g.Part != "" {
		profiles = append(profiles, g.Part)
	}
	annotation.Write(b, level, "", "gate", append([]string{g.verdict()}, profiles...)...)
}

func (t *Table) github(b *bytes.Buffer) {
	for i := range t.Rows {
		row := &t.Rows[i]
		if row.Agree == Contradiction && row.Why == "" {
			annotation.Write(b, "warning", row.File, row.Fixture+" ("+row.Level+")", append([]string{row.Requirement}, t.differing(row)...)...)
		}
	}
	level := "notice"
	if t.Unexplained > 0 {
		level = "error"
	}
	lines := []string{t.verdict()}
	for i := range t.Columns {
		lines = append(lines, t.Columns[i].Name+": "+t.Columns[i].summary())
	}
	annotation.Write(b, level, "", "reports", lines...)
}
