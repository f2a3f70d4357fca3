package fake_test

import (
	"runtime"
	"testing"

	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
)

// warmSchedules is how many schedules are run before they are measured.
const warmSchedules = 30

// TestAllocationsAreBounded holds what the main paths allocate. The numbers do not depend on the machine or its load, only
// a little on chance, so the bounds are some 3 % above what was measured. To raise one, find out with
// make profile BENCH=Schedules (or TaskRun) where the new allocations come from; lower it when fewer are needed.
//
// It does not run beside other tests, whose allocations would count.
func TestAllocationsAreBounded(t *testing.T) {
	if raced || testing.CoverMode() != "" {
		t.Skip("what watches over the code allocates, too")
	}
	schedule := scheduling(t)
	for seed := range uint64(warmSchedules) { // what worlds share, some of which only rare turns of events need
		schedule(t, seed)
	}
	w, err := makeWorld(newTarget(t, fake.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	run := func() {
		if err := w.submit(w.succeeded, 1); err != nil {
			t.Fatal(err)
		}
		if err := w.await(w.succeeded + 1); err != nil {
			t.Fatal(err)
		}
	}
	for range warmRuns {
		run()
	}
	seed := uint64(warmSchedules)
	for _, tt := range []struct {
		path           string
		repeat         int
		run            func()
		objects, bytes uint64 // of one
	}{
		{"a schedule: a world, a TaskRun of three steps and a sidecar, judged", 10, func() { seed++; schedule(t, seed) }, 11_410, 1_499_000},
		{"a TaskRun of three script steps in a world", 50, run, 4_120, 651_000},
	} {
		objects, bytes := allocated(tt.repeat, tt.run)
		t.Logf("%s: %d allocations of %d bytes", tt.path, objects, bytes)
		if objects > tt.objects || bytes > tt.bytes {
			t.Errorf("%s takes %d allocations of %d bytes; the bounds are %d and %d", tt.path, objects, bytes, tt.objects, tt.bytes)
		}
	}
}

// allocated returns what one of so many calls allocates, on all goroutines.
func allocated(repeat int, run func()) (objects, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range repeat {
		run()
	}
	runtime.ReadMemStats(&after)
	n := uint64(repeat)
	return (after.Mallocs - before.Mallocs) / n, (after.TotalAlloc - before.TotalAlloc) / n
}
