package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/session"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/conformance/invariant"
	"github.com/plumbline-ci/plumbline/conformance/policy"
	"github.com/plumbline-ci/plumbline/reports"
)

// Runner runs fixtures one by one or all, and reports on them. [Judge] and [Run] are its common uses.
type Runner struct {
	o        Options
	caps     Capabilities
	claims   verdict.Claims
	place    verdict.Place
	all      []*fixture.Fixture
	selected []*fixture.Fixture
	// policy is what judges the run, if the filter names one.
	policy *policy.Policy
	// disturbed and onViolation are of a Sweep.
	disturbed   bool
	onViolation func(invariant.Violation)
	onEnds      func(map[string]invariant.End)
	// trouble is what faults are drawn from, expect the ends that runs have to have despite it.
	trouble string
	expect  map[string]invariant.End
	calm    *calm
}

// NewRunner loads and selects the fixtures of the options.
func NewRunner(o Options) (*Runner, error) { return newRunner(o, fixture.LoadFS) }

// newRunner is NewRunner with a way to read the fixtures of a tree, which may be outlines.
func newRunner(o Options, read func(fs.FS, string) ([]*fixture.Fixture, error)) (*Runner, error) {
	if o.Target == nil {
		return nil, errors.New("no target to run on")
	}
	all, err := o.load(read)
	if err != nil {
		return nil, err
	}
	if err := o.Claims.plan().Validate(all); err != nil {
		return nil, err
	}
	names := map[string]bool{}
	for _, f := range all {
		if names[f.Name()] {
			return nil, fmt.Errorf("two fixtures are called %s; names must be unique in a run", f.Name())
		}
		names[f.Name()] = true
	}
	if o.Replay == nil {
		o.Replay = defaultReplay
	}
	if o.Seed == 0 {
		o.Seed = DefaultSeed
	}
	r := &Runner{o: o, caps: o.Target.Capabilities(), claims: o.Claims.plan(), all: all, calm: &calm{}}
	if name := o.Filter.Policy; name != "" {
		p, known := policy.Named(name)
		if !known {
			return nil, fmt.Errorf("there is no policy %q, but %s", name, strings.Join(policy.Names(), ", "))
		}
		if err := p.Check(all); err != nil {
			return nil, err
		}
		r.policy = p
	}
	r.place = r.caps.place(o.Target.Name())
	for i := range all {
		if all[i], err = all[i].For(o.Claims.CustomTask); err != nil {
			return nil, err
		}
	}
	r.selected = o.Filter.Select(all)
	return r, nil
}

// Fixtures returns the selected fixtures, in the order of the report.
func (r *Runner) Fixtures() []*fixture.Fixture { return slices.Clone(r.selected) }

// outcome begins the result of a fixture.
func outcome(f *fixture.Fixture) reports.Fixture {
	out := reports.Fixture{Name: f.Name(), File: f.File, Requirement: f.Spec.Requirement, Profile: f.Spec.Profile,
		Level: f.Spec.Level, Component: f.Spec.Component, Features: f.Spec.Features, Without: f.Spec.Without}
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
	out.Verdict, out.Reason = verdict.Plan(f, r.claims, r.place)
	return out, out.Verdict != "" && !r.tried(f)
}

// tried reports whether a fixture is run although a feature of it is not claimed.
func (r *Runner) tried(f *fixture.Fixture) bool {
	return r.o.TryUnclaimed && r.claims.Tries(f, r.place)
}

// RunOne runs one fixture on a cluster of its own.
func (r *Runner) RunOne(ctx context.Context, f *fixture.Fixture) reports.Fixture {
	if out, done := r.planned(f); done {
		return out
	}
	t := newTally(r, []*fixture.Fixture{f})
	r.runGroups(ctx, []*group{newGroup(f, 0)}, 1, t)
	return t.results[0]
}

// RunAll runs every selected fixture; the results have the order of Fixtures.
func (r *Runner) RunAll(ctx context.Context) []reports.Fixture {
	t := newTally(r, r.selected)
	groups := r.groups(t)
	workers := max(1, r.caps.Parallel)
	if r.o.Parallel > 0 {
		workers = min(workers, r.o.Parallel)
	}
	if r.caps.Isolated || r.caps.SideBySide {
		r.runGroups(ctx, groups, workers, t)
		return t.results
	}
	if !r.caps.VirtualTime {
		configuredFirst(groups)
	}
	for i := range groups {
		r.runGroups(ctx, groups[i:i+1], workers, t)
	}
	return t.results
}

// start and closeCluster turn a panic of the target into an error: it must never look like a pass.
func start(ctx context.Context, t Target, s Setup) (c Cluster, err error) {
	defer verdict.Recovered(&err, "starting target "+t.Name())
	if c, err = t.Start(ctx, s); err != nil {
		return nil, fmt.Errorf("starting target %s: %w", t.Name(), err)
	}
	return c, nil
}

func closeCluster(c Cluster) (err error) {
	defer verdict.Recovered(&err, "the target")
	return c.Close()
}

// fixture runs one fixture on a cluster.
func (r *Runner) fixture(ctx context.Context, c Cluster, f *fixture.Fixture) reports.Fixture {
	if ctx.Err() != nil {
		return r.NotRun(f, verdict.EndedBefore+context.Cause(ctx).Error())
	}
	out, at := outcome(f), f.Spec.Pos.String()
	f, err := f.Whole()
	if err != nil {
		verdict.Broke(&out, at, err)
		return out
	}
	s := session.New(session.Options{Fixture: f, Cluster: c, Namespace: r.namespace(f), Pace: r.pace(f), Budget: r.o.Budget,
		Foreign: !r.o.Claims.Reference, OnViolation: r.onViolation, Replay: r.o.Replay, Seed: r.o.Seed,
		Expect: r.expect, Refused: r.trouble == disturbance.Refusals, Visited: r.trouble == disturbance.Visitors})
	if r.onEnds != nil {
		defer func() { r.onEnds(s.Ends()) }()
	}
	var began time.Time
	err = watched(func() error {
		began = c.Now()
		return s.Run(ctx)
	})
	if failed := verdict.Of(ctx, &out, at, err, s.Evidence()); failed != nil && !verdict.ToldElsewhere(err) {
		if err := watched(func() error { s.Surroundings(ctx, failed); return nil }); err != nil {
			failed.Events = append(failed.Events, err.Error())
		}
	}
	verdict.Incomplete(&out, f, s.World())
	if err := watched(func() error {
		end := s.End()
		out.Duration = end.Sub(began).Round(time.Millisecond).String()
		if traced, ok := c.(Traced); ok {
			out.TraceHash = traced.TraceHash()
		}
		out.Timeline = s.World().Timeline(end)
		if !r.caps.Isolated && (out.Verdict == reports.Pass || !r.o.KeepNamespaces) {
			r.removeNamespace(c, r.namespace(f))
		}
		return nil
	}); err != nil && out.Verdict == reports.Pass {
		verdict.Broke(&out, at, err)
		out.Evidence = nil
	}
	if r.tried(f) {
		return r.claims.Tried(out)
	}
	return out
}

// pace says what waiting is for a fixture.
func (r *Runner) pace(f *fixture.Fixture) session.Pace {
	switch {
	case r.disturbed:
		return session.Disturbed
	case r.caps.VirtualTime:
		return session.Virtual
	case r.tried(f):
		return session.Tried
	}
	return session.Real
}

// watched turns a panic of the target into an error.
func watched(do func() error) (err error) {
	defer verdict.Recovered(&err, "the target")
	return do()
}

// namespace names a fixture's namespace. A shared cluster may still be removing the
// one of the run before, so there the name is this run's own.
func (r *Runner) namespace(f *fixture.Fixture) string {
	const longest = 63
	name := plainName.Replace(f.Name())
	h := fnv.New32a()
	if r.caps.Isolated {
		if len(name) > longest {
			fmt.Fprint(h, name)
			return fmt.Sprintf("%.50s-%08x", name, h.Sum32())
		}
		return name
	}
	fmt.Fprintf(h, "%s/%d/%d", f.Name(), r.o.Seed, r.o.Date.UnixNano())
	return fmt.Sprintf("%.50s-%08x", r.o.NamespacePrefix+name, h.Sum32())
}

// plainName makes a name of Kubernetes of a fixture's: template-fields-env of template-fields[env].
var plainName = strings.NewReplacer("[", "-", "]", "")

// removeNamespace is best effort: the verdict stands, and the next run has other names.
func (r *Runner) removeNamespace(c Cluster, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if remover, ok := c.(NamespaceRemover); ok {
		_ = remover.RemoveNamespace(ctx, name)
		return
	}
	ns := &unstructured.Unstructured{}
	ns.SetAPIVersion("v1")
	ns.SetKind("Namespace")
	ns.SetName(name)
	_ = c.Client().Delete(ctx, ns)
}

// Report judges results and makes a report of them.
func (r *Runner) Report(results []reports.Fixture) *reports.ConformanceReport {
	report := &reports.ConformanceReport{
		APIVersion:     reports.APIVersion,
		Kind:           reports.Kind,
		Implementation: r.o.Implementation,
		Suite:          reports.Suite{Version: SuiteVersion, Digest: digest(r.all), Fixtures: len(r.all)},
		Target: reports.Target{Name: r.o.Target.Name(), KubernetesVersion: r.caps.KubernetesVersion, VirtualTime: r.caps.VirtualTime,
			Capabilities: r.place.Has, Substituted: r.caps.Substituted},
		Fixtures:   results,
		Statements: proven(r.selected),
		Binding:    r.claims.Binding(),
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
	if prober, ok := r.o.Target.(Prober); ok {
		report.Findings = prober.Probe(r.o.Claims)
	}
	report.Findings = append(report.Findings, verdict.Findings(r.all, r.claims, r.tried, results)...)
	report.Result, report.Reasons, report.Profiles = verdict.Conclude(results, r.claims, r.o.Filter.String())
	if r.policy != nil {
		report.Policy, report.Reasons = verdict.ByPolicy(r.policy, r.all, results)
		report.Result = report.Policy.Result
	}
	if n, why := verdict.Cut(results); n > 0 {
		report.Result = verdict.Worse(report.Result, reports.Incomplete)
		report.Reasons = slices.Insert(report.Reasons, 0, fmt.Sprintf("the run was cut short, and %d of %d fixtures were not run: %s", n, len(results), why))
	}
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
