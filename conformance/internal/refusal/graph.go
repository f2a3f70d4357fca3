package refusal

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/source"
)

// What admission says of the graph of a Pipeline. It names tasks, but only the list that they stand in.
var (
	cyclic    = regexp.MustCompile(`cycle detected; task "([^"]*)" depends on "([^"]*)"`)
	unlinked  = regexp.MustCompile(`couldn't add link between \S+ and \S+: task (\S+) depends on (\S+) but \S+ wasn't present in Pipeline`)
	duplicate = regexp.MustCompile(`task (\S+) is already present in Graph`)
)

// graph adds a problem of the graph at the place where one task refers to another, if it is one.
func (x *explanation) graph(message string) bool {
	if found := cyclic.FindStringSubmatch(message); found != nil {
		x.link(found[1], found[2], message, "remove one of the links between the tasks of the cycle")
		return true
	}
	if found := unlinked.FindStringSubmatch(message); found != nil {
		hint := "there is no such task: correct the name, or add the task"
		var names []string
		for _, t := range x.m.PipelineTasks() {
			if t.Name != found[1] {
				names = append(names, t.Name)
			}
		}
		if near := source.Nearest(found[2], names); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		x.link(found[1], found[2], message, hint)
		return true
	}
	if found := duplicate.FindStringSubmatch(message); found != nil {
		// The names were compared before; this says the same once more.
		return len(x.errs) > 0 && slices.ContainsFunc(x.m.PipelineTasks(), func(t fixture.PipelineTask) bool { return t.Name == found[1] })
	}
	return false
}

// link adds a problem at the place where a task says that it runs after another one: in runAfter, or by using its result.
func (x *explanation) link(task, after, message, hint string) {
	for _, t := range x.m.PipelineTasks() {
		if t.Name != task {
			continue
		}
		path := t.Path
		at := x.m.PlaceOf(path)
		list, _ := t.Object["runAfter"].([]any)
		if i := slices.Index(list, any(after)); i >= 0 {
			path = fmt.Sprintf("%s.runAfter[%d]", t.Path, i)
			at = x.m.PlaceOf(path)
		} else if where := x.where(at, "$(tasks."+after+"."); where != at {
			at, path = where, x.m.PathAt(where)
		}
		x.add(at, path, message, hint)
		return
	}
	at, path := x.m.Field("spec.tasks")
	x.add(at, path, message, hint)
}
