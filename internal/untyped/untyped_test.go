package untyped_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/internal/untyped"
)

func object(conditions ...any) map[string]any {
	return map[string]any{"status": map[string]any{"conditions": conditions}}
}

func TestSucceeded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		reason string
		object map[string]any
		want   untyped.Condition
		done   bool
	}{
		{"no status", map[string]any{}, untyped.Condition{}, false},
		{"a status that is text", map[string]any{"status": "over"}, untyped.Condition{}, false},
		{"other conditions", object("odd", map[string]any{"type": "Ready", "status": "True"}), untyped.Condition{}, false},
		{
			"it runs", object(map[string]any{"type": "Ready"}, map[string]any{"type": "Succeeded", "status": "Unknown", "reason": "Running", "message": "busy"}),
			untyped.Condition{Status: "Unknown", Reason: "Running", Message: "busy"}, false,
		},
		{
			"it is over", object(map[string]any{"type": "Succeeded", "status": "False", "lastTransitionTime": "2000-01-01T00:00:00Z"}),
			untyped.Condition{Status: "False", Since: "2000-01-01T00:00:00Z"}, true,
		},
	} {
		if got := untyped.Succeeded(tt.object); got != tt.want || got.Done() != tt.done {
			t.Errorf("%s: got %+v, done %t", tt.reason, got, got.Done())
		}
	}
}

func TestMaps(t *testing.T) {
	t.Parallel()
	o := map[string]any{"spec": map[string]any{"steps": []any{map[string]any{"name": "a"}, "odd", map[string]any{"name": 1}}}}
	steps := untyped.Maps(o, "spec", "steps")
	if len(steps) != 2 || untyped.Text(steps[0]["name"]) != "a" || untyped.Text(steps[1]["name"]) != "" {
		t.Errorf("got %v", steps)
	}
	if got := untyped.Maps(o, "spec", "nothing", "here"); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if untyped.Map(o, "spec", "steps") != nil || untyped.Map(o, "spec") == nil {
		t.Error("Map returns what is a map")
	}
}
