package fake_test

import (
	"testing"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// BenchmarkSweep is how many schedules of the whole suite are judged a second: every fixture under one seed after the
// other, without and with random faults.
func BenchmarkSweep(b *testing.B) {
	for _, bb := range []struct {
		name   string
		faults bool
	}{{"faults=none", false}, {"faults=random", true}} {
		b.Run(bb.name, func(b *testing.B) {
			r, err := conformance.NewRunner(conformance.Options{Target: newTarget(b, fake.Options{}), Claims: reference.Claims()})
			if err != nil {
				b.Fatal(err)
			}
			schedules, seed := 0, uint64(1)
			for b.Loop() {
				report, err := r.Sweep(b.Context(), conformance.Sweep{First: seed, Seeds: 1, Faults: bb.faults})
				if err != nil || len(report.Breaches) > 0 {
					b.Fatalf("seed %d: %v %+v", seed, err, report.Breaches)
				}
				schedules += report.Schedules
				seed++
			}
			b.ReportMetric(float64(schedules)/b.Elapsed().Seconds(), "schedules/s")
		})
	}
}
