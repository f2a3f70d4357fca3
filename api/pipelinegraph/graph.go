// Package pipelinegraph is the order in which the tasks of a Pipeline run, as they state it: by runAfter, by where their resources
// come from, and by the results that they refer to (spec of Pipelines §2.7).
//
//	graph.go       Graph: what depends on what, and an order in which it can run
//	reference.go   references to results of tasks
//
// Both are pure, and linear in the size of the Pipeline.
package pipelinegraph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Graph says which tasks have to be over before others start.
type Graph struct {
	places       map[string]int // of the tasks in the Pipeline
	dependencies [][]string     // of each task
	order        []string
}

// Order returns the names of the tasks so that each stands behind those that it depends on; otherwise in the order of the
// Pipeline.
func (g *Graph) Order() []string { return g.order }

// Dependencies returns the names of the tasks that a task waits for, each once, in the order in which it names them.
func (g *Graph) Dependencies(task string) []string {
	place, known := g.places[task]
	if !known {
		return nil
	}
	return g.dependencies[place]
}

// Build returns the graph of the tasks of a Pipeline. The error says which task is there twice, which tasks wait for each other, or
// which one does not exist: the first of these that is wrong.
func Build(tasks []v1beta1.PipelineTask) (*Graph, error) {
	g := &Graph{places: make(map[string]int, len(tasks)), dependencies: make([][]string, len(tasks))}
	for i := range tasks {
		name := tasks[i].Name
		if _, twice := g.places[name]; twice {
			return nil, fmt.Errorf("task %s is already present in Graph, can't add it again: duplicate pipeline task", name)
		}
		g.places[name], g.dependencies[i] = i, dependencies(&tasks[i])
	}
	if err := g.sort(tasks); err != nil {
		return nil, err
	}
	for i := range tasks {
		for _, d := range g.dependencies[i] {
			if _, known := g.places[d]; !known {
				return nil, fmt.Errorf("couldn't add link between %[1]s and %[2]s: task %[1]s depends on %[2]s but %[2]s wasn't present in Pipeline", tasks[i].Name, d)
			}
		}
	}
	return g, nil
}

// BuildFinally returns the graph of final tasks, none of which waits for another.
func BuildFinally(tasks []v1beta1.PipelineTask) (*Graph, error) {
	alone := make([]v1beta1.PipelineTask, len(tasks))
	for i := range tasks {
		alone[i].Name = tasks[i].Name
	}
	return Build(alone)
}

func dependencies(t *v1beta1.PipelineTask) []string {
	var out []string
	seen := map[string]bool{}
	add := func(names ...string) {
		for _, n := range names {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	add(t.RunAfter...)
	if t.Resources != nil {
		for _, input := range t.Resources.Inputs {
			add(input.From...)
		}
	}
	for _, r := range References(t) {
		add(r.Task)
	}
	return out
}

// sort works out an order, taking away again and again what depends on nothing that is left. A dependency that does not exist
// holds nothing up.
func (g *Graph) sort(tasks []v1beta1.PipelineTask) error {
	waiting := make([]int, len(tasks))
	next := make([][]int, len(tasks))
	order := make([]int, 0, len(tasks))
	for i := range tasks {
		for _, d := range g.dependencies[i] {
			if place, known := g.places[d]; known {
				waiting[i]++
				next[place] = append(next[place], i)
			}
		}
		if waiting[i] == 0 {
			order = append(order, i)
		}
	}
	for at := 0; at < len(order); at++ {
		for _, i := range next[order[at]] {
			if waiting[i]--; waiting[i] == 0 {
				order = append(order, i)
			}
		}
	}
	if len(order) == len(tasks) {
		g.order = make([]string, len(order))
		for at, i := range order {
			g.order[at] = tasks[i].Name
		}
		return nil
	}
	var left []string
	for i := range tasks {
		if waiting[i] > 0 {
			left = append(left, tasks[i].Name)
		}
	}
	slices.Sort(left)
	var on []string
	for _, d := range g.Dependencies(left[0]) {
		if place, known := g.places[d]; known && waiting[place] > 0 {
			on = append(on, fmt.Sprintf("%q", d))
		}
	}
	slices.Sort(on)
	return fmt.Errorf("cycle detected; task %q depends on %s", left[0], strings.Join(on, ", "))
}
