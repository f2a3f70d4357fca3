// Package statement knows the numbered statements of the documents and tells which
// of them a set of fixtures proves.
//
// The table is statements.tsv: one line a statement, with its document, its line and
// section there, the words, and how strongly it binds. A fixture names the ids it
// proves; [Cover] compares the two.
package statement

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// How strongly a statement binds.
const (
	Required    = "required"
	Recommended = "recommended"
	Optional    = "optional"
	Informative = "informative"
)

// Statement is one statement of the documents.
type Statement struct {
	ID string
	// Document and Line say where it stands; Section is the heading above it.
	Document, Line, Section string
	// Words is the statement, shortened.
	Words string
	// Level says how strongly it binds; Component whose behaviour it is; Area what it is about.
	Level, Component, Area string
	// Judgeable says that a cluster can show whether it holds.
	Judgeable bool
	// Rules are the ids of the rules of the specification behind it.
	Rules string
	// Note tells contradictions and exceptions.
	Note string
}

// Table is the statements in the order of the file.
type Table struct {
	statements []Statement
	index      map[string]int
}

// columns of the table, in order.
func columns() []string {
	return []string{"id", "file", "line", "section", "words", "level", "component", "area", "on_kind", "spec", "note"}
}

// ErrMalformed is wrapped by every error of Parse.
var ErrMalformed = errors.New("malformed table of statements")

// Parse reads statements.tsv. name is for messages.
func Parse(name string, data []byte) (*Table, error) {
	t := &Table{index: map[string]int{}}
	want := columns()
	for i, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		cells := strings.Split(strings.TrimSuffix(line, "\r"), "\t")
		if i == 0 {
			if !slices.Equal(cells, want) {
				return nil, fmt.Errorf("%s:1:1: %w: the columns are %q, want %q", name, ErrMalformed, cells, want)
			}
			continue
		}
		if len(cells) != len(want) {
			return nil, fmt.Errorf("%s:%d:1: %w: %d cells, want %d separated by tabs", name, i+1, ErrMalformed, len(cells), len(want))
		}
		s := Statement{ID: cells[0], Document: cells[1], Line: cells[2], Section: cells[3], Words: cells[4], Level: cells[5],
			Component: cells[6], Area: cells[7], Judgeable: cells[8] == "y", Rules: cells[9], Note: cells[10]}
		if _, twice := t.index[s.ID]; twice || s.ID == "" {
			return nil, fmt.Errorf("%s:%d:1: %w: the id %q is empty or not unique", name, i+1, ErrMalformed, s.ID)
		}
		if !slices.Contains([]string{Required, Recommended, Optional, Informative}, s.Level) {
			return nil, fmt.Errorf("%s:%d:1: %w: unknown level %q", name, i+1, ErrMalformed, s.Level)
		}
		t.index[s.ID] = len(t.statements)
		t.statements = append(t.statements, s)
	}
	return t, nil
}

// All returns the statements in the order of the file.
func (t *Table) All() []Statement { return slices.Clone(t.statements) }

// Get returns the statement with this id.
func (t *Table) Get(id string) (Statement, bool) {
	i, ok := t.index[id]
	if !ok {
		return Statement{}, false
	}
	return t.statements[i], true
}

// IDs returns every id in the order of the file.
func (t *Table) IDs() []string {
	ids := make([]string, len(t.statements))
	for i, s := range t.statements {
		ids[i] = s.ID
	}
	return ids
}

// Claim says that a fixture proves a statement.
type Claim struct {
	Statement string
	// Fixture is the fixture's name.
	Fixture string
	// Plain fixtures need neither mocks, faults nor virtual time, so any target can prove the statement.
	Plain bool
}

// Coverage is which statements are proven, and which are not.
type Coverage struct {
	// Proven lists each proven statement with its fixtures, in the order of the table.
	Proven []Proof
	// Unproven are the judgeable statements that no fixture proves.
	Unproven []Statement
	// OnlySpecial are the required statements without a plain fixture.
	OnlySpecial []Statement
	// Unknown are claims of ids that the table does not have.
	Unknown []Claim
}

// Proof is a statement and the fixtures that prove it.
type Proof struct {
	Statement Statement
	Fixtures  []string
}

// Cover compares claims with the table.
func (t *Table) Cover(claims []Claim) Coverage {
	var c Coverage
	by := map[string][]string{}
	plain := map[string]bool{}
	for _, claim := range claims {
		if _, ok := t.index[claim.Statement]; !ok {
			c.Unknown = append(c.Unknown, claim)
			continue
		}
		by[claim.Statement] = append(by[claim.Statement], claim.Fixture)
		plain[claim.Statement] = plain[claim.Statement] || claim.Plain
	}
	for _, s := range t.statements {
		fixtures := by[s.ID]
		switch {
		case len(fixtures) > 0:
			slices.Sort(fixtures)
			c.Proven = append(c.Proven, Proof{Statement: s, Fixtures: slices.Compact(fixtures)})
			if s.Level == Required && !plain[s.ID] {
				c.OnlySpecial = append(c.OnlySpecial, s)
			}
		case s.Judgeable && s.Level != Informative:
			c.Unproven = append(c.Unproven, s)
		}
	}
	return c
}
