package podstatus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/entrypoint/termination"
)

// LoggedResult is one line of the Sidecar that prints results (SC-32).
type LoggedResult struct {
	Name, Value string
}

// LargeResultError says that a result is longer than the installation allows.
type LargeResultError struct{ Limit int }

func (e *LargeResultError) Error() string {
	return fmt.Sprintf("results exceeded size limit %d bytes", e.Limit)
}

// ParseResultLog reads the log of the Sidecar that prints results; limit bounds its lines, in bytes (SC-33…35).
func ParseResultLog(log []byte, limit int) ([]LoggedResult, error) {
	var results []LoggedResult
	for line := range bytes.Lines(log) {
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			continue
		}
		if len(line) > limit {
			return nil, &LargeResultError{Limit: limit}
		}
		var r LoggedResult
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("Invalid result %w", err)
		}
		results = append(results, r)
	}
	return results, nil
}

// conclude fills in the results of an attempt whose Steps have succeeded, and fails it if they are not what the Task
// declares.
func (o *Observation) conclude(in Input, reports []report) {
	values := map[string]string{}
	for _, r := range reports {
		if r.unread != nil && len(in.Spec.Results) > 0 {
			// What the message said is lost, and with it results: they must not vanish silently.
			o.refuse(v1beta1.TaskRunReasonFailed, fmt.Errorf("the results of container %q are lost: its termination message cannot be read: %w", r.container, r.unread))
			return
		}
		for _, e := range r.results {
			values[e.Key] = e.Value
		}
		for _, e := range r.others {
			o.ResourcesResult = append(o.ResourcesResult, resourcesResult(e))
		}
	}
	for _, l := range in.Logged {
		values[l.Name] = l.Value
	}
	o.Results = declaredResults(in.Spec.Results, values)
	if err := checkResults(in.Spec.Results, o.Results); err != nil {
		// They are shown as they were written, so that their author can see what is wrong (LC-46).
		results, others := o.Results, o.ResourcesResult
		o.refuse(v1beta1.TaskRunReasonFailedValidation, err)
		o.Results, o.ResourcesResult = results, others
	}
}

func (o *Observation) refuse(reason string, err error) {
	o.Condition = falseCondition(reason, err.Error())
	o.Refused = err
	o.Results, o.ResourcesResult = nil, nil
}

func resourcesResult(e termination.Entry) v1beta1.PipelineResourceResult {
	return v1beta1.PipelineResourceResult{
		Key: e.Key, Value: e.Value, ResourceName: e.ResourceName, ResultType: v1beta1.ResultType(e.Type),
	}
}

// declaredResults types the values as declared, in the order of the declarations (ST-16). What was not written is absent,
// and so is what the Task does not declare.
func declaredResults(declared []v1beta1.TaskResult, values map[string]string) []v1beta1.TaskRunResult {
	var results []v1beta1.TaskRunResult
	seen := map[string]bool{}
	for _, d := range declared {
		text, written := values[d.Name]
		if !written || seen[d.Name] {
			continue
		}
		seen[d.Name] = true
		value := v1beta1.StringValue(text)
		if t := v1beta1.ParamType(d.Type); t != "" && t != v1beta1.ParamTypeString {
			value = decodeValue(text)
		}
		results = append(results, v1beta1.TaskRunResult{Name: d.Name, Type: v1beta1.ResultsType(value.Type), Value: value})
	}
	return results
}

// decodeValue reads what a step wrote for an array or object. Text that is not JSON is a string.
func decodeValue(text string) v1beta1.ParamValue {
	var value v1beta1.ParamValue
	if !json.Valid([]byte(text)) || value.UnmarshalJSON([]byte(text)) != nil || value.Type == v1beta1.ParamTypeString {
		return v1beta1.StringValue(text)
	}
	return value
}

// checkResults compares types and keys with the declarations (LC-46).
func checkResults(declared []v1beta1.TaskResult, results []v1beta1.TaskRunResult) error {
	byName := map[string]v1beta1.TaskRunResult{}
	for _, r := range results {
		byName[r.Name] = r
	}
	mismatched, missing := map[string][]string{}, map[string][]string{}
	for _, d := range declared {
		r, ok := byName[d.Name]
		want := d.Type
		if want == "" {
			want = v1beta1.ResultsType(v1beta1.ParamTypeString)
		}
		switch {
		case !ok:
		case r.Type != want:
			mismatched[d.Name] = []string{string(want)}
		case want == v1beta1.ResultsType(v1beta1.ParamTypeObject):
			for _, key := range slices.Sorted(maps.Keys(d.Properties)) {
				if _, ok := r.Value.ObjectVal[key]; !ok {
					missing[d.Name] = append(missing[d.Name], key)
				}
			}
		}
	}
	switch {
	case len(mismatched) > 0:
		return fmt.Errorf("missmatched Types for these results, %s", listed(mismatched)) // sic
	case len(missing) > 0:
		return fmt.Errorf("missing keys for these results which are required in TaskResult's properties %s", listed(missing))
	default:
		return nil
	}
}

// listed prints as fmt does, which sorts the keys.
func listed(m map[string][]string) string { return fmt.Sprint(m) }
