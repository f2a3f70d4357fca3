package fake_test

import (
	"bytes"
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/internal/recording"
)

var updateFidelity = flag.Bool("update", false, "write docs/fidelity.md")

const (
	fidelityFile     = "../../../docs/fidelity.md"
	fidelityTemplate = "testdata/fidelity.tmpl"
	// longest is how much of a value is shown.
	longest = 72
)

// page is what the template of docs/fidelity.md is about.
type page struct {
	Inputs, Configurations, Recordings int
	Agreeing, Differing, Pending       int
	Everywhere                         []pageEverywhere
	Rows                               []pageRow
	AgreeingList                       string
	PendingList                        []pagePending
}

type pageEverywhere struct{ Rule, What, Why, By string }

type pageRow struct {
	In, Rule, Why, By string
	Changes           []string
}

type pagePending struct{ In, Why string }

// fidelity is docs/fidelity.md as it has to be.
func fidelity(t *testing.T, o outcome) string {
	t.Helper()
	p := page{
		Recordings: len(o.all), Agreeing: len(o.agreeing), Pending: len(pending()),
		AgreeingList: strings.Join(o.agreeing, ", "),
	}
	p.Differing = p.Recordings - p.Agreeing - p.Pending
	inputs, variants := map[string]bool{}, map[string]bool{}
	for _, name := range o.all {
		number, variant, _ := strings.Cut(name, " ")
		inputs[number], variants[variant] = true, true
	}
	p.Inputs, p.Configurations = len(inputs), len(variants)
	for _, e := range differencesEverywhere() {
		p.Everywhere = append(p.Everywhere, pageEverywhere{e.rule, e.what, e.why, e.by})
	}
	for n, d := range differences() {
		row := pageRow{In: strings.Join(d.in, ", "), Rule: d.rule, Why: d.why, By: d.by}
		for _, in := range d.in {
			for _, change := range changes(o.rows[n][in]) {
				if !slices.Contains(row.Changes, change) {
					row.Changes = append(row.Changes, change)
				}
			}
		}
		p.Rows = append(p.Rows, row)
	}
	later := pending()
	for _, in := range slices.Sorted(maps.Keys(later)) {
		p.PendingList = append(p.PendingList, pagePending{in, later[in]})
	}
	source, err := template.ParseFiles(fidelityTemplate)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := source.Execute(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// where is the beginning of a step's or sidecar's value, which its field says already.
var where = regexp.MustCompile(`^\S+ in \S+: `)

// changes say differences briefly: fields of one object that change alike are said together.
func changes(list []recording.Difference) []string {
	type change struct{ object, from, to string }
	var order []change
	fields := map[change][]string{}
	for _, d := range list {
		from, to := line(d.Recorded), line(d.Replayed)
		start := same(from, to)
		c := change{d.Object, excerpt(from, start), excerpt(to, start)}
		if fields[c] == nil {
			order = append(order, c)
		}
		fields[c] = append(fields[c], d.Field)
	}
	var out []string
	for _, c := range order {
		out = append(out, fmt.Sprintf("`%s` %s: %s → %s", c.object, strings.Join(fields[c], ", "), c.from, c.to))
	}
	return out
}

// line is a value on one line.
func line(value string) []rune {
	return []rune(strings.Join(strings.Fields(where.ReplaceAllString(value, "")), " "))
}

// same is how many runes two values begin with alike.
func same(a, b []rune) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// excerpt is as much of a value as shows what is different from there on.
func excerpt(value []rune, start int) string {
	const before = 24
	var text string
	switch {
	case len(value) == 0:
		return "(nothing)"
	case len(value) <= longest:
		text = string(value)
	default:
		first := max(0, min(start-before, len(value)-longest))
		last := min(first+longest, len(value))
		text = string(value[first:last])
		if first > 0 {
			text = "…" + text
		}
		if last < len(value) {
			text += "…"
		}
	}
	return "`" + strings.ReplaceAll(text, "`", "'") + "`"
}

// compareFidelity fails if docs/fidelity.md is stale, or writes it.
func compareFidelity(t *testing.T, want string) {
	t.Helper()
	if t.Failed() {
		return
	}
	if *updateFidelity {
		if err := os.WriteFile(fidelityFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(fidelityFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), want); diff != "" {
		t.Errorf("docs/fidelity.md is stale; -update writes it (-is +has to be):\n%s", diff)
	}
}
