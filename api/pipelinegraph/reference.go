package pipelinegraph

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// Reference is a reference to a result of a task: $(tasks.TASK.results.RESULT), to all of it with [*], to an element with [0], to
// a key with .KEY.
type Reference struct {
	Task, Result string
	// Index is the element, if HasIndex.
	Index    int
	HasIndex bool
	// Whole is set for [*].
	Whole bool
	// Property is the key, or "".
	Property string
	// Finally is set where the task is said to be a final one, which only results of Pipelines may do.
	Finally bool
	// Text is the reference as it is written, without $( and ).
	Text string
}

// variable is what is looked at as a variable; not everything that it matches is a reference.
var variable = regexp.MustCompile(`\$\(([_a-zA-Z0-9.-]+(?:\.[_a-zA-Z0-9.-]+)*)(?:\[([0-9]+|\*)\])?\)`)

// Variables returns everything in a text that looks like a variable, without $( and ).
func Variables(text string) []string {
	var out []string
	for _, m := range matches(text) {
		out = append(out, m[0][2:len(m[0])-1])
	}
	return out
}

func matches(text string) [][]string {
	if !strings.Contains(text, "$(") {
		return nil
	}
	return variable.FindAllStringSubmatch(text, -1)
}

// ReferencesIn returns the references in a text, in order.
func ReferencesIn(text string) []Reference {
	var out []Reference
	for _, m := range matches(text) {
		if r, ok := parse(m[1], m[2]); ok {
			r.Text = m[0][2 : len(m[0])-1]
			out = append(out, r)
		}
	}
	return out
}

// Parse reads one variable, written without $( and ). It reports false for what is no reference to a result.
func Parse(text string) (Reference, bool) {
	refs := ReferencesIn("$(" + text + ")")
	if len(refs) != 1 || refs[0].Text != text {
		return Reference{}, false
	}
	return refs[0], true
}

const (
	partsOfResult   = 4 // tasks.TASK.results.RESULT
	partsOfProperty = 5
)

func parse(name, index string) (Reference, bool) {
	parts := strings.Split(name, ".")
	if len(parts) != partsOfResult && len(parts) != partsOfProperty || parts[2] != "results" || parts[0] != "tasks" && parts[0] != "finally" {
		return Reference{}, false
	}
	r := Reference{Task: parts[1], Result: parts[3], Finally: parts[0] == "finally", Whole: index == "*"}
	if len(parts) == partsOfProperty {
		if index != "" || parts[4] == "" {
			return Reference{}, false
		}
		r.Property = parts[4]
	}
	if index != "" && !r.Whole {
		n, err := strconv.Atoi(index)
		if err != nil {
			return Reference{}, false
		}
		r.Index, r.HasIndex = n, true
	}
	return r, true
}

// ReferencesOf returns the references in a value; those of an object in the order of its keys.
func ReferencesOf(v v1beta1.ParamValue) []Reference {
	var out []Reference
	for _, text := range Texts(v) {
		out = append(out, ReferencesIn(text)...)
	}
	return out
}

// Texts returns the strings that a value consists of; those of an object in the order of its keys.
func Texts(v v1beta1.ParamValue) []string {
	switch v.Type {
	case v1beta1.ParamTypeArray:
		return v.ArrayVal
	case v1beta1.ParamTypeObject:
		keys := make([]string, 0, len(v.ObjectVal))
		for key := range v.ObjectVal {
			keys = append(keys, key)
		}
		slices.Sort(keys)
		for i, key := range keys {
			keys[i] = v.ObjectVal[key]
		}
		return keys
	default:
		return []string{v.StringVal}
	}
}

// References returns the references to results on which a task depends: in its params and those of its matrix, in its guards, and
// in the params of what a resolver is asked for.
func References(t *v1beta1.PipelineTask) []Reference {
	var out []Reference
	params := func(list []v1beta1.Param) {
		for i := range list {
			out = append(out, ReferencesOf(list[i].Value)...)
		}
	}
	params(t.Params)
	if t.Matrix != nil {
		params(t.Matrix.Params)
	}
	for i := range t.WhenExpressions {
		out = append(out, ReferencesIn(t.WhenExpressions[i].Input)...)
		for _, value := range t.WhenExpressions[i].Values {
			out = append(out, ReferencesIn(value)...)
		}
	}
	if t.TaskRef != nil {
		params(t.TaskRef.Params)
	}
	return out
}
