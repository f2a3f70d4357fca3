package command

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/simulation"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports/visible"
)

// firstFailure is what failed first below a run that did not succeed, or nil.
func (r *run) firstFailure() *simulation.Failure {
	if untyped.Succeeded(r.object.Object).Status != "False" || r.kind.Kind != v1beta1.KindPipelineRun {
		return nil
	}
	var failed []*run
	for _, child := range r.children {
		if untyped.Succeeded(child.object.Object).Status == "False" {
			failed = append(failed, child)
		}
	}
	if len(failed) == 0 {
		return nil
	}
	// What was cancelled, was so because of something else. Of what else failed, the first one is the cause.
	first := slices.MinFunc(failed, func(a, b *run) int {
		return cmp.Or(cmp.Compare(a.stopped(), b.stopped()), a.finished.Compare(b.finished))
	})
	f := &simulation.Failure{Task: first.task(), Run: first.kind.Name + "/" + first.object.GetName(), Message: first.outcome()}
	specs := untyped.Maps(first.object.Object, "status", "taskSpec", "steps")
	for i, s := range untyped.Maps(first.object.Object, "status", "steps") {
		code, ended, _ := unstructured.NestedInt64(s, "terminated", "exitCode")
		if !ended || code == 0 || i < len(specs) && specs[i]["onError"] == "continue" {
			continue
		}
		f.Step, f.ExitCode = untyped.Text(s["name"]), int(code)
		if n := len(first.pods); n > 0 {
			f.Log = lastLine(first.pods[n-1].logs[untyped.Text(s["container"])])
		}
		break
	}
	return f
}

// stopped is 1 for a run that was cancelled.
func (r *run) stopped() int {
	if slices.Contains(r.kind.Run.Cancelled, untyped.Succeeded(r.object.Object).Reason) {
		return 1
	}
	return 0
}

// lastLine is the last line of a log that says something.
func lastLine(log []byte) string {
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

// printFailures says first, of each PipelineRun that failed, where that began.
func printFailures(out io.Writer, w *witness) {
	said := false
	for _, r := range w.roots() {
		f := r.firstFailure()
		if f == nil {
			continue
		}
		said = true
		what := "task " + f.Task
		if f.Task == "" {
			what = f.Run
		}
		text := fmt.Sprintf("%s failed first in %s", w.title(r), what)
		switch {
		case f.Step != "" && !strings.Contains(f.Message, " exited with code "): // something else ended it
			text += fmt.Sprintf(", step %s: %s", f.Step, f.Message)
		case f.Step != "" && f.Log != "":
			text += fmt.Sprintf(", step %s, with exit code %d: %s", f.Step, f.ExitCode, f.Log)
		case f.Step != "":
			text += fmt.Sprintf(", step %s, with exit code %d, which printed nothing", f.Step, f.ExitCode)
		default:
			text += ": " + f.Message
		}
		fmt.Fprintln(out, visible.Line(text))
	}
	if said {
		fmt.Fprintln(out)
	}
}
