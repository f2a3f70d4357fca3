package suite

import (
	"context"
	"sync"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/ginkgo/v2/types"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/internal/verdict"
	"github.com/plumbline-ci/plumbline/reports"
)

// ahead runs fixtures side by side on a cluster that they share, though Ginkgo asks for one after the other: on real time
// they wait most of the time, and a spec may as well wait for a result that is on its way. The first spec begins it.
type ahead struct {
	options conformance.Options
	runner  *conformance.Runner
	begin   sync.Once
	end     context.CancelFunc
	ended   sync.WaitGroup

	mu      sync.Mutex
	results map[string]chan reports.Fixture
}

func newAhead(o conformance.Options, r *conformance.Runner) *ahead {
	return &ahead{options: o, runner: r, end: func() {}, results: map[string]chan reports.Fixture{}}
}

// result is the result of a fixture, which is run now if it is not under way.
func (a *ahead) result(ctx context.Context, f *fixture.Fixture) reports.Fixture {
	a.begin.Do(a.start)
	a.mu.Lock()
	coming, ok := a.results[f.Name()]
	delete(a.results, f.Name()) // a second call wants another one
	a.mu.Unlock()
	if !ok {
		return a.runner.RunOne(ctx, f)
	}
	select {
	case result := <-coming:
		return result
	case <-ctx.Done():
		return a.runner.NotRun(f, verdict.EndedBefore+context.Cause(ctx).Error())
	}
}

// start runs everything that Ginkgo will ask for.
func (a *ahead) start() {
	names := a.selected()
	if len(names) < 2 {
		return
	}
	o := a.options
	o.Filter = conformance.Filter{Names: names}
	for _, name := range names {
		a.results[name] = make(chan reports.Fixture, 1)
	}
	all := make(map[string]chan reports.Fixture, len(names))
	for name, c := range a.results {
		all[name] = c
	}
	o.Progress = func(p conformance.Progress) { all[p.Result.Name] <- p.Result }
	r, err := conformance.NewRunner(o)
	if err != nil {
		clear(a.results) // it is told when they are run one by one
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.end = cancel
	a.ended.Go(func() { r.RunAll(ctx) })
}

// selected names the fixtures whose specs will run in this process, or none if that cannot be known or does not help.
func (a *ahead) selected() []string {
	caps := a.options.Target.Capabilities()
	config, _ := ginkgo.GinkgoConfiguration()
	if caps.Isolated || caps.VirtualTime || caps.Parallel < 2 || config.ParallelTotal > 1 ||
		len(config.FocusStrings)+len(config.SkipStrings)+len(config.FocusFiles)+len(config.SkipFiles) > 0 {
		return nil
	}
	filter, err := types.ParseLabelFilter(config.LabelFilter)
	if err != nil {
		return nil
	}
	var names []string
	for _, f := range a.runner.Fixtures() {
		if filter(Labels(f)) {
			names = append(names, f.Name())
		}
	}
	return names
}

// stop ends what is still under way.
func (a *ahead) stop() {
	a.end()
	a.ended.Wait()
}
