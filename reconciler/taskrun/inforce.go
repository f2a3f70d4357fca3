package taskrun

import (
	"encoding/json"

	"k8s.io/apimachinery/pkg/api/equality"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
)

// TaskSpecAnnotation, among the annotations of the status, holds the Task of a taskRef as it was found, in JSON, while
// status.taskSpec shows it with its variables replaced and another attempt may have to replace them again.
const TaskSpecAnnotation = "plumbline.dev/task-spec"

// taskInForce is the Task of an attempt: as it was found, and with its variables replaced, once that is done. Both are nil
// if the status already has the Task.
type taskInForce struct{ found, replaced *v1beta1.TaskSpec }

// record writes the Task into a status, replaced if that is done. again says that another attempt may start from the Task as
// it was found, and cannot take it from the TaskRun's spec.
func (t taskInForce) record(s *v1beta1.TaskRunStatus, again bool) {
	switch {
	case t.found == nil:
		return
	case t.replaced == nil:
		s.TaskSpec = t.found
		return
	}
	s.TaskSpec = t.replaced
	delete(s.Annotations, TaskSpecAnnotation)
	if !again || equality.Semantic.DeepEqual(t.found, t.replaced) {
		return
	}
	found, err := json.Marshal(t.found)
	if err != nil {
		return // a Task that came as JSON; the next attempt would start from the replaced one
	}
	if s.Annotations == nil {
		s.Annotations = map[string]string{}
	}
	s.Annotations[TaskSpecAnnotation] = string(found)
}

// recordedTask returns the Task as it was found, from a status in which record has written it, or nil.
func recordedTask(s *v1beta1.TaskRunStatus) *v1beta1.TaskSpec {
	if text, ok := s.Annotations[TaskSpecAnnotation]; ok && s.TaskSpec != nil {
		var spec v1beta1.TaskSpec
		if err := json.Unmarshal([]byte(text), &spec); err == nil {
			return &spec
		}
	}
	return s.TaskSpec.DeepCopy()
}
