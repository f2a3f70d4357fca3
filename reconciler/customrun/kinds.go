package customrun

import (
	"maps"
	"slices"
	"strings"
)

// Kinds lists the kinds, in the order of their names.
func Kinds() []string { return slices.Sorted(maps.Keys(fields)) }

// Plurals lists the kinds as resources are called: waits.
func Plurals() []string {
	var out []string
	for _, kind := range Kinds() {
		out = append(out, strings.ToLower(kind)+"s")
	}
	return out
}
