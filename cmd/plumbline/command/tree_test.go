package command

import (
	"bytes"
	"strings"
	"testing"
	"time"

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
		{"table", `NAME                    SUCCEEDED  REASON     TOOK  POD
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

taskrun/build-test: Failed.
  timeline
          +1s  Unknown/Running Running.
          +4s  False/Failed Failed.

customrun/build-wait: Done.
  results
    waited = 3s
  timeline
          +3s  True/Done Done.

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
