package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/reports"
)

// Runner runs fixtures one by one or all, and reports on them. [Run] is its common use.
type Runner struct {
	o        Options
	caps     Capabilities
	all      []*fixture.Fixture
	selected []*fixture.Fixture
}

// NewRunner loads and selects the fixtures of the options.
func NewRunner(o Options) (*Runner, error) {
	if o.Target == nil {
		return nil, ErrNoTarget
	}
	all, err := o.load()
	if err != nil {
		return nil, err
	}
	if err := o.Claims.validate(all); err != nil {
		return nil, err
	}
	for i := range all {
		if slices.ContainsFunc(all[:i], func(f *fixture.Fixture) bool { return f.Name() == all[i].Name() }) {
			return nil, fmt.Errorf("two fixtures are called %s: names are unique in a run", all[i].Name())
		}
	}
	if o.Replay == nil {
		o.Replay = defaultReplay
	}
	r := &Runner{o: o, caps: o.Target.Capabilities(), all: all}
	for _, f := range all {
		if o.Filter.Selects(f) {
			r.selected = append(r.selected, f)
		}
	}
	return r, nil
}

// Fixtures returns the selected fixtures, in the order of the report.
func (r *Runner) Fixtures() []*fixture.Fixture { return slices.Clone(r.selected) }

// outcome begins the result of a fixture.
func outcome(f *fixture.Fixture) reports.Fixture {
	out := reports.Fixture{Name: f.Name(), File: f.File, Requirement: f.Spec.Requirement, Profile: f.Spec.Profile,
		Level: f.Spec.Level, Component: f.Spec.Component, Features: f.Spec.Features}
	for _, s := range f.Spec.Proves {
		out.Proves = append(out.Proves, s.ID)
	}
	return out
}

// NotRun returns the result of a fixture that was not reached.
func (r *Runner) NotRun(f *fixture.Fixture, reason string) reports.Fixture {
	out := outcome(f)
	out.Verdict, out.Reason = reports.NotRun, reason
	return out
}

// planned returns the result of a fixture that does not apply.
func (r *Runner) planned(f *fixture.Fixture) (reports.Fixture, bool) {
	out := outcome(f)
	out.Verdict, out.Reason = plan(f, r.o.Claims, r.caps, r.o.Target.Name())
	return out, out.Verdict != ""
}

// RunOne runs one fixture on a cluster of its own.
func (r *Runner) RunOne(ctx context.Context, f *fixture.Fixture) reports.Fixture {
	if out, done := r.planned(f); done {
		return out
	}
	var out reports.Fixture
	r.group(ctx, []*fixture.Fixture{f}, 1, func(_ int, result reports.Fixture) { out = result })
	return out
}

// RunAll runs every selected fixture; the results have the order of Fixtures.
func (r *Runner) RunAll(ctx context.Context) []reports.Fixture {
	var (
		results = make([]reports.Fixture, len(r.selected))
		mu      sync.Mutex
		done    int
	)
	finish := func(i int, result reports.Fixture) {
		mu.Lock()
		defer mu.Unlock()
		results[i] = result
		done++
		if r.o.Progress != nil {
			r.o.Progress(Progress{Done: done, Total: len(r.selected), Result: result})
		}
	}
	var groups [][]int
	index := map[string]int{}
	for i, f := range r.selected {
		if out, planned := r.planned(f); planned {
			finish(i, out)
			continue
		}
		key := r.groupKey(f)
		if n, ok := index[key]; ok {
			groups[n] = append(groups[n], i)
			continue
		}
		index[key] = len(groups)
		groups = append(groups, []int{i})
	}
	workers := max(1, r.caps.Parallel)
	if r.o.Parallel > 0 {
		workers = min(workers, r.o.Parallel)
	}
	runGroup := func(members []int, parallel int) {
		list := make([]*fixture.Fixture, len(members))
		for n, i := range members {
			list[n] = r.selected[i]
		}
		r.group(ctx, list, parallel, func(n int, result reports.Fixture) { finish(members[n], result) })
	}
	if r.caps.Isolated {
		inParallel(len(groups), workers, func(n int) { runGroup(groups[n], 1) })
	} else {
		for _, members := range groups {
			runGroup(members, workers)
		}
	}
	return results
}

// groupKey names the cluster a fixture can share: none on an isolated target, else
// the one of its configuration, and one of its own if something is mocked or broken.
func (r *Runner) groupKey(f *fixture.Fixture) string {
	if r.caps.Isolated || len(f.Spec.Mocks) > 0 || len(f.Spec.Faults) > 0 {
		return "fixture " + f.Name()
	}
	key, err := json.Marshal(f.Spec.Config) // maps are encoded in the order of their keys
	if err != nil {
		return "fixture " + f.Name()
	}
	return "config " + string(key)
}

// group starts a cluster and runs fixtures of one configuration on it.
func (r *Runner) group(ctx context.Context, list []*fixture.Fixture, parallel int, finish func(int, reports.Fixture)) {
	all := func(verdict reports.Verdict, reason string) {
		for i, f := range list {
			out := outcome(f)
			out.Verdict, out.Reason = verdict, reason
			finish(i, out)
		}
	}
	if err := ctx.Err(); err != nil {
		all(reports.NotRun, "the run ended before: "+context.Cause(ctx).Error())
		return
	}
	first := list[0]
	setup := Setup{Name: first.Name(), Seed: r.o.Seed, Config: first.Spec.Config, Mocks: first.Spec.Mocks, Faults: first.Spec.Faults}
	cluster, err := start(ctx, r.o.Target, setup)
	if err != nil {
		all(reports.Error, err.Error())
		return
	}
	results := make([]reports.Fixture, len(list))
	inParallel(len(list), parallel, func(i int) { results[i] = r.fixture(ctx, cluster, list[i]) })
	if err := closeCluster(cluster); err != nil {
		for i := range results {
			if results[i].Verdict == reports.Pass {
				results[i].Verdict, results[i].Reason, results[i].Evidence = reports.Error, "ending the cluster: "+err.Error(), nil
			}
		}
	}
	for i, result := range results {
		finish(i, result)
	}
}

// start and closeCluster turn a panic of the target into an error: it must never look like a pass.
func start(ctx context.Context, t Target, s Setup) (c Cluster, err error) {
	defer recovered(&err, "starting target "+t.Name())
	if c, err = t.Start(ctx, s); err != nil {
		return nil, fmt.Errorf("starting target %s: %w", t.Name(), err)
	}
	return c, nil
}

func closeCluster(c Cluster) (err error) {
	defer recovered(&err, "the target")
	return c.Close()
}

func recovered(err *error, what string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s panicked: %v", what, p)
	}
}

// fixture runs one fixture on a cluster.
func (r *Runner) fixture(ctx context.Context, c Cluster, f *fixture.Fixture) reports.Fixture {
	out := outcome(f)
	if ctx.Err() != nil {
		return r.NotRun(f, "the run ended before: "+context.Cause(ctx).Error())
	}
	s := &session{fixture: f, cluster: c, virtual: r.caps.VirtualTime, invariants: r.o.Invariants, replay: r.o.Replay, seed: r.o.Seed,
		namespace: r.namespace(f), refused: map[string]error{}}
	var began time.Time
	err := func() (err error) {
		defer recovered(&err, "the target")
		began = c.Now()
		return s.run(ctx)
	}()
	var verdict *failed
	switch {
	case err == nil:
		out.Verdict, out.Evidence = reports.Pass, s.evidence
	case errors.As(err, &verdict):
		out.Verdict, out.Evidence = reports.Fail, s.evidence
		if err := func() (err error) {
			defer recovered(&err, "the target")
			s.surroundings(ctx, verdict)
			return nil
		}(); err != nil {
			verdict.Events = append(verdict.Events, err.Error())
		}
		out.Failure = &verdict.Failure
	case ctx.Err() != nil:
		out.Verdict, out.Reason = reports.NotRun, "the run ended meanwhile: "+context.Cause(ctx).Error()
	default:
		out.Verdict, out.Reason = reports.Error, err.Error()
	}
	if err := func() (err error) {
		defer recovered(&err, "the target")
		out.Duration = c.Now().Sub(began).Round(time.Millisecond).String()
		if traced, ok := c.(Traced); ok {
			out.TraceHash = traced.TraceHash()
		}
		if !r.caps.Isolated && (out.Verdict == reports.Pass || !r.o.KeepNamespaces) {
			r.removeNamespace(c, s.namespace)
		}
		return nil
	}(); err != nil && out.Verdict == reports.Pass {
		out.Verdict, out.Reason, out.Evidence = reports.Error, err.Error(), nil
	}
	return out
}

// namespace names a fixture's namespace. A shared cluster may still be removing the
// one of the run before, so there the name is this run's own.
func (r *Runner) namespace(f *fixture.Fixture) string {
	if r.caps.Isolated {
		return f.Name()
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s/%d/%d", f.Name(), r.o.Seed, r.o.Date.UnixNano())
	return fmt.Sprintf("%.50s-%08x", f.Name(), h.Sum32())
}

// removeNamespace is best effort: the verdict stands, and the next run has other names.
func (r *Runner) removeNamespace(c Cluster, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ns := &unstructured.Unstructured{}
	ns.SetAPIVersion("v1")
	ns.SetKind("Namespace")
	ns.SetName(name)
	_ = c.Client().Delete(ctx, ns)
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

// Report judges results and makes a report of them.
func (r *Runner) Report(results []reports.Fixture) *reports.ConformanceReport {
	report := &reports.ConformanceReport{
		APIVersion:     reports.APIVersion,
		Kind:           reports.Kind,
		Implementation: r.o.Implementation,
		Suite:          reports.Suite{Version: SuiteVersion, Digest: digest(r.all), Fixtures: len(r.all)},
		Target: reports.Target{Name: r.o.Target.Name(), KubernetesVersion: r.caps.KubernetesVersion, VirtualTime: r.caps.VirtualTime,
			Capabilities: capabilityNames(r.caps), Substituted: r.caps.Substituted},
		Fixtures: results,
	}
	if report.Fixtures == nil {
		report.Fixtures = []reports.Fixture{}
	}
	if r.caps.VirtualTime {
		seed := r.o.Seed
		report.Seed = &seed
		report.TraceHash = traceHash(results)
	} else if !r.o.Date.IsZero() {
		report.Date = r.o.Date.UTC().Format(time.RFC3339)
	}
	if filter := r.o.Filter.String(); filter != "" || len(results) < len(r.all) {
		if filter == "" {
			filter = "the caller" // as Ginkgo's label filters
		}
		report.Selection = &reports.Selection{Filter: filter, Selected: len(results), Of: len(r.all)}
	}
	report.Result, report.Reasons, report.Profiles = conclude(results, r.o.Claims, r.o.Filter)
	if report.Profiles == nil {
		report.Profiles = []reports.Profile{}
	}
	return report
}

// digest identifies a set of fixtures by their names and texts.
func digest(list []*fixture.Fixture) string {
	h := sha256.New()
	for _, f := range list {
		fmt.Fprintf(h, "%s\n%d\n%s\n", f.Name(), len(f.Source), f.Source)
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil))
}

// traceHash combines the traces of all fixtures; without any it is empty.
func traceHash(results []reports.Fixture) string {
	h, any := sha256.New(), false
	for _, f := range results {
		any = any || f.TraceHash != ""
		fmt.Fprintf(h, "%s %s\n", f.Name, f.TraceHash)
	}
	if !any {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}
