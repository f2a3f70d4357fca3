// Package fit compares what a Task declares with what it is given, by a TaskRun or by a task of a Pipeline.
package fit

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/reconciler/resolve"
)

// Params looks for params without value, of the wrong type and without required keys. Params that the Task does
// not declare are ignored (LC-30…32).
func Params(task resolve.Task, given []v1beta1.Param) error {
	missing, mistyped, incomplete := Compare(task.Spec.Params, given, true)
	var problem string
	switch {
	case len(missing) > 0:
		problem = fmt.Sprintf("missing values for these params which have no default values: %v", missing)
	case len(mistyped) > 0:
		problem = fmt.Sprintf("param types don't match the user-specified type: %v", mistyped)
	case len(incomplete) > 0:
		problem = fmt.Sprintf("missing keys for these params which are required in ParamSpec's properties %v", incomplete)
	default:
		return nil
	}
	return fmt.Errorf("invalid input params for task %s: %s", task.Name, problem)
}

// Compare returns the params that have no value, those of the wrong type, and the keys that objects lack. What is given without having been
// declared is left aside. open allows a variable in the place of a list or an object, which something else is to replace.
func Compare(declared []v1beta1.ParamSpec, given []v1beta1.Param, open bool) (missing, mistyped []string, incomplete map[string][]string) {
	values := map[string]v1beta1.ParamValue{}
	for _, p := range given {
		values[p.Name] = p.Value
	}
	incomplete = map[string][]string{}
	for _, d := range declared {
		value, ok := values[d.Name]
		switch {
		case !ok && d.Default == nil:
			missing = append(missing, d.Name)
		case ok && value.Type != d.Type && !(open && typeFits(d.Type, value)):
			mistyped = append(mistyped, d.Name)
		case d.Type == v1beta1.ParamTypeObject:
			if keys := missingKeys(d, value, ok); len(keys) > 0 {
				incomplete[d.Name] = keys
			}
		}
	}
	return missing, mistyped, incomplete
}

// typeFits compares types; a reference that something else was to replace may stand for a list or an object.
func typeFits(declared v1beta1.ParamType, value v1beta1.ParamValue) bool {
	if value.Type == declared {
		return true
	}
	text := value.StringVal
	return value.Type == v1beta1.ParamTypeString && strings.HasPrefix(text, "$(") && strings.HasSuffix(text, ")")
}

func missingKeys(declared v1beta1.ParamSpec, value v1beta1.ParamValue, given bool) []string {
	if given && value.Type != v1beta1.ParamTypeObject {
		return nil
	}
	var missing []string
	for _, key := range slices.Sorted(maps.Keys(declared.Properties)) {
		hasDefault := false
		if declared.Default != nil {
			_, hasDefault = declared.Default.ObjectVal[key]
		}
		if _, hasValue := value.ObjectVal[key]; !hasValue && !hasDefault {
			missing = append(missing, key)
		}
	}
	return missing
}

// Resources compares the deprecated resources by name. What they are for is not supported, so none can be bound
// (LC-33).
func Resources(task resolve.Task, bound *v1beta1.TaskRunResources) error {
	var required, declared, given []string
	if r := task.Spec.Resources; r != nil {
		for _, d := range slices.Concat(r.Inputs, r.Outputs) {
			declared = append(declared, d.Name)
			if !d.Optional {
				required = append(required, d.Name)
			}
		}
	}
	if bound != nil {
		for _, b := range slices.Concat(bound.Inputs, bound.Outputs) {
			given = append(given, b.Name)
		}
	}
	if missing := without(required, given); len(missing) > 0 {
		return fmt.Errorf("invalid input resources for task %s: Task's declared required resources are missing from the TaskRun: %v", task.Name, missing)
	}
	if extra := without(given, declared); len(extra) > 0 {
		return fmt.Errorf("invalid input resources for task %s: TaskRun's declared resources didn't match usage in Task: %v", task.Name, extra)
	}
	if len(given) > 0 {
		return fmt.Errorf("invalid input resources for task %s: PipelineResources are not supported: %v", task.Name, given)
	}
	return nil
}

func without(names, excluded []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return slices.Contains(excluded, n) })
}
