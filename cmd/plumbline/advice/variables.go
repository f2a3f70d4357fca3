package advice

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

var (
	// variable is a variable of Tekton's.
	variable = regexp.MustCompile(`\$\((params|results|workspaces|context|steps|tasks|inputs|outputs)(\.[^()\s]+|\[[^()]+\])\)`)
	// braced is one in the spelling of a shell.
	braced = regexp.MustCompile(`\$\{((params|results|workspaces|context|tasks)\.[^{}\s]+)\}`)
	// template is a placeholder of a tool that prepares manifests.
	template = regexp.MustCompile(`\{\{-?\s*([^{}]*?)\s*-?\}\}`)
	// prepared is what stands in placeholders of such tools, and in nothing that a command would take.
	prepared = regexp.MustCompile(`^[.$]?(Values|Release|Chart|params|inputs|outputs|results|workspaces|context|tasks|steps|item)\b`)
)

// contexts are the variables that a TaskRun has of its own.
var contexts = []string{"taskRun.name", "taskRun.namespace", "taskRun.uid", "task.name", "task.retry-count"}

// variables finds what looks like a variable and is still there in what was run.
func variables(t *task) []Note {
	if !t.started() {
		return nil // nothing has been replaced yet
	}
	var notes []Note
	seen := map[string]bool{}
	add := func(p part, script bool, found, why string) {
		under, where := p.path, ""
		if script {
			under, where = p.path+".script", " in the script"
		}
		if seen[under+" "+found] {
			return
		}
		seen[under+" "+found] = true
		n := t.note(t.find(found, under), "%s%s is not replaced: %s", found, where, why)
		n.Step = p.step
		notes = append(notes, n)
	}
	for _, part := range t.parts() {
		for _, s := range textsOf(part.value) {
			script := s.field == "script"
			for _, at := range variable.FindAllStringIndex(s.text, -1) {
				if at[0] > 0 && s.text[at[0]-1] == '$' {
					continue // $$ keeps it on purpose
				}
				found := s.text[at[0]:at[1]]
				why := t.unknown(found)
				if script && shell(s.text) {
					why += "; the shell runs it as a command"
				}
				add(part, script, found, why)
			}
			for _, found := range braced.FindAllStringSubmatch(s.text, -1) {
				if !script || shell(s.text) && t.knows(found[1]) {
					add(part, script, found[0], "variables are written $("+found[1]+")")
				}
			}
			for _, found := range template.FindAllStringSubmatch(s.text, -1) {
				if !script && (prepared.MatchString(found[1]) || s.field == "image" || s.field == "workingDir") {
					add(part, false, found[0], "such placeholders are not replaced here; variables are written $(params.name)")
				}
			}
		}
	}
	return append(notes, t.outside()...)
}

// part is a part of the Task: a step, or all the rest.
type part struct {
	step  string
	path  string // below the Task's spec
	value any
}

func (t *task) parts() []part {
	var parts []part
	for i, step := range t.steps() {
		parts = append(parts, part{stepName(i, step), stepPath(i), step})
	}
	rest := maps.Clone(t.spec)
	for _, field := range []string{"steps", "params", "results", "workspaces"} { // of the latter, only texts for people
		delete(rest, field)
	}
	return append(parts, part{"", "", rest})
}

// outside finds variables in fields of the run that reached its Pod.
func (t *task) outside() []Note {
	spec := maps.Clone(mapping(t.Object, "spec"))
	for _, field := range []string{"taskSpec", "params"} {
		delete(spec, field)
	}
	var ran []string
	for _, pod := range t.Pods {
		for _, s := range textsOf(mapping(pod, "spec")) {
			ran = append(ran, s.text)
		}
	}
	var notes []Note
	for _, s := range textsOf(spec) {
		for _, found := range variable.FindAllString(s.text, -1) {
			if !slices.ContainsFunc(ran, func(text string) bool { return strings.Contains(text, found) }) {
				continue
			}
			at := source.Position{}
			if t.Manifest != nil {
				at, _ = t.Manifest.Find(found, "spec")
			}
			notes = append(notes, t.note(at, "%s is not replaced: this field of a TaskRun does not support variables", found))
		}
	}
	return notes
}

// unknown says why a variable was not replaced.
func (t *task) unknown(found string) string {
	kind, name := split(strings.TrimSuffix(strings.TrimPrefix(found, "$("), ")"))
	declared := func(list string) []string { return names(mappings(t.spec, list)) }
	switch kind {
	case "results":
		name, attribute := split(name)
		if !slices.Contains(declared("results"), name) {
			return fmt.Sprintf("the Task does not declare a result %q; %s", name, declare(name, declared("results"), "results"))
		}
		if attribute != "path" {
			return "a Task has the variable $(results." + name + ".path), where a step writes the result"
		}
	case "params":
		name, _ := split(name)
		if !slices.Contains(declared("params"), name) {
			return fmt.Sprintf("there is no param %q; %s", name, declare(name, declared("params"), "params"))
		}
	case "workspaces":
		name, attribute := split(name)
		if !slices.Contains(declared("workspaces"), name) {
			if slices.Contains(t.Shared, name) {
				return fmt.Sprintf("the Task does not declare the workspace %q; add it to workspaces, or give --like v1, with which the workspaces of a run are there", name)
			}
			return fmt.Sprintf("the Task does not declare a workspace %q; %s", name, declare(name, declared("workspaces"), "workspaces"))
		}
		if !slices.Contains([]string{"path", "bound", "claim", "volume"}, attribute) {
			return "a workspace has the variables path, bound, claim and volume"
		}
	case "context":
		if !slices.Contains(contexts, name) {
			return "there is no such variable; " + source.DidYouMean(name, contexts)
		}
	case "tasks":
		return "it is a variable of Pipelines, not of Tasks"
	case "steps":
		if step, ok := strings.CutSuffix(name, ".exitCode.path"); ok {
			return fmt.Sprintf("there is no step %q before this one", strings.TrimPrefix(step, "step-"))
		}
		return "a step has only the variable $(steps.step-NAME.exitCode.path)"
	}
	return "this field does not support variables"
}

// knows reports whether something of the Task has that variable.
func (t *task) knows(variable string) bool {
	kind, rest := split(variable)
	if kind == "context" {
		return slices.Contains(contexts, rest)
	}
	name, _ := split(rest)
	return slices.Contains(names(mappings(t.spec, kind)), name)
}

// split cuts a variable at its first dot, or where brackets begin.
func split(variable string) (first, rest string) {
	if at := strings.IndexAny(variable, ".["); at >= 0 {
		return variable[:at], strings.Trim(variable[at:], `.[]"'`)
	}
	return variable, ""
}

// shell reports whether a script is one for a shell. Without a first line that says otherwise it is.
func shell(script string) bool {
	line, _, _ := strings.Cut(script, "\n")
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return true
	}
	name := path.Base(words[0])
	if name == "env" && len(words) > 1 {
		name = path.Base(words[len(words)-1])
	}
	return slices.Contains([]string{"sh", "ash", "dash", "bash", "ksh", "zsh", "busybox"}, name)
}

// find is where a text is written: in that field of the Task's spec, or else anywhere in the Task or its run.
func (t *task) find(text, under string) source.Position {
	if t.manifest != nil {
		if at, ok := t.manifest.Find(text, strings.TrimSuffix(t.path+"."+under, ".")); ok {
			return at
		}
	}
	for _, m := range []*fixture.Manifest{t.manifest, t.Manifest} {
		if m == nil {
			continue
		}
		if at, ok := m.Find(text, "spec"); ok {
			return at
		}
	}
	return source.Position{}
}
