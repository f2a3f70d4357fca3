package compare

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/internal/failure"
	"github.com/plumbline-ci/plumbline/reports/internal/plain"
)

// tableKind is the kind of a Table as a document.
const tableKind = "ReportTable"

// Table is several reports side by side: a row a fixture, a column a report, which mostly means a target.
type Table struct {
	APIVersion string   `json:"apiVersion"`
	Kind       string   `json:"kind"`
	Columns    []Column `json:"columns"`
	// Contradicted, Partly and Agreed count the rows by how the columns agree, shown or not.
	Contradicted int `json:"contradicted"`
	Partly       int `json:"partly"`
	Agreed       int `json:"agreed"`
	// Unexplained is how many contradictions have no explanation.
	Unexplained int `json:"unexplained"`
	// Rows begin with those that do not agree; each kind is sorted by profile and name.
	Rows []Row `json:"rows"`
	// Stale are explanations of what does not differ.
	Stale []Explanation `json:"stale,omitempty"`
}

// Column is one report.
type Column struct {
	// Name is the target's name, made unique where several reports have the same target.
	Name string `json:"name"`
	Run  Side   `json:"run"`
	// Tally counts all fixtures of the report.
	Tally reports.Tally `json:"tally"`
	// Took is the run's time by the clock; on virtual time there is none, and Virtual is the sum of what the fixtures took.
	Took    string `json:"took,omitempty"`
	Virtual string `json:"virtual,omitempty"`
}

// Agreement says how the columns of a row agree.
type Agreement string

// The agreements.
const (
	// Contradiction: it passes in one and fails in another.
	Contradiction Agreement = "no"
	// PartAgreement: where it was judged it came to the same, but it was not judged everywhere.
	PartAgreement Agreement = "partly"
	// FullAgreement: one verdict everywhere.
	FullAgreement Agreement = "yes"
)

// agreements lists all agreements, the worst first.
func agreements() []Agreement { return []Agreement{Contradiction, PartAgreement, FullAgreement} }

// Row is one fixture.
type Row struct {
	Fixture     string    `json:"fixture"`
	Profile     string    `json:"profile"`
	Level       string    `json:"level"`
	File        string    `json:"file"`
	Requirement string    `json:"requirement"`
	Agree       Agreement `json:"agree"`
	// Why explains that the columns do not agree.
	Why string `json:"why,omitempty"`
	// Cells has one for each column.
	Cells []Cell `json:"cells"`
}

// Cell is the result of one fixture in one report. It is empty where the report does not have the fixture.
type Cell struct {
	Verdict  reports.Verdict `json:"verdict,omitempty"`
	Duration string          `json:"duration,omitempty"`
	// Reason is a line: why it failed, or was not judged.
	Reason string `json:"reason,omitempty"`
}

// Named is a report with the name of its column; no name stands for the target's.
type Named struct {
	Name   string
	Report *reports.ConformanceReport
}

// TableOptions say what is shown.
type TableOptions struct {
	// Differing leaves out the rows in which all agree.
	Differing bool
	// Explained are differences that are known and accepted; the verdicts that one names are to be in the row.
	Explained []Explanation
}

// NewTable puts reports side by side.
func NewTable(list []Named, o TableOptions) *Table {
	t := &Table{APIVersion: reports.APIVersion, Kind: tableKind, Columns: []Column{}, Rows: []Row{}}
	names := columnNames(list)
	rows := map[string]*Row{}
	var order []*Row
	for i, n := range list {
		t.Columns = append(t.Columns, column(names[i], n.Report))
		for k := range n.Report.Fixtures {
			f := &n.Report.Fixtures[k]
			row := rows[f.Name]
			if row == nil {
				row = &Row{Fixture: f.Name, Profile: f.Profile, Level: f.Level, File: f.File, Requirement: f.Requirement, Cells: make([]Cell, len(list))}
				rows[f.Name] = row
				order = append(order, row)
			}
			row.Cells[i] = cell(f)
		}
	}
	for _, row := range order {
		row.Agree = row.agreement()
	}
	slices.SortFunc(order, func(a, b *Row) int {
		return cmp.Or(
			cmp.Compare(slices.Index(agreements(), a.Agree), slices.Index(agreements(), b.Agree)),
			strings.Compare(a.Profile, b.Profile),
			strings.Compare(a.Fixture, b.Fixture))
	})
	t.explain(order, o.Explained)
	for _, row := range order {
		switch row.Agree {
		case Contradiction:
			t.Contradicted++
			if row.Why == "" {
				t.Unexplained++
			}
		case PartAgreement:
			t.Partly++
		default:
			t.Agreed++
			if o.Differing {
				continue
			}
		}
		t.Rows = append(t.Rows, *row)
	}
	return t
}

// columnNames gives each report a name of its own: the target's; where two have the same one, with the
// implementation's version, or else with a number.
func columnNames(list []Named) []string {
	names := make([]string, len(list))
	for i, n := range list {
		names[i] = cmp.Or(n.Name, n.Report.Target.Name, "report")
	}
	twice := func(i int) bool {
		return slices.Contains(names[:i], names[i]) || slices.Contains(names[i+1:], names[i])
	}
	var ambiguous []int
	for i := range names {
		if twice(i) {
			ambiguous = append(ambiguous, i)
		}
	}
	for _, i := range ambiguous {
		if v := list[i].Report.Implementation.Version; v != "" && list[i].Name == "" {
			names[i] += " " + v
		}
	}
	ambiguous = slices.DeleteFunc(ambiguous, func(i int) bool { return !twice(i) })
	numbered := map[string]int{}
	for _, i := range ambiguous {
		numbered[names[i]]++
		names[i] = fmt.Sprintf("%s (%d)", names[i], numbered[names[i]])
	}
	return names
}

func column(name string, r *reports.ConformanceReport) Column {
	c := Column{Name: name, Run: side(r), Took: r.Took}
	var total time.Duration
	for i := range r.Fixtures {
		c.Tally.Add(r.Fixtures[i].Verdict)
		if d, err := time.ParseDuration(r.Fixtures[i].Duration); err == nil {
			total += d
		}
	}
	if r.Target.VirtualTime {
		c.Virtual = total.Round(time.Second).String()
	}
	return c
}

func cell(f *reports.Fixture) Cell {
	c := Cell{Verdict: f.Verdict, Duration: f.Duration, Reason: plain.Short(f.Reason)}
	if f.Failure != nil {
		c.Reason = failure.Headline(f.Failure)
	}
	return c
}

func (r *Row) has(v reports.Verdict) bool {
	return slices.ContainsFunc(r.Cells, func(c Cell) bool { return c.Verdict == v })
}

func (r *Row) agreement() Agreement {
	same := true
	for _, c := range r.Cells {
		same = same && c.Verdict == r.Cells[0].Verdict
	}
	switch {
	case same:
		return FullAgreement
	case r.has(reports.Pass) && r.has(reports.Fail):
		return Contradiction
	}
	return PartAgreement
}

// explain finds explanations for rows that do not agree, and those that explain nothing.
func (t *Table) explain(rows []*Row, known []Explanation) {
	used := make([]bool, len(known))
	for _, row := range rows {
		if row.Agree == FullAgreement {
			continue
		}
		for n, x := range known {
			if x.Fixture == row.Fixture && (x.A == "" || row.has(x.A)) && (x.B == "" || row.has(x.B)) {
				row.Why, used[n] = x.Why, true
				break
			}
		}
	}
	for n, x := range known {
		if !used[n] {
			t.Stale = append(t.Stale, x)
		}
	}
}

// time is what a run took, for people.
func (c *Column) time() string {
	switch {
	case c.Took != "":
		return c.Took
	case c.Virtual != "":
		return c.Virtual + " of virtual time"
	}
	return ""
}

// summary is a column in a line: "231 of 233 passed, 2 unsupported; 5m12.3s".
func (c *Column) summary() string {
	text := string(c.Run.Result) + ", " + c.Tally.String()
	if at := c.time(); at != "" {
		text += "; " + at
	}
	return text
}

// suites reports whether the columns were judged by different suites.
func (t *Table) suites() bool {
	return slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Run.Digest != t.Columns[0].Run.Digest })
}

// verdict counts the rows in a line.
func (t *Table) verdict() string {
	word := "AGREED"
	switch {
	case t.Unexplained > 0:
		word = "CONTRADICTED"
	case t.Contradicted > 0:
		word = "EXPLAINED"
	}
	text := fmt.Sprintf("%s: %s with the same verdict everywhere, %d judged in some columns only, %d judged differently", word, plural(t.Agreed, "fixture"), t.Partly, t.Contradicted)
	if n := t.Contradicted - t.Unexplained; n > 0 {
		text += fmt.Sprintf(" (%d explained)", n)
	}
	return text
}
