package command

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/disturbance"
	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/policy"
	"github.com/plumbline-ci/plumbline/conformance/reference"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
	"github.com/plumbline-ci/plumbline/reports"
	"github.com/plumbline-ci/plumbline/reports/render"
)

// runOptions are the flags of run.
type runOptions struct {
	streams  Streams
	target   string
	files    []string
	images   string
	output   string
	also     []string // further outputs, to files
	seed     uint64
	parallel int
	chosen   bool // parallel was given
	filter   conformance.Filter
	labels   []string
	quiet    bool
	replay   func(name string, seed uint64) string
	sweepOptions
	clusterOptions
	kindName string
}

// filesUsage describes the flag that names fixtures.
const filesUsage = "a folder of fixtures, one fixture, or - for standard input, instead of the suite; may be repeated"

func newRun(s Streams) *cobra.Command {
	o := &runOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the conformance suite and print a report",
		Long: `Run the conformance suite, or a folder of your own fixtures, and print a report.

The report goes to standard output, the progress to standard error. The exit code is 0 only if at least one required fixture
ran and every required fixture that the target can run passed.`,
		Example: `  plumbline run
  plumbline run --feature timeout
  plumbline run --name 'retries-*' -o wide
  plumbline run -f ./my-fixtures -o json > report.json
  plumbline run --report junit=report.xml --report report.html
  plumbline run --target cluster --subject subject.yaml
  plumbline run --policy tekton-api-spec-v1
  plumbline run --seeds 200
  plumbline run --seeds 20 --faults random`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.chosen = cmd.Flags().Changed("parallel")
			o.note(cmd.Flags())
			o.replay = replay(cmd.Flags())
			return o.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.target, "target", "fake", "where to run: with the reference implementation on fake, the simulated cluster, envtest, a real kube-apiserver with a simulated node, or kind, a kind cluster; or on cluster, with the implementation installed on the cluster of --kubeconfig")
	o.register(f)
	f.StringVar(&o.kindName, "kind-cluster", kindcluster.DefaultName, "name of the kind cluster; if it does not exist it is created, and deleted afterwards unless --keep is given")
	f.StringArrayVarP(&o.files, "filename", "f", nil, filesUsage)
	f.StringVar(&o.images, "images", "", imagesUsage+"; with -f")
	f.StringVarP(&o.output, "output", "o", render.FormatTable, "format of the report: "+strings.Join(render.Formats(), ", "))
	f.StringArrayVar(&o.also, "report", nil, reportUsage)
	f.Uint64Var(&o.seed, "seed", conformance.DefaultSeed, "seed of everything random in the simulated cluster")
	f.IntVar(&o.seeds, "seeds", 1, "run each fixture with this many seeds, starting at --seed")
	f.StringVar(&o.faults, "faults", faultsNone, "faults besides the fixtures' own: none; or drawn from the seed, which judges invariants instead of expectations: random is anything, transient passes and may not change how runs end, refusals are creates refused for good, visitors are users who label and tidy up; random:0,2 uses only these of the drawn faults")
	f.StringVar(&o.order, "order", "", "how the tasks of Pipelines are ordered: written; permuted, in an order drawn from the seed, which must change nothing; or both. With --seeds and without faults the default is both, otherwise written")
	f.IntVar(&o.parallel, "parallel", runtime.NumCPU(), "how many fixtures run at once")
	f.StringSliceVar(&o.filter.Names, "name", nil, "only fixtures with these names; * matches any text")
	f.StringSliceVar(&o.filter.Profiles, "profile", nil, "only fixtures of these profiles")
	f.StringSliceVar(&o.filter.Features, "feature", nil, "only fixtures of these features")
	f.StringSliceVar(&o.filter.Levels, "level", nil, "only fixtures of these levels: required, recommended, reference")
	f.BoolVar(&o.filter.Brief, "brief", false, "for a gate on a real cluster, where time counts: of each fixture with cases run one, and leave out what needs a configuration that few fixtures need")
	f.StringSliceVarP(&o.labels, "selector", "l", nil, "only fixtures with these labels, key=value")
	f.StringVar(&o.filter.Policy, "policy", "", "judge by a policy, and by nothing else: the fields that it lists, each by its fixtures; one of "+strings.Join(policy.Names(), ", "))
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress on standard error")
	selects(cmd)
	completeReport(cmd)
	completes(cmd, map[string]func() []string{
		"target": targets, "output": render.Formats, "policy": policy.Names, "order": conformance.Orders, "faults": always(append([]string{faultsNone}, disturbance.Troubles()...)...),
	})
	return cmd
}

func (o *runOptions) run(ctx context.Context) error {
	if err := oneOf("target", o.target, targets()...); err != nil {
		return err
	}
	at := placeNamed(o.target)
	if err := oneOf("output", o.output, render.Formats()...); err != nil {
		return err
	}
	if err := checkSeed(o.seed); err != nil {
		return err
	}
	files, err := outputFiles(o.also)
	if err != nil {
		return err
	}
	for _, l := range o.labels {
		key, value, ok := strings.Cut(l, "=")
		if !ok {
			return &usageError{fmt.Errorf("--selector %s: want key=value", l)}
		}
		if o.filter.Labels == nil {
			o.filter.Labels = map[string]string{}
		}
		o.filter.Labels[key] = value
	}
	target, err := fake.New(fake.Options{Turns: o.streams.Turns, Remote: outside.Of})
	if err != nil {
		return err
	}
	options := conformance.Options{
		Target:         target, // of fixtures of one's own, too, to know the kinds
		Implementation: reference.Implementation(),
		Claims:         reference.Claims(),
		Filter:         o.filter,
		Seed:           o.seed,
		Parallel:       o.parallel,
		Replay:         o.replay,
	}
	if o.filter.Policy != "" {
		if o.filter.Brief {
			return &usageError{errors.New("--brief leaves out cases, and --policy needs all of them; give one of the two")}
		}
		if err := oneOf("policy", o.filter.Policy, policy.Names()...); err != nil {
			return err
		}
		if len(o.files) > 0 {
			return &usageError{errors.New("--policy judges by fixtures of the suite: leave out -f")}
		}
	}
	if o.images != "" && len(o.files) == 0 {
		return &usageError{errors.New("--images describes the images of your own fixtures: pass those with -f")}
	}
	var subject *conformance.Subject
	if !at.installed {
		if subject, err = o.claim(&options); err != nil {
			return err
		}
	}
	if len(o.files) > 0 {
		if err := o.own(&options); err != nil {
			return err
		}
	}
	if subject != nil {
		if err := subject.Check(options.Fixtures); err != nil {
			return err
		}
	}
	if err := checkFilter(o.filter, options.Fixtures); err != nil {
		return err
	}
	if !at.installed {
		if err := errors.Join(o.elsewhere(o.target, at.flags...), o.served(target, &options)); err != nil {
			return err
		}
	}
	if err := o.checkTimes(); err != nil {
		return err
	}
	ctx, end := o.limited(ctx)
	defer end()
	if o.wanted() {
		if at.shared {
			return &usageError{fmt.Errorf("--seeds and --faults are for the simulated cluster, but the target is %s", o.target)}
		}
		return o.sweep(ctx, options, files)
	}
	if at.open != nil {
		if !o.chosen {
			options.Parallel = 0 // as many as the target can take: they mostly wait
		}
		leave, err := at.open(o, ctx, &options)
		if err != nil {
			return err
		}
		defer func() {
			if err := leave(); err != nil {
				fmt.Fprintf(o.streams.Err, "plumbline: %s%v\n", at.leaving, err)
			}
		}()
	}
	progress := newProgress(o.streams.Err, o.quiet)
	took := map[string]time.Duration{}
	options.Progress = func(p conformance.Progress) {
		took[p.Result.Name] = p.Took
		progress.fixture(p)
	}
	began := time.Now()
	report, err := conformance.Judge(ctx, options)
	progress.done()
	if err != nil {
		return err
	}
	if report.Date != "" { // of a run on virtual time the clock would say something else each time
		report.Took = time.Since(began).Round(100 * time.Millisecond).String()
	}
	write := reportWriter(report, took)
	if err := errors.Join(writeFiles(files, write), write(o.streams.Out, o.output)); err != nil {
		return err
	}
	return resultError(report.Result, report.Fixtures)
}

// own points the options at the user's fixtures. Profiles and features of their own are claimed: who wrote the
// fixtures means them.
func (o *runOptions) own(options *conformance.Options) error {
	list, err := read(o.files, o.streams.In)
	if err != nil {
		return err
	}
	if !o.quiet {
		inputNotes(o.streams.Err, list)
	}
	if !placeNamed(o.target).installed { // whose configuration may have other values
		if err := checkConfig(list); err != nil {
			return err
		}
	}
	images, err := imagesFlag(o.images)
	if err != nil {
		return err
	}
	for _, f := range list {
		f.Spec.Images = slices.Concat(images, f.Spec.Images)
	}
	options.Fixtures = list
	if !slices.ContainsFunc(list, func(f *fixture.Fixture) bool { return !fixture.Private(f.Spec.Profile) }) {
		options.Implementation.Project = "your Tasks on the " + options.Implementation.Project
	}
	claims := &options.Claims
	claims.Profiles = slices.DeleteFunc(slices.Clone(claims.Profiles), func(name string) bool { // these fixtures are of others
		return !slices.ContainsFunc(list, func(f *fixture.Fixture) bool { return f.Spec.Profile == name })
	})
	for _, f := range list {
		if fixture.Private(f.Spec.Profile) && !slices.Contains(claims.Profiles, f.Spec.Profile) {
			claims.Profiles = append(claims.Profiles, f.Spec.Profile)
		}
		for _, feature := range f.Spec.Features {
			if fixture.Private(feature) && !slices.Contains(claims.Features, feature) {
				claims.Features = append(claims.Features, feature)
			}
		}
	}
	return nil
}

// served refuses the user's fixtures whose manifests are of kinds that the target does not have, before one of them
// breaks in the middle of a run.
func (o *runOptions) served(target *fake.Target, options *conformance.Options) error {
	sc := &scenario{}
	for _, f := range o.filter.Select(options.Fixtures) {
		if slices.Contains(options.Claims.Profiles, f.Spec.Profile) {
			sc.files = append(sc.files, f)
		}
	}
	if len(sc.files) == 0 {
		return nil
	}
	cluster, err := target.Cluster(conformance.Setup{Name: "kinds", Seed: o.seed})
	if err != nil {
		return err
	}
	return errors.Join(sc.served(cluster), cluster.Close())
}

// pathReason is the reason of a path error without the path, which the caller names.
func pathReason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// resultError gives a result its exit code. results are those of its fixtures: if all that broke are wrong themselves, it is
// the input that is.
func resultError(r reports.Result, results []reports.Fixture) error {
	switch r {
	case reports.Passed:
		return nil
	case reports.Errored:
		broken := slices.DeleteFunc(slices.Clone(results), func(f reports.Fixture) bool { return f.Verdict != reports.Error })
		if len(broken) > 0 && !slices.ContainsFunc(broken, func(f reports.Fixture) bool { return !f.Invalid }) {
			return failed(exitInvalid)
		}
		return failed(exitBroken)
	case reports.Incomplete:
		return failed(exitBudget)
	}
	return failed(exitFailed)
}
