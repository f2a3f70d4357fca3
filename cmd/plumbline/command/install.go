package command

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// registryOfReference is the default registry of the reference's images.
const registryOfReference = "plumbline.dev"

// installation is what the flags of install say.
type installation struct {
	kindconfig.Options
	kubeconfig, registry, tag, shell, output string
	dryRun                                   bool
}

func newInstall(s Streams) *cobra.Command {
	i := &installation{}
	c := &cobra.Command{
		Use:   "install",
		Short: "Install the reference implementation in a cluster",
		Long: `Install applies the definitions, roles, configuration, webhooks and the Deployment of the reference implementation
to a cluster, server-side. Running it again reverts changes to these objects, but keeps the keys of the ConfigMaps. Namespaces
that are no longer tenants lose their role binding.

  plumbline install --dry-run -o yaml           print what would be applied, without contacting the cluster
  plumbline install --registry example.com/ci   install with images from your own registry
  plumbline install --tenants team-a,team-b     run only TaskRuns of these namespaces`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			objects, err := i.objects()
			if err != nil {
				return err
			}
			if i.dryRun {
				return i.print(s, objects)
			}
			to, err := i.client(s.Err)
			if err != nil {
				return err
			}
			err = kindconfig.Apply(c.Context(), to, objects, func(u *unstructured.Unstructured) {
				fmt.Fprintln(s.Out, "applied "+kindconfig.Describe(u))
			})
			if err == nil {
				err = kindconfig.Unbind(c.Context(), to, objects, func(u *unstructured.Unstructured) {
					fmt.Fprintln(s.Out, "removed "+kindconfig.Describe(u))
				})
			}
			if kindconfig.Forbidden(err) {
				return &coded{code: exitForbidden, err: err}
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&i.kubeconfig, "kubeconfig", "", "kubeconfig `file` of the cluster; default: as kubectl")
	f.BoolVar(&i.dryRun, "dry-run", false, "print the objects, without contacting the cluster")
	f.StringVarP(&i.output, "output", "o", "yaml", "`format` of --dry-run: yaml or json")
	completes(c, map[string]func() []string{"output": always("yaml", "json")})
	f.StringVar(&i.registry, "registry", registryOfReference, "registry of the images, the part before their names")
	f.StringVar(&i.tag, "tag", conformance.SuiteVersion, "the images' tag")
	f.StringVar(&i.Images.Controller, "controller-image", "", "`image` of the controller, if it has another name")
	f.StringVar(&i.shell, "shell-image", "", "`image` that places scripts (default busybox:latest)")
	f.StringVar(&i.PullPolicy, "image-pull-policy", "", "when the controller's image is pulled: Always, IfNotPresent or Never")
	f.IntVar(&i.Replicas, "replicas", 1, "how many controllers; one of them leads")
	f.StringSliceVar(&i.Tenants, "tenants", nil, "`namespaces` whose TaskRuns are run; default: all")
	f.StringVar(&i.WebhookURL, "webhook-url", "", "`https://host:port` of webhooks that run outside the cluster")
	f.BoolVar(&i.Examples, "example-tasks", false, "install the custom tasks of the group example.plumbline.dev, too")
	f.StringArrayVar(&i.Arguments, "controller-argument", nil, "additional `argument` of the controller; may be repeated")
	return c
}

func (i *installation) objects() ([]*unstructured.Unstructured, error) {
	o := i.Options
	o.Images = kindconfig.PublishedAs(i.registry, i.tag)
	if i.Images.Controller != "" {
		o.Images.Controller = i.Images.Controller
	}
	if i.shell != "" {
		o.Images.Shell = i.shell
	}
	switch {
	case i.output != "yaml" && i.output != "json":
		return nil, invalid("-o must be yaml or json, not %q", i.output)
	case i.Replicas < 1:
		return nil, invalid("--replicas must be at least 1, not %d", i.Replicas)
	case i.WebhookURL != "" && !strings.HasPrefix(i.WebhookURL, "https://"):
		return nil, invalid("--webhook-url must be https://host:port, not %q", i.WebhookURL)
	}
	return kindconfig.Objects(o)
}

func (i *installation) print(s Streams, objects []*unstructured.Unstructured) error {
	if i.output == "yaml" {
		text, err := kindconfig.YAML(objects)
		if err != nil {
			return err
		}
		_, err = s.Out.Write(text)
		return err
	}
	list := map[string]any{"apiVersion": "v1", "kind": "List", "items": objects}
	return printJSON(s.Out, list)
}

// client reaches the cluster, whose warnings are written to errs.
func (i *installation) client(errs io.Writer) (client.Client, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = i.kubeconfig
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		if clientcmd.IsEmptyConfig(err) {
			return nil, notFound("no cluster is configured: give --kubeconfig, or set KUBECONFIG")
		}
		return nil, fmt.Errorf("finding the cluster: %w", err)
	}
	config.UserAgent, config.WarningHandlerWithContext = kindconfig.FieldOwner, newWarnings(errs)
	c, err := client.New(config, client.Options{})
	if err != nil {
		return nil, fmt.Errorf("reaching the cluster: %w", err)
	}
	return c, nil
}
