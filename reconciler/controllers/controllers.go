// Package controllers lists the reconcilers of all kinds. It is a package of its own because package reconciler, which the
// kinds import, cannot import them.
package controllers

import (
	"github.com/plumbline-ci/plumbline/reconciler"
	"github.com/plumbline-ci/plumbline/reconciler/pipelinerun"
	"github.com/plumbline-ci/plumbline/reconciler/taskrun"
)

// All returns the controllers of this repository. The list is the only place that names them: the program and the simulated
// clusters run what is in it, and the install manifests are held against its rights.
func All() []reconciler.Controller {
	return []reconciler.Controller{taskrun.Controller(), pipelinerun.Controller()}
}
