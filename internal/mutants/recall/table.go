package recall

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
)

// ByPackage counts outcomes by the package of the change, and by its function in it.
func ByPackage(outcomes []Outcome) (packages map[string]Tally, functions map[string]Tally) {
	packages, functions = map[string]Tally{}, map[string]Tally{}
	for _, o := range outcomes {
		for key, m := range map[string]map[string]Tally{path.Dir(o.Change.File): packages, FunctionOf(o): functions} {
			t := m[key]
			t.Add(o)
			m[key] = t
		}
	}
	return packages, functions
}

// FunctionOf names the place of a change: its file, and its function if it is in one.
func FunctionOf(o Outcome) string {
	if o.Change.Function == "" {
		return o.Change.File
	}
	return o.Change.File + " " + o.Change.Function
}

// Survivors are the changes that nothing noticed and nothing excuses, those first that a user would feel most: what more
// fixtures reach, more runs go through.
func Survivors(outcomes []Outcome) []Outcome {
	var out []Outcome
	for _, o := range outcomes {
		if o.Verdict == Survived || o.Verdict == Unreached {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b Outcome) int { return cmp.Compare(b.Reach, a.Reach) })
	return out
}

// Row is a row of the table of packages.
func Row(name string, t Tally) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d | %d | %d | %.1f %% |\n",
		name, t.Changes, t.Noticed, t.ByFaults, t.Survived, t.Unreached, t.Equivalent, t.Unspecified, t.Ratio())
}

// Head begins that table.
const Head = "| package | changes | noticed | of these under faults | survived | unreached | equivalent | unspecified | share |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|\n"

// Page is the table of packages, and of the functions in which the most survives.
func Page(outcomes []Outcome) []byte {
	var out bytes.Buffer
	packages, functions := ByPackage(outcomes)
	out.WriteString(Head)
	var total Tally
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		out.WriteString(Row("`"+name+"`", packages[name]))
		total = total.Plus(packages[name])
	}
	out.WriteString(Row("all", total))
	out.WriteString("\nFunctions in which something survives:\n\n| function | changes | noticed | survived or unreached |\n|---|---:|---:|---:|\n")
	names := slices.Sorted(maps.Keys(functions))
	left := func(t Tally) int { return t.Survived + t.Unreached }
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(left(functions[b]), left(functions[a])) })
	for _, name := range names {
		if t := functions[name]; left(t) > 0 {
			fmt.Fprintf(&out, "| `%s` | %d | %d | %d |\n", name, t.Changes, t.Noticed, left(t))
		}
	}
	return out.Bytes()
}
