package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/simulator/kernel"
)

// simulateOptions are the flags of simulate.
type simulateOptions struct {
	streams  Streams
	files    []string
	theCase  string
	mocks    string
	images   string
	flags    []string
	defaults []string
	output   string
	seed     uint64
	limit    time.Duration
	pods     bool
	trace    bool
	timeline bool
	quiet    bool
	all      bool
	like     string

	params     []string
	workspaces []string
	remote     remoteFlags

	stubMissing bool
	anyNode     bool
}

func newSimulate(s Streams) *cobra.Command {
	o := &simulateOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "simulate -f FILE|FOLDER|-",
		Short: "Run your TaskRuns and PipelineRuns on a simulated cluster and show the outcome",
		Long: `Run your TaskRuns and PipelineRuns on a simulated cluster and show the outcome: status, step logs and a timeline.

The manifests are applied unchanged and in order. Then virtual time passes until every run is done. Scripts really run, in
an interpreter with the usual utilities. Programs that it cannot run (a compiler, git, a service's client) need a mock. An
image is what a file of images says, or else what its name suggests: see docs/simulator.md. An image whose registry's name
ends in ".invalid" cannot be pulled.

Nothing leaves the process: remote Tasks and Pipelines come from the folders of --repository, --bundle and --hub.

Of files that have one Pipeline and no run, the Pipeline is run, with --param and --workspace; of files with one Task, the Task.

A file may begin with a fixture header. Its configuration, mocks and spec.when are used; its checks are ignored.

Exit codes: 0 all runs succeeded; 1 one did not; 3 the manifests are wrong; 4 a run was still running at the limit.`,
		Example: `  plumbline simulate -f docs/examples/results.yaml
  plumbline simulate -f docs/examples/sum-and-multiply.yaml
  plumbline simulate -f pipeline.yaml -f tasks --param version=1.2 --workspace source=claim --like v1
  plumbline simulate -f run.yaml --feature-flag enable-api-fields=alpha --timeline
  plumbline simulate -f run.yaml --repository https://git.example.com/catalog.git=../catalog
  kubectl get taskrun build -o yaml | plumbline simulate -f - -o yaml`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "a file, a folder of *.yaml files, or - for standard input; may be repeated")
	f.StringVar(&o.theCase, "case", "", "the case to play, of files that have a matrix")
	f.StringVar(&o.mocks, "mocks", "", "a file of mocks, of images, and of custom tasks without a controller: {mocks: [{image: …, command: […], args: […], exit: 0, stdout: …, files: {path: text}, takes: 3s}], images: […], customTasks: [{apiVersion: …, kind: …, takes: 3s, succeed: …, results: {name: value}}]}")
	f.StringVar(&o.images, "images", "", imagesUsage)
	f.BoolVar(&o.stubMissing, "stub-missing", false, "let commands that are missing from their image succeed without doing anything, to see the rest")
	f.BoolVar(&o.anyNode, "any-node", false, "run on a node that has everything that Pods request: processors, memory, devices, labels")
	f.StringArrayVar(&o.flags, "feature-flag", nil, "a key of feature-flags, key=value; may be repeated")
	f.StringArrayVar(&o.defaults, "default", nil, "a key of config-defaults, key=value; may be repeated")
	f.StringVar(&o.like, "like", "", "v1: as Tekton v1.x is by default, with array and object results, matrix, propagated workspaces, the minimal status and CustomRuns")
	f.StringArrayVar(&o.params, "param", nil, "a param of a Pipeline or Task without a run, name=value, name=a,b for an array, or JSON; may be repeated")
	f.StringArrayVar(&o.workspaces, "workspace", nil, workspaceUsage)
	o.remote.register(f)
	f.StringVarP(&o.output, "output", "o", "table", "table, yaml, json or name")
	f.Uint64Var(&o.seed, "seed", conformance.DefaultSeed, "seed of everything random in the simulated cluster")
	f.DurationVar(&o.limit, "limit", 7*24*time.Hour, "how much virtual time may pass")
	f.BoolVar(&o.pods, "pods", false, "with -o yaml or json: also print the Pods")
	f.BoolVar(&o.trace, "trace", false, "print every event of the simulation on standard error")
	f.BoolVar(&o.timeline, "timeline", true, "with -o table: show when what happened")
	f.BoolVar(&o.all, "all", false, "with -o table: show long lists whole, and when what happened in every run")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no notes on standard error")
	completes(cmd, map[string]func() []string{"like": always("v1"), "output": always("table", "yaml", "json", "name"), "feature-flag": always("enable-api-fields=stable", "enable-api-fields=alpha")})
	return cmd
}

func (o *simulateOptions) run(ctx context.Context) error {
	if err := oneOf("output", o.output, "table", "yaml", "json", "name"); err != nil {
		return err
	}
	if len(o.files) == 0 {
		return &usageError{errors.New("nothing to simulate: give a file, a folder or - with -f")}
	}
	if err := checkSeed(o.seed); err != nil {
		return err
	}
	if o.limit <= 0 {
		return &usageError{fmt.Errorf("--limit %s: want a time above 0, such as 24h", o.limit)}
	}
	sc, err := o.load()
	if err != nil {
		return err
	}
	if !o.quiet {
		inputNotes(o.streams.Err, sc.files)
	}
	remote, err := o.remote.world(sc.remotes)
	if err != nil {
		return err
	}
	w := newWitness()
	w.writtenAs = sc.writtenAs
	options := fake.Options{OnOutput: w.output, Turns: o.streams.Turns, StubMissing: o.stubMissing, Boundless: o.anyNode, Remote: remote}
	if o.trace {
		options.OnRecord = func(r kernel.Record) {
			fmt.Fprintln(o.streams.Err, strings.TrimRight(fmt.Sprintf("%12s %s: %s %s", r.Time, r.Actor, r.What, r.Detail), " "))
		}
	}
	target, err := fake.New(options)
	if err != nil {
		return err
	}
	cluster, err := target.Cluster(conformance.Setup{Name: "simulate", Seed: o.seed, Config: sc.config, Mocks: sc.mocks, CustomTasks: sc.tasks, Images: sc.images, Injects: sc.injects, Faults: sc.faults})
	if err != nil {
		return &coded{code: exitInvalid, err: err}
	}
	stop, err := w.watch(cluster)
	defer stop()
	if err != nil {
		return err
	}
	if err := sc.served(cluster); err != nil {
		return err
	}
	if err := sc.namespacesIn(ctx, cluster); err != nil {
		return err
	}
	for _, f := range sc.files {
		if err := conformance.Play(ctx, cluster, f, sc.namespace, true); err != nil {
			return played(err)
		}
	}
	if err := sc.undefined(); err != nil {
		return err
	}
	limitErr := o.wait(ctx, cluster, w)
	if limitErr != nil && !errors.Is(limitErr, conformance.ErrDeadline) {
		return limitErr
	}
	found := w.findings(sc, cluster)
	if err := o.print(w, cluster.Now(), found); err != nil {
		return err
	}
	if !o.quiet {
		o.printFindings(found)
	}
	if causes := sc.causes(w); len(causes) > 0 {
		fmt.Fprintln(o.streams.Err, causes.Error())
	}
	switch {
	case limitErr != nil:
		return &coded{code: exitBudget, err: fmt.Errorf("after %s of virtual time these %s are not done: %s; allow more with --limit", o.limit, w.noun(), strings.Join(w.unfinished(), ", "))}
	case !w.allSucceeded():
		return failed(exitFailed)
	}
	return nil
}

// wait lets time pass until every run at the top of a tree is done, and then until what it has made is, for a bounded time.
func (o *simulateOptions) wait(ctx context.Context, c *fake.Cluster, w *witness) error {
	if err := c.WaitUntil(ctx, c.Now().Add(o.limit), w.allOver); err != nil {
		return err
	}
	const ending = 2 * time.Minute // grace periods and what follows them
	err := c.WaitUntil(ctx, c.Now().Add(ending), w.quiet)
	if errors.Is(err, conformance.ErrDeadline) {
		return nil
	}
	return err
}

// played gives the error of an action that the API server refused its exit code.
func played(err error) error {
	if reason := apierrors.ReasonForError(err); reason != "" && reason != "Unknown" {
		if apierrors.IsForbidden(err) {
			return &coded{code: exitForbidden, err: err}
		}
		return &coded{code: exitInvalid, err: err}
	}
	return err
}
