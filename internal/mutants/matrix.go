package mutants

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Listed is a fixture of the suite, as the page lists it.
type Listed struct{ Name, Level string }

// Matrix is the page's tables: each fault with the fixtures that catch it, and each fixture with the faults that it
// catches.
func Matrix(outcomes []Outcome, suite []Listed) []byte {
	var b bytes.Buffer
	caught := 0
	families := map[string]int{}
	var order []string
	for _, o := range outcomes {
		if families[o.Mutant.Family] == 0 {
			order = append(order, o.Mutant.Family)
		}
		families[o.Mutant.Family]++
		if o.Noticed() {
			caught++
		}
	}
	fmt.Fprintf(&b, "%d of %d faults are caught. By family:", caught, len(outcomes))
	for i, f := range order {
		fmt.Fprintf(&b, "%s %s %d", strings.Repeat(",", min(i, 1)), f, families[f])
	}
	b.WriteString(".\n\n### Fault → fixtures\n\nThe fixtures named must fail under the fault; the number counts those that fail as well.\n\n")
	b.WriteString("| family | fault | rule | caught by | others |\n|---|---|---|---|---:|\n")
	for _, o := range outcomes {
		verdict := code(o.Mutant.CaughtBy)
		if !o.Noticed() {
			verdict = "**" + string(o.Verdict) + "** " + verdict
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %d |\n", o.Mutant.Family, o.Mutant.Name, o.Mutant.Rule, verdict, o.Others())
	}
	b.WriteString("\n### Fixture → faults\n\nAt most three faults are named, those first that few fixtures catch.\n\n")
	b.WriteString("| fixture | level | faults | among them |\n|---|---|---:|---|\n")
	by := catches(outcomes)
	var nothing []string
	for _, f := range suite {
		faults := by[f.Name]
		if len(faults) == 0 {
			if f.Level == "required" {
				nothing = append(nothing, f.Name)
			}
			continue
		}
		slices.SortStableFunc(faults, func(x, y Outcome) int {
			return cmp.Compare(len(x.Failed)+len(x.Errors), len(y.Failed)+len(y.Errors))
		})
		var names []string
		for _, o := range faults[:min(3, len(faults))] {
			names = append(names, o.Mutant.Name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %d | %s |\n", f.Name, f.Level, len(faults), strings.Join(names, "; "))
	}
	fmt.Fprintf(&b, "\n### Required fixtures that catch none of them\n\n")
	if len(nothing) == 0 {
		b.WriteString("None.\n")
	}
	run := map[string]bool{}
	for _, o := range outcomes {
		for _, name := range o.Passed {
			run[name] = true
		}
	}
	for _, n := range nothing {
		note := ""
		if !run[n] {
			note = ", which is not run: the simulated cluster or the reference lacks what it needs"
		}
		fmt.Fprintf(&b, "- `%s`%s\n", n, note)
	}
	return b.Bytes()
}

// catches lists the faults that each fixture notices, in the order of the table.
func catches(outcomes []Outcome) map[string][]Outcome {
	by := map[string][]Outcome{}
	for _, o := range outcomes {
		for _, name := range slices.Concat(o.Failed, o.Errors) {
			by[name] = append(by[name], o)
		}
	}
	return by
}

func code(names []string) string {
	return "`" + strings.Join(names, "`, `") + "`"
}

// between are the lines around a part of a page that is generated.
func between(part string) (from, to string) {
	return "<!-- generated: " + part + " -->\n", "<!-- end of " + part + " -->\n"
}

// Part is a generated part of a page.
func Part(page []byte, part string) ([]byte, error) {
	from, to := between(part)
	_, rest, begun := bytes.Cut(page, []byte(from))
	text, _, ended := bytes.Cut(rest, []byte(to))
	if !begun || !ended {
		return nil, fmt.Errorf("the page has no lines %q and %q", from, to)
	}
	return text, nil
}

// Replace puts text in the place of a generated part of a page.
func Replace(page []byte, part string, text []byte) ([]byte, error) {
	old, err := Part(page, part)
	if err != nil {
		return nil, err
	}
	from, to := between(part)
	return bytes.Replace(page, slices.Concat([]byte(from), old, []byte(to)), slices.Concat([]byte(from), text, []byte(to)), 1), nil
}
