// Package untyped reads objects without Go types. It copies nothing, unlike the accessors of package unstructured, and what is
// missing or of another type reads as nothing.
package untyped

// Map returns the map that a path leads to, or nil.
func Map(object any, path ...string) map[string]any {
	m, _ := object.(map[string]any)
	for _, field := range path {
		m, _ = m[field].(map[string]any)
	}
	return m
}

// Maps returns the maps of the list that a path leads to.
func Maps(object map[string]any, path ...string) []map[string]any {
	var at any = object
	for _, field := range path {
		m, _ := at.(map[string]any)
		at = m[field]
	}
	list, _ := at.([]any)
	out := make([]map[string]any, 0, len(list))
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// Text returns a string, or "".
func Text(value any) string {
	s, _ := value.(string)
	return s
}

// Condition is the condition of a run that says how far it is. The zero Condition stands for none.
type Condition struct{ Status, Reason, Message, Since string }

// Done reports whether the run is over, unless another attempt follows.
func (c Condition) Done() bool { return c.Status == "True" || c.Status == "False" }

// Succeeded returns an object's condition of the type Succeeded.
func Succeeded(object map[string]any) Condition {
	list, _ := Map(object, "status")["conditions"].([]any)
	for _, item := range list {
		if c := Map(item); Text(c["type"]) == "Succeeded" {
			return Condition{Text(c["status"]), Text(c["reason"]), Text(c["message"]), Text(c["lastTransitionTime"])}
		}
	}
	return Condition{}
}
