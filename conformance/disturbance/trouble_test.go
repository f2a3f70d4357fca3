package disturbance_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
)

// TestTroubles draws each kind of trouble, and sees that it holds what it may.
func TestTroubles(t *testing.T) {
	t.Parallel()
	table := disturbance.TableFor(about(t, "TaskRun"))
	for _, tt := range []struct {
		trouble string
		points  []string
	}{
		{disturbance.Transient, []string{fixture.PointAPI, fixture.PointController, fixture.PointWatch}},
		{disturbance.Refusals, []string{fixture.PointAPI}},
		{disturbance.Visitors, []string{fixture.PointController, fixture.PointVisitor}},
	} {
		points, refused := map[string]bool{}, map[string]bool{}
		for seed := range uint64(300) {
			drawn := disturbance.DrawTrouble(tt.trouble, "x", seed, table)
			if !cmp.Equal(drawn, disturbance.DrawTrouble(tt.trouble, "x", seed, table)) {
				t.Fatalf("%s: seed %d draws something else the second time", tt.trouble, seed)
			}
			for _, f := range drawn {
				points[f.Point] = true
				if !slices.Contains(tt.points, f.Point) {
					t.Errorf("%s, seed %d: a fault at the point %s", tt.trouble, seed, f.Point)
				}
				if f.Error == "Forbidden" {
					refused[f.Kind] = true
				}
			}
			lasting := tt.trouble != disturbance.Refusals || drawn[0].Kind == "Event"
			if got := disturbance.Lasting(tt.trouble, drawn); got != lasting {
				t.Errorf("%s, seed %d: that runs end as without trouble is demanded: %v, want %v", tt.trouble, seed, got, lasting)
			}
		}
		if len(points) != len(tt.points) {
			t.Errorf("%s: only %v are drawn", tt.trouble, points)
		}
		if tt.trouble == disturbance.Refusals && len(refused) != 3 {
			t.Errorf("only creates of %v are refused", refused)
		}
	}
	if diff := cmp.Diff(disturbance.Draw("x", 5, table), disturbance.DrawTrouble(disturbance.Random, "x", 5, table)); diff != "" {
		t.Errorf("random trouble is not what seeds have always meant:\n%s", diff)
	}
}
