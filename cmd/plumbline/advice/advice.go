// Package advice finds what is legal in a TaskRun and surely not meant: a result that no step wrote, a param that the
// Task does not have, a variable that nothing replaced.
//
// [About] looks at one TaskRun that has ended: its manifests as they are written, its status, its Pods and what they
// printed. [OfSecret] looks at a manifest alone. Each note says what was found, in which run and step, and where it is
// written. A rule belongs here only if it holds for every run: what is merely unusual gets no note.
//
//	advice.go       what the rules look at, and what they say
//	results.go      results that are declared and not written, or written and not declared
//	params.go       params that nothing uses
//	variables.go    variables that were left as they are
//	scripts.go      line ends; which step a script in a log belongs to
//	commands.go     commands that are not in their image
//	credentials.go  annotations of Secrets
//	blockage.go     why a Pod did not get to run its steps
//	before.go       what cannot be pulled or started, before a run
//
// Limits: of a Task that is not among the manifests, places are not known. Scripts are texts to all rules but those about
// shells, which read the first line.
package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
	"github.com/plumbline-ci/plumbline/reports"
)

// Note is one finding.
type Note struct {
	// At is where it is written; the zero value if that is not known.
	At source.Position
	// Run and Step are what it is about; empty if it is about neither.
	Run, Step string
	Text      string
}

// String renders "file:line:column: step build of run: text".
func (n Note) String() string {
	var b strings.Builder
	if n.At != (source.Position{}) {
		b.WriteString(n.At.String() + ": ")
	}
	switch {
	case n.Step != "":
		fmt.Fprintf(&b, "step %s of %s: ", n.Step, n.Run)
	case n.Run != "":
		b.WriteString(n.Run + ": ")
	}
	b.WriteString(n.Text)
	return b.String()
}

// Run is a TaskRun that has ended, as the rules see it.
type Run struct {
	// Object is the TaskRun in v1beta1.
	Object map[string]any
	// Manifest is what it was made from, Task the manifest of the Task that it refers to. Either may be nil.
	Manifest, Task *fixture.Manifest
	// TaskPath is the field of Task that has the spec; nothing stands for spec.
	TaskPath string
	// Shared are the names of workspaces that an embedded Task would have without declaring them, if they were propagated.
	Shared []string
	// Pods are the objects of its Pods, as they were seen last.
	Pods []map[string]any
	// Logs are what the containers printed.
	Logs []Log
	// Missing are the commands that its containers did not have.
	Missing []reports.MissingCommand
}

// Log is what a container printed.
type Log struct {
	Container string
	Text      []byte
}

// About returns the notes about a run, in the order of the rules.
func About(r Run) []Note {
	t := r.task()
	var notes []Note
	for _, rule := range []func(*task) []Note{results, params, variables, lineEnds, scriptFiles, commands, nowhere} {
		notes = append(notes, rule(t)...)
	}
	return notes
}

// task is a run with its Task taken apart.
type task struct {
	Run
	name string
	// spec is the Task's spec with variables replaced, as the status has it.
	spec map[string]any
	// manifest is where the spec is written, and path the field in it. The manifest may be nil.
	manifest *fixture.Manifest
	path     string
}

func (r Run) task() *task {
	t := &task{Run: r, name: text(r.Object, "metadata", "name"), spec: mapping(r.Object, "status", "taskSpec"), manifest: r.Task, path: "spec"}
	if r.TaskPath != "" {
		t.path = r.TaskPath
	} else if mapping(r.Object, "spec", "taskSpec") != nil {
		t.manifest, t.path = r.Manifest, "spec.taskSpec"
	}
	return t
}

// written is the Task's spec as its manifest has it, or nil.
func (t *task) written() map[string]any {
	if t.manifest == nil {
		return nil
	}
	return mapping(t.manifest.Object, strings.Split(t.path, ".")...)
}

// at is the place of a field of the Task's spec.
func (t *task) at(format string, args ...any) source.Position {
	if t.manifest == nil {
		return source.Position{}
	}
	return t.manifest.PlaceOf(t.path + "." + fmt.Sprintf(format, args...))
}

// note makes a note about the run.
func (t *task) note(at source.Position, format string, args ...any) Note {
	return Note{At: at, Run: t.name, Text: fmt.Sprintf(format, args...)}
}

// succeeded reports whether the run has ended well.
func (t *task) succeeded() bool {
	return slices.ContainsFunc(mappings(t.Object, "status", "conditions"), func(c map[string]any) bool {
		return c["type"] == "Succeeded" && c["status"] == "True"
	})
}

// started reports whether there was a Pod, so variables have been replaced.
func (t *task) started() bool { return text(t.Object, "status", "podName") != "" }

// steps are the steps of the Task.
func (t *task) steps() []map[string]any { return mappings(t.spec, "steps") }

// stepName is how the status names a step.
func stepName(i int, step map[string]any) string {
	if name := text(step, "name"); name != "" {
		return name
	}
	return fmt.Sprintf("unnamed-%d", i)
}

// step is the index of the step that a container runs, or -1.
func (t *task) step(container string) int {
	for i, step := range t.steps() {
		if "step-"+stepName(i, step) == container {
			return i
		}
	}
	return -1
}

// stepPath is the field of a step.
func stepPath(i int) string { return fmt.Sprintf("steps[%d]", i) }

// names are the names of the items of a list.
func names(list []map[string]any) []string {
	var out []string
	for _, item := range list {
		out = append(out, text(item, "name"))
	}
	return out
}

// mapping returns the mapping inside an object, or nil.
func mapping(o map[string]any, path ...string) map[string]any {
	for _, field := range path {
		o, _ = o[field].(map[string]any)
	}
	return o
}

// mappings returns the mappings of a list inside an object.
func mappings(o map[string]any, path ...string) []map[string]any {
	last := len(path) - 1
	list, _ := mapping(o, path[:last]...)[path[last]].([]any)
	var out []map[string]any
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// text returns the text inside an object, or nothing.
func text(o map[string]any, path ...string) string {
	last := len(path) - 1
	s, _ := mapping(o, path[:last]...)[path[last]].(string)
	return s
}
