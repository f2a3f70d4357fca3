package command

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/node"
	"github.com/plumbline-ci/plumbline/simulator"
	"github.com/plumbline-ci/plumbline/simulator/image"
)

// kubeletOptions are the flags of kubelet.
type kubeletOptions struct {
	streams             Streams
	kubeconfig, context string
	name                string
	labels              map[string]string
	without             []string
	images              []string
	files               []string
	subject             string
	otherwise           string
	endpoint            node.Endpoint
	clients             string
	sleepScale          float64
}

func newKubelet(s Streams) *cobra.Command {
	o := &kubeletOptions{streams: s}
	var roles []string
	for _, r := range simulator.Roles() {
		roles = append(roles, string(r))
	}
	cmd := &cobra.Command{
		Use:   "kubelet",
		Short: "Run a simulated node, and the rest of a cluster, for an API server",
		Long: `Run a simulated node, and the rest of a cluster, for an API server.

The command registers a Node object and runs the Pods that are bound to it. Their containers are simulated in this process,
with a shell, the usual utilities, and Plumbline's own step launcher. kubectl logs and kubectl exec work. The command also
plays the scheduler, the garbage collector and the controllers of namespaces, service accounts, volumes, quotas, nodes and
StatefulSets; use --without to leave out those that the cluster already has. So an API server alone is enough to judge a controller.

Images are not real: say which image of this list stands in for which image of the cluster:
  ` + strings.Join(node.Catalogue(), "\n  ") + `

The node runs until the command is interrupted. Then its Pods are failed and the Node object is deleted.

Exit codes: 0 it was interrupted; 2 there is no kubeconfig, or a file does not exist; 3 wrong arguments; 5 the user does not
have the permissions; 10 the API server does not answer.`,
		Example: `  plumbline kubelet --kubeconfig envtest.kubeconfig
  plumbline kubelet --kubeconfig real.kubeconfig --without scheduler,garbage-collector,namespaces,service-accounts,volumes,quota,nodes,stateful-sets
  plumbline kubelet --image registry.example.com/tools/shell=busybox --image registry.example.com/launcher=plumbline.dev/entrypoint:v0.1.0
  plumbline kubelet --name second --subject subject.yaml --default-image plumbline.dev/toolbox:latest`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig of an administrator of the cluster; default: as kubectl")
	f.StringVar(&o.context, "context", "", "context of the kubeconfig; default: the current one")
	f.StringVar(&o.name, "name", node.DefaultName, "the node's name")
	f.StringToStringVar(&o.labels, "label", nil, "labels of the node, key=value")
	f.StringSliceVar(&o.without, "without", nil, "roles that the cluster already plays: "+strings.Join(roles, ", "))
	completes(cmd, map[string]func() []string{"without": always(roles...)})
	f.StringArrayVar(&o.images, "image", nil, "what stands in for an image, such as registry.example.com/tools/shell=busybox; a name without a tag covers all tags and digests; may be repeated")
	f.StringArrayVar(&o.files, "images", nil, "a file with such pairs under the key images; may be repeated")
	f.StringVar(&o.subject, "subject", "", "file of kind Subject whose images are used")
	f.StringVar(&o.otherwise, "default-image", "", "what stands in for all other images, such as "+image.Toolbox+"; default: they cannot be pulled")
	f.StringVar(&o.endpoint.Address, "address", "", "the IP address at which the API server reaches this machine; default: the address from which this machine reaches the API server")
	f.IntVar(&o.endpoint.Port, "port", 0, "the port of logs and exec; 0 selects a free one")
	f.StringVar(&o.clients, "client-ca", "", "`file` with the certificate authority whose clients may use logs and exec; default: the one that the API server publishes in kube-system/extension-apiserver-authentication")
	f.BoolVar(&o.endpoint.Insecure, "insecure-logs", false, "serve logs and exec to every process of this machine without a certificate, on a loopback address")
	f.Float64Var(&o.sleepScale, "sleep-scale", 1, "how many times shorter the command sleep is; only for fixtures without timeouts, which keep their length")
	return cmd
}

func (o *kubeletOptions) run(ctx context.Context) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	config, err := cluster.Connect(o.kubeconfig, o.context)
	if err != nil {
		return unreachable(err)
	}
	config.WarningHandlerWithContext = newWarnings(o.streams.Err)
	options.Config = config
	n, err := node.Start(ctx, options)
	if err != nil && ctx.Err() == nil {
		return noNode(err)
	}
	if n == nil { // interrupted before there was a node
		return nil
	}
	fmt.Fprintf(o.streams.Out, "node %s is ready at %s\n", n.Name(), n.Address())
	select {
	case <-ctx.Done():
	case <-n.Running().Done():
	}
	return noNode(n.Stop())
}

// options returns the node's options, without those of the cluster.
func (o *kubeletOptions) options() (node.Options, error) {
	options := node.Options{
		Name: o.name, Labels: o.labels, SleepScale: o.sleepScale, Endpoint: &o.endpoint,
		Tell: func(text string) { fmt.Fprintln(o.streams.Err, "plumbline: "+text) },
	}
	if o.sleepScale <= 0 {
		return options, &usageError{fmt.Errorf("--sleep-scale %v: want a number above 0", o.sleepScale)}
	}
	for _, name := range o.without {
		role := simulator.Role(name)
		if !slices.Contains(simulator.Roles(), role) {
			return options, &usageError{fmt.Errorf("--without %s: there is no such role; see --help", name)}
		}
		options.Without = append(options.Without, role)
	}
	if o.endpoint.Insecure && o.clients != "" {
		return options, &usageError{errors.New("--client-ca restricts clients, and --insecure-logs serves everyone: give only one of them")}
	}
	if ip := net.ParseIP(o.endpoint.Address); o.endpoint.Insecure && ip != nil && !ip.IsLoopback() {
		return options, &usageError{fmt.Errorf("--address %s: with --insecure-logs, want a loopback address, such as 127.0.0.1", ip)}
	}
	if o.clients != "" {
		var err error
		if o.endpoint.ClientCA, err = os.ReadFile(o.clients); err != nil {
			return options, fmt.Errorf("--client-ca %s: %w", o.clients, pathReason(err))
		}
	}
	var err error
	options.Images, err = o.mapping()
	return options, err
}

// mapping reads which program stands in for which image: of the subject file, of further files and of the command line,
// where the later wins.
func (o *kubeletOptions) mapping() (node.Images, error) {
	out := node.Images{Default: o.otherwise}
	if o.subject != "" {
		subject, err := readSubject(o.subject)
		if err != nil {
			return out, err
		}
		for _, name := range slices.Sorted(maps.Keys(subject.Images)) {
			if err := out.Add(subject.Images[name], name); err != nil { // it may be real where the subject runs otherwise
				fmt.Fprintf(o.streams.Err, "plumbline: subject %s: image %s is left out: %v\n", o.subject, subject.Images[name], err)
			}
		}
	}
	for _, file := range o.files {
		data, err := os.ReadFile(file)
		if err != nil {
			return out, fmt.Errorf("--images %s: %w", file, pathReason(err))
		}
		if err := out.Read(data); err != nil {
			return out, &coded{code: exitInvalid, err: fmt.Errorf("--images %s: %w", file, err)}
		}
	}
	for _, text := range o.images {
		name, like, ok := strings.Cut(text, "=")
		if !ok || name == "" || like == "" {
			return out, &usageError{fmt.Errorf("--image %s: want name=program, such as registry.example.com/tools/shell=busybox", text)}
		}
		if err := out.Add(name, like); err != nil {
			return out, &usageError{fmt.Errorf("--image %s: %w", text, err)}
		}
	}
	if err := out.Check(); err != nil {
		return out, &usageError{fmt.Errorf("--default-image: %w", err)}
	}
	for _, name := range out.Substituted() {
		fmt.Fprintf(o.streams.Err, "plumbline: image %s is run by Plumbline's own launcher: run --target cluster does not judge the launcher\n", name)
	}
	return out, nil
}

// noNode gives what keeps a node from running its exit code.
func noNode(err error) error {
	var (
		forbidden *node.ForbiddenError
		taken     *node.AlreadyThereError
		unknown   *node.UnknownClientsError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &forbidden):
		return &coded{code: exitForbidden, err: err}
	case errors.As(err, &taken), errors.As(err, &unknown):
		return &coded{code: exitInvalid, err: err}
	}
	return &coded{code: exitBroken, err: err} // also if a deadline ran out, since the user did not set it
}
