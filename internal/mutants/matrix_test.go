package mutants

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/fixtures"
)

func TestMatrix(t *testing.T) {
	t.Parallel()
	outcomes := []Outcome{
		{Mutant: Mutant{Name: "broad", Family: "pod", Rule: "POD-1", CaughtBy: []string{"a"}}, Verdict: Caught, Failed: []string{"a", "b"}, Errors: []string{"c"}, Passed: []string{"idle"}},
		{Mutant: Mutant{Name: "narrow", Family: "status", Rule: "S1", CaughtBy: []string{"b"}}, Verdict: Broke, Errors: []string{"b"}, Passed: []string{"a", "c", "idle"}},
		{Mutant: Mutant{Name: "loose", Family: "pod", Rule: "S2", CaughtBy: []string{"a", "c"}}, Verdict: Escaped, Failed: []string{"c"}, Missed: []string{"a"}, Passed: []string{"a", "b", "idle"}},
	}
	suite := []Listed{{"a", "required"}, {"b", "recommended"}, {"c", "required"}, {"idle", "required"}, {"absent", "required"}, {"wording", "reference"}}
	const want = `2 of 3 faults are caught. By family: pod 2, status 1.

### Fault → fixtures

The fixtures named must fail under the fault; the number counts those that fail as well.

| family | fault | rule | caught by | others |
|---|---|---|---|---:|
| pod | broad | POD-1 | ` + "`a`" + ` | 2 |
| status | narrow | S1 | ` + "`b`" + ` | 0 |
| pod | loose | S2 | **ESCAPED** ` + "`a`, `c`" + ` | 0 |

### Fixture → faults

At most three faults are named, those first that few fixtures catch.

| fixture | level | faults | among them |
|---|---|---:|---|
| ` + "`a`" + ` | required | 1 | broad |
| ` + "`b`" + ` | recommended | 2 | narrow; broad |
| ` + "`c`" + ` | required | 2 | loose; broad |

### Required fixtures that catch none of them

- ` + "`idle`" + `
- ` + "`absent`" + `, which is not run: the simulated cluster or the reference lacks what it needs
`
	if diff := cmp.Diff(want, string(Matrix(outcomes, suite))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestGeneratedParts(t *testing.T) {
	t.Parallel()
	page := []byte("a\n<!-- generated: x -->\nold\n<!-- end of x -->\nb\n")
	got, err := Replace(page, "x", []byte("new\n"))
	if want := "a\n<!-- generated: x -->\nnew\n<!-- end of x -->\nb\n"; err != nil || string(got) != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if _, err := Replace(page, "y", nil); err == nil {
		t.Error("a part that the page does not have is replaced")
	}
}

// What the page says is measured by `make mutants`; here only its names are held against the table and the suite.
func TestPageNamesExistingFaultsAndFixtures(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mutants.md"))
	if err != nil {
		t.Fatal(err)
	}
	part, err := Part(page, "faults")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Table()
	if err != nil {
		t.Fatal(err)
	}
	suite, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, f := range suite {
		names[f.Name()] = true
	}
	for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(string(part), -1) {
		if !names[m[1]] {
			t.Errorf("docs/mutants.md names the fixture %q, which does not exist: run make mutants", m[1])
		}
	}
	var listed []string
	for line := range strings.Lines(string(part)) {
		if cells := strings.Split(line, " | "); len(cells) == 5 {
			listed = append(listed, cells[1])
		}
	}
	for _, m := range all {
		if !slices.Contains(listed, m.Name) {
			t.Errorf("docs/mutants.md lacks the fault %q: run make mutants", m.Name)
		}
	}
}
