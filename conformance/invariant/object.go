package invariant

import (
	"encoding/json"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/internal/untyped"
)

// What follows reads objects without copying, unlike the accessors of package
// unstructured.

func mapping(v any, path ...string) map[string]any {
	m, _ := v.(map[string]any)
	for _, key := range path {
		m, _ = m[key].(map[string]any)
	}
	return m
}

func list(m map[string]any, key string) []any {
	l, _ := m[key].([]any)
	return l
}

func text(m map[string]any, key string) string {
	s, _ := m[key].(string)
	return s
}

// at is what a path with dots leads to.
func at(m map[string]any, path string) any {
	keys := strings.Split(path, ".")
	last := len(keys) - 1
	return mapping(m, keys[:last]...)[keys[last]]
}

func textAt(m map[string]any, path string) string {
	s, _ := at(m, path).(string)
	return s
}

func number(m map[string]any, key string) (int, bool) {
	switch n := m[key].(type) {
	case int64:
		return int(n), true
	case float64:
		return int(n), true
	case int:
		return n, true
	}
	return 0, false
}

func moment(m map[string]any, key string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text(m, key))
	return t, err == nil
}

// condition is a run's Succeeded condition.
type condition struct{ status, reason, message, since string }

func (c condition) done() bool { return c.status == "True" || c.status == "False" }

func succeeded(o *unstructured.Unstructured) condition {
	c := untyped.Succeeded(o.Object)
	return condition{c.Status, c.Reason, c.Message, c.Since}
}

// running names the containers of a Pod that run.
func running(o *unstructured.Unstructured) []string {
	var names []string
	status := mapping(o.Object, "status")
	for _, key := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, item := range list(status, key) {
			if c := mapping(item); mapping(c, "state", "running") != nil {
				names = append(names, text(c, "name"))
			}
		}
	}
	return names
}

// ended reports whether a Pod's phase says that it is over.
func ended(o *unstructured.Unstructured) bool {
	phase := text(mapping(o.Object, "status"), "phase")
	return phase == "Succeeded" || phase == "Failed"
}

// entry is one result in a termination message.
type entry struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Type  any    `json:"type"`
}

// isResult: newer launchers write numbers, older ones names.
func (e entry) isResult() bool { return e.Type == float64(1) || e.Type == "TaskRunResult" }

// written are the results that the steps of a Pod have left in their termination
// messages. known is false if some message cannot be read.
func written(o *unstructured.Unstructured) (values map[string][]string, known bool) {
	values = map[string][]string{}
	for _, item := range list(mapping(o.Object, "status"), "containerStatuses") {
		message := text(mapping(item, "state", "terminated"), "message")
		if message == "" || message[0] != '[' {
			continue
		}
		var entries []entry
		if err := json.Unmarshal([]byte(message), &entries); err != nil {
			return nil, false
		}
		for _, e := range entries {
			if e.isResult() {
				values[e.Key] = append(values[e.Key], e.Value)
			}
		}
	}
	return values, true
}
