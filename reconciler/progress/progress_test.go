package progress_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1alpha1"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/progress"
)

// task is a task that runs after others, changed as said.
func task(name string, after []string, change ...func(*v1beta1.PipelineTask)) v1beta1.PipelineTask {
	t := v1beta1.PipelineTask{Name: name, RunAfter: after, TaskSpec: &v1beta1.EmbeddedTask{}}
	for _, c := range change {
		c(&t)
	}
	return t
}

func taking(value string) func(*v1beta1.PipelineTask) {
	return func(t *v1beta1.PipelineTask) {
		t.Params = []v1beta1.Param{{Name: "p", Value: v1beta1.StringValue(value)}}
	}
}

func when(input string, values ...string) func(*v1beta1.PipelineTask) {
	return func(t *v1beta1.PipelineTask) {
		t.WhenExpressions = v1beta1.WhenExpressions{{Input: input, Operator: v1beta1.WhenIn, Values: values}}
	}
}

func over(values ...string) func(*v1beta1.PipelineTask) {
	return func(t *v1beta1.PipelineTask) {
		t.Matrix = &v1beta1.Matrix{Params: []v1beta1.Param{{Name: "m", Value: v1beta1.ArrayValue(values...)}}}
	}
}

// child is a TaskRun that stands so: ok, failed, cancelled, late (cancelled for the run's time) or running; "ok r=v" has a result.
func child(name, stands string) *progress.Child {
	c := &progress.Child{Name: name, Kind: v1beta1.KindTaskRun}
	what, result, _ := strings.Cut(stands, " ")
	condition := func(status corev1.ConditionStatus, reason string) {
		c.Succeeded = &v1beta1.Condition{Type: v1beta1.ConditionSucceeded, Status: status, Reason: reason}
	}
	switch what {
	case "ok":
		condition(corev1.ConditionTrue, "Succeeded")
	case "failed":
		condition(corev1.ConditionFalse, "Failed")
	case "cancelled":
		condition(corev1.ConditionFalse, v1beta1.TaskRunReasonCancelled)
	case "late":
		condition(corev1.ConditionFalse, v1beta1.TaskRunReasonCancelled)
		c.Message = string(v1beta1.TaskRunTimedOutByPipeline)
	case "running":
	default:
		panic(stands)
	}
	if key, value, given := strings.Cut(result, "="); given {
		c.Results = []progress.Result{{Name: key, Value: v1beta1.StringValue(value)}}
	}
	return c
}

func names(tasks []*progress.Task) string {
	var out []string
	for _, t := range tasks {
		out = append(out, t.Spec.Name)
	}
	return strings.Join(out, " ")
}

func skipped(list []v1beta1.SkippedTask) string {
	var out []string
	for _, s := range list {
		out = append(out, s.Name+": "+string(s.Reason))
	}
	return strings.Join(out, "; ")
}

// TestVectors are the scenarios of the specification (§2.23) as the decisions have them, and what they do to each other. Each row is one
// moment: the children, and what follows from them.
func TestVectors(t *testing.T) {
	t.Parallel()
	ab := []v1beta1.PipelineTask{task("a", nil), task("b", []string{"a"})}
	f := []v1beta1.PipelineTask{task("f", nil)}
	for _, tt := range []struct {
		reason         string
		tasks, finally []v1beta1.PipelineTask
		children       map[string]string
		known          progress.Known
		next           string
		skipped        string
		condition      string
	}{
		{"nothing has begun", ab, f, nil, progress.Known{}, "a", "", "Unknown Running Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 3, Skipped: 0"},
		{"V1: a task that succeeded", ab[:1], nil, map[string]string{"a": "ok"}, progress.Known{}, "", "", "True Succeeded Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 0"},
		{"V2: a failure, and finally", ab, f, map[string]string{"a": "failed"}, progress.Known{}, "f", "b: PipelineRun was stopping",
			"Unknown Running Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"V2: the end", ab, f, map[string]string{"a": "failed", "f": "ok"}, progress.Known{}, "", "b: PipelineRun was stopping",
			"False Failed Tasks Completed: 2 (Failed: 1, Cancelled 0), Skipped: 1"},
		{"V3: a failure while another task runs", []v1beta1.PipelineTask{task("a", nil), task("c", nil)}, nil, map[string]string{"a": "failed", "c": "running"}, progress.Known{}, "", "",
			"Unknown PipelineRunStopping Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 0"},
		{"V4: what follows a task that is skipped", []v1beta1.PipelineTask{
			task("a", nil, when("x", "y")), task("b", []string{"a"}), task("c", nil, taking("$(tasks.a.results.r)")), task("d", []string{"c"}),
		}, nil, map[string]string{"b": "ok"}, progress.Known{}, "", "a: When Expressions evaluated to false; c: Results were missing; d: Parent Tasks were skipped",
			"True Completed Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 3"},
		{"V5: a guard on how all ended", ab[:1], []v1beta1.PipelineTask{task("f", nil, when("$(tasks.status)", "Failed"))}, map[string]string{"a": "ok"}, progress.Known{}, "",
			"f: When Expressions evaluated to false", "True Completed Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 1"},
		{"V7: cancelled, and the final tasks run", ab, f, map[string]string{"a": "running"}, progress.Known{Asked: v1beta1.PipelineRunSpecStatusCancelledRunFinally}, "",
			"b: PipelineRun was gracefully cancelled", "Unknown CancelledRunningFinally Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 2, Skipped: 1"},
		{"V7: the end", ab, f, map[string]string{"a": "cancelled", "f": "ok"}, progress.Known{Asked: v1beta1.PipelineRunSpecStatusCancelledRunFinally}, "",
			"b: PipelineRun was stopping", `False Cancelled PipelineRun "run" was cancelled`},
		{"V8: stopped", ab, f, map[string]string{"a": "ok"}, progress.Known{Asked: v1beta1.PipelineRunSpecStatusStoppedRunFinally}, "f",
			"b: PipelineRun was gracefully stopped", "Unknown StoppedRunningFinally Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"V9: nothing starts when the run's time is up", ab, f, map[string]string{"a": "ok"}, progress.Known{PipelineOver: true}, "",
			"b: PipelineRun timeout has been reached; f: PipelineRun timeout has been reached", "False Failed Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 2"},
		{"V10: the time of the tasks is up", ab, f, map[string]string{"a": "late"}, progress.Known{TasksOver: true}, "f",
			"b: PipelineRun was stopping", "Unknown Running Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"what was skipped when the final tasks began stays so", ab, f, map[string]string{"a": "ok", "f": "running"},
			progress.Known{Settled: map[string]v1beta1.SkippingReason{"b": v1beta1.SkippedTasksTimeout}}, "",
			"b: PipelineRun Tasks timeout has been reached", "Unknown Running Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"V11: a child that its user cancelled", ab[:1], nil, map[string]string{"a": "cancelled"}, progress.Known{}, "", "",
			"False Cancelled Tasks Completed: 1 (Failed: 0, Cancelled 1), Skipped: 0"},
		{"V13: a result that is missing", []v1beta1.PipelineTask{task("a", nil), task("b", nil, taking("$(tasks.a.results.r)"))}, f, map[string]string{"a": "ok"}, progress.Known{}, "f",
			"b: Results were missing", "Unknown Running Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"V13: the end", []v1beta1.PipelineTask{task("a", nil), task("b", nil, taking("$(tasks.a.results.r)"))}, f, map[string]string{"a": "ok", "f": "ok"}, progress.Known{}, "",
			"b: Results were missing", "False InvalidTaskResultReference Could not find result with name r for task a"},
		{"a guard that does not hold needs no result", []v1beta1.PipelineTask{task("a", nil), task("b", nil, taking("$(tasks.a.results.r)"), when("x", "y"))}, nil, map[string]string{"a": "ok"}, progress.Known{}, "",
			"b: When Expressions evaluated to false", "True Completed Tasks Completed: 1 (Failed: 0, Cancelled 0), Skipped: 1"},
		{"a result that is there", []v1beta1.PipelineTask{task("a", nil), task("b", nil, taking("$(tasks.a.results.r)"))}, nil, map[string]string{"a": "ok r=1"}, progress.Known{}, "b", "",
			"Unknown Running Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0"},
		{"final tasks do not wait for those that cannot start", ab, f, map[string]string{"a": "ok"}, progress.Known{Problems: map[string]progress.Problem{"b": {Reason: "CreateRunFailed", Message: "taken"}}}, "f",
			"b: PipelineRun was stopping", "Unknown Running Tasks Completed: 1 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 1"},
		{"a matrix makes what is missing", []v1beta1.PipelineTask{task("a", nil, over("1", "2"))}, nil, map[string]string{"a-0": "ok"}, progress.Known{}, "a", "",
			"Unknown Running Tasks Completed: 0 (Failed: 0, Cancelled 0), Incomplete: 1, Skipped: 0"},
		{"a matrix of which a part was made when the run stopped", []v1beta1.PipelineTask{task("a", nil, over("1", "2")), task("b", nil)}, nil, map[string]string{"a-0": "ok", "b": "failed"}, progress.Known{}, "", "",
			"False Failed Tasks Completed: 1 (Failed: 1, Cancelled 0), Skipped: 1"},
		{"an empty matrix", []v1beta1.PipelineTask{task("a", nil, over())}, nil, nil, progress.Known{}, "",
			"a: Matrix Parameters have an empty array", "True Completed Tasks Completed: 0 (Failed: 0, Cancelled 0), Skipped: 1"},
		{"a task that runs is not skipped", ab, nil, map[string]string{"a": "failed", "b": "running"}, progress.Known{}, "", "",
			"Unknown PipelineRunStopping Tasks Completed: 1 (Failed: 1, Cancelled 0), Incomplete: 1, Skipped: 0"},
	} {
		t.Run(tt.reason, func(t *testing.T) {
			t.Parallel()
			r := newRun(t, &v1beta1.PipelineSpec{Tasks: tt.tasks, Finally: tt.finally}, tt.children, tt.known)
			c := r.Condition()
			got := []string{names(r.Next()), skipped(r.Skipped()), fmt.Sprintf("%s %s %s", c.Status, c.Reason, c.Message)}
			if diff := cmp.Diff([]string{tt.next, tt.skipped, tt.condition}, got); diff != "" {
				t.Errorf("next, skipped and condition (-want +got):\n%s", diff)
			}
		})
	}
}

func newRun(t *testing.T, spec *v1beta1.PipelineSpec, children map[string]string, known progress.Known) *progress.Run {
	t.Helper()
	graph, err := pipelinegraph.Build(spec.Tasks)
	if err != nil {
		t.Fatal(err)
	}
	known.Name, known.Spec = "run", spec
	known.Recorded = func(name string) bool { return children[name] != "" }
	known.Custom = func(*v1beta1.PipelineTask) bool { return false }
	known.ChildName = func(t *progress.Task, combination int) string {
		if combination < 0 {
			return t.Spec.Name
		}
		return fmt.Sprintf("%s-%d", t.Spec.Name, combination)
	}
	known.Child = func(_ *progress.Task, name string) *progress.Child {
		if stands := children[name]; stands != "" {
			return child(name, stands)
		}
		return nil
	}
	return progress.New(known, graph)
}

// TestCombinations: the first param varies fastest, and each combination has values of its own, however many params there are.
func TestCombinations(t *testing.T) {
	t.Parallel()
	matrix := func(pt *v1beta1.PipelineTask) {
		pt.Matrix = &v1beta1.Matrix{}
		for _, name := range []string{"a", "b", "c", "d"} {
			pt.Matrix.Params = append(pt.Matrix.Params, v1beta1.Param{Name: name, Value: v1beta1.ArrayValue(name+"1", name+"2")})
		}
	}
	r := newRun(t, &v1beta1.PipelineSpec{Tasks: []v1beta1.PipelineTask{task("m", nil, matrix)}}, nil, progress.Known{})
	seen := map[string]bool{}
	for i, combination := range r.Tasks[0].Combinations {
		text := ""
		for _, p := range combination {
			text += p.Value.StringVal
		}
		seen[text] = true
		if want := []string{"a1b1c1d1", "a2b1c1d1", "a1b2c1d1"}; i < len(want) && text != want[i] {
			t.Errorf("combination %d is %s, want %s", i, text, want[i])
		}
	}
	if len(seen) != 16 {
		t.Errorf("%d different combinations, want 16", len(seen))
	}
}

// TestRunsThatAreTriedAgain: a Run that is False before its attempts are used up goes on.
func TestRunsThatAreTriedAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind, reason    string
		status          corev1.ConditionStatus
		retries, before int
		done            bool
	}{
		{v1alpha1.KindRun, "Failed", corev1.ConditionFalse, 2, 1, false},
		{v1alpha1.KindRun, "Failed", corev1.ConditionFalse, 2, 2, true},
		{v1alpha1.KindRun, v1beta1.RunReasonCancelled, corev1.ConditionFalse, 2, 0, true},
		{v1alpha1.KindRun, "Succeeded", corev1.ConditionTrue, 2, 0, true},
		{v1beta1.KindCustomRun, "Failed", corev1.ConditionFalse, 2, 0, true},
		{v1beta1.KindCustomRun, "Running", corev1.ConditionUnknown, 0, 0, false},
	} {
		c := progress.Child{Kind: tt.kind, Attempts: tt.before, Succeeded: &v1beta1.Condition{Status: tt.status, Reason: tt.reason}}
		if got := c.Done(tt.retries); got != tt.done {
			t.Errorf("%+v: done %v", tt, got)
		}
	}
}

// TestResults: what refers to a task without the result is left out, unless the task succeeded.
func TestResults(t *testing.T) {
	t.Parallel()
	result := func(name, value string) v1beta1.PipelineResult {
		return v1beta1.PipelineResult{Name: name, Value: v1beta1.StringValue(value)}
	}
	spec := &v1beta1.PipelineSpec{
		Tasks:   []v1beta1.PipelineTask{task("a", nil), task("b", nil), task("c", nil, when("x", "y"))},
		Finally: []v1beta1.PipelineTask{task("f", nil)},
		Results: []v1beta1.PipelineResult{
			result("one", "$(tasks.a.results.r)+"), result("failed", "$(tasks.b.results.r)"), result("skipped", "$(tasks.c.results.r)"),
			result("missing", "$(tasks.a.results.none)"), result("final", "$(finally.f.results.r)"),
		},
	}
	r := newRun(t, spec, map[string]string{"a": "ok r=1", "b": "failed", "f": "ok r=2"}, progress.Known{})
	got, invalid := r.Results()
	want := []v1beta1.PipelineRunResult{{Name: "one", Value: v1beta1.StringValue("1+")}, {Name: "final", Value: v1beta1.StringValue("2")}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"missing"}, invalid); diff != "" {
		t.Errorf("results that do not exist (-want +got):\n%s", diff)
	}
}

// TestLargeGraphsAreLinear counts look-ups: a pass looks for each child once at most, however the tasks hang together.
func TestLargeGraphsAreLinear(t *testing.T) {
	t.Parallel()
	const size = 1000
	spec := &v1beta1.PipelineSpec{}
	for i := range size {
		var after []string
		for d := 1; d <= 3 && i >= d; d++ {
			after = append(after, fmt.Sprintf("t%d", i-d))
		}
		spec.Tasks = append(spec.Tasks, task(fmt.Sprintf("t%d", i), after))
	}
	graph, err := pipelinegraph.Build(spec.Tasks)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	progress.New(progress.Known{
		Spec: spec, Recorded: func(string) bool { return false }, Custom: func(*v1beta1.PipelineTask) bool { return false },
		ChildName: func(t *progress.Task, _ int) string { return t.Spec.Name },
		Child:     func(*progress.Task, string) *progress.Child { looked++; return nil },
	}, graph)
	if looked > size {
		t.Errorf("%d look-ups for %d tasks", looked, size)
	}
}
