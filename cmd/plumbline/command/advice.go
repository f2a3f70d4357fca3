package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/cmd/plumbline/advice"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/internal/untyped"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
	"github.com/plumbline-ci/plumbline/reports/visible"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// findings are the notes about a simulation besides its outcome.
type findings struct {
	notes   []advice.Note
	missing []reports.MissingCommand
}

// findings collects them when the simulation is over.
func (w *witness) findings(sc *scenario, c *fake.Cluster) findings {
	var f findings
	for _, file := range sc.files {
		for _, m := range file.Manifests {
			f.notes = append(f.notes, advice.OfSecret(m)...)
		}
	}
	missing := c.MissingCommands("")
	for _, r := range w.runs {
		if r.kind.Kind != v1beta1.KindTaskRun {
			if untyped.Succeeded(r.object.Object).Status == "" {
				f.unhandled(r)
			}
			continue
		}
		about := advice.Run{Object: r.object.Object, Manifest: sc.manifestOf(r.object), Task: sc.taskOf(r.object), Missing: r.missingOf(missing)}
		sc.embedded(r, &about)
		for _, p := range r.pods {
			about.Pods = append(about.Pods, p.object.Object)
			for _, spec := range untyped.Maps(p.object.Object, "spec", "containers") {
				name, _ := spec["name"].(string)
				about.Logs = append(about.Logs, advice.Log{Container: name, Text: p.logs[name]})
			}
		}
		f.notes = append(f.notes, advice.About(about)...)
		f.missing = append(f.missing, about.Missing...)
	}
	for _, m := range c.UnusedMocks() {
		if w.wanted(m) {
			f.notes = append(f.notes, advice.Note{At: m.Pos, Text: "the mock of " + strings.Join(slices.Concat(words(m.Image), m.Command, m.Args), " ") + " was not used"})
		}
	}
	for _, t := range c.UnusedStandIns() {
		if sc.standsIn(t, c) {
			continue
		}
		f.notes = append(f.notes, advice.Note{At: t.Pos, Text: "no run asked for " + t.What() + " as described"})
	}
	f.notes = append(f.notes, sc.unusedImages()...)
	for _, fault := range c.UnusedFaults() {
		f.add("the fault at the point %s (%s) has not struck", fault.Point, fault.Pos)
	}
	if len(w.runs) == 0 {
		f.add("the manifests were accepted, but contain no run")
	}
	return f
}

// unhandled says of a custom task that nothing has begun what to do about it.
func (f *findings) unhandled(r *run) {
	for _, field := range []string{"ref", "customRef", "spec", "customSpec"} {
		what := untyped.Map(r.object.Object, "spec", field)
		kind, apiVersion := untyped.Text(what["kind"]), untyped.Text(what["apiVersion"])
		if kind == "" {
			continue
		}
		f.add("%s: nothing runs %s of %s: no controller of this kind is simulated; say what it does in a file for --mocks: customTasks: [{apiVersion: %[3]s, kind: %[2]s, takes: 3s, results: {name: value}}]", r.ref(), kind, apiVersion)
		return
	}
}

// standsIn reports whether another stand-in for the same kind was used: one of several that are chosen among need not be.
func (sc *scenario) standsIn(t fixture.StandIn, c *fake.Cluster) bool {
	unused := c.UnusedStandIns()
	return slices.ContainsFunc(sc.tasks, func(o fixture.StandIn) bool {
		return o.APIVersion == t.APIVersion && o.Kind == t.Kind && !slices.ContainsFunc(unused, func(u fixture.StandIn) bool { return u.Pos == o.Pos })
	})
}

// embedded adds where the Task of a run is written that is embedded in a Pipeline, and the workspaces around it.
func (sc *scenario) embedded(r *run, about *advice.Run) {
	if untyped.Map(r.object.Object, "spec", "taskSpec") == nil {
		return
	}
	top, _ := r.root()
	for _, w := range untyped.Maps(top.object.Object, "spec", "workspaces") {
		about.Shared = append(about.Shared, untyped.Text(w["name"]))
	}
	if p := sc.pipelineOf(top.object); r.parent != nil && p != nil {
		if path := taskPath(p, r.task()); path != "" {
			about.Task, about.TaskPath = p, path+".taskSpec"
		}
	}
}

func (f *findings) add(format string, args ...any) {
	f.notes = append(f.notes, advice.Note{Text: fmt.Sprintf(format, args...)})
}

// missingOf are the commands that containers of a run did not have, with images as their author writes them.
func (r *run) missingOf(all []reports.MissingCommand) []reports.MissingCommand {
	var out []reports.MissingCommand
	for _, m := range all {
		if slices.ContainsFunc(r.pods, func(p *pod) bool { return p.name() == m.Pod && p.object.GetNamespace() == m.Namespace }) && advice.Meant(m) {
			m.Image = imageOf(r.object, strings.TrimPrefix(m.Container, "step-"), m.Image)
			out = append(out, m)
		}
	}
	return out
}

// imageOf is a step's image as its author writes it, if that is the image of that reference.
func imageOf(run *unstructured.Unstructured, step, reference string) string {
	full, err := image.Normalize(reference)
	if err != nil {
		return reference
	}
	for _, s := range untyped.Maps(run.Object, "status", "taskSpec", "steps") {
		written, _ := s["image"].(string)
		if name, err := image.Normalize(written); err == nil && name == full && (s["name"] == step || s["name"] == nil) {
			return written
		}
	}
	return reference
}

// wanted reports whether a mock that was not used should have been: its image ran, or is the image of no step at all.
func (w *witness) wanted(m fixture.Mock) bool {
	used := false
	for _, r := range w.runs {
		statuses := untyped.Maps(r.object.Object, "status", "steps")
		running := len(statuses) > 0
		for i, s := range untyped.Maps(r.object.Object, "status", "taskSpec", "steps") {
			if written, _ := s["image"].(string); stands(m.Image, written) {
				if used = true; running {
					return true
				}
			}
			running = running && passes(statuses, i, s)
		}
	}
	return !used
}

// anyText is what a variable in the image of a mock stands for.
var anyText = regexp.MustCompile(`\$\([^)]*\)`)

// stands reports whether the image of a mock stands for that of a step. No image stands for all.
func stands(mock, step string) bool {
	pattern, err := image.ParsePattern(anyText.ReplaceAllString(mock, "*"))
	if mock == "" || err != nil {
		return true
	}
	full, err := image.Normalize(step)
	return err == nil && pattern.MatchesName(image.Split(full))
}

// words is a list of a text, or of nothing.
func words(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// passes reports whether the step after this one runs.
func passes(statuses []map[string]any, i int, step map[string]any) bool {
	name, _ := step["name"].(string)
	if name == "" {
		name = fmt.Sprintf("unnamed-%d", i)
	}
	at := slices.IndexFunc(statuses, func(s map[string]any) bool { return s["name"] == name })
	if at < 0 {
		return false
	}
	code, ended, _ := unstructured.NestedInt64(statuses[at], "terminated", "exitCode")
	return ended && (code == 0 || step["onError"] == "continue")
}

// print writes the findings for people, and at the end the mocks to paste.
func (o *simulateOptions) printFindings(f findings) {
	for _, n := range f.notes {
		fmt.Fprintf(o.streams.Err, "note: %s\n", visible.Line(n.String()))
	}
	if len(f.missing) == 0 {
		return
	}
	hint := "; with --stub-missing they succeed without doing anything"
	if o.stubMissing {
		hint = ""
	}
	fmt.Fprintf(o.streams.Err, "note: describe in a file what these commands would do, and pass it with --mocks%s:\n%s", hint, render.MocksFor(f.missing))
}

// unusedImages are descriptions that the user gave with flags and that fit the image of no manifest. A file beside the
// manifests is for all of its folder, of which these may be a part.
func (sc *scenario) unusedImages() []advice.Note {
	var out []advice.Note
	for i := range sc.given {
		entry := &sc.given[i]
		if !slices.ContainsFunc(sc.files, func(f *fixture.Fixture) bool { return f.Mentions(entry.Image) }) {
			out = append(out, advice.Note{At: entry.Pos, Text: fmt.Sprintf("the description of the image %s was not used: no manifest uses this image", entry.Image)})
		}
	}
	return out
}
