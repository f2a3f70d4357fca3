package command

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// story tells a witness of runs.
type story struct {
	w   *witness
	now time.Time
}

func newStory() *story {
	s := &story{w: newWitness(), now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)}
	s.w.now = func() time.Time { return s.now }
	return s
}

// run adds an event of a run that a parent, if there is one, has made. A condition is Status/Reason.
func (s *story) run(event watch.EventType, kind, name, parent, condition string, status map[string]any) {
	s.now = s.now.Add(time.Second)
	for _, k := range fixture.Kinds() {
		if k.Name != kind {
			continue
		}
		o := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{}}}
		o.SetAPIVersion(k.APIVersion())
		o.SetKind(k.Kind)
		o.SetName(name)
		o.SetNamespace("default")
		o.SetUID(types.UID(name))
		metadata := o.Object["metadata"].(map[string]any)
		if parent != "" {
			metadata["ownerReferences"] = []any{map[string]any{"apiVersion": "tekton.dev/v1beta1", "kind": "PipelineRun", "name": parent, "uid": parent, "controller": true}}
		}
		succeeded, reason, _ := strings.Cut(condition, "/")
		fields := o.Object["status"].(map[string]any)
		fields["conditions"] = []any{map[string]any{"type": "Succeeded", "status": succeeded, "reason": reason, "message": reason + "."}}
		for key, value := range status {
			fields[key] = value
		}
		s.w.saw(k, event, o)
	}
}

// buildStory is of a PipelineRun with a TaskRun that fails and a CustomRun that succeeds, beside a TaskRun of its own.
func buildStory() *story {
	s := newStory()
	s.run(watch.Added, "pipelinerun", "build", "", "Unknown/Running", nil)
	s.run(watch.Added, "taskrun", "build-test", "build", "Unknown/Running", nil)
	s.run(watch.Added, "taskrun", "alone", "", "True/Succeeded", map[string]any{"taskResults": []any{map[string]any{"name": "n", "value": "7"}}})
	s.run(watch.Added, "customrun", "build-wait", "build", "True/Done", map[string]any{"results": []any{map[string]any{"name": "waited", "value": "3s"}}})
	s.run(watch.Modified, "taskrun", "build-test", "build", "False/Failed", nil)
	return s
}

func TestRunsAreShownAsATree(t *testing.T) {
	t.Parallel()
	s := buildStory()
	s.run(watch.Modified, "pipelinerun", "build", "", "True/Completed", map[string]any{
		"startTime": "2000-01-01T00:00:01Z", "completionTime": "2000-01-01T00:00:06Z", "pipelineResults": []any{map[string]any{"name": "sum", "value": "150"}},
	})
	for _, tt := range []struct{ output, want string }{
		{"name", "pipelinerun.tekton.dev/build\ntaskrun.tekton.dev/build-test\ncustomrun.tekton.dev/build-wait\ntaskrun.tekton.dev/alone\n"},
		{"table", `NAME                    SUCCEEDED  REASON     TOOK  OBJECT
pipelinerun/build       True       Completed  5s    -
  taskrun/build-test    False      Failed     -     -
  customrun/build-wait  True       Done       -     -
taskrun/alone           True       Succeeded  -     -

pipelinerun/build: Completed.
  results
    sum = 150
  timeline
          +0s  Unknown/Running Running.
          +5s  True/Completed Completed.
  tasks over time: 60 columns are 4s; . waits, = runs, x failed
    taskrun/build-test    |               ............................................x|  3s
    customrun/build-wait  |                                             .              |  0s

taskrun/build-test: Failed.
  timeline
          +1s  Unknown/Running Running.
          +4s  False/Failed Failed.

customrun/build-wait: Done.
  results
    waited = 3s

taskrun/alone: Succeeded.
  results
    n = 7
  timeline
          +0s  True/Succeeded Succeeded.

5s of virtual time, seed 1
`},
	} {
		var out bytes.Buffer
		o := &simulateOptions{streams: Streams{Out: &out}, output: tt.output, timeline: true, seed: 1}
		if err := o.print(s.w, s.now, findings{}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("-o %s (-want +got):\n%s", tt.output, diff)
		}
	}
}

// TestRootsDecide: whether everything is over, and how it ended, is asked of the runs that no other run has made.
func TestRootsDecide(t *testing.T) {
	t.Parallel()
	s := buildStory()
	if diff := cmp.Diff([]string{"default/pipelinerun/build"}, s.w.unfinished()); diff != "" || s.w.allOver() {
		t.Errorf("its PipelineRun is not over, %t (-want +got):\n%s", s.w.allOver(), diff)
	}
	s.run(watch.Modified, "pipelinerun", "build", "", "True/Completed", nil)
	if len(s.w.unfinished()) > 0 || !s.w.allOver() || !s.w.allSucceeded() || !s.w.quiet() {
		t.Errorf("the roots have succeeded: %q, %t, %t, %t", s.w.unfinished(), s.w.allOver(), s.w.allSucceeded(), s.w.quiet())
	}
	s.run(watch.Added, "taskrun", "build-late", "build", "Unknown/Running", nil)
	if !s.w.allOver() || s.w.quiet() {
		t.Error("a run below one that is over still runs: nothing waits for it, but it is not quiet")
	}
	s.run(watch.Added, "run", "other", "", "False/Failed", nil)
	if s.w.allSucceeded() {
		t.Error("a root has failed")
	}
	s.run(watch.Added, "run", "third", "", "Unknown/Running", nil)
	s.run(watch.Deleted, "run", "third", "", "Unknown/Running", nil)
	if !s.w.allOver() {
		t.Error("what is deleted is over")
	}
}

// task marks the last run as that of a pipeline task.
func (s *story) task(name string) {
	s.w.runs[len(s.w.runs)-1].object.SetLabels(map[string]string{"tekton.dev/pipelineTask": name})
}

// TestLongPipelinesAreReadable: 200 tasks and some that were skipped fit into a screen and into 100 columns, and nothing but what
// went well is folded.
func TestLongPipelinesAreReadable(t *testing.T) {
	t.Parallel()
	s := newStory()
	const long = "a-pipeline-with-a-name-that-is-as-long-as-names-of-objects-can-be"
	s.run(watch.Added, "pipelinerun", long, "", "Unknown/Running", nil)
	var tasks, skipped []any
	for i := range 200 {
		name := fmt.Sprintf("compile-%d", i)
		tasks = append(tasks, map[string]any{"name": name})
		condition := "True/Succeeded"
		switch {
		case i == 120:
			condition = "False/Failed"
		case i > 180:
			skipped = append(skipped, map[string]any{"name": name, "reason": "PipelineRun was stopping"})
			continue
		}
		s.run(watch.Added, "taskrun", long[:40]+"-"+name, long, condition, map[string]any{"steps": []any{map[string]any{
			"name": "cc", "container": "step-cc", "terminated": map[string]any{"exitCode": int64(i / 120 * (181 - i) / 61), "reason": "Completed"},
		}}})
		s.task(name)
	}
	s.run(watch.Modified, "pipelinerun", long, "", "False/Failed", map[string]any{
		"pipelineSpec": map[string]any{"tasks": tasks, "finally": []any{map[string]any{"name": "report"}}}, "skippedTasks": skipped,
	})
	print := func(o *simulateOptions) string {
		var out bytes.Buffer
		o.streams, o.output, o.timeline = Streams{Out: &out}, "table", true
		if err := o.print(s.w, s.now, findings{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	text := print(&simulateOptions{})
	lines := strings.Split(text, "\n")
	for _, line := range lines[1:] {
		if utf8.RuneCountInString(line) > widest {
			t.Errorf("wider than %d: %s", widest, line)
		}
	}
	if want := "pipelinerun/" + long + " failed first in task compile-120, step cc: Failed."; lines[0] != want {
		t.Errorf("it begins with %q, want %q", lines[0], want)
	}
	for _, want := range []string{
		"\n  compile-120 ", "\n    compile-120 ", "\n  … 115 more ", "\n    … 115 more\n", "\n  compile-199 ", "PipelineRun was stopping\n", "not started\n",
		"\n170 more that ended like those around them are not shown; --all shows them\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not have %q:\n%s", want, text)
		}
	}
	if len(lines) > 150 {
		t.Errorf("it has %d lines", len(lines))
	}
	if whole := print(&simulateOptions{all: true}); strings.Contains(whole, " more") || strings.Count(whole, "\ntaskrun/") != 181 {
		t.Errorf("--all shows not all:\n%.3000s", whole)
	}
}
