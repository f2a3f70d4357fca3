package disturbance

import "github.com/plumbline-ci/plumbline/conformance/fixture"

// request is what a fault of the API strikes.
type request struct{ verb, kind, subresource string }

// Table says what faults may strike: the requests of the controllers that a fixture is about, and the kinds whose watch
// events may be delayed, lost or repeated.
type Table struct {
	writes, reads []weighted[request]
	watched       []weighted[string]
}

// taskRuns is the table of fixtures without another kind of run. It is frozen: each change of it changes what the
// published seeds mean.
var taskRuns = Table{
	writes: []weighted[request]{
		{6, request{"create", "Pod", ""}}, {8, request{"update", "TaskRun", "status"}}, {2, request{"patch", "TaskRun", ""}},
		{4, request{"patch", "Pod", ""}}, {4, request{"delete", "Pod", ""}}, {3, request{"create", "Event", ""}},
		{1, request{"create", "PersistentVolumeClaim", ""}},
	},
	reads: []weighted[request]{
		{3, request{"get", "TaskRun", ""}}, {3, request{"get", "Pod", ""}}, {1, request{"get", "ServiceAccount", ""}}, {1, request{"list", "LimitRange", ""}},
		{1, request{"get", "Task", ""}},
	},
	watched: []weighted[string]{{3, "Pod"}, {2, "TaskRun"}},
}

// TableFor returns the table of a fixture: that of TaskRuns, and the requests that each other kind of run brings which the
// fixture has or makes. A kind needs no more for it than its row in the table of kinds.
func TableFor(f *fixture.Fixture) Table {
	table := Table{writes: clip(taskRuns.writes), reads: clip(taskRuns.reads), watched: clip(taskRuns.watched)}
	must, may := f.Watched()
	for _, k := range append(must, may...) {
		if k.Run != nil && k.Name != "taskrun" {
			table.add(k)
		}
	}
	return table
}

func (t *Table) add(k fixture.KindInfo) {
	t.writes = append(t.writes, weighted[request]{8, request{"update", k.Kind, "status"}}, weighted[request]{2, request{"patch", k.Kind, ""}})
	t.reads = append(t.reads, weighted[request]{3, request{"get", k.Kind, ""}})
	t.watched = append(t.watched, weighted[string]{2, k.Kind})
	for _, name := range k.Makes {
		for _, made := range fixture.Kinds() {
			if made.Name == name && made.Name != "pod" {
				t.writes = append(t.writes, weighted[request]{6, request{"create", made.Kind, ""}}, weighted[request]{3, request{"patch", made.Kind, ""}})
			}
		}
	}
}

// clip returns a list that an append does not write behind.
func clip[T any](list []T) []T { return list[:len(list):len(list)] }
