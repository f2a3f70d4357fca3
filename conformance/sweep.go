package conformance

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/reports"
)

// Sweep says how fixtures are run under many seeds, each of which is another
// schedule of events.
type Sweep struct {
	// First is the first seed, or 0 for DefaultSeed; Seeds is how many there are.
	First uint64
	Seeds int
	// Faults draws faults, from the seed as well. They may change what a fixture
	// expects, so its checks are left out then: judged are the invariants, and that
	// every run comes to a right end.
	Faults bool
	// Trouble is what the faults are drawn from, of disturbance.Troubles; empty means any, disturbance.Random. A trouble draws
	// faults even if Faults is not set.
	Trouble string
	// Order is how the tasks of Pipelines are ordered: OrderWritten, OrderPermuted or OrderBoth; empty means as they are written.
	Order string
	// Keep are the faults of a list that are kept, by their places; nil means all.
	Keep []int
	// Most is after how many breaches the sweep ends; 0 means 10.
	Most int
	// Progress, if set, is called now and then with the number of schedules that are done.
	Progress func(done, total int)
	// Took, if set, is called for each schedule with the real time that it took, one call at a time.
	Took func(fixture string, took time.Duration)
}

// The orders of the tasks of Pipelines. A permuted order is drawn from the seed; only fixtures with several tasks have one.
const (
	OrderWritten  = "written"
	OrderPermuted = "permuted"
	OrderBoth     = "both"
)

// Orders lists the orders.
func Orders() []string { return []string{OrderWritten, OrderPermuted, OrderBoth} }

// SweepReport is what a sweep has shown.
type SweepReport struct {
	// Fixtures is how many were run, Skipped how many do not apply.
	Fixtures, Skipped int
	// Schedules is how many runs there were, Struck how many faults have struck in them.
	Schedules, Struck int
	// Planned is how many runs there would have been without an early end.
	Planned int
	// Breaches are the runs that did not pass, by fixture and seed.
	Breaches []Breach
	// Ended says that the sweep was ended before its end: by so many breaches, or for the reason that Cut tells.
	Ended bool
	Cut   string
	// Runs is how often each fixture was run that applies.
	Runs map[string]int
}

// Breach is one run that did not pass.
type Breach struct {
	Fixture string
	Seed    uint64
	// Permuted says that the tasks were in another order than they are written in.
	Permuted bool
	// Result is what the run came to.
	Result reports.Fixture
	// Violation is set if an invariant was broken.
	Violation *invariant.Violation
	// Schedule are the faults that are needed to see it, Drawn how many there had been.
	Schedule []fixture.Fault
	Drawn    int
	// Strikes is what they hit; Trace the last of what happened before.
	Strikes []string
	Trace   []string
	// Replay is a command that shows it again.
	Replay string
}

// mostBreaches is when a sweep has seen enough.
const mostBreaches = 10

// Sweep runs every selected fixture under every seed. It needs virtual time.
func (r *Runner) Sweep(ctx context.Context, o Sweep) (*SweepReport, error) {
	if !r.caps.VirtualTime || !r.caps.Isolated {
		return nil, fmt.Errorf("target %s has no seeds: schedules need virtual time", r.o.Target.Name())
	}
	o.Faults = o.Faults || o.Trouble != ""
	if o.Faults && !r.caps.Faults {
		return nil, fmt.Errorf("target %s does not provide faults", r.o.Target.Name())
	}
	if o.Trouble != "" && !slices.Contains(disturbance.Troubles(), o.Trouble) {
		return nil, fmt.Errorf("there is no trouble %q, but %s", o.Trouble, strings.Join(disturbance.Troubles(), ", "))
	}
	if o.First == 0 {
		o.First = DefaultSeed
	}
	if o.Most == 0 {
		o.Most = mostBreaches
	}
	if o.Order == "" {
		o.Order = OrderWritten
	}
	if !slices.Contains(Orders(), o.Order) {
		return nil, fmt.Errorf("there is no order %q of tasks, but %s", o.Order, strings.Join(Orders(), ", "))
	}
	out := &SweepReport{Runs: map[string]int{}}
	var list []ordered
	for _, f := range r.selected {
		if _, skipped := r.planned(f); skipped || o.Faults && f.Spec.Tenancy == fixture.TenancyStranger { // its runs come to no end
			out.Skipped++
			continue
		}
		_, several := f.Permuted(o.First)
		if o.Order == OrderPermuted && !several {
			out.Skipped++
			continue
		}
		if o.Order != OrderPermuted {
			list = append(list, ordered{f, false})
		}
		if o.Order != OrderWritten && several {
			list = append(list, ordered{f, true})
		}
		out.Runs[f.Name()] = 0
	}
	out.Fixtures = len(out.Runs)
	var mu sync.Mutex
	workers := max(1, r.caps.Parallel)
	if r.o.Parallel > 0 {
		workers = min(workers, r.o.Parallel)
	}
	total := len(list) * o.Seeds
	out.Planned = total
	inParallel(total, workers, func(n int) {
		mu.Lock()
		ended := len(out.Breaches) >= o.Most || ctx.Err() != nil
		out.Ended = out.Ended || ended
		mu.Unlock()
		if ended {
			return
		}
		began := time.Now()
		seed := o.First + uint64(n/len(list))
		f, permuted := list[n%len(list)].under(seed)
		one := r.schedule(ctx, f, seed, o, nil, false)
		if ctx.Err() != nil {
			mu.Lock()
			defer mu.Unlock()
			out.Ended = true
			return
		}
		var breach *Breach
		if one.result.Verdict != reports.Pass && len(one.result.Unstruck) == 0 {
			breach = r.breach(ctx, f, seed, o, one)
			if breach.Permuted = permuted; permuted {
				breach.replay(" --order " + OrderPermuted)
			}
		}
		mu.Lock()
		defer mu.Unlock()
		out.Schedules++
		out.Runs[f.Name()]++
		if o.Took != nil {
			o.Took(f.Name(), time.Since(began))
		}
		out.Struck += len(one.strikes)
		if breach != nil {
			out.Breaches = append(out.Breaches, *breach)
		}
		if o.Progress != nil && (out.Schedules%50 == 0 || out.Schedules == total) {
			o.Progress(out.Schedules, total)
		}
	})
	if ctx.Err() != nil && out.Ended {
		out.Cut = context.Cause(ctx).Error()
	}
	slices.SortFunc(out.Breaches, func(a, b Breach) int {
		return cmp.Or(strings.Compare(a.Fixture, b.Fixture), cmp.Compare(a.Seed, b.Seed), strings.Compare(a.Replay, b.Replay))
	})
	return out, nil
}

// ordered is a fixture with its tasks as they are written, or permuted.
type ordered struct {
	fixture  *fixture.Fixture
	permuted bool
}

// under is the fixture as it runs under a seed.
func (x ordered) under(seed uint64) (f *fixture.Fixture, permuted bool) {
	if !x.permuted {
		return x.fixture, false
	}
	return x.fixture.Permuted(seed)
}

// replay adds to the command that shows the breach again.
func (b *Breach) replay(more string) {
	b.Replay += more
	if b.Result.Failure != nil {
		b.Result.Failure.Replay = b.Replay
	}
}

// scheduled is one run under one schedule.
type scheduled struct {
	result     reports.Fixture
	violations []invariant.Violation
	ends       map[string]invariant.End
	strikes    []string
	trace      []string
}

// draw returns the faults of a fixture under a seed.
func (o *Sweep) draw(f *fixture.Fixture, seed uint64) []fixture.Fault {
	return disturbance.DrawTrouble(o.Trouble, f.Name(), seed, disturbance.TableFor(f))
}

// calm are the ends of fixtures' runs without trouble, which are learnt when they are first asked for.
type calm struct {
	mu   sync.Mutex
	ends map[string]map[string]invariant.End
}

// expected are the ends that the runs of a fixture must have under some faults, or nil where these may change them, or
// where they depend on when something is done: a fixture that acts on what it sees, or has faults of its own.
func (r *Runner) expected(ctx context.Context, f *fixture.Fixture, o Sweep, drawn []fixture.Fault) map[string]invariant.End {
	if !disturbance.Lasting(o.Trouble, drawn) && o.Trouble != disturbance.Refusals || len(f.Spec.Faults) > 0 ||
		slices.ContainsFunc(f.Spec.When, func(a fixture.Action) bool { return a.Apply == nil }) {
		return nil
	}
	r.calm.mu.Lock()
	ends, known := r.calm.ends[f.Name()]
	r.calm.mu.Unlock()
	if known {
		return ends
	}
	quiet := o
	quiet.Trouble, quiet.Keep = "", []int{}
	ends = r.schedule(ctx, f, o.First, quiet, nil, false).ends
	r.calm.mu.Lock()
	defer r.calm.mu.Unlock()
	if r.calm.ends == nil {
		r.calm.ends = map[string]map[string]invariant.End{}
	}
	r.calm.ends[f.Name()] = ends
	return ends
}

// schedule runs a fixture under a seed. places are the faults to keep, if not those
// of the sweep.
func (r *Runner) schedule(ctx context.Context, f *fixture.Fixture, seed uint64, o Sweep, places []int, trace bool) (out scheduled) {
	one := *r
	one.o.Seed = seed
	setup := setupOf(f, seed)
	setup.Trace = trace
	if o.Faults {
		one.disturbed = true
		drawn := o.draw(f, seed)
		one.trouble, one.expect = o.Trouble, r.expected(ctx, f, o, drawn)
		if places == nil {
			places = o.Keep
		}
		if places != nil {
			drawn = disturbance.Keep(drawn, places)
		}
		setup.Faults = append(slices.Clip(setup.Faults), drawn...)
	}
	out.result = outcome(f)
	c, err := start(ctx, r.o.Target, setup)
	if err != nil {
		verdict.Broke(&out.result, f.Spec.Pos.String(), err)
		return out
	}
	one.onViolation = func(v invariant.Violation) {
		out.violations = append(out.violations, v)
		if t, ok := c.(Traced); ok && trace && out.trace == nil {
			out.trace = t.TraceTail()
		}
	}
	one.onEnds = func(ends map[string]invariant.End) { out.ends = ends }
	out.result = one.fixture(ctx, c, f)
	if user, ok := c.(FaultUser); ok {
		out.strikes = user.Strikes()
	}
	if t, ok := c.(Traced); ok && trace && out.trace == nil {
		out.trace = t.TraceTail()
	}
	if err := closeCluster(c); err != nil {
		r.spoil(&out.result, f, err)
	}
	return out
}

// same reports whether two runs broke in the same way.
func (s *scheduled) same(other *scheduled) bool {
	if len(s.violations) > 0 || len(other.violations) > 0 {
		return len(s.violations) > 0 && len(other.violations) > 0 && s.violations[0].Rule == other.violations[0].Rule
	}
	return s.result.Verdict == other.result.Verdict
}

// breach reports a run that did not pass, with as few faults as show it.
func (r *Runner) breach(ctx context.Context, f *fixture.Fixture, seed uint64, o Sweep, one scheduled) *Breach {
	b := &Breach{Fixture: f.Name(), Seed: seed}
	drawn := o.draw(f, seed)
	places := []int{}
	if o.Faults {
		b.Drawn = len(drawn)
		for i := range drawn {
			if o.Keep == nil || slices.Contains(o.Keep, i) {
				places = append(places, i)
			}
		}
		for i := len(places) - 1; i >= 0; i-- {
			fewer := slices.Delete(slices.Clone(places), i, i+1)
			if less := r.schedule(ctx, f, seed, o, fewer, false); less.result.Verdict != reports.Pass && less.same(&one) {
				places = fewer
			}
		}
		b.Schedule = disturbance.Keep(drawn, places)
	}
	last := r.schedule(ctx, f, seed, o, places, true)
	b.Result, b.Strikes, b.Trace = last.result, last.strikes, last.trace
	if len(last.violations) > 0 {
		b.Violation = &last.violations[0]
	}
	b.Replay = r.o.Replay(f.Name(), seed)
	if o.Faults {
		b.Replay += " --faults " + cmp.Or(o.Trouble, disturbance.Random)
		if len(places) < len(drawn) {
			b.Replay += ":" + strings.Trim(strings.ReplaceAll(fmt.Sprint(places), " ", ","), "[]")
		}
	}
	if b.Result.Failure != nil {
		b.Result.Failure.Replay = b.Replay
	}
	return b
}
