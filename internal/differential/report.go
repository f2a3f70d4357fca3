package differential

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/plumbline-ci/plumbline/internal/differential/listed"
	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

// shownOutput is how much of an output a report shows.
const shownOutput = 160

// Print writes the tables: the groups of unlisted differences with an example each, the listed kinds, the constructs.
func (r *Result) Print(w io.Writer, title string) {
	fmt.Fprintf(w, "%s: %d scripts, %d different (%d unlisted), %d answered differently by the real programs themselves, %d unfinished\n",
		title, r.Scripts, r.Different, r.Unlisted(), r.Unstable, r.Unfinished)
	groups := map[string][]Difference{}
	known := map[string]int{}
	for _, d := range r.Differences {
		if d.Listed != "" {
			known[d.Listed]++
			continue
		}
		groups[d.Group] = append(groups[d.Group], d)
	}
	names := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(len(groups[b])-len(groups[a]), cmp.Compare(a, b))
	})
	for _, name := range names {
		list := groups[name]
		shortest := slices.MinFunc(list, func(a, b Difference) int {
			return cmp.Or(len(a.Script)-len(b.Script), cmp.Compare(a.Script, b.Script))
		})
		fmt.Fprintf(w, "\n%6d  %s\n", len(list), name)
		for line := range strings.Lines(shortest.Script) {
			fmt.Fprintf(w, "        | %s\n", strings.TrimRight(line, "\n"))
		}
		fmt.Fprintf(w, "        simulator %s\n        real      %s\n", shown(shortest.Sim.Stdout, shortest.Sim.Stderr, shortest.Sim.Code), shown(shortest.Real.Stdout, shortest.Real.Stderr, shortest.Real.Code))
	}
	if len(known) > 0 {
		fmt.Fprintf(w, "\nlisted kinds of %s\n", title)
		for _, name := range slices.Sorted(maps.Keys(known)) {
			fmt.Fprintf(w, "%6d  %s\n", known[name], name)
		}
	}
}

// PrintConstructs writes how often each construct occurs.
func (r *Result) PrintConstructs(w io.Writer, title string) {
	fmt.Fprintf(w, "\nconstructs in scripts of %s\n", title)
	for _, name := range slices.SortedFunc(maps.Keys(r.Constructs), func(a, b string) int {
		return cmp.Or(r.Constructs[b]-r.Constructs[a], cmp.Compare(a, b))
	}) {
		fmt.Fprintf(w, "%6.1f %%  %s\n", 100*float64(r.Constructs[name])/float64(max(1, r.Scripts)), name)
	}
}

// leastScripts is from how many scripts on shares are judged.
const leastScripts = 1000

// Violations returns which limits a comparison breaks: differences that are not listed, too much that is listed, a construct
// that is too rare.
func (r *Result) Violations(d script.Dialect, generated bool) []string {
	var out []string
	if n := r.Unlisted(); n > 0 {
		out = append(out, fmt.Sprintf("%d differences are not listed", n))
	}
	if covered := r.Different - r.Unlisted(); float64(covered) > max(1, listed.MostShare*float64(r.Scripts)) {
		out = append(out, fmt.Sprintf("the listed kinds cover %d of %d scripts, which is more than %.0f %%", covered, r.Scripts, 100*listed.MostShare))
	}
	if !generated || r.Scripts < leastScripts {
		return out
	}
	for _, name := range script.Named(d) {
		if share := float64(r.Constructs[name]) / float64(r.Scripts); share < script.LeastShare {
			out = append(out, fmt.Sprintf("%q occurs in %.1f %% of the scripts, which is less than %.0f %%", name, 100*share, 100*script.LeastShare))
		}
	}
	return out
}

func shown(stdout, stderr string, code int) string {
	cut := func(s string) string {
		if len(s) > shownOutput {
			return fmt.Sprintf("%q…", s[:shownOutput])
		}
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%d %s %s", code, cut(stdout), cut(stderr))
}
