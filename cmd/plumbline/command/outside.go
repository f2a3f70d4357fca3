package command

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance/fixture"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
)

// outsideOptions are the flags of outside.
type outsideOptions struct {
	streams   Streams
	files     []string
	address   string
	authority string
}

func newOutside(s Streams) *cobra.Command {
	o := &outsideOptions{streams: s}
	cmd := &cobra.Command{
		Use:   "outside",
		Short: "Serve the repositories and registries of fixtures, for the resolvers of an implementation",
		Long: `Serve the repositories and registries of fixtures, for the resolvers of an implementation.

Some fixtures have something outside the cluster: git repositories, bundles, hubs, pages. The command serves all of it at one
address, over HTTPS. Each server has its own name. The resolvers have to find these names at that address, as by entries in
/etc/hosts, and to trust the authority of the certificate. Then plumbline run --target cluster --outside runs those fixtures.

The command prints each name and the address, as the controller's flag -remote-address takes them. It serves until it is
interrupted.

Exit codes: 0 it was interrupted; 2 a file does not exist; 3 wrong arguments or fixtures; 10 the address cannot be used.`,
		Example: `  plumbline outside --address 0.0.0.0:443 --authority ca.crt
  plumbline outside -f fixtures --authority ca.crt`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "a folder of fixtures, one fixture, or - for standard input, instead of the suite; may be repeated")
	f.StringVar(&o.address, "address", "127.0.0.1:0", "the address, `host:port`; port 0 selects a free one")
	f.StringVar(&o.authority, "authority", "", "`file` that the authority of the certificate is written to")
	return cmd
}

func (o *outsideOptions) run(ctx context.Context) error {
	world, err := o.world()
	if err != nil {
		return err
	}
	served, err := outside.Serve(ctx, &world, outside.Place{Address: o.address})
	if err != nil {
		return err
	}
	if o.authority != "" {
		if err := os.WriteFile(o.authority, served.Authority, 0o600); err != nil {
			return &usageError{fmt.Errorf("--authority: %w", err)}
		}
	}
	names, err := world.Servers()
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Fprintf(o.streams.Out, "%s=%s\n", name, served.Network.To[name])
	}
	fmt.Fprintln(o.streams.Out, "ready")
	return served.Wait(ctx)
}

// world is what lies outside the clusters of all fixtures.
func (o *outsideOptions) world() (fixture.Remote, error) {
	list, err := embedded()
	if len(o.files) > 0 {
		list, err = read(o.files, o.streams.In)
	}
	if err != nil {
		return fixture.Remote{}, err
	}
	var world fixture.Remote
	for _, f := range list {
		together, err := world.With(&f.Spec.Remote)
		if err != nil {
			return world, invalid("%s: %w in these fixtures", f.Name(), err)
		}
		world = together
	}
	if world.Empty() {
		return world, invalid("no fixture has spec.remote")
	}
	return world, nil
}
