package advice

import (
	"maps"
	"slices"
)

// fieldText is a text somewhere in an object, and the name of the field that it is in.
type fieldText struct{ field, text string }

// forPeople are fields whose texts nothing executes.
var forPeople = []string{"description", "displayName", "metadata"}

// textsOf lists the texts in a value in the order of its fields' names, without those for people.
func textsOf(value any) []fieldText {
	var out []fieldText
	var walk func(field string, value any)
	walk = func(field string, value any) {
		switch v := value.(type) {
		case string:
			out = append(out, fieldText{field, v})
		case []any:
			for _, item := range v {
				walk(field, item)
			}
		case map[string]any:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				if !slices.Contains(forPeople, key) {
					walk(key, v[key])
				}
			}
		}
	}
	walk("", value)
	return out
}
