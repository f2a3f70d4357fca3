package command

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/reference/outside"
	"github.com/plumbline-ci/plumbline/conformance/targets/cluster"
	"github.com/plumbline-ci/plumbline/conformance/targets/envtest"
	"github.com/plumbline-ci/plumbline/conformance/targets/fake"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind"
)

// place is a target of run.
type place struct {
	name string
	// installed: what is judged is what the cluster has, and not the reference.
	installed bool
	// shared: the cluster is there before and after the run.
	shared bool
	// flags are those of clusterFlags that it takes; where what is judged is installed, it takes all.
	flags []string
	// open makes it the target of a run. The function that it returns leaves everything as it was; leaving begins what is
	// said of an error of that.
	open    func(o *runOptions, ctx context.Context, options *conformance.Options) (leave func() error, err error)
	leaving string
}

// places are all targets. A run on the first one needs nothing.
func places() []place {
	return []place{
		{name: fake.Name},
		{name: envtest.Name, open: (*runOptions).onEnvtest, leaving: "stopping the API server: "},
		{name: kind.Name, shared: true, flags: []string{"kubeconfig", "image", "keep", "namespace-prefix", "budget"}, open: (*runOptions).onKind, leaving: "leaving the cluster: "},
		{name: cluster.Name, shared: true, installed: true, open: (*runOptions).onCluster},
	}
}

// placeNamed returns the target of a name, which is one of targets.
func placeNamed(name string) place {
	list := places()
	return list[max(0, slices.IndexFunc(list, func(p place) bool { return p.name == name }))]
}

// targets lists the names of the targets.
func targets() []string {
	var names []string
	for _, p := range places() {
		names = append(names, p.name)
	}
	return names
}

// onEnvtest makes a real kube-apiserver with a simulated node the target of a run.
func (o *runOptions) onEnvtest(_ context.Context, options *conformance.Options) (func() error, error) {
	real, err := envtest.New(envtest.Options{Remote: outside.Over})
	if err != nil {
		return nil, notBuilt(err)
	}
	options.Target, options.Date = real, time.Now()
	return real.Close, nil
}

// onCluster makes a cluster that is there the target of a run.
func (o *runOptions) onCluster(ctx context.Context, options *conformance.Options) (func() error, error) {
	if err := o.into(ctx, o.streams.Err, options); err != nil {
		return nil, err
	}
	return func() error { o.leave(o.streams.Err); return nil }, nil
}

// notBuilt gives missing binaries of the control plane their exit code.
func notBuilt(err error) error {
	var missing *envtest.MissingAssetsError
	if errors.As(err, &missing) {
		return &coded{code: exitNotFound, err: err}
	}
	return err
}
