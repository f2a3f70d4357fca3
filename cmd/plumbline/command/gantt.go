package command

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// chart draws what a run has made as bars of time below each other, so that what ran at the same time is seen side by side.
func chart(out io.Writer, of *run, rows []row, now time.Time) {
	end := of.created
	names := 0
	var bars []row
	for _, line := range rows {
		if line.run == nil && line.folded == 0 {
			continue
		}
		bars = append(bars, line)
		names = max(names, utf8.RuneCountInString(line.name))
		if line.run != nil && line.run.ended(now).After(end) {
			end = line.run.ended(now)
		}
	}
	if len(bars) == 0 || !end.After(of.created) {
		return
	}
	const indent, longest, figures = 4, 36, 12
	names = min(names, longest)
	columns := widest - indent - names - len("  ||") - figures
	whole := end.Sub(of.created)
	column := func(t time.Time) int {
		return min(columns, max(0, int(int64(t.Sub(of.created))*int64(columns)/int64(whole))))
	}
	fmt.Fprintf(out, "  tasks over time: %d columns are %s; . waits, = runs, x failed\n", columns, short(whole))
	for _, line := range bars {
		name := shortened(visible.Line(line.name), names)
		name += strings.Repeat(" ", names-utf8.RuneCountInString(name))
		if line.run == nil {
			fmt.Fprintf(out, "    %s\n", strings.TrimRight(name, " "))
			continue
		}
		from, to := column(line.run.created), column(line.run.ended(now))
		from = min(from, columns-1)
		to = max(to, from+1)
		runs := to
		if !line.run.began.IsZero() {
			runs = min(max(column(line.run.began), from), to-1)
		}
		bar := []byte(strings.Repeat(".", runs-from) + strings.Repeat("=", to-runs))
		if untyped.Succeeded(line.run.object.Object).Status == "False" {
			bar[len(bar)-1] = 'x'
		}
		fmt.Fprintf(out, "    %s  |%s%s%s|  %s\n", name, strings.Repeat(" ", from), bar, strings.Repeat(" ", columns-to), short(line.run.ended(now).Sub(line.run.created)))
	}
}

// ended is when a run ended, or now.
func (r *run) ended(now time.Time) time.Time {
	if r.finished.IsZero() {
		return now
	}
	return r.finished
}
