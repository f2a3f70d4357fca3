package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/admission"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// print writes the outcome of the runs.
func (o *simulateOptions) print(w *witness, now time.Time, found findings) error {
	switch o.output {
	case "name":
		for _, r := range w.tree() {
			fmt.Fprintln(o.streams.Out, r.resource())
		}
		return nil
	case "json", "yaml":
		return o.printList(w, found)
	}
	return o.printTable(w, now)
}

// printList writes the objects as they were last seen, as a list that kubectl could have printed.
func (o *simulateOptions) printList(w *witness, found findings) error {
	items := []any{}
	for _, r := range w.tree() {
		object, err := inVersion(r.object, w.writtenAs(r.object))
		if err != nil {
			return err
		}
		items = append(items, object)
		if o.pods {
			for _, p := range r.pods {
				items = append(items, p.object.Object)
			}
		}
	}
	last, err := simulated(w, found)
	if err != nil {
		return err
	}
	items = append(items, last)
	list := map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}, "items": items}
	if o.output == "yaml" {
		return printYAML(o.streams.Out, list)
	}
	return printJSON(o.streams.Out, list)
}

// inVersion is the object in the version that its manifest is written in. Conversion is the API's, so it is as a cluster
// would show it.
func inVersion(o *unstructured.Unstructured, apiVersion string) (map[string]any, error) {
	if apiVersion == "" || apiVersion == o.GetAPIVersion() {
		return o.Object, nil
	}
	raw, err := json.Marshal(o.Object)
	if err == nil {
		raw, err = admission.ConvertJSON(raw, apiVersion)
	}
	out := map[string]any{}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return nil, fmt.Errorf("showing %s %s as %s: %w", o.GetKind(), o.GetName(), apiVersion, err)
	}
	return out, nil
}

func (o *simulateOptions) printTable(w *witness, now time.Time) error {
	if len(w.runs) == 0 {
		return nil
	}
	rows := w.rows(o.all)
	printFailures(o.streams.Out, w)
	if w.mixed {
		o.printTree(w, rows)
	} else if err := o.printTaskRuns(w); err != nil {
		return err
	}
	runs, hidden := w.shown(rows)
	for _, r := range runs {
		if err := o.printRun(w, r, now); err != nil {
			return err
		}
	}
	if hidden > 0 {
		fmt.Fprintf(o.streams.Out, "\n%d more that ended like those around them are not shown; --all shows them\n", hidden)
	}
	fmt.Fprintf(o.streams.Out, "\n%s of virtual time, seed %d\n", short(now.Sub(w.runs[0].created)), o.seed)
	return nil
}

// printTaskRuns writes the table of TaskRuns without a tree.
func (o *simulateOptions) printTaskRuns(w *witness) error {
	out := tabwriter.NewWriter(o.streams.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "TASKRUN\tSUCCEEDED\tREASON\tTOOK\tPOD")
	for _, r := range w.tree() {
		line := w.rowOf(r, 0)
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\n", line.name, line.state, visible.Line(line.reason), took(r.object), line.object(false))
	}
	return out.Flush()
}

func (o *simulateOptions) printRun(w *witness, r *run, now time.Time) error {
	out := o.streams.Out
	fmt.Fprintf(out, "\n%s: %s\n", w.title(r), visible.Line(dash(r.outcome())))
	if err := printSteps(out, r.object); err != nil {
		return err
	}
	printResults(out, r.object)
	for _, p := range r.pods {
		containers := untyped.Maps(p.object.Object, "spec", "containers")
		for _, c := range containers {
			name, _ := c["name"].(string)
			log := p.logs[name]
			if len(log) == 0 {
				continue
			}
			fmt.Fprintf(out, "  log of %s in %s\n", name, p.name())
			for line := range strings.SplitSeq(strings.TrimRight(string(log), "\n"), "\n") {
				fmt.Fprintf(out, "    | %s\n", line)
			}
		}
	}
	if o.timeline {
		o.printTimeline(w, r, now)
	}
	return nil
}

// printTimeline says when what happened. A run that another one has made has its bar there, and more lines only if it did not
// succeed.
func (o *simulateOptions) printTimeline(w *witness, r *run, now time.Time) {
	out := o.streams.Out
	root, depth := r.root()
	if depth == 0 || o.all || untyped.Succeeded(r.object.Object).Status != "True" {
		fmt.Fprintln(out, "  timeline")
		moments := r.moments
		const first, last = 4, 4
		gap := len(moments) - first - last
		folds := len(r.children) > 0 && gap > 1 && !o.all
		for i, m := range moments {
			switch {
			case folds && i == first:
				fmt.Fprintf(out, "    %9s  … %d more\n", "", gap)
			case folds && i > first && i < first+gap:
			default:
				fmt.Fprintf(out, "    %9s  %s\n", "+"+short(m.at.Sub(root.created)), visible.Line(m.what))
			}
		}
	}
	if len(r.children) > 0 {
		rows := w.below(r, 0)
		if !o.all {
			rows = fold(rows)
		}
		chart(out, r, rows, now)
	}
}

func printSteps(w io.Writer, o *unstructured.Unstructured) error {
	steps := untyped.Maps(o.Object, "status", "steps")
	if len(steps) == 0 {
		return nil
	}
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "  STEP\tEXIT CODE\tREASON\tSTARTED\tFINISHED")
	for _, s := range steps {
		t, ended, _ := unstructured.NestedMap(s, "terminated")
		if !ended {
			state := "running"
			if _, waits := s["waiting"]; waits {
				state = "waiting"
			}
			fmt.Fprintf(out, "  %v\t-\t%s\t-\t-\n", s["name"], state)
			continue
		}
		fmt.Fprintf(out, "  %v\t%v\t%v\t%v\t%v\n", s["name"], t["exitCode"], dash(fmt.Sprint(orNothing(t["reason"]))), dash(fmt.Sprint(orNothing(t["startedAt"]))), dash(fmt.Sprint(orNothing(t["finishedAt"]))))
	}
	return out.Flush()
}

func printResults(w io.Writer, o *unstructured.Unstructured) {
	var results []map[string]any
	for _, field := range []string{"taskResults", "pipelineResults", "results"} { // of TaskRuns, PipelineRuns and runs of custom tasks
		results = append(results, untyped.Maps(o.Object, "status", field)...)
	}
	if len(results) == 0 {
		return
	}
	fmt.Fprintln(w, "  results")
	for _, r := range results {
		fmt.Fprintf(w, "    %v = %s\n", r["name"], visible.Line(resultValue(r["value"])))
	}
}

// resultValue is a result as a person reads it: a text as it is, an array or an object as JSON.
func resultValue(value any) string {
	if text, ok := value.(string); ok {
		return text
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// took is completionTime less startTime.
func took(o *unstructured.Unstructured) string {
	at := func(field string) (time.Time, bool) {
		text, _, _ := unstructured.NestedString(o.Object, "status", field)
		t, err := time.Parse(time.RFC3339, text)
		return t, err == nil
	}
	start, started := at("startTime")
	end, ended := at("completionTime")
	if !started || !ended {
		return "-"
	}
	return end.Sub(start).String()
}

func short(d time.Duration) string { return d.Round(time.Millisecond).String() }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
