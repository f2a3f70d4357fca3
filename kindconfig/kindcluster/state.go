package kindcluster

import (
	"context"
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/plumbline-ci/plumbline/kindconfig"
	"github.com/plumbline-ci/plumbline/kindconfig/images"
)

// State is the state of a cluster.
type State struct {
	Name    string `json:"name"`
	Engine  string `json:"engine"`
	Context string `json:"context"`
	// Nodes are the cluster's.
	Nodes []NodeState `json:"nodes"`
	// Controller reports whether the reference implementation is ready, and of which image it is.
	Controller ControllerState `json:"controller"`
	// Registry is the registry in the cluster; empty if there is none.
	Registry string `json:"registry,omitempty"`
	// Injector is the image of the program that injects containers for fixtures.
	Injector string `json:"injector,omitempty"`
	// Images are what the images that fixtures name are called there: they are what --image takes.
	Images map[string]string `json:"images,omitempty"`

	// Outside is the image of what serves the world around the clusters of fixtures; empty if there is no registry.
	Outside string `json:"outside,omitempty"`

	config *rest.Config
}

// Config reaches the cluster as its administrator.
func (s *State) Config() *rest.Config { return rest.CopyConfig(s.config) }

// Ready reports whether fixtures can be run.
func (s *State) Ready() bool {
	for _, n := range s.Nodes {
		if !n.Ready {
			return false
		}
	}
	return s.Controller.Ready && s.Registry != ""
}

// NodeState is one node.
type NodeState struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Runtime string `json:"runtime"`
	Ready   bool   `json:"ready"`
}

// ControllerState is the Deployment.
type ControllerState struct {
	Installed bool   `json:"installed"`
	Ready     bool   `json:"ready"`
	Image     string `json:"image,omitempty"`
}

// Inspect returns the state of a cluster. Nodes that were stopped are started for it.
func Inspect(ctx context.Context, o Options) (*State, error) {
	w, err := newWork(ctx, &o)
	if err != nil {
		return nil, err
	}
	defer w.engine.Close() //nolint:errcheck // of a folder of temporary files
	if err := w.find(ctx); err != nil {
		return nil, err
	}
	return w.state(ctx)
}

func (w *work) state(ctx context.Context) (*State, error) {
	s := &State{Name: w.Name, Engine: w.engine.Name + " " + w.engine.Version, Context: "kind-" + w.Name, config: w.config}
	var nodes corev1.NodeList
	if err := w.client.List(ctx, &nodes); err != nil {
		return nil, fmt.Errorf("listing nodes: %w", err)
	}
	for _, n := range nodes.Items {
		state := NodeState{Name: n.Name, Version: n.Status.NodeInfo.KubeletVersion, Runtime: n.Status.NodeInfo.ContainerRuntimeVersion}
		for _, c := range n.Status.Conditions {
			state.Ready = state.Ready || c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
		}
		s.Nodes = append(s.Nodes, state)
	}
	var d appsv1.Deployment
	err := w.client.Get(ctx, client.ObjectKey{Namespace: kindconfig.Namespace, Name: kindconfig.Deployment}, &d)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("looking at the controller: %w", err)
	}
	if err == nil && len(d.Spec.Template.Spec.Containers) > 0 {
		s.Controller = ControllerState{Installed: true, Ready: rolledOut(&d), Image: d.Spec.Template.Spec.Containers[0].Image}
	}
	err = w.client.Get(ctx, client.ObjectKey{Namespace: registryNamespace, Name: registryName}, &d)
	if client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("looking at the registry: %w", err)
	}
	if err == nil && rolledOut(&d) {
		s.Registry, s.Images, s.Outside = Registry, map[string]string{}, Registry+"/"+ours+images.Outside
		s.Injector = Registry + "/" + ours + images.Injector
		for called := range fixtureImages() {
			s.Images[called] = Registry + "/" + library + called
		}
	}
	return s, nil
}

// Mapping is what --image of plumbline run takes.
func (s *State) Mapping() string {
	var out []string
	for _, called := range []string{images.AlpineName, images.BusyboxName, images.DebianName} {
		if here, ok := s.Images[called]; ok {
			out = append(out, "--image "+called+"="+here)
		}
	}
	return strings.Join(out, " ")
}
