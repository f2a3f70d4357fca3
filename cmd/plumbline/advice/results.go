package advice

import (
	"regexp"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// results compares the results that are declared with those that were written.
func results(t *task) []Note {
	var notes []Note
	declared := mappings(t.spec, "results")
	written := mappings(t.Object, "status", "taskResults")
	if t.succeeded() {
		for i, r := range declared {
			if name := text(r, "name"); !slices.Contains(names(written), name) {
				notes = append(notes, t.note(t.at("results[%d]", i), "the result %q is declared, but no step wrote it", name))
			}
		}
	}
	for _, r := range written {
		value, ok := r["value"].(string)
		if !ok || !strings.HasSuffix(value, "\n") {
			continue
		}
		i := slices.Index(names(declared), text(r, "name"))
		notes = append(notes, t.note(t.at("results[%d]", i), "the result %q ends with a line break, which is part of its value; printf, echo -n or tr -d '\\n' write it without", text(r, "name")))
	}
	return append(notes, undeclared(t)...)
}

// resultFile is a file of a result, as a script names it.
var resultFile = regexp.MustCompile(`/tekton/results/([A-Za-z0-9][A-Za-z0-9._-]*)`)

// undeclared finds results that steps name by their path and that the Task does not declare. Those that are named by a
// variable are found by the rule for variables.
func undeclared(t *task) []Note {
	var notes []Note
	declared := names(mappings(t.spec, "results"))
	for i, step := range t.steps() {
		seen := []string{}
		for _, s := range textsOf(step) {
			for _, found := range resultFile.FindAllStringSubmatch(s.text, -1) {
				name := strings.TrimRight(found[1], ".")
				if slices.Contains(declared, name) || slices.Contains(seen, name) {
					continue
				}
				seen = append(seen, name)
				n := t.note(t.find(found[0], stepPath(i)), "%s is not a result that the Task declares, so it is not reported; %s", found[0], declare(name, declared, "results"))
				n.Step = stepName(i, step)
				notes = append(notes, n)
			}
		}
	}
	return notes
}

// declare says how to fix an undeclared name: by another spelling, or by a declaration.
func declare(name string, declared []string, list string) string {
	if near := source.Nearest(name, declared); near != "" {
		return "did you mean \"" + near + "\"?"
	}
	return "add it to " + list
}
