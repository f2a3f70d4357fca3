package kindcluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kind/pkg/apis/config/defaults"
	"sigs.k8s.io/kind/pkg/apis/config/v1alpha4"
	"sigs.k8s.io/yaml"

	"github.com/plumbline-ci/plumbline/api/v1beta1"
	"github.com/plumbline-ci/plumbline/kindconfig"
)

// UnusableError says that a cluster is there and does not work.
type UnusableError struct {
	Name string
	Err  error
}

func (e *UnusableError) Error() string {
	return fmt.Sprintf("the cluster %s is there and does not answer (%v): delete it with plumbline kind down, and make it again", e.Name, e.Err)
}

// Unwrap returns what does not work.
func (e *UnusableError) Unwrap() error { return e.Err }

// there reports whether the cluster exists.
func (w *work) there() (bool, error) {
	names, err := w.provider.Clusters()
	if err != nil {
		return false, fmt.Errorf("listing clusters: %w", err)
	}
	return slices.Contains(names, w.Name), nil
}

// cluster creates the cluster unless it exists, and connects to it.
func (w *work) cluster(ctx context.Context) error {
	there, err := w.there()
	if err != nil {
		return err
	}
	if !there {
		if err := w.create(ctx); err != nil {
			return err
		}
	} else {
		w.Tell("the cluster " + w.Name + " is there")
	}
	if err := w.find(ctx); err != nil {
		return err
	}
	if err := w.provider.Export(w.Name, w.Kubeconfig); err != nil {
		return fmt.Errorf("entering the cluster %s in the kubeconfig: %w", w.Name, err)
	}
	return nil
}

// find connects to a cluster that is there, and starts its nodes if they were stopped.
func (w *work) find(ctx context.Context) error {
	there, err := w.there()
	if err != nil {
		return err
	}
	if !there {
		return &NoClusterError{Name: w.Name}
	}
	if err := w.startNodes(ctx); err != nil {
		return err
	}
	w.config, w.client, err = w.connect(ctx)
	return err
}

// toCluster waits until the cluster answers.
func (w *work) toCluster(ctx context.Context) (*rest.Config, client.Client, error) {
	text, err := w.kubeconfig(ctx)
	if err != nil {
		return nil, nil, &UnusableError{Name: w.Name, Err: err}
	}
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(text))
	if err != nil {
		return nil, nil, fmt.Errorf("the kubeconfig of the cluster %s: %w", w.Name, err)
	}
	// No other client is served meanwhile.
	config.QPS, config.Burst, config.UserAgent = 200, 400, kindconfig.FieldOwner
	config.WarningHandlerWithContext = w.Warnings
	scheme, err := newScheme()
	if err != nil {
		return nil, nil, err
	}
	var c client.Client
	var last error
	err = wait.PollUntilContextTimeout(ctx, again, reachWithin, true, func(context.Context) (bool, error) {
		c, last = client.New(config, client.Options{Scheme: scheme}) // it asks what is served there
		return last == nil, nil
	})
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	if err != nil {
		return nil, nil, &UnusableError{Name: w.Name, Err: last}
	}
	return config, c, nil
}

// newScheme knows the kinds that are looked at here.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(clientgoscheme.AddToScheme(scheme), v1beta1.AddToScheme(scheme))
}

// kubeconfig asks the control plane for it, which does not have one before it has begun.
func (w *work) kubeconfig(ctx context.Context) (string, error) {
	var text string
	var last error
	err := wait.PollUntilContextTimeout(ctx, again, 20*time.Second, true, func(context.Context) (bool, error) {
		text, last = w.provider.KubeConfig(w.Name)
		return last == nil, nil
	})
	if err != nil && last != nil {
		err = last
	}
	return text, err
}

// startNodes starts nodes that were stopped: with the machine, or by hand.
func (w *work) startNodes(ctx context.Context) error {
	nodes, err := w.provider.Nodes(w.Name)
	if err != nil {
		return fmt.Errorf("listing the nodes of the cluster %s: %w", w.Name, err)
	}
	for _, n := range nodes {
		state, err := w.engine.Output(ctx, nil, "inspect", "--format", "{{.State.Running}}", n.String())
		if err != nil {
			return fmt.Errorf("looking at the node %s: %w", n, err)
		}
		if strings.TrimSpace(string(state)) == "true" {
			continue
		}
		w.Tell("starting the node " + n.String())
		if _, err := w.engine.Output(ctx, nil, "start", n.String()); err != nil {
			return fmt.Errorf("starting the node %s: %w", n, err)
		}
	}
	return nil
}

// create makes the cluster.
func (w *work) create(ctx context.Context) error {
	config, err := w.configuration(ctx)
	if err != nil {
		return err
	}
	if w.engine.shim != "" {
		w.Tell("this machine lacks a capability that " + w.engine.Name + " " + w.engine.Version + " would ask for: it is asked for the others")
	}
	w.Tell(fmt.Sprintf("creating the cluster %s with the node image %s", w.Name, config.Nodes[0].Image))
	made := make(chan error, 1)
	go func() { made <- w.provider.Create(w.Name, config, w.Kubeconfig, w.Retain) }()
	select {
	case err = <-made:
	case <-ctx.Done():
		err = context.Cause(ctx)
		if !w.Retain {
			err = errors.Join(err, w.abandon(made))
		}
	}
	if err != nil {
		return fmt.Errorf("creating the cluster %s: %w", w.Name, detailed(err))
	}
	return nil
}

// abandon removes what kind's library has begun, which cannot be interrupted: without its nodes it fails, and tidies up
// itself. Whichever of the two comes second may find nothing, or the kubeconfig locked.
func (w *work) abandon(made <-chan error) error {
	first := w.provider.Delete(w.Name, w.Kubeconfig)
	finished := <-made == nil
	if there, err := w.there(); err != nil || !there && !finished {
		return err
	}
	return cmp.Or(w.provider.Delete(w.Name, w.Kubeconfig), first)
}

// configuration is kindconfig/cluster.yaml with the node image.
func (w *work) configuration(ctx context.Context) (*v1alpha4.Cluster, error) {
	config := &v1alpha4.Cluster{}
	if err := yaml.UnmarshalStrict(kindconfig.Cluster(), config); err != nil {
		return nil, fmt.Errorf("kindconfig/cluster.yaml: %w", err)
	}
	image, own := w.NodeImage, strings.HasPrefix(w.NodeImage, ownNodeImage)
	if image == "" {
		if w.online(ctx) {
			image = defaults.Image
		} else {
			var err error
			if image, err = w.buildNode(ctx); err != nil {
				return nil, err
			}
			own = true
		}
	}
	for i := range config.Nodes {
		config.Nodes[i].Image = image
	}
	if own {
		// It brings a network of bridges, and a kube-proxy that has nft and not iptables.
		config.Networking.DisableDefaultCNI = true
		config.Networking.KubeProxyMode = v1alpha4.NFTablesProxyMode
	}
	return config, nil
}

// ownNodeImage is how names of node images begin that were built on the spot.
const ownNodeImage = "plumbline.dev/kind-node:"

// hub is the registry of kind's node image and of the images that fixtures name.
const hub = "https://registry-1.docker.io/v2/"

// hubWithin is how long it may take to answer.
const hubWithin = 5 * time.Second

// online reports whether images can be fetched, or need not be.
func (w *work) online(ctx context.Context) bool {
	if w.Offline {
		return false
	}
	if _, err := w.engine.Output(ctx, nil, "image", "inspect", "--format", "{{.Id}}", defaults.Image); err == nil {
		return true
	}
	if err := reachable(ctx, hub); err != nil {
		w.Tell(fmt.Sprintf("no registry can be reached (%v): what is needed is built here", err))
		return false
	}
	return true
}

// reachable asks a registry whether it is one; that it wants to know who asks is an answer.
func reachable(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, hubWithin)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	if err := answer.Body.Close(); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK && answer.StatusCode != http.StatusUnauthorized {
		return fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return nil
}

// NoRecipeError says that a node image would have to be built, and cannot be.
type NoRecipeError struct {
	Source string
	Err    error
}

func (e *NoRecipeError) Error() string {
	return fmt.Sprintf("without a registry the node image is built from kindconfig/node, which %s does not have: run it in a checkout, or give --node-image", e.Source)
}

// Unwrap returns what is missing.
func (e *NoRecipeError) Unwrap() error { return e.Err }

// buildNode builds the node image unless it exists, and returns its name.
func (w *work) buildNode(ctx context.Context) (string, error) {
	out, err := w.recipe(ctx, filepath.Join("kindconfig", "node", "build"), w.engine.Name)
	if err != nil {
		return "", fmt.Errorf("building the node image: %w", err)
	}
	return out, nil
}
