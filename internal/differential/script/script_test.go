package script_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/internal/differential/script"
)

func TestSameSeedSameScripts(t *testing.T) {
	t.Parallel()
	for _, d := range script.Dialects() {
		for i := range uint64(50) {
			if diff := cmp.Diff(script.Generate(d, 3, i), script.Generate(d, 3, i)); diff != "" {
				t.Fatalf("%s %d differs between two runs:\n%s", d, i, diff)
			}
		}
		if cmp.Equal(script.Generate(d, 3, 1), script.Generate(d, 4, 1)) {
			t.Errorf("%s: two seeds give the same script", d)
		}
	}
}

// TestEveryNamedConstructIsUsed holds the share that the comparison promises for each construct.
func TestEveryNamedConstructIsUsed(t *testing.T) {
	t.Parallel()
	const scripts = 4000
	for _, d := range script.Dialects() {
		count := map[string]int{}
		for i := range uint64(scripts) {
			for _, c := range script.Generate(d, 1, i).Constructs {
				count[c]++
			}
		}
		for _, name := range script.Named(d) {
			if share := float64(count[name]) / scripts; share < script.LeastShare {
				t.Errorf("%s: %q occurs in %.1f %% of the scripts, want at least %.0f %%", d, name, 100*share, 100*script.LeastShare)
			}
		}
	}
}
