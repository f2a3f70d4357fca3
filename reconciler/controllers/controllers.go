// Package controllers lists the reconcilers of all kinds. It is a package of its own because package reconciler, which the
// kinds import, cannot import them.
package controllers

import (
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pipelinerun"
	"github.com/plumbline-ci/plumbline/reconciler/resolution"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/cluster"
	"github.com/plumbline-ci/plumbline/reconciler/resolution/resolver"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
)

// All returns the controllers of this repository, with these resolvers beside that of the cluster. The list is the only place that
// names them: the program and the simulated clusters run what is in it, and the install manifests are held against its rights.
func All(resolvers ...resolver.Resolver) []reconciler.Controller {
	list := []reconciler.Controller{taskrun.Controller(), pipelinerun.Controller()}
	return append(list, resolution.Controllers(append([]resolver.Resolver{cluster.Resolver{}}, resolvers...)...)...)
}
