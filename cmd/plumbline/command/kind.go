package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/kindconfig/images"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
)

// kindOptions are the flags of kind.
type kindOptions struct {
	kindcluster.Options
	streams Streams
	output  string
}

func newKind(s Streams) *cobra.Command {
	o := &kindOptions{streams: s}
	o.Tell = func(text string) { fmt.Fprintln(s.Err, text) }
	o.Warnings = newWarnings(s.Err)
	cmd := &cobra.Command{
		Use:   "kind",
		Short: "Create a kind cluster with the reference implementation",
		Long: `Create a kind cluster (Kubernetes in Docker) with the reference implementation, and delete it again.

  plumbline kind up        create the cluster, or what is missing, and wait until TaskRuns can be created
  plumbline kind load      rebuild the images and put the changed ones into the cluster
  plumbline kind load X    put image X, or a docker save file, into the cluster
  plumbline kind status    show what is there; exit code 1 if fixtures cannot run on it
  plumbline kind down      delete the cluster

Images are built from the source of the working directory: a checkout, or a module that requires Plumbline. If no registry can
be reached, or with --offline, the node image is also built. That takes ten minutes or more, once, and needs root, debootstrap
and a checkout.

Exit codes: 0 success; 1 the cluster exists but is not ready; 2 there is no container engine, no such cluster, image or file,
or no source; 3 wrong arguments; 5 this user may not use the container engine; 10 something failed.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(cmd, args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	f.StringVar(&o.Name, "name", kindcluster.DefaultName, "the cluster's `name`")
	f.StringVar(&o.Kubeconfig, "kubeconfig", "", "kubeconfig `file` to add the cluster to; default: as kubectl")
	cmd.AddCommand(o.up(), o.load(), o.down(), o.status())
	return cmd
}

func (o *kindOptions) up() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Create the cluster, or what is missing",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Installation.Replicas < 1 {
				return &usageError{fmt.Errorf("--replicas must be at least 1, not %d", o.Installation.Replicas)}
			}
			state, err := kindcluster.Up(cmd.Context(), o.Options)
			if err != nil {
				return noCluster(err)
			}
			fmt.Fprintf(o.streams.Err, "the cluster %s is ready: plumbline run --target cluster --context %s %s\n", state.Name, state.Context, state.Mapping())
			return nil
		},
	}
	o.content(cmd)
	f := cmd.Flags()
	f.BoolVar(&o.Offline, "offline", false, "use no registry, even if one can be reached")
	f.StringVar(&o.NodeImage, "node-image", "", "node `image`, instead of kind's or a built one")
	f.BoolVar(&o.Retain, "retain", false, "keep the nodes of a cluster that could not be created")
	return cmd
}

// content are the flags about what is put into the cluster.
func (o *kindOptions) content(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Archive, "images", "", "`file` of images to use instead of building them: "+strings.Join([]string{images.Controller, images.Entrypoint, images.Nop, images.Registry, images.WorkingDirInit}, ", "))
	f.IntVar(&o.Installation.Replicas, "replicas", 1, "how many controllers; one of them leads")
	f.StringArrayVar(&o.Installation.Arguments, "controller-argument", nil, "additional `argument` of the controller; may be repeated")
}

func (o *kindOptions) load() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "load [IMAGE | FILE]...",
		Short: "Put images into the cluster",
		RunE: func(cmd *cobra.Command, named []string) error {
			references, err := kindcluster.Load(cmd.Context(), o.Options, named...)
			if err != nil {
				return noCluster(err)
			}
			for _, name := range slices.Sorted(maps.Keys(references)) {
				fmt.Fprintf(o.streams.Out, "%s %s\n", name, references[name])
			}
			return nil
		},
	}
	o.content(cmd)
	return cmd
}

func (o *kindOptions) down() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Delete the cluster",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return noCluster(kindcluster.Down(cmd.Context(), o.Options))
		},
	}
}

func (o *kindOptions) status() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is there",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.output != "text" && o.output != "json" {
				return &usageError{fmt.Errorf("--output %s: want text or json", o.output)}
			}
			return o.print(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&o.output, "output", "o", "text", "`format`: text or json")
	completes(cmd, map[string]func() []string{"output": always("text", "json")})
	return cmd
}

func (o *kindOptions) print(ctx context.Context) error {
	state, err := kindcluster.Inspect(ctx, o.Options)
	if err != nil {
		return noCluster(err)
	}
	if o.output == "json" {
		err = printJSON(o.streams.Out, state)
	} else {
		err = o.table(state)
	}
	if err == nil && !state.Ready() {
		return failed(exitFailed)
	}
	return err
}

func (o *kindOptions) table(s *kindcluster.State) error {
	out := tabwriter.NewWriter(o.streams.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(out, "cluster\t%s\tcontext %s, %s\n", s.Name, s.Context, s.Engine)
	for _, n := range s.Nodes {
		fmt.Fprintf(out, "node\t%s\t%s, %s, %s\n", n.Name, n.Version, n.Runtime, readiness(n.Ready))
	}
	controller := "not installed"
	if s.Controller.Installed {
		controller = readiness(s.Controller.Ready)
	}
	fmt.Fprintf(out, "controller\t%s\t%s\n", dash(s.Controller.Image), controller)
	fmt.Fprintf(out, "registry\t%s\t%s\n", dash(s.Registry), readiness(s.Registry != ""))
	for _, name := range slices.Sorted(maps.Keys(s.Images)) {
		fmt.Fprintf(out, "image\t%s\t%s\n", name, s.Images[name])
	}
	return out.Flush()
}

func readiness(ready bool) string {
	if ready {
		return "ready"
	}
	return "not ready"
}

// noCluster gives what keeps a cluster from being made its exit code.
func noCluster(err error) error {
	var (
		none    *kindcluster.NoEngineError
		unknown *kindcluster.UnknownEngineError
		silent  *kindcluster.EngineNotRunningError
		absent  *kindcluster.NoClusterError
		image   *kindcluster.NoImageError
		recipe  *kindcluster.NoRecipeError
		source  *images.NoSourceError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &none), errors.As(err, &absent), errors.As(err, &image), errors.As(err, &recipe), errors.As(err, &source):
		return &coded{code: exitNotFound, err: err}
	case errors.As(err, &unknown):
		return &coded{code: exitInvalid, err: err}
	case errors.As(err, &silent) && silent.Denied:
		return &coded{code: exitForbidden, err: err}
	case errors.Is(err, context.DeadlineExceeded):
		return &coded{code: exitBroken, err: err} // the deadline was none of the user's
	}
	return err
}
