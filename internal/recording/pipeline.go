package recording

import (
	"maps"
	"slices"
	"strings"
)

// pipelineRun is the status of a PipelineRun, as far as facts are about it.
type pipelineRun struct {
	CompletionTime  string           `json:"completionTime"`
	FinallyStart    string           `json:"finallyStartTime"`
	Conditions      []condition      `json:"conditions"`
	TaskRuns        map[string]child `json:"taskRuns"`
	Runs            map[string]child `json:"runs"`
	ChildReferences []struct {
		child
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"childReferences"`
	Skipped []struct {
		Name   string `json:"name"`
		Reason string `json:"reason"`
		When   []any  `json:"whenExpressions"`
	} `json:"skippedTasks"`
	Results []struct {
		Name  string `json:"name"`
		Value any    `json:"value"`
	} `json:"pipelineResults"`
}

// child is a child in the status of a PipelineRun.
type child struct {
	Task string `json:"pipelineTaskName"`
	When []any  `json:"whenExpressions"`
}

// pipelineRun says what the status of a PipelineRun is.
func (f *Facts) pipelineRun(object string, s *pipelineRun) {
	f.condition(object, "", s.Conditions)
	if s.CompletionTime != "" {
		f.add(object, "completionTime", "set")
	}
	if s.FinallyStart != "" {
		f.add(object, "finallyStartTime", "set")
	}
	for _, name := range slices.Sorted(maps.Keys(s.TaskRuns)) {
		f.child(object, "TaskRun", name, s.TaskRuns[name])
	}
	for _, name := range slices.Sorted(maps.Keys(s.Runs)) {
		f.child(object, "Run", name, s.Runs[name])
	}
	for _, c := range s.ChildReferences {
		f.child(object, c.Kind, c.Name, c.child)
	}
	for _, t := range s.Skipped {
		f.add(object, "skipped "+t.Name, t.Reason+guards(t.When))
	}
	for _, r := range s.Results {
		f.add(object, "result "+r.Name, compact(r.Value))
	}
}

func (f *Facts) child(object, kind, name string, c child) {
	f.add(object, "child "+name, kind+" of "+c.Task+guards(c.When))
}

func guards(when []any) string {
	if len(when) == 0 {
		return ""
	}
	return " when " + compact(when)
}

// The labels of the API, and what a run is asked, of objects that belong to a PipelineRun.
const (
	labelPrefix      = "tekton.dev/"
	labelPipelineRun = labelPrefix + "pipelineRun"
)

// ownedBy says whose a child is, and what it was asked.
func (f *Facts) ownedBy(object string, labels map[string]string, status, message string) {
	if labels[labelPipelineRun] == "" {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if strings.HasPrefix(key, labelPrefix) {
			f.add(object, "label "+key, labels[key])
		}
	}
	f.add(object, "asked", strings.TrimSpace(status+" "+message))
}

// found is an object with a status, as it is at the end.
type found struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name      string            `json:"name"`
		Namespace string            `json:"namespace"`
		Labels    map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		Status        string `json:"status"`
		StatusMessage string `json:"statusMessage"`
	} `json:"spec"`
}

// end says what an object is at the end. raw is all of it.
func (f *Facts) end(o *found, raw []byte) error {
	object := o.Kind + "/" + o.Metadata.Name
	f.ownedBy(object, o.Metadata.Labels, o.Spec.Status, o.Spec.StatusMessage)
	switch o.Kind {
	case "PipelineRun":
		var pr struct {
			Status pipelineRun `json:"status"`
		}
		if err := unmarshal(raw, &pr); err != nil {
			return err
		}
		f.pipelineRun(object, &pr.Status)
	case "Run", "CustomRun":
		var r struct {
			Status struct {
				Conditions []condition `json:"conditions"`
			} `json:"status"`
		}
		if err := unmarshal(raw, &r); err != nil {
			return err
		}
		f.condition(object, "", r.Status.Conditions)
	default:
		var r struct {
			Status run `json:"status"`
		}
		if err := unmarshal(raw, &r); err != nil {
			return err
		}
		f.status(object, "", &r.Status)
	}
	return nil
}
