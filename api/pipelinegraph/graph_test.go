package pipelinegraph_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

func tasks(t testing.TB, text string) []v1beta1.PipelineTask {
	t.Helper()
	var out []v1beta1.PipelineTask
	if err := yaml.UnmarshalStrict([]byte(text), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDependencies(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, task, want string }{
		{"nothing is asked for", `{}`, ``},
		{"runAfter", `{runAfter: [b, a, b]}`, `b a`},
		{"where a resource comes from", `{resources: {inputs: [{name: r, resource: r, from: [a]}]}}`, `a`},
		{"a result in a string", `{params: [{name: p, value: "x $(tasks.a.results.r) $(tasks.b.results.r)"}]}`, `a b`},
		{"in a list", `{params: [{name: p, value: [x, "$(tasks.a.results.r[*])"]}]}`, `a`},
		{"in an object", `{params: [{name: p, value: {k: "$(tasks.a.results.r.key)"}}]}`, `a`},
		{"in a matrix", `{matrix: {params: [{name: p, value: ["$(tasks.a.results.r[0])"]}]}}`, `a`},
		{"in the input of a guard", `{when: [{input: "$(tasks.a.results.r)", operator: in, values: [x]}]}`, `a`},
		{"in its values", `{when: [{input: x, operator: notin, values: [y, "$(tasks.b.results.r)"]}]}`, `b`},
		{"in what a resolver is given", `{taskRef: {resolver: git, params: [{name: url, value: "$(tasks.a.results.r)"}]}}`, `a`},
		{"all of them, each once", `{runAfter: [a], params: [{name: p, value: "$(tasks.a.results.r)"}], when: [{input: "$(tasks.b.results.r)", operator: in, values: [x]}]}`, `a b`},
		{"a status is no result", `{params: [{name: p, value: "$(tasks.a.status) $(tasks.status)"}]}`, ``},
		{"nor is a param", `{params: [{name: p, value: "$(params.tasks.a.results)"}]}`, ``},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			list := tasks(t, `[{name: a}, {name: b}, `+row.task+`]`)
			list[2].Name = "c"
			g, err := pipelinegraph.Build(list)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("["+row.want+"]", fmt.Sprint(g.Dependencies("c"))); diff != "" {
				t.Errorf("dependencies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOrder(t *testing.T) {
	t.Parallel()
	g, err := pipelinegraph.Build(tasks(t, `[{name: d, runAfter: [b, c]}, {name: c, runAfter: [a]}, {name: b, runAfter: [a]}, {name: a}, {name: alone}]`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "alone", "c", "b", "d"}, g.Order()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestWrongGraphs(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, tasks, want string }{
		{"a name twice", `[{name: a}, {name: a}]`, `task a is already present in Graph, can't add it again: duplicate pipeline task`},
		{"itself", `[{name: a, runAfter: [a]}]`, `cycle detected; task "a" depends on "a"`},
		{"each other", `[{name: b, runAfter: [a]}, {name: a, runAfter: [b]}]`, `cycle detected; task "a" depends on "b"`},
		{"by results", `[{name: b, params: [{name: p, value: "$(tasks.a.results.r)"}]}, {name: a, when: [{input: "$(tasks.b.results.r)", operator: in, values: [x]}]}]`, `cycle detected; task "a" depends on "b"`},
		{"what is behind a cycle is in it, and what comes before is not", `[{name: z}, {name: a, runAfter: [z, c, b]}, {name: b, runAfter: [c]}, {name: c, runAfter: [b, z]}]`, `cycle detected; task "a" depends on "b", "c"`},
		{"what does not exist", `[{name: a}, {name: b, runAfter: [a, nope]}]`, `couldn't add link between b and nope: task b depends on nope but nope wasn't present in Pipeline`},
		{"a result of what does not exist", `[{name: b, params: [{name: p, value: "$(tasks.nope.results.r)"}]}]`, `couldn't add link between b and nope: task b depends on nope but nope wasn't present in Pipeline`},
		{"a cycle comes first", `[{name: c, runAfter: [nope]}, {name: b, runAfter: [a]}, {name: a, runAfter: [b]}]`, `cycle detected; task "a" depends on "b"`},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			g, err := pipelinegraph.Build(tasks(t, row.tasks))
			if err == nil || g != nil {
				t.Fatalf("there is a graph: %v", g)
			}
			if diff := cmp.Diff(row.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFinalTasksWaitForNone(t *testing.T) {
	t.Parallel()
	g, err := pipelinegraph.BuildFinally(tasks(t, `[{name: f, params: [{name: p, value: "$(tasks.a.results.r)"}]}, {name: g}]`))
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Dependencies("f")) != 0 || len(g.Order()) != 2 {
		t.Errorf("f waits for %v, order %v", g.Dependencies("f"), g.Order())
	}
}

// TestLargeGraphsAreLinear: ten times the tasks of a ladder, in which each waits for the two before it, cost far less than a hundred
// times the time.
func TestLargeGraphsAreLinear(t *testing.T) {
	t.Parallel()
	ladder := func(n int) []v1beta1.PipelineTask {
		out := make([]v1beta1.PipelineTask, n)
		for i := range out {
			out[i].Name = fmt.Sprintf("t%d", i)
			for _, d := range []int{i - 1, i - 2} {
				if d >= 0 {
					out[i].Params = append(out[i].Params, v1beta1.Param{Name: "p", Value: v1beta1.StringValue(fmt.Sprintf("$(tasks.t%d.results.r)", d))})
				}
			}
		}
		return out
	}
	cost := func(n int) time.Duration {
		list := ladder(n)
		best := time.Hour
		for range 5 {
			began := time.Now()
			if _, err := pipelinegraph.Build(list); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	small, large := cost(1000), cost(10000)
	if large > 40*small {
		t.Errorf("1,000 tasks cost %v, and 10,000 cost %v", small, large)
	}
}
