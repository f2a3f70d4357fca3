package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/conformance/source"
)

// params finds params that the run gives and the Task does not have. An embedded Task may use params of its run without
// declaring them.
func params(t *task) []Note {
	if t.spec == nil {
		return nil
	}
	var notes []Note
	declared := names(mappings(t.spec, "params"))
	var used strings.Builder
	if mapping(t.Object, "spec", "taskSpec") != nil {
		for _, s := range textsOf(t.written()) {
			used.WriteString(s.text + "\n")
		}
	}
	for i, p := range mappings(t.Object, "spec", "params") {
		name := text(p, "name")
		if slices.Contains(declared, name) || uses(used.String(), name) {
			continue
		}
		at := source.Position{}
		if t.Manifest != nil {
			at = t.Manifest.PlaceOf(fmt.Sprintf("spec.params[%d]", i))
		}
		hint := "the Task has no such param"
		if near := source.Nearest(name, missing(declared, t)); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		notes = append(notes, t.note(at, "nothing uses the param %q; %s", name, hint))
	}
	return notes
}

// missing are the declared params that the run does not give; of those a misspelt one is meant.
func missing(declared []string, t *task) []string {
	given := names(mappings(t.Object, "spec", "params"))
	return slices.DeleteFunc(slices.Clone(declared), func(name string) bool { return slices.Contains(given, name) })
}

// uses reports whether a text has a variable of the param.
func uses(text, param string) bool {
	for _, spelling := range []string{"params." + param, `params["` + param + `"]`, `params['` + param + `']`} {
		if strings.Contains(text, "$("+spelling) {
			return true
		}
	}
	return false
}
