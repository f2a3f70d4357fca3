package statement

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/fixtures"
)

func TestProjectTableIsWellFormed(t *testing.T) {
	t.Parallel()
	table, err := Parse("statements.tsv", fixtures.Statements)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(table.All()), 582; got != want {
		t.Errorf("got %d statements, want %d", got, want)
	}
	s, ok := table.Get("S004-176")
	if !ok || s.Level != Required || s.Area != "timeout" || !s.Judgeable {
		t.Errorf("S004-176 = %+v, %v", s, ok)
	}
}

const head = "id\tfile\tline\tsection\twords\tlevel\tcomponent\tarea\ton_kind\tspec\tnote\n"

func row(id, level, kind string) string {
	return strings.Join([]string{id, "f", "1", "s", "w", level, "controller", "a", kind, "", ""}, "\t") + "\n"
}

func TestCoverSeparatesProvenFromUnproven(t *testing.T) {
	t.Parallel()
	table, err := Parse("t.tsv", []byte(head+row("S000-001", Required, "y")+row("S000-002", Required, "y")+row("S000-003", Required, "y")+row("S000-004", Informative, "y")+row("S000-005", Optional, "n")))
	if err != nil {
		t.Fatal(err)
	}
	c := table.Cover([]Claim{
		{Statement: "S000-001", Fixture: "b", Plain: true},
		{Statement: "S000-001", Fixture: "a"},
		{Statement: "S000-002", Fixture: "a"},
		{Statement: "S999-999", Fixture: "a"},
	})
	type summary struct {
		Proven                         map[string][]string
		Unproven, OnlySpecial, Unknown []string
	}
	got := summary{Proven: map[string][]string{}}
	for _, p := range c.Proven {
		got.Proven[p.Statement.ID] = p.Fixtures
	}
	for _, s := range c.Unproven {
		got.Unproven = append(got.Unproven, s.ID)
	}
	for _, s := range c.OnlySpecial {
		got.OnlySpecial = append(got.OnlySpecial, s.ID)
	}
	for _, claim := range c.Unknown {
		got.Unknown = append(got.Unknown, claim.Statement)
	}
	want := summary{
		Proven:      map[string][]string{"S000-001": {"a", "b"}, "S000-002": {"a"}},
		Unproven:    []string{"S000-003"}, // informative and unjudgeable statements ask for no proof
		OnlySpecial: []string{"S000-002"},
		Unknown:     []string{"S999-999"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("coverage (-want +got):\n%s", diff)
	}
}

func TestMalformedTablesAreRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ reason, text, want string }{
		{"a line short of cells", head + "S000-001\tx\n", "t.tsv:2:1"},
		{"an id given twice", head + row("S000-001", Required, "y") + row("S000-001", Required, "y"), "t.tsv:3:1"},
		{"an unknown level", head + row("S000-001", "must", "y"), `unknown level "must"`},
		{"other columns", "id\n", "columns"},
	} {
		_, err := Parse("t.tsv", []byte(tt.text))
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %q", tt.reason, err, tt.want)
		}
	}
}
