package fake_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/subject"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/simulator/fault"
)

func TestFaultNamesOfFixturesAndSimulatorAgree(t *testing.T) {
	t.Parallel()
	fixtures, simulated := map[string][]string{}, map[string][]string{}
	for _, p := range fixture.FaultPoints() {
		fixtures[p.Name] = p.Errors
	}
	for _, p := range fault.Points() {
		simulated[string(p)] = fault.Kinds(p)
	}
	if diff := cmp.Diff(simulated, fixtures); diff != "" {
		t.Errorf("-simulator +fixtures:\n%s", diff)
	}
}

// forgetful makes a Pod under a name that it makes up, and knows it from what it has written afterwards.
type forgetful struct {
	client.Client
	now func() int64
}

func (c forgetful) Create(ctx context.Context, o client.Object, opts ...client.CreateOption) error {
	if pod, ok := o.(*corev1.Pod); ok && strings.HasSuffix(pod.Name, "-pod") {
		pod.Name += "-" + strconv.FormatInt(c.now(), 36)
	}
	return c.Client.Create(ctx, o, opts...)
}

func forgets() *subject.Subject {
	s := reference.Subject()
	right := s.New
	s.New = func(d subject.Deps) (reconcile.Reconciler, error) {
		d.Client = forgetful{d.Client, func() int64 { return d.Clock.Now().UnixNano() }}
		return right(d)
	}
	return s
}

func sweep(t *testing.T, s *subject.Subject, o conformance.Sweep) *conformance.SweepReport {
	t.Helper()
	r, err := conformance.NewRunner(conformance.Options{
		Target: newTarget(t, fake.Options{Subject: s}), Fixtures: small(t)[:1], Claims: coreClaims(),
	})
	if err != nil {
		t.Fatal(err)
	}
	report, err := r.Sweep(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestRandomFaultsFindWhatSeedsAloneDoNot(t *testing.T) {
	t.Parallel()
	const seeds = 40
	if report := sweep(t, forgets(), conformance.Sweep{First: 1, Seeds: seeds}); len(report.Breaches) > 0 || report.Schedules != seeds {
		t.Fatalf("without faults %d of %d schedules are wrong: %+v", len(report.Breaches), report.Schedules, report.Breaches)
	}
	if report := sweep(t, reference.Subject(), conformance.Sweep{First: 1, Seeds: seeds, Faults: true}); len(report.Breaches) > 0 || report.Struck < seeds {
		t.Fatalf("the reference, which %d faults have struck: %+v", report.Struck, report.Breaches)
	}
	report := sweep(t, forgets(), conformance.Sweep{First: 1, Seeds: seeds, Faults: true})
	if len(report.Breaches) == 0 {
		t.Fatalf("a controller that forgets which Pod is its own passes %d schedules of faults", report.Schedules)
	}
	for _, b := range report.Breaches {
		if b.Violation == nil || b.Violation.Rule != invariant.OnePod {
			t.Errorf("seed %d: %+v %s %+v", b.Seed, b.Violation, b.Result.Reason, b.Result.Failure)
			continue
		}
		if len(b.Schedule) != 1 || b.Drawn < 1 || len(b.Trace) == 0 || len(b.Strikes) == 0 {
			t.Errorf("seed %d: one fault is enough, but %d of %d are reported, with %d strikes and %d lines of trace", b.Seed, len(b.Schedule), b.Drawn, len(b.Strikes), len(b.Trace))
		}
		again := seenAgain(t, b)
		if len(again.Breaches) != 1 || !cmp.Equal(again.Breaches[0].Violation, b.Violation) {
			t.Errorf("seed %d: %s shows something else:\n%s", b.Seed, b.Replay, cmp.Diff(b, again.Breaches))
		}
	}
}

// seenAgain does what the command says that a breach names.
func seenAgain(t *testing.T, b conformance.Breach) *conformance.SweepReport {
	t.Helper()
	var name, places string
	var seed uint64
	command := strings.Replace(b.Replay, "random:", "random: ", 1)
	if _, err := fmt.Sscanf(command, "plumbline run --name %s --seed %d --faults random: %s", &name, &seed, &places); err != nil {
		if _, err := fmt.Sscanf(b.Replay, "plumbline run --name %s --seed %d --faults random", &name, &seed); err != nil {
			t.Fatalf("%q: %v", b.Replay, err)
		}
	}
	if name != b.Fixture || seed != b.Seed {
		t.Errorf("%q is another run than %s, seed %d", b.Replay, b.Fixture, b.Seed)
	}
	o := conformance.Sweep{First: seed, Seeds: 1, Faults: true}
	for word := range strings.SplitSeq(places, ",") {
		if n, err := strconv.Atoi(word); err == nil {
			o.Keep = append(o.Keep, n)
		}
	}
	return sweep(t, forgets(), o)
}

func TestSweepsAreRepeatable(t *testing.T) {
	t.Parallel()
	o := conformance.Sweep{First: 1, Seeds: 20, Faults: true, Most: 100}
	first, second := sweep(t, forgets(), o), sweep(t, forgets(), o)
	// Of one fixture and seed all is the same, but where its objects are in memory.
	if diff := cmp.Diff(first, second, cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Timeline" }, cmp.Ignore())); diff != "" {
		t.Errorf("two sweeps differ:\n%s", diff)
	}
}

func TestUnusedFaultIsAnError(t *testing.T) {
	t.Parallel()
	text := strings.Replace(severalSteps, "  features: [sidecars]\n", "  features: [sidecars]\n  needs: [faults]\n  faults: [{point: api, verb: delete, kind: Task}]\n", 1)
	f, err := fixture.Load("several-steps.yaml", []byte(strings.TrimSpace(text)))
	if err != nil {
		t.Fatal(err)
	}
	report, err := conformance.Judge(t.Context(), conformance.Options{Target: newTarget(t, fake.Options{}), Fixtures: []*fixture.Fixture{f}, Claims: coreClaims()})
	if err != nil {
		t.Fatal(err)
	}
	const want = "several-steps.yaml:11:12: spec.faults: the fault at the point api has not struck; remove it, or correct what it strikes"
	if got := report.Fixtures[0]; got.Verdict != reports.Error || got.Reason != want {
		t.Errorf("%s: %s, want %s", got.Verdict, got.Reason, want)
	}
}

// A fault that a foreign implementation does not meet says nothing about it: the fixture is not run. The requirement stays
// open unless another fixture judges all that it proves.
func TestFaultsThatCannotStrikeAForeignImplementation(t *testing.T) {
	t.Parallel()
	load := func(name, header string) *fixture.Fixture {
		text := strings.Replace(strings.TrimSpace(severalSteps), "name: several-steps", "name: "+name, 1)
		f, err := fixture.Load(name+".yaml", []byte(strings.Replace(text, "  features: [sidecars]\n", "  features: [sidecars]\n"+header, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	const faulty = "  needs: [faults]\n  faults: [{point: api, verb: delete, kind: Task}]\n"
	const reason = "the fault at the point api, delete of Task (faulty.yaml:12:12) could not strike: the implementation never did what it would break, so nothing was judged"
	for _, tt := range []struct {
		reason   string
		fixtures []*fixture.Fixture
		result   reports.Result
		reasons  []string
	}{
		{"another fixture judges the statement", []*fixture.Fixture{load("faulty", "  proves: [S004-176]\n"+faulty), load("sound", "  proves: [S004-176]\n")}, reports.Passed, nil},
		{"no fixture does", []*fixture.Fixture{load("faulty", "  proves: [S004-176]\n"+faulty), load("sound", "  proves: [S004-171]\n")}, reports.Partial,
			[]string{"taskrun-core: a requirement was not judged, since the fault of its fixture could not strike: faulty"}},
	} {
		claims := coreClaims()
		claims.Reference = false
		report, err := conformance.Judge(t.Context(), conformance.Options{Target: newTarget(t, fake.Options{}), Fixtures: tt.fixtures, Claims: claims})
		if err != nil {
			t.Fatal(err)
		}
		if got := report.Fixtures[0]; got.Verdict != reports.NotRun || got.Reason != reason || !got.Skipped() || len(got.Unstruck) != 1 {
			t.Errorf("%s: %s: %s, want %s", tt.reason, got.Verdict, got.Reason, reason)
		}
		if report.Result != tt.result || !cmp.Equal(report.Reasons, tt.reasons) {
			t.Errorf("%s: the run is %s: %q, want %s: %q", tt.reason, report.Result, report.Reasons, tt.result, tt.reasons)
		}
		data, err := reports.Encode(report)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := reports.Decode(data); err != nil || !cmp.Equal(report, back) {
			t.Errorf("%s: read back: %v", tt.reason, err)
		}
	}
	// Under many seeds, too, the implementation is not blamed for it.
	claims := coreClaims()
	claims.Reference = false
	r, err := conformance.NewRunner(conformance.Options{Target: newTarget(t, fake.Options{}), Fixtures: []*fixture.Fixture{load("faulty", "  proves: [S004-176]\n"+faulty)}, Claims: claims})
	if err != nil {
		t.Fatal(err)
	}
	if sweep, err := r.Sweep(t.Context(), conformance.Sweep{Seeds: 2}); err != nil || len(sweep.Breaches) > 0 || sweep.Schedules != 2 {
		t.Errorf("a sweep: %v, %+v", err, sweep)
	}
}
