package command

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/plumbline-ci/plumbline/conformance"
	"github.com/plumbline-ci/plumbline/conformance/targets/kind"
	"github.com/plumbline-ci/plumbline/kindconfig/kindcluster"
)

// onKind makes a kind cluster the target of a run: the one that is there, or a new one, which is deleted in the end
// unless it is to be kept. The function that it returns leaves everything as it was.
func (o *runOptions) onKind(ctx context.Context, options *conformance.Options) (func() error, error) {
	images, err := o.mapping()
	if err != nil {
		return nil, err
	}
	if err := o.checkPrefix(); err != nil {
		return nil, err
	}
	there := kindcluster.Options{Name: o.kindName, Kubeconfig: o.kubeconfig, Warnings: newWarnings(o.streams.Err)}
	if !o.quiet {
		there.Tell = func(text string) { fmt.Fprintln(o.streams.Err, text) }
	}
	state, made, err := kindThere(ctx, there)
	if err != nil {
		return nil, noCluster(err)
	}
	down := func() error { return nil }
	if made && !o.keep {
		down = func() error { return kindcluster.Down(context.WithoutCancel(ctx), there) }
	}
	for name, here := range state.Images {
		if _, ok := images[name]; !ok { // the command line wins
			images[name] = here
		}
	}
	options.KeepNamespaces, options.NamespacePrefix, options.Budget, options.Date = o.keep, o.prefix, o.budget, time.Now()
	real, err := kind.New(ctx, kind.Options{Config: state.Config(), Images: images, Parallel: options.Parallel, Injector: state.Injector, Outside: state.Outside, Journal: kind.EngineJournal(strings.Fields(state.Engine)[0])})
	if err != nil {
		return nil, errors.Join(unreachable(err), down())
	}
	if err := real.Open(ctx); err != nil {
		return nil, errors.Join(notOurs(unreachable(err)), real.Close(), down())
	}
	options.Target = real
	return func() error { return errors.Join(real.Close(), down()) }, nil
}

// kindThere is the cluster of that name, made if it does not exist or lacks something, and whether it was made.
func kindThere(ctx context.Context, o kindcluster.Options) (*kindcluster.State, bool, error) {
	state, err := kindcluster.Inspect(ctx, o)
	var none *kindcluster.NoClusterError
	absent := errors.As(err, &none)
	switch {
	case err == nil && state.Ready():
		return state, false, nil
	case err != nil && !absent:
		return nil, false, err
	}
	state, err = kindcluster.Up(ctx, o)
	return state, absent, err
}

// notOurs gives a cluster that has something else in it its exit code.
func notOurs(err error) error {
	var other *kind.NotInstalledError
	if errors.As(err, &other) {
		return &coded{code: exitNotFound, err: err}
	}
	return err
}
