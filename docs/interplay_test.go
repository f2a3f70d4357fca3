package docs_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/interplay"
	"github.com/plumbline-ci/plumbline/fixtures"
)

// TestInterplayIsUpToDate holds docs/interplay.md against the table of how features meet.
func TestInterplayIsUpToDate(t *testing.T) {
	const file = "interplay.md"
	suite, err := fixture.LoadFS(fixtures.FS, "fixtures")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	err = interplay.Page(&want, func(name string) string {
		for _, f := range suite {
			if f.Called(name) {
				return "../" + f.File
			}
		}
		t.Errorf("there is no fixture %s", name)
		return ""
	})
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(read(t, file), want.String()); diff != "" {
		t.Errorf("%s is stale; go test ./docs -run Interplay -update writes it (-is +has to be):\n%s", file, diff)
	}
}
