// Package kindcluster makes a cluster of kind with the reference implementation in it, and takes it down again.
//
// [Up] does whatever is missing, in this order, and says so; called again, it finds most of it done:
//
//   - the node image: kind's own, or where no registry can be reached one that is built on the spot (kindconfig/node);
//   - the cluster, from kindconfig/cluster.yaml, through kind's Go library;
//   - a registry in the cluster (cmd/registry), by one name for Pods and nodes, 10.96.0.50:5000;
//   - the images, in that registry: those of this repository, and those that fixtures name;
//   - the installation (package kindconfig), with images by digest, until the controller answers.
//
// [Load] puts changed images into a cluster that is there. [Inspect] says what is there, [Down] deletes it.
//
// # The container engine
//
// kind calls docker, podman or nerdctl of the search path; KIND_EXPERIMENTAL_PROVIDER says which. An [Engine] is
// looked at first, so that what is wrong with it is said in plain words. On a machine whose bounding set lacks a capability
// (virtual machines of CI for one), with Docker before 23, a shim is put before docker in the search path of this process.
//
// # Limits
//
// The node image built on the spot has one node, IPv4, and volumes by the host-path provisioner alone; building it needs
// root, debootstrap, a mirror of Debian and the module proxy. An image is for the architecture of this machine.
package kindcluster

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// DefaultName is what the cluster is called.
const DefaultName = "plumbline"

// Options say which cluster, and what is in it.
type Options struct {
	// Name is the cluster's; empty means DefaultName.
	Name string
	// Kubeconfig is the file that the cluster is entered in; empty means the one that kubectl would take.
	Kubeconfig string
	// Offline says that no registry is to be asked, though it might be reached.
	Offline bool
	// NodeImage is taken instead of kind's own or one that is built.
	NodeImage string
	// Archive is a file of images (package images) that are taken instead of building them, by the names of
	// images.Programs; what it does not have is built.
	Archive string
	// Programs are images that are taken before those of Archive, by the same names.
	Programs []images.Image
	// Installation has its options, except the images.
	Installation kindconfig.Options
	// Builder compiles the programs.
	Builder images.Builder
	// Retain keeps a cluster that could not be made, to look at it.
	Retain bool
	// Tell, if not nil, is called with what is being done.
	Tell func(text string)
	// Warnings gets what the API server warns of; nil leaves that to client-go.
	Warnings rest.WarningHandlerWithContext
}

func (o *Options) complete() {
	if o.Name == "" {
		o.Name = DefaultName
	}
	if o.Tell == nil {
		o.Tell = func(string) {}
	}
}

// Timed by experience on two cores shared with others; each is far more than it takes.
const (
	createWithin   = 5 * time.Minute
	reachWithin    = time.Minute
	registryWithin = 2 * time.Minute
	readyWithin    = 4 * time.Minute
	again          = 250 * time.Millisecond
)

// NoClusterError says that there is no cluster of that name.
type NoClusterError struct{ Name string }

func (e *NoClusterError) Error() string {
	return fmt.Sprintf("there is no kind cluster %s: plumbline kind up makes one", e.Name)
}

// Up makes the cluster, or what it lacks, and returns what is there then.
func Up(ctx context.Context, o Options) (*State, error) {
	w, err := newWork(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer w.engine.Close() //nolint:errcheck // of a folder of temporary files
	return w.up(ctx)
}

func (w *work) up(ctx context.Context) (*State, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	programs := w.building(ctx) // while kind waits for its node
	if err := w.cluster(ctx); err != nil {
		return nil, err
	}
	if err := w.content(ctx, programs, true); err != nil {
		return nil, err
	}
	return w.state(ctx)
}

// Load builds the images again and puts those into the cluster that have changed; the installation then uses them. If
// images are named, it is these instead, each a reference that the container engine knows or a file of docker save: they
// are put on the nodes under their own names and into the registry. Returned is what each is called in the registry.
func Load(ctx context.Context, o Options, named ...string) (map[string]string, error) {
	w, err := newWork(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer w.engine.Close() //nolint:errcheck // of a folder of temporary files
	return w.load(ctx, named)
}

func (w *work) load(ctx context.Context, named []string) (map[string]string, error) {
	if err := w.find(ctx); err != nil {
		return nil, err
	}
	if len(named) > 0 {
		return w.others(ctx, named)
	}
	if err := w.content(ctx, w.building(ctx), false); err != nil {
		return nil, err
	}
	return w.references, nil
}

// Down deletes the cluster and its entry in the kubeconfig. The node image stays.
func Down(ctx context.Context, o Options) error {
	w, err := newWork(ctx, &o)
	if err != nil {
		return err
	}
	defer w.engine.Close() //nolint:errcheck // of a folder of temporary files
	return w.down()
}

func (w *work) down() error {
	if there, err := w.there(); err != nil {
		return err
	} else if !there {
		return &NoClusterError{Name: w.Name}
	}
	if err := w.provider.Delete(w.Name, w.Kubeconfig); err != nil {
		return fmt.Errorf("deleting the cluster %s: %w", w.Name, detailed(err))
	}
	w.Tell("the cluster " + w.Name + " is deleted")
	return nil
}

// work is one of these while it is done.
type work struct {
	*Options
	engine   *Engine
	provider Provider
	client   client.Client
	config   *rest.Config
	// connect reaches the cluster, reach its registry: how they are reached is of no interest to what is done there.
	connect func(context.Context) (*rest.Config, client.Client, error)
	reach   func(context.Context) (address string, stop func(), err error)
	// made are the images that fixtures name, where they are made here.
	made func(context.Context) ([]images.Image, error)
	// references are what images are called in the cluster.
	references map[string]string
}

func newWork(ctx context.Context, o *Options) (*work, error) {
	o.complete()
	// controller-runtime complains about a program that has not said where its log goes. What users need to know is
	// reported through Tell.
	log.SetLogger(logr.Discard())
	engine, err := FindEngine(ctx, os.Getenv(VariableProvider))
	if err != nil {
		return nil, err
	}
	if err := engine.Prepare(); err != nil {
		return nil, err
	}
	w := &work{Options: o, engine: engine, provider: newProvider(engine, o.Tell), references: map[string]string{}}
	w.connect, w.reach, w.made = w.toCluster, w.forward, w.madeFixtures
	return w, nil
}
