package conformance

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/session"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/reports"
)

// tally collects the results of a run, in the order of its fixtures.
type tally struct {
	progress func(Progress)

	mu      sync.Mutex
	results []reports.Fixture
	done    int
}

func newTally(r *Runner, list []*fixture.Fixture) *tally {
	return &tally{results: make([]reports.Fixture, len(list)), progress: r.o.Progress}
}

// finish takes a result and reports it.
func (t *tally) finish(i int, result reports.Fixture, took time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.results[i] = result
	t.done++
	if t.progress != nil {
		t.progress(Progress{Done: t.done, Total: len(t.results), Result: result, Took: took})
	}
}

// spoil takes back a pass that was told too early.
func (t *tally) spoil(r *Runner, m member, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.spoil(&t.results[m.place], m.fixture, err)
}

// spoil takes back a pass because of what the cluster's end has shown.
func (r *Runner) spoil(out *reports.Fixture, f *fixture.Fixture, err error) {
	if out.Verdict == reports.Pass {
		verdict.Broke(out, f.Spec.Pos.String(), err)
		out.Evidence = nil
	}
}

// group is fixtures that share a cluster, which lives from the first of them to the last.
type group struct {
	members []member
	// remote is what lies outside the cluster for all of them.
	remote fixture.Remote

	begin   sync.Once
	cluster Cluster
	failed  error

	mu   sync.Mutex
	left int
}

// member is a fixture and its place in the tally.
type member struct {
	fixture *fixture.Fixture
	place   int
}

func newGroup(f *fixture.Fixture, place int) *group {
	g := &group{}
	g.add(f, place)
	return g
}

// add makes a fixture a member, unless what lies outside its cluster is at odds with that of others.
func (g *group) add(f *fixture.Fixture, place int) bool {
	together, err := g.remote.With(&f.Spec.Remote)
	if err != nil {
		return false
	}
	g.remote = together
	g.members = append(g.members, member{f, place})
	g.left++
	return true
}

// leave reports whether the caller was the last to need the cluster.
func (g *group) leave() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left--
	return g.left == 0
}

// groups divides what applies by the cluster it can share, and finishes what does not apply.
func (r *Runner) groups(t *tally) []*group {
	var groups []*group
	index := map[string]*group{}
	for i, f := range r.selected {
		if out, planned := r.planned(f); planned {
			t.finish(i, out, 0)
			continue
		}
		key := r.groupKey(f)
		if g, ok := index[key]; ok && g.add(f, i) {
			continue
		}
		g := newGroup(f, i)
		if index[key] == nil {
			index[key] = g
		}
		groups = append(groups, g)
	}
	return groups
}

// setupOf is the cluster that a fixture asks for.
func setupOf(f *fixture.Fixture, seed uint64) Setup {
	s := &f.Spec
	return Setup{Name: f.Name(), Seed: seed, Config: s.Config, Mocks: s.Mocks, CustomTasks: s.CustomTasks, Images: s.Images, Injects: s.Injects, Tenancy: s.Tenancy, Remote: s.Remote, Faults: s.Faults}
}

// groupKey names the cluster a fixture can share: none on an isolated target, else
// the one of its configuration, and one of its own if something is mocked or broken.
func (r *Runner) groupKey(f *fixture.Fixture) string {
	if r.caps.Isolated || len(f.Spec.Mocks)+len(f.Spec.CustomTasks)+len(f.Spec.Images)+len(f.Spec.Injects) > 0 || len(f.Spec.Faults) > 0 {
		return "fixture " + f.Name()
	}
	key := "config " + configKey(f)
	if f.Spec.Tenancy != "" {
		return "tenancy " + f.Spec.Tenancy + " " + key
	}
	return key
}

// configKey tells configurations apart.
func configKey(f *fixture.Fixture) string {
	key, err := json.Marshal(f.Spec.Config) // maps are encoded in the order of their keys
	if err != nil {
		return "of " + f.Name()
	}
	return string(key)
}

// job is one fixture of one group.
type job struct {
	group *group
	member
}

// runGroups runs groups side by side. On real time what may take long begins first: a run is as long as its longest
// fixture at least, and should not be longer.
func (r *Runner) runGroups(ctx context.Context, groups []*group, workers int, t *tally) {
	var jobs []job
	for _, g := range groups {
		for _, m := range g.members {
			jobs = append(jobs, job{g, m})
		}
	}
	if !r.caps.VirtualTime {
		slices.SortStableFunc(jobs, func(a, b job) int {
			// Of equals, those first that need a cluster of their own to be made.
			return cmp.Or(cmp.Compare(b.expected(), a.expected()), cmp.Compare(len(a.group.members), len(b.group.members)))
		})
	}
	inParallel(len(jobs), workers, func(n int) { r.job(ctx, jobs[n], t) })
}

// configuring is what it may take until a configuration counts: an installation is made for it, or the one that is there
// notices.
const configuring = time.Minute

// expected says how long a job may take on real time.
func (j job) expected() time.Duration {
	if len(j.fixture.Spec.Config) > 0 {
		return configuring + expected(j.fixture)
	}
	return expected(j.fixture)
}

// configuredFirst puts groups that need a configuration before the one that needs none, which is the largest: what has to
// be waited for begins early, and a run that is cut short has judged it.
func configuredFirst(groups []*group) {
	slices.SortStableFunc(groups, func(a, b *group) int {
		rank := func(g *group) int {
			if len(g.members[0].fixture.Spec.Config) > 0 {
				return 0
			}
			return 1
		}
		return cmp.Compare(rank(a), rank(b))
	})
}

// expected says how long a fixture may take on real time: what it waits for in any case, and what it allows for the rest.
func expected(f *fixture.Fixture) time.Duration {
	sum := cmp.Or(time.Duration(f.Spec.Budget), session.DefaultBudget)
	for i := range f.Spec.When {
		if after := f.Spec.When[i].After; after != nil {
			sum += time.Duration(*after)
		}
	}
	for i := range f.Spec.Then {
		for _, w := range []*fixture.Window{f.Spec.Then[i].Always, f.Spec.Then[i].Never} {
			if w != nil {
				sum += time.Duration(w.For)
			}
		}
	}
	return sum
}

// job runs one fixture: the first of a group starts its cluster, the last closes it. The result of a fixture that shares a
// cluster is reported at once, before the cluster is closed.
func (r *Runner) job(ctx context.Context, j job, t *tally) {
	g := j.group
	alone := len(g.members) == 1
	began := time.Now()
	result := r.attempt(ctx, j)
	if !alone {
		t.finish(j.place, result, time.Since(began))
	}
	if g.leave() && g.cluster != nil {
		if err := closeCluster(g.cluster); err != nil {
			broken := fmt.Errorf("ending the cluster: %w", err)
			r.spoil(&result, j.fixture, broken)
			for _, m := range g.members {
				t.spoil(r, m, broken)
			}
		}
		g.cluster = nil // the groups live as long as the run, and a simulated cluster has megabytes
	}
	if alone {
		t.finish(j.place, result, time.Since(began))
	}
}

func (r *Runner) attempt(ctx context.Context, j job) reports.Fixture {
	if ctx.Err() != nil {
		return r.NotRun(j.fixture, verdict.EndedBefore+context.Cause(ctx).Error())
	}
	j.group.begin.Do(func() {
		first := j.group.members[0].fixture
		setup := setupOf(first, r.o.Seed)
		setup.Remote = j.group.remote
		if !r.caps.Isolated {
			for _, m := range j.group.members {
				setup.Namespaces = append(setup.Namespaces, r.namespace(m.fixture))
			}
		}
		j.group.cluster, j.group.failed = start(ctx, r.o.Target, setup)
	})
	if err := j.group.failed; err != nil {
		if ctx.Err() != nil {
			return r.NotRun(j.fixture, verdict.EndedBefore+context.Cause(ctx).Error())
		}
		out := outcome(j.fixture)
		verdict.Broke(&out, j.fixture.Spec.Pos.String(), err)
		return out
	}
	return r.fixture(ctx, j.group.cluster, j.fixture)
}

// inParallel calls do for 0 to n-1 from a few goroutines.
func inParallel(n, workers int, do func(int)) {
	if workers <= 1 || n <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var (
		wg   sync.WaitGroup
		jobs = make(chan int)
	)
	for range min(workers, n) {
		wg.Go(func() {
			for i := range jobs {
				do(i)
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
}
