package validation

import (
	"fmt"
	"strings"

	"github.com/plumbline-ci/plumbline/api/pipelinegraph"
	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// pipelineResults checks P-19: a result of a Pipeline is made of results of its tasks.
func (c *checker) pipelineResults(p string, results []v1beta1.PipelineResult, dag, final *section) {
	for i := range results {
		at := fmt.Sprintf("%sresults[%d]", p, i)
		value := results[i].Value
		variables := variablesOf(value)
		if len(variables) == 0 {
			c.refuse("P-19/none", at)
		}
		alike, refs := likeResults(variables)
		if len(alike) == 0 {
			c.refuse("P-19/other", at)
		}
		if len(refs) != len(alike) {
			c.refuse("P-19/some", at, alike, refs)
		}
		for _, text := range pipelinegraph.Texts(value) {
			if !resultsExist(text, dag, final) {
				c.refuse("P-19/task", at)
			}
		}
	}
}

// variablesOf returns what looks like a variable in a value, without $( and ).
func variablesOf(v v1beta1.ParamValue) []string {
	var out []string
	for _, text := range pipelinegraph.Texts(v) {
		out = append(out, pipelinegraph.Variables(text)...)
	}
	return out
}

// likeResults returns the variables that look like results of tasks, and those of them that are.
func likeResults(variables []string) (alike, refs []string) {
	const first, third, least = 0, 2, 4
	for _, v := range variables {
		parts := strings.Split(v, ".")
		if len(parts) < least || parts[first] != "tasks" && parts[first] != "finally" || parts[third] != "results" {
			continue
		}
		alike = append(alike, v)
		if _, is := pipelinegraph.Parse(v); is {
			refs = append(refs, v)
		}
	}
	return alike, refs
}

// resultsExist reports whether each $ of a text begins a reference to a task that exists. Text before the first one counts as a
// reference to none.
func resultsExist(text string, dag, final *section) bool {
	before, rest, _ := strings.Cut(text, "$")
	if before != "" {
		return false
	}
	for rest != "" {
		var piece string
		piece, rest, _ = strings.Cut(rest, "$")
		if piece == "" {
			continue
		}
		inside, _, _ := strings.Cut(strings.TrimPrefix(piece, "("), ")")
		ref, is := pipelinegraph.Parse(inside)
		if !is || ref.Finally && !final.names[ref.Task] || !ref.Finally && !dag.names[ref.Task] {
			return false
		}
	}
	return true
}
