package docs_test

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the generated pages")

// TestRequirementsAreUpToDate holds docs/requirements.md against the fixtures.
func TestRequirementsAreUpToDate(t *testing.T) {
	const file = "requirements.md"
	code, want, said := run(t, "fixture", "coverage", "-o", "markdown")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, said)
	}
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, file), want); diff != "" {
		t.Errorf("%s is stale; go test ./docs -run Requirements -update writes it (-is +has to be):\n%s", file, diff)
	}
}
