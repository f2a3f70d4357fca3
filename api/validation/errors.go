package validation

import (
	"slices"
	"strings"
)

// Problem is one thing that is wrong, at the field paths where it is.
type Problem struct {
	// Rule is the ID of the row of [Rules] that says so.
	Rule    string
	Message string
	// Paths name fields from the object's root: dots between fields, [i] for list items, [key] for keyed items. A
	// problem that is about no field, such as a feature gate, has none.
	Paths   []string
	Details string
}

// Errors are the problems of one object. The text is the API's promise (spec §2.1): problems that say the same are one
// problem of several paths; paths and problems are sorted; each problem is `message: path, path`, its details on the
// next line.
type Errors []Problem

// Error composes the text.
func (e Errors) Error() string {
	merged := e.merge()
	lines := make([]string, 0, len(merged))
	for _, p := range merged {
		line := p.Message + ": " + strings.Join(p.Paths, ", ")
		if p.Details != "" {
			line += "\n" + p.Details
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// OrNil returns the errors as an error, or nil if there are none.
func (e Errors) OrNil() error {
	if len(e) == 0 {
		return nil
	}
	return e
}

func (e Errors) merge() []Problem {
	var out []Problem
	said := make(map[[2]string]int, len(e))
	for _, p := range e {
		i, before := said[[2]string{p.Message, p.Details}]
		if !before {
			said[[2]string{p.Message, p.Details}] = len(out)
			out = append(out, Problem{Rule: p.Rule, Message: p.Message, Details: p.Details, Paths: slices.Clone(p.Paths)})
			continue
		}
		out[i].Paths = append(out[i].Paths, p.Paths...)
	}
	for i := range out {
		slices.Sort(out[i].Paths)
		out[i].Paths = slices.Compact(out[i].Paths)
	}
	slices.SortFunc(out, func(a, b Problem) int {
		if c := strings.Compare(a.Message, b.Message); c != 0 {
			return c
		}
		return strings.Compare(a.Details, b.Details)
	})
	return out
}
