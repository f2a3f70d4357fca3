package command

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// What the reports of PipelineRuns fit into.
const (
	widest    = 100 // columns of a table or chart
	manyRows  = 40  // more pipeline tasks than this are folded
	alikeRows = 6   // that many rows in succession are shown even if they say the same
)

// What rows say of pipeline tasks without a run.
const (
	stateSkipped = "skipped"
	notStarted   = "not started"
)

// row is a line of the tree: a run, or a pipeline task that has none.
type row struct {
	depth int
	run   *run   // nil for a task without a run
	name  string // the pipeline task, or how the table calls the run
	// state and reason are those of the condition, or "skipped" and why.
	state, reason string
	folded        int // how many rows stand here and are not shown
}

// task is the pipeline task that a run belongs to, or nothing.
func (r *run) task() string { return r.object.GetLabels()[v1beta1.LabelPipelineTask] }

// rows lists the tree of runs, with pipeline tasks in the order of their Pipeline. Unless all is wanted, long lists are folded.
func (w *witness) rows(all bool) []row {
	var out []row
	for _, r := range w.roots() {
		out = append(out, w.rowOf(r, 0))
		below := w.below(r, 1)
		if !all {
			below = fold(below)
		}
		out = append(out, below...)
	}
	return out
}

// rowOf is the line of one run.
func (w *witness) rowOf(r *run, depth int) row {
	c := untyped.Succeeded(r.object.Object)
	line := row{depth: depth, run: r, name: w.title(r), state: dash(c.Status), reason: dash(c.Reason)}
	if task := r.task(); task != "" && r.parent != nil {
		line.name = task
	}
	return line
}

// below lists what a run has made, and the pipeline tasks for which it made nothing.
func (w *witness) below(r *run, depth int) []row {
	var out []row
	done := map[*run]bool{}
	add := func(child *run) {
		if !done[child] {
			done[child] = true
			out = append(out, w.rowOf(child, depth))
			out = append(out, w.below(child, depth+1)...)
		}
	}
	byTask := map[string][]*run{}
	for _, child := range r.children {
		byTask[child.task()] = append(byTask[child.task()], child)
	}
	skipped := map[string]string{}
	for _, s := range untyped.Maps(r.object.Object, "status", "skippedTasks") {
		skipped[untyped.Text(s["name"])] = untyped.Text(s["reason"])
	}
	for _, list := range []string{"tasks", "finally"} {
		for _, t := range untyped.Maps(r.object.Object, "status", "pipelineSpec", list) {
			name := untyped.Text(t["name"])
			for _, child := range byTask[name] {
				add(child)
			}
			reason, isSkipped := skipped[name]
			switch {
			case isSkipped && len(byTask[name]) == 0:
				out = append(out, row{depth: depth, name: name, state: stateSkipped, reason: reason})
			case len(byTask[name]) == 0:
				out = append(out, row{depth: depth, name: name, state: "-", reason: notStarted})
			}
		}
	}
	for _, child := range r.children {
		add(child)
	}
	return out
}

// fold replaces the middle of a long series of rows that say the same. What did not succeed is met sooner so.
func fold(rows []row) []row {
	if len(rows) <= manyRows {
		return rows
	}
	var out []row
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].state == rows[0].state && rows[n].reason == rows[0].reason && rows[n].depth == rows[0].depth {
			n++
		}
		if n <= alikeRows {
			out = append(out, rows[:n]...)
		} else {
			gap := rows[0]
			gap.run, gap.folded = nil, n-alikeRows+1
			gap.name = fmt.Sprintf("… %d more", gap.folded)
			out = append(out, rows[:alikeRows-2]...)
			out = append(out, gap, rows[n-1])
		}
		rows = rows[n:]
	}
	return out
}

// shown are the runs of the tree that have a row, in its order, and how many have none.
func (w *witness) shown(rows []row) (runs []*run, hidden int) {
	for _, line := range rows {
		if line.run != nil {
			runs = append(runs, line.run)
		}
		if !line.without() {
			hidden += line.folded
		}
	}
	return runs, hidden
}

// without reports whether the row is of pipeline tasks that have no run.
func (line row) without() bool { return line.state == stateSkipped || line.reason == notStarted }

// object is what the last column says of a row: the Pod of a run, the run of a pipeline task, or why there is none.
func (line row) object(mixed bool) string {
	switch {
	case line.run == nil && line.without():
		return line.reason
	case line.run == nil:
		return ""
	case line.run.task() != "" && line.run.parent != nil:
		return line.run.kind.Name + "/" + line.run.object.GetName()
	}
	pod, _, _ := unstructured.NestedString(line.run.object.Object, "status", "podName")
	if mixed && pod != "" {
		return "pod/" + pod
	}
	return dash(pod)
}

// printTree writes the table of a tree that has other runs than TaskRuns. Names that would make it too wide lose their middle; they
// stand whole below.
func (o *simulateOptions) printTree(w *witness, rows []row) {
	table := [][]string{{"NAME", "SUCCEEDED", "REASON", "TOOK", "OBJECT"}}
	for _, line := range rows {
		cells := []string{strings.Repeat("  ", line.depth) + line.name, line.state, line.reason, "-", line.object(true)}
		if line.without() {
			cells[2] = "-"
		}
		if line.run != nil {
			cells[3] = took(line.run.object)
		}
		for i := range cells {
			cells[i] = visible.Line(cells[i])
		}
		table = append(table, cells)
	}
	widths := make([]int, len(table[0]))
	for _, cells := range table {
		for i, cell := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	const gap, least, shortest = 2, 24, 20
	left := widest
	for _, width := range widths[1 : len(widths)-1] {
		left -= width + gap
	}
	last := len(widths) - 1
	widths[0] = min(widths[0], max(left-gap-min(widths[last], least), shortest))
	left = max(left-widths[0]-gap, least)
	for _, cells := range table {
		var b strings.Builder
		cells[0] = shortened(cells[0], widths[0])
		for i, cell := range cells[:last] {
			b.WriteString(cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+gap))
		}
		b.WriteString(shortened(cells[last], left))
		fmt.Fprintln(o.streams.Out, strings.TrimRight(b.String(), " "))
	}
}

// shortened is a text without its middle, if it is too long.
func shortened(text string, most int) string {
	runes := []rune(text)
	if len(runes) <= most {
		return text
	}
	half := (most - 1) / 2
	return string(slices.Concat(runes[:most-1-half], []rune("…"), runes[len(runes)-half:]))
}
